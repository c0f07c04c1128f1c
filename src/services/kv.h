#ifndef UBIQ_SERVICES_KV_H
#define UBIQ_SERVICES_KV_H

#include "services/operation.h"
#include "services/store.h"

/* Key-value storage. Keys are UTF-8 of at least one byte, so that a list can show each as it is, in
 * byte order; values are any bytes. A key whose time is over is not there. */

enum kv_verb {
    KV_GET,             /* result: the value */
    KV_SET,             /* key, value, ttl_ms */
    KV_SET_IF_ABSENT,   /* likewise; number: 1 set, 0 there already */
    KV_COMPARE_AND_SET, /* and `expected`; number: 1 set, 0 it was something else or not there */
    KV_INCREMENT, /* key, delta; result: the new number in decimal. A key that is not there counts
                           as 0; one that is keeps its time. SERVICE_CONFLICT when the value is no decimal
                           int64, or the sum is none */
    KV_DELETE,    /* number: 1 deleted, 0 was not there */
    KV_LIST       /* key is the prefix, `after`, `limit`, `sees`; result: {"keys": [...], "next":
                           "key" or null} */
};

typedef struct kv_limits {
    size_t key_bytes;
    size_t value_bytes;
    uint64_t total_bytes; /* of all keys and values of the project */
    uint64_t keys;
} kv_limits;

typedef struct kv_operation {
    operation op;
    enum kv_verb verb;
    slice key;
    slice value;
    slice expected;
    int64_t ttl_ms; /* 0: for ever; negative is SERVICE_INVALID */
    int64_t delta;
    slice after;   /* the list begins behind this key */
    int64_t limit; /* from 1; what is over LIMIT_LIST is LIMIT_LIST */
    /* Which keys the list has; NULL: all. In the asker's thread, until the operation is done or
     * abandoned. */
    bool (*sees)(const void *arg, slice key);
    const void *arg;
} kv_operation;

typedef struct kv kv;

/* The keys in a store, which is borrowed and outlives it. */
int kv_create(kv **out, store *s, const kv_limits *limits, error *err) MUST_CHECK;

/* Does `o`, or begins to: see operation.h. A write is done once it is on disk. A read sees every write
 * that is done, whichever thread or process did it. Any thread. */
bool kv_submit(kv *k, kv_operation *o);

/* Frees it, once nothing is being done any more. Takes NULL. */
void kv_destroy(kv *k);

#endif
