#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The program's own files are in no library that a test could link. */
#include "cli/call_manifest.c"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .item = (const char *[]){__VA_ARGS__},                                                     \
        .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)                            \
    }

/* Any file that is there. */
#define HERE "/dev/null"

static const call_options plain = {
    .file = HERE, .function = "f", .http_response_max = -1, .var_max = -1};

/* What the host library reads from the manifest that these options make. */
static void make(const call_options *o, manifest *out)
{
    call_manifest m;
    error err = {0};

    if (call_manifest_make(o, &m, &err) != 0 || manifest_parse(out, buf_slice(&m.json), &err) != 0)
        fail_msg("%.*s\n%s", (int)m.json.len, (const char *)m.json.data, error_text(&err));
    call_manifest_deinit(&m);
}

static void assert_refused(const call_options *o, int code, const char *text)
{
    call_manifest m;
    error err = {0};

    assert_int_equal(call_manifest_make(o, &m, &err), code);
    assert_string_equal(error_text(&err), text);
    call_manifest_deinit(&m);
    error_deinit(&err);
}

/* Makes a file with this content; the caller unlinks it. */
static void write_file(char *path, const char *text)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void assert_value(const strmap *map, const char *key, const char *value)
{
    slice found;

    assert_true(strmap_get(map, slice_str(key), &found));
    assert_true(slice_equal_str(found, value));
}

static void test_a_file_alone_is_the_only_module(void **state)
{
    manifest m;

    (void)state;
    make(&plain, &m);
    assert_int_equal(m.wasm_count, 1);
    assert_int_equal(m.wasm[0].kind, MANIFEST_WASM_FILE);
    assert_string_equal(m.wasm[0].path, HERE);
    assert_null(m.wasm[0].name);
    assert_false(m.has_max_pages || m.has_max_http_response_bytes || m.has_max_var_bytes);
    assert_false(m.has_timeout_ms);
    assert_int_equal(m.config.count + m.allowed_hosts_count + m.allowed_paths_count, 0);
    manifest_deinit(&m);
}

static void test_urls_are_not_looked_for_on_disk(void **state)
{
    call_options o = plain;
    manifest m;

    (void)state;
    o.file = "https://example.com/a.wasm";
    o.links = (call_list)LIST("x=http://example.com/b.wasm");
    make(&o, &m);
    assert_int_equal(m.wasm_count, 2);
    assert_int_equal(m.wasm[0].kind, MANIFEST_WASM_URL);
    assert_string_equal(m.wasm[0].url, "http://example.com/b.wasm");
    assert_string_equal(m.wasm[0].name, "x");
    assert_string_equal(m.wasm[1].url, "https://example.com/a.wasm");
    manifest_deinit(&m);
}

static void test_links_stand_before_the_main_module(void **state)
{
    call_options o = plain;
    manifest m;

    (void)state;
    o.links = (call_list)LIST("a=" HERE, HERE, "/etc/../dev/null", "=" HERE, "/etc/ld.so.conf");
    make(&o, &m);
    assert_int_equal(m.wasm_count, 6);
    assert_string_equal(m.wasm[0].name, "a");
    assert_string_equal(m.wasm[0].path, HERE);
    assert_string_equal(m.wasm[1].name, "null");
    assert_string_equal(m.wasm[2].name, "null");
    assert_string_equal(m.wasm[3].name, "");
    assert_string_equal(m.wasm[4].name, "ld.so");
    assert_null(m.wasm[5].name);
    manifest_deinit(&m);
}

static void test_limits_and_config_are_passed_on(void **state)
{
    call_options o = plain;
    manifest m;

    (void)state;
    o.memory_pages = UINT32_MAX;
    o.http_response_max = 0;
    o.var_max = INT64_MAX;
    o.timeout_ms = UINT64_MAX;
    assert_int_equal(strmap_set(&o.config, slice_str("a \"key\""), slice_of("\0\n", 2)), 0);
    make(&o, &m);
    assert_true(m.has_max_pages && m.max_pages == UINT32_MAX);
    assert_true(m.has_max_http_response_bytes && m.max_http_response_bytes == 0);
    assert_true(m.has_max_var_bytes && m.max_var_bytes == INT64_MAX);
    assert_true(m.has_timeout_ms && m.timeout_ms == UINT64_MAX);
    assert_int_equal(m.config.count, 1);
    assert_int_equal(m.config.entry[0].value_len, 2);
    assert_memory_equal(m.config.entry[0].value, "\0\n", 2);
    manifest_deinit(&m);
    strmap_deinit(&o.config);
}

static void test_paths_are_split_at_the_first_colon(void **state)
{
    call_options o = plain;
    manifest m;

    (void)state;
    o.paths = (call_list)LIST("/b:/c:d", "/a", "ro:/e:/f", "ro:/g", "/a2:");
    make(&o, &m);
    assert_int_equal(m.allowed_paths_count, 5);
    assert_string_equal(m.allowed_paths[0].host, "/a");
    assert_string_equal(m.allowed_paths[0].guest, "/a");
    assert_string_equal(m.allowed_paths[1].host, "/a2");
    assert_string_equal(m.allowed_paths[1].guest, "");
    assert_string_equal(m.allowed_paths[2].host, "/b");
    assert_string_equal(m.allowed_paths[2].guest, "/c:d");
    assert_false(m.allowed_paths[2].read_only);
    assert_string_equal(m.allowed_paths[3].host, "ro");
    assert_string_equal(m.allowed_paths[3].guest, "/g");
    assert_false(m.allowed_paths[3].read_only);
    assert_string_equal(m.allowed_paths[4].host, "/e");
    assert_string_equal(m.allowed_paths[4].guest, "/f");
    assert_true(m.allowed_paths[4].read_only);
    manifest_deinit(&m);
}

static void test_flags_stand_over_a_manifest(void **state)
{
    char path[] = "/tmp/test_cli_call_XXXXXX";
    call_options o = plain;
    manifest m;

    (void)state;
    write_file(path,
               "{\"wasm\":[{\"path\":\"/no/such\",\"hash\":\"00\"},"
               "{\"url\":\"http://h/a\",\"method\":\"POST\",\"headers\":{\"k\":\"v\"},"
               "\"name\":\"main\"},{\"data\":\"AGFzbQEAAAA=\"}],"
               "\"memory\":{\"max_pages\":5,\"max_var_bytes\":6,"
               "\"max_http_response_bytes\":7},"
               "\"config\":{\"a\":\"1\",\"b\":\"2\"},\"timeout_ms\":8,"
               "\"allowed_hosts\":[\"h\"],\"allowed_paths\":{\"/p\":\"/q\",\"ro:/r\":\"/s\"}}");
    o.file = path;
    o.is_manifest = true;
    o.links = (call_list)LIST(HERE);
    o.hosts = (call_list)LIST("i");
    o.paths = (call_list)LIST("/p:/over", "ro:/r:/over");
    o.var_max = 9;
    assert_int_equal(strmap_set(&o.config, slice_str("b"), slice_str("3")), 0);
    make(&o, &m);
    unlink(path);

    assert_int_equal(m.wasm_count, 4);
    assert_string_equal(m.wasm[0].path, HERE);
    assert_string_equal(m.wasm[1].path, "/no/such");
    assert_string_equal(m.wasm[1].hash, "00");
    assert_string_equal(m.wasm[2].url, "http://h/a");
    assert_string_equal(m.wasm[2].method, "POST");
    assert_string_equal(m.wasm[2].name, "main");
    assert_value(&m.wasm[2].headers, "k", "v");
    assert_int_equal(m.wasm[3].kind, MANIFEST_WASM_DATA);
    assert_int_equal(m.wasm[3].data_len, 8);
    assert_memory_equal(m.wasm[3].data, "\0asm\1\0\0\0", 8);
    assert_true(m.max_pages == 5 && m.max_var_bytes == 9 && m.max_http_response_bytes == 7);
    assert_int_equal(m.timeout_ms, 8);
    assert_value(&m.config, "a", "1");
    assert_value(&m.config, "b", "3");
    assert_int_equal(m.allowed_hosts_count, 2);
    assert_string_equal(m.allowed_hosts[0], "h");
    assert_string_equal(m.allowed_hosts[1], "i");
    assert_int_equal(m.allowed_paths_count, 2);
    assert_string_equal(m.allowed_paths[0].guest, "/over");
    assert_string_equal(m.allowed_paths[1].guest, "/over");
    assert_true(m.allowed_paths[1].read_only);
    manifest_deinit(&m);
    strmap_deinit(&o.config);
}

static void test_what_cannot_be_read_is_told(void **state)
{
    call_options o = plain;

    (void)state;
    o.file = "/no/such";
    assert_refused(&o, E_NOT_FOUND, "/no/such: No such file or directory");
    o.is_manifest = true;
    assert_refused(&o, E_NOT_FOUND, "/no/such: No such file or directory");
    o.file = HERE;
    o.links = (call_list)LIST("a=/no/link");
    assert_refused(&o, E_NOT_FOUND, "/no/link: No such file or directory");
    o.is_manifest = false;
    o.links = (call_list)LIST("\xff=" HERE);
    assert_refused(&o, E_INVALID, "\"\xff\" is not UTF-8");
    o.links.count = 0;
    o.hosts = (call_list)LIST("a\xff");
    assert_refused(&o, E_INVALID, "\"a\xff\" is not UTF-8");
}

static void test_a_file_that_is_no_manifest_is_named(void **state)
{
    char path[] = "/tmp/test_cli_call_XXXXXX";
    call_manifest m;
    call_options o = plain;
    error err = {0};

    (void)state;
    write_file(path, "{\"wasn\":[]}");
    o.file = path;
    o.is_manifest = true;
    assert_int_equal(call_manifest_make(&o, &m, &err), E_INVALID);
    unlink(path);
    assert_memory_equal(error_text(&err), path, strlen(path));
    assert_non_null(strstr(error_text(&err), "wasn"));
    call_manifest_deinit(&m);
    error_deinit(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_alone_is_the_only_module),
        cmocka_unit_test(test_urls_are_not_looked_for_on_disk),
        cmocka_unit_test(test_links_stand_before_the_main_module),
        cmocka_unit_test(test_limits_and_config_are_passed_on),
        cmocka_unit_test(test_paths_are_split_at_the_first_colon),
        cmocka_unit_test(test_flags_stand_over_a_manifest),
        cmocka_unit_test(test_what_cannot_be_read_is_told),
        cmocka_unit_test(test_a_file_that_is_no_manifest_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
