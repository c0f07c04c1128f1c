#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>

/* Measures several ways to do the same in turns: A B C, B C A, ... Each turn is a batch of
 * iterations of about `batch_ms`. What is written to stdout is one line for each way and metric,
 * with the value of every turn, so that turns can be compared pair by pair:
 *
 *   what TAB guest TAB input TAB who TAB metric TAB value TAB value ...
 *
 * The metrics, for one iteration: wall and cpu (nanoseconds), faults (page faults). */

typedef struct subject {
    const char *who;
    void (*run)(void *arg); /* one iteration */
    void *arg;
} subject;

typedef struct plan {
    unsigned batch_ms;
    unsigned budget_ms; /* for all turns of all subjects together, as long as min_turns are made */
    unsigned min_turns;
    unsigned max_turns;
} plan;

/* What all lines of one measurement begin with. */
typedef struct label {
    const char *what;
    const char *guest;
    size_t input; /* bytes */
} label;

void measure(label l, const subject *subjects, size_t count, plan p);

/* Writes one line. */
void measure_emit(label l, const char *who, const char *metric, const double *values, size_t count);

/* The middle value; sorts `values`. */
double measure_median(double *values, size_t count);

#endif
