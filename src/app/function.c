#include "app/function.h"

#include "app/context.h"
#include "app/limits.h"
#include "app/runtimes.h"
#include "base/file.h"
#include "base/json.h"
#include "extism/log.h"

#include <stdlib.h>
#include <string.h>

#define PAGE (64UL * 1024)

static int put_config(buf *out, const strmap *config_map)
{
    int rc = buf_append_str(out, ",\"config\":{");

    for (size_t i = 0; i < config_map->count && rc == 0; i++) {
        const strmap_entry *e = &config_map->entry[i];

        if (i > 0)
            rc = buf_append_byte(out, ',');
        rc = rc ? rc : json_put_string(out, slice_of(e->key, e->key_len));
        rc = rc ? rc : buf_append_byte(out, ':');
        rc = rc ? rc : json_put_string(out, slice_of(e->value, e->value_len));
    }
    return rc ? rc : buf_append_byte(out, '}');
}

/* Plain lines of Extism's log_* functions, which end up among those of ubiq_log. */
static void write_log(void *host_context, enum log_level level, slice text)
{
    static const enum context_log_level as[] = {CONTEXT_TRACE, CONTEXT_ERROR, CONTEXT_WARN,
                                                CONTEXT_INFO, CONTEXT_DEBUG, CONTEXT_TRACE};

    (void)context_write_log(host_context, as[level], text, slice_of(NULL, 0));
}

/* What the function's context says of a request to another server. */
static int check_http(void *host_context, const http_target *target, error *err)
{
    context *c = host_context;
    int rc = http_grant_check(&c->http, target, err);

    if (rc == E_DENIED)
        context_log(c, CONTEXT_WARN, "denied: %s", error_text(err));
    return rc;
}

/* The manifest that gives the code no more than the project allows it. */
static int put_manifest(buf *out, const function *f, slice code)
{
    int rc = buf_printf(out,
                        "{\"wasm\":[{\"data\":{\"ptr\":%zu,\"len\":%zu}}],"
                        "\"memory\":{\"max_pages\":%zu,\"max_http_response_bytes\":%zu}",
                        (size_t)(uintptr_t)code.data, code.len,
                        (size_t)(f->limits.memory_bytes / PAGE),
                        (size_t)f->limits.http_response_bytes);

    if (rc == 0 && f->config.count > 0)
        rc = put_config(out, &f->config);
    return rc ? rc : buf_append_byte(out, '}');
}

static int check_binary(slice code, error *err)
{
    static const uint8_t magic[4] = {0, 'a', 's', 'm'};

    if (code.len >= sizeof magic && memcmp(code.data, magic, sizeof magic) == 0)
        return 0;
    return error_set(err, E_INVALID, "not a WebAssembly module in the binary format");
}

/* What is no request goes to these, where the methods have exports of their own. */
static const char *const others[] = {"handle", "POST"};

/* For each method there must be something that can be called. */
static int choose_exports(function *f, compiled_plugin *code, error *err)
{
    for (size_t i = 0; i < f->methods.count; i++) {
        const char *name = function_export(f, slice_str(f->methods.item[i]));

        if (compiled_plugin_entry(code, name) != name)
            return error_set(err, E_INVALID, "it has no function \"%s\" that can be called", name);
    }
    for (size_t i = 0; i < 2 && !f->export; i++) {
        if (compiled_plugin_entry(code, others[i]) == others[i])
            f->export = others[i];
    }
    return 0;
}

static int choose_export(const function *f, compiled_plugin *code, const char **out, error *err)
{
    const char *found = compiled_plugin_entry(code, f->entry ? f->entry : "handle");

    if (f->entry && (!found || strcmp(found, f->entry) != 0))
        return error_set(err, E_INVALID, "it has no function \"%s\" that can be called", f->entry);
    if (!found)
        return error_set(err, E_INVALID,
                         "it exports neither \"handle\" nor a single function: name one as entry "
                         "in [functions.\"%s\"] of ubiq.toml",
                         f->name);
    *out = found;
    return 0;
}

static bool exports_it(compiled_plugin *code, const char *name)
{
    const char *found = compiled_plugin_entry(code, name);

    return found && strcmp(found, name) == 0;
}

static int choose_steps(function *f, compiled_plugin *code, error *err)
{
    f->has_before = exports_it(code, "before");
    f->has_after = exports_it(code, "after");
    if (f->has_before || f->has_after)
        return 0;
    return error_set(err, E_INVALID, "middleware exports \"before\", \"after\" or both, and it exports "
                                     "neither");
}

static int compile(const function *f, const function_options *o, compiled_plugin **out, error *err)
{
    compiled_options options = {
        .functions = (host_function **)(uintptr_t)o->functions,
        .function_count = o->function_count,
        .wasi = true,
        .http = o->http,
        .http_policy = check_http,
        .log = write_log,
        .log_most = LOG_INFO,
    };
    buf bytes, manifest;
    int rc = runtime_libraries(&options.libraries, &options.library_count, err);

    if (rc)
        return rc;

    buf_init(&bytes, LIMIT_FUNCTION_FILE_BYTES);
    buf_init(&manifest, LIMIT_CONFIG_BYTES * 6);
    rc = file_read(f->path, &bytes, err);
    if (rc == E_NOT_FOUND && f->is_built)
        error_set(err, rc, "it is not built yet: `ubiq build` does that");
    if (rc)
        goto done;
    rc = check_binary(buf_slice(&bytes), err);
    if (rc)
        goto done;
    rc = put_manifest(&manifest, f, buf_slice(&bytes));
    rc = rc ? error_set(err, rc, "out of memory while loading a function")
            : compiled_plugin_create(out, buf_slice(&manifest), &options, err);
done:
    buf_deinit(&manifest);
    buf_deinit(&bytes);
    return rc;
}

int function_load(function *f, const function_options *o, error *err)
{
    compiled_plugin *code = NULL;
    const error *problem;
    int rc = compile(f, o, &code, err);

    if (rc)
        goto done;
    problem = compiled_plugin_problem(code);
    rc = problem            ? error_set(err, problem->code, "%s", error_text(problem))
         : f->is_middleware ? choose_steps(f, code, err)
         : f->by_method     ? choose_exports(f, code, err)
                            : choose_export(f, code, &f->export, err);
    if (rc)
        goto done;
    f->code = code;
    code = NULL;
done:
    compiled_plugin_unref(code);
    atomic_store(&f->state, rc ? FUNCTION_BROKEN : FUNCTION_READY);
    return rc;
}

void function_deinit(function *f)
{
    free(f->name);
    free(f->source);
    free(f->path);
    free(f->route);
    free(f->entry);
    config_list_deinit(&f->methods);
    permissions_destroy(f->permissions);
    free(f->content_type);
    strmap_deinit(&f->config);
    compiled_plugin_unref(f->code);
}
