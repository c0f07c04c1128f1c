#include "app/host_internal.h"

#include "app/limits.h"

/* Keys and values: ubiq_kv_*. */

static bool sees(const void *function_of_asker, slice key)
{
    return permissions_allow(((const function *)function_of_asker)->permissions, PERMISSION_KV_READ, key);
}

/* Checks the key and begins an operation with it. NULL: the guest has its answer. */
static kv_operation *begin(host_call *h, enum kv_verb verb, bool writes)
{
    kv_operation *o;
    slice key;

    if (!host_bytes(h, 0, &key))
        return NULL;
    if (writes ? !host_may(h, PERMISSION_KV_WRITE, "kv:write:", key)
               : !host_may(h, PERMISSION_KV_READ, "kv:read:", key))
        return NULL;
    o = host_operation_create(h, sizeof *o, LIMIT_HOST_RESULT_BYTES);
    if (!o)
        return NULL;
    o->verb = verb;
    o->key = key;
    return o;
}

static bool submit(host_call *h, kv_operation *o, bool bytes)
{
    return host_operation_submitted(o, kv_submit(app_services(h->context->app)->kv, o), bytes);
}

static bool get(host_call *h)
{
    kv_operation *o = begin(h, KV_GET, false);

    return o ? submit(h, o, true) : true;
}

static bool set_as(host_call *h, enum kv_verb verb)
{
    kv_operation *o;
    slice value;

    if (!host_bytes(h, 1, &value) || !(o = begin(h, verb, true)))
        return true;
    o->value = value;
    o->ttl_ms = h->inputs[2].v.i64;
    return submit(h, o, false);
}

static bool set(host_call *h)
{
    return set_as(h, KV_SET);
}

static bool set_if_absent(host_call *h)
{
    return set_as(h, KV_SET_IF_ABSENT);
}

static bool compare_and_set(host_call *h)
{
    slice expected, value;
    kv_operation *o;

    if (!host_bytes(h, 1, &expected) || !host_bytes(h, 2, &value) ||
        !(o = begin(h, KV_COMPARE_AND_SET, true)))
        return true;
    o->expected = expected;
    o->value = value;
    o->ttl_ms = h->inputs[3].v.i64;
    return submit(h, o, false);
}

static bool increment(host_call *h)
{
    kv_operation *o = begin(h, KV_INCREMENT, true);

    if (!o)
        return true;
    o->delta = h->inputs[1].v.i64;
    return submit(h, o, true);
}

static bool delete(host_call *h)
{
    kv_operation *o = begin(h, KV_DELETE, true);

    return o ? submit(h, o, false) : true;
}

static bool list(host_call *h)
{
    slice prefix, after;
    kv_operation *o;

    if (!host_bytes(h, 0, &prefix) || !host_bytes(h, 1, &after))
        return true;
    if (!permissions_any(h->context->function->permissions, PERMISSION_KV_READ))
        return host_deny(h->wait, h->context, "kv:read:", slice_str("*"));
    o = host_operation_create(h, sizeof *o, LIMIT_HOST_RESULT_BYTES);
    if (!o)
        return true;
    o->verb = KV_LIST;
    o->key = prefix;
    o->after = after;
    o->limit = h->inputs[2].v.i64;
    o->sees = sees;
    o->arg = h->context->function;
    return submit(h, o, true);
}

const host_definition host_kv[] = {
    {"ubiq_kv_get", get, 1, 0},
    {"ubiq_kv_set", set, 3, 0},
    {"ubiq_kv_set_if_absent", set_if_absent, 3, 0},
    {"ubiq_kv_compare_and_set", compare_and_set, 4, 0},
    {"ubiq_kv_increment", increment, 2, 0},
    {"ubiq_kv_delete", delete, 1, 0},
    {"ubiq_kv_list", list, 3, 0},
};
const size_t host_kv_count = sizeof host_kv / sizeof *host_kv;
