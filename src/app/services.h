#ifndef UBIQ_APP_SERVICES_H
#define UBIQ_APP_SERVICES_H

#include "app/config.h"
#include "services/events.h"
#include "services/kv.h"
#include "services/storage.h"

/* The services of a project, on what stands under <project>/.ubiq/data. */
typedef struct services {
    store *store;
    kv *kv;
    storage *storage;
} services;

/* Opens them; the directories are made. E_INVALID for a damaged database, E_IO, E_DENIED. On success
 * the caller ends `out` with services_close; on failure it is empty. */
int services_open(services *out, const char *project, const config *c, error *err) MUST_CHECK;

/* Ends what is being written, and closes. Takes an all-zero one. */
void services_close(services *s);

/* What ubiq.toml says about events, as the service takes it. */
events_limits services_events_limits(const config *c);

#endif
