#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "kv_case.h"
#include "services/limits.h"

/* Reads one page: how many keys it has; the last key read in `next`, which is empty at the end. Each
 * must follow the one before. */
static size_t read_page(slice page, char next[64])
{
    json_reader r = {.text = page};
    buf key, last;
    size_t count = 0;

    buf_init(&key, 64);
    buf_init(&last, 64);
    assert_int_equal(json_enter(&r, JSON_OBJECT, NULL), 0);
    assert_int_equal(json_next(&r, JSON_OBJECT, 0, NULL), 1);
    assert_int_equal(json_name(&r, &key, NULL), 0);
    assert_true(slice_equal_str(buf_slice(&key), "keys"));
    assert_int_equal(json_enter(&r, JSON_ARRAY, NULL), 0);
    assert_int_equal(buf_append_str(&last, next), 0);
    for (; json_next(&r, JSON_ARRAY, count, NULL) == 1; count++) {
        buf_clear(&key);
        assert_int_equal(json_string(&r, &key, NULL), 0);
        assert_true(last.len == 0 || memcmp(key.data, last.data, last.len) > 0);
        buf_clear(&last);
        assert_int_equal(buf_append(&last, key.data, key.len), 0);
    }
    assert_int_equal(json_next(&r, JSON_OBJECT, 1, NULL), 1);
    buf_clear(&key);
    assert_int_equal(json_name(&r, &key, NULL), 0);
    buf_clear(&key);
    if (json_peek(&r) == JSON_NULL) {
        next[0] = '\0';
    } else {
        assert_int_equal(json_string(&r, &key, NULL), 0);
        assert_true(slice_equal(buf_slice(&key), buf_slice(&last)));
        snprintf(next, 64, "%.*s", (int)key.len, (char *)key.data);
    }
    buf_deinit(&key);
    buf_deinit(&last);
    return count;
}

static size_t read_pages(place *p, kv_operation o, size_t *pages)
{
    char next[64] = "";
    size_t count = 0;

    *pages = 0;
    do {
        kv_operation page = o;

        page.after = slice_str(next);
        assert_int_equal(home_kv(&p->home, p->kv, &page), SERVICE_OK);
        count += read_page(buf_slice(&page.op.result), next);
        operation_deinit(&page.op);
        ++*pages;
    } while (next[0]);
    return count;
}

static bool sees_one(const void *arg, slice key)
{
    return slice_equal_str(key, arg);
}

static bool sees_none(const void *arg, slice key)
{
    (void)key;
    ++*(size_t *)(uintptr_t)arg;
    return false;
}

static void test_lists_of_many_keys(void **state)
{
    size_t pages, looked_at = 0;
    kv_operation o;
    place p;

    (void)state;
    open_place(&p, &usual);
    fill_place(&p, 10000);
    assert_int_equal(read_pages(&p, op_list("", "", 999), &pages), 10000);
    assert_int_equal(pages, 11);
    assert_int_equal(read_pages(&p, op_list("user:", "", 5000), &pages), 9000);
    assert_int_equal(pages, 9);
    assert_int_equal(read_pages(&p, op_list("shop:", "", 1000), &pages), 1000);
    assert_int_equal(pages, 1);
    assert_int_equal(read_pages(&p, op_list("user:0001", "", 1), &pages), 9);
    assert_int_equal(pages, 9);
    /* What may not be seen never shows, not even as where to go on. */
    o = op_list("", "", 10);
    o.sees = sees_one;
    o.arg = "user:09999";
    assert_bytes(&p, o, "{\"keys\":[\"user:09999\"],\"next\":null}");
    o.limit = 1;
    assert_bytes(&p, o, "{\"keys\":[\"user:09999\"],\"next\":null}");
    o.arg = "shop:00000";
    assert_bytes(&p, o, "{\"keys\":[\"shop:00000\"],\"next\":null}");
    /* A long search is made in turns, and ends when nobody waits for it. */
    o.sees = sees_none;
    o.arg = &looked_at;
    home_prepare(&p.home, &o.op, 1 << 20);
    assert_false(kv_submit(p.kv, &o));
    assert_int_equal(looked_at, LIMIT_LIST_ROWS);
    mailbox_open_all(&p.home.box);
    assert_int_equal(looked_at, 2 * LIMIT_LIST_ROWS);
    o.op.abandoned = true;
    mailbox_open_all(&p.home.box);
    assert_int_equal(looked_at, 2 * LIMIT_LIST_ROWS);
    operation_deinit(&o.op);
    assert_counts(&p);
    close_place(&p);
}

static void test_the_edges_of_lists(void **state)
{
    static char longest[LIMIT_LIST_KEY_BYTES + 2];
    kv_operation o;
    place p;

    (void)state;
    memset(longest, 'b', LIMIT_LIST_KEY_BYTES + 1);
    open_place(&p, &usual);
    assert_bytes(&p, op_list("", "", 5), "{\"keys\":[],\"next\":null}");
    number_of(&p, op_set("a", ""));
    number_of(&p, op_set("a\"\n", ""));
    number_of(&p, op_set("ab", ""));
    number_of(&p, op_set("b", ""));
    number_of(&p, op_set("\xf4\x8f\xbf\xbf", ""));
    assert_bytes(&p, op_list("", "", 2),
                 "{\"keys\":[\"a\",\"a\\\"\\u000a\"],\"next\":\"a\\\"\\u000a\"}");
    assert_bytes(&p, op_list("a", "", 3),
                 "{\"keys\":[\"a\",\"a\\\"\\u000a\",\"ab\"],\"next\":null}");
    assert_bytes(&p, op_list("", "a", 1),
                 "{\"keys\":[\"a\\\"\\u000a\"],\"next\":\"a\\\"\\u000a\"}");
    assert_bytes(&p, op_list("b", "a", 5), "{\"keys\":[\"b\"],\"next\":null}");
    assert_bytes(&p, op_list("a", "b", 5), "{\"keys\":[],\"next\":null}");
    assert_bytes(&p, op_list("\xf4", "", 5), "{\"keys\":[\"\xf4\x8f\xbf\xbf\"],\"next\":null}");
    assert_bytes(&p, op_list("\xff", "", 5), "{\"keys\":[],\"next\":null}");
    assert_bytes(&p, op_list("", longest, 5), "{\"keys\":[\"\xf4\x8f\xbf\xbf\"],\"next\":null}");
    assert_fails(&p, op_list(longest, "", 5), SERVICE_INVALID,
                 "kv: the prefix is longer than 1024 bytes");
    /* A page that the asker has no room for ends earlier. */
    o = op_list("", "", 5);
    o.op.home = &p.home.box;
    buf_init(&o.op.result, 72);
    assert_true(kv_submit(p.kv, &o));
    assert_true(slice_equal_str(buf_slice(&o.op.result),
                                "{\"keys\":[\"a\",\"a\\\"\\u000a\",\"ab\",\"b\"],\"next\":\"b\"}"));
    operation_deinit(&o.op);
    buf_init(&o.op.result, 12);
    assert_true(kv_submit(p.kv, &o));
    assert_int_equal(o.op.code, SERVICE_TOO_LARGE);
    assert_string_equal(error_text(&o.op.err), "kv: the list is larger than 12 bytes");
    operation_deinit(&o.op);
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_lists_of_many_keys),
        IN_DIRECTORY(test_the_edges_of_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
