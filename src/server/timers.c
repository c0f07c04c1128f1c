#include "server/timers.h"

void timers_init(timers *t)
{
    *t = (timers){0};
    for (size_t kind = 0; kind < TIMER_KINDS; kind++)
        t->list[kind].next = t->list[kind].prev = &t->list[kind];
}

void timers_clear(timer *one)
{
    if (!one->next)
        return;
    one->next->prev = one->prev;
    one->prev->next = one->next;
    one->next = one->prev = NULL;
}

void timers_set(timers *t, timer *one, enum timer_kind kind, uint64_t now_ns)
{
    timer *head = &t->list[kind];

    timers_clear(one);
    one->at_ns = now_ns + t->length_ns[kind];
    one->next = head;
    one->prev = head->prev;
    head->prev->next = one;
    head->prev = one;
}

timer *timers_first(const timers *t, enum timer_kind kind)
{
    timer *first = t->list[kind].next;

    return first != &t->list[kind] ? first : NULL;
}

timer *timers_next(const timers *t, enum timer_kind kind, const timer *one)
{
    return one->next != &t->list[kind] ? one->next : NULL;
}
