#ifndef UBIQ_SERVICES_OPERATION_H
#define UBIQ_SERVICES_OPERATION_H

#include "base/buf.h"
#include "base/mailbox.h"

/* What a guest gets in place of a result when a service cannot do what it was asked for. */
#define SERVICE_CODES(X)                                                                           \
    X(SERVICE_NOT_FOUND, -1, "not_found")                                                          \
    X(SERVICE_DENIED, -2, "denied")                                                                \
    X(SERVICE_INVALID, -3, "invalid")                                                              \
    X(SERVICE_TOO_LARGE, -4, "too_large")                                                          \
    X(SERVICE_OVER_QUOTA, -5, "over_quota")                                                        \
    X(SERVICE_CONFLICT, -6, "conflict")                                                            \
    X(SERVICE_TIMEOUT, -7, "timeout")                                                              \
    X(SERVICE_UNAVAILABLE, -8, "unavailable")                                                      \
    X(SERVICE_BUSY, -9, "busy")

enum service_code {
    SERVICE_OK = 0,
#define X(name, value, text) name = (value),
    SERVICE_CODES(X)
#undef X
};

/* The code's name, as ubiq_error tells it to guests: "not_found". Static; never NULL. */
const char *service_code_name(enum service_code code);

/* One thing that a service is asked to do, the part that all services share. It lives in its
 * asker's memory, inside of a struct of the service's own (kv_operation, ...), and stays there until
 * it is done.
 *
 * The asker fills in `home` and `done` and what the service's struct asks for, all else being zero,
 * and submits it. Submitting returns true when it is done already: `done` is not called then. It
 * returns false when it will be done later: what the operation borrows (keys, values) has been copied
 * by the service then, and `done` runs in the thread of `home` when that is open. */
typedef struct operation {
    mailbox *home;
    void (*done)(struct operation *op);
    enum service_code code; /* SERVICE_OK, or why it was not done, */
    error err;              /* and the text, for the guest's author */
    int64_t number;         /* the result, if it is one: 1 set, 0 was there already */
    buf result;             /* the bytes that it gave; made with the maximum that it may have */
    bool abandoned; /* may be set in the thread of `home` when nobody waits for the result any more:
                       nothing of the asker's but `done` is called then */
    mail mail;      /* the service's */
    uint8_t *copied; /* the service's: what it borrowed and had to keep */
} operation;

/* Sets code and text; returns true, for "done already". */
bool operation_fail(operation *op, enum service_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for what a service could not do for reasons of its own (a full disk, a damaged file): E_BUSY
 * is SERVICE_BUSY, all else SERVICE_UNAVAILABLE. */
bool operation_unavailable(operation *op, const error *err);

/* Makes it what it was before: a write may be applied again. */
void operation_restart(operation *op);

/* Posts it to its home, where `done` is run. For services, from any thread. */
void operation_finish(operation *op);

/* Frees what it holds. Takes an all-zero one. */
void operation_deinit(operation *op);

#endif
