#ifndef UBIQ_EXTISM_MODULE_INTERFACE_H
#define UBIQ_EXTISM_MODULE_INTERFACE_H

#include "base/buf.h"
#include "extism/wasm_reader.h"

/* What a linked module imports and exports, found once from its bytes and kept with its compiled code.
 * (The engine's C API can tell too, but ends the process when a type is not one that it knows.) */

struct module_import {
    slice module;
    slice name;
    enum wasm_extern_kind kind;
    slice type; /* for messages, as the engine writes it: "(type (func (param i64)))", "i32" */
};

struct module_export {
    slice name;
    size_t number; /* its place among the module's exports, the same on every engine */
    enum wasm_extern_kind kind;
    /* Of a function: */
    uint32_t params;
    uint32_t results;
    bool only_i32;  /* all parameters are i32, and there are at most four results */
    uint8_t result; /* WASM_I32 or another type's first byte, of one result */
};

#define WASM_I32_TYPE 0x7f

typedef struct module_interface {
    buf text; /* the description; what the views below point into */
    struct module_import *imports;
    size_t import_count;
    struct module_export *exports; /* in byte order of names; without those the linker added */
    size_t export_count;
} module_interface;

/* Describes a linked module: fills in out->text, and all else from it. */
int module_interface_create(module_interface *out, slice linked, error *err) MUST_CHECK;

/* The same from a description that was kept. E_INVALID when it is not one. */
int module_interface_read(module_interface *out, slice text, error *err) MUST_CHECK;

/* The export of this name, or NULL. */
const struct module_export *module_interface_find(const module_interface *m, slice name);

/* Frees the content. Takes an all-zero one. */
void module_interface_deinit(module_interface *m);

#endif
