#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/operation.h"

/* A service's own struct; the operation need not come first in what an asker has. */
typedef struct asked {
    int number;
    operation op;
} asked;

static int done_count;

static void wake(void *arg)
{
    (void)arg;
}

static void on_done(operation *op)
{
    asked *a = (asked *)(void *)((char *)op - offsetof(asked, op));

    assert_int_equal(a->number, 7);
    done_count++;
}

static void test_codes_have_names(void **state)
{
    (void)state;
    assert_int_equal(SERVICE_BUSY, -9);
    assert_string_equal(service_code_name(SERVICE_OK), "ok");
    assert_string_equal(service_code_name(SERVICE_NOT_FOUND), "not_found");
    assert_string_equal(service_code_name(SERVICE_OVER_QUOTA), "over_quota");
    assert_string_equal(service_code_name((enum service_code)1), "unknown");
}

static void test_failures_have_code_and_text(void **state)
{
    operation op = {0};
    error err = {0};

    (void)state;
    buf_init(&op.result, 10);
    assert_true(operation_fail(&op, SERVICE_CONFLICT, "it is %d", 5));
    assert_int_equal(op.code, SERVICE_CONFLICT);
    assert_string_equal(error_text(&op.err), "it is 5");
    op.number = 3;
    assert_int_equal(buf_append_str(&op.result, "x"), 0);
    operation_restart(&op);
    assert_int_equal(op.code, SERVICE_OK);
    assert_null(op.err.text);
    assert_int_equal(op.number, 0);
    assert_int_equal(op.result.len, 0);
    error_set(&err, E_BUSY, "held");
    assert_true(operation_unavailable(&op, &err));
    assert_int_equal(op.code, SERVICE_BUSY);
    error_set(&err, E_TOO_LARGE, "the disk is full");
    assert_true(operation_unavailable(&op, &err));
    assert_int_equal(op.code, SERVICE_UNAVAILABLE);
    assert_string_equal(error_text(&op.err), "the disk is full");
    error_deinit(&err);
    operation_deinit(&op);
}

static void test_is_done_in_its_home(void **state)
{
    asked a = {.number = 7, .op.done = on_done};
    mailbox home;

    (void)state;
    mailbox_init(&home, wake, NULL);
    a.op.home = &home;
    a.op.copied = malloc(10);
    operation_finish(&a.op);
    assert_int_equal(done_count, 0);
    mailbox_open_all(&home);
    assert_int_equal(done_count, 1);
    operation_deinit(&a.op);
    operation_deinit(&a.op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_have_names),
        cmocka_unit_test(test_failures_have_code_and_text),
        cmocka_unit_test(test_is_done_in_its_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
