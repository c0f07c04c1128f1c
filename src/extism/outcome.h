#ifndef UBIQ_EXTISM_OUTCOME_H
#define UBIQ_EXTISM_OUTCOME_H

#include "extism/instance.h"

/* What a finished call amounts to, by upstream's rules. */

#define OUTCOME_TRAPPED 134 /* as a shell reports SIGABRT */

typedef struct outcome {
    int32_t code;           /* what extism_plugin_call returns */
    uint64_t output_offset; /* in the kernel's memory */
    uint64_t output_length; /* within it */
    uint64_t error_offset;  /* of the text that the guest set, or 0 */
    uint64_t error_length;  /* within the memory; 0 where that is no block */
} outcome;

/* Reads the outcome of calling `e`: `failed` is 0 or what the call failed with, and its text stands in
 * `err`; `result` is what the function returned. Leaves in `err` the error of the call as a whole,
 * or nothing. */
void outcome_read(outcome *out, instance *i, const struct module_export *e, int failed,
                  wasmtime_val_raw_t result, error *err);

/* Whether main's function of this name can be called; if not, why, in upstream's words. */
int outcome_check_function(const struct module_export *e, const char *name, error *err) MUST_CHECK;

#endif
