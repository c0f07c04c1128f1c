#include "extism/engine.h"
#include "extism/instance_internal.h"
#include "extism/limits.h"

#include <malloc.h>
#include <pthread.h>
#include <string.h>

/* All idle instances of the process, so that the longest idle one can make room. */
static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static instance *newest_idle;
static instance *oldest_idle;
static size_t idle_total;
static uint64_t trims;

static void link_idle(instance *i)
{
    compiled_plugin *c = i->code;
    i->prev_idle = NULL;
    i->next_idle = c->idle;
    if (c->idle)
        c->idle->prev_idle = i;
    c->idle = i;
    c->idle_count++;
    i->newer = NULL;
    i->older = newest_idle;
    if (newest_idle)
        newest_idle->newer = i;
    else
        oldest_idle = i;
    newest_idle = i;
    i->idle_since = trims;
    idle_total++;
}

static void unlink_idle(instance *i)
{
    compiled_plugin *c = i->code;
    if (i->prev_idle)
        i->prev_idle->next_idle = i->next_idle;
    else
        c->idle = i->next_idle;
    if (i->next_idle)
        i->next_idle->prev_idle = i->prev_idle;
    c->idle_count--;
    idle_total--;
    if (i->newer)
        i->newer->older = i->older;
    else
        newest_idle = i->older;
    if (i->older)
        i->older->newer = i->newer;
    else
        oldest_idle = i->newer;
}

static instance *take_idle(compiled_plugin *c)
{
    pthread_mutex_lock(&idle_lock);
    instance *i = c->idle;
    if (i)
        unlink_idle(i);
    pthread_mutex_unlock(&idle_lock);
    return i;
}

/* Keeps a restored instance for the next call; false when there are enough. */
static bool put_idle(instance *i)
{
    pthread_mutex_lock(&idle_lock);
    bool room = i->code->idle_count < LIMIT_IDLE_INSTANCES;
    if (room)
        link_idle(i);
    pthread_mutex_unlock(&idle_lock);
    return room;
}

/* Destroys the instance of any plug-in that was idle for longest. Under the lock, for which the end
 * of that plug-in waits. */
static bool evict_one(void)
{
    pthread_mutex_lock(&idle_lock);
    instance *i = oldest_idle;
    if (i)
        unlink_idle(i);
    instance_destroy(i);
    pthread_mutex_unlock(&idle_lock);
    return i != NULL;
}

/* Whether the oldest one is to be given back. Under the lock. */
static bool is_stale(void)
{
    return oldest_idle && idle_total > LIMIT_IDLE_KEPT && oldest_idle->idle_since + 1 < trims;
}

bool engine_trim(void)
{
    bool more;
    size_t n;

    pthread_mutex_lock(&idle_lock);
    trims++;
    pthread_mutex_unlock(&idle_lock);
    for (n = 0; n < LIMIT_IDLE_TRIMMED; n++) {
        pthread_mutex_lock(&idle_lock);
        bool stale = is_stale();
        pthread_mutex_unlock(&idle_lock);
        if (!stale || !evict_one())
            break;
    }
    pthread_mutex_lock(&idle_lock);
    more = idle_total > LIMIT_IDLE_KEPT;
    pthread_mutex_unlock(&idle_lock);
    /* What the engine kept of them lies between what others have. */
    if (n > 0 && n < LIMIT_IDLE_TRIMMED)
        malloc_trim(0);
    return more;
}

void instance_destroy_idle(compiled_plugin *code)
{
    for (instance *i; (i = take_idle(code)) != NULL;)
        instance_destroy(i);
}

void instance_release(instance *i)
{
    compiled_plugin *code;

    if (!i)
        return;
    code = i->code;
    i->state = NULL;
    if (i->spoiled || !code->recyclable || !instance_restore(i) || !instance_end_wasi(i) ||
        !put_idle(i))
        instance_destroy(i);
    compiled_plugin_unref(code);
}

static bool out_of_slots(const error *err)
{
    return strstr(error_text(err), "maximum concurrent") != NULL;
}

/* Makes a new one: in a free slot, in the slot of an idle instance, or without a slot. What the engine
 * says decides, so `err` may not be NULL. */
static int make_somewhere(instance **out, compiled_plugin **code, error *err)
{
    compiled_plugin *spare;
    int rc = instance_make(out, *code, err);

    for (int tries = 0; rc != 0 && tries < 8 && out_of_slots(err) && evict_one(); tries++) {
        error_deinit(err);
        rc = instance_make(out, *code, err);
    }
    if (rc == 0 || !out_of_slots(err))
        return rc;
    error_deinit(err);
    rc = compiled_plugin_spare(*code, &spare, err);
    if (rc != 0)
        return rc;
    *code = spare;
    if ((*out = take_idle(spare)) != NULL)
        return 0;
    rc = instance_make(out, spare, err);
    if (rc == E_BUSY && evict_one()) {
        error_deinit(err);
        rc = instance_make(out, spare, err);
    }
    return rc;
}

int instance_acquire(instance **out, compiled_plugin *code, plugin_state *state, error *err)
{
    instance *i = take_idle(code);
    error own = {0};
    int rc = 0;

    *out = NULL;
    if (!i)
        rc = make_somewhere(&i, &code, err ? err : &own);
    error_deinit(&own);
    if (rc != 0)
        return rc;
    compiled_plugin_ref(code);
    i->state = state;
    if (!instance_catch_up(i))
        rc = error_set(err, E_NO_MEMORY, "the system does not tell what an instance has written");
    rc = rc ? rc : instance_set_wasi(i, err);
    if (rc == 0 && code->options.has_fuel)
        rc = engine_error(err, E_INTERNAL,
                          wasmtime_context_set_fuel(i->context, code->options.fuel), NULL);
    if (rc != 0) {
        instance_spoil(i);
        instance_release(i);
        return rc;
    }
    *out = i;
    return 0;
}
