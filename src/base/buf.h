#ifndef UBIQ_BASE_BUF_H
#define UBIQ_BASE_BUF_H

#include "base/error.h"
#include "base/slice.h"

/* A growable run of bytes that never exceeds the maximum it was made with. It owns `data`, which
 * moves when it grows. Not shared between threads. */
typedef struct buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
    size_t max;
} buf;

/* Makes `b` empty; nothing is allocated yet. `max` is in bytes. */
void buf_init(buf *b, size_t max);

/* Frees what `b` holds; it may be used again after buf_init. Takes an all-zero buf. */
void buf_deinit(buf *b);

/* Forgets the content and keeps the memory. */
void buf_clear(buf *b);

/* Makes room for `more` bytes behind the content. E_TOO_LARGE over the maximum, E_NO_MEMORY; the
 * content is unchanged then. */
int buf_reserve(buf *b, size_t more) MUST_CHECK;

/* Appends bytes, which must not lie in `b` itself; on failure as buf_reserve, with nothing
 * appended. */
int buf_append(buf *b, const void *data, size_t len) MUST_CHECK;

/* Appends one byte. */
int buf_append_byte(buf *b, uint8_t byte) MUST_CHECK;

/* Appends a C string without its NUL. */
int buf_append_str(buf *b, const char *text) MUST_CHECK;

/* Appends formatted text; on failure as buf_append. */
int buf_printf(buf *b, const char *format, ...) MUST_CHECK __attribute__((format(printf, 2, 3)));

/* A view of the content, valid until `b` changes. */
static inline slice buf_slice(const buf *b)
{
    return slice_of(b->data, b->len);
}

/* Puts a NUL behind the content (not counted in len), hands the memory to the caller, who frees
 * it with free(), and leaves `b` empty. NULL when memory runs out; `b` is unchanged then. */
char *buf_take_str(buf *b);

#endif
