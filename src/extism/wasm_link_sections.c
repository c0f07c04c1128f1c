#include "extism/limits.h"
#include "extism/wasm_link_internal.h"

#include <inttypes.h>
#include <stdio.h>

static int copy_section(linker *l, enum wasm_section id)
{
    slice s = l->guest.section[id];
    if (s.len == 0)
        return 0;
    if (buf_append(&l->scratch, s.data, s.len) != 0)
        return wasm_link_no_memory(l);
    return wasm_link_put_section(l, id);
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
        return wasm_link_no_memory(l);
    return wasm_link_put_section(l, WASM_SECTION_TYPE);
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
    if (!wasm_link_merged(l))
        rc = rc ? rc : put_added_import(l, LINK_IMPORT_CHARGE, TYPE_I64_TO_I64);
    else if (l->slack)
        rc = rc ? rc : put_added_import(l, LINK_IMPORT_OPEN, TYPE_OPEN);
    return rc ? wasm_link_no_memory(l) : wasm_link_put_section(l, WASM_SECTION_IMPORT);
}

static int put_functions(linker *l)
{
    wasm_reader r, kernel = wasm_reader_of(l->kernel.section[WASM_SECTION_FUNCTION]);
    int rc = begin_counted(l, WASM_SECTION_FUNCTION, l->kernel.func_count + wasm_link_added_func_count(l), &r);

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
    return rc ? wasm_link_no_memory(l) : wasm_link_put_section(l, WASM_SECTION_FUNCTION);
}

static int put_tables(linker *l)
{
    wasm_code_map map = wasm_link_guest_map(l);
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
            return wasm_link_not_understood(l, "table");
        rc = buf_append(&l->scratch, start, (size_t)(r.at - start));
        if (has_init && rc == 0)
            rc = wasm_code_rewrite_const(&r, &map, NULL, &l->scratch, l->err);
    }
    return rc ? wasm_link_failed(l, rc) : wasm_link_put_section(l, WASM_SECTION_TABLE);
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
    return rc ? wasm_link_no_memory(l) : wasm_link_put_section(l, WASM_SECTION_MEMORY);
}

/* Remembers a mutable global, for the host to save, if that can be. */
static void save_global(linker *l, uint32_t number, bool is_number)
{
    l->out->resets = true;
    if (!is_number || l->out->global_count == LINK_SAVED_GLOBALS)
        l->out->saves_globals = false;
    else
        l->saved[l->out->global_count++] = number;
}

/* Copies the guest's globals, and writes down for the reset function how each began. */
static int put_globals(linker *l)
{
    wasm_code_map map = wasm_link_guest_map(l);
    wasm_reader r;
    uint32_t number = l->guest.imported[WASM_KIND_GLOBAL];
    int rc = begin_counted(l, WASM_SECTION_GLOBAL, l->slack > 0, &r);

    l->out->saves_globals = true;

    for (uint32_t i = 0; i < l->guest.global_count && rc == 0; i++, number++) {
        const uint8_t *start = r.at;
        bool plain, number_type = wasm_reader_more(&r) && *r.at >= VALTYPE_F64 && *r.at <= VALTYPE_I32;
        wasm_skip_valtype(&r);
        bool is_mutable = wasm_read_byte(&r) & 1;
        if (r.failed)
            return wasm_link_not_understood(l, "global");
        rc = buf_append(&l->scratch, start, (size_t)(r.at - start));
        size_t init = l->scratch.len;
        rc = rc ? rc : wasm_code_rewrite_const(&r, &map, &plain, &l->scratch, l->err);
        if (rc != 0 || !is_mutable)
            continue;
        l->out->recyclable = l->out->recyclable && plain;
        save_global(l, number, number_type);
        rc = buf_append(&l->resets, l->scratch.data + init, l->scratch.len - init - 1);
        rc = rc ? rc : buf_append_byte(&l->resets, 0x24 /* global.set */);
        rc = rc ? rc : wasm_write_uint(&l->resets, number);
    }
    if (l->slack && rc == 0) {
        const uint8_t type[] = {VALTYPE_I32, 1 /* mutable */, 0x41 /* i32.const */};
        save_global(l, number, true);
        rc = buf_append(&l->scratch, type, sizeof type);
        rc = rc ? rc : wasm_write_sint(&l->scratch, l->out->told_pages);
        rc = rc ? rc : buf_append_byte(&l->scratch, 0x0b);
        rc = rc ? rc : buf_append_byte(&l->resets, 0x41);
        rc = rc ? rc : wasm_write_sint(&l->resets, l->out->told_pages);
        rc = rc ? rc : buf_append_byte(&l->resets, 0x24);
        rc = rc ? rc : wasm_write_uint(&l->resets, number);
    }
    return rc ? wasm_link_failed(l, rc) : wasm_link_put_section(l, WASM_SECTION_GLOBAL);
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
    if (!l->out->saves_globals)
        l->out->global_count = 0;
    uint32_t added = 1 + l->guest.memory_count + wasm_link_merged(l) + l->out->has_start +
                     l->out->global_count;
    uint32_t first = l->guest.imported[WASM_KIND_MEMORY];
    int rc = begin_counted(l, WASM_SECTION_EXPORT, added, &r);

    while (wasm_reader_more(&r) && rc == 0) {
        const uint8_t *entry = r.at;
        wasm_read_name(&r);
        uint8_t kind = wasm_read_byte(&r);
        const uint8_t *behind = r.at;
        uint32_t index = wasm_read_u32(&r);
        if (r.failed)
            return wasm_link_not_understood(l, "export");
        rc = buf_append(&l->scratch, entry, (size_t)(behind - entry));
        rc = rc ? rc : wasm_write_uint(&l->scratch, kind == WASM_KIND_FUNC ? l->func[index] : index);
    }
    for (uint32_t i = 0; i < l->guest.memory_count && rc == 0; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%" PRIu32, LINK_EXPORT_MEMORY, i);
        rc = put_export(l, name, WASM_KIND_MEMORY, first + i);
    }
    for (uint32_t i = 0; i < l->out->global_count && rc == 0; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%" PRIu32, LINK_EXPORT_GLOBAL, i);
        rc = put_export(l, name, WASM_KIND_GLOBAL, l->saved[i]);
    }
    if (wasm_link_merged(l))
        rc = rc ? rc : put_export(l, LINK_EXPORT_KERNEL_MEMORY, WASM_KIND_MEMORY, l->memory_count);
    if (l->out->has_start)
        rc = rc ? rc : put_export(l, LINK_EXPORT_START, WASM_KIND_FUNC, l->func[wasm_read_u32(&start)]);
    rc = rc ? rc : put_export(l, LINK_EXPORT_RESET, WASM_KIND_FUNC, wasm_link_added_func(l, l->memory_count));
    return rc ? wasm_link_no_memory(l) : wasm_link_put_section(l, WASM_SECTION_EXPORT);
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
    wasm_code_map map = wasm_link_guest_map(l);
    wasm_reader r;
    int rc;

    if (l->guest.section[WASM_SECTION_ELEMENT].len == 0)
        return 0;
    rc = begin_counted(l, WASM_SECTION_ELEMENT, 0, &r);
    while (wasm_reader_more(&r) && rc == 0)
        rc = put_element(l, &r, &map);
    if (rc == E_INVALID || r.failed)
        return wasm_link_not_understood(l, "element");
    if (rc != 0)
        return wasm_link_failed(l, rc);
    return wasm_link_put_section(l, WASM_SECTION_ELEMENT);
}

int wasm_link_put_front(linker *l)
{
    int rc = put_types(l);
    rc = rc ? rc : put_imports(l);
    rc = rc ? rc : put_functions(l);
    rc = rc ? rc : put_tables(l);
    rc = rc ? rc : put_memories(l);
    rc = rc ? rc : copy_section(l, WASM_SECTION_TAG);
    rc = rc ? rc : put_globals(l);
    rc = rc ? rc : put_exports(l);
    rc = rc ? rc : put_elements(l);
    return rc ? rc : copy_section(l, WASM_SECTION_DATA_COUNT);
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
    return rc ? wasm_link_no_memory(l) : wasm_link_put_section(l, WASM_SECTION_CUSTOM);
}

int wasm_link_put_back(linker *l)
{
    int rc = wasm_link_put_data(l);
    return rc ? rc : put_names(l);
}
