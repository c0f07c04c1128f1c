#ifndef UBIQ_EXTISM_WASM_MODULE_H
#define UBIQ_EXTISM_WASM_MODULE_H

#include "base/error.h"
#include "extism/wasm_reader.h"

/* A module's sections and the sizes of its index spaces; a view into the module's bytes. */
typedef struct wasm_module {
    slice section[WASM_SECTION_COUNT]; /* content behind the size; empty where there is none */
    slice names;                       /* the custom section `name`, or empty */
    uint32_t type_count;               /* types, not groups of them */
    uint32_t import_count;
    uint32_t imported[5];              /* by wasm_extern_kind */
    uint32_t func_count;               /* defined ones, here and below */
    uint32_t memory_count;
    uint32_t global_count;
} wasm_module;

typedef struct wasm_import {
    slice module;
    slice name;
    enum wasm_extern_kind kind;
    uint32_t type; /* of a function */
    slice raw;     /* the whole entry */
} wasm_import;

typedef struct wasm_limits {
    uint8_t flags; /* 1 has a maximum, 2 shared, 4 64-bit, 8 has a page size */
    uint64_t min;
    uint64_t max;
    uint32_t page_size_log2; /* 16 unless it is given */
} wasm_limits;

#define WASM_LIMITS_HAS_MAX 1u
#define WASM_LIMITS_SHARED 2u
#define WASM_LIMITS_64 4u
#define WASM_LIMITS_PAGE_SIZE 8u

/* Finds the sections. `bytes` must outlive `out`. E_INVALID for what is not a core module. */
int wasm_module_parse(wasm_module *out, slice bytes, error *err) MUST_CHECK;

/* Reads the next import; `r` stands behind the count of the import section. */
void wasm_read_import(wasm_reader *r, wasm_import *out);

/* Reads the limits of a memory or table. */
void wasm_read_limits(wasm_reader *r, wasm_limits *out);

/* A function type's vectors of value types, as the section has them; empty views for another type. */
typedef struct wasm_signature {
    slice params;
    slice results;
} wasm_signature;

/* Lists all types, m->type_count of them; the caller frees the array. */
int wasm_module_list_types(const wasm_module *m, wasm_signature **out, error *err) MUST_CHECK;

/* How many types a vector of them has. */
uint32_t wasm_count_types(slice vector);

#endif
