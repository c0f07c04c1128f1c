#include "app/host_internal.h"

#include "app/limits.h"

/* Files: ubiq_storage_*. */

static bool sees(const void *function_of_asker, slice path)
{
    return permissions_allow(((const function *)function_of_asker)->permissions,
                             PERMISSION_STORAGE_READ, path);
}

/* Checks the path and begins an operation with it. NULL: the guest has its answer. */
static storage_operation *begin(host_call *h, enum storage_verb verb, bool writes)
{
    storage_operation *o;
    slice path;

    if (!host_bytes(h, 0, &path))
        return NULL;
    if (writes ? !host_may(h, PERMISSION_STORAGE_WRITE, "storage:write:", path)
               : !host_may(h, PERMISSION_STORAGE_READ, "storage:read:", path))
        return NULL;
    o = host_operation_create(h, sizeof *o, LIMIT_HOST_FILE_BYTES);
    if (!o)
        return NULL;
    o->verb = verb;
    o->path = path;
    return o;
}

static bool submit(host_call *h, storage_operation *o, bool bytes)
{
    return host_operation_submitted(o, storage_submit(app_services(h->context->app)->storage, o), bytes);
}

static bool read_file(host_call *h)
{
    storage_operation *o = begin(h, STORAGE_READ, false);

    return o ? submit(h, o, true) : true;
}

static bool write_file(host_call *h)
{
    storage_operation *o;
    slice data;

    if (!host_bytes(h, 1, &data) || !(o = begin(h, STORAGE_WRITE, true)))
        return true;
    o->data = data;
    return submit(h, o, false);
}

static bool delete_file(host_call *h)
{
    storage_operation *o = begin(h, STORAGE_DELETE, true);

    return o ? submit(h, o, false) : true;
}

static bool stat_file(host_call *h)
{
    storage_operation *o = begin(h, STORAGE_STAT, false);

    return o ? submit(h, o, true) : true;
}

static bool list_files(host_call *h)
{
    slice prefix, after;
    storage_operation *o;

    if (!host_bytes(h, 0, &prefix) || !host_bytes(h, 1, &after))
        return true;
    if (!permissions_any(h->context->function->permissions, PERMISSION_STORAGE_READ))
        return host_deny(h->wait, h->context, "storage:read:", slice_str("*"));
    o = host_operation_create(h, sizeof *o, LIMIT_HOST_RESULT_BYTES);
    if (!o)
        return true;
    o->verb = STORAGE_LIST;
    o->path = prefix;
    o->after = after;
    o->limit = h->inputs[2].v.i64;
    o->sees = sees;
    o->arg = h->context->function;
    return submit(h, o, true);
}

const host_definition host_storage[] = {
    {"ubiq_storage_read", read_file, 1, 0},   {"ubiq_storage_write", write_file, 2, 0},
    {"ubiq_storage_delete", delete_file, 1, 0}, {"ubiq_storage_stat", stat_file, 1, 0},
    {"ubiq_storage_list", list_files, 3, 0},
};
const size_t host_storage_count = sizeof host_storage / sizeof *host_storage;
