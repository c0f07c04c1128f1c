#include "services/cron_internal.h"

#include "base/slice.h"
#include "services/limits.h"

#include <stdlib.h>
#include <strings.h>

#define ZONE_PREFIX "TZ="
#define BLANKS " \t"
#define DIGITS "0123456789"
#define FIELDS 5

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY };

typedef struct field {
    const char *name;
    int min;
    int max;
    const char *names; /* three letters each, from min on */
} field;

static const field fields[FIELDS] = {
    {"minute", 0, 59, NULL},
    {"hour", 0, 23, NULL},
    {"day of the month", 1, 31, NULL},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of the week", 0, 7, "sunmontuewedthufrisat"},
};

static const struct {
    const char *name;
    const char *line;
} nicknames[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

/* What is being read, for messages. */
typedef struct reader {
    const field *field;
    const char *at;
    error *err;
} reader;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int read_name(reader *r, int *out)
{
    size_t len = 0;

    while (is_letter(r->at[len]))
        len++;
    for (int i = 0; r->field->names && len == 3 && r->field->names[3 * i]; i++) {
        if (strncasecmp(r->at, r->field->names + 3 * i, 3) == 0) {
            r->at += len;
            *out = r->field->min + i;
            return 0;
        }
    }
    return error_set(r->err, E_INVALID, "%s: there is no '%.*s'", r->field->name, (int)len, r->at);
}

/* Reads a number; `what` stands before it in a message. */
static int read_number(reader *r, const char *what, int min, int max, int *out)
{
    int len = (int)strspn(r->at, DIGITS);
    int value = 0;

    if (len == 0)
        return error_set(r->err, E_INVALID, "%s: a number is missing%s%s", r->field->name,
                         *r->at ? " before " : "", r->at);
    for (int i = 0; i < len && value <= max; i++)
        value = value * 10 + (r->at[i] - '0');
    if (value < min || value > max)
        return error_set(r->err, E_INVALID, "%s: %s%.*s is not from %d to %d", r->field->name, what,
                         len, r->at, min, max);
    r->at += len;
    *out = value;
    return 0;
}

static int read_value(reader *r, int *out)
{
    if (is_letter(*r->at))
        return read_name(r, out);
    return read_number(r, "", r->field->min, r->field->max, out);
}

static int read_range(reader *r, int *first, int *last)
{
    int rc;

    if (*r->at == '*') {
        r->at++;
        *first = r->field->min;
        /* Sunday would be there twice, which is one too many for steps. */
        *last = r->field->names && r->field->max == 7 ? 6 : r->field->max;
        return 0;
    }
    rc = read_value(r, first);
    *last = *first;
    if (rc || *r->at != '-')
        return rc;
    r->at++;
    rc = read_value(r, last);
    if (rc)
        return rc;
    /* "fri-sun" */
    if (r->field->max == 7 && *last == 0 && *first > 0)
        *last = 7;
    if (*last < *first)
        return error_set(r->err, E_INVALID, "%s: the range ends before it begins", r->field->name);
    return 0;
}

/* Reads an element of a field's list: a range or a value, and a step. */
static int read_element(reader *r, uint64_t *set)
{
    const char *start = r->at;
    int first = 0, last = 0, step = 1;
    int rc = read_range(r, &first, &last);

    if (rc)
        return rc;
    if (*r->at == '/') {
        if (*start != '*' && !memchr(start, '-', (size_t)(r->at - start)))
            return error_set(r->err, E_INVALID, "%s: a step needs a range: %d-%d%s", r->field->name,
                             first, r->field->max, r->at);
        r->at++;
        rc = read_number(r, "a step of ", 1, r->field->max, &step);
        if (rc)
            return rc;
    }
    for (int i = first; i <= last; i += step)
        *set |= (uint64_t)1 << i;
    return 0;
}

static int read_field(reader *r, uint64_t *set)
{
    int rc;

    *set = 0;
    for (;;) {
        rc = read_element(r, set);
        if (rc || *r->at == '\0')
            return rc;
        if (*r->at != ',')
            return error_set(r->err, E_INVALID, "%s: '%s' is not understood", r->field->name,
                             r->at);
        r->at++;
    }
}

/* Whether some month has one of the days. That a February 29 is none of the weekdays asked for goes by:
 * in 400 years it is every one of them. */
static bool has_tick(const cron *c)
{
    static const int most_days[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (c->either_day)
        return true;
    for (int month = 1; month <= 12; month++) {
        uint64_t in_month = ((uint64_t)1 << (most_days[month] + 1)) - 1;

        if ((c->months >> month & 1) && (c->days & in_month))
            return true;
    }
    return false;
}

/* Reads the fields, each of which is NUL-terminated. */
static int read_fields(cron *c, char *text[FIELDS], error *err)
{
    uint64_t *sets[FIELDS] = {&c->minutes, &c->hours, &c->days, &c->months, &c->weekdays};
    int rc;

    for (int i = 0; i < FIELDS; i++) {
        reader r = {.field = &fields[i], .at = text[i], .err = err};

        rc = read_field(&r, sets[i]);
        if (rc)
            return rc;
    }
    c->weekdays = (c->weekdays | c->weekdays >> 7) & 0x7f;
    c->either_day = text[DAY][0] != '*' && text[WEEKDAY][0] != '*';
    c->by_clock = text[MINUTE][0] == '*' || c->hours == ((uint64_t)1 << 24) - 1;
    if (!has_tick(c))
        return error_set(err, E_INVALID,
                         "no month that it names has such a day, so it would never "
                         "run");
    return 0;
}

/* Cuts the text at its blanks. What is no nickname has five parts. */
static int split_fields(char *text, char *out[FIELDS], error *err)
{
    char *rest = text;
    int count = 0;

    for (char *part; (part = strtok_r(rest, BLANKS, &rest)); count++)
        if (count < FIELDS)
            out[count] = part;
    if (count == FIELDS)
        return 0;
    return error_set(err, E_INVALID,
                     "it has %d fields and not five: minute, hour, day of the month, month, day of "
                     "the week",
                     count);
}

/* The line that a nickname stands for; NULL for none. */
static const char *find_nickname(const char *text)
{
    size_t len = strcspn(text, BLANKS);

    for (size_t i = 0; i < sizeof nicknames / sizeof *nicknames; i++)
        if (strlen(nicknames[i].name) == len && strncmp(text, nicknames[i].name, len) == 0 &&
            text[len + strspn(text + len, BLANKS)] == '\0')
            return nicknames[i].line;
    return NULL;
}

static int read_schedule(cron *c, const char *text, error *err)
{
    char copy[LIMIT_CRON_LINE_BYTES + 1];
    const char *line = text;
    char *part[FIELDS];
    int rc;

    if (*text == '@') {
        line = find_nickname(text);
        if (!line)
            return error_set(err, E_INVALID,
                             "what begins with @ is @hourly, @daily, @midnight, @weekly, @monthly, "
                             "@yearly or @annually");
    }
    strcpy(copy, line);
    rc = split_fields(copy, part, err);
    return rc ? rc : read_fields(c, part, err);
}

/* Opens the zone, and steps over its name in the line if it is there. */
static int read_zone(cron *c, const char **text, const char *zone, error *err)
{
    char name[LIMIT_CRON_LINE_BYTES + 1];
    size_t len;

    *text += strspn(*text, BLANKS);
    if (strncmp(*text, ZONE_PREFIX, strlen(ZONE_PREFIX)) != 0)
        return time_zone_open(&c->zone, zone, err);
    *text += strlen(ZONE_PREFIX);
    len = strcspn(*text, BLANKS);
    memcpy(name, *text, len);
    name[len] = '\0';
    *text += len + strspn(*text + len, BLANKS);
    return time_zone_open(&c->zone, name, err);
}

static int read_line(cron *c, const char *line, const char *zone, error *err)
{
    int rc;

    for (const char *p = line; *p; p++)
        if ((*p < ' ' && *p != '\t') || *p > '~')
            return error_set(err, E_INVALID, "it has a character that no cron line has");
    rc = read_zone(c, &line, zone, err);
    return rc ? rc : read_schedule(c, line, err);
}

int cron_create(cron **out, const char *line, const char *zone, error *err)
{
    cron *c;
    int rc;

    *out = NULL;
    if (strlen(line) > LIMIT_CRON_LINE_BYTES)
        return error_set(err, E_INVALID, "a cron line has at most %d bytes", LIMIT_CRON_LINE_BYTES);
    c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, E_NO_MEMORY, "%s", error_code_name(E_NO_MEMORY));
    rc = read_line(c, line, zone, err);
    if (rc)
        goto done;
    *out = c;
    c = NULL;
done:
    cron_destroy(c);
    return rc;
}

void cron_destroy(cron *c)
{
    if (!c)
        return;
    time_zone_destroy(c->zone);
    free(c);
}
