#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "service_case.h"
#include "services/limits.h"

static const kv_limits small_limits = {
    .key_bytes = 256,
    .value_bytes = 1 << 20,
    .total_bytes = 100 << 20,
    .keys = 100000,
};

/* A store with keys in it, and this thread's home. */
typedef struct place {
    store *store;
    kv *kv;
    home home;
} place;

static void open_place(place *p, const kv_limits *limits)
{
    error err = {0};

    if (store_open(&p->store, "ubiq.db", &err) != 0 ||
        kv_create(&p->kv, p->store, limits, &err) != 0)
        fail_msg("%s", error_text(&err));
    home_init(&p->home);
}

static void close_place(place *p)
{
    kv_destroy(p->kv);
    store_close(p->store);
    home_deinit(&p->home);
}

/* Does it and forgets the operation: the code, or the number if there is none. */
static int64_t number_of(place *p, kv_operation o)
{
    int64_t result = home_kv(&p->home, p->kv, &o);

    if (result == SERVICE_OK)
        result = o.op.number;
    operation_deinit(&o.op);
    return result;
}

static void assert_bytes(place *p, kv_operation o, const char *expected)
{
    int code = home_kv(&p->home, p->kv, &o);

    if (code != SERVICE_OK)
        fail_msg("%s", error_text(&o.op.err));
    if (!slice_equal_str(buf_slice(&o.op.result), expected))
        fail_msg("\"%.*s\" is not \"%s\"", (int)o.op.result.len, (char *)o.op.result.data,
                 expected);
    operation_deinit(&o.op);
}

static void assert_fails(place *p, kv_operation o, enum service_code code, const char *text)
{
    assert_int_equal(home_kv(&p->home, p->kv, &o), code);
    assert_string_equal(error_text(&o.op.err), text);
    assert_int_equal(o.op.result.len, 0);
    operation_deinit(&o.op);
}

static kv_operation get(const char *key)
{
    return (kv_operation){.verb = KV_GET, .key = slice_str(key)};
}

static kv_operation set(const char *key, const char *value)
{
    return (kv_operation){.verb = KV_SET, .key = slice_str(key), .value = slice_str(value)};
}

static void test_what_is_set_is_there(void **state)
{
    place p;

    (void)state;
    open_place(&p, &small_limits);
    assert_fails(&p, get("a"), SERVICE_NOT_FOUND, "kv: there is no key \"a\"");
    assert_int_equal(number_of(&p, set("a", "1")), 0);
    assert_bytes(&p, get("a"), "1");
    assert_int_equal(number_of(&p, set("a", "")), 0);
    assert_bytes(&p, get("a"), "");
    close_place(&p);
    open_place(&p, &small_limits);
    assert_bytes(&p, get("a"), "");
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_what_is_set_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
