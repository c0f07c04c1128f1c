#ifndef UBIQ_SERVICES_KV_SQLITE_H
#define UBIQ_SERVICES_KV_SQLITE_H

#include "services/kv_internal.h"
#include "services/usage.h"

/* What the files of the SQLite backend share. */
typedef struct kv_sqlite {
    kv kv;
    store *store;
    usage usage;      /* the writer's */
    int64_t purge_at; /* when keys whose time is over are looked for; likewise */
} kv_sqlite;

/* The SQL function kv_replaced(where, size, expires) of its statements: gives `expires`. */
store_function kv_sqlite_replaced;

/* Does a write, or begins to: as kv_submit. */
bool kv_sqlite_write(kv *k, kv_operation *o);

#endif
