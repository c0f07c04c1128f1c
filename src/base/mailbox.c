#include "base/mailbox.h"

#include <stdbool.h>
#include <stddef.h>

#define HELD_MAX 64

/* The owners that the calling thread has not woken yet. */
static _Thread_local struct {
    bool holds;
    size_t count;
    mailbox *box[HELD_MAX];
} held;

void mailbox_init(mailbox *box, void (*wake)(void *arg), void *arg)
{
    atomic_init(&box->top, NULL);
    box->wake = wake;
    box->arg = arg;
}

/* The box may be among them already: its owner may have looked into it in the meantime. */
static bool hold(mailbox *box)
{
    if (!held.holds)
        return false;
    for (size_t i = 0; i < held.count; i++) {
        if (held.box[i] == box)
            return true;
    }
    if (held.count == HELD_MAX)
        return false;
    held.box[held.count++] = box;
    return true;
}

void mailbox_hold_wakes(void)
{
    held.holds = true;
}

void mailbox_wake_held(void)
{
    for (size_t i = 0; i < held.count; i++)
        held.box[i]->wake(held.box[i]->arg);
    held.count = 0;
    held.holds = false;
}

void mailbox_post(mailbox *box, mail *m)
{
    mail *top = atomic_load_explicit(&box->top, memory_order_relaxed);

    do
        m->next = top;
    while (!atomic_compare_exchange_weak_explicit(&box->top, &top, m, memory_order_release,
                                                  memory_order_relaxed));
    if (!top && !hold(box))
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
