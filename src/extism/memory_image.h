#ifndef UBIQ_EXTISM_MEMORY_IMAGE_H
#define UBIQ_EXTISM_MEMORY_IMAGE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a guest's memory holds before any of its code has run, and the way back to it: the kernel
 * is asked which pages were written since the memory was mapped (PAGEMAP_SCAN of Linux 6.7, or the
 * older page map), and only those are copied back. They stay mapped and writable, so that the next
 * call meets no page faults. */
typedef struct memory_image memory_image;

/* Takes the image of a memory of the engine's that nothing has run in: only pages with other bytes
 * than zeros are stored. `size` must be a multiple of the page size. */
int memory_image_create(memory_image **out, uint8_t *base, size_t size, error *err) MUST_CHECK;

/* Makes the first `size` bytes of the memory at `base`, at most the image's, equal to the image. False
 * when more than `max_bytes` were written or the system does not tell what was: then nothing is
 * known about the content and the memory must be thrown away. */
bool memory_image_restore(const memory_image *image, uint8_t *base, size_t size,
                          size_t max_bytes) MUST_CHECK;

/* Bytes of the memory. */
size_t memory_image_size(const memory_image *image);

/* Frees it. Takes NULL. */
void memory_image_destroy(memory_image *image);

/* In what a memory differs from its image, in lines of 64 bytes. Immutable. */
typedef struct memory_patch memory_patch;

/* Compares the first `size` bytes of the memory at `base` with its image. E_TOO_LARGE when more than
 * `max_bytes` were written, or the system does not tell; with SIZE_MAX, all is compared then. */
int memory_patch_create(memory_patch **out, const memory_image *image, uint8_t *base, size_t size,
                        size_t max_bytes, error *err) MUST_CHECK;

/* Makes a memory that is equal to the image what it was when the patch was taken. */
void memory_patch_apply(const memory_patch *patch, uint8_t *base);

/* Whether there was no difference. */
bool memory_patch_is_empty(const memory_patch *patch);

/* Frees it. Takes NULL. */
void memory_patch_destroy(memory_patch *patch);

#endif
