#ifndef CONFORMANCE_OBSERVE_H
#define CONFORMANCE_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a case saw: named values, sent to the parent process at once, so that what came before a
 * crash is kept. Text goes out as text when it is UTF-8 and as hexadecimal digits otherwise; data
 * of more than 16 KiB as its length and hash. */

void observe_to(int fd);

void observe_int(const char *name, int64_t value);
void observe_bool(const char *name, bool value);

/* A NUL-terminated text; NULL is seen as null. */
void observe_text(const char *name, const char *text);

void observe_bytes(const char *name, const void *data, size_t len);

/* The same, as 64-bit little-endian numbers. */
void observe_numbers(const char *name, const void *data, size_t len);

/* From here on, `:port` in a text is written `:PORT`. */
void observe_hide_port(unsigned port);

#endif
