#ifndef UBIQ_SERVICES_EVENTS_OWNER_H
#define UBIQ_SERVICES_EVENTS_OWNER_H

#include "services/store.h"

#include <stdint.h>

/* Whose the deliveries are that are under way, so that those of a process that has ended are found and
 * those of another one that runs are left alone. An owner is a number, and lives as long as a lock of
 * the system's on the byte of that number in a file beside the database. */

typedef struct events_owner {
    int fd;         /* -1 for none */
    int64_t number; /* from 1 */
} events_owner;

/* Becomes the first owner that does not live. E_BUSY when all do, E_IO, E_NO_MEMORY. */
int events_owner_take(events_owner *o, store *s, error *err) MUST_CHECK;

/* Whether an owner lives. */
bool events_owner_lives(const events_owner *o, int64_t number);

/* Ends it. Takes one that is none. */
void events_owner_release(events_owner *o);

#endif
