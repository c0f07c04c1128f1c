#ifndef UBIQ_SERVER_EVENT_RUN_H
#define UBIQ_SERVER_EVENT_RUN_H

#include "server/invocation.h"

/* An event or a tick of cron on its way through a worker. */

struct worker;

/* Has worker `w` call the function that `d` is for, and tells `e` how that ended. Any thread. */
void event_run_send(struct worker *w, events *e, delivery *d);

/* Of an invocation that event_run_send has begun: whether it is a tick of cron. */
bool event_run_is_cron(const invocation *v);

#endif
