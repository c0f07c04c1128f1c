#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "extism/memory_image.h"
#include "guest.h"

/* These run in children, one for each way in which the system tells what was written, so they use
 * guest_require in place of cmocka's assertions. */

#define PAGE 4096u
#define PAGES 700u
#define SIZE (PAGES * PAGE)
#define ALL SIZE

static void pattern(uint8_t *base)
{
    for (size_t i = 0; i < PAGES; i += 5)
        memset(base + i * PAGE, (int)(i | 1), PAGE);
    base[3 * PAGE + 17] = 9;
    base[SIZE - 1] = 8;
}

/* A memory as the engine makes them: private, of a file that holds the first bytes and then
 * zeros. */
static uint8_t *map_file(void)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    uint8_t *shared, *base;

    guest_require(fd >= 0 && ftruncate(fd, SIZE) == 0);
    shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    guest_require(shared != MAP_FAILED);
    pattern(shared);
    munmap(shared, SIZE);
    base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    guest_require(base != MAP_FAILED);
    close(fd);
    return base;
}

/* Or without a file. */
static uint8_t *map_nothing(void)
{
    uint8_t *base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    guest_require(base != MAP_FAILED);
    pattern(base);
    return base;
}

static uint8_t *expected(void)
{
    uint8_t *copy = calloc(PAGES, PAGE);
    guest_require(copy != NULL);
    pattern(copy);
    return copy;
}

static void check_equal(const uint8_t *base, size_t size)
{
    uint8_t *right = expected();
    guest_require(memcmp(base, right, size) == 0);
    free(right);
}

static memory_image *image_of(uint8_t *base)
{
    memory_image *image = NULL;
    guest_require(memory_image_create(&image, base, SIZE, NULL) == 0);
    guest_require(memory_image_size(image) == SIZE);
    return image;
}

static void check_restores(uint8_t *base)
{
    memory_image *image = image_of(base);
    volatile uint8_t sum = 0;

    check_equal(base, SIZE);
    guest_require(memory_image_restore(image, base, SIZE, ALL));
    check_equal(base, SIZE);
    /* A byte in every second page, which makes many regions, */
    for (size_t i = 1; i < PAGES; i += 2)
        base[i * PAGE] ^= 0xff;
    guest_require(memory_image_restore(image, base, SIZE, ALL));
    check_equal(base, SIZE);
    /* in each one, */
    for (size_t i = 0; i < PAGES; i++)
        base[i * PAGE + i % PAGE] ^= 0xff;
    guest_require(memory_image_restore(image, base, SIZE, ALL));
    check_equal(base, SIZE);
    /* the very first and the very last, */
    base[0] ^= 0xff;
    base[SIZE - 1] ^= 0xff;
    guest_require(memory_image_restore(image, base, SIZE, ALL));
    check_equal(base, SIZE);
    /* zeros over what is not zero, */
    memset(base, 0, SIZE);
    guest_require(memory_image_restore(image, base, SIZE, ALL));
    check_equal(base, SIZE);
    /* all of it after it was given back and read. */
    madvise(base, SIZE, MADV_DONTNEED);
    for (size_t i = 0; i < SIZE; i += 512)
        sum = (uint8_t)(sum + base[i]);
    memset(base + 40 * PAGE, 0xaa, 100 * PAGE);
    guest_require(memory_image_restore(image, base + 0, 200 * PAGE, ALL));
    memory_image_destroy(image);
}

static void check_file(void *unused)
{
    uint8_t *base = map_file();
    (void)unused;
    check_restores(base);
    check_equal(base, SIZE);
    munmap(base, SIZE);
}

/* Here MADV_DONTNEED has lost the pattern, and restoring what was written behind it says nothing
 * about the rest; so only the first part is looked at. */
static void check_anonymous(void *unused)
{
    uint8_t *base = map_nothing();
    (void)unused;
    check_restores(base);
    for (size_t i = 40; i < 140; i++)
        guest_require(base[i * PAGE] == (i % 5 ? 0 : (uint8_t)(i | 1)));
    munmap(base, SIZE);
}

/* Only the first bytes are looked at and restored when so it is asked. */
static void check_a_part(void *unused)
{
    uint8_t *base = map_file(), *right = expected();
    memory_image *image = image_of(base);

    (void)unused;
    memset(base, 0x55, SIZE);
    guest_require(memory_image_restore(image, base, 20 * PAGE, ALL));
    guest_require(memcmp(base, right, 20 * PAGE) == 0);
    guest_require(base[20 * PAGE] == 0x55 && base[SIZE - 1] == 0x55);
    guest_require(memory_image_restore(image, base, 0, 0));
    memory_image_destroy(image);
    munmap(base, SIZE);
    free(right);
}

static void check_the_limit(void *unused)
{
    uint8_t *base = map_file();
    memory_image *image = image_of(base);

    (void)unused;
    memset(base + 10 * PAGE, 0x55, 8 * PAGE);
    base[600 * PAGE] ^= 1;
    base[690 * PAGE] ^= 1;
    guest_require(!memory_image_restore(image, base, SIZE, 9 * PAGE));
    memory_image_destroy(image);
    munmap(base, SIZE);

    base = map_file();
    image = image_of(base);
    memset(base + 10 * PAGE, 0x55, 8 * PAGE);
    base[600 * PAGE] ^= 1;
    base[690 * PAGE] ^= 1;
    guest_require(memory_image_restore(image, base, SIZE, 10 * PAGE));
    check_equal(base, SIZE);
    memory_image_destroy(image);
    munmap(base, SIZE);
}

/* Taking an image of a memory of zeros leaves none of it resident. */
static void check_zeros(void *unused)
{
    uint8_t *base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char resident[PAGES];

    (void)unused;
    guest_require(base != MAP_FAILED);
    memory_image *image = image_of(base);
    guest_require(mincore(base, SIZE, resident) == 0);
    for (size_t i = 0; i < PAGES; i++)
        guest_require(!(resident[i] & 1));
    memset(base, 1, SIZE);
    guest_require(memory_image_restore(image, base, SIZE, ALL));
    for (size_t i = 0; i < SIZE; i++)
        guest_require(base[i] == 0);
    memory_image_destroy(image);
    munmap(base, SIZE);
}

/* A child looks at its own pages: those it shares with its parent until one of the two writes. */
static void check_after_fork(void *unused)
{
    uint8_t *base = map_file();
    memory_image *image = image_of(base);
    int status;

    (void)unused;
    memset(base + 30 * PAGE, 0x77, 3 * PAGE);
    pid_t child = fork();
    if (child == 0) {
        memset(base + 50 * PAGE, 0x66, 3 * PAGE);
        guest_require(memory_image_restore(image, base, SIZE, ALL));
        check_equal(base, SIZE);
        _exit(0);
    }
    guest_require(waitpid(child, &status, 0) == child && status == 0);
    guest_require(base[30 * PAGE] == 0x77);
    guest_require(memory_image_restore(image, base, SIZE, ALL));
    check_equal(base, SIZE);
    memory_image_destroy(image);
    munmap(base, SIZE);
}

static void check_all(void *unused)
{
    check_file(unused);
    check_anonymous(unused);
    check_a_part(unused);
    check_the_limit(unused);
    check_zeros(unused);
    check_after_fork(unused);
}

/* Makes the system refuse this ioctl on any file, as one that does not know it. */
static void refuse_scan(int error_number)
{
    const uint32_t command = 0xc0606610; /* PAGEMAP_SCAN */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, command, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error_number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};

    guest_require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    guest_require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void check_old_way(void *unused)
{
    refuse_scan(ENOTTY);
    check_all(unused);
}

/* Where the system tells nothing at all, nothing is restored; instances are made anew then. */
static void check_no_way(void *unused)
{
    uint8_t *base;
    memory_image *image;

    (void)unused;
    refuse_scan(EPERM);
    base = map_file();
    image = image_of(base);
    guest_require(!memory_image_restore(image, base, SIZE, ALL));
    memory_image_destroy(image);
    munmap(base, SIZE);
}

static void test_what_this_system_has(void **state)
{
    (void)state;
    guest_in_child(check_all, NULL);
}

static void test_the_older_page_map(void **state)
{
    (void)state;
    guest_in_child(check_old_way, NULL);
}

static void test_a_system_that_refuses(void **state)
{
    (void)state;
    guest_in_child(check_no_way, NULL);
}

static void test_destroying_nothing(void **state)
{
    (void)state;
    memory_image_destroy(NULL);
}

static void call_guest(void *arg)
{
    compiled_plugin *code = guest_compile(
        "(module (memory 4) (data (i32.const 9) \"data\") (global $n (mut i64) (i64.const 0))"
        "(func (export \"f\") (result i64) (global.set $n (i64.add (global.get $n) (i64.const 1)))"
        " (memory.fill (i32.const 0) (i32.const 1) (i32.const 262144)) (global.get $n))"
        "(func (export \"sum\") (result i64) (i64.add (i64.load (i32.const 9))"
        " (i64.load (i32.const 262136)))))");
    plugin_state s;

    if (arg)
        refuse_scan(*(int *)arg);
    plugin_state_init(&s, &code->manifest);
    for (int n = 0; n < 3; n++) {
        instance *i = guest_instance(code, &s);
        guest_require(guest_number(i, "sum") == 0x61746164);
        guest_require(guest_number(i, "f") == 1);
        guest_require(guest_number(i, "f") == 2);
        instance_release(i);
        guest_require(code->idle_count == !(arg && *(int *)arg == EPERM));
    }
    plugin_state_deinit(&s);
    compiled_plugin_unref(code);
}

/* The same seen from above: instances are used again in both ways, and not at all in the third. */
static void test_instances(void **state)
{
    int unknown = ENOTTY, refused = EPERM;
    (void)state;
    guest_in_child(call_guest, NULL);
    guest_in_child(call_guest, &unknown);
    guest_in_child(call_guest, &refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_this_system_has),
        cmocka_unit_test(test_the_older_page_map),
        cmocka_unit_test(test_a_system_that_refuses),
        cmocka_unit_test(test_destroying_nothing),
        cmocka_unit_test(test_instances),
    };

    return cmocka_run_group_tests(tests, guest_start, NULL);
}
