#include "server/timers.h"

#include <stdlib.h>

bool timers_init(timers *t, unsigned kinds)
{
    *t = (timers){
        .list = calloc(kinds + 1, sizeof *t->list),
        .length_ns = calloc(kinds + 1, sizeof *t->length_ns),
        .kinds = kinds,
    };
    if (!t->list || !t->length_ns) {
        timers_deinit(t);
        return false;
    }
    for (unsigned kind = 0; kind < kinds; kind++)
        t->list[kind].next = t->list[kind].prev = &t->list[kind];
    return true;
}

void timers_deinit(timers *t)
{
    free(t->list);
    free(t->length_ns);
    *t = (timers){0};
}

void timers_clear(timer *one)
{
    if (!one->next)
        return;
    one->next->prev = one->prev;
    one->prev->next = one->next;
    one->next = one->prev = NULL;
}

void timers_set(timers *t, timer *one, unsigned kind, uint64_t now_ns)
{
    timer *head = &t->list[kind];

    timers_clear(one);
    one->at_ns = now_ns + t->length_ns[kind];
    one->next = head;
    one->prev = head->prev;
    head->prev->next = one;
    head->prev = one;
}

timer *timers_first(const timers *t, unsigned kind)
{
    timer *first = t->list[kind].next;

    return first != &t->list[kind] ? first : NULL;
}

timer *timers_next(const timers *t, unsigned kind, const timer *one)
{
    return one->next != &t->list[kind] ? one->next : NULL;
}
