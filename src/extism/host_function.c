#include "extism/host_function.h"

#include "base/buf.h"
#include "extism/imports_internal.h"

#include <stdlib.h>

#define USER_NAMESPACE "extism:host/user"

static int copy_types(ExtismValType **out, const ExtismValType *types, size_t n)
{
    *out = NULL;
    if (n == 0 || !types)
        return 0;
    *out = calloc(n, sizeof **out);
    if (!*out)
        return E_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (types[i] > ExtismValType_F64)
            return E_INVALID;
        (*out)[i] = types[i];
    }
    return 0;
}

int host_function_create(host_function **out, const char *name, const ExtismValType *inputs,
                         size_t n_inputs, const ExtismValType *outputs, size_t n_outputs,
                         error *err)
{
    host_function *f = NULL;
    int rc = 0;

    *out = NULL;
    if (!name || !slice_is_utf8(slice_str(name)))
        return error_set(err, E_INVALID, "a host function's name must be UTF-8");
    if (!(f = calloc(1, sizeof *f)) || !(f->name = strdup(name)) ||
        !(f->name_space = strdup(USER_NAMESPACE))) {
        rc = error_set(err, E_NO_MEMORY, "out of memory for host function %s", name);
        goto done;
    }
    atomic_init(&f->refs, 1);
    f->n_inputs = inputs ? n_inputs : 0;
    f->n_outputs = outputs ? n_outputs : 0;
    if ((rc = copy_types(&f->inputs, inputs, n_inputs)) != 0 ||
        (rc = copy_types(&f->outputs, outputs, n_outputs)) != 0) {
        error_set(err, rc, "host function %s: %s", name,
                  rc == E_NO_MEMORY ? "out of memory"
                                    : "parameters and results must be i32, i64, f32 or f64");
        goto done;
    }
    *out = f;
    f = NULL;
done:
    host_function_unref(f);
    return rc;
}

int host_function_set_namespace(host_function *f, const char *name_space, error *err)
{
    slice rest = slice_str(name_space);
    char *copy;
    buf text;
    int rc = 0;

    buf_init(&text, rest.len * 3 + 1);
    /* As upstream: U+FFFD stands for what is not UTF-8. */
    for (;;) {
        size_t good = slice_utf8_prefix(rest);
        rc = rc ? rc : buf_append(&text, rest.data, good);
        if (good == rest.len)
            break;
        rc = rc ? rc : buf_append_str(&text, "\xef\xbf\xbd");
        rest = slice_of(rest.data + good + 1, rest.len - good - 1);
    }
    copy = rc == 0 ? buf_take_str(&text) : NULL;
    buf_deinit(&text);
    if (!copy)
        return error_set(err, E_NO_MEMORY, "out of memory for host function %s", f->name);
    free(f->name_space);
    f->name_space = copy;
    return 0;
}

host_function *host_function_ref(host_function *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void host_function_unref(host_function *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (f->free_user_data && f->user_data)
        f->free_user_data(f->user_data);
    free(f->name);
    free(f->name_space);
    free(f->inputs);
    free(f->outputs);
    free(f);
}

void *host_function_context(instance *caller)
{
    return instance_state(caller)->host_context;
}

bool host_function_block(instance *caller, uint64_t handle, slice *out)
{
    return imports_block(caller, handle, out);
}

bool host_function_return(instance *caller, slice bytes, int64_t *handle)
{
    uint64_t offset;

    if (instance_alloc_bytes(caller, bytes, &offset, NULL) != 0)
        return false;
    *handle = (int64_t)offset;
    return true;
}
