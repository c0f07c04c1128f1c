#include <dirent.h>
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
#include "services/limits.h"
#include "storage_case.h"

static void test_what_is_written_is_there(void **state)
{
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    assert_file_fails(&p, op_read("a/b.txt"), SERVICE_NOT_FOUND,
                      "storage: there is no file \"a/b.txt\"");
    assert_int_equal(file_number(&p, op_write("a/b.txt", slice_str("one"))), 0);
    assert_file(&p, op_read("a/b.txt"), slice_str("one"));
    assert_int_equal(file_number(&p, op_write("a/b.txt", slice_str("second"))), 0);
    assert_file(&p, op_read("a/b.txt"), slice_str("second"));
    assert_int_equal(file_number(&p, op_write("a/b.txt", slice_str(""))), 0);
    assert_file(&p, op_read("a/b.txt"), slice_str(""));
    close_shelf(&p);
    assert_int_equal(count_contents(), 1);
    open_shelf(&p, &usual_files);
    assert_file(&p, op_read("a/b.txt"), slice_str(""));
    assert_int_equal(file_number(&p, op_remove("a/b.txt")), 1);
    assert_int_equal(file_number(&p, op_remove("a/b.txt")), 0);
    assert_file_fails(&p, op_read("a/b.txt"), SERVICE_NOT_FOUND,
                      "storage: there is no file \"a/b.txt\"");
    assert_shelf_counts(&p);
    close_shelf(&p);
    assert_int_equal(count_contents(), 0);
}

static void test_large_files(void **state)
{
    uint8_t *bytes = malloc(FILE_BYTES + 1);
    slice data = slice_of(bytes, FILE_BYTES);
    shelf p;

    (void)state;
    for (size_t i = 0; i < data.len; i++)
        bytes[i] = (uint8_t)(i * 31 >> 7);
    bytes[data.len] = 0;
    open_shelf(&p, &usual_files);
    assert_int_equal(file_number(&p, op_write("large", data)), 0);
    assert_file(&p, op_read("large"), data);
    assert_file_fails(&p, op_write("larger", slice_of(bytes, data.len + 1)), SERVICE_TOO_LARGE,
                      "storage: a file of 10485761 bytes; the largest are of 10485760");
    assert_shelf_counts(&p);
    close_shelf(&p);
    free(bytes);
}

static void test_a_result_keeps_its_maximum(void **state)
{
    storage_operation o = op_read("a");
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    file_number(&p, op_write("a", slice_str("12345")));
    home_prepare(&p.home, &o.op, 4);
    assert_true(storage_submit(p.storage, &o));
    assert_int_equal(o.op.code, SERVICE_TOO_LARGE);
    assert_string_equal(error_text(&o.op.err),
                        "storage: a file of 5 bytes; at most 4 can be taken");
    operation_deinit(&o.op);
    close_shelf(&p);
}

static void test_bad_paths_are_refused(void **state)
{
    static const struct {
        const char *path;
        const char *text;
    } bad[] = {
        {"", "storage: the path is empty"},
        {"/", "storage: the path has an empty name: there is one slash between two names, and none "
              "at its ends, at byte 0"},
        {"/etc/passwd",
         "storage: the path has an empty name: there is one slash between two names, "
         "and none at its ends, at byte 0"},
        {"a/",
         "storage: the path has an empty name: there is one slash between two names, and none "
         "at its ends, at byte 2"},
        {"a//b", "storage: the path has an empty name: there is one slash between two names, and "
                 "none at its ends, at byte 2"},
        {".", "storage: the path has \".\" or \"..\" as a name, at byte 0"},
        {"..", "storage: the path has \".\" or \"..\" as a name, at byte 0"},
        {"a/../../b", "storage: the path has \".\" or \"..\" as a name, at byte 2"},
        {"a/./b", "storage: the path has \".\" or \"..\" as a name, at byte 2"},
        {"a/b/..", "storage: the path has \".\" or \"..\" as a name, at byte 4"},
        {"a\nb", "storage: the path has a control character, at byte 1"},
        {"a\x7f", "storage: the path has a control character, at byte 1"},
        {"a\xc2\x85", "storage: the path has a control character, at byte 1"},
        {"a\xff", "storage: a path is UTF-8; this one is not from byte 1 on"},
    };
    static const enum storage_verb verbs[] = {STORAGE_READ, STORAGE_WRITE, STORAGE_DELETE,
                                              STORAGE_STAT};
    storage_operation o = {.path = slice_of("a\0b", 3)};
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++) {
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            storage_operation bad_one = {.verb = verbs[v], .path = slice_str(bad[i].path)};

            assert_file_fails(&p, bad_one, SERVICE_INVALID, bad[i].text);
        }
        o.verb = verbs[v];
        assert_file_fails(&p, o, SERVICE_INVALID,
                          "storage: the path has a control character, at byte 1");
    }
    close_shelf(&p);
    assert_int_equal(count_contents(), 0);
}

static void test_odd_paths_are_fine(void **state)
{
    static const char *const paths[] = {"...",  ".hidden",    "a/..b", "a..",
                                        "a\\b", "%2e%2e/%00", "a b",   "\xc3\xa9\xf0\x9f\x98\x80",
                                        "a",    "a/b"};
    static char longest[LIMIT_STORAGE_PATH + 2];
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(file_number(&p, op_write(paths[i], slice_str(paths[i]))), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_file(&p, op_read(paths[i]), slice_str(paths[i]));
    memset(longest, 'x', LIMIT_STORAGE_PATH);
    assert_int_equal(file_number(&p, op_write(longest, slice_str("1"))), 0);
    longest[LIMIT_STORAGE_PATH] = 'x';
    assert_file_fails(&p, op_write(longest, slice_str("1")), SERVICE_TOO_LARGE,
                      "storage: a path of 1025 bytes; the longest are of 1024");
    close_shelf(&p);
}

static void test_stat_and_list(void **state)
{
    char text[256], expected[1024];
    storage_operation o = op_stat("images/one.PNG");
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    file_number(&p, op_write("images/one.PNG", slice_str("12345")));
    file_number(&p, op_write("images/two", slice_str("")));
    file_number(&p, op_write("a\"b.json", slice_str("{}")));
    assert_int_equal(home_storage(&p.home, p.storage, &o), SERVICE_OK);
    snprintf(text, sizeof text, "%.*s", (int)o.op.result.len, (char *)o.op.result.data);
    operation_deinit(&o.op);
    memcpy(strstr(text, "\"modified\":\"") + 12, "2026-01-31T09:30:00.125", 23);
    assert_string_equal(text, "{\"path\":\"images/one.PNG\",\"size\":5,\"type\":\"image/png\","
                              "\"modified\":\"2026-01-31T09:30:00.125Z\"}");
    o = op_files("", "", 2);
    assert_int_equal(home_storage(&p.home, p.storage, &o), SERVICE_OK);
    snprintf(expected, sizeof expected, "%.*s", (int)o.op.result.len, (char *)o.op.result.data);
    operation_deinit(&o.op);
    assert_non_null(strstr(expected, "{\"items\":[{\"path\":\"a\\\"b.json\",\"size\":2,\"type\":"
                                     "\"application/json\",\"modified\":\"2"));
    assert_non_null(strstr(expected, "Z\"},{\"path\":\"images/one.PNG\",\"size\":5,"));
    assert_non_null(strstr(expected, "Z\"}],\"next\":\"images/one.PNG\"}"));
    o = op_files("images/", "images/one.PNG", 2);
    assert_int_equal(home_storage(&p.home, p.storage, &o), SERVICE_OK);
    snprintf(expected, sizeof expected, "%.*s", (int)o.op.result.len, (char *)o.op.result.data);
    operation_deinit(&o.op);
    assert_non_null(strstr(expected, "{\"items\":[{\"path\":\"images/two\",\"size\":0,\"type\":"
                                     "\"application/octet-stream\",\"modified\":\"2"));
    assert_non_null(strstr(expected, "Z\"}],\"next\":null}"));
    assert_file_fails(&p, op_stat("none"), SERVICE_NOT_FOUND, "storage: there is no file \"none\"");
    close_shelf(&p);
}

static void test_types(void **state)
{
    (void)state;
    assert_string_equal(storage_type(slice_str("a.png")), "image/png");
    assert_string_equal(storage_type(slice_str("a/b.c/d.HTML")), "text/html");
    assert_string_equal(storage_type(slice_str("a.tar.gz")), "application/gzip");
    assert_string_equal(storage_type(slice_str("a.png/b")), "application/octet-stream");
    assert_string_equal(storage_type(slice_str(".png")), "application/octet-stream");
    assert_string_equal(storage_type(slice_str("a/.png")), "application/octet-stream");
    assert_string_equal(storage_type(slice_str("a.")), "application/octet-stream");
    assert_string_equal(storage_type(slice_str("png")), "application/octet-stream");
    assert_string_equal(storage_type(slice_str("")), "application/octet-stream");
}

static void test_the_quotas_are_exact(void **state)
{
    storage_limits limits = {.file_bytes = 100, .total_bytes = 10, .files = 3};
    shelf p;

    (void)state;
    open_shelf(&p, &limits);
    assert_int_equal(file_number(&p, op_write("a", slice_str("12345678"))), 0);
    assert_file_fails(&p, op_write("b", slice_str("123")), SERVICE_OVER_QUOTA,
                      "storage: the project may have 3 files and 10 bytes, and has 1 files and 8 "
                      "bytes");
    assert_int_equal(file_number(&p, op_write("b", slice_str("12"))), 0);
    assert_int_equal(file_number(&p, op_write("a", slice_str("123456789"))), SERVICE_OVER_QUOTA);
    assert_file(&p, op_read("a"), slice_str("12345678"));
    assert_int_equal(file_number(&p, op_write("a", slice_str("87654321"))), 0);
    assert_int_equal(file_number(&p, op_write("c", slice_str(""))), 0);
    assert_int_equal(file_number(&p, op_write("d", slice_str(""))), SERVICE_OVER_QUOTA);
    assert_int_equal(file_number(&p, op_remove("c")), 1);
    assert_int_equal(file_number(&p, op_write("d", slice_str(""))), 0);
    assert_shelf_counts(&p);
    close_shelf(&p);
    assert_int_equal(count_contents(), 3);
    limits.total_bytes = 4;
    open_shelf(&p, &limits);
    assert_int_equal(file_number(&p, op_write("a", slice_str("1234567"))), 0);
    assert_int_equal(file_number(&p, op_write("a", slice_str("12345678"))), SERVICE_OVER_QUOTA);
    close_shelf(&p);
}

#define CONTENT 200000

typedef struct reader_case {
    shelf *shelf;
    bool stop;
    size_t read;
} reader_case;

/* Whatever it reads is one of the contents, whole. */
static void *read_all_the_time(void *arg)
{
    reader_case *c = arg;
    home h;

    home_init(&h);
    while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
        storage_operation o = op_read("a");

        if (home_storage(&h, c->shelf->storage, &o) != SERVICE_OK)
            fail_msg("%s", error_text(&o.op.err));
        assert_in_range(o.op.result.len, CONTENT, CONTENT + 25);
        for (size_t i = 1; i < o.op.result.len; i++) {
            if (o.op.result.data[i] != o.op.result.data[0])
                fail_msg("byte %zu is of another content", i);
        }
        assert_int_equal(o.op.result.data[0] - 'a', o.op.result.len - CONTENT);
        c->read++;
        operation_deinit(&o.op);
    }
    home_deinit(&h);
    return NULL;
}

static void test_readers_see_whole_contents(void **state)
{
    static uint8_t bytes[CONTENT + 26];
    pthread_t threads[2];
    reader_case c[2];
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    memset(bytes, 'a', sizeof bytes);
    file_number(&p, op_write("a", slice_of(bytes, CONTENT)));
    for (int i = 0; i < 2; i++) {
        c[i] = (reader_case){.shelf = &p};
        pthread_create(&threads[i], NULL, read_all_the_time, &c[i]);
    }
    for (int i = 0; i < 104; i++) {
        memset(bytes, 'a' + i % 26, sizeof bytes);
        assert_int_equal(
            file_number(&p, op_write("a", slice_of(bytes, CONTENT + (size_t)(i % 26)))), 0);
    }
    for (int i = 0; i < 2; i++) {
        __atomic_store_n(&c[i].stop, true, __ATOMIC_RELAXED);
        pthread_join(threads[i], NULL);
        assert_true(c[i].read > 0);
    }
    assert_shelf_counts(&p);
    close_shelf(&p);
    assert_int_equal(count_contents(), 1);
}

/* Writes to one path that are under way at once: one of them stands at the end. */
static void test_many_writes_at_once(void **state)
{
    enum { COUNT = 64 };
    static storage_operation o[COUNT];
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    for (int i = 0; i < COUNT; i++) {
        o[i] = i % 4 == 3 ? op_remove("a") : op_write("a", slice_str("content"));
        home_prepare(&p.home, &o[i].op, 0);
        assert_false(storage_submit(p.storage, &o[i]));
    }
    home_wait(&p.home, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(o[i].op.code, SERVICE_OK);
        operation_deinit(&o[i].op);
    }
    assert_int_equal(file_number(&p, op_write("a", slice_str("last"))), 0);
    assert_shelf_counts(&p);
    close_shelf(&p);
    assert_int_equal(count_contents(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_what_is_written_is_there),
        IN_DIRECTORY(test_large_files),
        IN_DIRECTORY(test_a_result_keeps_its_maximum),
        IN_DIRECTORY(test_bad_paths_are_refused),
        IN_DIRECTORY(test_odd_paths_are_fine),
        IN_DIRECTORY(test_stat_and_list),
        cmocka_unit_test(test_types),
        IN_DIRECTORY(test_the_quotas_are_exact),
        IN_DIRECTORY(test_readers_see_whole_contents),
        IN_DIRECTORY(test_many_writes_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
