#ifndef UBIQ_APP_FUNCTION_H
#define UBIQ_APP_FUNCTION_H

#include "app/config.h"
#include "app/permissions.h"
#include "base/buf.h"
#include "extism/compiled_plugin.h"

#include <stdatomic.h>

enum function_state {
    FUNCTION_LISTED, /* its code has not been looked at yet */
    FUNCTION_READY,
    FUNCTION_BROKEN /* its code cannot be used; the log says why */
};

/* One function of a project. All but the atomic ones, and what `state` publishes, is constant once
 * the project is open. */
typedef struct function {
    char *name;          /* "users/list": the path under functions/ without its ending */
    char *source;        /* its file as the author knows it: "shop/functions/users/list.c" */
    char *path;          /* of its WebAssembly, symbolic links resolved */
    char *route;         /* "/users/:id", or NULL */
    char *entry;         /* the export that ubiq.toml names, or NULL */
    config_list methods; /* those it takes; all when none are given */
    bool by_method;      /* each method has an export of its own, named as it is, */
    bool has_head;       /* HEAD too: else GET's is called */
    bool only_requests;  /* and there is none for events and other functions */
    bool is_middleware;
    bool is_built;       /* by `ubiq build`, from `source` */
    char *content_type;  /* of its output, or NULL: what it looks like */
    strmap config;       /* what its config_get reads */
    config_limits limits;
    permissions *permissions; /* NULL: none */
    bool reuse;               /* its instances are not restored between calls */
    size_t index;             /* among the project's functions */
    unsigned wall_kind;       /* of limits.wall_ms among app_wall_times */
    atomic_int state;      /* of enum function_state; changes once, by function_load */
    compiled_plugin *code; /* once it is FUNCTION_READY, */
    const char *export;    /* and what to call in it, where no method says so; NULL: nothing; */
    bool has_before;       /* of middleware: which of "before" and "after" it exports */
    bool has_after;
    atomic_bool is_long;   /* its last call took more than one turn; for whoever schedules */
} function;

/* What holds for the code of all functions. */
typedef struct function_options {
    const http_driver *http;
    host_function *const *functions; /* of the host, for them to import */
    size_t function_count;
} function_options;

/* Reads and compiles the function's code, or takes it from the cache, and publishes it. Once for
 * each function; any thread. E_INVALID, E_IO and others: the function is FUNCTION_BROKEN then. */
int function_load(function *f, const function_options *options, error *err) MUST_CHECK;

/* Where it stands; what it publishes may be read after. */
static inline enum function_state function_state_of(const function *f)
{
    return (enum function_state)atomic_load_explicit(&f->state, memory_order_acquire);
}

/* Looks which methods have an export in the function's file, unless ubiq.toml names an entry. Those
 * that ubiq.toml (the file `toml`) lists and that have none are added to `found`; where there is no
 * module nothing happens. Before the first call. E_NO_MEMORY. */
int function_read_methods(function *f, const char *toml, problems *found, error *err) MUST_CHECK;

/* Whether it takes requests with this method. */
bool function_takes(const function *f, slice method);

/* What to call for a request with a method that it takes, or for an event (with an empty one). NULL
 * when there is nothing. Once it is FUNCTION_READY. */
const char *function_export(const function *f, slice method);

/* Appends the methods that a client may use: "GET, HEAD, OPTIONS". As buf_append. */
int function_put_allow(const function *f, buf *out) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void function_deinit(function *f);

#endif
