#include "server/static_cache.h"

#include "server/limits.h"

#include <stdlib.h>

/* A file as it was when it was read. */
struct kept {
    struct stat st;
    uint8_t *content; /* NULL: not kept */
};

struct static_cache {
    size_t count;
    size_t bytes; /* of all contents */
    struct kept kept[];
};

static_cache *static_cache_create(size_t count)
{
    static_cache *s = calloc(1, sizeof *s + count * sizeof *s->kept);

    if (s)
        s->count = count;
    return s;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool static_cache_get(const static_cache *s, size_t number, const struct stat *st, slice *content)
{
    const struct kept *k = &s->kept[number];

    if (!k->content || k->st.st_ino != st->st_ino || k->st.st_dev != st->st_dev ||
        k->st.st_size != st->st_size || !is_same_time(k->st.st_mtim, st->st_mtim) ||
        !is_same_time(k->st.st_ctim, st->st_ctim))
        return false;
    *content = slice_of(k->content, (size_t)st->st_size);
    return true;
}

static void let_go(static_cache *s, size_t number)
{
    struct kept *k = &s->kept[number];

    if (k->content)
        s->bytes -= (size_t)k->st.st_size;
    free(k->content);
    k->content = NULL;
}

void static_cache_put(static_cache *s, size_t number, const struct stat *st, uint8_t *content)
{
    let_go(s, number);
    if (s->bytes + (size_t)st->st_size > LIMIT_KEPT_FILES_BYTES) {
        for (size_t i = 0; i < s->count; i++)
            let_go(s, i);
    }
    s->kept[number] = (struct kept){.st = *st, .content = content};
    s->bytes += (size_t)st->st_size;
}

void static_cache_destroy(static_cache *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        let_go(s, i);
    free(s);
}
