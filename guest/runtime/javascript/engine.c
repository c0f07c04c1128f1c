/* QuickJS-ng as one unit with what it keeps to itself. */
#include "quickjs.c"

#include "engine.h"

void engine_limit_stack(JSRuntime *rt, uintptr_t lowest)
{
    rt->stack_limit = lowest;
}

void engine_module_exports(JSContext *ctx, JSValueConst module,
                           void (*found)(void *arg, const char *name), void *arg)
{
    const JSModuleDef *m = JS_VALUE_GET_PTR(module);

    for (int i = 0; i < m->export_entries_count; i++) {
        const char *name = JS_AtomToCString(ctx, m->export_entries[i].export_name);
        if (name)
            found(arg, name);
        JS_FreeCString(ctx, name);
    }
}

void engine_module_imports(JSContext *ctx, JSValueConst module,
                           void (*found)(void *arg, const char *from, const char *name), void *arg)
{
    const JSModuleDef *m = JS_VALUE_GET_PTR(module);

    for (int i = 0; i < m->import_entries_count; i++) {
        const JSImportEntry *e = &m->import_entries[i];
        const char *from =
            JS_AtomToCString(ctx, m->req_module_entries[e->req_module_idx].module_name);
        const char *name = JS_AtomToCString(ctx, e->import_name);
        if (from && name)
            found(arg, from, name);
        JS_FreeCString(ctx, from);
        JS_FreeCString(ctx, name);
    }
}
