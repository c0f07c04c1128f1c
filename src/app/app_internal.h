#ifndef UBIQ_APP_APP_INTERNAL_H
#define UBIQ_APP_APP_INTERNAL_H

#include "app/app.h"

struct app {
    char *path;
    config config;
    function *functions;
    size_t count;
    uint64_t *wall_ms; /* those there are */
    unsigned wall_count;
    routes *routes;
    public_index *public_index;
    services services;
    bool uses_services;
    events *events;
};

/* Reads all that makes up the project at a->path into `a`, and adds what is wrong with it to `found`.
 * Errors as app_open, but that what is wrong is none. */
int app_read(app *a, const char *environment, problems *found, error *err) MUST_CHECK;

#endif
