#ifndef UBIQ_SERVER_ADMIN_H
#define UBIQ_SERVER_ADMIN_H

#include "server/worker.h"

/* The listener for whoever runs the server: what its functions are and do, and the project's data. It
 * has a thread of its own, listens on loopback only, and answers nobody who does not know the token in
 * <project>/.ubiq/admin-token: docs/admin.md. */
typedef struct admin admin;

typedef struct admin_options {
    app *app;                /* borrowed, as all of it is */
    worker *const *workers;
    size_t worker_count;
    const char *project;     /* its directory */
    const char *listen;      /* "127.0.0.1:3001"; a free port when that is in use */
} admin_options;

/* Starts it. E_INVALID for an address that is not on loopback, E_DENIED or E_IO when the token cannot
 * be read or made. */
int admin_create(admin **out, const admin_options *options, error *err) MUST_CHECK;

/* Where it listens: "127.0.0.1:3001". Borrowed. */
const char *admin_address(const admin *a);

/* Ends it. Takes NULL. */
void admin_destroy(admin *a);

#endif
