#include "server/rate_limit.h"

#include "base/hash.h"
#include "server/limits.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/random.h>

#define WAYS 8 /* the buckets among which one key has its place */
#define SETS (LIMIT_RATE_BUCKETS / WAYS)
#define LOCKS 64
#define SECRET_BYTES 16
#define NS_PER_MS UINT64_C(1000000)

static_assert((SETS & (SETS - 1)) == 0, "the number of sets is a power of two");

/* A bucket is kept as the time at which it will be full again: each request moves that on by the
 * time that a token takes to come, and may not move it further than a whole bucket takes. (This is
 * the generic cell rate algorithm.) A time that has passed is a full bucket, and so is the 0 of a
 * bucket that nobody has used yet. */
typedef struct bucket {
    uint64_t key;
    uint64_t full_ns;
} bucket;

struct rate_limit {
    enum config_rate_by by;
    char *header;
    uint64_t burst;
    uint64_t token_ns; /* a token takes to come, */
    uint64_t whole_ns; /* and a whole bucket */
    uint8_t secret[SECRET_BYTES];
    bucket (*set)[WAYS];
    struct lock {
        alignas(64) pthread_mutex_t mutex;
    } lock[LOCKS]; /* each for the sets whose number has the same rest */
};

static int set_rate(rate_limit *l, const config_rate_limit *c, error *err)
{
    if (c->requests == 0 || c->per_ms == 0 || c->burst == 0)
        return error_set(err, E_INVALID,
                         "middleware.rate_limit: requests, per and burst must not be 0");
    if (c->per_ms > UINT64_MAX / NS_PER_MS || c->per_ms * NS_PER_MS / c->requests == 0)
        return error_set(err, E_INVALID,
                         "middleware.rate_limit: more than a request every nanosecond");
    l->token_ns = c->per_ms * NS_PER_MS / c->requests;
    if (c->burst > INT64_MAX / l->token_ns)
        return error_set(err, E_INVALID,
                         "middleware.rate_limit: burst is more than can come in 290 years");
    l->burst = c->burst;
    l->whole_ns = l->token_ns * l->burst;
    return 0;
}

static int set_header(rate_limit *l, const config_rate_limit *c, error *err)
{
    l->by = c->by;
    if (l->by != RATE_BY_HEADER)
        return 0;
    if (!c->header || !*c->header)
        return error_set(err, E_INVALID, "middleware.rate_limit: by names no header");
    l->header = strdup(c->header);
    return l->header ? 0 : error_set(err, E_NO_MEMORY, "middleware.rate_limit");
}

int rate_limit_create(rate_limit **out, const config_rate_limit *c, error *err)
{
    rate_limit *l = aligned_alloc(alignof(rate_limit), sizeof *l);
    int rc;

    *out = NULL;
    if (!l)
        return error_set(err, E_NO_MEMORY, "middleware.rate_limit");
    memset(l, 0, sizeof *l);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&l->lock[i].mutex, NULL);
    rc = set_rate(l, c, err);
    rc = rc ? rc : set_header(l, c, err);
    if (rc)
        goto done;
    if (getrandom(l->secret, SECRET_BYTES, 0) != SECRET_BYTES) {
        rc = error_set(err, E_INTERNAL, "middleware.rate_limit: no random bytes");
        goto done;
    }
    l->set = calloc(SETS, sizeof *l->set);
    if (!l->set) {
        rc = error_set(err, E_NO_MEMORY, "middleware.rate_limit: %d buckets", LIMIT_RATE_BUCKETS);
        goto done;
    }
    *out = l;
    l = NULL;
done:
    rate_limit_destroy(l);
    return rc;
}

void rate_limit_destroy(rate_limit *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&l->lock[i].mutex);
    free(l->set);
    free(l->header);
    free(l);
}

/* What of an address stands for its owner: all of IPv4's; of IPv6's what a subscriber is given at
 * the least, since all that is behind it is at his choice. */
static slice owner_of(slice address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (address.len != 16)
        return address;
    if (memcmp(address.data, mapped, sizeof mapped) == 0)
        return slice_of(address.data + sizeof mapped, 4);
    return slice_of(address.data, 8);
}

/* The bucket's key. Whoever does not know the secret cannot choose keys that meet in one set, or in
 * one bucket. */
static uint64_t key_of(const rate_limit *l, const rate_subject *s)
{
    uint8_t text[SECRET_BYTES + 2 + SHA256_BYTES] = {0};
    uint8_t digest[SHA256_BYTES] = {0};
    slice what = owner_of(s->address);
    enum config_rate_by by = l->by;
    uint64_t key;

    if (by == RATE_BY_ROUTE)
        what = s->route;
    else if (by == RATE_BY_HEADER && headers_find(s->headers, slice_str(l->header), &what) == 0) {
        by = RATE_BY_ADDRESS;
        what = owner_of(s->address);
    }
    memcpy(text, l->secret, SECRET_BYTES);
    text[SECRET_BYTES] = (uint8_t)by;
    text[SECRET_BYTES + 1] = (uint8_t)what.len;
    /* Without memory for hashing, all have the same key. */
    if (by == RATE_BY_ADDRESS && what.len <= SHA256_BYTES)
        memcpy(text + SECRET_BYTES + 2, what.len ? what.data : text, what.len);
    else if (sha256(what, text + SECRET_BYTES + 2) != 0)
        return 1;
    if (sha256(slice_of(text, sizeof text), digest) != 0)
        return 1;
    memcpy(&key, digest, sizeof key);
    return key;
}

/* The key's bucket, in its set. A new key takes the place of the bucket that is full or will be full
 * soonest: least is forgotten with it. */
static bucket *find(bucket *set, uint64_t key)
{
    bucket *b = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].full_ns < b->full_ns)
            b = &set[i];
    }
    *b = (bucket){.key = key};
    return b;
}

static uint64_t ceil_ms(uint64_t ns)
{
    return ns / NS_PER_MS + (ns % NS_PER_MS > 0);
}

static rate_verdict take(const rate_limit *l, bucket *b, uint64_t now_ns)
{
    uint64_t full_ns = b->full_ns > now_ns ? b->full_ns : now_ns;
    uint64_t missing_ns = full_ns - now_ns; /* until it is full */
    rate_verdict v = {.allowed = missing_ns <= l->whole_ns - l->token_ns};

    if (v.allowed) {
        missing_ns += l->token_ns;
        b->full_ns = now_ns + missing_ns;
        v.left = (l->whole_ns - missing_ns) / l->token_ns;
    } else {
        v.retry_ms = ceil_ms(missing_ns + l->token_ns - l->whole_ns);
    }
    v.reset_ms = ceil_ms(missing_ns);
    return v;
}

rate_verdict rate_limit_take(rate_limit *l, const rate_subject *s, uint64_t now_ns)
{
    uint64_t key = key_of(l, s);
    size_t at = key & (SETS - 1);
    pthread_mutex_t *mutex = &l->lock[at % LOCKS].mutex;
    rate_verdict v;

    pthread_mutex_lock(mutex);
    v = take(l, find(l->set[at], key), now_ns);
    pthread_mutex_unlock(mutex);
    return v;
}

static int put_number(buf *headers, const char *name, uint64_t value)
{
    char digits[21];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return headers_set(headers, slice_str(name), slice_of(digits + at, sizeof digits - at));
}

static uint64_t ceil_seconds(uint64_t ms)
{
    return ms / 1000 + (ms % 1000 > 0);
}

int rate_limit_put_headers(const rate_limit *l, const rate_verdict *v, buf *headers)
{
    int rc = put_number(headers, "RateLimit-Limit", l->burst);

    rc = rc ? rc : put_number(headers, "RateLimit-Remaining", v->left);
    rc = rc ? rc : put_number(headers, "RateLimit-Reset", ceil_seconds(v->reset_ms));
    if (rc || v->allowed)
        return rc;
    return put_number(headers, "Retry-After", ceil_seconds(v->retry_ms));
}
