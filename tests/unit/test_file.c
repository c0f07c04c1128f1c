#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

/* Every test has a directory of its own, which is its working directory. */
static int enter_directory(void **state)
{
    char *name = strdup("/tmp/test_file.XXXXXX");

    *state = name;
    return mkdtemp(name) && chdir(name) == 0 ? 0 : -1;
}

static int leave_directory(void **state)
{
    char command[PATH_MAX + 16];
    int rc;

    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    rc = chdir("/") == 0 ? system(command) : -1;
    free(*state);
    return rc;
}

static void put(const char *path, const char *content)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static void assert_content(const char *path, slice expected)
{
    error err = {0};
    buf b;

    buf_init(&b, 1 << 20);
    assert_int_equal(file_read(path, &b, &err), 0);
    assert_true(slice_equal(buf_slice(&b), expected));
    buf_deinit(&b);
}

static void test_read_appends(void **state)
{
    buf b;

    (void)state;
    put("f", "content");
    buf_init(&b, 100);
    assert_int_equal(buf_append_str(&b, "before "), 0);
    assert_int_equal(file_read("f", &b, NULL), 0);
    assert_true(slice_equal_str(buf_slice(&b), "before content"));
    buf_deinit(&b);
}

static void test_read_takes_what_has_no_size(void **state)
{
    buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    assert_int_equal(file_read("/proc/self/status", &b, NULL), 0);
    assert_true(b.len > 100);
    assert_memory_equal(b.data, "Name:", 5);
    buf_deinit(&b);
}

static void test_read_keeps_the_maximum(void **state)
{
    error err = {0};
    buf b;

    (void)state;
    put("f", "content");
    buf_init(&b, 7);
    assert_int_equal(file_read("f", &b, &err), 0);
    assert_int_equal(b.len, 7);
    buf_deinit(&b);
    buf_init(&b, 6);
    assert_int_equal(file_read("f", &b, &err), E_TOO_LARGE);
    assert_string_equal(error_text(&err), "f: larger than 6 bytes");
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
    buf_init(&b, 1000);
    assert_int_equal(file_read("/dev/zero", &b, &err), E_TOO_LARGE);
    buf_deinit(&b);
    error_deinit(&err);
}

static void test_read_says_why_it_cannot(void **state)
{
    error err = {0};
    buf b;

    (void)state;
    buf_init(&b, 100);
    assert_int_equal(file_read("none", &b, &err), E_NOT_FOUND);
    assert_string_equal(error_text(&err), "none: No such file or directory");
    assert_int_equal(file_read(".", &b, &err), E_IO);
    assert_string_equal(error_text(&err), ".: Is a directory");
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
    error_deinit(&err);
}

static void test_write_replaces_and_sets_the_mode(void **state)
{
    struct stat st;
    mode_t umask_before = umask(077);

    (void)state;
    put("f", "old and longer");
    assert_int_equal(file_write_atomic("f", slice_of("new\0", 4), 0644, NULL), 0);
    umask(umask_before);
    assert_content("f", slice_of("new\0", 4));
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(file_write_atomic("f", slice_str(NULL), 0600, NULL), 0);
    assert_content("f", slice_str(""));
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

/* Whoever has the old file open goes on reading the old content. */
static void test_write_does_not_touch_the_old_file(void **state)
{
    char content[8] = "";
    int fd;

    (void)state;
    put("f", "old");
    fd = open("f", O_RDONLY);
    assert_int_equal(file_write_atomic("f", slice_str("new"), 0600, NULL), 0);
    assert_int_equal(read(fd, content, sizeof content), 3);
    assert_string_equal(content, "old");
    close(fd);
}

static void test_a_failed_write_leaves_nothing(void **state)
{
    error err = {0};

    (void)state;
    assert_int_equal(file_write_atomic("none/f", slice_str("x"), 0600, &err), E_NOT_FOUND);
    assert_string_equal(error_text(&err), "none/f: No such file or directory");
    /* rename onto a directory fails after the temporary file was written. */
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(file_write_atomic("d", slice_str("x"), 0600, &err), E_IO);
    assert_int_equal(rmdir("d"), 0);
    assert_int_equal(system("test -z \"$(ls -A)\""), 0);
    error_deinit(&err);
}

static void test_make_dirs_makes_parents(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(file_make_dirs("a//b/c/", NULL), 0);
    assert_int_equal(stat("a/b/c", &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(file_make_dirs("a/b/c", NULL), 0);
    assert_int_equal(file_make_dirs("/", NULL), 0);
}

static void test_make_dirs_says_what_is_in_the_way(void **state)
{
    error err = {0};

    (void)state;
    put("f", "");
    assert_int_equal(file_make_dirs("f", &err), E_IO);
    assert_string_equal(error_text(&err), "f: Not a directory");
    assert_int_equal(file_make_dirs("f/g", &err), E_IO);
    assert_string_equal(error_text(&err), "f: Not a directory");
    assert_int_equal(file_make_dirs("", &err), E_IO);
    error_deinit(&err);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, enter_directory, leave_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_read_appends),
        IN_DIRECTORY(test_read_takes_what_has_no_size),
        IN_DIRECTORY(test_read_keeps_the_maximum),
        IN_DIRECTORY(test_read_says_why_it_cannot),
        IN_DIRECTORY(test_write_replaces_and_sets_the_mode),
        IN_DIRECTORY(test_write_does_not_touch_the_old_file),
        IN_DIRECTORY(test_a_failed_write_leaves_nothing),
        IN_DIRECTORY(test_make_dirs_makes_parents),
        IN_DIRECTORY(test_make_dirs_says_what_is_in_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
