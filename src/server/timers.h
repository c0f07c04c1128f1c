#ifndef UBIQ_SERVER_TIMERS_H
#define UBIQ_SERVER_TIMERS_H

#include <stddef.h>
#include <stdint.h>

/* Deadlines of many things of few kinds: setting, moving and clearing one costs a few stores,
 * since those of a kind have the same length and so stand in the order in which they end. For one
 * thread. */

enum timer_kind {
    TIMER_IDLE, /* between two requests */
    TIMER_HEAD,
    TIMER_BODY,
    TIMER_CALL,
    TIMER_WRITE,
    TIMER_LINGER,
    TIMER_KINDS
};

/* Lives in what has the deadline. All-zero: not set. */
typedef struct timer {
    struct timer *next;
    struct timer *prev;
    uint64_t at_ns;
} timer;

typedef struct timers {
    timer list[TIMER_KINDS]; /* heads of rings */
    uint64_t length_ns[TIMER_KINDS];
} timers;

/* Makes all lists empty. The lengths are the caller's to fill in. */
void timers_init(timers *t);

/* Sets `one`, wherever it stood before, to end after its kind's length from now. */
void timers_set(timers *t, timer *one, enum timer_kind kind, uint64_t now_ns);

/* Takes it out. */
void timers_clear(timer *one);

/* The first of its kind, the one that was set longest ago, or NULL. */
timer *timers_first(const timers *t, enum timer_kind kind);

/* The next of its kind, or NULL. */
timer *timers_next(const timers *t, enum timer_kind kind, const timer *one);

#endif
