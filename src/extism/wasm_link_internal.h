#ifndef UBIQ_EXTISM_WASM_LINK_INTERNAL_H
#define UBIQ_EXTISM_WASM_LINK_INTERNAL_H

#include "extism/wasm_code.h"
#include "extism/wasm_link.h"
#include "extism/wasm_module.h"

/* What wasm_link.c (which number everything gets), wasm_link_sections.c and wasm_link_code.c (the
 * result's sections) and wasm_link_data.c (data among them) share. */

#define ENV_MODULE "extism:host/env"
#define PAGES_32_MAX 65536u

enum { VALTYPE_I32 = 0x7f, VALTYPE_I64 = 0x7e, VALTYPE_F64 = 0x7c };

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
    uint8_t *inlined;      /* of each of the guest's functions: enum wasm_inline; NULL: none is */
    wasm_signature *types; /* the guest's, */
    wasm_signature *kernel_types;
    uint32_t *grow;        /* by memory: the function that stands in for memory.grow, */
    uint32_t *size_global; /* and the global that stands in for memory.size, or WASM_KEEP */
    guest_memory *memory;
    uint32_t memory_count; /* imported and defined */
    uint32_t kept_imports; /* functions among the imports of the result */
    uint32_t slack;        /* pages of slack of memory 0 */
    uint32_t charge;       /* number of the kernel's `charge` */
    uint32_t open;         /* number of the import LINK_IMPORT_OPEN, when there is slack */
    uint32_t saved[LINK_SAVED_GLOBALS]; /* mutable globals that are exported for the host */
    buf resets;            /* body of the added reset function */
    buf scratch;           /* the section at work */
    linked_module *out;
    error *err;
} linker;

static inline bool wasm_link_merged(const linker *l)
{
    return l->options->mode == LINK_MERGED;
}

/* Functions are added behind all others: one a memory that grows it, the reset function, and with
 * slack the two that check operands. */
static inline uint32_t wasm_link_added_func(const linker *l, uint32_t n)
{
    return l->kept_imports + l->guest.func_count + l->kernel.func_count + n;
}

static inline uint32_t wasm_link_added_func_count(const linker *l)
{
    return l->memory_count + 1 + (l->slack ? 2 : 0);
}

/* E_INVALID: a section is not understood. */
int wasm_link_not_understood(linker *l, const char *what);

/* E_NO_MEMORY. */
int wasm_link_no_memory(linker *l);

/* Says why a section could not be written: what is wrong with it was said, the other reasons were not.
 * Returns `rc`. */
int wasm_link_failed(linker *l, int rc);

/* Appends the section in l->scratch to the result, and clears that. */
int wasm_link_put_section(linker *l, enum wasm_section id);

/* How the guest's code is rewritten. */
wasm_code_map wasm_link_guest_map(const linker *l);

/* Appends the rewritten function bodies of a module, without their count, to l->scratch; `types` are
 * its types, `body` is room to work in. */
int wasm_link_put_bodies(linker *l, const wasm_module *m, const wasm_signature *types,
                         const wasm_code_map *map, wasm_code_facts *facts, buf *body);

/* Whether all active data lies in memory 0 as it is told. What lies behind must trap, and in slack it
 * would not; where only the engine can tell, it is taken to lie behind. */
bool wasm_link_data_fits(const linker *l);

/* Writes the data section to the result, so that the engine copies a little data into each new
 * instance and does not map it. */
int wasm_link_put_data(linker *l);

/* Write sections to the result: those up to the element section, the code section, those behind. */
int wasm_link_put_front(linker *l);
int wasm_link_put_code(linker *l);
int wasm_link_put_back(linker *l);

#endif
