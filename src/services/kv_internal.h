#ifndef UBIQ_SERVICES_KV_INTERNAL_H
#define UBIQ_SERVICES_KV_INTERNAL_H

#include "services/kv.h"

/* What keeps the keys. Operations come checked: keys and values within their limits, a ttl that is
 * not negative. Each function is kv_submit for its verbs. */
typedef struct kv_backend {
    bool (*get)(kv *k, kv_operation *o);
    bool (*list)(kv *k, kv_operation *o);
    bool (*write)(kv *k, kv_operation *o);
    void (*destroy)(kv *k);
} kv_backend;

/* The first member of a backend's own struct. */
struct kv {
    const kv_backend *backend;
    kv_limits limits;
};

#endif
