#ifndef UBIQ_EXTISM_LOG_H
#define UBIQ_EXTISM_LOG_H

#include "base/error.h"
#include "base/slice.h"

/* The library's log: one sink a process, set once, as upstream has it (a second setting is
 * refused). All functions may be called from any thread.
 *
 * A filter is a level, which then holds for the library ("debug" stands for "extism=debug"), or
 * directives with commas between them:
 *   target=level   for targets that begin so: "extism=info", "extism::pdk=trace"
 *   level          for every target that no other directive names
 *   target         the same as target=trace
 * Of several directives for a target the longest name counts, and of equal ones the last. A level
 * is a word as log_level_parse takes it, or nothing, which is trace. A directive that is none of
 * these is ignored, with a line on standard error; so are those that select spans or fields
 * ("extism[call]=info"), of which there are none here. With no directive left, errors are logged.
 * White space around a directive does not count (upstream ignores such a directive). */

/* In upstream's order: a level is on when it is <= the level that is set. */
enum log_level { LOG_OFF = 0, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Sends the log to a file: "stderr", "-" or NULL; "stdout"; or a path, which is created (0666 less
 * the umask) or appended to. Standard error and output get colours, terminal or not. A NULL filter
 * is "error". E_INVALID when path or filter is not UTF-8; E_IO when the file cannot be opened;
 * E_BUSY when a sink was set before; E_NO_MEMORY. */
int log_to_file(const char *path, const char *filter, error *err) MUST_CHECK;

/* Keeps lines in memory until log_drain takes them, LIMIT_LOG_LINES and 64 MiB at the most: the
 * oldest go first. Errors as log_to_file. */
int log_to_buffer(const char *filter, error *err) MUST_CHECK;

/* Hands each buffered line (NUL-terminated, `len` bytes without the NUL, with its newline) to
 * `handler`, oldest first, and forgets it. `handler` may log; what it logs stays for the next
 * drain. Does nothing when there is no buffer. */
void log_drain(void (*handler)(const char *line, uint64_t len));

/* The most talkative level that is on for any target at all, as upstream tells it to guests:
 * LOG_OFF when no sink is set. A relaxed atomic load: cheap. */
enum log_level log_level(void);

/* Writes one line in upstream's form:
 * "<RFC 3339 time with microseconds>Z <LEVEL, 5 wide> extism::<target>: <text> plugin=\"<id>\""
 * and a newline. `plugin_id` is a UUID's text or NULL, which leaves that field out. In the text,
 * control characters that a terminal may obey are escaped as upstream does it ("\x1b", "\u{9b}"),
 * and so are NUL and bytes that are not UTF-8; line breaks and tabs stand as they are. Nothing is
 * done when the level is off for the target. */
void log_write(enum log_level level, const char *target, const char *plugin_id, slice text);

/* The same with formatted text; at most 4 KiB of it. */
void log_printf(enum log_level level, const char *target, const char *plugin_id, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* "error", "warn", "info", "debug", "trace" in any case, or 1 to 5; LOG_OFF for "off" and 0;
 * E_INVALID otherwise. */
int log_level_parse(const char *text, enum log_level *out) MUST_CHECK;

#endif
