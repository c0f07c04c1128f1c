#ifndef UBIQ_SERVER_COUNTERS_H
#define UBIQ_SERVER_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers that one thread counts up and others look at now and then. */
typedef _Atomic(uint64_t) counter;

static inline void counter_add(counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline uint64_t counter_read(const counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

/* Of one function in one worker. */
typedef struct function_counters {
    counter calls;    /* that have ended, */
    counter failures; /* and those of them that failed */
    counter cpu_ns;
    counter wall_ns;
    size_t in_flight; /* now, for the worker itself */
} function_counters;

/* Of one worker. */
typedef struct worker_counters {
    counter requests; /* answered, whatever by */
    counter calls;    /* in flight */
    counter connections;
} worker_counters;

#endif
