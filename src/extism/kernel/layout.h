#ifndef UBIQ_EXTISM_KERNEL_LAYOUT_H
#define UBIQ_EXTISM_KERNEL_LAYOUT_H

#include <stdint.h>

/* How the kernel's memory is laid out. The kernel (kernel.c, WebAssembly) and the host
 * (kernel_memory.c, native code) both read and write it, so that input, output and errors pass
 * without a call into WebAssembly.
 *
 *   0            KERNEL_HEAP
 *   | root | pad | block | bytes | block | bytes | ... up to root.position, then free space
 *
 * A guest reaches this memory only through the kernel's load and store functions, which refuse
 * addresses below KERNEL_HEAP: the root is the kernel's and the host's. Everything behind it,
 * block headers included, a guest can overwrite, so the host checks what it reads there. */

#define KERNEL_PAGE 65536u
#define KERNEL_INITIAL_PAGES 16u /* what the memory has at the start */
#define KERNEL_HEAP 128u         /* the address of the first block */
#define KERNEL_ALIGN 8u          /* of block headers and of the bytes behind them */

struct kernel_root {
    uint64_t position;      /* the end of the last block, an address */
    uint64_t length;        /* bytes the allocator may use before it must ask for pages; begins at one
                               page whatever the memory has, and is what `memory_bytes` tells */
    uint64_t dirty;         /* no byte at or behind this address was ever written */
    uint64_t error;         /* handle of the error text, or 0 */
    uint64_t input_offset;
    uint64_t input_length;
    uint64_t input_words;   /* at how many offsets of the input eight bytes can be read */
    uint64_t output_offset;
    uint64_t output_length;
    uint64_t pages_left;    /* how many more pages all memories of the instance may grow by */
    uint64_t out_of_memory; /* 1 once a growth over pages_left was refused */
};

/* The header in front of each allocation's bytes. */
struct kernel_block {
    uint32_t tag;  /* KERNEL_BLOCK_ACTIVE or KERNEL_BLOCK_FREE: tells a handle from any other address */
    uint32_t size; /* bytes that belong to the block, a multiple of KERNEL_ALIGN */
    uint32_t used; /* bytes asked for */
    uint32_t reserved;
};

#define KERNEL_BLOCK_ACTIVE 0xe7a110c1u
#define KERNEL_BLOCK_FREE 0xe7f4eeb1u

#define KERNEL_UNLIMITED_PAGES UINT64_MAX

#endif
