#ifndef UBIQ_BLOCK_H
#define UBIQ_BLOCK_H

/**
 * @file block.h
 * Input, output, and the blocks of the host's memory in which everything is exchanged.
 *
 * A function has a memory of its own and cannot point into the host's, so bytes are copied, eight at a
 * time. Both memories together may grow up to the function's limit (`memory` in ubiq.toml, 64 MiB if
 * it does not say); a growth beyond it ends the call with "oom". Blocks live until they are freed or
 * the call ends.
 */

#include "imports.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A run of bytes in the host's memory: a block, the input, or a part of either. It owns nothing. */
typedef struct ubiq_view {
    uint64_t at;
    size_t size;
} ubiq_view;

/** The length of a text that ends with a NUL, without it. */
UBIQ_FUNCTION size_t ubiq_text_size(const char *text)
{
    size_t size = 0;

    while (text[size] != '\0')
        size++;
    return size;
}

/** The whole of a block. */
static inline ubiq_view ubiq_view_of(ubiq_block block)
{
    ubiq_view view;

    view.at = block;
    view.size = (size_t)extism_length(block);
    return view;
}

/** The whole of the input. */
static inline ubiq_view ubiq_input(void)
{
    ubiq_view view;

    view.at = extism_input_offset();
    view.size = (size_t)extism_input_length();
    return view;
}

/**
 * Copies a part of a view.
 * @param offset where in the view the part begins
 * @param to room for it
 * @param size the size of that room; at most so much is copied
 * @return how many bytes were copied; 0 when `offset` is at the end of the view or behind it
 */
UBIQ_FUNCTION size_t ubiq_view_read(ubiq_view view, size_t offset, void *to, size_t size)
{
    uint8_t *bytes = (uint8_t *)to;
    size_t i = 0;

    if (offset >= view.size)
        return 0;
    if (size > view.size - offset)
        size = view.size - offset;
    for (; size - i >= 8; i += 8) {
        uint64_t eight = extism_load_u64(view.at + offset + i);

        __builtin_memcpy(bytes + i, &eight, 8);
    }
    for (; i < size; i++)
        bytes[i] = (uint8_t)extism_load_u8(view.at + offset + i);
    return size;
}

/** Copies a part of a block, as ubiq_view_read does it. */
static inline size_t ubiq_block_read(ubiq_block block, size_t offset, void *to, size_t size)
{
    return ubiq_view_read(ubiq_view_of(block), offset, to, size);
}

/** The size of the input in bytes. */
static inline size_t ubiq_input_size(void)
{
    return (size_t)extism_input_length();
}

/** Copies a part of the input, as ubiq_view_read does it. */
UBIQ_FUNCTION size_t ubiq_input_read(size_t offset, void *to, size_t size)
{
    uint8_t *bytes = (uint8_t *)to;
    size_t length = ubiq_input_size();
    size_t i = 0;

    if (offset >= length)
        return 0;
    if (size > length - offset)
        size = length - offset;
    for (; size - i >= 8; i += 8) {
        uint64_t eight = extism_input_load_u64(offset + i);

        __builtin_memcpy(bytes + i, &eight, 8);
    }
    for (; i < size; i++)
        bytes[i] = (uint8_t)extism_input_load_u8(offset + i);
    return size;
}

/**
 * Writes a part of a block, all of which must lie in the block.
 * @param offset where in the block the part begins
 * @param data the bytes to write, `size` of them
 */
UBIQ_FUNCTION void ubiq_block_write(ubiq_block block, size_t offset, const void *data, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)data;
    size_t i = 0;

    for (; size - i >= 8; i += 8) {
        uint64_t eight;

        __builtin_memcpy(&eight, bytes + i, 8);
        extism_store_u64(block + offset + i, eight);
    }
    for (; i < size; i++)
        extism_store_u8(block + offset + i, bytes[i]);
}

/** A new block of `size` bytes, all 0; 0 when `size` is 0. Without memory for it, the call ends. */
static inline ubiq_block ubiq_block_new(size_t size)
{
    ubiq_block block = extism_alloc(size);

    if (block == 0 && size > 0)
        __builtin_trap();
    return block;
}

/** A new block with a copy of `size` bytes, as ubiq_block_new makes it. */
UBIQ_FUNCTION ubiq_block ubiq_block_of(const void *data, size_t size)
{
    ubiq_block block = ubiq_block_new(size);

    ubiq_block_write(block, 0, data, size);
    return block;
}

/** A new block with a copy of a text, without its NUL; 0 for NULL and for the empty text. */
UBIQ_FUNCTION ubiq_block ubiq_block_of_text(const char *text)
{
    return text ? ubiq_block_of(text, ubiq_text_size(text)) : 0;
}

/** Frees a block; nothing happens for 0. */
static inline void ubiq_block_free(ubiq_block block)
{
    if (block != 0)
        extism_free(block);
}

/** Copies a view as a text: up to `size` - 1 bytes and a NUL, which is there whenever `size` is more
 * than 0. Gives back the size of the whole view. */
static inline ptrdiff_t ubiq_view_text(ubiq_view view, char *to, size_t size)
{
    if (size > 0)
        to[ubiq_view_read(view, 0, to, size - 1)] = '\0';
    return (ptrdiff_t)view.size;
}

/**
 * Takes the bytes that a host function gave back: copies them and frees their block.
 * @param result a block or a code
 * @param to room for the bytes
 * @param size the size of that room; at most so much is copied
 * @return the length of all the bytes, or the code
 */
UBIQ_FUNCTION ptrdiff_t ubiq_take(ubiq_result result, void *to, size_t size)
{
    ubiq_view view;

    if (result < 0)
        return (ptrdiff_t)result;
    view = ubiq_view_of((ubiq_block)result);
    ubiq_view_read(view, 0, to, size);
    ubiq_block_free((ubiq_block)result);
    return (ptrdiff_t)view.size;
}

/** Takes the bytes that a host function gave back as a text, as ubiq_view_text copies it. */
UBIQ_FUNCTION ptrdiff_t ubiq_take_text(ubiq_result result, char *to, size_t size)
{
    ptrdiff_t length;

    if (result < 0)
        return (ptrdiff_t)result;
    length = ubiq_view_text(ubiq_view_of((ubiq_block)result), to, size);
    ubiq_block_free((ubiq_block)result);
    return length;
}

/** Makes a block the output. */
static inline void ubiq_output_block(ubiq_block block)
{
    extism_output_set(block, extism_length(block));
}

/** Makes a copy of these bytes the output; no bytes leave it as it is, which is empty at first. */
static inline void ubiq_output(const void *data, size_t size)
{
    extism_output_set(ubiq_block_of(data, size), size);
}

/** Makes a text, without its NUL, the output. */
static inline void ubiq_output_text(const char *text)
{
    ubiq_output(text, ubiq_text_size(text));
}

/**
 * Sets the text of the error with which the call ends.
 * @return 1, so that a function ends with `return ubiq_fail("not a number");`
 */
static inline int32_t ubiq_fail(const char *text)
{
    extism_error_set(ubiq_block_of_text(text));
    return 1;
}

#ifdef __cplusplus
}
#endif

#endif
