#include "extism/engine_stacks.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* from linux/mman.h of 6.13 */
#endif

/* How much of the row has been seen, while the process's mappings are read from low to high. */
struct search {
    size_t count;
    size_t bytes;
    uintptr_t first; /* the first guard */
    uintptr_t end;   /* of what has been seen of the row; 0: nothing */
    size_t found;    /* stacks */
};

/* Takes one mapping; true when it ends the row. What is next to the row may be one mapping with the
 * row's first or last part. */
static bool take_mapping(struct search *s, uintptr_t start, uintptr_t end, const char *access)
{
    bool guard = strcmp(access, "---p") == 0;
    bool stack = strcmp(access, "rw-p") == 0;
    bool guard_is_next = s->end == s->first + s->found * (PAGE + s->bytes);

    if (guard && s->end == start && guard_is_next && end - start == PAGE) {
        s->end = end;
    } else if (guard) {
        *s = (struct search){s->count, s->bytes, end - PAGE, end, 0};
    } else if (stack && s->end == start && !guard_is_next &&
               (end - start == s->bytes || (s->found + 1 == s->count && end - start > s->bytes))) {
        s->found++;
        s->end = start + s->bytes;
    } else {
        s->end = 0;
        s->found = 0;
    }
    return s->found == s->count;
}

static uint8_t *find_row(size_t count, size_t bytes)
{
    struct search s = {.count = count, .bytes = bytes};
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    while (maps && !found && getline(&line, &size, maps) > 0) {
        uintptr_t start, end;
        char access[5];

        if (sscanf(line, "%zx-%zx %4s", &start, &end, access) == 3)
            found = take_mapping(&s, start, end, access);
    }
    free(line);
    if (maps)
        fclose(maps);
    return found ? (uint8_t *)s.first : NULL;
}

bool engine_stacks_can_merge(void)
{
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool has = page != MAP_FAILED && sysconf(_SC_PAGESIZE) == PAGE &&
               madvise(page, PAGE, MADV_GUARD_INSTALL) == 0;

    if (page != MAP_FAILED)
        munmap(page, PAGE);
    return has;
}

enum stacks engine_stacks_merge(size_t count, size_t bytes)
{
    size_t step = PAGE + bytes, guarded = 0;
    uint8_t *row;

    if (count == 0 || !engine_stacks_can_merge() || !(row = find_row(count, bytes)))
        return STACKS_SPLIT;
    /* What is one mapping may be given large pages, and a stack needs a few small ones. */
    madvise(row, count * step, MADV_NOHUGEPAGE);
    if (mprotect(row, count * step, PROT_READ | PROT_WRITE) == 0) {
        while (guarded < count && madvise(row + guarded * step, PAGE, MADV_GUARD_INSTALL) == 0)
            guarded++;
    }
    for (size_t i = guarded; i < count; i++) {
        if (mprotect(row + i * step, PAGE, PROT_NONE) != 0)
            return STACKS_UNGUARDED;
    }
    return guarded == count ? STACKS_MERGED : STACKS_SPLIT;
}
