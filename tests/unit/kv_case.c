#include "kv_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "services/limits.h"

const kv_limits usual = {
    .key_bytes = LIMIT_KV_KEY_BYTES,
    .value_bytes = LIMIT_KV_VALUE_BYTES,
    .total_bytes = LIMIT_KV_TOTAL_BYTES,
    .keys = LIMIT_KV_KEYS,
};

void open_place_at(place *p, const char *path, const kv_limits *limits)
{
    error err = {0};

    if (store_open(&p->store, path, &err) != 0 || kv_create(&p->kv, p->store, limits, &err) != 0)
        fail_msg("%s", error_text(&err));
    home_init(&p->home);
}

void open_place(place *p, const kv_limits *limits)
{
    open_place_at(p, "ubiq.db", limits);
}

void close_place(place *p)
{
    kv_destroy(p->kv);
    store_close(p->store);
    home_deinit(&p->home);
}

kv_operation op_get(const char *key)
{
    return (kv_operation){.verb = KV_GET, .key = slice_str(key)};
}

kv_operation op_set(const char *key, const char *value)
{
    return (kv_operation){.verb = KV_SET, .key = slice_str(key), .value = slice_str(value)};
}

kv_operation op_set_for(const char *key, const char *value, int64_t ttl_ms)
{
    kv_operation o = op_set(key, value);

    o.ttl_ms = ttl_ms;
    return o;
}

kv_operation op_set_if_absent(const char *key, const char *value)
{
    kv_operation o = op_set(key, value);

    o.verb = KV_SET_IF_ABSENT;
    return o;
}

kv_operation op_compare_and_set(const char *key, const char *expected, const char *value)
{
    kv_operation o = op_set(key, value);

    o.verb = KV_COMPARE_AND_SET;
    o.expected = slice_str(expected);
    return o;
}

kv_operation op_increment(const char *key, int64_t delta)
{
    return (kv_operation){.verb = KV_INCREMENT, .key = slice_str(key), .delta = delta};
}

kv_operation op_delete(const char *key)
{
    return (kv_operation){.verb = KV_DELETE, .key = slice_str(key)};
}

kv_operation op_list(const char *prefix, const char *after, int64_t limit)
{
    return (kv_operation){
        .verb = KV_LIST,
        .key = slice_str(prefix),
        .after = slice_str(after),
        .limit = limit,
    };
}

int64_t number_of(place *p, kv_operation o)
{
    int64_t result = home_kv(&p->home, p->kv, &o);

    if (result == SERVICE_OK)
        result = o.op.number;
    operation_deinit(&o.op);
    return result;
}

void assert_bytes(place *p, kv_operation o, const char *expected)
{
    int code = home_kv(&p->home, p->kv, &o);

    if (code != SERVICE_OK)
        fail_msg("%s", error_text(&o.op.err));
    if (!slice_equal_str(buf_slice(&o.op.result), expected))
        fail_msg("\"%.*s\" is not \"%s\"", (int)o.op.result.len, (char *)o.op.result.data,
                 expected);
    operation_deinit(&o.op);
}

void assert_fails(place *p, kv_operation o, enum service_code code, const char *text)
{
    assert_int_equal(home_kv(&p->home, p->kv, &o), code);
    assert_string_equal(error_text(&o.op.err), text);
    assert_int_equal(o.op.result.len, 0);
    operation_deinit(&o.op);
}

void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

int64_t query_place(place *p, const char *sql)
{
    sqlite3_stmt *statement = store_statement(p->store, sql, NULL);
    int64_t n;

    assert_non_null(statement);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    n = sqlite3_column_int64(statement, 0);
    store_reset(statement);
    return n;
}

void assert_counts(place *p)
{
    assert_int_equal(
        query_place(p, "SELECT bytes FROM usage WHERE service = 'kv'"),
        query_place(p, "SELECT coalesce(sum(length(key) + length(value)), 0) FROM kv"));
    assert_int_equal(query_place(p, "SELECT items FROM usage WHERE service = 'kv'"),
                     query_place(p, "SELECT count(*) FROM kv"));
}

void fill_place(place *p, int count)
{
    enum { AT_ONCE = 500 };
    static kv_operation o[AT_ONCE];
    static char keys[AT_ONCE][32];

    for (int i = 0; i < count; i += AT_ONCE) {
        size_t before = p->home.done;

        for (int k = 0; k < AT_ONCE; k++) {
            snprintf(keys[k], sizeof keys[k], "%s:%05d", (i + k) % 10 ? "user" : "shop", i + k);
            o[k] = op_set(keys[k], "value");
            home_prepare(&p->home, &o[k].op, 0);
            assert_false(kv_submit(p->kv, &o[k]));
        }
        home_wait(&p->home, before + AT_ONCE);
        for (int k = 0; k < AT_ONCE; k++) {
            assert_int_equal(o[k].op.code, SERVICE_OK);
            operation_deinit(&o[k].op);
        }
    }
}
