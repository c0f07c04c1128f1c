#include "base/mailbox.h"

#include <stddef.h>

void mailbox_init(mailbox *box, void (*wake)(void *arg), void *arg)
{
    atomic_init(&box->top, NULL);
    box->wake = wake;
    box->arg = arg;
}

void mailbox_post(mailbox *box, mail *m)
{
    mail *top = atomic_load_explicit(&box->top, memory_order_relaxed);

    do
        m->next = top;
    while (!atomic_compare_exchange_weak_explicit(&box->top, &top, m, memory_order_release,
                                                  memory_order_relaxed));
    if (!top)
        box->wake(box->arg);
}

void mailbox_open_all(mailbox *box)
{
    mail *last = atomic_exchange_explicit(&box->top, NULL, memory_order_acquire), *first = NULL;

    while (last) {
        mail *m = last;

        last = m->next;
        m->next = first;
        first = m;
    }
    while (first) {
        mail *m = first;

        first = m->next;
        m->open(m);
    }
}
