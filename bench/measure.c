#include "measure.h"

#include "base/clock.h"
#include "fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define MAX_SUBJECTS 8
#define MAX_TURNS 128

enum metric { WALL, CPU, FAULTS, METRICS };

static const char *const metric_names[METRICS] = {"wall", "cpu", "faults"};

static double values[MAX_SUBJECTS][METRICS][MAX_TURNS];

static void now(double out[METRICS])
{
    struct rusage r;

    getrusage(RUSAGE_THREAD, &r);
    out[CPU] = (double)clock_thread_cpu_ns();
    out[FAULTS] = (double)r.ru_minflt;
    out[WALL] = (double)clock_ns();
}

/* How many iterations make a batch, after enough of them that caches and lazy work are settled. */
static size_t calibrate(const subject *s, double batch_ns)
{
    double start, end;
    size_t n = 0;

    s->run(s->arg);
    start = end = (double)clock_ns();
    while (n == 0 || end - start < batch_ns) {
        s->run(s->arg);
        n++;
        end = (double)clock_ns();
    }
    n = (size_t)(batch_ns * (double)n / (end - start));
    return n > 0 ? n : 1;
}

static void take_turn(const subject *s, size_t iterations, double out[METRICS][MAX_TURNS],
                      size_t turn)
{
    double before[METRICS], after[METRICS];

    now(before);
    for (size_t i = 0; i < iterations; i++)
        s->run(s->arg);
    now(after);
    for (int m = 0; m < METRICS; m++)
        out[m][turn] = (after[m] - before[m]) / (double)iterations;
}

void measure(label l, const subject *subjects, size_t count, plan p)
{
    size_t iterations[MAX_SUBJECTS], turns = 0;
    double start;

    if (count > MAX_SUBJECTS || p.max_turns > MAX_TURNS)
        fail("%s: too much to measure", l.what);
    for (size_t i = 0; i < count; i++)
        iterations[i] = calibrate(&subjects[i], p.batch_ms * 1e6);
    start = (double)clock_ns();
    while (turns < p.max_turns &&
           (turns < p.min_turns || (double)clock_ns() - start < p.budget_ms * 1e6)) {
        for (size_t k = 0; k < count; k++) {
            size_t i = (turns + k) % count;
            take_turn(&subjects[i], iterations[i], values[i], turns);
        }
        turns++;
    }
    for (size_t i = 0; i < count; i++) {
        for (int m = 0; m < METRICS; m++)
            measure_emit(l, subjects[i].who, metric_names[m], values[i][m], turns);
    }
}

void measure_emit(label l, const char *who, const char *metric, const double *v, size_t count)
{
    printf("%s\t%s\t%zu\t%s\t%s", l.what, l.guest, l.input, who, metric);
    for (size_t i = 0; i < count; i++)
        printf("\t%.4g", v[i]);
    putchar('\n');
    fflush(stdout);
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double measure_median(double *v, size_t count)
{
    qsort(v, count, sizeof *v, compare);
    return count % 2 ? v[count / 2] : (v[count / 2 - 1] + v[count / 2]) / 2;
}
