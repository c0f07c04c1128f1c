#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "embed_case.h"
#include "guest.h"

#define ENV(name, type) "(import \"extism:host/env\" \"" #name "\" (func $" #name " " type "))"
#define USER(name, type) "(import \"extism:host/user\" \"" #name "\" (func $" #name " " type "))"
#define INPUT ENV(input_offset, "(result i64)") ENV(input_length, "(result i64)")
#define OUTPUT ENV(output_set, "(param i64 i64)")
#define HANDLE(body) "(func (export \"handle\") (result i32) " body ")"

/* A block with one letter in it. */
#define LETTER                                                                                     \
    ENV(alloc, "(param i64) (result i64)")                                                         \
    ENV(store_u8, "(param i64 i32)")

static const struct {
    const char *name;
    const char *text;
} functions[] = {
    {"echo", "(module " INPUT OUTPUT HANDLE(
                 "(call $output_set (call $input_offset) (call $input_length)) (i32.const 0)") ")"},
    {"loop", "(module " HANDLE("(loop $again (br $again)) (unreachable)") ")"},
    {"trap", "(module " HANDLE("(unreachable)") ")"},
    {"says", "(module " INPUT ENV(error_set, "(param i64)")
                 HANDLE("(call $error_set (call $input_offset)) (i32.const 1)") ")"},
    {"prints", "(module " INPUT ENV(log_info, "(param i64)")
                   HANDLE("(call $log_info (call $input_offset)) (i32.const 0)") ")"},
    {"count", "(module " LETTER OUTPUT ENV(length, "(param i64) (result i64)")
                  USER(ubiq_kv_increment, "(param i64 i64) (result i64)") HANDLE(
                      "(local $at i64)"
                      "(local.set $at (call $alloc (i64.const 1)))"
                      "(call $store_u8 (local.get $at) (i32.const 110))"
                      "(local.set $at (call $ubiq_kv_increment (local.get $at) (i64.const 1)))"
                      "(if (i64.lt_s (local.get $at) (i64.const 0)) (then (return (i32.const 7))))"
                      "(call $output_set (local.get $at) (call $length (local.get $at)))"
                      "(i32.const 0)") ")"},
    {"emits", "(module " INPUT USER(ubiq_events_emit, "(param i64 i64) (result i64)")
                  HANDLE("(i64.lt_s (call $ubiq_events_emit (call $input_offset) (i64.const 0))"
                         "          (i64.const 0))") ")"},
};

void embed_make(embed_case *e, const char *toml)
{
    memset(e, 0, sizeof *e);
    pthread_mutex_init(&e->lock, NULL);
    guest_take_signals();
    project_make(&e->project);
    project_write_text(&e->project, "ubiq.toml", toml);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        slice binary = guest_binary(functions[i].text);
        char path[64];

        snprintf(path, sizeof path, "functions/%s.wasm", functions[i].name);
        project_write(&e->project, path, binary);
        free((void *)(uintptr_t)binary.data);
    }
}

static void on_log(void *user, enum ubiq_log_level level, const char *line, size_t len)
{
    static const char *const names[] = {"trace", "debug", "info", "warn", "error"};
    embed_case *e = user;
    size_t at;

    pthread_mutex_lock(&e->lock);
    at = strlen(e->log);
    snprintf(e->log + at, sizeof e->log - at, "%s|%.*s\n", names[level], (int)len, line);
    pthread_mutex_unlock(&e->lock);
}

void embed_open(embed_case *e, const ubiq_options *options)
{
    ubiq_options o = options ? *options : (ubiq_options){.size = sizeof o, .workers = 2};
    char *text = NULL;

    o.log = on_log;
    o.log_user = e;
    if (ubiq_project_open(&e->open, e->project.path, &o, &text) != 0)
        fail_msg("%s", text);
    assert_null(text);
}

void embed_end(embed_case *e)
{
    assert_int_equal(ubiq_project_free(e->open), 0);
    project_remove(&e->project, "");
    pthread_mutex_destroy(&e->lock);
}

bool embed_logged(embed_case *e, const char *words)
{
    const struct timespec poll = {.tv_nsec = 5000000};
    bool found = false;

    for (uint64_t end = embed_now_ms() + 5000; !found && embed_now_ms() < end;) {
        pthread_mutex_lock(&e->lock);
        found = strstr(e->log, words) != NULL;
        pthread_mutex_unlock(&e->lock);
        if (!found)
            nanosleep(&poll, NULL);
    }
    return found;
}

const char *embed_result(ubiq_result *r)
{
    static _Thread_local char text[1024];
    int code = ubiq_result_code(r);
    size_t len;
    const char *output = ubiq_result_output(r, &len);

    snprintf(text, sizeof text, "%d:%s", code, code ? ubiq_result_error(r) : output);
    ubiq_result_free(r);
    return text;
}

const char *embed_invoke(embed_case *e, const char *name, const char *input, uint64_t timeout_ms)
{
    ubiq_result *r;
    int code = ubiq_project_invoke(e->open, name, input, strlen(input), timeout_ms, &r);

    guest_require(code == ubiq_result_code(r));
    return embed_result(r);
}

uint64_t embed_now_ms(void)
{
    return clock_ns() / 1000000;
}
