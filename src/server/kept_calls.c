#include "server/kept_calls.h"

#include "server/limits.h"

#include <stdlib.h>

typedef struct kept_call {
    timer timer;
    struct kept_function *of;
    struct kept_call *older; /* of the same function */
    call *call;
} kept_call;

struct kept_function {
    kept_call *newest;
    size_t count;
};

bool kept_calls_init(kept_calls *k, size_t functions, size_t most)
{
    *k = (kept_calls){.function = calloc(functions + 1, sizeof *k->function), .most = most};
    if (!k->function || !timers_init(&k->idle, 1)) {
        kept_calls_deinit(k);
        return false;
    }
    k->idle.length_ns[0] = LIMIT_KEPT_MS * UINT64_C(1000000);
    return true;
}

/* Forgets it, and gives its call. */
static call *take_out(kept_calls *k, kept_call *one)
{
    kept_call **at = &one->of->newest;
    call *c = one->call;

    while (*at != one)
        at = &(*at)->older;
    *at = one->older;
    one->of->count--;
    k->count--;
    timers_clear(&one->timer);
    free(one);
    return c;
}

/* The one that has been kept for longest, or NULL. */
static kept_call *longest_kept(const kept_calls *k)
{
    return (kept_call *)(void *)timers_first(&k->idle, 0);
}

call *kept_calls_take(kept_calls *k, const function *f)
{
    kept_call *newest = k->function[f->index].newest;

    return newest ? take_out(k, newest) : NULL;
}

void kept_calls_put(kept_calls *k, const function *f, call *c, uint64_t now_ns)
{
    struct kept_function *of = &k->function[f->index];
    kept_call *one = of->count < LIMIT_KEPT_CALLS && k->most ? malloc(sizeof *one) : NULL;

    if (!one) {
        call_destroy(c);
        return;
    }
    if (k->count == k->most)
        call_destroy(take_out(k, longest_kept(k)));
    *one = (kept_call){.of = of, .older = of->newest, .call = c};
    of->newest = one;
    of->count++;
    k->count++;
    timers_set(&k->idle, &one->timer, 0, now_ns);
}

void kept_calls_end_idle(kept_calls *k, uint64_t now_ns)
{
    kept_call *one;

    while ((one = longest_kept(k)) && one->timer.at_ns <= now_ns)
        call_destroy(take_out(k, one));
}

void kept_calls_deinit(kept_calls *k)
{
    while (k->count)
        call_destroy(take_out(k, longest_kept(k)));
    timers_deinit(&k->idle);
    free(k->function);
    *k = (kept_calls){0};
}
