#include "case.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void give_up(const char *what)
{
    perror(what);
    _exit(98);
}

char *quoted(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        give_up("memory");
    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

char *quoted_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        give_up("memory");
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    return text;
}

ExtismPlugin *plugin_open_with(const char *label, const void *data, size_t len,
                               const ExtismFunction **functions, size_t count, bool wasi)
{
    char *err = NULL;
    ExtismPlugin *p = extism.plugin_new(data, len, functions, count, wasi, &err);

    if (p == NULL) {
        observe_text(label, err);
        extism.plugin_new_error_free(err);
    }
    return p;
}

static ExtismPlugin *open_text(const char *text, bool wasi)
{
    char *t = quoted(text);
    ExtismPlugin *p = plugin_open_with("new", t, strlen(t), NULL, 0, wasi);

    free(t);
    return p;
}

ExtismPlugin *plugin_open(const char *text)
{
    return open_text(text, false);
}

ExtismPlugin *plugin_open_wasi(const char *text)
{
    return open_text(text, true);
}

void observe_open_bytes(const char *label, const void *data, size_t len, bool wasi)
{
    ExtismPlugin *p = plugin_open_with(label, data, len, NULL, 0, wasi);

    if (p != NULL)
        observe_text(label, "opened");
    extism.plugin_free(p);
}

void observe_open(const char *label, const char *text)
{
    char *t = quoted(text);

    observe_open_bytes(label, t, strlen(t), false);
    free(t);
}

bool case_owns_log;

static char logged[64 * 1024];

static void keep_logged_error(const char *line, ExtismSize len)
{
    static const char mark[] = " encountered an error: ";
    const char *text = memmem(line, len, mark, sizeof mark - 1);
    const char *end;

    if (text == NULL)
        return;
    text += sizeof mark - 1;
    end = strstr(text, " plugin=");
    if (end == NULL)
        end = line + len;
    snprintf(logged, sizeof logged, "%.*s", (int)(end - text), text);
}

static void forget_line(const char *line, ExtismSize len)
{
    (void)line;
    (void)len;
}

static void forget_logged_lines(void)
{
    if (!case_owns_log)
        extism.log_drain(forget_line);
}

static void observe_logged_error(const char *name)
{
    if (case_owns_log)
        return;
    logged[0] = '\0';
    extism.log_drain(keep_logged_error);
    if (logged[0] != '\0')
        observe_text(name, logged);
}

/* A length no guest can mean is observed and not followed. */
enum { SANE_OUTPUT = 1 << 30 };

void observe_result(ExtismPlugin *p, const char *label, int rc, bool numbers)
{
    uint64_t len = extism.plugin_output_length(p);
    char name[128];

    snprintf(name, sizeof name, "%s rc", label);
    observe_int(name, rc);
    snprintf(name, sizeof name, "%s error", label);
    observe_text(name, extism.plugin_error(p));
    snprintf(name, sizeof name, "%s logged", label);
    observe_logged_error(name);
    snprintf(name, sizeof name, "%s output", label);
    if (len > SANE_OUTPUT)
        observe_int(name, (int64_t)len);
    else if (len == 0)
        observe_text(name, "");
    else if (numbers)
        observe_numbers(name, extism.plugin_output_data(p), (size_t)len);
    else
        observe_bytes(name, extism.plugin_output_data(p), (size_t)len);
}

int observe_call_bytes(ExtismPlugin *p, const char *label, const char *function, const void *data,
                       size_t len)
{
    int rc;

    if (p == NULL)
        return -1;
    forget_logged_lines();
    rc = extism.plugin_call(p, function, data, len);
    observe_result(p, label, rc, false);
    return rc;
}

int observe_call(ExtismPlugin *p, const char *label, const char *function, const char *input)
{
    return observe_call_bytes(p, label, function, input, strlen(input));
}

int observe_call_numbers(ExtismPlugin *p, const char *label, const char *function,
                         const char *input)
{
    int rc;

    if (p == NULL)
        return -1;
    forget_logged_lines();
    rc = extism.plugin_call(p, function, (const uint8_t *)input, strlen(input));
    observe_result(p, label, rc, true);
    return rc;
}

void observe_once(const char *text, const char *function)
{
    ExtismPlugin *p = plugin_open(text);

    observe_call(p, "call", function, "");
    extism.plugin_free(p);
}

void observe_once_numbers(const char *text, const char *function)
{
    ExtismPlugin *p = plugin_open(text);

    observe_call_numbers(p, "call", function, "");
    extism.plugin_free(p);
}

void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0)
        give_up(path);
}

void write_text(const char *path, const char *text)
{
    char *t = quoted(text);

    write_file(path, t, strlen(t));
    free(t);
}

char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *data = NULL;
    size_t size = 0;
    FILE *copy;
    int c;

    if (f == NULL)
        return NULL;
    if ((copy = open_memstream(&data, &size)) == NULL)
        give_up("memory");
    while ((c = getc(f)) != EOF)
        putc(c, copy);
    fclose(copy);
    fclose(f);
    if (len != NULL)
        *len = size;
    return data;
}

char *built_plugin(const char *name, size_t *len)
{
    const char *dir = getenv("CONFORMANCE_PLUGINS");
    char path[4096];
    char *data = NULL;

    if (dir != NULL) {
        snprintf(path, sizeof path, "%s/%s.wasm", dir, name);
        data = read_file(path, len);
    }
    if (data == NULL)
        observe_text("absent", name);
    return data;
}

double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void sleep_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

void alarm_after(unsigned seconds)
{
    alarm(seconds);
}

const char GUEST_PRELUDE[] =
    "(module"
    " (import 'extism:host/env' 'alloc' (func $alloc (param i64) (result i64)))"
    " (import 'extism:host/env' 'free' (func $free (param i64)))"
    " (import 'extism:host/env' 'length' (func $length (param i64) (result i64)))"
    " (import 'extism:host/env' 'length_unsafe' (func $length_unsafe (param i64) (result i64)))"
    " (import 'extism:host/env' 'load_u8' (func $load_u8 (param i64) (result i32)))"
    " (import 'extism:host/env' 'load_u64' (func $load_u64 (param i64) (result i64)))"
    " (import 'extism:host/env' 'store_u8' (func $store_u8 (param i64 i32)))"
    " (import 'extism:host/env' 'store_u64' (func $store_u64 (param i64 i64)))"
    " (import 'extism:host/env' 'input_length' (func $input_length (result i64)))"
    " (import 'extism:host/env' 'input_offset' (func $input_offset (result i64)))"
    " (import 'extism:host/env' 'input_load_u8' (func $input_load_u8 (param i64) (result i32)))"
    " (import 'extism:host/env' 'input_load_u64' (func $input_load_u64 (param i64) (result i64)))"
    " (import 'extism:host/env' 'input_set' (func $input_set (param i64 i64)))"
    " (import 'extism:host/env' 'output_set' (func $output_set (param i64 i64)))"
    " (import 'extism:host/env' 'output_offset' (func $output_offset (result i64)))"
    " (import 'extism:host/env' 'output_length' (func $output_length (result i64)))"
    " (import 'extism:host/env' 'error_set' (func $error_set (param i64)))"
    " (import 'extism:host/env' 'error_get' (func $error_get (result i64)))"
    " (import 'extism:host/env' 'reset' (func $reset))"
    " (import 'extism:host/env' 'memory_bytes' (func $memory_bytes (result i64)))"
    " (import 'extism:host/env' 'config_get' (func $config_get (param i64) (result i64)))"
    " (import 'extism:host/env' 'var_get' (func $var_get (param i64) (result i64)))"
    " (import 'extism:host/env' 'var_set' (func $var_set (param i64 i64)))"
    " (import 'extism:host/env' 'http_request' (func $http_request (param i64 i64) (result i64)))"
    " (import 'extism:host/env' 'http_status_code' (func $http_status_code (result i32)))"
    " (import 'extism:host/env' 'http_headers' (func $http_headers (result i64)))"
    " (import 'extism:host/env' 'log_trace' (func $log_trace (param i64)))"
    " (import 'extism:host/env' 'log_debug' (func $log_debug (param i64)))"
    " (import 'extism:host/env' 'log_info' (func $log_info (param i64)))"
    " (import 'extism:host/env' 'log_warn' (func $log_warn (param i64)))"
    " (import 'extism:host/env' 'log_error' (func $log_error (param i64)))"
    " (import 'extism:host/env' 'get_log_level' (func $get_log_level (result i32)))"
    " (memory (export 'memory') 4)"
    " (global $list (mut i32) (i32.const 0x8000))"
    " (func $put (param $a i32) (param $n i32) (result i64)"
    "   (local $h i64) (local $i i32)"
    "   (local.set $h (call $alloc (i64.extend_i32_u (local.get $n))))"
    "   (block $end (loop $next"
    "     (br_if $end (i32.ge_u (local.get $i) (local.get $n)))"
    "     (call $store_u8 (i64.add (local.get $h) (i64.extend_i32_u (local.get $i)))"
    "       (i32.load8_u (i32.add (local.get $a) (local.get $i))))"
    "     (local.set $i (i32.add (local.get $i) (i32.const 1)))"
    "     (br $next)))"
    "   (local.get $h))"
    " (func $get (param $h i64) (param $a i32)"
    "   (local $n i32) (local $i i32)"
    "   (local.set $n (i32.wrap_i64 (call $length (local.get $h))))"
    "   (block $end (loop $next"
    "     (br_if $end (i32.ge_u (local.get $i) (local.get $n)))"
    "     (i32.store8 (i32.add (local.get $a) (local.get $i))"
    "       (call $load_u8 (i64.add (local.get $h) (i64.extend_i32_u (local.get $i)))))"
    "     (local.set $i (i32.add (local.get $i) (i32.const 1)))"
    "     (br $next))))"
    " (func $say (param $a i32) (param $n i32)"
    "   (call $output_set (call $put (local.get $a) (local.get $n))"
    "     (i64.extend_i32_u (local.get $n))))"
    " (func $fail (param $a i32) (param $n i32)"
    "   (call $error_set (call $put (local.get $a) (local.get $n))))"
    " (func $emit (param $x i64)"
    "   (i64.store (global.get $list) (local.get $x))"
    "   (global.set $list (i32.add (global.get $list) (i32.const 8))))"
    " (func $flush"
    "   (call $say (i32.const 0x8000) (i32.sub (global.get $list) (i32.const 0x8000)))"
    "   (global.set $list (i32.const 0x8000)))"
    " (func $echo (call $output_set (call $input_offset) (call $input_length)))";

char *guest(const char *functions)
{
    char *text = NULL;

    if (asprintf(&text, "%s\n%s)", GUEST_PRELUDE, functions) < 0)
        give_up("memory");
    return text;
}
