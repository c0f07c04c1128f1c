#include "base/clock.h"
#include "extism/imports.h"
#include "extism/imports_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

/* Functions of WASI preview 1 for calls on fibers. The engine's own poll_oneoff sleeps in the thread, and
 * every other call of the worker with it. Layouts and numbers are those of the witx of preview 1. */

enum {
    SUBSCRIPTION_BYTES = 48,
    EVENT_BYTES = 32,
    MAX_SUBSCRIPTIONS = 1024,
    TYPE_CLOCK = 0,
    CLOCK_REALTIME_ID = 0,
    CLOCK_MONOTONIC_ID = 1,
    FLAG_ABSOLUTE = 1,
    ERRNO_SUCCESS = 0,
    ERRNO_FAULT = 21,
    ERRNO_INVAL = 28
};

struct poll {
    wasmtime_context_t *context;
    wasmtime_memory_t memory;
    uint64_t until_ns; /* of clock_ns() */
    uint32_t in;
    uint32_t out;
    uint32_t count;
    uint32_t count_out;
    wasmtime_val_t *result;
};

/* `len` bytes of the guest's memory, or NULL. */
static uint8_t *guest_bytes(const struct poll *p, uint64_t offset, uint64_t len)
{
    uint64_t size = wasmtime_memory_data_size(p->context, &p->memory);
    if (offset > size || len > size - offset)
        return NULL;
    return wasmtime_memory_data(p->context, &p->memory) + offset;
}

static uint64_t read_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static bool is_clock(const uint8_t *subscription)
{
    return subscription[8] == TYPE_CLOCK;
}

/* How long until a clock's time has come. The engine's monotonic clock begins at a moment of its own,
 * so a time on that one cannot be told and counts as past. */
static uint64_t nanoseconds_left(const uint8_t *subscription)
{
    uint64_t timeout = read_u64(subscription + 24);
    bool realtime = subscription[16] == CLOCK_REALTIME_ID;
    struct timespec now;

    if (!(subscription[40] & FLAG_ABSOLUTE))
        return timeout;
    if (!realtime)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return timeout > ns ? timeout - ns : 0;
}

/* When the first subscription is due: files are ready at once. */
static uint64_t first_due(const uint8_t *subscriptions, uint32_t count)
{
    uint64_t least = UINT64_MAX, now = clock_ns();
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *s = subscriptions + (size_t)i * SUBSCRIPTION_BYTES;
        uint64_t left = is_clock(s) ? nanoseconds_left(s) : 0;
        least = left < least ? left : least;
    }
    return least > UINT64_MAX - now ? UINT64_MAX : now + least;
}

/* Writes the events of files, or of clocks if there are none. */
static int32_t write_events(const struct poll *p)
{
    const uint8_t *in = guest_bytes(p, p->in, (uint64_t)p->count * SUBSCRIPTION_BYTES);
    uint8_t *out = guest_bytes(p, p->out, (uint64_t)p->count * EVENT_BYTES);
    uint8_t *count_out = guest_bytes(p, p->count_out, 4);
    uint32_t written = 0;
    bool files = false;

    if (!in || !out || !count_out)
        return ERRNO_FAULT;
    for (uint32_t i = 0; i < p->count; i++)
        files = files || !is_clock(in + (size_t)i * SUBSCRIPTION_BYTES);
    for (uint32_t i = 0; i < p->count; i++) {
        uint8_t s[SUBSCRIPTION_BYTES], event[EVENT_BYTES] = {0};
        memcpy(s, in + (size_t)i * SUBSCRIPTION_BYTES, sizeof s);
        if (is_clock(s) == files)
            continue;
        memcpy(event, s, 8);
        event[10] = s[8];
        memcpy(out + (size_t)written++ * EVENT_BYTES, event, sizeof event);
    }
    memcpy(count_out, &written, sizeof written);
    return ERRNO_SUCCESS;
}

/* Asked whenever the call is polled, which the driver of calls does again and again: a guest that
 * sleeps costs its turns, and nobody else's. */
static bool is_due(void *env)
{
    struct poll *p = env;
    if (clock_ns() < p->until_ns)
        return false;
    *p->result = (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = write_events(p)};
    return true;
}

static void poll_oneoff(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args,
                        size_t n_args, wasmtime_val_t *results, size_t n_results,
                        wasm_trap_t **trap, wasmtime_async_continuation_t *continuation)
{
    struct poll *p = calloc(1, sizeof *p);
    wasmtime_extern_t memory;
    const uint8_t *in = NULL;

    (void)env, (void)n_args, (void)n_results;
    *continuation = (wasmtime_async_continuation_t){.callback = imports_done_at_once};
    results[0] = (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = ERRNO_FAULT};
    if (!p || !wasmtime_caller_export_get(caller, "memory", 6, &memory) ||
        memory.kind != WASMTIME_EXTERN_MEMORY) {
        *trap = imports_trap("missing required memory export");
        free(p);
        return;
    }
    *p = (struct poll){
        .context = wasmtime_caller_context(caller),
        .memory = memory.of.memory,
        .in = (uint32_t)args[0].of.i32,
        .out = (uint32_t)args[1].of.i32,
        .count = (uint32_t)args[2].of.i32,
        .count_out = (uint32_t)args[3].of.i32,
        .result = &results[0],
    };
    if (p->count == 0 || p->count > MAX_SUBSCRIPTIONS)
        results[0].of.i32 = ERRNO_INVAL;
    else
        in = guest_bytes(p, p->in, (uint64_t)p->count * SUBSCRIPTION_BYTES);
    if (!in) {
        free(p);
        return;
    }
    p->until_ns = first_due(in, p->count);
    *continuation =
        (wasmtime_async_continuation_t){.callback = is_due, .env = p, .finalizer = free};
}

/* What runs now runs for all calls, which must not have the same time or the same chance. */
static bool too_early(wasmtime_caller_t *caller)
{
    return instance_state(instance_of_caller(caller))->preparing;
}

/* `len` bytes of the caller's memory, or NULL. */
static uint8_t *caller_bytes(wasmtime_caller_t *caller, uint32_t offset, uint64_t len)
{
    struct poll p = {.context = wasmtime_caller_context(caller)};
    wasmtime_extern_t memory;

    if (!wasmtime_caller_export_get(caller, "memory", 6, &memory) ||
        memory.kind != WASMTIME_EXTERN_MEMORY)
        return NULL;
    p.memory = memory.of.memory;
    return guest_bytes(&p, offset, len);
}

static wasm_trap_t *clock_time_get(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                   size_t n)
{
    uint32_t clock = (uint32_t)raw[0].i32;
    uint8_t *out = caller_bytes(caller, (uint32_t)raw[2].i32, sizeof(uint64_t));
    struct timespec now;

    (void)env, (void)n;
    if (too_early(caller))
        return imports_trap(IMPORTS_TOO_EARLY);
    raw[0].i32 = ERRNO_SUCCESS;
    if (!out) {
        raw[0].i32 = ERRNO_FAULT;
    } else if (clock > CLOCK_MONOTONIC_ID) {
        raw[0].i32 = ERRNO_INVAL;
    } else {
        clock_gettime(clock == CLOCK_REALTIME_ID ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
        uint64_t ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
        memcpy(out, &ns, sizeof ns);
    }
    return NULL;
}

static wasm_trap_t *random_get(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                               size_t n)
{
    uint32_t left = (uint32_t)raw[1].i32;
    uint8_t *out = caller_bytes(caller, (uint32_t)raw[0].i32, left);

    (void)env, (void)n;
    if (too_early(caller))
        return imports_trap(IMPORTS_TOO_EARLY);
    raw[0].i32 = out ? ERRNO_SUCCESS : ERRNO_FAULT;
    while (out && left > 0) {
        ssize_t got = getrandom(out, left, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return imports_trap("the system has no random numbers");
        out += got;
        left -= (uint32_t)got;
    }
    return NULL;
}

/* Those of WASI's functions that calls on fibers get from us, in front of the engine's own: one because it
 * would hold the thread, and the others because they then need no state of the engine's, which takes longer
 * to make than a small call takes. */
static const struct wasi_function {
    const char *name;
    const char *params;
    wasmtime_func_unchecked_callback_t call; /* NULL: poll_oneoff */
} wasi_functions[] = {
    {"poll_oneoff", "iiii", NULL},
    {"clock_time_get", "iIi", clock_time_get},
    {"random_get", "ii", random_get},
};

#define WASI_FUNCTIONS (sizeof wasi_functions / sizeof wasi_functions[0])

bool imports_is_stateless_wasi(const compiled_plugin *c, const struct module_import *import)
{
    for (size_t i = 0; c->options.http && i < WASI_FUNCTIONS; i++) {
        if (slice_equal_str(import->name, wasi_functions[i].name))
            return true;
    }
    return false;
}

static int define_wasi(compiled_plugin *c, const struct wasi_function *f, error *err)
{
    static const char from[] = "wasi_snapshot_preview1";
    size_t len = strlen(f->name);
    wasm_valtype_vec_t params, results;
    wasmtime_error_t *e;

    imports_fill_types(&params, f->params);
    imports_fill_types(&results, "i");
    wasm_functype_t *type = wasm_functype_new(&params, &results);
    if (f->call)
        e = wasmtime_linker_define_func_unchecked(c->linker, from, sizeof from - 1, f->name, len,
                                                  type, f->call, NULL, NULL);
    else
        e = wasmtime_linker_define_async_func(c->linker, from, sizeof from - 1, f->name, len, type,
                                              poll_oneoff, NULL, NULL);
    wasm_functype_delete(type);
    return engine_error(err, E_INTERNAL, e, NULL);
}

int imports_define_wasi(compiled_plugin *c, error *err)
{
    int rc = 0;
    for (size_t i = 0; i < WASI_FUNCTIONS && rc == 0; i++)
        rc = define_wasi(c, &wasi_functions[i], err);
    return rc;
}
