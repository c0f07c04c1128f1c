#include "services/operation_waiter.h"

static void wake(void *arg)
{
    sem_post(&((operation_waiter *)arg)->woken);
}

static void on_done(operation *op)
{
    ((operation_waiter *)(void *)((char *)op->home - offsetof(operation_waiter, home)))->done = true;
}

void operation_waiter_init(operation_waiter *w)
{
    mailbox_init(&w->home, wake, w);
    sem_init(&w->woken, 0, 0);
    w->done = false;
}

void operation_waiter_prepare(operation_waiter *w, operation *op, size_t max_result)
{
    *op = (operation){.home = &w->home, .done = on_done};
    buf_init(&op->result, max_result);
    w->done = false;
}

void operation_waiter_wait(operation_waiter *w, bool done)
{
    w->done = done;
    while (!w->done) {
        while (sem_wait(&w->woken) != 0)
            ;
        mailbox_open_all(&w->home);
    }
}

void operation_waiter_deinit(operation_waiter *w)
{
    sem_destroy(&w->woken);
}
