#ifndef UBIQ_EXTISM_HTTP_CALLS_H
#define UBIQ_EXTISM_HTTP_CALLS_H

/* The requests that one call of a guest has under way beside each other; part of its plugin_state. */
struct http_calls;

/* Cancels and frees them. Takes NULL. */
void http_calls_destroy(struct http_calls *all);

#endif
