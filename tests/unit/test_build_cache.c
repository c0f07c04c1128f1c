#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "build/cache.h"
#include "build/output.h"
#include "build/state.h"
#include "guest.h"

/* State and cache of a project with two files, and one from outside of it. */

static char *base; /* what is made for a test */
static char root[512], outside[512];
static build_cache cache;

static void put_file(const char *path, const char *text)
{
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    assert_int_equal(output_write(path, slice_str(text), NULL), 0);
    times[1].tv_nsec = (long)strlen(text);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void put_in_project(const char *name, const char *text)
{
    char path[600];

    snprintf(path, sizeof path, "%s/%s", root, name);
    put_file(path, text);
}

static int set_up(void **state)
{
    char *real;

    (void)state;
    base = guest_directory();
    real = realpath(base, NULL);
    snprintf(root, sizeof root, "%s/project", real);
    snprintf(outside, sizeof outside, "%s/outside.h", real);
    free(real);
    setenv("UBIQ_CACHE_DIR", base, 1);
    assert_int_equal(build_cache_open(&cache, NULL), 0);
    put_in_project("a.c", "source");
    put_in_project("lib/a b.h", "header");
    put_file(outside, "outside");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    build_cache_close(&cache);
    guest_remove_directory(base);
    return 0;
}

static void add(inputs *in, const char *path)
{
    char whole[600];

    snprintf(whole, sizeof whole, path[0] == '/' ? "%s%s" : "%s/../project/%s",
             path[0] == '/' ? "" : root, path);
    assert_int_equal(inputs_add(in, root, whole, NULL), 0);
}

static inputs some_inputs(void)
{
    inputs in = {0};

    add(&in, "a.c");
    in.sources = 1;
    add(&in, "lib/a b.h");
    add(&in, "lib/a b.h");
    add(&in, outside);
    assert_int_equal(in.count, 3);
    assert_string_equal(in.item[0].path, "a.c");
    assert_string_equal(in.item[1].path, "lib/a b.h");
    assert_string_equal(in.item[2].path, outside);
    return in;
}

/* The module that the cache has for a key; NULL: none. Static. */
static const char *cached(const char *key, size_t inputs_count)
{
    static char text[64];
    char hash[SHA256_HEX_BYTES], right[SHA256_HEX_BYTES];
    inputs in = {0};
    buf module;
    int rc;

    add(&in, "a.c");
    in.sources = 1;
    buf_init(&module, sizeof text);
    rc = build_cache_find(&cache, key, root, &in, &module, hash, NULL);
    assert_true(rc == 0 || rc == 1);
    assert_int_equal(in.count, rc ? inputs_count : 1);
    snprintf(text, sizeof text, "%.*s", (int)module.len, (const char *)module.data);
    if (rc) {
        assert_int_equal(sha256_hex(buf_slice(&module), right), 0);
        assert_string_equal(hash, right);
    }
    buf_deinit(&module);
    inputs_deinit(&in);
    return rc ? text : NULL;
}

static void put_cached(const char *key, const char *module)
{
    char hash[SHA256_HEX_BYTES];
    inputs in = some_inputs();

    assert_int_equal(sha256_hex(slice_str(module), hash), 0);
    build_cache_put(&cache, key, root, &in, slice_str(module), hash);
    inputs_deinit(&in);
}

static void test_cache(void **state)
{
    (void)state;
    assert_null(cached("key", 3));
    put_cached("key", "module 1");
    assert_string_equal(cached("key", 3), "module 1");
    assert_null(cached("other", 3));
}

static void test_cache_looks_at_inputs(void **state)
{
    (void)state;
    put_cached("key", "module 1");
    put_in_project("lib/a b.h", "Header");
    assert_null(cached("key", 3));
    put_cached("key", "module 2");
    assert_string_equal(cached("key", 3), "module 2");
    put_in_project("lib/a b.h", "header");
    assert_string_equal(cached("key", 3), "module 1");
    put_file(outside, "longer than it was");
    assert_null(cached("key", 3));
    put_file(outside, "outside");
    assert_string_equal(cached("key", 3), "module 1");
    unlink(outside);
    assert_null(cached("key", 3));
}

static void test_cache_keeps_some_variants(void **state)
{
    char text[32];

    (void)state;
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "header %d", i);
        put_in_project("lib/a b.h", text);
        put_cached("key", text);
    }
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "header %d", i);
        put_in_project("lib/a b.h", text);
        if (i < 4)
            assert_null(cached("key", 3));
        else
            assert_string_equal(cached("key", 3), text);
    }
}

static void overwrite(const char *kind, const char *name, const char *text)
{
    char path[600];

    snprintf(path, sizeof path, "%s/build/%s/%s", base, kind, name);
    put_file(path, text);
}

static void test_damaged_cache(void **state)
{
    static const char *const rubbish[] = {
        "",
        "\n",
        "module",
        "module \n",
        "module x\n",
        "in\n",
        "\nmodule\n",
        "module 0123456789012345678901234567890123456789012345678901234567890123\n",
        "module ../../../../../../../../../../../../../../../../../../etc/passwd0000\n",
        "module 0123456789012345678901234567890123456789012345678901234567890123\nin x\nout 1\n",
    };
    char hash[SHA256_HEX_BYTES];

    (void)state;
    put_cached("key", "module 1");
    assert_int_equal(sha256_hex(slice_str("module 1"), hash), 0);
    overwrite("modules", hash, "module 2");
    assert_null(cached("key", 3));
    put_cached("key", "module 1");
    assert_string_equal(cached("key", 3), "module 1");
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
        overwrite("results", "key", rubbish[i]);
        assert_null(cached("key", 3));
    }
}

static void test_no_cache(void **state)
{
    build_cache none;

    (void)state;
    setenv("UBIQ_CACHE_DIR", "", 1);
    assert_int_equal(build_cache_open(&none, NULL), 0);
    assert_null(none.path);
    assert_null(build_cache_directory(&none, "c"));
    build_cache_clean(&none);
    setenv("UBIQ_CACHE_DIR", "/dev/null/x", 1);
    assert_int_equal(build_cache_open(&none, NULL), 0);
    assert_null(none.path);
    chmod(cache.path, 0777);
    setenv("UBIQ_CACHE_DIR", base, 1);
    assert_int_equal(build_cache_open(&none, NULL), 0);
    assert_null(none.path);
}

static build_state some_state(void)
{
    build_state s = {.output = {5, 6}, .checked_ns = stamp_now(), .inputs = some_inputs()};

    assert_int_equal(sha256_hex(slice_str("t"), s.tools), 0);
    assert_int_equal(sha256_hex(slice_str("m"), s.module), 0);
    return s;
}

static const char *state_path(void)
{
    static char path[600];

    snprintf(path, sizeof path, "%s/state", base);
    return path;
}

static void test_state(void **state)
{
    build_state s = some_state(), r;

    (void)state;
    assert_int_equal(s.inputs.item[1].stamp.size, strlen("header"));
    assert_false(build_state_read(&r, state_path()));
    assert_int_equal(build_state_write(&s, state_path(), NULL), 0);
    assert_true(build_state_read(&r, state_path()));
    assert_string_equal(r.tools, s.tools);
    assert_string_equal(r.module, s.module);
    assert_true(stamp_equal(r.output, s.output));
    assert_true(r.checked_ns == s.checked_ns);
    assert_int_equal(r.inputs.count, 3);
    assert_int_equal(r.inputs.sources, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(r.inputs.item[i].path, s.inputs.item[i].path);
        assert_true(stamp_equal(r.inputs.item[i].stamp, s.inputs.item[i].stamp));
    }
    assert_true(build_state_holds(&r, root, &s.inputs));
    put_in_project("lib/a b.h", "longer than it was");
    assert_false(build_state_holds(&r, root, &s.inputs));
    build_state_deinit(&r);
    build_state_deinit(&s);
}

static void test_state_and_sources(void **state)
{
    build_state s = some_state();
    inputs sources = some_inputs();

    (void)state;
    assert_true(build_state_holds(&s, root, &sources));
    sources.sources = 2;
    assert_false(build_state_holds(&s, root, &sources));
    sources.sources = 1;
    sources.item[0].path[0] = 'b';
    assert_false(build_state_holds(&s, root, &sources));
    inputs_deinit(&sources);
    build_state_deinit(&s);
}

/* What was written a moment before it was looked at may be written again in the same moment. */
static void test_racy_state(void **state)
{
    build_state s = some_state();

    (void)state;
    s.checked_ns = s.inputs.item[0].stamp.changed_ns + 1000;
    assert_false(build_state_holds(&s, root, &s.inputs));
    s.checked_ns = s.inputs.item[0].stamp.changed_ns + 1000000000;
    assert_true(build_state_holds(&s, root, &s.inputs));
    build_state_deinit(&s);
}

static void test_damaged_state(void **state)
{
    build_state s = some_state(), r;
    buf whole;

    (void)state;
    assert_int_equal(build_state_write(&s, state_path(), NULL), 0);
    buf_init(&whole, 1 << 16);
    assert_int_equal(file_read(state_path(), &whole, NULL), 0);
    for (size_t len = 0; len < whole.len; len++) {
        assert_int_equal(output_write(state_path(), slice_of(whole.data, len), NULL), 0);
        if (build_state_read(&r, state_path()))
            build_state_deinit(&r);
    }
    put_file(state_path(), "ubiq build 2\n");
    assert_false(build_state_read(&r, state_path()));
    put_file(state_path(), "ubiq build 1\nsomething else\n");
    assert_false(build_state_read(&r, state_path()));
    buf_deinit(&whole);
    build_state_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cache_looks_at_inputs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cache_keeps_some_variants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_state_and_sources, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_racy_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_state, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
