#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/app.h"
#include "extism_ext.h"
#include "guest.h"
#include "jwt_signer.h"
#include "project.h"
#include "server/middleware.h"

#include <unistd.h>

/* Lets each allocation of the library fail in turn, and all from one on. What was to be done then
 * either works all the same or fails with a reason; leaks are the leak checker's to find. */

static long countdown; /* to the failure; 0: none is on its way */
static bool lasting;   /* those behind it fail too */
static bool failed;

static bool fails(void)
{
    if (countdown == 0)
        return false;
    if (countdown == 1) {
        countdown = lasting ? 1 : 0;
        failed = true;
        return true;
    }
    countdown--;
    return false;
}

/* The linker puts these in front of the C library's functions. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
int __real_vasprintf(char **out, const char *format, va_list args);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_asprintf(char **out, const char *format, ...);
int __wrap_vasprintf(char **out, const char *format, va_list args);
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...);
int __wrap___vasprintf_chk(char **out, int flag, const char *format, va_list args);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return fails() ? NULL : __real_strndup(s, n);
}

int __wrap_vasprintf(char **out, const char *format, va_list args)
{
    *out = NULL;
    return fails() ? -1 : __real_vasprintf(out, format, args);
}

int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = __wrap_vasprintf(out, format, args);
    va_end(args);
    return n;
}

int __wrap___vasprintf_chk(char **out, int flag, const char *format, va_list args)
{
    (void)flag;
    return __wrap_vasprintf(out, format, args);
}

int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
    va_list args;
    (void)flag;
    va_start(args, format);
    int n = __wrap_vasprintf(out, format, args);
    va_end(args);
    return n;
}

/* What is done: `run` makes all of it, and 0 means that everything was as it should be. */
typedef int (*scenario)(error *err);

/* Fails each allocation, until a run gets by without. */
static void torture(scenario run)
{
    error err = {0};

    /* What is made once a process is made before. */
    assert_int_equal(run(&err), 0);
    for (int mode = 0; mode < 2; mode++) {
        lasting = mode == 1;
        for (long n = 1;; n++) {
            failed = false;
            countdown = n;
            int rc = run(&err);
            countdown = 0;
            if (!failed) {
                assert_int_equal(rc, 0);
                assert_true(n > 10);
                break;
            }
            /* When nothing can be had any more, the reason's text may be lost too. */
            if (rc != 0 && !lasting && err.code != E_NO_MEMORY &&
                !strstr(error_text(&err), "out of memory"))
                fail_msg("allocation %ld: %s", n, error_text(&err));
            error_deinit(&err);
        }
    }
}

static char *single, *linked;

static const ExtismValType number[] = {ExtismValType_I64};

static void echo(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in, ExtismVal *out,
                 ExtismSize n_out, void *data)
{
    (void)p, (void)n_in, (void)n_out, (void)data;
    out[0].v.i64 = in[0].v.i64;
}

static bool echo_later(struct instance *caller, const ExtismVal *in, size_t n, host_wait *w,
                       void *data)
{
    (void)caller, (void)n, (void)data;
    w->outputs[0].v.i64 = in[0].v.i64;
    return true;
}

static int make_function(host_function **out, bool waits, error *err)
{
    int rc = host_function_create(out, "again", number, 1, number, 1, err);
    if (rc == 0 && waits)
        (*out)->start = echo_later;
    else if (rc == 0)
        (*out)->call = echo;
    return rc;
}

static int compile(compiled_plugin **out, const char *text, bool fibers, error *err)
{
    host_function *f = NULL;
    int rc = make_function(&f, fibers, err);
    compiled_options options = {
        .functions = &f, .function_count = 1, .wasi = true, .http = fibers ? &guest_http : NULL};

    *out = NULL;
    rc = rc ? rc : compiled_plugin_create(out, slice_str(text), &options, err);
    if (rc == 0 && compiled_plugin_problem(*out))
        rc = error_set(err, compiled_plugin_problem(*out)->code, "%s",
                       error_text(compiled_plugin_problem(*out)));
    host_function_unref(f);
    return rc;
}

/* A call that must give `output`; what went wrong instead is the error. */
static int call_plugin(plugin *p, const char *function, const char *input, const char *output,
                       error *err)
{
    if (plugin_call(p, function, slice_str(input), NULL) == 0 &&
        (!output || slice_equal_str(plugin_output(p), output)))
        return 0;
    const char *text = plugin_error(p);
    countdown = 0;
    return error_set(err, E_TRAP, "%s", text ? text : "nothing");
}

static int use_plugin(compiled_plugin *code, error *err)
{
    plugin *p = NULL;
    int rc = plugin_create(&p, code, err);

    if (rc == 0 && !plugin_config(p, slice_str("{\"x\": \"y\", \"config\": \"own\"}")))
        rc = error_set(err, E_NO_MEMORY, "config");
    rc = rc ? rc : call_plugin(p, "echo", "some text", "some text", err);
    rc = rc ? rc : call_plugin(p, "config", "x", "y", err);
    rc = rc ? rc : call_plugin(p, "set var", "a value", "", err);
    rc = rc ? rc : call_plugin(p, "get var", "", "a value", err);
    rc = rc ? rc : call_plugin(p, "again", "", NULL, err);
    if (rc == 0 && plugin_call(p, "fail", slice_str("a reason"), NULL) != 3)
        rc = error_set(err, E_NO_MEMORY, "%s", plugin_error(p) ? plugin_error(p) : "out of memory");
    plugin_destroy(p);
    return rc;
}

static int plugin_from_manifest(error *err)
{
    compiled_plugin *code = NULL;
    int rc = compile(&code, single, false, err);
    rc = rc ? rc : use_plugin(code, err);
    compiled_plugin_unref(code);
    return rc;
}

static int linked_modules(error *err)
{
    compiled_plugin *code = NULL;
    plugin *p = NULL;
    int rc = compile(&code, linked, false, err);
    rc = rc ? rc : plugin_create(&p, code, err);
    rc = rc ? rc : call_plugin(p, "f", "", NULL, err);
    plugin_destroy(p);
    compiled_plugin_unref(code);
    return rc;
}

static int fresh_calls(error *err)
{
    compiled_plugin *code = NULL;
    int rc = compile(&code, single, true, err);

    for (int n = 0; n < 2 && rc == 0; n++) {
        static const char *const functions[] = {"echo", "again"};
        call_options options = {.function = functions[n], .input = slice_str("text")};
        call *c;
        rc = call_start(&c, code, &options, err);
        if (rc != 0)
            break;
        while (call_poll(c) != CALL_DONE)
            ;
        countdown = call_error(c) ? 0 : countdown;
        if (call_error(c))
            rc = error_set(err, call_error(c)->code, "%s", error_text(call_error(c)));
        else if (call_code(c) != 0)
            rc = error_set(err, E_TRAP, "no error");
        call_destroy(c);
    }
    compiled_plugin_unref(code);
    return rc;
}

static void finish_echo(ExtismCurrentPlugin *p, ExtismVal *out, ExtismSize n_out, void *arg)
{
    (void)n_out, (void)arg;
    if (p)
        out[0].v.i64 = 1;
}

static void start_echo(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in,
                       ExtismPending *pending, void *data)
{
    (void)p, (void)in, (void)n_in, (void)data;
    extism_pending_finish(pending, finish_echo, NULL);
}

/* The C API has texts only: that there is one must do. */
static int told(char *message, error *err)
{
    countdown = 0;
    int rc = error_set(err, E_NO_MEMORY, "%s", message ? message : "nothing");
    extism_plugin_new_error_free(message);
    return rc;
}

/* By a thread of the library's, while this one waits. */
static int wait_for_call(const ExtismCompiledPlugin *code, const char *function, error *err)
{
    ExtismCall *c =
        extism_call_start(code, function, (const uint8_t *)"text", 4, NULL, 0, NULL, NULL);
    int rc = 0;

    if (!c)
        return told(NULL, err);
    while (!extism_call_is_done(c))
        usleep(10);
    if (extism_call_error(c))
        rc = told(NULL, err);
    else if (extism_call_code(c) != 0)
        rc = error_set(err, E_TRAP, "no error");
    extism_call_free(c);
    return rc;
}

static int calls_of_the_extension(error *err)
{
    ExtismCompiledPlugin *code = NULL;
    char *message = NULL;
    int rc = 0;

    for (int later = 0; later < 2 && rc == 0; later++) {
        ExtismFunction *f =
            later ? extism_function_new_async("again", number, 1, number, 1, start_echo, NULL, NULL)
                  : extism_function_new("again", number, 1, number, 1, echo, NULL, NULL);
        if (!f)
            return told(NULL, err);
        code = extism_compiled_plugin_new_async((const uint8_t *)single, strlen(single),
                                                (const ExtismFunction *[]){f}, 1, true, NULL,
                                                &message);
        extism_function_free(f);
        if (!code)
            return told(message, err);
        rc = wait_for_call(code, "echo", err);
        rc = rc ? rc : wait_for_call(code, "again", err);
        extism_compiled_plugin_free(code);
    }
    return rc;
}

/* Without slots: each plug-in needs the same on the engine that allocates on demand. */
static int more_than_slots(error *err)
{
    compiled_plugin *code = NULL;
    plugin *p[4] = {NULL};
    int rc = compile(&code, single, false, err);

    for (int i = 0; i < 4 && rc == 0; i++) {
        rc = plugin_create(&p[i], code, err);
        rc = rc ? rc : call_plugin(p[i], "echo", "x", "x", err);
    }
    for (int i = 0; i < 4; i++)
        plugin_destroy(p[i]);
    compiled_plugin_unref(code);
    return rc;
}

static int what_fails_anyhow(error *err)
{
    static const char *const bad[] = {"(module (func (export \"f\") unknown))",
                                      "{\"wasm\": []}",
                                      "{",
                                      "",
                                      "{\"wasm\": [{\"path\": \"/none/such\"}]}",
                                      "(module (import \"extism:host/env\" \"alloc\" (func)))",
                                      "(module (import \"extism:host/env\" \"none\" (func)))",
                                      "(module (func (export \"\\01x\")))"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        compiled_plugin *code = NULL;
        error own = {0};
        int rc = compile(&code, bad[i], false, &own);
        bool told = error_text(&own)[0] != '\0';
        compiled_plugin_unref(code);
        error_deinit(&own);
        if (rc == 0 || !told)
            return error_set(err, E_INTERNAL, "%s was taken", bad[i]);
    }
    return 0;
}

static char key_text[] = "a secret of more than 32 bytes, as it must be";
static char *token;

static struct function *find_audit(void *arg, slice name)
{
    static struct function audit;

    (void)arg, (void)name;
    return &audit;
}

/* An answer that says that there is no memory, at the worst. */
static int conclude(const middleware_run *r, const response *answer, error *err)
{
    if (answer->status == 503)
        return error_set(err, E_NO_MEMORY, "busy");
    if (answer->status != 200 || r->at != 0 || r->claims.len == 0 || answer->body.len == 0)
        return error_set(err, E_INTERNAL, "status %d", answer->status);
    return 0;
}

static int go_through(const middleware *m, compressor *with, error *err)
{
    char lines[400];
    middleware_run run;
    middleware_request q = {.method = slice_str("GET"),
                            .id = "id",
                            .now_ns = 1,
                            .now_s = 1,
                            .address = slice_str("addr")};
    response answer;
    enum middleware_next next;
    int rc;

    snprintf(
        lines, sizeof lines,
        "Origin: http://a.b\r\nX-Key: k\r\nAccept-Encoding: zstd\r\nAuthorization: Bearer %s\r\n",
        token);
    q.headers = slice_str(lines);
    middleware_begin(&run, m);
    response_init(&answer);
    next = middleware_before(&run, &q, &answer);
    while (next == MIDDLEWARE_CALL)
        next = middleware_resume_before(&run, &q, slice_str("{\"context\":{\"a\":[1]}}"), &answer,
                                        NULL);
    if (next == MIDDLEWARE_GO_ON)
        answer.body = slice_str("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    next = middleware_after(&run, &q, with, &answer);
    while (next == MIDDLEWARE_CALL)
        next = middleware_resume_after(
            &run, &q, with, slice_str("{\"headers\":{\"content-type\":\"a/b\",\"etag\":\"c\"}}"),
            &answer, NULL);
    rc = conclude(&run, &answer, err);
    response_deinit(&answer);
    middleware_end(&run);
    return rc;
}

static int requests_through_middleware(error *err)
{
    static char *use[] = {"request_id", "cors",    "compression", "middleware/audit",
                          "rate_limit", "api_key", "jwt"};
    static char *origins[] = {"http://*.b", "http://a.b"}, *keys[] = {"k"}, *types[] = {"a/b"};
    static char header[] = "X-Key", algorithm[] = "HS256", issuer[] = "joe", audience[] = "shop";
    static const config_list methods, used = {.item = use, .count = 7};
    const config_middleware config = {
        .cors = {.origins = {.item = origins, .count = 2}, .credentials = true},
        .rate_limit = {.requests = 10, .per_ms = 1, .burst = 10},
        .api_key = {.header = header, .keys = {.item = keys, .count = 1}},
        .jwt = {.algorithm = algorithm, .secret = key_text, .issuer = issuer, .audience = audience},
        .compression = {.types = {.item = types, .count = 1}},
    };
    middleware_set *set = NULL;
    middleware *m = NULL;
    compressor *with = NULL;
    int rc = middleware_set_create(&set, &config, ".", err);

    rc = rc ? rc
            : middleware_create(
                  &m, set,
                  &(middleware_options){
                      .use = &used, .route = "/", .methods = &methods, .find = find_audit},
                  err);
    if (rc == 0 && (rc = compressor_create(&with)) != 0)
        error_set(err, rc, "compressor");
    rc = rc ? rc : go_through(m, with, err);
    compressor_destroy(with);
    middleware_destroy(m);
    middleware_set_destroy(set);
    return rc;
}

static void test_middleware(void **state)
{
    (void)state;
    token = jwt_sign_hs256("{\"alg\":\"HS256\"}",
                           "{\"iss\":\"joe\",\"aud\":[\"x\",\"shop\"],\"exp\":2}", key_text);
    torture(requests_through_middleware);
    free(token);
}

/* One that is right, and one that is wrong in many ways. */
static project good, bad;

static int open_projects(error *err)
{
    problems found = {0};
    app *a = NULL;
    int rc = app_open(&a, good.path, ENVIRONMENT_DEVELOPMENT, err);

    app_close(a);
    a = NULL;
    rc = rc ? rc : app_inspect(&a, bad.path, ENVIRONMENT_PRODUCTION, &found, err);
    rc = rc ? rc : found.count == 9 ? 0 : error_set(err, E_INTERNAL, "%zu problems", found.count);
    app_close(a);
    problems_deinit(&found);
    return rc;
}

static void test_projects(void **state)
{
    static const char *const methods[] = {"GET", "PUT"};
    slice module = project_module(methods, 2);

    (void)state;
    project_make(&good);
    project_make(&bad);
    project_write(&good, "functions/users/[id].wasm", module);
    project_write_text(&good, "functions/jobs/one.c", "");
    project_write_text(&good, "public/docs/index.html", "");
    project_write_text(&good, ".env", "export NAME=\"a b\"\nOTHER=1\n");
    project_write_text(&good, "ubiq.toml",
                       "[project]\nname = '${NAME}'\n"
                       "[functions.'users/[id]']\nroute = '/people/[id]'\nmethods = ['GET']\n"
                       "permissions = ['kv:read:*', 'config:read:A']\nconfig = {a = 'b'}\n"
                       "[triggers]\n'@daily' = ['jobs/one']\n'a.*' = 'jobs/one'\n"
                       "[middleware]\nuse = ['cors']\n[env]\nA = 'b'\n[env.development]\nA = 'c'\n");
    project_write(&bad, "functions/a.wasm", module);
    project_write(&bad, "functions/b c.wasm", module);
    project_write_text(&bad, "functions/a.c", "");
    project_write_text(&bad, "public/a", "");
    project_write_text(&bad, "ubiq.toml",
                       "[limits]\nmemory = 1\ncpu = '1s'\n[functions.aa]\n[functions.a]\n"
                       "permissions = ['kv:reed:*']\n[triggers]\n'* *' = 'a'\n'x' = 'b'\n");
    torture(open_projects);
    project_remove(&good, "");
    project_remove(&bad, "");
    free((void *)(uintptr_t)module.data);
}

static void test_a_plugin(void **state)
{
    (void)state;
    torture(plugin_from_manifest);
}

static void test_linked_modules(void **state)
{
    (void)state;
    torture(linked_modules);
}

static void test_calls_of_the_extension(void **state)
{
    (void)state;
    if (BUILT_FOR(thread_sanitizer))
        skip(); /* what lets allocations fail knows no threads */
    torture(calls_of_the_extension);
}

static void test_fresh_calls(void **state)
{
    (void)state;
    torture(fresh_calls);
}

static void test_more_than_slots(void **state)
{
    (void)state;
    torture(more_than_slots);
}

static void test_what_fails_anyhow(void **state)
{
    (void)state;
    torture(what_fails_anyhow);
}

static int set_up(void **state)
{
    char *encoded = guest_base64(guest_wat_binary("plugin.wat"));
    char *lib =
        guest_base64(guest_binary("(module (memory (export \"m\") 1) (func (export \"g\")))"));
    char *main_module = guest_base64(
        guest_binary("(module (import \"lib\" \"m\" (memory 1)) (import \"lib\" \"g\" (func $g))"
                     "(import \"extism:host/env\" \"alloc\" (func $alloc (param i64) (result i64)))"
                     "(func (export \"f\") (drop (call $alloc (i64.const 9))) (call $g)))"));

    engine_set_instances(2, NULL);
    if (asprintf(&single,
                 "{\"wasm\": [{\"data\": \"%s\"}], \"config\": {\"a\": \"b\"}, \"allowed_hosts\":"
                 " [\"a.example\", \"*.b.example\"], \"allowed_paths\": {\"/tmp\": \"/t\"},"
                 " \"memory\": {\"max_pages\": 100}}",
                 encoded) < 0 ||
        asprintf(&linked, "{\"wasm\": [{\"name\": \"lib\", \"data\": \"%s\"}, {\"data\": \"%s\"}]}",
                 lib, main_module) < 0)
        return -1;
    free(encoded);
    free(lib);
    free(main_module);
    return guest_start(state);
}

static int tear_down(void **state)
{
    (void)state;
    free(single);
    free(linked);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plugin),          cmocka_unit_test(test_linked_modules),
        cmocka_unit_test(test_fresh_calls),       cmocka_unit_test(test_more_than_slots),
        cmocka_unit_test(test_what_fails_anyhow), cmocka_unit_test(test_middleware),
        cmocka_unit_test(test_projects),
        cmocka_unit_test(test_calls_of_the_extension),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
