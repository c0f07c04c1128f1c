#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/config.h"
#include "app/limits.h"
#include "app/units.h"
#include "base/file.h"

static char path[] = "/tmp/ubiq-test-config-XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static int read_text(config *c, const char *toml, error *err)
{
    assert_int_equal(file_write_atomic(path, slice_str(toml), 0600, NULL), 0);
    return config_read(c, path, err);
}

static void test_defaults(void **state)
{
    config c;

    (void)state;
    assert_int_equal(config_read(&c, "/nowhere/ubiq.toml", NULL), 0);
    assert_null(c.listen);
    assert_int_equal(c.workers, 0);
    assert_int_equal(c.wall_ms, LIMIT_WALL_MS);
    assert_int_equal(c.request_bytes, LIMIT_REQUEST_BYTES);
    assert_int_equal(c.response_bytes, LIMIT_RESPONSE_BYTES);
    assert_int_equal(c.memory_bytes, LIMIT_MEMORY_BYTES);
    assert_int_equal(c.function_count, 0);
    config_deinit(&c);
}

static void test_all_of_it(void **state)
{
    static const char toml[] =
        "[project]\nname = 'shop'\nversion = '1.2.0'\n"
        "[server]\nlisten = '[::1]:80'\nworkers = 3\n"
        "[limits]\nwall_time = '5m'\nmemory = '1GiB'\nrequest = '10B'\nresponse = '2KiB'\n"
        "[functions.'users/list']\nentry = 'run'\nroute = '/people'\nmethods = ['GET', "
        "'M-SEARCH']\n"
        "content_type = 'text/html'\nallowed_hosts = ['a', '*.b']\nconfig = {k = 'v', '' = ''}\n"
        "[functions.'']\n";
    const config_function *f;
    slice value;
    config c;

    (void)state;
    assert_int_equal(read_text(&c, toml, NULL), 0);
    assert_string_equal(c.name, "shop");
    assert_string_equal(c.version, "1.2.0");
    assert_string_equal(c.listen, "[::1]:80");
    assert_int_equal(c.workers, 3);
    assert_int_equal(c.wall_ms, 300000);
    assert_int_equal(c.memory_bytes, 1 << 30);
    assert_int_equal(c.request_bytes, 10);
    assert_int_equal(c.response_bytes, 2048);
    assert_int_equal(c.function_count, 2);
    f = &c.functions[strcmp(c.functions[0].name, "") == 0];
    assert_string_equal(f->name, "users/list");
    assert_string_equal(f->entry, "run");
    assert_string_equal(f->route, "/people");
    assert_string_equal(f->content_type, "text/html");
    assert_true(f->methods.given);
    assert_int_equal(f->methods.count, 2);
    assert_string_equal(f->methods.item[1], "M-SEARCH");
    assert_int_equal(f->allowed_hosts.count, 2);
    assert_string_equal(f->allowed_hosts.item[1], "*.b");
    assert_int_equal(f->config.count, 2);
    assert_true(strmap_get(&f->config, slice_str("k"), &value));
    assert_true(slice_equal_str(value, "v"));
    config_deinit(&c);
}

static void test_mistakes(void **state)
{
    static const char *const cases[][2] = {
        {"x = ", "line 1"},
        {"x = 1", ": x: unknown key"},
        {"[servers]", ": servers: unknown key, did you mean server?"},
        {"[server]\nport = 1", ": server.port: unknown key"},
        {"[server]\nworker = 1", ": server.worker: unknown key, did you mean workers?"},
        {"[server]\nworkers = -1", ": server.workers: "},
        {"[server]\nworkers = 1.5", ": server.workers: "},
        {"[server]\nworkers = 257", ": server.workers: "},
        {"[server]\nlisten = 3000", ": server.listen: "},
        {"server = 1", ": server: "},
        {"functions = []", ": functions: "},
        {"[functions]\na = 1", ": functions.\"a\": "},
        {"[functions.\"a\\nb\"]\nx = 1", ": functions.\"a?b\".x: unknown key"},
        {"[functions.a]\nmethod = []", ".method: unknown key, did you mean methods?"},
        {"[functions.a]\nmethods = []", ".methods: a function takes 1 to "},
        {"[functions.a]\nmethods = ['GET', 1]", ".methods[1]: "},
        {"[functions.a]\nmethods = ['G E']", "\"G E\" is not a method"},
        {"[functions.a]\nconfig = {a = 1}", ".config.a: "},
        {"[functions.a]\ncontent_type = ''", ".content_type: "},
        {"[functions.a]\nentry = \"\\u0000\"", ".entry: must not contain a NUL"},
        {"[limits]\nrequest = '2GiB'", ".request: \"2GiB\" is not from 1B to 1024MiB"},
        {"[limits]\nrequest = '0B'", ".request: \"0B\" is not from "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error err = {0};
        config c;

        assert_int_equal(read_text(&c, cases[i][0], &err), E_INVALID);
        if (!strstr(error_text(&err), cases[i][1]) ||
            strncmp(error_text(&err), path, strlen(path)) != 0)
            fail_msg("%s: %s", cases[i][0], error_text(&err));
        assert_null(c.functions);
        error_deinit(&err);
    }
}

static void test_a_file_that_is_too_large(void **state)
{
    char *text = malloc(LIMIT_CONFIG_BYTES + 2);
    error err = {0};
    config c;

    (void)state;
    memset(text, '\n', LIMIT_CONFIG_BYTES + 1);
    text[LIMIT_CONFIG_BYTES + 1] = '\0';
    assert_int_not_equal(read_text(&c, text, &err), 0);
    error_deinit(&err);
    free(text);
}

static void test_units(void **state)
{
    static const struct {
        const char *text;
        bool size;
        uint64_t value; /* 0: refused */
    } cases[] = {
        {"1ms", false, 1},
        {"30s", false, 30000},
        {"5m", false, 300000},
        {"1h", false, 3600000},
        {"24h", false, 86400000},
        {"25h", false, 0},
        {"0s", false, 0},
        {"s", false, 0},
        {"", false, 0},
        {"1", false, 0},
        {"1 s", false, 0},
        {" 1s", false, 0},
        {"1.5s", false, 0},
        {"-1s", false, 0},
        {"1S", false, 0},
        {"99999999999999999999s", false, 0},
        {"1B", true, 1},
        {"64KiB", true, 65536},
        {"4GiB", true, UINT64_C(1) << 32},
        {"5GiB", true, 0},
        {"1KB", true, 0},
        {"1kib", true, 0},
        {"18446744073709551617B", true, 0},
        {"17179869185GiB", true, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error err = {0};
        uint64_t out = 0;
        int rc = cases[i].size ? units_read_size(cases[i].text, LIMIT_MEMORY_BYTES_MAX, &out, &err)
                               : units_read_duration(cases[i].text, LIMIT_WALL_MS_MAX, &out, &err);

        assert_int_equal(rc, cases[i].value ? 0 : E_INVALID);
        if (rc == 0)
            assert_int_equal(out, cases[i].value);
        error_deinit(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_all_of_it),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_a_file_that_is_too_large),
        cmocka_unit_test(test_units),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
