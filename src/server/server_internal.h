#ifndef UBIQ_SERVER_SERVER_INTERNAL_H
#define UBIQ_SERVER_SERVER_INTERNAL_H

#include "app/host_functions.h"
#include "server/admin.h"
#include "server/listener.h"
#include "server/server.h"
#include "server/worker.h"

/* What a server consists of. server.c has it begin and end, and server_parts.c makes its parts. */

struct server {
    worker_shared shared;
    app *app;
    loader *loader;
    host_functions host;
    admin *admin; /* or NULL */
    middleware_chains *middleware;
    events *events;
    bool holds_events;
    atomic_size_t next_turn; /* counts what the workers take in turn */
    ticker *ticker;
    ticker_slot **slots;
    worker **workers;
    size_t worker_count; /* made */
    size_t started;
    int access_fd;
    bool owns_access_fd;
    char address[LISTENER_ADDRESS_BYTES];
};

/* These make a part each, which server_destroy frees, also when only some of them are there. */

/* The log of errors, and that of requests if there is to be one. */
int server_open_logs(server *s, const server_options *o, error *err) MUST_CHECK;

/* `count` workers, with the sockets that they listen at. */
int server_make_workers(server *s, const server_options *o, size_t count, error *err) MUST_CHECK;

/* What delivers events to functions, if the project has services. */
int server_make_events(server *s, error *err) MUST_CHECK;

/* The admin listener, unless it is off. A project that can be served without it is, and the log says
 * so. */
int server_start_admin(server *s, error *err) MUST_CHECK;

#endif
