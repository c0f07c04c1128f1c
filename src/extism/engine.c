#include "extism/engine_internal.h"

#include "base/hash.h"
#include "extism/engine_signals.h"
#include "extism/engine_stacks.h"
#include "extism/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t engines_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(wasm_engine_t *) engines[ENGINE_KINDS];

/* Only the engine that `make engine` builds has this: let a freed slot's pages be found by asking the
 * system which were written, and stay resident. */
extern void ubiq_pooling_allocation_config_pagemap_scan_set(wasmtime_pooling_allocation_config_t *,
                                                            bool) __attribute__((weak));

static void use_pool(wasm_config_t *config, uint32_t n)
{
    wasmtime_pooling_allocation_config_t *pool = wasmtime_pooling_allocation_config_new();

    /* A function, its language's runtime and the kernel. */
    wasmtime_pooling_allocation_config_total_core_instances_set(pool, 3 * n);
    wasmtime_pooling_allocation_config_total_memories_set(pool, 2 * n);
    wasmtime_pooling_allocation_config_total_tables_set(pool, 2 * n);
    wasmtime_pooling_allocation_config_total_stacks_set(pool, n);
    wasmtime_pooling_allocation_config_max_memories_per_module_set(pool, LIMIT_POOLED_MEMORIES);
    wasmtime_pooling_allocation_config_max_tables_per_module_set(pool, LIMIT_POOLED_TABLES);
    wasmtime_pooling_allocation_config_table_elements_set(pool, LIMIT_POOLED_TABLE_ELEMENTS);
    wasmtime_pooling_allocation_config_max_core_instance_size_set(pool,
                                                                  LIMIT_POOLED_INSTANCE_BYTES);
    if (ubiq_pooling_allocation_config_pagemap_scan_set) {
        ubiq_pooling_allocation_config_pagemap_scan_set(pool, true);
        wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pool,
                                                                           LIMIT_POOLED_RESIDENT);
        wasmtime_pooling_allocation_config_table_keep_resident_set(pool, LIMIT_POOLED_RESIDENT);
    }
    wasmtime_pooling_allocation_strategy_set(config, pool);
    wasmtime_pooling_allocation_config_delete(pool);
}

static wasm_engine_t *engine_create(enum engine_kind kind)
{
    uint32_t slots = kind == ENGINE_POOLED ? engine_slots() : 0;
    engine_signals signals;
    wasm_config_t *config;
    wasm_engine_t *engine;

    if (kind == ENGINE_POOLED && slots == 0)
        return NULL;
    config = wasm_config_new();
    /* The proposals that upstream turns on. */
    wasmtime_config_wasm_tail_call_set(config, true);
    wasmtime_config_wasm_function_references_set(config, true);
    wasmtime_config_wasm_gc_set(config, true);
    wasmtime_config_wasm_exceptions_set(config, true);
    wasmtime_config_wasm_multi_memory_set(config, true);
    wasmtime_config_max_wasm_stack_set(config, LIMIT_GUEST_STACK);
    wasmtime_config_async_stack_size_set(config, LIMIT_FIBER_STACK);
    /* Not a page of a shared memory would count against an instance's allowance. */
    wasmtime_config_shared_memory_set(config, false);
    wasmtime_config_epoch_interruption_set(config, true);
    wasmtime_config_consume_fuel_set(config, kind == ENGINE_FUEL || kind == ENGINE_COMPILER_FUEL);
    if (kind == ENGINE_COMPILER || kind == ENGINE_COMPILER_FUEL)
        wasmtime_config_parallel_compilation_set(config, false);
    if (kind == ENGINE_POOLED)
        use_pool(config, slots);
    engine_signals_note(&signals);
    engine = wasm_engine_new_with_config(config);
    engine_signals_keep_stack(&signals);
    if (kind == ENGINE_POOLED && engine &&
        engine_stacks_merge(slots, LIMIT_FIBER_STACK) == STACKS_UNGUARDED) {
        wasm_engine_delete(engine);
        engine = NULL;
    }
    return engine;
}

static atomic_bool forked;

static void note_fork(void)
{
    atomic_store(&forked, true);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, note_fork);
}

enum engine_kind engine_compiler(enum engine_kind kind)
{
    if (!atomic_load(&forked))
        return kind;
    return kind == ENGINE_FUEL ? ENGINE_COMPILER_FUEL : ENGINE_COMPILER;
}

int engine_get(enum engine_kind kind, wasm_engine_t **out, error *err)
{
    wasm_engine_t *engine = atomic_load_explicit(&engines[kind], memory_order_acquire);

    *out = NULL;
    if (!engine) {
        pthread_mutex_lock(&engines_lock);
        engine = atomic_load_explicit(&engines[kind], memory_order_relaxed);
        if (!engine) {
            static pthread_once_t once = PTHREAD_ONCE_INIT;
            pthread_once(&once, watch_forks);
            engine = engine_create(kind);
            atomic_store_explicit(&engines[kind], engine, memory_order_release);
        }
        pthread_mutex_unlock(&engines_lock);
    }
    if (!engine)
        return error_set(err, E_NO_MEMORY, "the WebAssembly engine could not be made");
    *out = engine;
    return 0;
}

void engine_tick(void)
{
    for (int kind = 0; kind < ENGINE_KINDS; kind++) {
        wasm_engine_t *engine = atomic_load_explicit(&engines[kind], memory_order_acquire);
        if (engine)
            wasmtime_engine_increment_epoch(engine);
    }
}

static char fingerprint[SHA256_HEX_BYTES];

/* Compiled code says itself by which version and for which configuration it was made. (The library
 * may be another one than the headers', so their version says little.) */
static void take_fingerprint(void)
{
    static const uint8_t empty[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    wasm_engine_t *engine;
    wasmtime_module_t *module = NULL;
    wasm_byte_vec_t code = {0};

    if (engine_get(engine_compiler(ENGINE_ON_DEMAND), &engine, NULL) != 0 ||
        engine_error(NULL, E_INTERNAL, wasmtime_module_new(engine, empty, sizeof empty, &module),
                     NULL))
        return;
    if (engine_error(NULL, E_INTERNAL, wasmtime_module_serialize(module, &code), NULL) == 0) {
        if (sha256_hex(slice_of(code.data, code.size), fingerprint) != 0)
            fingerprint[0] = '\0';
        fingerprint[16] = '\0';
        wasm_byte_vec_delete(&code);
    }
    wasmtime_module_delete(module);
}

const char *engine_fingerprint(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, take_fingerprint);
    return fingerprint;
}

int engine_error(error *err, int code, wasmtime_error_t *e, wasm_trap_t *trap)
{
    wasm_byte_vec_t text = {0};

    if (!e && !trap)
        return 0;
    if (e)
        wasmtime_error_message(e, &text);
    else
        wasm_trap_message(trap, &text);
    /* A trap's message counts its NUL, and some end with a newline. */
    size_t len = strnlen(text.data, text.size);
    while (len > 0 && text.data[len - 1] == '\n')
        len--;
    error_set(err, code, "%.*s", (int)len, text.data);
    if (err && !err->text)
        err->code = code = E_NO_MEMORY;
    wasm_byte_vec_delete(&text);
    if (e)
        wasmtime_error_delete(e);
    if (trap)
        wasm_trap_delete(trap);
    return code;
}

const char *engine_root_cause(const char *text)
{
    static const char heading[] = "\n\nCaused by:\n";
    const char *causes = strstr(text, heading), *line;

    if (!causes)
        return text;
    line = causes + sizeof heading - 1;
    /* Several causes are numbered "    0: ", the last is the root; one stands alone. */
    for (const char *next = line; (next = strchr(next, '\n')) != NULL;) {
        next++;
        const char *digits = next + strspn(next, " ");
        size_t n = strspn(digits, "0123456789");
        if (n > 0 && digits - next <= 6 && digits[n] == ':')
            line = next;
    }
    line += strspn(line, " ");
    size_t n = strspn(line, "0123456789");
    if (n > 0 && line[n] == ':' && line[n + 1] == ' ')
        line += n + 2;
    return line;
}
