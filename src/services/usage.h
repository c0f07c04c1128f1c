#ifndef UBIQ_SERVICES_USAGE_H
#define UBIQ_SERVICES_USAGE_H

#include "services/store.h"

#include <stdint.h>

/* How much a service has stored, kept in the store so that its quota is exact whichever process
 * writes. It is read once a transaction and written once, with what it counts. For `apply` alone. */
typedef struct usage {
    store_part part;
    const char *service; /* static */
    bool loaded;
    bool changed;
    uint64_t bytes;
    uint64_t items;
} usage;

/* Begins to take part in the store's transactions; end with store_detach of `part`. */
int usage_init(usage *u, store *s, const char *service, error *err) MUST_CHECK;

/* Makes `bytes` and `items` right for this transaction. */
int usage_load(usage *u, store *s, error *err) MUST_CHECK;

/* Counts what was added and what went. */
void usage_change(usage *u, uint64_t bytes_more, uint64_t bytes_less, uint64_t items_more,
                  uint64_t items_less);

#endif
