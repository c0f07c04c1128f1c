/* QuickJS-ng as one unit with what it keeps to itself.
 *
 * scripts/javascript.sh changes three things in its source. Reference counts are counted up and down by the
 * two functions below, and arenas are smaller: so a call writes to few pages, all of which the host has to
 * put back, since what was there before is not counted any more and what is new lies side by side. And
 * functions that recurse without using much of this stack use more of it: what they really use up is the
 * host's, which cannot be seen from here and must not end first. */
#include <stdint.h>

#define ENGINE_IMMORTAL (1 << 30) /* a count from here on stays as it is */

static inline int engine_count_up(int *count)
{
    return *count < ENGINE_IMMORTAL ? ++*count : *count;
}

static inline int engine_count_down(int *count)
{
    return *count < ENGINE_IMMORTAL ? --*count : *count;
}

#define ENGINE_PADDING 96 /* bytes of stack a level of such a recursion */
#define ENGINE_RECURSES engine_use(__builtin_alloca(2 * ENGINE_PADDING))
#define engine_overflows(rt)                                                                       \
    (engine_use(__builtin_alloca(ENGINE_PADDING)), js_check_stack_overflow(rt, 0))

static inline void engine_use(void *p)
{
    __asm__ volatile("" : : "r"(p));
}

#include "quickjs.c"

#include "engine.h"

void engine_limit_stack(JSRuntime *rt, uintptr_t lowest)
{
    rt->stack_limit = lowest;
}

static void close_arenas(JSRuntime *rt)
{
    for (int i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; i++) {
        struct list_head *el, *next;
        list_for_each_safe(el, next, &rt->arena_state.free_arena_list[i])
        {
            JSArena *ar = list_entry(el, JSArena, free_link);
            list_del(&ar->free_link);
            ar->n_blocks = ar->n_used_blocks;
            ar->first_free_block = JS_ARENA_FREE_NIL;
        }
    }
}

/* Writes only where something changes: what is written has to be put back. */
static void make_immortal(void *p)
{
    if (JS_REF_COUNT(p) != ENGINE_IMMORTAL)
        JS_REF_COUNT(p) = ENGINE_IMMORTAL;
}

void engine_freeze(JSRuntime *rt, bool close)
{
    struct list_head *el;

    list_for_each(el, &rt->gc_obj_list) make_immortal(list_entry(el, JSGCObjectHeader, link));
    for (int i = JS_ATOM_END; i < rt->atom_size; i++) {
        if (!atom_is_free(rt->atom_array[i]))
            make_immortal(rt->atom_array[i]);
    }
    if (close)
        close_arenas(rt);
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
