#ifndef UBIQ_EXTISM_LOG_H
#define UBIQ_EXTISM_LOG_H

#include "base/error.h"
#include "base/slice.h"

/* The library's log: one sink a process, set once, as upstream has it (a second setting is
 * refused). All functions may be called from any thread. */

/* In upstream's order: a level is on when it is <= the level that is set. */
enum log_level { LOG_OFF = 0, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Sends the log to a file ("stderr" or "-", "stdout", or a path that is appended to and created).
 * `filter` is a level, or a list as in "extism=trace,cranelift=debug", of which the parts that name
 * `extism` (or no target) count. E_INVALID for a filter that is not one; E_IO when the file cannot
 * be opened; E_BUSY when a sink was set before. */
int log_to_file(const char *path, const char *filter, error *err) MUST_CHECK;

/* Keeps lines in memory until log_drain takes them. Errors as log_to_file. */
int log_to_buffer(const char *filter, error *err) MUST_CHECK;

/* Hands each buffered line (NUL-terminated, `len` bytes without the NUL, with its newline) to
 * `handler`, oldest first, and forgets it. `handler` may log. */
void log_drain(void (*handler)(const char *line, uint64_t len));

/* The level that is on: LOG_OFF when no sink is set. A relaxed atomic load: cheap. */
enum log_level log_level(void);

/* Writes one line in upstream's form:
 * "<RFC 3339 time with microseconds>Z <LEVEL, 5 wide> extism::<target>: <text> plugin=\"<id>\"" and a
 * newline. `plugin_id` is a UUID's text or NULL, which leaves that field out. Nothing is done when
 * the level is off. */
void log_write(enum log_level level, const char *target, const char *plugin_id, slice text);

/* The same with formatted text; at most 4 KiB of it. */
void log_printf(enum log_level level, const char *target, const char *plugin_id,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "error", "warn", "info", "debug", "trace" in any case; LOG_OFF for "off"; E_INVALID otherwise. */
int log_level_parse(const char *text, enum log_level *out) MUST_CHECK;

#endif
