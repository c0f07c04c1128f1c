#ifndef UBIQ_EXTISM_INSTANCE_INTERNAL_H
#define UBIQ_EXTISM_INSTANCE_INTERNAL_H

#include "extism/instance.h"

/* What instance.c (making and using), instance_idle.c (putting back and taking again) and
 * instance_memory.c (restoring memories, slack) share. */

/* One of the modules' instances. */
struct member_instance {
    wasmtime_instance_t instance;
    wasmtime_memory_t *memories;
    wasmtime_global_t *globals; /* those that can be saved */
    wasmtime_func_t reset;
};

struct instance {
    compiled_plugin *code;         /* a reference while it is in use */
    plugin_state *state;           /* NULL while it is idle */
    wasmtime_store_t *store;
    wasmtime_context_t *context;
    wasmtime_memory_t kernel;
    wasmtime_memory_t *all_memories;
    wasmtime_global_t *all_globals;
    struct member_instance *members;
    struct instance_initializer *initializers;
    size_t initializer_count;
    size_t initialized;
    wasmtime_func_t *functions;    /* by number among main's exports; found when store_id is set */
    uint32_t open_pages;           /* of the main memory with slack: those that are usable */
    bool slack_closed;             /* the others may be protected */
    bool unpooled;                 /* engine_give_room when it ends */
    bool prepared;                 /* as compiled_plugin.prepare_stage has it */
    bool spoiled;
    bool exited;
    int exit_status;
    instance *next_idle;           /* of the same plug-in, */
    instance *prev_idle;
    instance *newer;               /* and of all of them, by when they became idle */
    instance *older;
    uint64_t idle_since; /* the number of calls of engine_trim then */
};

/* Makes a new one. */
int instance_make(instance **out, compiled_plugin *code, error *err) MUST_CHECK;

/* Ends it. Takes NULL and half-made ones. */
void instance_destroy(instance *i);

/* Sets up the kernel's memory, which must be all zeros. */
void instance_prepare_kernel(instance *i);

/* With slack: the first page that is not usable whatever the guest is told. */
uint32_t instance_slack_end(const instance *i);

/* Makes the slack unusable again, where that is done. False when the system refuses. */
bool instance_close_slack(instance *i);

/* Notes what instantiating has written to memories of other members, unless that is known. */
int instance_note_begun(instance *i, error *err) MUST_CHECK;

/* Puts memories, globals and the kernel back to how they began. False when that cannot be, and the
 * instance must be destroyed. */
bool instance_restore(instance *i);

#endif
