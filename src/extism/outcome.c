#include "extism/outcome.h"

#include "base/utf8.h"
#include "extism/limits.h"

#include <stdio.h>
#include <string.h>

int outcome_check_function(const struct module_export *e, const char *name, error *err)
{
    if (!e || e->kind != WASM_KIND_FUNC)
        return error_set(err, E_NOT_FOUND, "Function not found: %s", name);
    if (e->results > 1)
        return error_set(err, E_INVALID, "Function %s has %u results, expected 0 or 1", name,
                         e->results);
    if (e->params > 0)
        return error_set(err, E_INVALID, "expected %u arguments, got 0", e->params);
    return 0;
}

/* The guest's error text, cut off behind a whole character if it is very long. */
static slice error_words(instance *i, const outcome *o)
{
    slice text = kernel_memory_view(instance_kernel(i), o->error_offset, o->error_length);

    if (text.len > LIMIT_ERROR_BYTES) {
        text.len = LIMIT_ERROR_BYTES;
        size_t whole = slice_utf8_prefix(text);
        text.len = text.len - whole < 4 ? whole : text.len;
    }
    return text;
}

/* The guest's own error text takes the place of a success, and stands as the cause of a failure. */
static void add_guest_error(instance *i, const outcome *o, error *err)
{
    slice text = error_words(i, o);
    const char *words = (const char *)text.data;
    char problem[UTF8_PROBLEM_BYTES + 64];
    int len = (int)text.len;

    if (!slice_is_utf8(text)) {
        len = snprintf(problem, sizeof problem, "unable to load error message from memory: ");
        utf8_describe(text, problem + len, sizeof problem - (size_t)len);
        words = problem;
        len = (int)strlen(words);
    }
    if (!err->text) {
        error_set(err, E_TRAP, "%.*s", len, words);
        return;
    }
    /* The backtrace first, as upstream has it; what follows it there is the cause. */
    const char *cause = strstr(err->text, "\n\nCaused by:");
    int front = (int)(cause ? cause - err->text : (ptrdiff_t)strlen(err->text));
    error both = {0};
    error_set(&both, err->code, "%.*s\n\nCaused by:\n    0: %.*s\n    1: %s", front, err->text, len, words,
              engine_root_cause(err->text));
    error_deinit(err);
    *err = both;
}

static bool out_of_fuel(instance *i, const compiled_plugin *code)
{
    uint64_t left = 1;
    if (!code->options.has_fuel)
        return false;
    wasmtime_error_t *e = wasmtime_context_get_fuel(instance_context(i), &left);
    if (e)
        wasmtime_error_delete(e);
    return left == 0;
}

static void read_memory(outcome *out, instance *i)
{
    kernel_memory k = instance_kernel(i);
    const struct kernel_root *r = kernel_memory_root(k);

    out->output_offset = r->output_offset < k.size ? r->output_offset : 0;
    out->output_length = kernel_memory_view(k, out->output_offset, r->output_length).len;
    out->error_offset = r->error;
    out->error_length = r->error ? kernel_memory_length(k, r->error) : 0;
}

void outcome_read(outcome *out, instance *i, const struct module_export *e, int failed,
                  wasmtime_val_raw_t result, error *err)
{
    int status;

    *out = (outcome){.code = -1};
    if (out_of_fuel(i, instance_code(i))) {
        error_set(err, E_TRAP, "plugin ran out of fuel");
        return;
    }
    read_memory(out, i);
    if (failed == 0)
        out->code = e->results == 0 ? 0 : e->result == WASM_I32_TYPE ? result.i32 : -1;
    bool guest_error = out->error_offset != 0 && out->error_length > 0;
    if (guest_error) {
        add_guest_error(i, out, err);
    } else if (failed == 0) {
        return;
    } else if (instance_exit_status(i, &status)) {
        out->code = status;
        if (status == 0)
            error_deinit(err);
    } else if (instance_state(i)->interrupted) {
        out->code = OUTCOME_TRAPPED;
        error_set(err, E_TIMEOUT, "timeout");
    } else if (instance_out_of_memory(i)) {
        error_set(err, E_TOO_LARGE, "oom");
    } else if (failed == E_TRAP) {
        out->code = OUTCOME_TRAPPED;
    }
}
