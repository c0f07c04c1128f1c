#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extism/call.h"
#include "extism/engine.h"
#include "extism/instance_internal.h"
#include "extism/log.h"
#include "extism/plugin.h"
#include "fuzz_guest_program.h"

/* Any arguments at all to what a guest may import: the input is a little program of calls, which
 * a guest runs (fuzz_guest_program.h). Some run in a fresh instance, some in a plug-in that is
 * kept. */

#define MAX_PAGES 40
#define RUNS_KEPT 64 /* of one plug-in */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static compiled_plugin *fibers, *plain;
static plugin *kept;
static buf fresh_kernel;

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

static void *no_http(struct http_request *request, void (*done)(void *arg, int curl_code),
                     void *arg)
{
    (void)request, (void)done, (void)arg;
    abort(); /* no host is allowed */
}

static void no_cancel(void *started)
{
    (void)started;
    abort();
}

/* The root is out of the guest's reach, so it holds together whatever was called. */
static void check_root(instance *i)
{
    kernel_memory k = instance_kernel(i);
    const struct kernel_root *r = kernel_memory_root(k);

    require(r->position >= KERNEL_HEAP && r->position <= r->dirty && r->position <= r->length);
    require(r->dirty <= k.size && r->length <= k.size && r->length % KERNEL_PAGE == 0);
    require(r->pages_left <= MAX_PAGES);
    require(r->length / KERNEL_PAGE <= 1 + MAX_PAGES);
    require(r->input_length == 0 ||
            (r->input_offset >= KERNEL_HEAP && r->input_offset + r->input_length <= k.size));
    require(r->input_words == (r->input_length < 8 ? 0 : r->input_length - 7));
    require(r->output_offset < k.size && r->error < k.size);
}

/* Nothing behind `dirty` was written: that is what is not cleared for the next user. */
static void check_rest(instance *i)
{
    static const uint8_t zeros[4096];
    kernel_memory k = instance_kernel(i);
    size_t at = (size_t)kernel_memory_root(k)->dirty;

    while (at < k.size) {
        size_t n = sizeof zeros - at % sizeof zeros;
        require(memcmp(k.base + at, zeros, n) == 0);
        at += n;
    }
}

/* Called by the guest after each of its calls. */
static void check(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in, ExtismVal *out,
                  ExtismSize n_out, void *data)
{
    (void)in, (void)n_in, (void)out, (void)n_out, (void)data;
    static unsigned count;
    check_root((instance *)p);
    if (++count % 16 == 0)
        check_rest((instance *)p);
}

static compiled_plugin *compile(const http_driver *http)
{
    compiled_plugin *code = NULL;
    host_function *f = NULL;

    require(host_function_create(&f, "check", NULL, 0, NULL, 0, NULL) == 0);
    f->call = check;
    compiled_options options = {.http = http, .functions = &f, .function_count = 1};
    require(compiled_plugin_create(&code, slice_str(guest_program), &options, NULL) == 0);
    host_function_unref(f);
    /* A module alone has no manifest, so its limits are set here. */
    code->manifest.has_max_pages = true;
    code->manifest.max_pages = MAX_PAGES;
    require(strmap_set(&code->manifest.config, slice_str("key"), slice_str("value")) == 0);
    require(!compiled_plugin_problem(code));
    return code;
}

static void set_up(void)
{
    static const http_driver driver = {.start = no_http, .cancel = no_cancel};

    if (fibers)
        return;
    require(setenv("UBIQ_CACHE_DIR", "", 1) == 0);
    require(log_to_buffer("trace", NULL) == 0);
    engine_set_instances(8, NULL);
    fibers = compile(&driver);
    plain = compile(NULL);
    buf_init(&fresh_kernel, 1 << 24);
}

static void touch(slice s)
{
    volatile uint8_t sum = 0;
    for (size_t n = 0; n < s.len; n += 64)
        sum = (uint8_t)(sum + s.data[n]);
}

/* An instance that was given back is as one that nobody used. */
static void check_next(void)
{
    plugin_state state;
    instance *i = NULL;

    plugin_state_init(&state, &fibers->manifest);
    require(instance_acquire(&i, fibers, &state, NULL) == 0);
    kernel_memory k = instance_kernel(i);
    if (fresh_kernel.len == 0)
        require(buf_append(&fresh_kernel, k.base, k.size) == 0);
    require(slice_equal(slice_of(k.base, k.size), buf_slice(&fresh_kernel)));
    instance_release(i);
    plugin_state_deinit(&state);
}

static void run_fresh(slice input)
{
    call_options options = {.function = "run", .input = input};
    call *c;

    require(call_start(&c, fibers, &options, NULL) == 0);
    while (call_poll(c) != CALL_DONE)
        ;
    touch(call_output(c));
    touch(call_guest_error(c));
    require(!call_error(c) || slice_is_utf8(slice_str(error_text(call_error(c)))));
    call_destroy(c);
    check_next();
}

static void run_kept(slice input)
{
    static size_t runs;

    if (runs++ % RUNS_KEPT == 0) {
        plugin_destroy(kept);
        require(plugin_create(&kept, plain, NULL) == 0);
    }
    plugin_call(kept, "run", input, NULL);
    touch(plugin_output(kept));
    const char *text = plugin_error(kept);
    touch(slice_str(text));
}

static void drop_line(const char *line, uint64_t len)
{
    require(line[len] == '\0' && slice_is_utf8(slice_of(line, len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up();
    if (size == 0)
        return 0;
    slice input = slice_of(data + 1, size - 1);
    if (data[0] & 1)
        run_kept(input);
    else
        run_fresh(input);
    log_drain(drop_line);
    return 0;
}
