#include "case.h"

#include <stdlib.h>

/* Modules that import what nobody provides, or not as it is provided. */

static void module(const char *label, const char *imports)
{
    observe_open(label, quoted_format("(module %s (func (export 'run')))", imports));
}

static void unknown_in_env(void)
{
    module("function", "(import 'extism:host/env' 'nothing' (func (param i64 i32) (result i64)))");
    module("no types", "(import 'extism:host/env' 'nothing' (func))");
    module("global", "(import 'extism:host/env' 'nothing' (global i64))");
    module("mutable global", "(import 'extism:host/env' 'nothing' (global (mut f32)))");
    module("table", "(import 'extism:host/env' 'nothing' (table 1 funcref))");
    module("memory", "(import 'extism:host/env' 'nothing' (memory 1))");
    module("empty name", "(import 'extism:host/env' '' (func))");
    module("tag", "(import 'extism:host/env' 'nothing' (tag (param i32)))");
}

static void kernel_by_kind(void)
{
    module("memory", "(import 'extism:host/env' 'memory' (memory 1))");
    module("context", "(import 'extism:host/env' 'extism_context' (global (mut externref)))");
    module("alloc as a global", "(import 'extism:host/env' 'alloc' (global i64))");
    module("alloc as a memory", "(import 'extism:host/env' 'alloc' (memory 1))");
    module("log_info as a table", "(import 'extism:host/env' 'log_info' (table 1 funcref))");
}

static void env_signatures(void)
{
    module("alloc i32", "(import 'extism:host/env' 'alloc' (func (param i32) (result i32)))");
    module("alloc nothing", "(import 'extism:host/env' 'alloc' (func))");
    module("config_get", "(import 'extism:host/env' 'config_get' (func (param i32) (result i64)))");
    module("var_set", "(import 'extism:host/env' 'var_set' (func (param i64)))");
    module("http_status_code", "(import 'extism:host/env' 'http_status_code' (func (result i64)))");
    module("log_info", "(import 'extism:host/env' 'log_info' (func (param i64) (result i32)))");
    module("reset", "(import 'extism:host/env' 'reset' (func (result i32)))");
}

static void unknown_in_user(void)
{
    module("function", "(import 'extism:host/user' 'nothing' (func (param i64)))");
    module("global", "(import 'extism:host/user' 'nothing' (global i64))");
    module("two", "(import 'extism:host/user' 'a' (func)) (import 'extism:host/user' 'b' (func))");
}

static void unknown_elsewhere(void)
{
    module("namespace", "(import 'somewhere' 'thing' (func))");
    module("env", "(import 'env' 'memory' (memory 1))");
    module("no names", "(import '' '' (func))");
    module("table", "(import 'somewhere' 'table' (table 1 funcref))");
    module("utf-8", "(import 'где-то' 'вещь' (func))");
}

static void wasi_without_wasi(void)
{
    module("fd_write", "(import 'wasi_snapshot_preview1' 'fd_write'"
                       " (func (param i32 i32 i32 i32) (result i32)))");
    module("proc_exit", "(import 'wasi_snapshot_preview1' 'proc_exit' (func (param i32)))");
}

static void with_wasi(const char *label, const char *import)
{
    char *t = quoted_format("(module %s (func (export 'run')))", import);

    observe_open_bytes(label, t, strlen(t), true);
}

static void unknown_in_wasi(void)
{
    with_wasi("known", "(import 'wasi_snapshot_preview1' 'fd_write'"
                       " (func (param i32 i32 i32 i32) (result i32)))");
    with_wasi("unknown", "(import 'wasi_snapshot_preview1' 'nothing' (func))");
    with_wasi("signature", "(import 'wasi_snapshot_preview1' 'fd_write' (func (param i64)))");
    with_wasi("unstable", "(import 'wasi_unstable' 'fd_write'"
                          " (func (param i32 i32 i32 i32) (result i32)))");
    with_wasi("global", "(import 'wasi_snapshot_preview1' 'fd_write' (global i32))");
}

/* Every function of preview 1 is there. */
static void all_of_wasi(void)
{
    static const char *const functions[] = {
        "args_get (param i32 i32) (result i32)",
        "args_sizes_get (param i32 i32) (result i32)",
        "environ_get (param i32 i32) (result i32)",
        "environ_sizes_get (param i32 i32) (result i32)",
        "clock_res_get (param i32 i32) (result i32)",
        "clock_time_get (param i32 i64 i32) (result i32)",
        "fd_advise (param i32 i64 i64 i32) (result i32)",
        "fd_allocate (param i32 i64 i64) (result i32)",
        "fd_close (param i32) (result i32)",
        "fd_datasync (param i32) (result i32)",
        "fd_fdstat_get (param i32 i32) (result i32)",
        "fd_fdstat_set_flags (param i32 i32) (result i32)",
        "fd_fdstat_set_rights (param i32 i64 i64) (result i32)",
        "fd_filestat_get (param i32 i32) (result i32)",
        "fd_filestat_set_size (param i32 i64) (result i32)",
        "fd_filestat_set_times (param i32 i64 i64 i32) (result i32)",
        "fd_pread (param i32 i32 i32 i64 i32) (result i32)",
        "fd_prestat_get (param i32 i32) (result i32)",
        "fd_prestat_dir_name (param i32 i32 i32) (result i32)",
        "fd_pwrite (param i32 i32 i32 i64 i32) (result i32)",
        "fd_read (param i32 i32 i32 i32) (result i32)",
        "fd_readdir (param i32 i32 i32 i64 i32) (result i32)",
        "fd_renumber (param i32 i32) (result i32)",
        "fd_seek (param i32 i64 i32 i32) (result i32)",
        "fd_sync (param i32) (result i32)",
        "fd_tell (param i32 i32) (result i32)",
        "fd_write (param i32 i32 i32 i32) (result i32)",
        "path_create_directory (param i32 i32 i32) (result i32)",
        "path_filestat_get (param i32 i32 i32 i32 i32) (result i32)",
        "path_filestat_set_times (param i32 i32 i32 i32 i64 i64 i32) (result i32)",
        "path_link (param i32 i32 i32 i32 i32 i32 i32) (result i32)",
        "path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)",
        "path_readlink (param i32 i32 i32 i32 i32 i32) (result i32)",
        "path_remove_directory (param i32 i32 i32) (result i32)",
        "path_rename (param i32 i32 i32 i32 i32 i32) (result i32)",
        "path_symlink (param i32 i32 i32 i32 i32) (result i32)",
        "path_unlink_file (param i32 i32 i32) (result i32)",
        "poll_oneoff (param i32 i32 i32 i32) (result i32)",
        "proc_exit (param i32)",
        "proc_raise (param i32) (result i32)",
        "random_get (param i32 i32) (result i32)",
        "sched_yield (result i32)",
        "sock_accept (param i32 i32 i32) (result i32)",
        "sock_recv (param i32 i32 i32 i32 i32 i32) (result i32)",
        "sock_send (param i32 i32 i32 i32 i32) (result i32)",
        "sock_shutdown (param i32 i32) (result i32)",
    };

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        char *name = strndup(functions[i], strcspn(functions[i], " "));

        with_wasi(name, quoted_format("(import 'wasi_snapshot_preview1' '%s' (func %s))", name,
                                      functions[i] + strlen(name)));
        free(name);
    }
}

/* What is wrong in the module that a manifest links counts as well. */
static void in_a_linked_module(void)
{
    write_text("lib.wat", "(module (import 'extism:host/env' 'nothing' (func (param i64)))"
                          "(func (export 'f')))");
    write_text("main.wat", "(module (import 'lib' 'f' (func)) (func (export 'run')))");
    observe_open("env", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    write_text("lib.wat", "(module (import 'extism:host/user' 'nothing' (func (param i64)))"
                          "(func (export 'f')))");
    observe_open("user", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
}

static const test_case cases[] = {
    {"unknown_in_env", unknown_in_env},         {"kernel_by_kind", kernel_by_kind},
    {"env_signatures", env_signatures},         {"unknown_in_user", unknown_in_user},
    {"unknown_elsewhere", unknown_elsewhere},   {"wasi_without_wasi", wasi_without_wasi},
    {"unknown_in_wasi", unknown_in_wasi},       {"all_of_wasi", all_of_wasi},
    {"in_a_linked_module", in_a_linked_module}, {NULL, NULL},
};

const case_group import_cases = {"import", cases, false};
