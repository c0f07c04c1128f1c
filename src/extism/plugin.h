#ifndef UBIQ_EXTISM_PLUGIN_H
#define UBIQ_EXTISM_PLUGIN_H

#include "base/error.h"
#include "base/slice.h"

struct compiled_plugin;

/* A plug-in as the C API has it: it keeps its instance, and with it the guest's state, from call to
 * call. One thread at a time; a second one waits. */
typedef struct plugin plugin;

/* Makes one; `code` gets a reference. E_INVALID and others with upstream's text. */
int plugin_create(plugin **out, struct compiled_plugin *code, error *err) MUST_CHECK;

/* Frees it. Takes NULL. */
void plugin_destroy(plugin *p);

/* Calls a function and returns the code that extism_plugin_call documents. A NULL name, and a NULL input
 * with a length, are errors of the call. */
int32_t plugin_call(plugin *p, const char *name, slice input, void *host_context);

/* The last call's output and error; views until the next use. The error is NULL when there is none. */
slice plugin_output(plugin *p);
const char *plugin_error(plugin *p);

/* What the functions of the C API with the same names do. */
bool plugin_function_exists(plugin *p, const char *name);
bool plugin_config(plugin *p, slice json);
void plugin_allow_http_response_headers(plugin *p);
bool plugin_reset(plugin *p);
const uint8_t *plugin_id(const plugin *p);

/* Stops the running call; any thread. */
void plugin_cancel(plugin *p);

#endif
