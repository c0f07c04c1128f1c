#ifndef UBIQ_EXTISM_ENGINE_STACKS_H
#define UBIQ_EXTISM_ENGINE_STACKS_H

#include <stdbool.h>
#include <stddef.h>

enum stacks {
    STACKS_SPLIT, /* as the engine made them: there is no such row, or the system has no such guards */
    STACKS_MERGED,   /* one mapping */
    STACKS_UNGUARDED /* the system ran out of memory midway: the engine must not be used */
};

/* Whether the system has guards that are marks in the page table. */
bool engine_stacks_can_merge(void);

/* The engine sets its stacks aside in a row, with an inaccessible page below each. That splits the row
 * into two mappings a stack, of which a process has 65,530 by default, and the calls that can wait at
 * once are limited by them. Linux 6.13 has guards that are marks in the page table and split nothing.
 *
 * Looks for a row of `count` stacks of `bytes` each, none of which has been used yet, and makes it one
 * mapping with such guards. */
enum stacks engine_stacks_merge(size_t count, size_t bytes);

#endif
