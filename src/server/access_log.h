#ifndef UBIQ_SERVER_ACCESS_LOG_H
#define UBIQ_SERVER_ACCESS_LOG_H

#include "server/conditional.h"
#include "server/connection.h"
#include "server/log_writer.h"

/* A worker's part of the access log: a line of JSON for each request, gathered in a block that goes
 * to the writer when it is full and whenever the worker sweeps. Also keeps the time as text, which
 * the answers need too. */
typedef struct access_log {
    log_writer *writer; /* borrowed; NULL: no log is kept */
    char *block; /* owned, until the writer takes it; or NULL */
    size_t len;
    int64_t second;
    char stamp[24]; /* "2026-01-31T12:00:00" */
    char date[HTTP_DATE_BYTES];
} access_log;

/* Adds the line of a request that is answered; `now_ns` is clock_ns. */
void access_log_add(access_log *l, const request *r, uint64_t now_ns);

/* Hands what there is to the writer. */
void access_log_flush(access_log *l);

/* The time for a Date header; valid until the next call. */
const char *access_log_date(access_log *l);

/* Hands over what there is and frees the rest. Takes an all-zero one. */
void access_log_deinit(access_log *l);

#endif
