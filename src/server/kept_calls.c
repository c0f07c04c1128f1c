#include "server/kept_calls.h"

#include "server/limits.h"

#include <stdlib.h>

struct kept_function {
    call *item[LIMIT_KEPT_CALLS];
    size_t count;
};

bool kept_calls_init(kept_calls *k, size_t count)
{
    *k = (kept_calls){.function = calloc(count + 1, sizeof *k->function), .count = count};
    return k->function != NULL;
}

call *kept_calls_take(kept_calls *k, const function *f)
{
    struct kept_function *of = &k->function[f->index];

    return of->count ? of->item[--of->count] : NULL;
}

void kept_calls_put(kept_calls *k, const function *f, call *c)
{
    struct kept_function *of = &k->function[f->index];

    if (of->count < LIMIT_KEPT_CALLS)
        of->item[of->count++] = c;
    else
        call_destroy(c);
}

void kept_calls_deinit(kept_calls *k)
{
    for (size_t i = 0; i < k->count; i++) {
        while (k->function[i].count)
            call_destroy(k->function[i].item[--k->function[i].count]);
    }
    free(k->function);
    *k = (kept_calls){0};
}
