#include "library.h"

#include "fail.h"

#include <dlfcn.h>

void library_open(library *out, const char *name, const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (!handle)
        fail("%s", dlerror());
    out->name = name;
#define X(function)                                                                                \
    if (!(*(void **)(void *)&out->function = dlsym(handle, "extism_" #function)))                  \
        fail("%s", dlerror());
    LIBRARY_FUNCTIONS(X)
#undef X
}

/* Never called: the functions that are measured do not ask for it. */
static void shout(ExtismCurrentPlugin *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                  ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    (void)plugin, (void)n_inputs, (void)n_outputs, (void)data;
    outputs[0].v.i64 = inputs[0].v.i64;
}

ExtismCompiledPlugin *library_compile(const library *l, const uint8_t *wasm, size_t len, bool wasi)
{
    static const ExtismValType handle[] = {ExtismValType_I64};
    ExtismFunction *f = l->function_new("shout", handle, 1, handle, 1, shout, NULL, NULL);
    const ExtismFunction *functions[] = {f};
    char *err = NULL;
    ExtismCompiledPlugin *code = l->compiled_plugin_new(wasm, len, functions, 1, wasi, &err);

    if (!code)
        fail("%s: %s", l->name, err);
    l->function_free(f);
    return code;
}

ExtismPlugin *library_plugin(const library *l, const ExtismCompiledPlugin *code)
{
    char *err = NULL;
    ExtismPlugin *p = l->plugin_new_from_compiled(code, &err);

    if (!p)
        fail("%s: %s", l->name, err);
    return p;
}

void library_call(const library *l, ExtismPlugin *p, const char *function, const uint8_t *input,
                  size_t len)
{
    if (l->plugin_call(p, function, input, len) != 0)
        fail("%s: %s", l->name, l->plugin_error(p));
}
