#include "rows.h"

#include "app/runtimes.h"
#include "base/file.h"
#include "build/javascript.h"
#include "fail.h"
#include "platform.h"

#include <stdio.h>

static const char hello[] = "export default function (input) {\n  return 'hello ' + input;\n}\n";

static void build(buf *out, bool portable)
{
    const javascript_source source = {
        .file = "hello.js", .text = slice_str(hello), .portable = portable};
    javascript_problem problem;
    error err = {0};

    if (javascript_build(out, &source, &problem, &err) != 0)
        fail("%s", error_text(&err));
}

static void run_call(void *arg)
{
    enum call_status status;
    call *c = platform_call(arg, "handle", slice_str("you"), &status);

    if (status != CALL_DONE || call_output(c).len == 0)
        fail("a function in JavaScript gives nothing");
    call_destroy(c);
}

static void run_build(void *arg)
{
    buf *module = arg;

    buf_clear(module);
    build(module, false);
}

static bool answer_at_once(struct instance *caller, const ExtismVal *inputs, size_t n_inputs,
                           host_wait *wait, void *user_data)
{
    (void)caller, (void)inputs, (void)n_inputs, (void)user_data;
    wait->outputs[0].v.i64 = 0;
    return true;
}

void rows_javascript(const char *directory, bool quick)
{
    const plan p = {
        .batch_ms = 5, .budget_ms = quick ? 1000 : 5000, .min_turns = 20, .max_turns = 128};
    const plan slow = {
        .batch_ms = 20, .budget_ms = quick ? 500 : 2000, .min_turns = 10, .max_turns = 100};
    char path[4096];
    error err = {0};
    buf c, js, module;

    buf_init(&c, SIZE_MAX);
    buf_init(&js, SIZE_MAX);
    buf_init(&module, SIZE_MAX);
    snprintf(path, sizeof path, "%s/bench_small.wasm", directory);
    if (file_read(path, &c, &err) != 0)
        fail("%s", error_text(&err));
    build(&js, true);
    const subject calls[] = {
        {"C", run_call, platform_compile(buf_slice(&c), true, "unused", answer_at_once)},
        {"JavaScript", run_call, platform_compile(buf_slice(&js), true, "unused", answer_at_once)},
    };
    measure((label){"fresh call", "JavaScript hello", 0}, calls, 2, p);
    const subject builds[] = {{"JavaScript", run_build, &module}};
    measure((label){"source to module", "JavaScript hello", 0}, builds, 1, slow);
    const double size = (double)module.len;
    measure_emit((label){"module", "JavaScript hello", 0}, "JavaScript", "bytes", &size, 1);
    buf_deinit(&c);
    buf_deinit(&js);
    buf_deinit(&module);
}
