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

#endif
