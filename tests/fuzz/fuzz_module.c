#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "extism/call.h"
#include "extism/engine.h"
#include "extism/instance_internal.h"
#include "extism/kernel_wasm.h"

/* Any bytes at all as a guest's module: linked, compiled, and what it exports called. */

#define CALL_MS 20
#define CALLS_MAX 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

static void *tick(void *unused)
{
    for (;;) {
        usleep(1000);
        engine_tick();
    }
    return unused;
}

static void set_up(void)
{
    static bool done;
    pthread_t ticker;

    if (done)
        return;
    done = true;
    require(setenv("UBIQ_CACHE_DIR", "", 1) == 0);
    engine_set_instances(8, NULL);
    require(pthread_create(&ticker, NULL, tick, NULL) == 0);
    pthread_detach(ticker);
}

/* The linker is only given what the engine has validated; it withstands the rest too. */
static void link_as_it_is(slice bytes)
{
    for (int mode = 0; mode < 4; mode++) {
        link_options options = {
            .mode = mode & 1 ? LINK_IMPORTED : LINK_MERGED,
            .kernel = slice_of(kernel_wasm, kernel_wasm_len),
            .slack_pages = mode & 2 ? 16 : 0,
        };
        linked_module linked;
        error err = {0};
        if (wasm_link(&linked, bytes, &options, &err) == 0)
            linked_module_deinit(&linked);
        else
            require(err.text != NULL);
        error_deinit(&err);
    }
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

static compiled_plugin *compile(slice bytes, error *err)
{
    static const http_driver driver = {.start = no_http, .cancel = no_cancel};
    compiled_options options = {.wasi = true, .http = &driver};
    compiled_plugin *code = NULL;
    char text[256];

    snprintf(text, sizeof text,
             "{\"wasm\": [{\"data\": {\"ptr\": %" PRIuPTR ", \"len\": %zu}}],"
             " \"memory\": {\"max_pages\": 64}}",
             (uintptr_t)bytes.data, bytes.len);
    if (compiled_plugin_create(&code, slice_str(text), &options, err) != 0)
        require(err->text != NULL);
    return code;
}

/* The bytes of all memories of an instance, one after another. */
static bool copy_memories(compiled_plugin *code, buf *out)
{
    plugin_state state;
    instance *i = NULL;

    plugin_state_init(&state, &code->manifest);
    if (instance_acquire(&i, code, &state, NULL) != 0)
        return false;
    kernel_memory k = instance_kernel(i);
    require(buf_append(out, k.base, k.size) == 0);
    for (uint32_t n = 0; n < compiled_plugin_main(code)->memory_count; n++) {
        wasmtime_memory_t *memory = &i->members[0].memories[n];
        size_t len = wasmtime_memory_data_size(i->context, memory);
        /* Enough to tell, and little enough to be quick. */
        require(buf_append(out, wasmtime_memory_data(i->context, memory),
                           len < 1 << 20 ? len : 1 << 20) == 0);
    }
    instance_release(i);
    plugin_state_deinit(&state);
    return true;
}

static void call_one(compiled_plugin *code, const char *name)
{
    call_options options = {.function = name, .input = slice_str("an input"), .wall_ms = CALL_MS};
    volatile uint8_t sum = 0;
    error err = {0};
    call *c;

    if (call_start(&c, code, &options, &err) != 0) {
        require(err.text != NULL);
        error_deinit(&err);
        return;
    }
    while (call_poll(c) != CALL_DONE)
        ;
    slice output = call_output(c), words = call_guest_error(c);
    for (size_t n = 0; n < output.len; n += 512)
        sum = (uint8_t)(sum + output.data[n]);
    for (size_t n = 0; n < words.len; n += 512)
        sum = (uint8_t)(sum + words.data[n]);
    require(!call_error(c) || *error_text(call_error(c)));
    call_destroy(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice bytes = slice_of(data, size);
    error err = {0};
    buf fresh, used;

    set_up();
    link_as_it_is(bytes);
    compiled_plugin *code = compile(bytes, &err);
    error_deinit(&err);
    if (!code)
        return 0;
    buf_init(&fresh, 1 << 28);
    buf_init(&used, 1 << 28);
    if (!compiled_plugin_problem(code) && copy_memories(code, &fresh)) {
        const module_interface *m = &compiled_plugin_main(code)->interface;
        for (size_t n = 0; n < m->export_count && n < CALLS_MAX; n++) {
            char *name = strndup((const char *)m->exports[n].name.data, m->exports[n].name.len);
            require(name != NULL);
            call_one(code, name);
            free(name);
        }
        /* Whoever comes next finds everything as it was. */
        require(copy_memories(code, &used));
        require(slice_equal(buf_slice(&fresh), buf_slice(&used)));
    }
    buf_deinit(&fresh);
    buf_deinit(&used);
    compiled_plugin_unref(code);
    return 0;
}
