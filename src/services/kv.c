#include "services/kv_internal.h"

#include <inttypes.h>

/* Whether the key is none; the operation has failed then. */
static bool refuse_key(const kv *k, kv_operation *o)
{
    if (o->key.len == 0)
        return operation_fail(&o->op, SERVICE_INVALID, "kv: the key is empty");
    if (o->key.len > k->limits.key_bytes)
        return operation_fail(&o->op, SERVICE_TOO_LARGE,
                              "kv: a key of %zu bytes; the longest are of %zu", o->key.len,
                              k->limits.key_bytes);
    if (!slice_is_utf8(o->key))
        return operation_fail(&o->op, SERVICE_INVALID,
                              "kv: a key is UTF-8; this one is not from byte %zu on",
                              slice_utf8_prefix(o->key));
    return false;
}

/* The same for what is to be set. */
static bool refuse_value(const kv *k, kv_operation *o)
{
    if (o->value.len > k->limits.value_bytes)
        return operation_fail(&o->op, SERVICE_TOO_LARGE,
                              "kv: a value of %zu bytes; the largest are of %zu", o->value.len,
                              k->limits.value_bytes);
    if (o->ttl_ms < 0)
        return operation_fail(&o->op, SERVICE_INVALID, "kv: a ttl of %" PRId64 " ms is negative",
                              o->ttl_ms);
    return false;
}

bool kv_submit(kv *k, kv_operation *o)
{
    if (o->verb == KV_LIST)
        return k->backend->list(k, o);
    if (refuse_key(k, o))
        return true;
    if (o->verb == KV_GET)
        return k->backend->get(k, o);
    return refuse_value(k, o) || k->backend->write(k, o);
}

void kv_destroy(kv *k)
{
    if (k)
        k->backend->destroy(k);
}
