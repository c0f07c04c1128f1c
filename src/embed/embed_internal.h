#ifndef UBIQ_EMBED_EMBED_INTERNAL_H
#define UBIQ_EMBED_EMBED_INTERNAL_H

#include "libubiq.h"
#include "server/local.h"
#include "server/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* What the files of libubiq share. */

#define EXPORT __attribute__((visibility("default")))

struct ubiq_project {
    app *app;
    server *server;
    ubiq_log_fn log;
    void *log_user;
    atomic_size_t under_way; /* calls, and threads that are about to begin one */
    atomic_bool stopping;
    pthread_mutex_t stop_lock; /* for what follows */
    bool stopped;
};

/* Announces a call. False when there may be no more; else project_leave comes when it has ended. */
bool project_enter(ubiq_project *p);
void project_leave(ubiq_project *p);

/* The program's own code runs in this thread of ours, or no longer. */
void callback_begin(void);
void callback_end(void);
bool callback_runs(void);

/* The calling thread without the signals that are meant for the program: threads that it makes are
 * without them too. */
typedef struct quiet {
    sigset_t before;
    bool had_pipe;
} quiet;

void quiet_begin(quiet *q);
void quiet_end(const quiet *q);

/* A result that is an error, with a copy of the text. The caller frees it with ubiq_result_free; NULL without
 * memory. */
ubiq_result *result_of_error(int code, const char *text);

/* The same of what came of a call, copied out of `o`. */
ubiq_result *result_of_outcome(const local_outcome *o);

/* Appends the request as HTTP/1.1 has it. When it is none that could be sent, E_INVALID, and
 * `*problem`, a static text, says why. E_NO_MEMORY. */
int request_write(const ubiq_request *r, buf *out, const char **problem) MUST_CHECK;

#endif
