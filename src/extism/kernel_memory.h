#ifndef UBIQ_EXTISM_KERNEL_MEMORY_H
#define UBIQ_EXTISM_KERNEL_MEMORY_H

#include "base/slice.h"
#include "extism/kernel/layout.h"

/* The host's side of the kernel's memory. Nothing here calls into WebAssembly. A guest may have
 * written anything behind the root, so every offset is checked against the memory's real size, and
 * what is handed out never reaches outside of it. */

typedef struct kernel_memory {
    uint8_t *base; /* fetched anew after every guest call: growing may move nothing, but may change */
    size_t size;   /* bytes there are */
} kernel_memory;

/* Sets up the root in a memory of zeros. `pages` is the allowance for growth. */
void kernel_memory_init(kernel_memory m, uint64_t pages);

/* What the guest's `reset` does: all blocks are gone, input, output and error are empty. */
void kernel_memory_reset(kernel_memory m);

/* Makes `len` bytes at `offset`, which must lie within the memory, the guest's input. */
void kernel_memory_set_input(kernel_memory m, uint64_t offset, uint64_t len);

/* How many pages the memory must grow by before `n` bytes can be allocated: 0 for none. False when
 * that can never be: over 4 GiB or over the allowance, in which case `*denied` says so. */
bool kernel_memory_missing(kernel_memory m, uint64_t n, uint64_t *pages, bool *denied);

/* Allocates `n` bytes (> 0) behind all other blocks and returns their offset; they are zero. Returns
 * 0 when they do not fit what kernel_memory_missing made sure of. */
uint64_t kernel_memory_alloc(kernel_memory m, uint64_t n);

/* Frees a block; anything that is not the offset of one is passed over. */
void kernel_memory_free(kernel_memory m, uint64_t offset);

/* The length of the block at `offset`, or 0 when there is none. Never reaches outside of the memory, nor
 * behind the last block: what is written there is cleared for the instance's next user. */
uint64_t kernel_memory_length(kernel_memory m, uint64_t offset);

/* A view of `len` bytes at `offset`, cut off at the memory's end. Valid until the guest runs. */
slice kernel_memory_view(kernel_memory m, uint64_t offset, uint64_t len);

/* The root, or NULL for a memory too small to have one. */
struct kernel_root *kernel_memory_root(kernel_memory m);

#endif
