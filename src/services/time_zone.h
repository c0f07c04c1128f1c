#ifndef UBIQ_SERVICES_TIME_ZONE_H
#define UBIQ_SERVICES_TIME_ZONE_H

#include "base/error.h"
#include "base/slice.h"

/* Time zones, read from the system's database (/usr/share/zoneinfo, files as RFC 9636 has them). The C
 * library knows one zone a process and changes it for all threads; here any number are in use at
 * once. */
typedef struct time_zone time_zone;

/* A time during which clocks in a zone are the same amount ahead of UTC. Seconds since 1970. */
typedef struct time_zone_span {
    int64_t from;   /* INT64_MIN when it has no beginning */
    int64_t until;  /* the first second behind it; INT64_MAX when it has no end */
    int32_t offset; /* seconds; negative west of Greenwich */
} time_zone_span;

/* The zone of a name like "Europe/Berlin". "UTC" needs no database. E_INVALID when there is none of
 * that name, E_IO, E_NO_MEMORY. */
int time_zone_open(time_zone **out, const char *name, error *err) MUST_CHECK;

/* The zone that a file's bytes describe. E_INVALID when they are no such file, or one that counts leap
 * seconds; E_NO_MEMORY. */
int time_zone_read(time_zone **out, slice file, error *err) MUST_CHECK;

/* The span that a time of the years 1970 to 9999 lies in. Any thread. */
time_zone_span time_zone_at(const time_zone *z, int64_t at);

/* Frees it. Takes NULL. */
void time_zone_destroy(time_zone *z);

#endif
