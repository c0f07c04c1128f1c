#ifndef UBIQ_EXTISM_COMPILED_PLUGIN_INTERNAL_H
#define UBIQ_EXTISM_COMPILED_PLUGIN_INTERNAL_H

#include "extism/compiled_plugin.h"
#include "extism/manifest.h"
#include "extism/memory_image.h"
#include "extism/module.h"

#include <pthread.h>

struct compiled_member {
    char *name;
    module *mod;
    /* Of its memories, in what they differ from the module's images: what instantiating the members behind
     * this one wrote, and that with what the preparation wrote. NULL until they are known. */
    memory_patch **begun;
    memory_patch **prepared;
    wasmtime_val_t *globals; /* once they are prepared; module.global_count of them */
};

/* What has become of the main module's COMPILED_PREPARE. */
enum prepare_stage {
    PREPARE_NONE,   /* there is none, or instances cannot be made as new */
    PREPARE_WANTED, /* the next call runs it */
    PREPARE_DONE,   /* instances begin behind it */
    PREPARE_REFUSED /* it said no, or failed: instances begin before it */
};

/* Immutable but for what stands behind the lock. */
struct compiled_plugin {
    atomic_int refs;
    manifest manifest;               /* without the modules */
    struct compiled_member *members; /* in the order in which they are instantiated */
    size_t member_count;
    size_t main; /* which of them is called */
    bool merged; /* one module, with the kernel inside */
    bool recyclable;
    bool uses_wasi;        /* some module imports it, */
    bool needs_wasi_state; /* and more of it than time and chance */
    enum engine_kind engine;
    compiled_options options;
    struct shared_linker *shared_linker;
    wasmtime_linker_t *linker;     /* host functions; its */
    wasmtime_instance_pre_t *pre; /* of the merged module */
    error link_error;             /* why no plug-in can be made; told when one is */
    module *kernel;               /* of its own, when not merged; borrowed */

    const struct module_export *prepare;
    atomic_int prepare_stage; /* of enum prepare_stage; what it publishes is set before */
    pthread_mutex_t lock;     /* for the members' patches until they are published, and `spare` */
    bool begun_known;
    struct compiled_plugin *spare; /* the same for the engine without slots */
    struct instance *idle;         /* instance.c's, under its own lock: newest first */
    size_t idle_count;
    char *entry_name; /* what compiled_plugin_entry found */
};

/* The main module. */
static inline module *compiled_plugin_main(const compiled_plugin *c)
{
    return c->members[c->main].mod;
}

/* The same plug-in on ENGINE_ON_DEMAND, for when all slots are taken; made when first asked for, owned
 * by `c`. */
int compiled_plugin_spare(compiled_plugin *c, compiled_plugin **out, error *err) MUST_CHECK;

/* What compiled_plugin.c, compiled_plugin_load.c and compiled_plugin_link.c share. */

#define COMPILED_MAIN "main" /* the name of the module that is called */

/* An export () -> i32 of the main module: runs before the first call, for all of them. See call.h. */
#define COMPILED_PREPARE "ubiq_prepare"

/* Makes room for the patches of a member's memories. */
int compiled_plugin_add_patches(struct compiled_member *m, error *err) MUST_CHECK;

/* After linking: whether instances can be made as new, and be prepared. */
void compiled_plugin_decide(compiled_plugin *c);

/* Compiles the modules that `source`, a module or a manifest, names, and adds the libraries that they import
 * from. */
int compiled_plugin_load(compiled_plugin *c, slice source, const compiled_options *options,
                         error *err) MUST_CHECK;

/* Brings the modules into the order in which they are instantiated. */
int compiled_plugin_order(compiled_plugin *c, error *err) MUST_CHECK;

/* Sees to it that all modules are for one engine. */
int compiled_plugin_agree_on_engine(compiled_plugin *c, error *err) MUST_CHECK;

/* Resolves what the modules import from the host. */
int compiled_plugin_link(compiled_plugin *c, error *err) MUST_CHECK;

#endif
