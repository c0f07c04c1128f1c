#ifndef UBIQ_SERVER_ERROR_LOG_H
#define UBIQ_SERVER_ERROR_LOG_H

#include "base/slice.h"
#include "server/log_writer.h"

/* As functions name them in ubiq_log. */
enum error_log_level { ERROR_LOG_TRACE, ERROR_LOG_DEBUG, ERROR_LOG_INFO, ERROR_LOG_WARN, ERROR_LOG_ERROR };

/* Writes what went wrong with a function: time, function, invocation (or NULL) and text, for the
 * operator. A guest may have chosen the text: its further lines are indented, so that none can pass
 * for an entry of its own, and control characters are replaced. Of more than 16 KiB the start is
 * written, and how much is left out. Any thread. */
void error_log_write(log_writer *w, const char *function, const char *invocation, slice text);

/* Writes a line of any level, with `attributes` (a JSON object) behind the text if there are any;
 * those over 16 KiB are left out, which the line says. */
void error_log_write_line(log_writer *w, enum error_log_level level, const char *function,
                          const char *invocation, slice text, slice attributes);

#endif
