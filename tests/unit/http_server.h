#ifndef UBIQ_TESTS_HTTP_SERVER_H
#define UBIQ_TESTS_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

/* An HTTP server on loopback for tests, in threads of its own, which does what the path says:
 *   /echo             200 with the request, head and body, as the body
 *   /raw/<hex>        these bytes, then the end of the connection
 *   /open/<hex>       these bytes, then nothing, until the client leaves
 *   /keep/<hex>       these bytes, then the next request
 *   /to/<status>/<hex> a redirect there, with a body
 *   /chain/<n>        n redirects, then as /echo
 * Anything else is 404. */

typedef struct http_server http_server;

/* Listens on any port of a numeric address; NULL when it cannot. */
http_server *http_server_start(const char *address);

uint16_t http_server_port(const http_server *s);

/* How many connections there have been. */
unsigned http_server_connections(const http_server *s);

/* Ends all connections and frees it. Takes NULL. */
void http_server_stop(http_server *s);

#endif
