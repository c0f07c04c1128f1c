#include "extism/wasm_link_internal.h"

#include "extism/limits.h"
#include "extism/wasm_inline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kernel_functions[] = {
    "alloc",        "free",         "length",        "length_unsafe", "load_u8",
    "load_u64",     "store_u8",     "store_u64",     "input_load_u8", "input_load_u64",
    "input_set",    "output_set",   "input_length",  "input_offset",  "output_length",
    "output_offset", "error_set",   "error_get",     "memory_bytes",  "reset",
};

bool wasm_link_is_kernel_function(slice name)
{
    for (size_t i = 0; i < sizeof kernel_functions / sizeof kernel_functions[0]; i++) {
        if (slice_equal_str(name, kernel_functions[i]))
            return true;
    }
    return false;
}

int wasm_link_not_understood(linker *l, const char *what)
{
    return error_set(l->err, E_INVALID, "the module's %s section is not understood", what);
}

int wasm_link_no_memory(linker *l)
{
    return error_set(l->err, E_NO_MEMORY, "out of memory while linking a module");
}

int wasm_link_failed(linker *l, int rc)
{
    if (rc == E_NO_MEMORY)
        return wasm_link_no_memory(l);
    if (rc == E_TOO_LARGE)
        return error_set(l->err, rc, "the linked module is too large");
    return rc;
}

int wasm_link_put_section(linker *l, enum wasm_section id)
{
    buf *out = &l->out->wasm;
    int rc = buf_append_byte(out, (uint8_t)id);
    rc = rc ? rc : wasm_write_uint(out, l->scratch.len);
    rc = rc ? rc : buf_append(out, l->scratch.data, l->scratch.len);
    buf_clear(&l->scratch);
    return wasm_link_failed(l, rc);
}

/* The number of the kernel's exported function of this name among its functions. */
static bool find_kernel_function(const linker *l, slice name, uint32_t *out)
{
    wasm_reader r = wasm_reader_of(l->kernel.section[WASM_SECTION_EXPORT]);
    for (uint32_t n = wasm_read_u32(&r); n > 0 && !r.failed; n--) {
        slice export_name = wasm_read_name(&r);
        uint8_t kind = wasm_read_byte(&r);
        *out = wasm_read_u32(&r);
        if (!r.failed && kind == WASM_KIND_FUNC && slice_equal(export_name, name))
            return true;
    }
    return false;
}

static uint32_t kernel_function_type(const linker *l, uint32_t func)
{
    wasm_reader r = wasm_reader_of(l->kernel.section[WASM_SECTION_FUNCTION]);
    wasm_read_u32(&r);
    for (uint32_t i = 0; i < func; i++)
        wasm_read_u32(&r);
    return wasm_read_u32(&r);
}

static const char *valtype_name(uint8_t type)
{
    static const char *const names[] = {"i32", "i64", "f32", "f64", "v128"};
    return type <= 0x7f && type >= 0x7b ? names[0x7f - type] : "ref";
}

/* "(func (param i64) (result i32))", as the engine writes function types. */
static int print_func_type(buf *out, slice params, slice results)
{
    int rc = buf_append_str(out, "(func");
    for (int part = 0; part < 2; part++) {
        wasm_reader r = wasm_reader_of(part ? results : params);
        uint32_t count = wasm_read_u32(&r);
        for (uint32_t i = 0; i < count && rc == 0; i++) {
            if (i == 0)
                rc = buf_append_str(out, part ? " (result" : " (param");
            rc = rc ? rc : buf_printf(out, " %s", valtype_name(wasm_read_byte(&r)));
        }
        if (count > 0 && rc == 0)
            rc = buf_append_byte(out, ')');
    }
    return rc ? rc : buf_append_byte(out, ')');
}

static int check_kernel_import(linker *l, const wasm_import *import, uint32_t func)
{
    if (import->type >= l->guest.type_count)
        return wasm_link_not_understood(l, "import");
    const wasm_signature *want = &l->types[import->type];
    const wasm_signature *have = &l->kernel_types[kernel_function_type(l, func)];
    buf text;
    int rc = 0;

    if (slice_equal(want->params, have->params) && slice_equal(want->results, have->results))
        return 0;
    buf_init(&text, 4096);
    if (buf_append_str(&text, "types incompatible: expected type `") != 0 ||
        print_func_type(&text, want->params, want->results) != 0 ||
        buf_append_str(&text, "`, found type `") != 0 ||
        print_func_type(&text, have->params, have->results) != 0 || buf_append_byte(&text, '`') != 0)
        rc = error_set(l->err, E_DENIED, "types incompatible");
    else
        rc = error_set(l->err, E_DENIED, "%.*s", (int)text.len, (const char *)text.data);
    buf_deinit(&text);
    return rc;
}

/* Remembers that calls of this import are to be replaced. */
static int note_inlined(linker *l, uint32_t index, slice name)
{
    size_t funcs = (size_t)l->guest.imported[WASM_KIND_FUNC] + l->guest.func_count;

    if (wasm_inline_of(name) == INLINE_NONE)
        return 0;
    if (!l->inlined && !(l->inlined = calloc(funcs, 1)))
        return wasm_link_no_memory(l);
    l->inlined[index] = (uint8_t)wasm_inline_of(name);
    return 0;
}

/* Gives every function its number: imports that stay, the guest's, the kernel's, the added ones. */
static int number_functions(linker *l)
{
    wasm_reader r = wasm_reader_of(l->guest.section[WASM_SECTION_IMPORT]);
    uint32_t imported = l->guest.imported[WASM_KIND_FUNC], next = 0, kept = 0, index = 0;
    uint32_t *kernel_of = NULL; /* number among the kernel's functions, or WASM_KEEP */
    int rc = 0;

    l->func = calloc((size_t)imported + l->guest.func_count + 1, sizeof *l->func);
    kernel_of = calloc((size_t)imported + 1, sizeof *kernel_of);
    l->kernel_func = calloc((size_t)l->kernel.func_count + 1, sizeof *l->kernel_func);
    l->kernel_type = calloc((size_t)l->kernel.type_count + 1, sizeof *l->kernel_type);
    if (!l->func || !kernel_of || !l->kernel_func || !l->kernel_type) {
        rc = wasm_link_no_memory(l);
        goto done;
    }
    if (l->guest.import_count)
        wasm_read_u32(&r);
    for (uint32_t i = 0; i < l->guest.import_count; i++) {
        wasm_import import;
        wasm_read_import(&r, &import);
        if (import.kind != WASM_KIND_FUNC)
            continue;
        kernel_of[index] = WASM_KEEP;
        if (wasm_link_merged(l) && slice_equal_str(import.module, ENV_MODULE) &&
            wasm_link_is_kernel_function(import.name) &&
            find_kernel_function(l, import.name, &kernel_of[index]))
            rc = check_kernel_import(l, &import, kernel_of[index]);
        if (rc != 0)
            goto done;
        if (kernel_of[index] != WASM_KEEP)
            rc = note_inlined(l, index, import.name);
        if (rc != 0)
            goto done;
        kept += kernel_of[index++] == WASM_KEEP;
    }
    l->kept_imports = kept + (wasm_link_merged(l) ? l->slack > 0 : 1);
    l->open = kept;
    for (uint32_t i = 0; i < imported; i++)
        l->func[i] = kernel_of[i] == WASM_KEEP
                         ? next++
                         : l->kept_imports + l->guest.func_count + kernel_of[i];
    for (uint32_t i = 0; i < l->guest.func_count; i++)
        l->func[imported + i] = l->kept_imports + i;
    for (uint32_t i = 0; i < l->kernel.func_count; i++)
        l->kernel_func[i] = l->kept_imports + l->guest.func_count + i;
    for (uint32_t i = 0; i < l->kernel.type_count; i++)
        l->kernel_type[i] = l->guest.type_count + i;
    l->charge = kept; /* LINK_IMPORTED: the import behind the others */
    if (wasm_link_merged(l)) {
        uint32_t charge;
        if (!find_kernel_function(l, slice_str(LINK_IMPORT_CHARGE), &charge))
            rc = error_set(l->err, E_INTERNAL, "the kernel has no `charge`");
        else
            l->charge = l->kernel_func[charge];
    }
done:
    free(kernel_of);
    return rc;
}

static bool imports_wasi(const linker *l)
{
    wasm_reader r = wasm_reader_of(l->guest.section[WASM_SECTION_IMPORT]);
    if (l->guest.import_count)
        wasm_read_u32(&r);
    for (uint32_t i = 0; i < l->guest.import_count; i++) {
        wasm_import import;
        wasm_read_import(&r, &import);
        if (import.module.len >= 5 && memcmp(import.module.data, "wasi_", 5) == 0)
            return true;
    }
    return false;
}

/* How many pages beyond its size memory 0 gets. */
static uint32_t slack_of(const linker *l, const wasm_code_facts *facts)
{
    const guest_memory *m = &l->memory[0];
    uint64_t max, room;

    if (!wasm_link_merged(l) || l->memory_count != 1 || m->imported || m->limits.page_size_log2 != 16 ||
        m->limits.flags & (WASM_LIMITS_SHARED | WASM_LIMITS_64) || facts->has_atomics ||
        (imports_wasi(l) && !l->options->slack_with_wasi) || !wasm_link_data_fits(l))
        return 0;
    max = m->limits.flags & WASM_LIMITS_HAS_MAX ? m->limits.max : PAGES_32_MAX;
    room = m->limits.min < max ? max - m->limits.min : 0;
    return (uint32_t)(room < l->options->slack_pages ? room : l->options->slack_pages);
}

static int read_memories(linker *l)
{
    wasm_reader imports = wasm_reader_of(l->guest.section[WASM_SECTION_IMPORT]);
    wasm_reader own = wasm_reader_of(l->guest.section[WASM_SECTION_MEMORY]);
    uint32_t count = 0;

    l->memory_count = l->guest.imported[WASM_KIND_MEMORY] + l->guest.memory_count;
    l->memory = calloc((size_t)l->memory_count + 1, sizeof *l->memory);
    l->grow = calloc((size_t)l->memory_count + 1, sizeof *l->grow);
    l->size_global = calloc((size_t)l->memory_count + 1, sizeof *l->size_global);
    if (!l->memory || !l->grow || !l->size_global)
        return wasm_link_no_memory(l);
    if (l->guest.import_count)
        wasm_read_u32(&imports);
    for (uint32_t i = 0; i < l->guest.import_count; i++) {
        wasm_import import;
        wasm_read_import(&imports, &import);
        if (import.kind != WASM_KIND_MEMORY)
            continue;
        wasm_reader entry = wasm_reader_of(import.raw);
        wasm_read_name(&entry);
        wasm_read_name(&entry);
        wasm_read_byte(&entry);
        l->memory[count].imported = true;
        wasm_read_limits(&entry, &l->memory[count++].limits);
    }
    if (l->guest.memory_count)
        wasm_read_u32(&own);
    for (uint32_t i = 0; i < l->guest.memory_count; i++)
        wasm_read_limits(&own, &l->memory[count++].limits);
    if (own.failed)
        return wasm_link_not_understood(l, "memory");
    for (uint32_t i = 0; i < count; i++) {
        /* The engine says the same, but only when an instance is made. */
        if (l->memory[i].limits.flags & WASM_LIMITS_SHARED)
            return error_set(l->err, E_INVALID, "shared memory support is disabled for this engine "
                                                "-- see `Config::shared_memory`");
    }
    l->out->memory_count = l->guest.memory_count;
    return 0;
}

/* Decides about slack, before functions and globals get their numbers. */
static int place_slack(linker *l)
{
    wasm_code_map identity = {0};
    wasm_code_facts facts = {0};
    buf body;
    int rc;

    buf_init(&body, LIMIT_MODULE_BYTES);
    rc = wasm_link_put_bodies(l, &l->guest, l->types, &identity, &facts, &body);
    buf_deinit(&body);
    buf_clear(&l->scratch);
    if (rc != 0)
        return rc;
    l->out->recyclable = !facts.mutates_hidden_state;
    l->slack = slack_of(l, &facts);
    l->out->slack_pages = l->slack;
    if (l->slack) {
        l->out->told_pages = (uint32_t)l->memory[0].limits.min;
        l->memory[0].limits.min += l->slack;
    }
    return 0;
}

static void number_added(linker *l)
{
    for (uint32_t i = 0; i < l->memory_count; i++) {
        l->grow[i] = wasm_link_added_func(l, i);
        l->size_global[i] =
            l->slack ? l->guest.imported[WASM_KIND_GLOBAL] + l->guest.global_count : WASM_KEEP;
    }
}

/* The host's own functions and the added exports of other modules are not a guest's to import. */
static int check_imports(linker *l)
{
    wasm_reader r = wasm_reader_of(l->guest.section[WASM_SECTION_IMPORT]);

    if (l->guest.import_count)
        wasm_read_u32(&r);
    for (uint32_t i = 0; i < l->guest.import_count; i++) {
        wasm_import import;
        wasm_read_import(&r, &import);
        if (import.name.len > 0 && import.name.data[0] == '\x01')
            return error_set(l->err, E_INVALID, "an import's name begins with a control character "
                                                "that is kept for the host");
    }
    return 0;
}

/* The added exports' names must be free. */
static int check_exports(linker *l)
{
    wasm_reader r = wasm_reader_of(l->guest.section[WASM_SECTION_EXPORT]);
    wasm_reader start = wasm_reader_of(l->guest.section[WASM_SECTION_START]);
    uint32_t count = l->guest.section[WASM_SECTION_EXPORT].len ? wasm_read_u32(&r) : 0;
    uint32_t funcs = l->guest.imported[WASM_KIND_FUNC] + l->guest.func_count;

    for (; count > 0; count--) {
        slice name = wasm_read_name(&r);
        uint8_t kind = wasm_read_byte(&r);
        uint32_t index = wasm_read_u32(&r);
        if (r.failed || (kind == WASM_KIND_FUNC && index >= funcs))
            return wasm_link_not_understood(l, "export");
        if (name.len > 0 && name.data[0] == '\x01')
            return error_set(l->err, E_INVALID, "an export's name begins with a control character "
                                                "that is kept for the host");
    }
    if (wasm_reader_more(&r))
        return wasm_link_not_understood(l, "export");
    if (wasm_reader_more(&start) && wasm_read_u32(&start) >= funcs)
        return wasm_link_not_understood(l, "start");
    return 0;
}

int wasm_link(linked_module *out, slice module, const link_options *options, error *err)
{
    static const uint8_t preamble[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    linker l = {.options = options, .out = out, .err = err};
    int rc;

    *out = (linked_module){.recyclable = true};
    buf_init(&out->wasm, LIMIT_MODULE_BYTES);
    buf_init(&l.resets, LIMIT_MODULE_BYTES);
    buf_init(&l.scratch, LIMIT_MODULE_BYTES);
    rc = wasm_module_parse(&l.guest, module, err);
    if (rc == 0 && options->mode == LINK_MERGED)
        rc = wasm_module_parse(&l.kernel, options->kernel, err);
    rc = rc ? rc : check_imports(&l);
    rc = rc ? rc : check_exports(&l);
    rc = rc ? rc : wasm_module_list_types(&l.guest, &l.types, err);
    rc = rc ? rc : wasm_module_list_types(&l.kernel, &l.kernel_types, err);
    rc = rc ? rc : read_memories(&l);
    rc = rc ? rc : place_slack(&l);
    rc = rc ? rc : number_functions(&l);
    if (rc == 0) {
        number_added(&l);
        rc = buf_append(&out->wasm, preamble, sizeof preamble);
        rc = rc ? wasm_link_no_memory(&l) : wasm_link_put_front(&l);
        rc = rc ? rc : wasm_link_put_code(&l);
        rc = rc ? rc : wasm_link_put_back(&l);
    }
    if (rc != 0)
        linked_module_deinit(out);
    buf_deinit(&l.resets);
    buf_deinit(&l.scratch);
    free(l.func);
    free(l.types);
    free(l.kernel_types);
    free(l.inlined);
    free(l.kernel_func);
    free(l.kernel_type);
    free(l.grow);
    free(l.size_global);
    free(l.memory);
    return rc;
}

void linked_module_deinit(linked_module *m)
{
    buf_deinit(&m->wasm);
    *m = (linked_module){0};
}
