#include "app/function.h"
#include "extism/wasm_exports.h"

#include <stdlib.h>
#include <string.h>

/* Which methods a function takes, and what it exports for each. */

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};

#define METHODS (sizeof methods / sizeof *methods)

struct exports {
    bool method[METHODS];
    bool any_method;
    bool handle;
};

static void take_export(void *arg, slice name)
{
    struct exports *e = arg;

    for (size_t i = 0; i < METHODS; i++) {
        if (slice_equal_str(name, methods[i]))
            e->method[i] = e->any_method = true;
    }
    if (slice_equal_str(name, "handle"))
        e->handle = true;
}

/* Whether one of the exports answers the method. */
static bool has_export(const struct exports *e, const char *method)
{
    for (size_t i = 0; i < METHODS; i++) {
        if (strcmp(methods[i], method) == 0 && e->method[i])
            return true;
    }
    return strcmp(method, "HEAD") == 0 && e->method[0];
}

/* Adds what is exported to the list, which is empty. */
static int list_exported(function *f, const struct exports *e)
{
    f->methods.item = calloc(METHODS, sizeof *f->methods.item);
    if (!f->methods.item)
        return E_NO_MEMORY;
    f->methods.given = true;
    for (size_t i = 0; i < METHODS; i++) {
        if (!e->method[i])
            continue;
        if (!(f->methods.item[f->methods.count] = strdup(methods[i])))
            return E_NO_MEMORY;
        f->methods.count++;
    }
    return 0;
}

int function_read_methods(function *f, const char *toml, problems *found, error *err)
{
    struct exports e = {0};
    int rc = f->entry ? 0 : wasm_exports_of_file(f->path, take_export, &e, NULL);

    /* What is wrong with the file is told when its code is loaded. */
    if (rc == E_NO_MEMORY)
        return error_set(err, rc, "out of memory for a function");
    if (rc || !e.any_method)
        return 0;
    f->by_method = true;
    f->has_head = e.method[5];
    f->only_requests = !e.handle && !e.method[1];
    if (!f->methods.given)
        return list_exported(f, &e) ? error_set(err, E_NO_MEMORY, "out of memory for a function")
                                    : 0;
    for (size_t i = 0; i < f->methods.count; i++) {
        if (!has_export(&e, f->methods.item[i]))
            problems_add(
                found, toml, f->methods.line[i],
                "functions.\"%s\".methods: %s exports no function %s, as it does for other "
                "methods",
                f->name, f->source, f->methods.item[i]);
    }
    return 0;
}

static bool lists(const function *f, const char *method)
{
    for (size_t i = 0; i < f->methods.count; i++) {
        if (strcmp(f->methods.item[i], method) == 0)
            return true;
    }
    return false;
}

bool function_takes(const function *f, slice method)
{
    if (!f->methods.given)
        return true;
    for (size_t i = 0; i < f->methods.count; i++) {
        if (slice_equal_str(method, f->methods.item[i]))
            return true;
    }
    /* Whoever takes GET takes HEAD, which is GET without a body. */
    return slice_equal_str(method, "HEAD") && lists(f, "GET");
}

const char *function_export(const function *f, slice method)
{
    if (!f->by_method || method.len == 0)
        return f->export;
    if (slice_equal_str(method, "HEAD") && !f->has_head)
        return "GET";
    for (size_t i = 0; i < f->methods.count; i++) {
        if (slice_equal_str(method, f->methods.item[i]))
            return f->methods.item[i];
    }
    return f->export;
}

int function_put_allow(const function *f, buf *out)
{
    int rc = 0;

    for (size_t i = 0; i < f->methods.count && rc == 0; i++) {
        rc = buf_append_str(out, i > 0 ? ", " : "");
        rc = rc ? rc : buf_append_str(out, f->methods.item[i]);
        if (rc == 0 && strcmp(f->methods.item[i], "GET") == 0 && !lists(f, "HEAD"))
            rc = buf_append_str(out, ", HEAD");
    }
    return rc || lists(f, "OPTIONS") ? rc : buf_append_str(out, ", OPTIONS");
}
