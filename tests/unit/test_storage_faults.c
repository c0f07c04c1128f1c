#include <inttypes.h>
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
#include "services/storage_internal.h"
#include "storage_case.h"

/* The place of the only content there is. */
static void find_content(char path[64])
{
    FILE *f = popen("find files/?? -type f", "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%63s", path), 1);
    pclose(f);
}

/* A process that is killed may leave a content that no row names, one that is not where it belongs,
 * and one that is not removed yet. */
static void test_what_a_killed_process_left_is_put_in_order(void **state)
{
    char place[64], fresh[64];
    error err = {0};
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    file_number(&p, op_write("a", slice_str("content")));
    close_shelf(&p);
    find_content(place);
    snprintf(fresh, sizeof fresh, "files/new/%s", strrchr(place, '/') + 1);
    assert_int_equal(rename(place, fresh), 0);
    assert_int_equal(file_write_atomic("files/new/00000000000000ab", slice_str("x"), 0600, NULL),
                     0);
    assert_int_equal(file_write_atomic("files/new/note", slice_str("not ours"), 0600, NULL), 0);
    assert_int_equal(file_make_dirs("files/cd", NULL), 0);
    assert_int_equal(file_write_atomic("files/cd/00000000000000cd", slice_str("x"), 0600, NULL), 0);
    assert_int_equal(store_open(&p.store, "ubiq.db", &err), 0);
    assert_int_equal(store_define(p.store, "INSERT INTO storage_garbage VALUES(0xcd)", &err), 0);
    store_close(p.store);

    open_shelf(&p, &usual_files);
    assert_file(&p, op_read("a"), slice_str("content"));
    assert_int_equal(query_shelf(&p, "SELECT count(*) FROM storage_garbage"), 0);
    close_shelf(&p);
    assert_int_equal(unlink("files/new/note"), 0);
    assert_int_equal(count_contents(), 1);
    assert_int_equal(access(place, F_OK), 0);
}

static void test_what_another_process_does_is_left_alone(void **state)
{
    shelf p, other;

    (void)state;
    open_shelf(&p, &usual_files);
    file_number(&p, op_write("a", slice_str("content")));
    /* As if the first were in the middle of a write. */
    assert_int_equal(file_write_atomic("files/new/00000000000000ab", slice_str("x"), 0600, NULL),
                     0);
    open_shelf(&other, &usual_files);
    assert_int_equal(access("files/new/00000000000000ab", F_OK), 0);
    assert_file(&other, op_read("a"), slice_str("content"));
    assert_int_equal(file_number(&other, op_write("a", slice_str("other"))), 0);
    assert_file(&p, op_read("a"), slice_str("other"));
    close_shelf(&p);
    close_shelf(&other);
    open_shelf(&p, &usual_files);
    close_shelf(&p);
    assert_int_equal(count_contents(), 1);
}

/* A reader that comes before the content has left new/ finds it there. */
static void test_a_content_is_read_where_it_is(void **state)
{
    char place[64], fresh[64];
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    file_number(&p, op_write("a", slice_str("content")));
    close_shelf(&p);
    open_shelf(&p, &usual_files);
    find_content(place);
    snprintf(fresh, sizeof fresh, "files/new/%s", strrchr(place, '/') + 1);
    assert_int_equal(rename(place, fresh), 0);
    assert_file(&p, op_read("a"), slice_str("content"));
    assert_int_equal(file_number(&p, op_remove("a")), 1);
    close_shelf(&p);
    assert_int_equal(count_contents(), 0);
}

static void test_a_content_that_was_tampered_with(void **state)
{
    char place[64];
    shelf p;

    (void)state;
    open_shelf(&p, &usual_files);
    file_number(&p, op_write("a", slice_str("content")));
    close_shelf(&p);
    find_content(place);
    open_shelf(&p, &usual_files);
    assert_int_equal(truncate(place, 3), 0);
    assert_file_fails(&p, op_read("a"), SERVICE_UNAVAILABLE,
                      "storage: the content of the file is damaged: it has 3 bytes of 7");
    assert_int_equal(unlink(place), 0);
    assert_file_fails(&p, op_read("a"), SERVICE_UNAVAILABLE,
                      "storage: the content of the file is missing");
    assert_int_equal(file_number(&p, op_write("a", slice_str("again"))), 0);
    assert_file(&p, op_read("a"), slice_str("again"));
    close_shelf(&p);
}

static void test_a_full_disk(void **state)
{
    static uint8_t bytes[400000];
    slice data = slice_of(bytes, sizeof bytes);
    struct stat st;
    shelf p;

    (void)state;
    mount_small("small", 2048);
    open_shelf_at(&p, "small", &usual_files);
    assert_int_equal(file_number(&p, op_write("a", data)), 0);
    fill_disk("small/ballast");
    assert_int_equal(stat("small/ballast", &st), 0);
    assert_int_equal(truncate("small/ballast", st.st_size - 300000), 0);
    assert_file_fails(&p, op_write("b", data), SERVICE_UNAVAILABLE, "storage: the disk is full");
    assert_file_fails(&p, op_write("a", data), SERVICE_UNAVAILABLE, "storage: the disk is full");
    assert_file(&p, op_read("a"), data);
    assert_file_fails(&p, op_read("b"), SERVICE_NOT_FOUND, "storage: there is no file \"b\"");
    /* What was written of it is gone again. */
    assert_int_equal(file_number(&p, op_write("b", slice_of(bytes, 200000))), 0);
    assert_int_equal(unlink("small/ballast"), 0);
    assert_int_equal(file_number(&p, op_write("b", data)), 0);
    assert_shelf_counts(&p);
    close_shelf(&p);
    unmount_small("small");
}

/* Contents wait until the rows that name them are on disk. */
static void test_a_disk_that_is_too_slow(void **state)
{
    storage_operation first = op_write("a", slice_str("12345"));
    storage_operation more = op_write("b", slice_str("123456"));
    held_write h;
    shelf p;
    size_t left;

    (void)state;
    open_shelf(&p, &usual_files);
    hold_store(&h, p.store, 0);
    home_prepare(&p.home, &first.op, 0);
    assert_false(storage_submit(p.storage, &first));
    pthread_mutex_lock(&p.storage->lock);
    assert_int_equal(p.storage->waiting_bytes, 5);
    p.storage->waiting_bytes += LIMIT_STORAGE_WAITING_BYTES - 10;
    pthread_mutex_unlock(&p.storage->lock);
    assert_file_fails(&p, op_write("b", slice_str("123456")), SERVICE_BUSY,
                      "storage: too much waits to be written to the disk: try again later");
    more.data.len = 5;
    home_prepare(&p.home, &more.op, 0);
    assert_false(storage_submit(p.storage, &more));
    /* what has nothing to write may wait */
    assert_file_fails(&p, op_stat("b"), SERVICE_NOT_FOUND, "storage: there is no file \"b\"");
    release_store(&h, p.store);
    home_wait(&p.home, 2);
    assert_int_equal(first.op.code, SERVICE_OK);
    assert_int_equal(more.op.code, SERVICE_OK);
    operation_deinit(&first.op);
    operation_deinit(&more.op);
    assert_file(&p, op_read("b"), slice_str("12345"));
    pthread_mutex_lock(&p.storage->lock);
    while (p.storage->jobs > 0)
        pthread_cond_wait(&p.storage->idle, &p.storage->lock);
    left = p.storage->waiting_bytes;
    pthread_mutex_unlock(&p.storage->lock);
    assert_int_equal(left, LIMIT_STORAGE_WAITING_BYTES - 10);
    close_shelf(&p);
}

static void test_a_directory_that_cannot_be_made(void **state)
{
    error err = {0};
    storage *st;
    store *s;

    (void)state;
    assert_int_equal(store_open(&s, "ubiq.db", &err), 0);
    assert_int_equal(storage_create(&st, s, "ubiq.db/files", &usual_files, &err), E_IO);
    assert_null(st);
    assert_string_equal(error_text(&err), "ubiq.db: Not a directory");
    store_close(s);
    error_deinit(&err);
}

#define PATHS 5

/* Writes to a few paths in turn, as "number number number ...". */
static slice content_of(uint64_t n, char text[20000])
{
    size_t len = (size_t)snprintf(text, 64, "%" PRIu64 " ", n);

    for (size_t i = 1; i < 500; i++)
        memcpy(text + i * len, text, len);
    return slice_of(text, 500 * len);
}

static void write_until_killed(uint64_t first, int to)
{
    char text[20000], path[16];
    shelf p;

    open_shelf(&p, &usual_files);
    for (uint64_t n = first;; n++) {
        snprintf(path, sizeof path, "file/%d", (int)(n % PATHS));
        if (file_number(&p, op_write(path, content_of(n, text))) != 0)
            _exit(1);
        report(to, n);
    }
}

static void test_a_killed_process_loses_nothing(void **state)
{
    uint64_t next = 0;

    (void)state;
    for (int round = 0; round < 15; round++) {
        char text[20000], path[16];
        shelf p;

        next = run_and_kill(write_until_killed, next, 20);
        open_shelf(&p, &usual_files);
        for (uint64_t n = next > PATHS ? next - PATHS : 0; n < next; n++) {
            storage_operation o;

            snprintf(path, sizeof path, "file/%d", (int)(n % PATHS));
            o = op_read(path);
            assert_int_equal(home_storage(&p.home, p.storage, &o), SERVICE_OK);
            /* The write after the last one that was acknowledged may be there too. */
            if (!slice_equal(buf_slice(&o.op.result), content_of(n, text)))
                assert_true(n + PATHS == next &&
                            slice_equal(buf_slice(&o.op.result), content_of(next, text)));
            operation_deinit(&o.op);
        }
        assert_shelf_counts(&p);
        assert_int_equal(query_shelf(&p, "SELECT count(*) FROM storage_garbage"), 0);
        assert_int_equal(query_shelf(&p, "SELECT count(*) FROM storage_file"), count_contents());
        close_shelf(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_what_a_killed_process_left_is_put_in_order),
        IN_DIRECTORY(test_what_another_process_does_is_left_alone),
        IN_DIRECTORY(test_a_content_is_read_where_it_is),
        IN_DIRECTORY(test_a_content_that_was_tampered_with),
        IN_DIRECTORY(test_a_full_disk),
        IN_DIRECTORY(test_a_disk_that_is_too_slow),
        IN_DIRECTORY(test_a_directory_that_cannot_be_made),
        IN_DIRECTORY(test_a_killed_process_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
