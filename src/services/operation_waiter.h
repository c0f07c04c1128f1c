#ifndef UBIQ_SERVICES_OPERATION_WAITER_H
#define UBIQ_SERVICES_OPERATION_WAITER_H

#include "services/operation.h"

#include <semaphore.h>
#include <stdbool.h>

/* For threads that may block: waits for an operation's end. One operation at a time. */
typedef struct operation_waiter {
    mailbox home;
    sem_t woken;
    bool done;
} operation_waiter;

void operation_waiter_init(operation_waiter *w);

/* Makes `op`, all-zero or done with, ready to be submitted, with room for `max_result` bytes. */
void operation_waiter_prepare(operation_waiter *w, operation *op, size_t max_result);

/* Waits for its end; `done` is what the service's submit has returned. */
void operation_waiter_wait(operation_waiter *w, bool done);

void operation_waiter_deinit(operation_waiter *w);

#endif
