#include "extism/module.h"

#include "base/hash.h"
#include "extism/kernel_wasm.h"
#include "extism/limits.h"
#include "extism/link_version.h"
#include "extism/module_cache.h"
#include "extism/wasm_module.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* What stands in front of the engine's code in a cached file. */
struct cached_facts {
    uint64_t min_pages;
    uint32_t memory_count;
    uint32_t told_pages;
    uint32_t slack_pages;
    uint8_t engine;
    uint8_t has_start;
    uint8_t recyclable;
    uint8_t resets;
    uint32_t interface_bytes; /* of the module_interface that follows */
    uint32_t global_count;    /* UINT32_MAX: they cannot be saved */
};

static module *alloc_module(void)
{
    module *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    atomic_init(&m->refs, 1);
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

module *module_ref(module *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void module_unref(module *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (m->wasm)
        wasmtime_module_delete(m->wasm);
    module_interface_deinit(&m->interface);
    for (uint32_t i = 0; m->images && i < m->memory_count; i++)
        memory_image_destroy(m->images[i]);
    free(m->images);
    module_unref(m->moved);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

int module_memory_image(module *m, uint32_t n, uint8_t *base, size_t size, const memory_image **out,
                        error *err)
{
    int rc = 0;

    *out = NULL;
    pthread_mutex_lock(&m->lock);
    if (!m->images && !(m->images = calloc(m->memory_count, sizeof(memory_image *))))
        rc = error_set(err, E_NO_MEMORY, "out of memory for the image of a guest's memory");
    else if (!m->images[n])
        rc = memory_image_create(&m->images[n], base, size, err);
    if (rc == 0)
        *out = m->images[n];
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* Compiles for an engine. */
static int compile_for(enum engine_kind kind, slice bytes, wasmtime_module_t **out, error *err)
{
    enum engine_kind with = engine_compiler(kind);
    wasm_engine_t *engine, *compiler;
    wasmtime_module_t *compiled = NULL;
    wasm_byte_vec_t code = {0};
    int rc = engine_get(kind, &engine, err);

    rc = rc ? rc : engine_get(with, &compiler, err);
    if (rc != 0)
        return rc;
    rc = engine_error(err, E_INVALID,
                      wasmtime_module_new(compiler, bytes.data, bytes.len, &compiled), NULL);
    if (rc != 0 || with == kind) {
        *out = compiled;
        return rc;
    }
    rc = engine_error(err, E_INTERNAL, wasmtime_module_serialize(compiled, &code), NULL);
    if (rc == 0)
        rc = engine_error(
            err, E_INVALID,
            wasmtime_module_deserialize(engine, (const uint8_t *)code.data, code.size, out), NULL);
    if (code.data)
        wasm_byte_vec_delete(&code);
    wasmtime_module_delete(compiled);
    return rc;
}

/* Compiles on the best engine that takes the module. */
static int compile(module *m, slice linked, bool fuel, error *err)
{
    error unfit = {0};
    int rc;

    m->engine = fuel ? ENGINE_FUEL : ENGINE_POOLED;
    rc = compile_for(m->engine, linked, &m->wasm, fuel ? err : &unfit);
    if (rc != 0 && !fuel) {
        m->engine = ENGINE_ON_DEMAND;
        rc = compile_for(m->engine, linked, &m->wasm, err);
    }
    error_deinit(&unfit);
    return rc;
}

static int store(const module *m, const char *key, error *err)
{
    struct cached_facts facts = {0};
    wasm_byte_vec_t code;
    buf content;
    int rc = engine_error(err, E_INTERNAL, wasmtime_module_serialize(m->wasm, &code), NULL);

    if (rc != 0)
        return rc;
    facts.min_pages = m->min_pages;
    facts.memory_count = m->memory_count;
    facts.engine = (uint8_t)m->engine;
    facts.has_start = m->has_start;
    facts.told_pages = m->told_pages;
    facts.slack_pages = m->slack_pages;
    facts.recyclable = m->recyclable;
    facts.resets = m->resets;
    facts.global_count = m->saves_globals ? m->global_count : UINT32_MAX;
    facts.interface_bytes = (uint32_t)m->interface.text.len;
    buf_init(&content, SIZE_MAX);
    if (buf_append(&content, &facts, sizeof facts) == 0 &&
        buf_append(&content, m->interface.text.data, m->interface.text.len) == 0 &&
        buf_append(&content, code.data, code.size) == 0)
        module_cache_put(key, buf_slice(&content));
    buf_deinit(&content);
    wasm_byte_vec_delete(&code);
    return 0;
}

/* Takes the module from the cache; false when it has to be compiled. */
static bool load(module *m, const char *key)
{
    struct cached_facts facts;
    wasm_engine_t *engine;
    wasmtime_error_t *e = NULL;
    buf content;
    bool loaded = false;

    buf_init(&content, SIZE_MAX);
    if (!module_cache_get(key, &content) || content.len < sizeof facts)
        goto done;
    memcpy(&facts, content.data, sizeof facts);
    size_t front = sizeof facts + facts.interface_bytes;
    if (facts.engine >= ENGINE_KINDS || front > content.len ||
        engine_get(facts.engine, &engine, NULL) != 0 ||
        module_interface_read(
            &m->interface, slice_of(content.data + sizeof facts, facts.interface_bytes), NULL) != 0)
        goto done;
    e = wasmtime_module_deserialize(engine, content.data + front, content.len - front, &m->wasm);
    if (e) {
        wasmtime_error_delete(e);
        module_interface_deinit(&m->interface);
        goto done;
    }
    m->engine = facts.engine;
    m->min_pages = facts.min_pages;
    m->memory_count = facts.memory_count;
    m->has_start = facts.has_start;
    m->told_pages = facts.told_pages;
    m->slack_pages = facts.slack_pages;
    m->recyclable = facts.recyclable;
    m->resets = facts.resets;
    m->saves_globals = facts.global_count != UINT32_MAX;
    m->global_count = m->saves_globals ? facts.global_count : 0;
    loaded = true;
done:
    buf_deinit(&content);
    return loaded;
}

/* What the code depends on: the source, the kernel that is linked with it, what links it, and how. */
static bool cache_key(slice source, const module_options *o, char out[SHA256_HEX_BYTES + 32])
{
    char source_hash[SHA256_HEX_BYTES], kernel_hash[SHA256_HEX_BYTES];
    if (sha256_hex(source, source_hash) != 0 ||
        sha256_hex(slice_of(kernel_wasm, kernel_wasm_len), kernel_hash) != 0)
        return false;
    snprintf(out, SHA256_HEX_BYTES + 32, "%s-%.8s-%.8s-%d-%u-%d-%d", source_hash, kernel_hash,
             LINK_VERSION, (int)o->mode, o->slack_pages, o->slack_with_wasi, o->fuel);
    return true;
}

static uint64_t count_pages(slice bytes)
{
    wasm_module parsed;
    uint64_t pages = 0;
    if (wasm_module_parse(&parsed, bytes, NULL) != 0 || parsed.memory_count == 0)
        return 0;
    wasm_reader r = wasm_reader_of(parsed.section[WASM_SECTION_MEMORY]);
    for (uint32_t n = wasm_read_u32(&r); n > 0 && !r.failed; n--) {
        wasm_limits limits;
        wasm_read_limits(&r, &limits);
        pages += limits.page_size_log2 == 16 ? limits.min : limits.min >> 16;
    }
    return pages;
}

/* Validates the guest's own bytes, then links and compiles. */
static int build(module *m, slice bytes, const module_options *o, error *err)
{
    link_options link = {
        .mode = o->mode,
        .kernel = slice_of(kernel_wasm, kernel_wasm_len),
        .slack_pages = o->slack_pages,
        .slack_with_wasi = o->slack_with_wasi,
    };
    static const uint8_t component[8] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};
    linked_module linked = {0};
    wasm_engine_t *engine;
    int rc;

    rc = engine_get(engine_compiler(o->fuel ? ENGINE_FUEL : ENGINE_ON_DEMAND), &engine, err);
    if (rc != 0)
        return rc;
    if (bytes.len >= sizeof component && memcmp(bytes.data, component, sizeof component) == 0)
        return error_set(err, E_INVALID,
                         "expected a WebAssembly module but was given a WebAssembly component");
    rc =
        engine_error(err, E_INVALID, wasmtime_module_validate(engine, bytes.data, bytes.len), NULL);
    rc = rc ? rc : wasm_link(&linked, bytes, &link, err);
    rc = rc ? rc : module_interface_create(&m->interface, buf_slice(&linked.wasm), err);
    rc = rc ? rc : compile(m, buf_slice(&linked.wasm), o->fuel, err);
    m->min_pages = count_pages(bytes);
    m->memory_count = linked.memory_count;
    m->has_start = linked.has_start;
    m->told_pages = linked.told_pages;
    m->slack_pages = linked.slack_pages;
    m->recyclable = linked.recyclable;
    m->resets = linked.resets;
    m->saves_globals = linked.saves_globals;
    m->global_count = linked.global_count;
    linked_module_deinit(&linked);
    return rc;
}

static int to_binary(slice source, wasm_byte_vec_t *out, error *err)
{
    if (!slice_is_utf8(source))
        return error_set(err, E_INVALID, "input bytes aren't valid utf-8");
    return engine_error(err, E_INVALID,
                        wasmtime_wat2wasm((const char *)source.data, source.len, out), NULL);
}

int module_create(module **out, slice source, const module_options *o, error *err)
{
    static const uint8_t magic[4] = {0, 'a', 's', 'm'};
    char key[SHA256_HEX_BYTES + 32];
    wasm_byte_vec_t binary = {0};
    slice bytes = source;
    module *m;
    int rc = 0;

    *out = NULL;
    if (!(m = alloc_module()))
        return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    bool cached = o->use_cache && cache_key(source, o, key);
    if (!cached || !load(m, key)) {
        if (source.len < sizeof magic || memcmp(source.data, magic, sizeof magic) != 0) {
            rc = to_binary(source, &binary, err);
            bytes = slice_of(binary.data, binary.size);
        }
        rc = rc ? rc : build(m, bytes, o, err);
        if (rc == 0 && cached)
            rc = store(m, key, err);
    }
    if (binary.data)
        wasm_byte_vec_delete(&binary);
    if (rc == 0) {
        *out = m;
        m = NULL;
    }
    module_unref(m);
    return rc;
}

static int move(module **out, const module *from, enum engine_kind kind, error *err)
{
    wasm_byte_vec_t code = {0};
    wasm_engine_t *engine;
    module *m = NULL;
    int rc;

    rc = engine_get(kind, &engine, err);
    if (rc == 0)
        rc = engine_error(err, E_INTERNAL, wasmtime_module_serialize(from->wasm, &code), NULL);
    if (rc != 0)
        return rc;
    if (!(m = alloc_module())) {
        rc = error_set(err, E_NO_MEMORY, "out of memory while loading a module");
        goto done;
    }
    rc = engine_error(
        err, E_INTERNAL,
        wasmtime_module_deserialize(engine, (const uint8_t *)code.data, code.size, &m->wasm), NULL);
    if (rc != 0)
        goto done;
    m->engine = kind;
    m->min_pages = from->min_pages;
    m->memory_count = from->memory_count;
    m->has_start = from->has_start;
    m->told_pages = from->told_pages;
    m->slack_pages = from->slack_pages;
    m->recyclable = from->recyclable;
    m->resets = from->resets;
    m->saves_globals = from->saves_globals;
    m->global_count = from->global_count;
    if ((rc = module_interface_read(&m->interface, buf_slice(&from->interface.text), err)) != 0)
        goto done;
    *out = m;
    m = NULL;
done:
    wasm_byte_vec_delete(&code);
    module_unref(m);
    return rc;
}

int module_move(module **out, module *from, enum engine_kind kind, error *err)
{
    int rc = 0;

    *out = NULL;
    if (kind != ENGINE_ON_DEMAND)
        return move(out, from, kind, err);
    pthread_mutex_lock(&from->lock);
    if (!from->moved)
        rc = move(&from->moved, from, kind, err);
    if (rc == 0)
        *out = module_ref(from->moved);
    pthread_mutex_unlock(&from->lock);
    return rc;
}

int module_kernel(enum engine_kind kind, module **out, error *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static module *kernels[ENGINE_KINDS];
    int rc = 0;

    pthread_mutex_lock(&lock);
    if (!kernels[kind]) {
        module *m = alloc_module();
        rc = m ? compile_for(kind, slice_of(kernel_wasm, kernel_wasm_len), &m->wasm, err)
               : error_set(err, E_NO_MEMORY, "out of memory");
        if (rc == 0) {
            m->engine = kind;
            kernels[kind] = m;
        } else {
            module_unref(m);
        }
    }
    *out = kernels[kind];
    pthread_mutex_unlock(&lock);
    return rc;
}
