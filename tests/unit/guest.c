#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "extism/wasm_module.h"
#include "guest.h"

int guest_start(void **state)
{
    (void)state;
    return setenv("UBIQ_CACHE_DIR", "", 1);
}

static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS};
static struct sigaction engines[4];
static bool known;

void guest_take_signals(void)
{
    wasm_engine_t *engine;

    assert_int_equal(engine_get(ENGINE_ON_DEMAND, &engine, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        sigaction(signals[i], known ? &engines[i] : NULL, known ? NULL : &engines[i]);
    known = true;
}

slice guest_binary(const char *text)
{
    wasm_byte_vec_t binary;
    error err = {0};

    if (engine_error(&err, E_INVALID, wasmtime_wat2wasm(text, strlen(text), &binary), NULL) != 0)
        fail_msg("%s", error_text(&err));
    /* Memory of exactly this size, so that a sanitizer sees a read past its end. */
    uint8_t *copy = malloc(binary.size);
    assert_non_null(copy);
    memcpy(copy, binary.data, binary.size);
    slice s = slice_of(copy, binary.size);
    wasm_byte_vec_delete(&binary);
    return s;
}

char *guest_wat(const char *name)
{
    char path[512];
    error err = {0};
    buf text;

    snprintf(path, sizeof path, "wat/%s", name);
    buf_init(&text, 1 << 20);
    if (file_read(path, &text, &err) != 0)
        fail_msg("%s", error_text(&err));
    return buf_take_str(&text);
}

slice guest_wat_binary(const char *name)
{
    char *text = guest_wat(name);
    slice binary = guest_binary(text);

    free(text);
    return binary;
}

char *guest_base64(slice bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((bytes.len + 2) / 3 * 4 + 1), *at = text;

    assert_non_null(text);
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= i + 1 < bytes.len ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= i + 2 < bytes.len ? bytes.data[i + 2] : 0;
        for (size_t n = 0; n < 4; n++)
            *at++ = i + n <= bytes.len ? letters[group >> (18 - 6 * n) & 63] : '=';
    }
    *at = '\0';
    free((void *)(uintptr_t)bytes.data);
    return text;
}

bool guest_next_body(slice binary, size_t *at, slice *body)
{
    wasm_module m;

    assert_int_equal(wasm_module_parse(&m, binary, NULL), 0);
    wasm_reader r = wasm_reader_of(m.section[WASM_SECTION_CODE]);
    wasm_read_u32(&r);
    if (*at)
        r.at = binary.data + *at;
    if (!wasm_reader_more(&r))
        return false;
    *body = wasm_read_name(&r);
    assert_false(r.failed);
    *at = (size_t)(r.at - binary.data);
    return true;
}

static void *no_http(struct http_request *request, void (*done)(void *arg, int curl_code),
                     void *arg)
{
    (void)request, (void)done, (void)arg;
    abort();
}

static void no_cancel(void *started)
{
    (void)started;
    abort();
}

const http_driver guest_http = {.start = no_http, .cancel = no_cancel};

compiled_plugin *guest_compile_with(const char *text, const compiled_options *options)
{
    compiled_plugin *code = NULL;
    error err = {0};

    guest_take_signals();
    if (compiled_plugin_create(&code, slice_str(text), options, &err) != 0)
        fail_msg("%s", error_text(&err));
    if (compiled_plugin_problem(code))
        fail_msg("%s", error_text(compiled_plugin_problem(code)));
    return code;
}

compiled_plugin *guest_compile(const char *text)
{
    return guest_compile_with(text, &(compiled_options){0});
}

compiled_plugin *guest_compile_fibers(const char *text)
{
    return guest_compile_with(text, &(compiled_options){.http = &guest_http});
}

static char *copy_text(slice s)
{
    char *text = malloc(s.len + 1);

    assert_non_null(text);
    if (s.len)
        memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return text;
}

guest_result guest_finish(call *c)
{
    const error *err = call_error(c);
    guest_result r = {
        .code = call_code(c),
        .output = copy_text(call_output(c)),
        .output_len = call_output(c).len,
        .error = err ? copy_text(slice_str(error_text(err))) : NULL,
    };

    call_destroy(c);
    return r;
}

guest_result guest_call(compiled_plugin *code, const char *function, slice input)
{
    call_options options = {.function = function, .input = input};
    error err = {0};
    call *c;

    if (call_start(&c, code, &options, &err) != 0)
        fail_msg("%s: %s", function, error_text(&err));
    while (call_poll(c) != CALL_DONE)
        ;
    return guest_finish(c);
}

guest_result guest_plugin_call(plugin *p, const char *function, slice input)
{
    guest_result r = {.code = plugin_call(p, function, input, NULL)};
    const char *text = plugin_error(p);

    r.output = copy_text(plugin_output(p));
    r.output_len = plugin_output(p).len;
    r.error = text ? copy_text(slice_str(text)) : NULL;
    return r;
}

void guest_result_free(guest_result *r)
{
    free(r->output);
    free(r->error);
    *r = (guest_result){0};
}

void guest_gives(compiled_plugin *code, const char *function, const char *input, const char *output)
{
    guest_result r = guest_call(code, function, slice_str(input));

    if (r.code != 0 || r.error)
        fail_msg("%s: %d %s", function, r.code, r.error);
    assert_string_equal(r.output, output);
    guest_result_free(&r);
}

void guest_fails(compiled_plugin *code, const char *function, const char *input, const char *words)
{
    guest_result r = guest_call(code, function, slice_str(input));

    assert_int_not_equal(r.code, 0);
    if (!r.error || !strstr(r.error, words))
        fail_msg("%s: %s", function, r.error);
    guest_result_free(&r);
}

instance *guest_instance(compiled_plugin *code, plugin_state *state)
{
    instance *i = NULL;
    error err = {0};

    guest_take_signals();
    if (instance_acquire(&i, code, state, &err) != 0)
        fail_msg("%s", error_text(&err));
    return i;
}

int64_t guest_number(instance *i, const char *function)
{
    const struct module_export *e = module_interface_find(
        &compiled_plugin_main(instance_code(i))->interface, slice_str(function));
    wasmtime_val_raw_t raw[INSTANCE_RESULTS] = {{0}};
    error err = {0};
    wasmtime_func_t f;

    assert_non_null(e);
    assert_true(instance_find_function(i, e, &f));
    if (instance_call(i, &f, 0, 1, raw, &err) != 0)
        fail_msg("%s: %s", function, error_text(&err));
    return raw[0].i64;
}

static pthread_t ticker;
static atomic_bool ticking;

static void *tick(void *unused)
{
    (void)unused;
    while (atomic_load(&ticking)) {
        engine_tick();
        usleep(1000);
    }
    return NULL;
}

void guest_start_ticks(void)
{
    atomic_store(&ticking, true);
    assert_int_equal(pthread_create(&ticker, NULL, tick, NULL), 0);
}

void guest_stop_ticks(void)
{
    atomic_store(&ticking, false);
    assert_int_equal(pthread_join(ticker, NULL), 0);
}

char *guest_directory(void)
{
    char *path = strdup("/tmp/ubiq-test-XXXXXX");

    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

void guest_remove_directory(char *path)
{
    char *command;

    assert_true(asprintf(&command, "chmod -R u+rwx '%s'; rm -rf '%s'", path, path) > 0);
    assert_int_equal(system(command), 0);
    free(command);
    free(path);
}

void guest_in_child(void (*run)(void *arg), void *arg)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        /* cmocka would go on with the tests where one of these comes. */
        for (size_t i = 0; i < 4; i++)
            sigaction(signals[i], known ? &engines[i] : &(struct sigaction){.sa_handler = SIG_DFL},
                      NULL);
        run(arg);
        fflush(stderr);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        fail_msg("the child ended with status %x", (unsigned)status);
}

void guest_require_at(bool holds, const char *text, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    _exit(1);
}
