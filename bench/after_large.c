#include "rows.h"

#include "base/clock.h"
#include "fail.h"
#include "guest.h"

#include <stdlib.h>
#include <string.h>

#define SMALL 64
#define LARGE ((size_t)10 << 20)
#define CACHE_LINE 64
#define SMALL_CALLS 200
#define MAX_ROUNDS 64

enum { BEFORE, COLD, FIRST, AFTER, TIMES };

static const char *const whats[TIMES] = {"small before", "small after other work",
                                         "small first after", "small after"};

/* Fills the processor's caches with something else: as much as a call with LARGE bytes has to do
 * with, which stand in the caller's memory, the kernel's, the guest's, and in the kernel's as
 * output. */
static void do_other_work(void)
{
    static volatile uint8_t bytes[4 * LARGE];

    for (size_t i = 0; i < sizeof bytes; i += CACHE_LINE)
        bytes[i]++;
}

static double time_call(const library *l, ExtismPlugin *p, const guest *g, const uint8_t *data,
                        size_t len)
{
    uint64_t start = clock_ns();
    library_call(l, p, g->function, data, len);
    return (double)(clock_ns() - start);
}

static double median_of_small(const library *l, ExtismPlugin *p, const guest *g,
                              const uint8_t *data)
{
    double times[SMALL_CALLS];

    for (size_t i = 0; i < SMALL_CALLS; i++)
        times[i] = time_call(l, p, g, data, SMALL);
    return measure_median(times, SMALL_CALLS);
}

/* On a plug-in that has seen no large call yet. A call after other work of the host's shows what of
 * the first call after a large one is only that the caches are cold. */
static void take_round(const library *l, const ExtismCompiledPlugin *code, const guest *g,
                       const uint8_t *data, double out[TIMES][MAX_ROUNDS], size_t round)
{
    ExtismPlugin *p = library_plugin(l, code);

    median_of_small(l, p, g, data);
    out[BEFORE][round] = median_of_small(l, p, g, data);
    do_other_work();
    out[COLD][round] = time_call(l, p, g, data, SMALL);
    median_of_small(l, p, g, data);
    library_call(l, p, g->function, data, LARGE);
    out[FIRST][round] = time_call(l, p, g, data, SMALL);
    out[AFTER][round] = median_of_small(l, p, g, data);
    l->plugin_free(p);
}

static void measure_guest(const setting *s, const guest *g, slice wasm, const uint8_t *data)
{
    static double values[2][TIMES][MAX_ROUNDS];
    const library *libs[] = {&s->upstream, &s->ours};
    const char *const who[] = {"upstream kept", "ours kept"};
    size_t rounds = s->quick ? 3 : 21;
    ExtismCompiledPlugin *code[2];

    for (int i = 0; i < 2; i++)
        code[i] = library_compile(libs[i], wasm.data, wasm.len, g->wasi);
    for (size_t round = 0; round < rounds; round++) {
        for (size_t k = 0; k < 2; k++) {
            size_t i = (round + k) % 2;
            take_round(libs[i], code[i], g, data, values[i], round);
        }
    }
    for (int i = 0; i < 2; i++) {
        for (int t = 0; t < TIMES; t++)
            measure_emit((label){whats[t], g->label, SMALL}, who[i], "wall", values[i][t], rounds);
        libs[i]->compiled_plugin_free(code[i]);
    }
}

void rows_after_large(const setting *s)
{
    uint8_t *data = malloc(LARGE);

    if (!data)
        fail("out of memory");
    memset(data, 'a', LARGE);
    for (const guest *g = guests; g->label; g++) {
        buf wasm;

        if (g->large || !guest_read(g, s->directory, &wasm))
            continue;
        measure_guest(s, g, buf_slice(&wasm), data);
        buf_deinit(&wasm);
    }
    free(data);
}
