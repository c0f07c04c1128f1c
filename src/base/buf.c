#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64

void buf_init(buf *b, size_t max)
{
    *b = (buf){.max = max};
}

void buf_deinit(buf *b)
{
    free(b->data);
    *b = (buf){.max = b->max};
}

void buf_clear(buf *b)
{
    b->len = 0;
}

int buf_reserve(buf *b, size_t more)
{
    size_t capacity;
    uint8_t *data;

    if (more <= b->capacity - b->len)
        return 0;
    if (b->len > b->max || more > b->max - b->len)
        return E_TOO_LARGE;
    capacity = b->capacity > b->max / 2 ? b->max : b->capacity * 2;
    if (capacity < b->len + more)
        capacity = b->len + more;
    if (capacity < FIRST_CAPACITY)
        capacity = b->max < FIRST_CAPACITY ? b->max : FIRST_CAPACITY;
    data = realloc(b->data, capacity);
    if (!data)
        return E_NO_MEMORY;
    b->data = data;
    b->capacity = capacity;
    return 0;
}

int buf_append(buf *b, const void *data, size_t len)
{
    int rc;

    if (len == 0)
        return 0;
    rc = buf_reserve(b, len);
    if (rc)
        return rc;
    memcpy(b->data + b->len, data, len);
    b->len += len;
    return 0;
}

int buf_append_byte(buf *b, uint8_t byte)
{
    return buf_append(b, &byte, 1);
}

int buf_append_str(buf *b, const char *text)
{
    return buf_append(b, text, strlen(text));
}

int buf_printf(buf *b, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    int len;
    int rc;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        return E_NO_MEMORY;
    rc = buf_append(b, text, (size_t)len);
    free(text);
    return rc;
}

char *buf_take_str(buf *b)
{
    uint8_t *data;

    if (b->len == SIZE_MAX)
        return NULL;
    data = realloc(b->data, b->len + 1);
    if (!data)
        return NULL;
    data[b->len] = '\0';
    *b = (buf){.max = b->max};
    return (char *)data;
}
