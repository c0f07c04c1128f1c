#ifndef UBIQ_SERVER_SERVER_H
#define UBIQ_SERVER_SERVER_H

#include "app/app.h"
#include "server/log_writer.h"

/* Serves a project's functions over HTTP. */
typedef struct server server;

typedef struct server_options {
    const char *listen; /* "ADDRESS:PORT"; NULL: what ubiq.toml says, or 127.0.0.1:3000 */
    bool has_workers;
    uint32_t workers;       /* 0: one a core */
    const char *access_log; /* a path, "off", or NULL for standard output */
    bool no_listener;       /* there is no HTTP but for local requests (local.h) */
    bool no_admin;          /* there is no admin listener, whatever ubiq.toml says */
    bool holds_events;      /* they are kept and not delivered, and cron does not tick */
    log_sink log;           /* takes the lines of the log; NULL: they go to standard error */
    void *log_arg;
} server_options;

/* Opens the listening sockets and the log. `a` is borrowed and outlives the server. Neither this nor
 * what follows changes anything of the process: signals and limits are the caller's, and SIGPIPE has to
 * be blocked or ignored in the thread that calls these functions, and what else its threads shall not be
 * interrupted by. E_BUSY when the port is in use; E_INVALID, E_DENIED, E_IO, E_NO_MEMORY. */
int server_create(server **out, app *a, const server_options *options, error *err) MUST_CHECK;

/* Where it listens: "127.0.0.1:3000", or "". Borrowed. */
const char *server_address(const server *s);

/* Where the admin listener is, or NULL when there is none. Borrowed. */
const char *server_admin_address(const server *s);

/* How many threads serve requests. */
unsigned server_worker_count(const server *s);

/* Starts its threads: it serves from now on. Once; on failure it is to be stopped too. */
int server_start(server *s, error *err) MUST_CHECK;

/* The worker whose turn it is to do something. Any thread. */
struct worker *server_next_worker(server *s);

/* Accepts nothing more, answers what was begun, for `drain_ms` at the most, and ends its workers. Once. */
void server_stop(server *s, unsigned drain_ms);

/* Opens what has been posted to workers that have ended. After server_stop, in one thread. */
void server_open_mail(server *s);

/* Frees it, waiting `ms` for what still runs that uses the app (code that takes long to compile). Takes
 * NULL. False when that was not enough: the log is written, and the process is to end without further
 * ado. */
bool server_destroy(server *s, unsigned ms);

#endif
