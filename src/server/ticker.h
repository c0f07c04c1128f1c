#ifndef UBIQ_SERVER_TICKER_H
#define UBIQ_SERVER_TICKER_H

#include "base/error.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Makes running calls yield: a thread that advances the engines' epoch every TICK_MS while some
 * worker runs guest code, and sleeps otherwise. */
typedef struct ticker ticker;

/* One a worker, which alone writes it; on a cache line of its own. */
typedef struct ticker_slot {
    alignas(64) atomic_bool busy;
} ticker_slot;

/* Starts to watch `count` slots, which are borrowed. */
int ticker_create(ticker **out, ticker_slot *const *slots, size_t count, error *err) MUST_CHECK;

/* For ticker_busy. */
void ticker_wake(ticker *t);
bool ticker_sleeps(const ticker *t);

/* Says that guest code is going to run. In the slot's thread; cheap when that was said before. */
static inline void ticker_busy(ticker *t, ticker_slot *slot)
{
    if (atomic_load_explicit(&slot->busy, memory_order_relaxed))
        return;
    atomic_store(&slot->busy, true);
    if (ticker_sleeps(t))
        ticker_wake(t);
}

/* Says that none will run until ticker_busy. */
static inline void ticker_idle(ticker_slot *slot)
{
    if (atomic_load_explicit(&slot->busy, memory_order_relaxed))
        atomic_store_explicit(&slot->busy, false, memory_order_relaxed);
}

/* Ends it. Takes NULL. */
void ticker_destroy(ticker *t);

#endif
