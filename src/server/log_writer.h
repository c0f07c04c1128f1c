#ifndef UBIQ_SERVER_LOG_WRITER_H
#define UBIQ_SERVER_LOG_WRITER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes a log in a thread of its own, so that whoever reads it slowly does not hold up a worker.
 * What has not been written yet is at most LIMIT_LOG_BYTES; what comes on top of that is dropped,
 * and a line says how many lines were. */
typedef struct log_writer log_writer;

/* Starts to write to `fd`, which is borrowed. */
int log_writer_create(log_writer **out, int fd, error *err) MUST_CHECK;

/* Takes what has been put at once: a line with its newline, or several. In the writer's thread. */
typedef void (*log_sink)(void *arg, int level, const char *lines, size_t len);

/* Starts to hand everything to `sink`, in place of writing it. */
int log_writer_create_for(log_writer **out, log_sink sink, void *arg, error *err) MUST_CHECK;

/* Hands over whole lines; `data` comes from malloc and is freed. Any thread. */
void log_writer_put(log_writer *w, void *data, size_t len);

/* The same of a level, which only a sink is told. */
void log_writer_put_level(log_writer *w, int level, void *data, size_t len);

/* Writes what is left, for two seconds at the most if it is to a file, and no more. False when that was
 * not enough. Once; takes NULL. */
bool log_writer_stop(log_writer *w);

/* Stops and frees it; one that cannot be stopped is left to the end of the process. Takes NULL. */
void log_writer_destroy(log_writer *w);

#endif
