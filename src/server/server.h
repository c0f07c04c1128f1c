#ifndef UBIQ_SERVER_SERVER_H
#define UBIQ_SERVER_SERVER_H

#include "app/app.h"

/* Serves a project's functions over HTTP. */
typedef struct server server;

typedef struct server_options {
    const char *listen; /* "ADDRESS:PORT"; NULL: what ubiq.toml says, or 127.0.0.1:3000 */
    bool has_workers;
    uint32_t workers;       /* 0: one a core */
    const char *access_log; /* a path, "off", or NULL for standard output */
} server_options;

/* Opens the listening sockets and the log. `a` is borrowed and outlives the server. E_BUSY when the
 * port is in use; E_INVALID, E_DENIED, E_IO, E_NO_MEMORY. */
int server_create(server **out, app *a, const server_options *options, error *err) MUST_CHECK;

/* Where it listens: "127.0.0.1:3000". Borrowed. */
const char *server_address(const server *s);

/* Where the admin listener is, or NULL when there is none. Borrowed. */
const char *server_admin_address(const server *s);

/* How many threads serve requests. */
unsigned server_worker_count(const server *s);

/* Serves until SIGTERM or SIGINT comes: then accepts nothing more, answers what was begun, for
 * LIMIT_DRAIN_MS at the most, and returns 0. A second signal ends the process. To be called once,
 * from the thread that called server_create, when no others run. */
int server_run(server *s, error *err) MUST_CHECK;

/* Frees it. Takes NULL. False when something still runs that uses the app (code that takes long to
 * compile): the process is to end without further ado. */
bool server_destroy(server *s);

#endif
