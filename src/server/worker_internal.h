#ifndef UBIQ_SERVER_WORKER_INTERNAL_H
#define UBIQ_SERVER_WORKER_INTERNAL_H

#include "server/worker.h"

/* What making a worker (worker_setup.c) needs of its work (worker.c). */

/* Makes its event loop, which listens and takes mail. What there is of it when that fails is
 * worker_destroy's to free. */
int worker_make_loop(worker *w, error *err) MUST_CHECK;

/* Wakes the worker `arg` up. Any thread. */
void worker_send_mail(void *arg);

#endif
