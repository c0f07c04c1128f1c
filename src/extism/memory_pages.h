#ifndef UBIQ_EXTISM_MEMORY_PAGES_H
#define UBIQ_EXTISM_MEMORY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Asks the system which pages of a private mapping were written since it was made: PAGEMAP_SCAN of
 * Linux 6.7, or the older page map. */

#define MEMORY_PAGE 4096u

/* Gets ready, once; what it opens is reopened in forked children. */
void memory_pages_open(void);

/* Whether the system tells at all. */
bool memory_pages_tell(void);

/* Calls `visit` with each run of written pages, `first` up to `end`, of the `size` bytes at `base`. False
 * when more than `max_pages` are, or the system does not tell; some may have been visited then. */
bool memory_pages_written(uint8_t *base, size_t size, size_t max_pages,
                          void (*visit)(void *arg, size_t first, size_t end), void *arg);

#endif
