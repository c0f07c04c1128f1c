#ifndef UBIQ_EXTISM_PLUGIN_STATE_H
#define UBIQ_EXTISM_PLUGIN_STATE_H

#include "base/strmap.h"
#include "extism/http_calls.h"
#include "extism/manifest.h"

#include <stdatomic.h>

/* What belongs to a plug-in and not to its modules' instances: it outlives an instance that has to
 * be made again. */
typedef struct plugin_state {
    const manifest *manifest;
    strmap config;             /* in place of the manifest's once has_config */
    bool has_config;
    strmap vars;
    uint64_t http_status;
    bool keep_http_headers;
    strmap http_headers;
    struct http_calls *http_calls; /* under way, or NULL */
    bool has_id;               /* made when it is first asked for */
    uint8_t id[16];
    char id_text[37];
    void *host_context;
    bool has_deadline;
    uint64_t deadline_ns;      /* of clock_ns() */
    atomic_bool cancelled;
    bool interrupted;          /* the deadline or cancelling stopped the call */
    bool yields;               /* at each epoch, so that others on this thread get their turn */
    bool waiting;              /* a host function has suspended the call */
    bool host_failed;          /* the host function at work ends the call, with this text: */
    char *host_failure;        /* NULL when there was no memory for it */
    bool preparing;            /* what runs now, runs for all calls: the host is not to be asked */
} plugin_state;

/* Makes `state` a new plug-in's. `m` is borrowed. */
void plugin_state_init(plugin_state *state, const manifest *m);

/* The plug-in's random id: 16 bytes, and their text as a UUID. */
const uint8_t *plugin_state_id(plugin_state *state);
const char *plugin_state_id_text(plugin_state *state);

/* Lets the host function at work end its caller's call with this text, up to its first NUL. */
void plugin_state_fail(plugin_state *state, slice text);

/* What plugin_state_fail was given since the last time, or NULL. The text is the caller's to free, as
 * `*owned`. */
const char *plugin_state_take_failure(plugin_state *state, char **owned);

/* Frees what it holds. */
void plugin_state_deinit(plugin_state *state);

#endif
