#ifndef UBIQ_SERVER_TIMERS_H
#define UBIQ_SERVER_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deadlines of many things of few kinds: setting, moving and clearing one costs a few stores,
 * since those of a kind have the same length and so stand in the order in which they end. For one
 * thread. */

/* Lives in what has the deadline. All-zero: not set. */
typedef struct timer {
    struct timer *next;
    struct timer *prev;
    uint64_t at_ns;
} timer;

typedef struct timers {
    timer *list; /* heads of rings, one a kind */
    uint64_t *length_ns;
    unsigned kinds;
} timers;

/* Makes `kinds` empty lists. The lengths are the caller's to fill in. False when memory runs out. */
bool timers_init(timers *t, unsigned kinds);

/* Frees the lists; nothing is set any more. Takes an all-zero one. */
void timers_deinit(timers *t);

/* Sets `one`, wherever it stood before, to end after its kind's length from now. */
void timers_set(timers *t, timer *one, unsigned kind, uint64_t now_ns);

/* Takes it out. */
void timers_clear(timer *one);

/* The first of its kind, the one that was set longest ago, or NULL. */
timer *timers_first(const timers *t, unsigned kind);

/* The next of its kind, or NULL. */
timer *timers_next(const timers *t, unsigned kind, const timer *one);

#endif
