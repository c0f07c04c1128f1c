#include "app/units.h"

#include <stddef.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t size;
};

/* From small to large. */
static const struct unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};
static const struct unit sizes[] = {
    {"B", 1}, {"KiB", 1U << 10}, {"MiB", 1U << 20}, {"GiB", 1U << 30}, {NULL, 0}};

static int read_quantity(const char *text, const struct unit *units, uint64_t max, uint64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t n = 0;

    if (digits == 0)
        return E_INVALID;
    for (size_t i = 0; i < digits; i++) {
        n = n * 10 + (uint64_t)(text[i] - '0');
        if (n > max)
            return E_TOO_LARGE;
    }
    for (; units->name; units++) {
        if (strcmp(units->name, text + digits) == 0) {
            if (n == 0 || n > max / units->size)
                return E_TOO_LARGE;
            *out = n * units->size;
            return 0;
        }
    }
    return E_INVALID;
}

int units_read_duration(const char *text, uint64_t max, uint64_t *out_ms, error *err)
{
    int rc = read_quantity(text, durations, max, out_ms);

    if (rc == E_INVALID)
        error_set(err, rc, "\"%s\" is not a duration, such as \"500ms\", \"30s\" or \"5m\"", text);
    else if (rc)
        error_set(err, E_INVALID, "\"%s\" is not from 1ms to %llus", text,
                  (unsigned long long)max / 1000);
    return rc ? E_INVALID : 0;
}

int units_read_size(const char *text, uint64_t max, uint64_t *out_bytes, error *err)
{
    int rc = read_quantity(text, sizes, max, out_bytes);

    if (rc == E_INVALID)
        error_set(err, rc, "\"%s\" is not a size, such as \"100B\", \"64KiB\" or \"10MiB\"", text);
    else if (rc)
        error_set(err, E_INVALID, "\"%s\" is not from 1B to %lluMiB", text,
                  (unsigned long long)max >> 20);
    return rc ? E_INVALID : 0;
}

static int put_quantity(buf *out, uint64_t n, const struct unit *units)
{
    const struct unit *best = units;

    for (; units->name; units++) {
        if (n > 0 && n % units->size == 0)
            best = units;
    }
    return buf_printf(out, "%llu%s", (unsigned long long)(n / best->size), best->name);
}

int units_put_duration(buf *out, uint64_t ms)
{
    return put_quantity(out, ms, durations);
}

int units_put_size(buf *out, uint64_t bytes)
{
    return put_quantity(out, bytes, sizes);
}
