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

static char project[] = "/tmp/ubiq-test-config-XXXXXX";
static char toml_path[64];
static char dotenv_path[64];

static int make_project(void **state)
{
    (void)state;
    if (!mkdtemp(project))
        return -1;
    snprintf(toml_path, sizeof toml_path, "%s/ubiq.toml", project);
    snprintf(dotenv_path, sizeof dotenv_path, "%s/.env", project);
    return 0;
}

static int remove_project(void **state)
{
    (void)state;
    unlink(toml_path);
    unlink(dotenv_path);
    return rmdir(project);
}

/* Reads a ubiq.toml of this text, and gives the problems, one a line without the directory. */
static void read_text(config *c, const char *toml, const char *environment, buf *said)
{
    problems found = {0};
    error err = {0};

    assert_int_equal(file_write_atomic(toml_path, slice_str(toml), 0600, NULL), 0);
    if (config_read(c, project, environment, &found, &err) != 0)
        fail_msg("%s", error_text(&err));
    buf_clear(said);
    for (size_t i = 0; i < found.count; i++) {
        const struct problem *p = &found.item[i];

        assert_memory_equal(p->file, project, strlen(project));
        assert_int_equal(
            buf_printf(said, "%s:%u: %s\n", p->file + strlen(project) + 1, p->line, p->text), 0);
    }
    assert_int_equal(buf_append_byte(said, 0), 0);
    problems_deinit(&found);
}

/* There must be no problem. */
static void read_good(config *c, const char *toml, const char *environment)
{
    buf said;

    buf_init(&said, 10000);
    read_text(c, toml, environment, &said);
    if (said.len > 1)
        fail_msg("%s", (char *)said.data);
    buf_deinit(&said);
}

/* There must be exactly these problems. */
static void read_bad(const char *toml, const char *environment, const char *expected)
{
    config c;
    buf said;

    buf_init(&said, 100000);
    read_text(&c, toml, environment, &said);
    if (strcmp((char *)said.data, expected) != 0)
        fail_msg("\n%s---- gave\n%s---- and not\n%s", toml, (char *)said.data, expected);
    buf_deinit(&said);
    config_deinit(&c);
}

static void assert_value(const strmap *map, const char *name, const char *expected)
{
    slice value;

    if (!strmap_get(map, slice_str(name), &value))
        fail_msg("%s is not there", name);
    if (!slice_equal_str(value, expected))
        fail_msg("%s is %.*s, not %s", name, (int)value.len, (char *)value.data, expected);
}

static void assert_list(const config_list *list, const char *const *expected, size_t count)
{
    assert_true(list->given);
    assert_int_equal(list->count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(list->item[i], expected[i]);
}
#define assert_texts(list, ...)                                                                    \
    assert_list(list, (const char *const[]){__VA_ARGS__},                                          \
                sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void test_defaults(void **state)
{
    problems found = {0};
    config c;

    (void)state;
    assert_int_equal(config_read(&c, "/nowhere", ENVIRONMENT_DEVELOPMENT, &found, NULL), 0);
    assert_int_equal(found.count, 0);
    assert_null(c.name);
    assert_string_equal(c.listen, "127.0.0.1:3000");
    assert_string_equal(c.admin_listen, "127.0.0.1:3001");
    assert_string_equal(c.time_zone, "UTC");
    assert_int_equal(c.workers, 0);
    assert_int_equal(c.limits.cpu_ms, 5000);
    assert_int_equal(c.limits.wall_ms, 30000);
    assert_int_equal(c.limits.memory_bytes, 64 << 20);
    assert_int_equal(c.limits.request_bytes, 1 << 20);
    assert_int_equal(c.limits.response_bytes, 10 << 20);
    assert_int_equal(c.limits.http_response_bytes, 10 << 20);
    assert_int_equal(c.limits.http_requests, 20);
    assert_int_equal(c.function_count, 0);
    assert_int_equal(c.trigger_count, 0);
    assert_int_equal(c.middleware.use.count, 0);
    assert_int_equal(c.middleware.cors.origins.count, 1);
    assert_string_equal(c.middleware.cors.origins.item[0], "*");
    assert_int_equal(c.middleware.rate_limit.requests, 100);
    assert_int_equal(c.middleware.rate_limit.burst, 100);
    assert_int_equal(c.middleware.rate_limit.per_ms, 60000);
    assert_string_equal(c.middleware.api_key.header, "X-Api-Key");
    assert_null(c.middleware.jwt.algorithm);
    assert_int_equal(c.middleware.compression.min_bytes, 1024);
    assert_string_equal(c.middleware.compression.types.item[0], "text/*");
    assert_string_equal(c.services.kv_backend, "sqlite");
    assert_string_equal(c.services.storage_backend, "files");
    assert_string_equal(c.services.events_backend, "sqlite");
    assert_int_equal(c.services.kv_key_bytes, 256);
    assert_int_equal(c.services.kv_value_bytes, 1 << 20);
    assert_int_equal(c.services.kv_total_bytes, 100 << 20);
    assert_int_equal(c.services.kv_keys, 100000);
    assert_int_equal(c.services.storage_total_bytes, 1 << 30);
    config_deinit(&c);
    config_deinit(&c);
}

static void test_sections(void **state)
{
    static const char toml[] =
        "[project]\nname = 'shop'\nversion = '1.2.0'\ntime_zone = 'Europe/Berlin'\n"
        "[server]\nlisten = '[::1]:80'\nadmin = 'off'\nworkers = 3\n"
        "[limits]\ncpu_time = '200ms'\nwall_time = '5m'\nmemory = '1GiB'\nrequest = '10B'\n"
        "response = '2KiB'\nhttp_response = '3MiB'\nhttp_requests = 0\n"
        "[services.kv]\nbackend = 'sqlite'\nkey = '100B'\nvalue = '2MiB'\ntotal = '1GiB'\nkeys = "
        "7\n"
        "[services.storage]\nbackend = 'files'\nfile = '1MiB'\ntotal = '3GiB'\n"
        "[services.events]\nbackend = 'sqlite'\npayload = '1KiB'\npending = 9\nattempts = 3\n"
        "first_retry = '2s'\nlast_retry = '4s'\nat_once = 5\n";
    config c;

    (void)state;
    read_good(&c, toml, ENVIRONMENT_PRODUCTION);
    assert_string_equal(c.name, "shop");
    assert_string_equal(c.version, "1.2.0");
    assert_string_equal(c.time_zone, "Europe/Berlin");
    assert_string_equal(c.listen, "[::1]:80");
    assert_string_equal(c.admin_listen, "off");
    assert_int_equal(c.workers, 3);
    assert_int_equal(c.limits.cpu_ms, 200);
    assert_int_equal(c.limits.wall_ms, 300000);
    assert_int_equal(c.limits.memory_bytes, 1 << 30);
    assert_int_equal(c.limits.request_bytes, 10);
    assert_int_equal(c.limits.response_bytes, 2048);
    assert_int_equal(c.limits.http_response_bytes, 3 << 20);
    assert_int_equal(c.limits.http_requests, 0);
    assert_int_equal(c.services.kv_key_bytes, 100);
    assert_int_equal(c.services.kv_value_bytes, 2 << 20);
    assert_int_equal(c.services.kv_total_bytes, 1 << 30);
    assert_int_equal(c.services.kv_keys, 7);
    assert_int_equal(c.services.storage_file_bytes, 1 << 20);
    assert_int_equal(c.services.storage_total_bytes, UINT64_C(3) << 30);
    assert_int_equal(c.services.event_bytes, 1024);
    assert_int_equal(c.services.events_pending, 9);
    assert_int_equal(c.services.event_attempts, 3);
    assert_int_equal(c.services.event_first_retry_ms, 2000);
    assert_int_equal(c.services.event_last_retry_ms, 4000);
    assert_int_equal(c.services.events_at_once, 5);
    config_deinit(&c);
}

static void test_functions(void **state)
{
    static const char toml[] =
        "[limits]\nmemory = '1MiB'\nhttp_requests = 3\n"
        "[functions.'users/[id]']\n"
        "entry = 'run'\nroute = '/people/[id]'\nmethods = ['GET', 'M-SEARCH']\n"
        "content_type = 'text/html'\nconfig = {k = 'v', '' = ''}\ninstances = 'reuse'\n"
        "permissions = ['kv:read:*',\n 'invoke:b']\nmiddleware = []\n"
        "limits = {cpu_time = '1s', http_requests = 0}\n"
        "[functions.'']\n";
    const config_function *f;
    config c;

    (void)state;
    read_good(&c, toml, ENVIRONMENT_PRODUCTION);
    assert_int_equal(c.function_count, 2);
    f = &c.functions[0];
    assert_string_equal(f->name, "");
    assert_int_equal(f->line, 15);
    assert_false(f->reuse);
    assert_false(f->methods.given);
    assert_false(f->middleware.given);
    assert_int_equal(f->limits.cpu_ms, 5000);
    assert_int_equal(f->limits.memory_bytes, 1 << 20);
    assert_int_equal(f->limits.http_requests, 3);
    f = &c.functions[1];
    assert_string_equal(f->name, "users/[id]");
    assert_int_equal(f->line, 4);
    assert_string_equal(f->entry, "run");
    assert_string_equal(f->route, "/people/[id]");
    assert_string_equal(f->content_type, "text/html");
    assert_true(f->reuse);
    assert_texts(&f->methods, "GET", "M-SEARCH");
    assert_texts(&f->permissions, "kv:read:*", "invoke:b");
    assert_int_equal(f->permissions.line[0], 11);
    assert_int_equal(f->permissions.line[1], 12);
    assert_true(f->middleware.given);
    assert_int_equal(f->middleware.count, 0);
    assert_int_equal(f->config.count, 2);
    assert_value(&f->config, "k", "v");
    assert_value(&f->config, "", "");
    assert_int_equal(f->limits.cpu_ms, 1000);
    assert_int_equal(f->limits.wall_ms, 30000);
    assert_int_equal(f->limits.memory_bytes, 1 << 20);
    assert_int_equal(f->limits.http_requests, 0);
    config_deinit(&c);
}

static void test_triggers(void **state)
{
    static const char toml[] = "[triggers]\n"
                               "'order.*' = 'receipt'\n"
                               "'*/5 * * * *' = ['cleanup',\n"
                               "  'report']\n"
                               "'@daily' = 'report'\n";
    static const struct {
        const char *pattern, *function;
        bool is_cron;
        unsigned line;
    } expected[] = {
        {"*/5 * * * *", "cleanup", true, 3},
        {"*/5 * * * *", "report", true, 4},
        {"@daily", "report", true, 5},
        {"order.*", "receipt", false, 2},
    };
    config c;

    (void)state;
    read_good(&c, toml, ENVIRONMENT_PRODUCTION);
    assert_int_equal(c.trigger_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(c.triggers[i].pattern, expected[i].pattern);
        assert_string_equal(c.triggers[i].function, expected[i].function);
        assert_int_equal(c.triggers[i].is_cron, expected[i].is_cron);
        assert_int_equal(c.triggers[i].line, expected[i].line);
    }
    config_deinit(&c);
}

static void test_middleware(void **state)
{
    static const char toml[] =
        "[middleware]\nuse = ['cors', 'middleware/audit']\n"
        "[middleware.cors]\norigins = ['https://example.com', 'http://*.example.com:8080']\n"
        "methods = ['GET']\nheaders = ['X-A']\nexpose = ['X-B']\ncredentials = true\n"
        "max_age = '1m'\n"
        "[middleware.rate_limit]\nrequests = 10\nper = '1s'\nburst = 20\nby = 'header:X-User'\n"
        "[middleware.api_key]\nheader = 'X-Key'\nkeys = ['a', 'b']\n"
        "[middleware.jwt]\nalgorithm = 'HS256'\nsecret = 's'\nissuer = 'i'\naudience = 'a'\n"
        "leeway = '5s'\n"
        "[middleware.compression]\nmin_size = '2KiB'\ntypes = ['text/*', 'application/json']\n";
    const config_middleware *m;
    config c;

    (void)state;
    read_good(&c, toml, ENVIRONMENT_PRODUCTION);
    m = &c.middleware;
    assert_texts(&m->use, "cors", "middleware/audit");
    assert_texts(&m->cors.origins, "https://example.com", "http://*.example.com:8080");
    assert_texts(&m->cors.methods, "GET");
    assert_texts(&m->cors.headers, "X-A");
    assert_texts(&m->cors.expose, "X-B");
    assert_true(m->cors.credentials);
    assert_int_equal(m->cors.max_age_ms, 60000);
    assert_int_equal(m->rate_limit.requests, 10);
    assert_int_equal(m->rate_limit.per_ms, 1000);
    assert_int_equal(m->rate_limit.burst, 20);
    assert_int_equal(m->rate_limit.by, RATE_BY_HEADER);
    assert_string_equal(m->rate_limit.header, "X-User");
    assert_string_equal(m->api_key.header, "X-Key");
    assert_texts(&m->api_key.keys, "a", "b");
    assert_string_equal(m->jwt.algorithm, "HS256");
    assert_string_equal(m->jwt.secret, "s");
    assert_string_equal(m->jwt.issuer, "i");
    assert_string_equal(m->jwt.audience, "a");
    assert_int_equal(m->jwt.leeway_ms, 5000);
    assert_int_equal(m->compression.min_bytes, 2048);
    assert_texts(&m->compression.types, "text/*", "application/json");
    config_deinit(&c);
    read_good(&c,
              "[middleware]\nrate_limit = {by = 'route'}\n"
              "jwt = {algorithm = 'ES256', public_key = 'key.pem'}",
              ENVIRONMENT_PRODUCTION);
    assert_int_equal(c.middleware.rate_limit.by, RATE_BY_ROUTE);
    assert_string_equal(c.middleware.jwt.public_key, "key.pem");
    config_deinit(&c);
}

static void test_environments(void **state)
{
    static const char toml[] = "[env]\n"
                               "URL = 'http://localhost'\n"
                               "BOTH = 'base'\n"
                               "PASSED = '${UBIQ_TEST_SECRET}'\n"
                               "[env.production]\n"
                               "URL = 'https://${UBIQ_TEST_HOST}/$$x$'\n"
                               "[env.staging]\n"
                               "BOTH = 'staging'\n"
                               "PASSED = 'none'\n";
    config c;

    (void)state;
    setenv("UBIQ_TEST_HOST", "example.com", 1);
    setenv("UBIQ_TEST_SECRET", "s", 1);
    read_good(&c, toml, ENVIRONMENT_PRODUCTION);
    assert_int_equal(c.env.count, 3);
    assert_value(&c.env, "URL", "https://example.com/$x$");
    assert_value(&c.env, "BOTH", "base");
    assert_value(&c.env, "PASSED", "s");
    config_deinit(&c);
    /* What another environment names need not be there, nor what this one sets itself. */
    unsetenv("UBIQ_TEST_HOST");
    unsetenv("UBIQ_TEST_SECRET");
    read_good(&c, toml, "staging");
    assert_value(&c.env, "URL", "http://localhost");
    assert_value(&c.env, "BOTH", "staging");
    assert_value(&c.env, "PASSED", "none");
    config_deinit(&c);
    read_bad(toml, ENVIRONMENT_PRODUCTION,
             "ubiq.toml:4: env.PASSED: ${UBIQ_TEST_SECRET} is not set in the environment\n"
             "ubiq.toml:6: env.production.URL: ${UBIQ_TEST_HOST} is not set in the environment\n");
    read_bad("", "stagging",
             "ubiq.toml:0: there is no [env.stagging], as there must be for an environment of this "
             "name\n");
}

static void test_dotenv(void **state)
{
    static const char toml[] = "[server]\nlisten = '127.0.0.1:${UBIQ_TEST_PORT}'\n";
    config c;

    (void)state;
    assert_int_equal(
        file_write_atomic(dotenv_path, slice_str("UBIQ_TEST_PORT=81\n?\n"), 0600, NULL), 0);
    unsetenv("UBIQ_TEST_PORT");
    read_bad(toml, ENVIRONMENT_PRODUCTION,
             "ubiq.toml:2: server.listen: ${UBIQ_TEST_PORT} is not set in the environment\n");
    read_bad(toml, ENVIRONMENT_DEVELOPMENT, ".env:2: not NAME=value\n");
    assert_int_equal(file_write_atomic(dotenv_path, slice_str("UBIQ_TEST_PORT=81\n"), 0600, NULL),
                     0);
    read_good(&c, toml, ENVIRONMENT_DEVELOPMENT);
    assert_string_equal(c.listen, "127.0.0.1:81");
    config_deinit(&c);
    setenv("UBIQ_TEST_PORT", "82", 1);
    read_good(&c, toml, ENVIRONMENT_DEVELOPMENT);
    assert_string_equal(c.listen, "127.0.0.1:82");
    config_deinit(&c);
    unsetenv("UBIQ_TEST_PORT");
    unlink(dotenv_path);
    read_bad(toml, ENVIRONMENT_DEVELOPMENT,
             "ubiq.toml:2: server.listen: ${UBIQ_TEST_PORT} is not set, neither in the environment "
             "nor in .env\n");
}

static void test_mistakes(void **state)
{
    static const char *const cases[][2] = {
        {"x = 1\ny = ", "2: column "},
        {"x = 1", "1: x: unknown key"},
        {"\n[servers]", "2: servers: unknown key, did you mean server?"},
        {"[server]\nport = 1", "2: server.port: unknown key"},
        {"[server]\nworker = 1", "2: server.worker: unknown key, did you mean workers?"},
        {"[server]\nworkers = -1", "2: server.workers: must not be negative"},
        {"[server]\nworkers = 1.5", "2: server.workers: must be a whole number"},
        {"[server]\nworkers = 257", "2: server.workers: must not be more than 256"},
        {"[server]\nworkers = 'two'", "2: server.workers: expected a number, found a text"},
        {"[server]\nlisten = 3000", "2: server.listen: expected a text in quotes, found a number"},
        {"[server]\nlisten = ':80'", "2: server.listen: \":80\" is not an address"},
        {"[server]\nlisten = '::1:80'", "2: server.listen: \"::1:80\" is not an address"},
        {"[server]\nlisten = '[]:80'", "2: server.listen: \"[]:80\" is not an address"},
        {"[server]\nlisten = 'a:65536'", "2: server.listen: \"a:65536\" is not an address"},
        {"[server]\nlisten = 'a:+1'", "2: server.listen: \"a:+1\" is not an address"},
        {"[server]\nlisten = ''", "2: server.listen: has 0 bytes, not 1 to 128"},
        {"[server]\nadmin = '0.0.0.0:1'", "2: server.admin: \"0.0.0.0:1\" is neither \"off\" nor"},
        {"server = 1", "1: server: expected a table, found a number"},
        {"functions = []", "1: functions: expected a table, found a list"},
        {"[functions]\na = 1", "2: functions.a: expected a table"},
        {"[functions.\"a\\nb\"]\nx = 1", "2: functions.\"a?b\".x: unknown key"},
        {"[functions.'a/[b]']\nx = 1", "2: functions.\"a/[b]\".x: unknown key"},
        {"[functions.'a\"b']\nx = 1", "2: functions.\"a\"b\".x: unknown key"},
        {"[functions.\"\\u0000\"]", "1: functions.\"\": a key must not contain a NUL"},
        {"[functions.a]\nmethod = []", "2: functions.a.method: unknown key, did you mean methods?"},
        {"[functions.a]\nmethods = []", "2: functions.a.methods: a function takes 1 to 16 methods"},
        {"[functions.a]\nmethods = ['GET',\n1]", "3: functions.a.methods[1]: expected a text"},
        {"[functions.a]\nmethods = ['G E', 'GET']",
         "2: functions.a.methods[0]: \"G E\" is not a method, such as \"GET\""},
        {"[functions.a]\nconfig = {a = 1}", "2: functions.a.config.a: expected a text"},
        {"[functions.a]\ncontent_type = ''", "2: functions.a.content_type: has 0 bytes"},
        {"[functions.a]\ncontent_type = \"a\\nb\"", "2: functions.a.content_type: a media type is"},
        {"[functions.a]\nentry = \"\\u0000\"", "2: functions.a.entry: must not contain a NUL"},
        {"[functions.a]\ninstances = 'new'",
         "2: functions.a.instances: \"new\" is not one of \"fresh\", \"reuse\""},
        {"[functions.a]\nlimits.cpu = '1s'", "2: functions.a.limits.cpu: unknown key"},
        {"[limits]\ncpu_time = '5x'", "2: limits.cpu_time: \"5x\" is not a duration, such as"},
        {"[limits]\nwall_time = 30", "2: limits.wall_time: expected a text in quotes"},
        {"[limits]\nmemory = '64MB'", "2: limits.memory: \"64MB\" is not a size, such as"},
        {"[limits]\nrequest = '2GiB'", "2: limits.request: \"2GiB\" is not from 1B to 1024MiB"},
        {"[limits]\nrequest = '0B'", "2: limits.request: \"0B\" is not from "},
        {"[triggers]\n'' = 'a'", "2: triggers.\"\": an event pattern or a cron line is not empty"},
        {"[triggers]\na = 1", "2: triggers.a: expected a text"},
        {"[triggers]\na = []", "2: triggers.a: names no function"},
        {"[triggers]\na = ['b', 1]", "2: triggers.a[1]: expected a text"},
        {"[env]\n1A = 'x'", "2: env.1A: a variable's name has letters"},
        {"[env]\nA = 1", "2: env.A: expected a text in quotes, found a number"},
        {"[env.other]\nA.B = 'x'", "2: env.other.A: expected a text in quotes, found a table"},
        {"[env]\nA = '${'", "2: env.A: ${ is not followed by a name and }"},
        {"[env]\nA = '${A B}'", "2: env.A: ${ is not followed by a name and }"},
        {"[middleware.cors]\ncredentials = true", "1: middleware.cors: with credentials, origins"},
        {"[middleware.cors]\ncredentials = 1", "2: middleware.cors.credentials: expected true or"},
        {"[middleware.cors]\norigins = ['example.com']",
         "2: middleware.cors.origins[0]: \"example"},
        {"[middleware.cors]\norigins = ['https://a/b']", "2: middleware.cors.origins[0]: \"https:"},
        {"[middleware.cors]\nheaders = ['a b']", "2: middleware.cors.headers[0]: \"a b\" is not"},
        {"[middleware.rate_limit]\nrequests = 0", "2: middleware.rate_limit.requests: must not be"},
        {"[middleware.rate_limit]\nby = 'header:'", "2: middleware.rate_limit.by: \"header:\" is"},
        {"\n[middleware.api_key]", "2: middleware.api_key: keys must have at least one key in it"},
        {"[middleware.api_key]\nkeys = ['']", "2: middleware.api_key.keys[0]: a key is not empty"},
        {"[middleware.jwt]", "1: middleware.jwt: algorithm is missing"},
        {"[middleware.jwt]\nalgorithm = 'HS256'", "1: middleware.jwt: HS256 takes secret, and no"},
        {"[middleware.jwt]\nalgorithm = 'RS256'\nsecret = 'x'", "1: middleware.jwt: RS256 takes"},
        {"[middleware.compression]\ntypes = ['html']",
         "2: middleware.compression.types[0]: \"html"},
        {"[services.kv]\nbackend = 'redis'",
         "2: services.kv.backend: \"redis\" is not one of \"sq"},
        {"[services.kv]\nkeys = 0", "2: services.kv.keys: must not be less than 1"},
        {"[services.events]\nlast_retry = '1ms'", "1: services.events: first_retry is longer"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        config c;
        buf said;
        const char *text;

        buf_init(&said, 10000);
        read_text(&c, cases[i][0], ENVIRONMENT_PRODUCTION, &said);
        text = (const char *)said.data;
        if (strncmp(text, "ubiq.toml:", 10) != 0 ||
            strncmp(text + 10, cases[i][1], strlen(cases[i][1])) != 0)
            fail_msg("%s\ngave %s", cases[i][0], text);
        buf_deinit(&said);
        config_deinit(&c);
    }
}

/* One mistake does not hide another, and they come in the order of the file. */
static void test_all_mistakes_at_once(void **state)
{
    config c;
    buf said;

    (void)state;
    read_bad(
        "[project]\nnam = 'x'\nname = 5\n"
        "[limits]\ncpu_time = '5x'\nmemory = '64KB'\nrequest = '5KiB'\n"
        "[functions.a]\npermissions = [1, 'kv:read:*', {}]\nroutes = ['x', ['y']]\n"
        "[env]\nA = '${UBIQ_TEST_UNSET}'\n",
        ENVIRONMENT_PRODUCTION,
        "ubiq.toml:2: project.nam: unknown key, did you mean name?\n"
        "ubiq.toml:3: project.name: expected a text in quotes, found a number\n"
        "ubiq.toml:5: limits.cpu_time: \"5x\" is not a duration, such as \"500ms\", \"30s\" or "
        "\"5m\"\n"
        "ubiq.toml:6: limits.memory: \"64KB\" is not a size, such as \"100B\", \"64KiB\" or "
        "\"10MiB\"\n"
        "ubiq.toml:9: functions.a.permissions[0]: expected a text in quotes, found a number\n"
        "ubiq.toml:9: functions.a.permissions[2]: expected a text in quotes, found a table\n"
        "ubiq.toml:10: functions.a.routes: unknown key, did you mean route?\n"
        "ubiq.toml:12: env.A: ${UBIQ_TEST_UNSET} is not set in the environment\n");
    /* What is right stands all the same. */
    buf_init(&said, 1000);
    read_text(&c, "[limits]\nmemory = 1\nrequest = '5KiB'", ENVIRONMENT_PRODUCTION, &said);
    assert_int_equal(c.limits.request_bytes, 5120);
    assert_int_equal(c.limits.memory_bytes, LIMIT_MEMORY_BYTES);
    config_deinit(&c);
    buf_deinit(&said);
}

static void test_very_many_mistakes(void **state)
{
    problems found = {0};
    error err = {0};
    config c;
    buf toml;

    (void)state;
    buf_init(&toml, 100000);
    for (int i = 0; i < LIMIT_PROBLEMS + 50; i++)
        assert_int_equal(buf_printf(&toml, "k%d = 1\n", i), 0);
    assert_int_equal(file_write_atomic(toml_path, buf_slice(&toml), 0600, NULL), 0);
    assert_int_equal(config_read(&c, project, ENVIRONMENT_TEST, &found, NULL), 0);
    assert_int_equal(found.count, LIMIT_PROBLEMS);
    assert_int_equal(found.more, 50);
    assert_int_equal(problems_conclude(&found, &err), E_INVALID);
    assert_non_null(strstr(error_text(&err), "ubiq.toml:1: k0: unknown key (and 149 more: see "));
    error_deinit(&err);
    problems_deinit(&found);
    config_deinit(&c);
    buf_deinit(&toml);
}

static void test_a_file_that_is_too_large(void **state)
{
    char *text = malloc(LIMIT_CONFIG_BYTES + 1);
    problems found = {0};
    error err = {0};
    config c;

    (void)state;
    memset(text, '\n', LIMIT_CONFIG_BYTES + 1);
    assert_int_equal(
        file_write_atomic(toml_path, slice_of(text, LIMIT_CONFIG_BYTES + 1), 0600, NULL), 0);
    assert_int_equal(config_read(&c, project, ENVIRONMENT_PRODUCTION, &found, &err), E_TOO_LARGE);
    assert_null(c.listen);
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
                               : units_read_duration(cases[i].text, LIMIT_MS_MAX, &out, &err);

        assert_int_equal(rc, cases[i].value ? 0 : E_INVALID);
        if (rc == 0)
            assert_int_equal(out, cases[i].value);
        error_deinit(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_triggers),
        cmocka_unit_test(test_middleware),
        cmocka_unit_test(test_environments),
        cmocka_unit_test(test_dotenv),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_all_mistakes_at_once),
        cmocka_unit_test(test_very_many_mistakes),
        cmocka_unit_test(test_a_file_that_is_too_large),
        cmocka_unit_test(test_units),
    };

    return cmocka_run_group_tests(tests, make_project, remove_project);
}
