#include "extism/plugin_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void make_id(plugin_state *s)
{
    const uint8_t *b = s->id;
    if (s->has_id)
        return;
    while (getrandom(s->id, sizeof s->id, 0) != (ssize_t)sizeof s->id)
        ;
    s->id[6] = (uint8_t)((s->id[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
    s->id[8] = (uint8_t)((s->id[8] & 0x3f) | 0x80);
    snprintf(s->id_text, sizeof s->id_text,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
             b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    s->has_id = true;
}

const uint8_t *plugin_state_id(plugin_state *state)
{
    make_id(state);
    return state->id;
}

const char *plugin_state_id_text(plugin_state *state)
{
    make_id(state);
    return state->id_text;
}

void plugin_state_init(plugin_state *state, const manifest *m)
{
    *state = (plugin_state){.manifest = m};
    atomic_init(&state->cancelled, false);
}

void plugin_state_fail(plugin_state *state, slice text)
{
    free(state->host_failure);
    state->host_failure = strndup(text.len ? (const char *)text.data : "", text.len);
    state->host_failed = true;
}

const char *plugin_state_take_failure(plugin_state *state, char **owned)
{
    bool failed = state->host_failed;

    *owned = state->host_failure;
    state->host_failure = NULL;
    state->host_failed = false;
    return !failed ? NULL : *owned ? *owned : "out of memory";
}

void plugin_state_deinit(plugin_state *state)
{
    free(state->host_failure);
    http_calls_destroy(state->http_calls);
    strmap_deinit(&state->config);
    strmap_deinit(&state->vars);
    strmap_deinit(&state->http_headers);
}
