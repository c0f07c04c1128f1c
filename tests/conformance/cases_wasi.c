#include "case.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* WASI preview 1: what a guest finds, exit codes, standard output. */

#define WASI(name, type) "(import 'wasi_snapshot_preview1' '" name "' (func $" name " " type "))"

/* Imports must come before everything else, so this is put before the prelude's own. */
static char *wasi_guest(const char *imports, const char *functions)
{
    char *text = guest(functions);
    char *out = NULL;

    if (asprintf(&out, "(module %s %s", imports, text + strlen("(module")) < 0)
        abort();
    return out;
}

static void run(const char *imports, const char *functions)
{
    ExtismPlugin *p = plugin_open_wasi(wasi_guest(imports, functions));

    observe_call_numbers(p, "first", "run", "in");
    observe_call_numbers(p, "second", "run", "in");
    extism.plugin_free(p);
}

static void arguments(void)
{
    run(WASI("args_sizes_get", "(param i32 i32) (result i32)"),
        "(func (export 'run')"
        "  (call $emit (i64.extend_i32_u (call $args_sizes_get (i32.const 4096)"
        "    (i32.const 4100))))"
        "  (call $emit (i64.load32_u (i32.const 4096)))"
        "  (call $emit (i64.load32_u (i32.const 4100))) (call $flush))");
}

static void environment(void)
{
    setenv("SHOULD_NOT_BE_SEEN", "1", 1);
    run(WASI("environ_sizes_get", "(param i32 i32) (result i32)"),
        "(func (export 'run')"
        "  (call $emit (i64.extend_i32_u (call $environ_sizes_get (i32.const 4096)"
        "    (i32.const 4100))))"
        "  (call $emit (i64.load32_u (i32.const 4096)))"
        "  (call $emit (i64.load32_u (i32.const 4100))) (call $flush))");
}

static void clocks(void)
{
    run(WASI("clock_time_get", "(param i32 i64 i32) (result i32)")
            WASI("clock_res_get", "(param i32 i32) (result i32)"),
        "(func $one (param i32) (i64.store (i32.const 4096) (i64.const 0))"
        "  (call $emit (i64.extend_i32_u (call $clock_time_get (local.get 0) (i64.const 0)"
        "    (i32.const 4096)))))"
        "(func (export 'run')"
        "  (call $one (i32.const 0))"
        "  (call $emit (i64.extend_i32_u (i64.gt_u (i64.load (i32.const 4096))"
        "    (i64.const 1700000000000000000))))"
        "  (call $one (i32.const 1))"
        "  (call $emit (i64.extend_i32_u (call $clock_res_get (i32.const 0)"
        "    (i32.const 4096))))"
        "  (call $flush))");
}

static void unknown_clocks(void)
{
    static const char *const clocks_of[] = {"2", "3", "4", "99"};

    for (size_t i = 0; i < sizeof clocks_of / sizeof *clocks_of; i++)
        run(WASI("clock_time_get", "(param i32 i64 i32) (result i32)"),
            quoted_format("(func (export 'run') (call $emit (i64.extend_i32_u"
                          "  (call $clock_time_get (i32.const %s) (i64.const 0)"
                          "    (i32.const 4096)))) (call $flush))",
                          clocks_of[i]));
}

static void unaligned_pointer(void)
{
    run(WASI("fd_fdstat_get", "(param i32 i32) (result i32)"),
        "(func (export 'run') (call $emit (i64.extend_i32_u (call $fd_fdstat_get (i32.const 1)"
        "  (i32.const 4300)))) (call $flush))");
}

static void random_numbers(void)
{
    run(WASI("random_get", "(param i32 i32) (result i32)"),
        "(func (export 'run')"
        "  (call $emit (i64.extend_i32_u (call $random_get (i32.const 4096) (i32.const 16))))"
        "  (call $emit (i64.extend_i32_u (i64.ne (i64.load (i32.const 4096)) (i64.const 0))))"
        "  (call $emit (i64.extend_i32_u (i64.ne (i64.load (i32.const 4096))"
        "    (i64.load (i32.const 4104))))) (call $flush))");
}

static void random_out_of_bounds(void)
{
    run(WASI("random_get", "(param i32 i32) (result i32)"),
        "(func (export 'run')"
        "  (call $emit (i64.extend_i32_u (call $random_get (i32.const 262140)"
        "    (i32.const 16)))) (call $flush))");
}

static void standard_streams(void)
{
    run(WASI("fd_write", "(param i32 i32 i32 i32) (result i32)")
            WASI("fd_read", "(param i32 i32 i32 i32) (result i32)")
                WASI("fd_fdstat_get", "(param i32 i32) (result i32)")
                    WASI("fd_prestat_get", "(param i32 i32) (result i32)")
                        WASI("fd_close", "(param i32) (result i32)"),
        "(data (i32.const 4096) '\\10\\10\\00\\00\\05\\00\\00\\00')"
        "(data (i32.const 4112) 'hello')"
        "(func $w (param i32)"
        "  (call $emit (i64.extend_i32_u (call $fd_write (local.get 0) (i32.const 4096)"
        "    (i32.const 1) (i32.const 4200))))"
        "  (call $emit (i64.load32_u (i32.const 4200))))"
        "(func (export 'run')"
        "  (call $w (i32.const 1)) (call $w (i32.const 2)) (call $w (i32.const 3))"
        "  (call $w (i32.const 0))"
        "  (call $emit (i64.extend_i32_u (call $fd_read (i32.const 0) (i32.const 4096)"
        "    (i32.const 1) (i32.const 4200))))"
        "  (call $emit (i64.load32_u (i32.const 4200)))"
        "  (call $emit (i64.extend_i32_u (call $fd_fdstat_get (i32.const 1)"
        "    (i32.const 4304))))"
        "  (call $emit (i64.load8_u (i32.const 4304)))"
        "  (call $emit (i64.extend_i32_u (call $fd_prestat_get (i32.const 3)"
        "    (i32.const 4300))))"
        "  (call $emit (i64.extend_i32_u (call $fd_close (i32.const 7))))"
        "  (call $flush))");
}

static const char SAYS[] =
    "(data (i32.const 4096) '\\10\\10\\00\\00\\06\\00\\00\\00')"
    "(data (i32.const 4112) 'hello\\n')"
    "(func (export 'run') (drop (call $fd_write (i32.const 1) (i32.const 4096) (i32.const 1)"
    "  (i32.const 4200)))"
    "  (drop (call $fd_write (i32.const 2) (i32.const 4096) (i32.const 1) (i32.const 4200)))"
    "  (call $echo))";

/* What a guest writes, with the process's output in files. */
static void run_with_output(void)
{
    ExtismPlugin *p;
    int out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int err = open("err", O_RDWR | O_CREAT | O_TRUNC, 0600);

    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    p = plugin_open_wasi(
        wasi_guest(WASI("fd_write", "(param i32 i32 i32 i32) (result i32)"), SAYS));
    observe_call(p, "call", "run", "in");
    extism.plugin_free(p);
    observe_text("stdout", read_file("out", NULL));
    observe_text("stderr", read_file("err", NULL));
}

static void output_by_default(void)
{
    run_with_output();
}

static void output_enabled(void)
{
    setenv("EXTISM_ENABLE_WASI_OUTPUT", "1", 1);
    run_with_output();
}

static void output_enabled_by_an_empty_value(void)
{
    setenv("EXTISM_ENABLE_WASI_OUTPUT", "", 1);
    run_with_output();
}

static const char EXITS[] =
    "(data (i32.const 4096) 'an error')"
    "(func (export '0') (call $proc_exit (i32.const 0)))"
    "(func (export '1') (call $proc_exit (i32.const 1)))"
    "(func (export '42') (call $proc_exit (i32.const 42)))"
    "(func (export 'large') (call $proc_exit (i32.const 4096)))"
    "(func (export 'negative') (call $proc_exit (i32.const -1)))"
    "(func (export '0 after output') (call $echo) (call $proc_exit (i32.const 0)))"
    "(func (export '3 after output') (call $echo) (call $proc_exit (i32.const 3)))"
    "(func (export '0 after error') (call $fail (i32.const 4096) (i32.const 8))"
    "  (call $proc_exit (i32.const 0)))"
    "(func (export '5 after error') (call $fail (i32.const 4096) (i32.const 8))"
    "  (call $proc_exit (i32.const 5)))"
    "(func (export '0 with a result') (result i32) (call $proc_exit (i32.const 0))"
    "  (i32.const 9))"
    "(func (export 'fine') (call $echo))";

static void exit_codes(void)
{
    static const char *const names[] = {"0",
                                        "1",
                                        "42",
                                        "large",
                                        "fine",
                                        "negative",
                                        "0 after output",
                                        "3 after output",
                                        "0 after error",
                                        "5 after error",
                                        "0 with a result",
                                        "fine"};
    ExtismPlugin *p = plugin_open_wasi(wasi_guest(WASI("proc_exit", "(param i32)"), EXITS));

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        observe_call(p, names[i], names[i], "the input");
    extism.plugin_free(p);
}

static void exit_of_a_command(void)
{
    ExtismPlugin *p =
        plugin_open_wasi(wasi_guest(WASI("proc_exit", "(param i32)"),
                                    "(global $n (mut i64) (i64.const 0))"
                                    "(func (export '_start') (call $echo)"
                                    "  (global.set $n (i64.add (global.get $n) (i64.const 1)))"
                                    "  (call $proc_exit (i32.wrap_i64 (global.get $n))))"));

    observe_call(p, "first", "_start", "one");
    observe_call(p, "second", "_start", "two");
    extism.plugin_free(p);
}

static void exit_in_initialize(void)
{
    ExtismPlugin *p =
        plugin_open_wasi(wasi_guest(WASI("proc_exit", "(param i32)"),
                                    "(func (export '_initialize') (call $proc_exit (i32.const 4)))"
                                    "(func (export 'run'))"));

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void raise_signal(void)
{
    ExtismPlugin *p =
        plugin_open_wasi(wasi_guest(WASI("proc_raise", "(param i32) (result i32)"),
                                    "(func (export 'run') (call $emit (i64.extend_i32_u"
                                    "  (call $proc_raise (i32.const 6)))) (call $flush))"));

    observe_call_numbers(p, "call", "run", "");
    extism.plugin_free(p);
}

static void yield_and_sleep(void)
{
    /* A subscription: user data 7, a clock (0) of kind 1, 2 ms from now. */
    run(WASI("sched_yield", "(result i32)")
            WASI("poll_oneoff", "(param i32 i32 i32 i32) (result i32)"),
        "(data (i32.const 4096) '\\07\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00"
        "\\01\\00\\00\\00\\00\\00\\00\\00\\80\\84\\1e\\00\\00\\00\\00\\00')"
        "(func (export 'run') (call $emit (i64.extend_i32_u (call $sched_yield)))"
        "  (call $emit (i64.extend_i32_u (call $poll_oneoff (i32.const 4096) (i32.const 5000)"
        "    (i32.const 1) (i32.const 6000))))"
        "  (call $emit (i64.load32_u (i32.const 6000)))"
        "  (call $emit (i64.load (i32.const 5000)))"
        "  (call $emit (i64.load16_u (i32.const 5008)))"
        "  (call $flush))");
}

static void bad_pointers(void)
{
    run(WASI("fd_write", "(param i32 i32 i32 i32) (result i32)"),
        "(func (export 'run') (call $emit (i64.extend_i32_u (call $fd_write (i32.const 1)"
        "  (i32.const 262143) (i32.const 1) (i32.const 4200)))) (call $flush))");
}

static void bad_vector(void)
{
    run(WASI("fd_write", "(param i32 i32 i32 i32) (result i32)"),
        "(data (i32.const 4096) '\\ff\\ff\\ff\\7f\\05\\00\\00\\00')"
        "(func (export 'run') (call $emit (i64.extend_i32_u (call $fd_write (i32.const 1)"
        "  (i32.const 4096) (i32.const 1) (i32.const 4200)))) (call $flush))");
}

/* Preview 1 needs a memory that is exported as such. */
static void no_memory(void)
{
    ExtismPlugin *p = plugin_open_wasi("(module " WASI(
        "random_get", "(param i32 i32) (result i32)") "(memory 1) (func (export 'run')"
                                                      "  (drop (call $random_get (i32.const 0) "
                                                      "(i32.const 8)))))");

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"arguments", arguments},
    {"environment", environment},
    {"clocks", clocks},
    {"unknown_clocks", unknown_clocks},
    {"unaligned_pointer", unaligned_pointer},
    {"random_numbers", random_numbers},
    {"random_out_of_bounds", random_out_of_bounds},
    {"standard_streams", standard_streams},
    {"output_by_default", output_by_default},
    {"output_enabled", output_enabled},
    {"output_enabled_by_an_empty_value", output_enabled_by_an_empty_value},
    {"exit_codes", exit_codes},
    {"exit_of_a_command", exit_of_a_command},
    {"exit_in_initialize", exit_in_initialize},
    {"raise_signal", raise_signal},
    {"yield_and_sleep", yield_and_sleep},
    {"bad_pointers", bad_pointers},
    {"bad_vector", bad_vector},
    {"no_memory", no_memory},
    {NULL, NULL},
};

const case_group wasi_cases = {"wasi", cases, false};
