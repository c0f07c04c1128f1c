#include "case.h"

#include <stdlib.h>
#include <unistd.h>

/* The log: log_* and get_log_level in the guest, extism_log_file, extism_log_custom with
 * extism_log_drain. A process sets it once, so each case has it fresh. */

static const char LOGS[] =
    "(data (i32.const 4096) 'tracedebuginfowarnerror')"
    "(func (export 'run')"
    "  (call $log_trace (call $put (i32.const 4096) (i32.const 5)))"
    "  (call $log_debug (call $put (i32.const 4101) (i32.const 5)))"
    "  (call $log_info (call $put (i32.const 4106) (i32.const 4)))"
    "  (call $log_warn (call $put (i32.const 4110) (i32.const 4)))"
    "  (call $log_error (call $put (i32.const 4114) (i32.const 5)))"
    "  (call $emit (i64.extend_i32_s (call $get_log_level)))"
    "  (call $flush))"
    "(func (export 'bad')"
    "  (call $log_error (i64.const 12345678)) (call $echo))"
    "(func (export 'say') (call $log_error (call $input_offset)))"
    "(func (export 'taken') (local $h i64)"
    "  (local.set $h (call $put (i32.const 4096) (i32.const 5)))"
    "  (call $log_trace (local.get $h)) (call $emit (call $length (local.get $h)))"
    "  (local.set $h (call $put (i32.const 4096) (i32.const 5)))"
    "  (call $log_error (local.get $h)) (call $emit (call $length (local.get $h)))"
    "  (call $flush))";

/* The lines that guests wrote; a library's own messages are its own. */
static void observe_line(const char *line, ExtismSize len)
{
    static int n;
    char name[32];

    if (strstr(line, "extism::pdk") == NULL)
        return;
    snprintf(name, sizeof name, "line %d", ++n);
    observe_bytes(name, line, (size_t)len);
}

static void observe_level(const char *level, bool drain)
{
    ExtismPlugin *p;

    observe_bool("set", extism.log_custom(level));
    p = plugin_open(guest(LOGS));
    observe_call_numbers(p, "call", "run", "");
    observe_call_numbers(p, "taken", "taken", "");
    if (drain)
        extism.log_drain(observe_line);
    observe_call(p, "bad handle", "bad", "went on");
    extism.plugin_free(p);
}

static void off(void)
{
    ExtismPlugin *p = plugin_open(guest(LOGS));

    observe_call_numbers(p, "call", "run", "");
    observe_call_numbers(p, "taken", "taken", "");
    observe_call(p, "bad handle", "bad", "went on");
    extism.log_drain(observe_line);
    extism.plugin_free(p);
}

static void error(void)
{
    observe_level("error", true);
}

static void warn(void)
{
    observe_level("warn", true);
}

static void info(void)
{
    observe_level("info", true);
}

static void debug(void)
{
    observe_level("debug", true);
}

static void trace(void)
{
    observe_level("trace", true);
}

static void upper_case(void)
{
    observe_level("INFO", true);
}

static void by_number(void)
{
    observe_level("3", true);
}

static void null_level(void)
{
    observe_level(NULL, true);
}

static void empty_level(void)
{
    observe_level("", true);
}

static void level_off(void)
{
    observe_level("off", true);
}

static void unknown_level(void)
{
    observe_level("loud", true);
}

static void filter(void)
{
    observe_level("extism=warn", true);
}

static void filter_of_a_module(void)
{
    observe_level("extism::pdk=debug", true);
}

static void filter_of_others(void)
{
    observe_level("wasmtime=trace,cranelift=debug", true);
}

static void filter_list(void)
{
    observe_level("error,extism=info,cranelift=trace", true);
}

static void filter_not_a_level(void)
{
    observe_level("extism=loud", true);
}

static void filter_broken(void)
{
    observe_level("=,,==", true);
}

static void level_not_utf8(void)
{
    observe_bool("custom", extism.log_custom("\xff"));
    observe_bool("file, level", extism.log_file("log.txt", "\xff"));
    observe_bool("file, name", extism.log_file("\xff", "info"));
    observe_bool("file", extism.log_file("log.txt", "info"));
}

static void set_twice(void)
{
    ExtismPlugin *p;

    observe_bool("first", extism.log_custom("info"));
    observe_bool("second", extism.log_custom("trace"));
    observe_bool("file", extism.log_file("log.txt", "trace"));
    p = plugin_open(guest(LOGS));
    observe_call_numbers(p, "call", "run", "");
    extism.plugin_free(p);
    observe_text("file", read_file("log.txt", NULL));
}

static void drain_empties(void)
{
    ExtismPlugin *p;

    extism.log_drain(observe_line);
    extism.log_custom("info");
    extism.log_drain(observe_line);
    p = plugin_open(guest(LOGS));
    observe_call_numbers(p, "call", "run", "");
    extism.log_drain(observe_line);
    extism.log_drain(observe_line);
    observe_call_numbers(p, "call", "run", "");
    extism.log_drain(observe_line);
    extism.plugin_free(p);
}

static void odd_texts(void)
{
    ExtismPlugin *p;

    extism.log_custom("info");
    p = plugin_open(guest(LOGS));
    observe_call(p, "lines", "say", "two\nlines");
    observe_call(p, "empty", "say", "");
    observe_call(p, "utf-8", "say", "Grüße");
    observe_call(p, "quotes", "say", "\"quoted\" {braced} %s");
    observe_call(p, "escape", "say", "\x1b[31mred\x1b[0m \t tab");
    observe_call_bytes(p, "nul", "say", "a\0b", 3);
    observe_call_bytes(p, "bad", "say", "a\xff", 2);
    observe_call(p, "after", "say", "after");
    extism.log_drain(observe_line);
    extism.plugin_free(p);
}

static int long_lines;

static void count_long_line(const char *line, ExtismSize len)
{
    if (strstr(line, "extism::pdk") != NULL && len == strlen(line) && len > 100000)
        long_lines++;
}

static void long_line(void)
{
    char *text = malloc(100001);
    ExtismPlugin *p;

    memset(text, 'x', 100000);
    text[100000] = '\0';
    extism.log_custom("info");
    p = plugin_open(guest(LOGS));
    observe_call(p, "call", "say", text);
    extism.log_drain(count_long_line);
    observe_int("lines", long_lines);
    extism.plugin_free(p);
}

static int lines;

static void count_line(const char *line, ExtismSize len)
{
    if (strstr(line, "extism::pdk") != NULL && len == strlen(line))
        lines++;
}

static void many_lines(void)
{
    ExtismPlugin *p;

    extism.log_custom("error");
    p = plugin_open(guest(LOGS));
    for (int i = 0; i < 3000; i++)
        extism.plugin_call(p, "say", (const uint8_t *)"one line", 8);
    extism.log_drain(count_line);
    observe_int("lines", lines);
    extism.plugin_free(p);
}

/* Only what guests wrote, each line by itself. */
static void observe_file(const char *path)
{
    char *text = read_file(path, NULL);
    int n = 0;

    observe_bool("file", text != NULL);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strstr(line, "extism::pdk") != NULL)
            observe_text(quoted_format("line %d", ++n), line);
}

static void to_a_file(void)
{
    ExtismPlugin *p;

    observe_bool("set", extism.log_file("log.txt", "info"));
    p = plugin_open(guest(LOGS));
    observe_call_numbers(p, "call", "run", "");
    observe_file("log.txt");
    extism.plugin_free(p);
}

static void to_a_file_that_is_there(void)
{
    ExtismPlugin *p;

    write_file("log.txt", "extism::pdk before\n", 19);
    observe_bool("set", extism.log_file("log.txt", NULL));
    p = plugin_open(guest(LOGS));
    observe_call_numbers(p, "call", "run", "");
    observe_file("log.txt");
    extism.plugin_free(p);
}

static void to_nowhere(void)
{
    observe_bool("set", extism.log_file("none/log.txt", "info"));
}

static void to_standard(const char *name, int fd)
{
    ExtismPlugin *p;

    if (freopen("captured", "w", fd == STDOUT_FILENO ? stdout : stderr) == NULL)
        abort();
    observe_bool("set", extism.log_file(name, "warn"));
    p = plugin_open(guest(LOGS));
    observe_call_numbers(p, "call", "run", "");
    observe_file("captured");
    extism.plugin_free(p);
}

static void to_stderr(void)
{
    to_standard("stderr", STDERR_FILENO);
}

static void to_dash(void)
{
    to_standard("-", STDERR_FILENO);
}

static void to_null(void)
{
    to_standard(NULL, STDERR_FILENO);
}

static void to_stdout(void)
{
    to_standard("stdout", STDOUT_FILENO);
}

static const test_case cases[] = {
    {"off", off},
    {"error", error},
    {"warn", warn},
    {"info", info},
    {"debug", debug},
    {"trace", trace},
    {"upper_case", upper_case},
    {"by_number", by_number},
    {"null_level", null_level},
    {"empty_level", empty_level},
    {"level_off", level_off},
    {"unknown_level", unknown_level},
    {"filter", filter},
    {"filter_of_a_module", filter_of_a_module},
    {"filter_of_others", filter_of_others},
    {"filter_list", filter_list},
    {"filter_not_a_level", filter_not_a_level},
    {"filter_broken", filter_broken},
    {"level_not_utf8", level_not_utf8},
    {"set_twice", set_twice},
    {"drain_empties", drain_empties},
    {"odd_texts", odd_texts},
    {"long_line", long_line},
    {"many_lines", many_lines},
    {"to_a_file", to_a_file},
    {"to_a_file_that_is_there", to_a_file_that_is_there},
    {"to_nowhere", to_nowhere},
    {"to_stderr", to_stderr},
    {"to_dash", to_dash},
    {"to_null", to_null},
    {"to_stdout", to_stdout},
    {NULL, NULL},
};

const case_group log_cases = {"log", cases, true};
