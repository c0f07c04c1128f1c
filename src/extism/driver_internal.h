#ifndef UBIQ_EXTISM_DRIVER_INTERNAL_H
#define UBIQ_EXTISM_DRIVER_INTERNAL_H

#include "base/buf.h"
#include "base/mailbox.h"
#include "extism/call.h"
#include "extism/deadline.h"
#include "extism/driver.h"

#include <curl/curl.h>

/* What driver.c, driver_call.c and driver_http.c share. */

struct driver_transfer;

/* A thread with its calls. */
typedef struct driver {
    mailbox box; /* new calls, cancellations, functions that have finished */
    CURLM *multi;
    int transfers;                  /* in `multi` */
    struct driver_transfer *failed; /* that could not begin */
    atomic_size_t load;             /* calls that are not done */
    ExtismCall *calls;              /* all of them that have begun */
    ExtismCall *ready, **ready_end; /* those that may go on */
    size_t ready_count;
    uint64_t next_late_ns; /* no call is late before */
    deadline slice;        /* when the call at work should give way */
    bool slicing;
} driver;

struct ExtismCall {
    mail start;
    mail cancel;
    atomic_int refs; /* the caller's, the driver's, and a cancellation's on its way */
    atomic_bool cancelled;
    atomic_bool done;
    driver *driver;
    compiled_plugin *code;
    char *function;
    buf input;
    driver_options options;
    call *call; /* while it runs */
    uint64_t late_ns;
    bool queued;
    ExtismCall *next_ready;
    ExtismCall *next, **at; /* among the driver's calls */
    driver_outcome outcome;
    char *output;
    error err;
};

/* Begins a call whose mail has come, or ends it at once. The driver's thread, as all below. */
void driver_call_begin(ExtismCall *c);

/* Polls it once. True when all it did was to give up its turn. */
bool driver_call_step(ExtismCall *c);

/* Ends it with "timeout". */
void driver_call_give_up(ExtismCall *c);

/* Lets go of one reference. */
void driver_call_unref(ExtismCall *c);

/* Puts it into the queue of those that may go on. */
void driver_queue(ExtismCall *c);

/* Moves the transfers of HTTP on, which wakes the calls whose transfers are done. */
void driver_http_step(driver *d);

/* The driver that the calling thread is. */
driver *driver_current(void);

#endif
