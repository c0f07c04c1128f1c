#include "extism/wasm_link.h"

#include "extism/limits.h"
#include "extism/wasm_code.h"
#include "extism/wasm_module.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ENV_MODULE "extism:host/env"
#define PAGES_32_MAX 65536u

enum { VALTYPE_I32 = 0x7f, VALTYPE_I64 = 0x7e };

/* Types added behind the guest's and the kernel's. */
enum { TYPE_I64_TO_I64, TYPE_I32_TO_I32, TYPE_NONE_TO_NONE, TYPE_CHECK, TYPE_OPEN, ADDED_TYPES };

typedef struct guest_memory {
    wasm_limits limits;
    bool imported;
} guest_memory;

typedef struct linker {
    const link_options *options;
    wasm_module guest;
    wasm_module kernel;    /* all empty for LINK_IMPORTED */
    uint32_t *func;        /* new number of each of the guest's functions */
    uint32_t *kernel_func; /* and of the kernel's */
    uint32_t *kernel_type;
    uint32_t *grow;        /* by memory: the function that stands in for memory.grow, */
    uint32_t *size_global; /* and the global that stands in for memory.size, or WASM_KEEP */
    guest_memory *memory;
    uint32_t memory_count; /* imported and defined */
    uint32_t kept_imports; /* functions among the imports of the result */
    uint32_t slack;        /* pages of slack of memory 0 */
    uint32_t charge;       /* number of the kernel's `charge` */
    uint32_t open;         /* number of the import LINK_IMPORT_OPEN, when there is slack */
    buf resets;            /* body of the added reset function */
    buf scratch;           /* the section at work */
    linked_module *out;
    error *err;
} linker;

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

static bool merged(const linker *l)
{
    return l->options->mode == LINK_MERGED;
}

static int not_understood(linker *l, const char *what)
{
    return error_set(l->err, E_INVALID, "the module's %s section is not understood", what);
}

static int no_memory(linker *l)
{
    return error_set(l->err, E_NO_MEMORY, "out of memory while linking a module");
}

/* Appends the section in l->scratch to the result. */
static int put_section(linker *l, enum wasm_section id)
{
    buf *out = &l->out->wasm;
    if (buf_append_byte(out, (uint8_t)id) != 0 || wasm_write_uint(out, l->scratch.len) != 0 ||
        buf_append(out, l->scratch.data, l->scratch.len) != 0)
        return error_set(l->err, E_TOO_LARGE, "the linked module is too large");
    buf_clear(&l->scratch);
    return 0;
}

static int copy_section(linker *l, enum wasm_section id)
{
    slice s = l->guest.section[id];
    if (s.len == 0)
        return 0;
    if (buf_append(&l->scratch, s.data, s.len) != 0)
        return no_memory(l);
    return put_section(l, id);
}

/* Begins a section with a count: the guest's own plus `added`. */
static int begin_counted(linker *l, enum wasm_section id, uint32_t added, wasm_reader *r)
{
    *r = wasm_reader_of(l->guest.section[id]);
    uint32_t count = l->guest.section[id].len ? wasm_read_u32(r) : 0;
    return wasm_write_uint(&l->scratch, (uint64_t)count + added);
}

static int copy_rest(linker *l, const wasm_reader *r)
{
    return buf_append(&l->scratch, r->at, (size_t)(r->end - r->at));
}

/* --- what is where ----------------------------------------------------------------------------- */

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
    slice want[2] = {{0}}, have[2] = {{0}};
    buf text;
    int rc = 0;

    wasm_module_func_type(&l->guest, import->type, &want[0], &want[1]);
    wasm_module_func_type(&l->kernel, kernel_function_type(l, func), &have[0], &have[1]);
    if (slice_equal(want[0], have[0]) && slice_equal(want[1], have[1]))
        return 0;
    buf_init(&text, 4096);
    if (buf_append_str(&text, "types incompatible: expected type `") != 0 ||
        print_func_type(&text, want[0], want[1]) != 0 ||
        buf_append_str(&text, "`, found type `") != 0 ||
        print_func_type(&text, have[0], have[1]) != 0 || buf_append_byte(&text, '`') != 0)
        buf_clear(&text);
    rc = error_set(l->err, E_DENIED, "%.*s", (int)text.len, (const char *)text.data);
    buf_deinit(&text);
    return rc;
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
        rc = no_memory(l);
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
        if (merged(l) && slice_equal_str(import.module, ENV_MODULE) &&
            wasm_link_is_kernel_function(import.name) &&
            find_kernel_function(l, import.name, &kernel_of[index]))
            rc = check_kernel_import(l, &import, kernel_of[index]);
        if (rc != 0)
            goto done;
        kept += kernel_of[index++] == WASM_KEEP;
    }
    l->kept_imports = kept + (merged(l) ? l->slack > 0 : 1);
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
    if (merged(l)) {
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

/* Functions are added behind all others: one a memory that grows it, the reset function, and with
 * slack the two that check operands. */
static uint32_t added_func(const linker *l, uint32_t n)
{
    return l->kept_imports + l->guest.func_count + l->kernel.func_count + n;
}

static uint32_t added_func_count(const linker *l)
{
    return l->memory_count + 1 + (l->slack ? 2 : 0);
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

static int put_body(linker *l, const buf *body)
{
    int rc = wasm_write_uint(&l->scratch, body->len);
    return rc ? rc : buf_append(&l->scratch, body->data, body->len);
}

static int put_bodies(linker *l, slice section, const wasm_code_map *map, wasm_code_facts *facts,
                      buf *body)
{
    wasm_reader r = wasm_reader_of(section);
    uint32_t count = section.len ? wasm_read_u32(&r) : 0;
    for (uint32_t i = 0; i < count; i++) {
        slice bytes = wasm_read_name(&r);
        wasm_reader code = wasm_reader_of(bytes);
        buf_clear(body);
        int rc = wasm_code_rewrite_body(&code, map, facts, body, l->err);
        if (rc != 0)
            return rc;
        if (put_body(l, body) != 0)
            return no_memory(l);
    }
    return 0;
}

/* How many pages beyond its size memory 0 gets. */
static uint32_t slack_of(const linker *l, const wasm_code_facts *facts)
{
    const guest_memory *m = &l->memory[0];
    uint64_t max, room;

    if (!merged(l) || l->memory_count != 1 || m->imported || m->limits.page_size_log2 != 16 ||
        m->limits.flags & (WASM_LIMITS_SHARED | WASM_LIMITS_64) || facts->has_atomics ||
        imports_wasi(l))
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
        return no_memory(l);
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
        return not_understood(l, "memory");
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
    rc = put_bodies(l, l->guest.section[WASM_SECTION_CODE], &identity, &facts, &body);
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
        l->grow[i] = added_func(l, i);
        l->size_global[i] =
            l->slack ? l->guest.imported[WASM_KIND_GLOBAL] + l->guest.global_count : WASM_KEEP;
    }
}

/* --- sections, in the order they stand in ------------------------------------------------------- */

static int put_types(linker *l)
{
    static const uint8_t added[] = {
        0x60, 1, VALTYPE_I64, 1, VALTYPE_I64, /* TYPE_I64_TO_I64 */
        0x60, 1, VALTYPE_I32, 1, VALTYPE_I32, /* TYPE_I32_TO_I32 */
        0x60, 0, 0,                           /* TYPE_NONE_TO_NONE */
        0x60, 3, VALTYPE_I32, VALTYPE_I32, VALTYPE_I32, 3, VALTYPE_I32, VALTYPE_I32, VALTYPE_I32,
        0x60, 2, VALTYPE_I32, VALTYPE_I32, 0, /* TYPE_OPEN */
    };
    wasm_reader r, kernel = wasm_reader_of(l->kernel.section[WASM_SECTION_TYPE]);
    uint32_t kernel_count = l->kernel.type_count ? wasm_read_u32(&kernel) : 0;

    if (begin_counted(l, WASM_SECTION_TYPE, kernel_count + ADDED_TYPES, &r) != 0 ||
        copy_rest(l, &r) != 0 || copy_rest(l, &kernel) != 0 ||
        buf_append(&l->scratch, added, sizeof added) != 0)
        return no_memory(l);
    return put_section(l, WASM_SECTION_TYPE);
}

static uint32_t added_type(const linker *l, uint32_t n)
{
    return l->guest.type_count + l->kernel.type_count + n;
}

static int put_name(linker *l, const char *name)
{
    slice text = slice_str(name);
    int rc = wasm_write_uint(&l->scratch, text.len);
    return rc ? rc : buf_append(&l->scratch, text.data, text.len);
}

static int put_added_import(linker *l, const char *name, uint32_t type)
{
    int rc = put_name(l, ENV_MODULE);
    rc = rc ? rc : put_name(l, name);
    rc = rc ? rc : buf_append_byte(&l->scratch, WASM_KIND_FUNC);
    return rc ? rc : wasm_write_uint(&l->scratch, added_type(l, type));
}

static int put_imports(linker *l)
{
    wasm_reader r = wasm_reader_of(l->guest.section[WASM_SECTION_IMPORT]);
    uint32_t others = l->guest.import_count - l->guest.imported[WASM_KIND_FUNC];
    uint32_t func = 0;
    int rc = wasm_write_uint(&l->scratch, (uint64_t)others + l->kept_imports);

    if (l->guest.import_count)
        wasm_read_u32(&r);
    for (uint32_t i = 0; i < l->guest.import_count && rc == 0; i++) {
        wasm_import import;
        wasm_read_import(&r, &import);
        if (import.kind != WASM_KIND_FUNC || l->func[func++] < l->kept_imports)
            rc = buf_append(&l->scratch, import.raw.data, import.raw.len);
    }
    if (!merged(l))
        rc = rc ? rc : put_added_import(l, LINK_IMPORT_CHARGE, TYPE_I64_TO_I64);
    else if (l->slack)
        rc = rc ? rc : put_added_import(l, LINK_IMPORT_OPEN, TYPE_OPEN);
    return rc ? no_memory(l) : put_section(l, WASM_SECTION_IMPORT);
}

static int put_functions(linker *l)
{
    wasm_reader r, kernel = wasm_reader_of(l->kernel.section[WASM_SECTION_FUNCTION]);
    int rc = begin_counted(l, WASM_SECTION_FUNCTION, l->kernel.func_count + added_func_count(l), &r);

    rc = rc ? rc : copy_rest(l, &r);
    if (l->kernel.func_count)
        wasm_read_u32(&kernel);
    for (uint32_t i = 0; i < l->kernel.func_count && rc == 0; i++)
        rc = wasm_write_uint(&l->scratch, l->kernel_type[wasm_read_u32(&kernel)]);
    for (uint32_t i = 0; i < l->memory_count && rc == 0; i++) {
        bool is_64 = l->memory[i].limits.flags & WASM_LIMITS_64;
        rc = wasm_write_uint(&l->scratch, added_type(l, is_64 ? TYPE_I64_TO_I64 : TYPE_I32_TO_I32));
    }
    rc = rc ? rc : wasm_write_uint(&l->scratch, added_type(l, TYPE_NONE_TO_NONE));
    for (int i = 0; l->slack && i < 2; i++)
        rc = rc ? rc : wasm_write_uint(&l->scratch, added_type(l, TYPE_CHECK));
    return rc ? no_memory(l) : put_section(l, WASM_SECTION_FUNCTION);
}

static wasm_code_map guest_map(const linker *l)
{
    return (wasm_code_map){
        .func = l->func,
        .func_count = l->guest.imported[WASM_KIND_FUNC] + l->guest.func_count,
        .grow = l->grow,
        .size_global = l->size_global,
        .memory_count = l->memory_count,
        .check_write = l->slack ? added_func(l, l->memory_count + 1) : 0,
        .check_copy = l->slack ? added_func(l, l->memory_count + 2) : 0,
    };
}

static int put_tables(linker *l)
{
    wasm_code_map map = guest_map(l);
    wasm_reader r;
    wasm_limits limits;
    int rc = 0;

    if (l->guest.section[WASM_SECTION_TABLE].len == 0)
        return 0;
    r = wasm_reader_of(l->guest.section[WASM_SECTION_TABLE]);
    uint32_t count = wasm_read_u32(&r);
    rc = wasm_write_uint(&l->scratch, count);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        const uint8_t *start = r.at;
        bool has_init = wasm_reader_more(&r) && *r.at == 0x40;
        if (has_init)
            wasm_read_bytes(&r, 2);
        wasm_skip_valtype(&r);
        wasm_read_limits(&r, &limits);
        if (r.failed)
            return not_understood(l, "table");
        rc = buf_append(&l->scratch, start, (size_t)(r.at - start));
        if (has_init && rc == 0)
            rc = wasm_code_rewrite_const(&r, &map, NULL, &l->scratch, l->err);
    }
    return rc ? rc : put_section(l, WASM_SECTION_TABLE);
}

static int put_limits(buf *out, const wasm_limits *limits)
{
    int rc = buf_append_byte(out, limits->flags);
    rc = rc ? rc : wasm_write_uint(out, limits->min);
    if (limits->flags & WASM_LIMITS_HAS_MAX)
        rc = rc ? rc : wasm_write_uint(out, limits->max);
    if (limits->flags & WASM_LIMITS_PAGE_SIZE)
        rc = rc ? rc : wasm_write_uint(out, limits->page_size_log2);
    return rc;
}

static int put_memories(linker *l)
{
    wasm_reader kernel = wasm_reader_of(l->kernel.section[WASM_SECTION_MEMORY]);
    uint32_t first = l->guest.imported[WASM_KIND_MEMORY];
    int rc = wasm_write_uint(&l->scratch, (uint64_t)l->guest.memory_count + l->kernel.memory_count);

    for (uint32_t i = first; i < l->memory_count && rc == 0; i++)
        rc = put_limits(&l->scratch, &l->memory[i].limits);
    if (l->kernel.memory_count) {
        wasm_read_u32(&kernel);
        rc = rc ? rc : copy_rest(l, &kernel);
    }
    return rc ? no_memory(l) : put_section(l, WASM_SECTION_MEMORY);
}

/* Copies the guest's globals, and writes down for the reset function how each began. */
static int put_globals(linker *l)
{
    wasm_code_map map = guest_map(l);
    wasm_reader r;
    uint32_t number = l->guest.imported[WASM_KIND_GLOBAL];
    int rc = begin_counted(l, WASM_SECTION_GLOBAL, l->slack > 0, &r);

    for (uint32_t i = 0; i < l->guest.global_count && rc == 0; i++, number++) {
        const uint8_t *start = r.at;
        bool plain;
        wasm_skip_valtype(&r);
        bool is_mutable = wasm_read_byte(&r) & 1;
        if (r.failed)
            return not_understood(l, "global");
        rc = buf_append(&l->scratch, start, (size_t)(r.at - start));
        size_t init = l->scratch.len;
        rc = rc ? rc : wasm_code_rewrite_const(&r, &map, &plain, &l->scratch, l->err);
        if (rc != 0 || !is_mutable)
            continue;
        l->out->recyclable = l->out->recyclable && plain;
        rc = buf_append(&l->resets, l->scratch.data + init, l->scratch.len - init - 1);
        rc = rc ? rc : buf_append_byte(&l->resets, 0x24 /* global.set */);
        rc = rc ? rc : wasm_write_uint(&l->resets, number);
    }
    if (l->slack && rc == 0) {
        const uint8_t type[] = {VALTYPE_I32, 1 /* mutable */, 0x41 /* i32.const */};
        rc = buf_append(&l->scratch, type, sizeof type);
        rc = rc ? rc : wasm_write_sint(&l->scratch, l->out->told_pages);
        rc = rc ? rc : buf_append_byte(&l->scratch, 0x0b);
        rc = rc ? rc : buf_append_byte(&l->resets, 0x41);
        rc = rc ? rc : wasm_write_sint(&l->resets, l->out->told_pages);
        rc = rc ? rc : buf_append_byte(&l->resets, 0x24);
        rc = rc ? rc : wasm_write_uint(&l->resets, number);
    }
    return rc ? rc : put_section(l, WASM_SECTION_GLOBAL);
}

static int put_export(linker *l, const char *name, enum wasm_extern_kind kind, uint32_t index)
{
    int rc = put_name(l, name);
    rc = rc ? rc : buf_append_byte(&l->scratch, (uint8_t)kind);
    return rc ? rc : wasm_write_uint(&l->scratch, index);
}

static int put_exports(linker *l)
{
    wasm_reader start = wasm_reader_of(l->guest.section[WASM_SECTION_START]), r;
    l->out->has_start = l->guest.section[WASM_SECTION_START].len > 0;
    uint32_t added = 1 + l->guest.memory_count + merged(l) + l->out->has_start;
    uint32_t first = l->guest.imported[WASM_KIND_MEMORY];
    int rc = begin_counted(l, WASM_SECTION_EXPORT, added, &r);

    while (wasm_reader_more(&r) && rc == 0) {
        const uint8_t *entry = r.at;
        wasm_read_name(&r);
        uint8_t kind = wasm_read_byte(&r);
        const uint8_t *behind = r.at;
        uint32_t index = wasm_read_u32(&r);
        if (r.failed)
            return not_understood(l, "export");
        rc = buf_append(&l->scratch, entry, (size_t)(behind - entry));
        rc = rc ? rc : wasm_write_uint(&l->scratch, kind == WASM_KIND_FUNC ? l->func[index] : index);
    }
    for (uint32_t i = 0; i < l->guest.memory_count && rc == 0; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%" PRIu32, LINK_EXPORT_MEMORY, i);
        rc = put_export(l, name, WASM_KIND_MEMORY, first + i);
    }
    if (merged(l))
        rc = rc ? rc : put_export(l, LINK_EXPORT_KERNEL_MEMORY, WASM_KIND_MEMORY, l->memory_count);
    if (l->out->has_start)
        rc = rc ? rc : put_export(l, LINK_EXPORT_START, WASM_KIND_FUNC, l->func[wasm_read_u32(&start)]);
    rc = rc ? rc : put_export(l, LINK_EXPORT_RESET, WASM_KIND_FUNC, added_func(l, l->memory_count));
    return rc ? no_memory(l) : put_section(l, WASM_SECTION_EXPORT);
}

/* One element segment. Its flags say what it holds: bit 0 passive or declared, bit 1 a table index
 * or declared, bit 2 expressions in place of function numbers. */
static int put_element(linker *l, wasm_reader *r, const wasm_code_map *map)
{
    const uint8_t *start = r->at;
    uint32_t flags = wasm_read_u32(r);
    bool active = !(flags & 1), explicit_table = active && flags & 2, expressions = flags & 4;
    int rc;

    if (explicit_table)
        wasm_read_u32(r);
    rc = buf_append(&l->scratch, start, (size_t)(r->at - start));
    if (active && rc == 0)
        rc = wasm_code_rewrite_const(r, map, NULL, &l->scratch, l->err);
    start = r->at;
    if (flags & 3) { /* the kind or type of what follows */
        if (expressions)
            wasm_skip_valtype(r);
        else
            wasm_read_byte(r);
    }
    uint32_t count = wasm_read_u32(r);
    rc = rc ? rc : buf_append(&l->scratch, start, (size_t)(r->at - start));
    for (uint32_t i = 0; i < count && rc == 0 && !r->failed; i++) {
        if (expressions) {
            rc = wasm_code_rewrite_const(r, map, NULL, &l->scratch, l->err);
            continue;
        }
        uint32_t func = wasm_read_u32(r);
        rc = func < map->func_count ? wasm_write_uint(&l->scratch, map->func[func]) : E_INVALID;
    }
    return rc;
}

static int put_elements(linker *l)
{
    wasm_code_map map = guest_map(l);
    wasm_reader r;
    int rc;

    if (l->guest.section[WASM_SECTION_ELEMENT].len == 0)
        return 0;
    rc = begin_counted(l, WASM_SECTION_ELEMENT, 0, &r);
    while (wasm_reader_more(&r) && rc == 0)
        rc = put_element(l, &r, &map);
    if (rc != 0 || r.failed)
        return not_understood(l, "element");
    return put_section(l, WASM_SECTION_ELEMENT);
}

/* --- code ---------------------------------------------------------------------------------------- */

/* The stand-in for memory.grow: charges the pages, then grows. */
static int grow_body(linker *l, uint32_t memory, buf *body)
{
    bool is_64 = l->memory[memory].limits.flags & WASM_LIMITS_64;
    int rc = buf_append(body, "\x00\x20\x00", 3); /* no locals; local.get 0 */
    if (!is_64)
        rc = rc ? rc : buf_append_byte(body, 0xad); /* i64.extend_i32_u */
    rc = rc ? rc : buf_append_byte(body, 0x10);     /* call */
    rc = rc ? rc : wasm_write_uint(body, l->charge);
    rc = rc ? rc : buf_append(body, "\x1a\x20\x00\x40", 4); /* drop; local.get 0; memory.grow */
    rc = rc ? rc : wasm_write_uint(body, memory);
    return rc ? rc : buf_append_byte(body, 0x0b);
}

static int op_index(buf *body, uint8_t op, uint64_t index)
{
    int rc = buf_append_byte(body, op);
    return rc ? rc : wasm_write_uint(body, index);
}

/* The stand-in where there is slack: the told size moves, and the memory only when that does not
 * fit any more. Local 1 holds the new told size as i64.
 *
 *   size1 = charge(delta) + told
 *   if size1 > 65536: return -1
 *   if size1 > memory.size: if memory.grow(size1 - memory.size) == -1: return -1
 *   open(told, size1)
 *   old = told; told = size1; return old */
static int slack_grow_body(linker *l, uint32_t memory, buf *body)
{
    uint32_t told = l->size_global[memory];
    int rc = buf_append(body, "\x01\x01\x7e\x20\x00\xad", 6); /* local i64; get 0; extend */
    rc = rc ? rc : op_index(body, 0x10, l->charge);
    rc = rc ? rc : op_index(body, 0x23, told);
    rc = rc ? rc : buf_append(body, "\xad\x7c\x22\x01", 4); /* extend; i64.add; local.tee 1 */
    rc = rc ? rc : buf_append(body, "\x42\x80\x80\x04\x56", 5);         /* 65536; i64.gt_u */
    rc = rc ? rc : buf_append(body, "\x04\x40\x41\x7f\x0f\x0b\x20\x01", 8); /* if; return -1; end */
    rc = rc ? rc : op_index(body, 0x3f, memory);
    rc = rc ? rc : buf_append(body, "\xad\x56\x04\x40\x20\x01", 6); /* extend; i64.gt_u; if; get 1 */
    rc = rc ? rc : op_index(body, 0x3f, memory);
    rc = rc ? rc : buf_append(body, "\xad\x7d\xa7", 3); /* extend; i64.sub; i32.wrap_i64 */
    rc = rc ? rc : op_index(body, 0x40, memory);
    rc = rc ? rc : buf_append(body, "\x41\x7f\x46\x04\x40", 5); /* -1; i32.eq; if */
    rc = rc ? rc : buf_append(body, "\x41\x7f\x0f\x0b\x0b", 5); /* return -1; end; end */
    rc = rc ? rc : op_index(body, 0x23, told);
    rc = rc ? rc : buf_append(body, "\x20\x01\xa7", 3); /* local.get 1; i32.wrap_i64 */
    rc = rc ? rc : op_index(body, 0x10, l->open);
    rc = rc ? rc : op_index(body, 0x23, told);
    rc = rc ? rc : buf_append(body, "\x20\x01\xa7", 3); /* local.get 1; i32.wrap_i64 */
    rc = rc ? rc : op_index(body, 0x24, told);
    return rc ? rc : buf_append_byte(body, 0x0b);
}

/* Traps as the engine does when local `start` + local 2 is beyond the told size. */
static int check_range(linker *l, uint8_t start, buf *body)
{
    int rc = op_index(body, 0x20, start);
    rc = rc ? rc : buf_append(body, "\xad\x20\x02\xad\x7c", 5); /* extend; get 2; extend; add */
    rc = rc ? rc : op_index(body, 0x23, l->size_global[0]);
    rc = rc ? rc : buf_append(body, "\xad\x42\x10\x86\x56\x04\x40", 7); /* << 16; gt_u; if */
    /* i32.const -1; i32.load; drop; end: no memory reaches that far */
    return rc ? rc : buf_append(body, "\x41\x7f\x28\x00\x00\x1a\x0b", 7);
}

static int check_body(linker *l, bool copy, buf *body)
{
    int rc = buf_append_byte(body, 0); /* no locals */
    rc = rc ? rc : check_range(l, 0, body);
    if (copy)
        rc = rc ? rc : check_range(l, 1, body);
    return rc ? rc : buf_append(body, "\x20\x00\x20\x01\x20\x02\x0b", 7);
}

static int added_bodies(linker *l, buf *body)
{
    int rc = 0;
    for (uint32_t i = 0; i < l->memory_count && rc == 0; i++) {
        buf_clear(body);
        rc = l->size_global[i] == WASM_KEEP ? grow_body(l, i, body) : slack_grow_body(l, i, body);
        rc = rc ? rc : put_body(l, body);
    }
    buf_clear(body);
    rc = rc ? rc : buf_append_byte(body, 0); /* no locals */
    rc = rc ? rc : buf_append(body, l->resets.data, l->resets.len);
    rc = rc ? rc : buf_append_byte(body, 0x0b);
    rc = rc ? rc : put_body(l, body);
    for (int copy = 0; l->slack && copy < 2 && rc == 0; copy++) {
        buf_clear(body);
        rc = check_body(l, copy, body);
        rc = rc ? rc : put_body(l, body);
    }
    return rc ? no_memory(l) : 0;
}

static int put_code(linker *l)
{
    wasm_code_map guest = guest_map(l);
    wasm_code_map kernel = {
        .func = l->kernel_func,
        .func_count = l->kernel.func_count,
        .type = l->kernel_type,
        .type_count = l->kernel.type_count,
        .memory_base = l->memory_count,
    };
    wasm_code_facts unused = {0};
    buf body;
    int rc;

    buf_init(&body, LIMIT_MODULE_BYTES);
    rc = wasm_write_uint(&l->scratch, (uint64_t)l->guest.func_count + l->kernel.func_count +
                                          added_func_count(l));
    rc = rc ? rc : put_bodies(l, l->guest.section[WASM_SECTION_CODE], &guest, &unused, &body);
    rc = rc ? rc : put_bodies(l, l->kernel.section[WASM_SECTION_CODE], &kernel, &unused, &body);
    rc = rc ? rc : added_bodies(l, &body);
    rc = rc ? rc : put_section(l, WASM_SECTION_CODE);
    buf_deinit(&body);
    return rc;
}

/* The `name` section with the functions renumbered, for backtraces. A name section may be anything
 * at all without making a module invalid: what is not understood is left out. */
static int put_names(linker *l)
{
    enum { MODULE_NAME = 0, FUNCTION_NAMES = 1 };
    wasm_reader r = wasm_reader_of(l->guest.names);
    uint32_t funcs = l->guest.imported[WASM_KIND_FUNC] + l->guest.func_count;
    buf names;
    int rc = 0;

    buf_init(&names, LIMIT_MODULE_BYTES);
    rc = wasm_write_uint(&l->scratch, 4);
    rc = rc ? rc : buf_append_str(&l->scratch, "name");
    while (wasm_reader_more(&r) && rc == 0) {
        uint8_t id = wasm_read_byte(&r);
        slice content = wasm_read_name(&r);
        wasm_reader sub = wasm_reader_of(content);
        uint32_t kept = 0;
        buf_clear(&names);
        if (r.failed)
            break;
        if (id == MODULE_NAME)
            rc = buf_append(&names, content.data, content.len);
        for (uint32_t n = id == FUNCTION_NAMES ? wasm_read_u32(&sub) : 0; n > 0 && rc == 0; n--) {
            uint32_t func = wasm_read_u32(&sub);
            slice name = wasm_read_name(&sub);
            if (sub.failed)
                break;
            if (func >= funcs || l->func[func] >= l->kept_imports + l->guest.func_count)
                continue;
            kept++;
            rc = wasm_write_uint(&names, l->func[func]);
            rc = rc ? rc : wasm_write_uint(&names, name.len);
            rc = rc ? rc : buf_append(&names, name.data, name.len);
        }
        if (id > FUNCTION_NAMES || rc != 0)
            continue;
        buf count;
        buf_init(&count, 16);
        if (id == FUNCTION_NAMES)
            rc = wasm_write_uint(&count, kept);
        rc = rc ? rc : buf_append_byte(&l->scratch, id);
        rc = rc ? rc : wasm_write_uint(&l->scratch, count.len + names.len);
        rc = rc ? rc : buf_append(&l->scratch, count.data, count.len);
        rc = rc ? rc : buf_append(&l->scratch, names.data, names.len);
        buf_deinit(&count);
    }
    buf_deinit(&names);
    return rc ? no_memory(l) : put_section(l, WASM_SECTION_CUSTOM);
}

static int put_all(linker *l)
{
    static const uint8_t preamble[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    int rc = buf_append(&l->out->wasm, preamble, sizeof preamble);

    rc = rc ? rc : put_types(l);
    rc = rc ? rc : put_imports(l);
    rc = rc ? rc : put_functions(l);
    rc = rc ? rc : put_tables(l);
    rc = rc ? rc : put_memories(l);
    rc = rc ? rc : copy_section(l, WASM_SECTION_TAG);
    rc = rc ? rc : put_globals(l);
    rc = rc ? rc : put_exports(l);
    rc = rc ? rc : put_elements(l);
    rc = rc ? rc : copy_section(l, WASM_SECTION_DATA_COUNT);
    rc = rc ? rc : put_code(l);
    rc = rc ? rc : copy_section(l, WASM_SECTION_DATA);
    return rc ? rc : put_names(l);
}

/* The added exports' names must be free. */
static int check_exports(linker *l)
{
    wasm_reader r = wasm_reader_of(l->guest.section[WASM_SECTION_EXPORT]);
    uint32_t count = l->guest.section[WASM_SECTION_EXPORT].len ? wasm_read_u32(&r) : 0;
    uint32_t funcs = l->guest.imported[WASM_KIND_FUNC] + l->guest.func_count;

    for (; count > 0; count--) {
        slice name = wasm_read_name(&r);
        uint8_t kind = wasm_read_byte(&r);
        uint32_t index = wasm_read_u32(&r);
        if (r.failed || (kind == WASM_KIND_FUNC && index >= funcs))
            return not_understood(l, "export");
        if (name.len > 0 && name.data[0] == '\x01')
            return error_set(l->err, E_INVALID, "an export's name begins with a control character "
                                                "that is kept for the host");
    }
    return 0;
}

int wasm_link(linked_module *out, slice module, const link_options *options, error *err)
{
    linker l = {.options = options, .out = out, .err = err};
    int rc;

    *out = (linked_module){.recyclable = true};
    buf_init(&out->wasm, LIMIT_MODULE_BYTES);
    buf_init(&l.resets, LIMIT_MODULE_BYTES);
    buf_init(&l.scratch, LIMIT_MODULE_BYTES);
    rc = wasm_module_parse(&l.guest, module, err);
    if (rc == 0 && options->mode == LINK_MERGED)
        rc = wasm_module_parse(&l.kernel, options->kernel, err);
    rc = rc ? rc : check_exports(&l);
    rc = rc ? rc : read_memories(&l);
    rc = rc ? rc : place_slack(&l);
    rc = rc ? rc : number_functions(&l);
    if (rc == 0) {
        number_added(&l);
        rc = put_all(&l);
    }
    if (rc != 0)
        linked_module_deinit(out);
    buf_deinit(&l.resets);
    buf_deinit(&l.scratch);
    free(l.func);
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
