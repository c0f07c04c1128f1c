#include "app/services.h"

#include "app/limits.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

static int open_parts(services *out, const char *data, const config *c, error *err)
{
    const config_services *s = &c->services;
    const kv_limits keys = {
        .key_bytes = s->kv_key_bytes,
        .value_bytes = s->kv_value_bytes,
        .total_bytes = s->kv_total_bytes,
        .keys = s->kv_keys,
    };
    const storage_limits files = {
        .file_bytes = s->storage_file_bytes,
        .total_bytes = s->storage_total_bytes,
        .files = LIMIT_STORAGE_FILES,
    };
    char *database = NULL, *contents = NULL;
    int rc;

    if (asprintf(&database, "%s/ubiq.db", data) < 0)
        database = NULL;
    if (asprintf(&contents, "%s/storage", data) < 0)
        contents = NULL;
    if (!database || !contents) {
        rc = error_set(err, E_NO_MEMORY, "out of memory for a project's services");
        goto done;
    }
    rc = store_open(&out->store, database, err);
    rc = rc ? rc : kv_create(&out->kv, out->store, &keys, err);
    rc = rc ? rc : storage_create(&out->storage, out->store, contents, &files, err);
done:
    free(database);
    free(contents);
    return rc;
}

int services_open(services *out, const char *project, const config *c, error *err)
{
    char *data = NULL;
    int rc;

    *out = (services){0};
    if (asprintf(&data, "%s/.ubiq/data", project) < 0)
        return error_set(err, E_NO_MEMORY, "out of memory for a project's services");
    rc = file_make_dirs(data, err);
    rc = rc ? rc : open_parts(out, data, c, err);
    if (rc)
        services_close(out);
    free(data);
    return rc;
}

void services_close(services *s)
{
    storage_destroy(s->storage);
    kv_destroy(s->kv);
    store_close(s->store);
    *s = (services){0};
}

events_limits services_events_limits(const config *c)
{
    const config_services *s = &c->services;

    return (events_limits){
        .topic_bytes = LIMIT_TOPIC_BYTES,
        .payload_bytes = s->event_bytes,
        .pending = s->events_pending,
        .attempts = s->event_attempts,
        .first_retry_ms = s->event_first_retry_ms,
        .last_retry_ms = s->event_last_retry_ms,
        .hops = LIMIT_EVENT_HOPS,
        .at_once = s->events_at_once,
    };
}
