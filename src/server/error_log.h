#ifndef UBIQ_SERVER_ERROR_LOG_H
#define UBIQ_SERVER_ERROR_LOG_H

#include "base/slice.h"
#include "server/log_writer.h"

/* Writes what went wrong with a function: time, function, invocation (or NULL) and text, for the
 * operator. A guest may have chosen the text: its further lines are indented, so that none can pass
 * for an entry of its own, and control characters are replaced. Any thread. */
void error_log_write(log_writer *w, const char *function, const char *invocation, slice text);

#endif
