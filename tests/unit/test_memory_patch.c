#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>

#include "extism/memory_image.h"

#define PAGE 4096u
#define PAGES 64u
#define SIZE (PAGES * PAGE)

static uint8_t *map(void)
{
    uint8_t *base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(base, MAP_FAILED);
    for (size_t i = 0; i < PAGES; i += 3)
        memset(base + i * PAGE, (int)(i + 1), PAGE);
    return base;
}

/* Writes to pages of bytes and to pages of zeros, at their ends, whole, and not at all. */
static void change(uint8_t *base)
{
    base[0] ^= 1;
    base[PAGE - 1] ^= 1;
    base[4 * PAGE + 64] = 9;
    base[4 * PAGE + 127] = 9;
    memset(base + 6 * PAGE, 0, PAGE);
    base[9 * PAGE + 5] = base[9 * PAGE + 5];
    base[SIZE - 1] = 7;
}

static void test_patch(void **state)
{
    uint8_t *base = map(), *other = map(), *right = malloc(SIZE);
    memory_image *image;
    memory_patch *patch, *none;

    (void)state;
    assert_int_equal(memory_image_create(&image, base, SIZE, NULL), 0);
    assert_int_equal(memory_patch_create(&none, image, base, SIZE, SIZE_MAX, NULL), 0);
    assert_true(memory_patch_is_empty(none));
    change(base);
    memcpy(right, base, SIZE);
    assert_int_equal(memory_patch_create(&patch, image, base, SIZE, SIZE, NULL), 0);
    assert_false(memory_patch_is_empty(patch));

    /* On another memory, and on this one after it was written to and put back. */
    memory_patch_apply(none, other);
    memory_patch_apply(patch, other);
    assert_memory_equal(other, right, SIZE);
    memset(base + 4 * PAGE, 0xee, 20 * PAGE);
    assert_true(memory_image_restore(image, base, SIZE, SIZE));
    memory_patch_apply(patch, base);
    assert_memory_equal(base, right, SIZE);

    memory_patch_destroy(none);
    memory_patch_destroy(patch);
    memory_patch_destroy(NULL);
    memory_image_destroy(image);
    munmap(base, SIZE);
    munmap(other, SIZE);
    free(right);
}

static void test_too_much(void **state)
{
    uint8_t *base = map();
    memory_image *image;
    memory_patch *patch;

    (void)state;
    assert_int_equal(memory_image_create(&image, base, SIZE, NULL), 0);
    memset(base, 1, SIZE);
    assert_int_equal(memory_patch_create(&patch, image, base, SIZE, 10 * PAGE, NULL), E_TOO_LARGE);
    assert_null(patch);
    memory_image_destroy(image);
    munmap(base, SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patch),
        cmocka_unit_test(test_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
