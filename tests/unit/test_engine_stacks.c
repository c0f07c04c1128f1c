#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "extism/engine_stacks.h"

#define PAGE 4096u
#define BYTES (5u * PAGE) /* of a stack */
#define STEP (BYTES + PAGE)
#define COUNT 40u

/* A row of stacks as the engine makes it, `before` pages behind the start of a mapping that can be read
 * or not, and with some pages behind it. */
static uint8_t *make_row(size_t before, int access_before)
{
    size_t size = (before + 3) * PAGE + COUNT * STEP;
    uint8_t *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(base, MAP_FAILED);
    assert_int_equal(mprotect(base, before * PAGE, access_before), 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(mprotect(base + before * PAGE + i * STEP, PAGE, PROT_NONE), 0);
    return base + before * PAGE;
}

static void unmake_row(uint8_t *row, size_t before)
{
    munmap(row - before * PAGE, (before + 3) * PAGE + COUNT * STEP);
}

/* Mappings that begin within the row. */
static size_t mappings(const uint8_t *row)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    size_t count = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        uintptr_t start;

        if (sscanf(line, "%zx", &start) == 1)
            count += start >= (uintptr_t)row && start < (uintptr_t)row + COUNT * STEP;
    }
    fclose(maps);
    return count;
}

/* Whether a byte can be read; without a signal if not. */
static bool readable(const uint8_t *at)
{
    int fd[2];
    bool is;

    assert_int_equal(pipe(fd), 0);
    is = write(fd[1], at, 1) == 1;
    assert_true(is || errno == EFAULT);
    close(fd[0]);
    close(fd[1]);
    return is;
}

static void assert_guarded(uint8_t *row)
{
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t *guard = row + i * STEP;

        assert_false(readable(guard));
        assert_false(readable(guard + PAGE - 1));
        assert_true(readable(guard + PAGE));
        memset(guard + PAGE, 1, BYTES);
    }
}

static void check_row(size_t before, int access_before)
{
    uint8_t *row = make_row(before, access_before);

    assert_guarded(row);
    assert_true(mappings(row) >= 2 * COUNT - 1);
    if (!engine_stacks_can_merge()) {
        assert_int_equal(engine_stacks_merge(COUNT, BYTES), STACKS_SPLIT);
        assert_guarded(row);
    } else {
        assert_int_equal(engine_stacks_merge(COUNT, BYTES), STACKS_MERGED);
        /* What lies beside the row may have joined it. */
        assert_true(mappings(row) <= COUNT);
        assert_guarded(row);
        /* What is given back keeps its guards. */
        madvise(row, COUNT * STEP, MADV_DONTNEED);
        assert_guarded(row);
    }
    unmake_row(row, before);
}

static void test_rows(void **state)
{
    (void)state;
    check_row(0, PROT_READ);
    check_row(2, PROT_READ | PROT_WRITE);
    check_row(2, PROT_NONE);
}

/* What is not exactly such a row is left alone. */
static void test_no_row(void **state)
{
    uint8_t *row = make_row(1, PROT_READ);
    size_t before = mappings(row);

    (void)state;
    assert_int_equal(engine_stacks_merge(COUNT + 1, BYTES), STACKS_SPLIT);
    assert_int_equal(engine_stacks_merge(COUNT, BYTES + PAGE), STACKS_SPLIT);
    assert_int_equal(engine_stacks_merge(COUNT, BYTES - PAGE), STACKS_SPLIT);
    assert_int_equal(engine_stacks_merge(0, BYTES), STACKS_SPLIT);
    mprotect(row + COUNT / 2 * STEP + PAGE, PAGE, PROT_READ);
    assert_int_equal(engine_stacks_merge(COUNT, BYTES), STACKS_SPLIT);
    assert_true(mappings(row) > before);
    unmake_row(row, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
