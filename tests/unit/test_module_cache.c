#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "extism/module.h"
#include "extism/module_cache.h"
#include "guest.h"

#define KEY "0123456789abcdef"

static char *directory; /* UBIQ_CACHE_DIR, made anew for each test */

static char *cached_file(void)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/modules/%s/" KEY, directory, engine_fingerprint());
    return path;
}

static char *cached_directory(void)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/modules/%s", directory, engine_fingerprint());
    return path;
}

static bool get(buf *out)
{
    buf_init(out, 1 << 20);
    bool found = module_cache_get(KEY, out);
    if (!found)
        assert_int_equal(out->len, 0);
    return found;
}

static void assert_found(const char *text)
{
    buf out;
    assert_true(get(&out));
    assert_true(slice_equal_str(buf_slice(&out), text));
    buf_deinit(&out);
}

static void assert_not_found(void)
{
    buf out;
    assert_false(get(&out));
    buf_deinit(&out);
}

static void test_storing(void **state)
{
    struct stat st;

    (void)state;
    assert_not_found();
    module_cache_put(KEY, slice_str("compiled code"));
    assert_found("compiled code");
    assert_int_equal(stat(cached_file(), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(cached_directory(), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    module_cache_put(KEY, slice_str("other code"));
    assert_found("other code");
    module_cache_put(KEY, slice_of(NULL, 0));
    assert_found("");
}

static void test_appending(void **state)
{
    buf out;

    (void)state;
    module_cache_put(KEY, slice_str("code"));
    buf_init(&out, 100);
    assert_int_equal(buf_append_str(&out, "before "), 0);
    assert_true(module_cache_get(KEY, &out));
    assert_true(slice_equal_str(buf_slice(&out), "before code"));
    buf_deinit(&out);
    buf_init(&out, 3); /* too small */
    assert_false(module_cache_get(KEY, &out));
    buf_deinit(&out);
}

/* No file but one that only this user can have written is taken. */
static void test_modes(void **state)
{
    static const mode_t bad[] = {0620, 0602, 0666};

    (void)state;
    module_cache_put(KEY, slice_str("code"));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(chmod(cached_file(), bad[i]), 0);
        assert_not_found();
    }
    assert_int_equal(chmod(cached_file(), 0644), 0);
    assert_found("code");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(chmod(cached_directory(), bad[i] | 0111), 0);
        assert_not_found();
    }
    assert_int_equal(chmod(cached_directory(), 0700), 0);
    assert_found("code");
}

static void test_owners(void **state)
{
    (void)state;
    module_cache_put(KEY, slice_str("code"));
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    assert_int_equal(chown(cached_file(), 65534, (gid_t)-1), 0);
    assert_not_found();
    assert_int_equal(chown(cached_file(), 0, (gid_t)-1), 0);
    assert_found("code");
    assert_int_equal(chown(cached_directory(), 65534, (gid_t)-1), 0);
    assert_not_found();
}

static void test_what_is_no_file(void **state)
{
    char *elsewhere = NULL;

    (void)state;
    module_cache_put(KEY, slice_str("code"));
    assert_true(asprintf(&elsewhere, "%s/elsewhere", directory) > 0);
    assert_int_equal(rename(cached_file(), elsewhere), 0);
    assert_int_equal(symlink(elsewhere, cached_file()), 0);
    assert_not_found();
    assert_int_equal(unlink(cached_file()), 0);
    assert_int_equal(mkdir(cached_file(), 0700), 0);
    assert_not_found();
    module_cache_put(KEY, slice_str("code")); /* cannot take its place */
    assert_not_found();
    assert_int_equal(rmdir(cached_file()), 0);
    assert_int_equal(mkfifo(cached_file(), 0600), 0);
    assert_not_found(); /* and it does not hang */
    free(elsewhere);
}

static void write_bytes(const char *path, slice bytes)
{
    error err = {0};
    if (file_write_atomic(path, bytes, 0600, &err) != 0)
        fail_msg("%s", error_text(&err));
}

static void test_damaged_files(void **state)
{
    buf whole;

    (void)state;
    module_cache_put(KEY, slice_str("compiled code"));
    buf_init(&whole, 1 << 20);
    assert_int_equal(file_read(cached_file(), &whole, NULL), 0);
    for (size_t len = 0; len < whole.len; len++) {
        write_bytes(cached_file(), slice_of(whole.data, len));
        assert_not_found();
    }
    for (size_t i = 0; i < whole.len; i++) {
        whole.data[i] ^= 0x10;
        write_bytes(cached_file(), buf_slice(&whole));
        assert_not_found();
        whole.data[i] ^= 0x10;
    }
    assert_int_equal(buf_append_byte(&whole, 'x'), 0);
    write_bytes(cached_file(), buf_slice(&whole));
    assert_not_found();
    buf_deinit(&whole);
    module_cache_put(KEY, slice_str("compiled again"));
    assert_found("compiled again");
}

/* Where nothing can be stored nothing is, and that is all. */
static void test_places_that_cannot_be_used(void **state)
{
    char *path;

    (void)state;
    assert_true(asprintf(&path, "%s/a file", directory) > 0);
    write_bytes(path, slice_str("x"));
    setenv("UBIQ_CACHE_DIR", path, 1);
    module_cache_put(KEY, slice_str("code"));
    assert_not_found();
    setenv("UBIQ_CACHE_DIR", "/proc/1/nothing", 1);
    module_cache_put(KEY, slice_str("code"));
    assert_not_found();
    setenv("UBIQ_CACHE_DIR", "", 1);
    module_cache_put(KEY, slice_str("code"));
    assert_not_found();
    setenv("UBIQ_CACHE_DIR", directory, 1);
    setenv("EXTISM_CACHE_CONFIG", "", 1);
    module_cache_put(KEY, slice_str("code"));
    assert_not_found();
    unsetenv("EXTISM_CACHE_CONFIG");
    assert_not_found();
    free(path);
}

static void test_where_it_is_without_a_directory(void **state)
{
    char *home = strdup(getenv("HOME") ? getenv("HOME") : ""), path[1100];

    (void)state;
    unsetenv("UBIQ_CACHE_DIR");
    setenv("XDG_CACHE_HOME", directory, 1);
    module_cache_put(KEY, slice_str("xdg"));
    assert_found("xdg");
    snprintf(path, sizeof path, "%s/ubiquitous/modules/%s/" KEY, directory, engine_fingerprint());
    assert_int_equal(access(path, R_OK), 0);
    setenv("XDG_CACHE_HOME", "not/absolute", 1);
    setenv("HOME", directory, 1);
    module_cache_put(KEY, slice_str("home"));
    assert_found("home");
    snprintf(path, sizeof path, "%s/.cache/ubiquitous/modules/%s/" KEY, directory,
             engine_fingerprint());
    assert_int_equal(access(path, R_OK), 0);
    setenv("HOME", "", 1);
    assert_not_found();
    unsetenv("HOME");
    assert_not_found();
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", home, 1);
    free(home);
}

#define MODULE "(module (func (export \"f\") (result i32) (i32.const 42)) (memory 3))"

static module *create(bool use_cache)
{
    module_options options = {.use_cache = use_cache, .slack_pages = 16};
    error err = {0};
    module *m = NULL;

    if (module_create(&m, slice_str(MODULE), &options, &err) != 0)
        fail_msg("%s", error_text(&err));
    assert_int_equal(m->interface.export_count, 1);
    assert_int_equal(m->memory_count, 1);
    assert_int_equal(m->min_pages, 3);
    assert_int_equal(m->told_pages, 3);
    assert_int_equal(m->slack_pages, 16);
    assert_true(m->recyclable);
    return m;
}

/* The one file that is in the cache; its number of files in `*count`. */
static char *only_file(size_t *count)
{
    static char path[2048];
    DIR *d = opendir(cached_directory());

    *count = 0;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", cached_directory(), e->d_name);
        (*count)++;
    }
    if (d)
        closedir(d);
    return path;
}

static void test_modules_are_cached(void **state)
{
    struct stat first, second;
    size_t count;

    (void)state;
    module_unref(create(false));
    only_file(&count);
    assert_int_equal(count, 0);
    module_unref(create(true));
    assert_int_equal(stat(only_file(&count), &first), 0);
    assert_int_equal(count, 1);
    module_unref(create(true));
    assert_int_equal(stat(only_file(&count), &second), 0);
    assert_int_equal(count, 1);
    assert_int_equal(first.st_ino, second.st_ino); /* it was not written again */
}

/* Files with a right checksum but content that is not what this version writes. */
static void test_content_of_another_version(void **state)
{
    buf whole, changed;
    size_t count;
    char *path;

    (void)state;
    module_unref(create(true));
    path = only_file(&count);
    buf_init(&whole, 1 << 24);
    buf_init(&changed, 1 << 24);
    assert_int_equal(file_read(path, &whole, NULL), 0);
    for (size_t i = SHA256_BYTES; i < SHA256_BYTES + 200; i += 5) {
        uint8_t digest[SHA256_BYTES];
        struct stat before, after;
        /* Cut off here, and with other bytes from here on. */
        size_t len = i % 2 ? i : whole.len;
        buf_clear(&changed);
        assert_int_equal(buf_append(&changed, whole.data, len), 0);
        if (len > i)
            memset(changed.data + i, 0xff, len - i);
        assert_int_equal(
            sha256(slice_of(changed.data + SHA256_BYTES, changed.len - SHA256_BYTES), digest), 0);
        memcpy(changed.data, digest, SHA256_BYTES);
        write_bytes(path, buf_slice(&changed));
        assert_int_equal(stat(path, &before), 0);
        module_unref(create(true));
        assert_int_equal(stat(path, &after), 0);
        assert_int_not_equal(before.st_ino, after.st_ino); /* it was made anew */
    }
    buf_deinit(&whole);
    buf_deinit(&changed);
}

/* Many processes begin at once. */
static void test_processes(void **state)
{
    enum { PROCESSES = 6 };
    pid_t children[PROCESSES];
    size_t count;
    int status;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < PROCESSES; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                for (int n = 0; n < 5; n++) {
                    module_options options = {.use_cache = true, .slack_pages = 16};
                    module *m = NULL;
                    guest_require(module_create(&m, slice_str(MODULE), &options, NULL) == 0);
                    guest_require(m->interface.export_count == 1);
                    module_unref(m);
                    if (n == 2)
                        unlink(only_file(&count));
                }
                _exit(0);
            }
        }
        for (int i = 0; i < PROCESSES; i++) {
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_int_equal(status, 0);
        }
        only_file(&count);
        assert_true(count <= 1); /* and no temporary files */
        module_unref(create(true));
        only_file(&count);
        assert_int_equal(count, 1);
    }
}

/* What a module is compiled for is part of what it is found by. */
static void test_options_are_told_apart(void **state)
{
    static const module_options options[] = {
        {.use_cache = true, .slack_pages = 16},
        {.use_cache = true, .slack_pages = 0},
        {.use_cache = true, .slack_pages = 16, .mode = LINK_IMPORTED},
        {.use_cache = true, .slack_pages = 16, .fuel = true},
        {.use_cache = true, .slack_pages = 16, .slack_with_wasi = true},
    };
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        module *m = NULL;
        for (int n = 0; n < 2; n++) {
            assert_int_equal(module_create(&m, slice_str(MODULE), &options[i], NULL), 0);
            assert_int_equal(m->engine == ENGINE_FUEL, options[i].fuel);
            assert_int_equal(m->slack_pages, i == 1 || i == 2 ? 0 : 16);
            module_unref(m);
        }
        only_file(&count);
        assert_int_equal(count, i + 1);
    }
}

static int set_up(void **state)
{
    (void)state;
    directory = guest_directory();
    guest_take_signals();
    return setenv("UBIQ_CACHE_DIR", directory, 1);
}

static int tear_down(void **state)
{
    (void)state;
    guest_remove_directory(directory);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_storing),
        TEST(test_appending),
        TEST(test_modes),
        TEST(test_owners),
        TEST(test_what_is_no_file),
        TEST(test_damaged_files),
        TEST(test_places_that_cannot_be_used),
        TEST(test_where_it_is_without_a_directory),
        TEST(test_modules_are_cached),
        TEST(test_content_of_another_version),
        TEST(test_processes),
        TEST(test_options_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
