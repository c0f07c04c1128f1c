#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "extism/wasm_code.h"
#include "guest.h"
#include "wasm_instructions.h"

#define ROOM (1 << 20)

static const wasm_code_map identity;

/* A module with one function for each line of `lines`. */
static slice module_of(const char *lines)
{
    error err = {0};
    wasm_engine_t *engine;
    buf text;

    buf_init(&text, ROOM);
    assert_int_equal(buf_append_str(&text, INSTRUCTION_CONTEXT), 0);
    while (*lines) {
        int len = (int)strcspn(lines, "\n");
        assert_int_equal(buf_printf(&text,
                                    "(func (local i32 i64 i32) unreachable %.*s unreachable)\n",
                                    len, lines),
                         0);
        lines += len + (lines[len] == '\n');
    }
    assert_int_equal(buf_append(&text, ")", 2), 0);
    slice binary = guest_binary((const char *)text.data);
    assert_int_equal(engine_get(ENGINE_ON_DEMAND, &engine, NULL), 0);
    if (engine_error(&err, E_INVALID, wasmtime_module_validate(engine, binary.data, binary.len),
                     NULL))
        fail_msg("%s", error_text(&err));
    buf_deinit(&text);
    return binary;
}

static int rewrite(slice body, const wasm_code_map *map, wasm_code_facts *facts, buf *out)
{
    wasm_reader r = wasm_reader_of(body);
    error err = {0};
    int rc = wasm_code_rewrite_body(&r, map, 0, facts, out, &err);

    if (rc == 0)
        assert_ptr_equal(r.at, r.end);
    else
        assert_int_equal(err.code, rc);
    error_deinit(&err);
    return rc;
}

static void test_numbers(void **state)
{
    static const uint64_t values[] = {0, 1, 63, 64, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    buf out;

    (void)state;
    buf_init(&out, 16);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        buf_clear(&out);
        assert_int_equal(wasm_write_uint(&out, values[i]), 0);
        wasm_reader r = wasm_reader_of(buf_slice(&out));
        assert_int_equal(wasm_read_uint(&r, 64), values[i]);
        assert_false(r.failed || wasm_reader_more(&r));
    }
    buf_clear(&out);
    assert_int_equal(wasm_write_sint(&out, -123456), 0); /* the specification's example */
    assert_true(slice_equal_str(buf_slice(&out), "\xc0\xbb\x78"));
    buf_clear(&out);
    assert_int_equal(wasm_write_sint(&out, 64), 0);
    assert_true(slice_equal(buf_slice(&out), slice_of("\xc0\x00", 2)));
    buf_deinit(&out);
}

static void test_numbers_that_are_too_long(void **state)
{
    wasm_reader r = wasm_reader_of(slice_str("\xff\xff\xff\xff\x1f"));

    (void)state;
    wasm_read_u32(&r);
    assert_true(r.failed);
    r = wasm_reader_of(slice_str("\x80\x80\x80\x80\x80\x01"));
    wasm_read_u32(&r);
    assert_true(r.failed);
    r = wasm_reader_of(slice_str("\x80\x80\x80"));
    wasm_skip_leb(&r);
    assert_true(r.failed);
    r = wasm_reader_of(slice_str("\xff\xff\xff\xff\x0f"));
    assert_int_equal(wasm_read_u32(&r), UINT32_MAX);
    assert_false(r.failed);
}

/* Without a map, code is what it was. */
static void test_every_instruction_is_copied(void **state)
{
    (void)state;
    for (size_t g = 0; g < INSTRUCTION_GROUPS; g++) {
        slice binary = module_of(instruction_groups[g]), body;
        size_t bodies = 0;
        for (size_t at = 0; guest_next_body(binary, &at, &body); bodies++) {
            wasm_code_facts facts = {0};
            buf out;
            buf_init(&out, ROOM);
            if (rewrite(body, &identity, &facts, &out) != 0)
                fail_msg("instruction %zu of group %zu is not known", bodies, g);
            assert_true(slice_equal(body, buf_slice(&out)));
            buf_deinit(&out);
        }
        assert_true(bodies > 10);
        free((void *)(uintptr_t)binary.data);
    }
}

/* No body that is cut off is taken, and nothing behind it is read. */
static void test_every_instruction_cut_off(void **state)
{
    (void)state;
    for (size_t g = 0; g < INSTRUCTION_GROUPS; g++) {
        slice binary = module_of(instruction_groups[g]), body;
        for (size_t at = 0; guest_next_body(binary, &at, &body);) {
            for (size_t len = 0; len < body.len; len++) {
                wasm_code_facts facts = {0};
                uint8_t *exact = malloc(len + 1);
                buf out;
                buf_init(&out, ROOM);
                assert_non_null(exact);
                memcpy(exact + 1, body.data, len);
                assert_int_equal(rewrite(slice_of(exact + 1, len), &identity, &facts, &out),
                                 E_INVALID);
                buf_deinit(&out);
                free(exact);
            }
        }
        free((void *)(uintptr_t)binary.data);
    }
}

/* Numbers of functions and types go up by 1000 and down again: only what names them has changed. */
static void test_renumbering(void **state)
{
    static uint32_t up[1100], down[2100];
    const wasm_code_map there = {.func = up, .func_count = 1100, .type = up, .type_count = 1100};
    const wasm_code_map back = {.func = down, .func_count = 2100, .type = down, .type_count = 2100};
    size_t changed = 0;

    (void)state;
    for (uint32_t i = 0; i < 1100; i++)
        up[i] = i + 1000;
    for (uint32_t i = 1000; i < 2100; i++)
        down[i] = i - 1000;
    slice binary = module_of(instruction_groups[0]), body;
    for (size_t at = 0; guest_next_body(binary, &at, &body);) {
        wasm_code_facts facts = {0};
        buf out, again;
        buf_init(&out, ROOM);
        buf_init(&again, ROOM);
        assert_int_equal(rewrite(body, &there, &facts, &out), 0);
        assert_int_equal(rewrite(buf_slice(&out), &back, &facts, &again), 0);
        assert_true(slice_equal(body, buf_slice(&again)));
        changed += !slice_equal(body, buf_slice(&out));
        buf_deinit(&out);
        buf_deinit(&again);
    }
    /* block, loop, if and a block of two results; call, call_indirect twice, return_call,
     * return_call_indirect */
    assert_int_equal(changed, 9);
    free((void *)(uintptr_t)binary.data);
}

static void assert_rewritten(const wasm_code_map *map, const char *in, size_t in_len,
                             const char *expected, size_t expected_len)
{
    wasm_code_facts facts = {0};
    buf out;

    buf_init(&out, ROOM);
    assert_int_equal(rewrite(slice_of(in, in_len), map, &facts, &out), 0);
    assert_int_equal(out.len, expected_len);
    assert_memory_equal(out.data, expected, expected_len);
    buf_deinit(&out);
}

#define REWRITTEN(map, in, expected)                                                               \
    assert_rewritten(map, "\x00" in "\x0b", sizeof(in) + 1, "\x00" expected "\x0b",                \
                     sizeof(expected) + 1)

static void test_memory_instructions(void **state)
{
    static const uint32_t grow[] = {7, 300}, size[] = {9, WASM_KEEP};
    const wasm_code_map stand_in = {.grow = grow, .size_global = size, .memory_count = 2};
    const wasm_code_map shifted = {.memory_base = 2};
    const wasm_code_map checked = {.check_write = 5, .check_copy = 6};

    (void)state;
    REWRITTEN(&stand_in, "\x40\x00", "\x10\x07");            /* memory.grow 0: call 7 */
    REWRITTEN(&stand_in, "\x40\x01", "\x10\xac\x02");        /* memory.grow 1: call 300 */
    REWRITTEN(&stand_in, "\x3f\x00", "\x23\x09");            /* memory.size 0: global.get 9 */
    REWRITTEN(&stand_in, "\x3f\x01", "\x3f\x01");            /* memory.size 1 stays */
    REWRITTEN(&stand_in, "\x40\x80\x00", "\x10\x07");        /* a number longer than it must be */
    REWRITTEN(&shifted, "\x28\x02\x05", "\x28\x42\x02\x05"); /* i32.load: of memory 2 */
    REWRITTEN(&shifted, "\x36\x42\x01\x05", "\x36\x42\x03\x05"); /* i32.store of memory 1: of 3 */
    REWRITTEN(&shifted, "\x40\x00\x3f\x01", "\x40\x02\x3f\x03");
    REWRITTEN(&shifted, "\xfc\x0a\x00\x01", "\xfc\x0a\x02\x03"); /* memory.copy */
    REWRITTEN(&shifted, "\xfc\x08\x07\x00",
              "\xfc\x08\x07\x02"); /* memory.init: the segment stays */
    REWRITTEN(&shifted, "\xfc\x0b\x00", "\xfc\x0b\x02");
    REWRITTEN(&shifted, "\xfd\x54\x00\x04\x03", "\xfd\x54\x40\x02\x04\x03"); /* v128.load8_lane */
    REWRITTEN(&shifted, "\xfd\x5c\x02\x00", "\xfd\x5c\x42\x02\x00");         /* v128.load32_zero */
    REWRITTEN(&shifted, "\xfe\x10\x02\x00", "\xfe\x10\x42\x02\x00");         /* i32.atomic.load */
    REWRITTEN(&checked, "\xfc\x0b\x00", "\x10\x05\xfc\x0b\x00");             /* memory.fill */
    REWRITTEN(&checked, "\x01\xfc\x08\x01\x00\x01", "\x01\x10\x05\xfc\x08\x01\x00\x01");
    REWRITTEN(&checked, "\xfc\x0a\x00\x00", "\x10\x06\xfc\x0a\x00\x00");
    REWRITTEN(&checked, "\xfc\x09\x00", "\xfc\x09\x00"); /* data.drop writes no memory */
}

static void test_numbers_out_of_range(void **state)
{
    static const uint32_t none[1];
    const wasm_code_map map = {.func = none,
                               .func_count = 1,
                               .type = none,
                               .type_count = 1,
                               .grow = none,
                               .size_global = none,
                               .memory_count = 1};
    static const char *const bad[] = {"\x10\x01\x0b", "\x12\x01\x0b",     "\xd2\x01\x0b",
                                      "\x11\x01\x0b", "\x02\x01\x0b\x0b", "\x40\x01\x0b",
                                      "\x3f\x01\x0b"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wasm_code_facts facts = {0};
        char body[16] = {0};
        buf out;
        buf_init(&out, ROOM);
        strcpy(body + 1, bad[i]);
        assert_int_equal(rewrite(slice_of(body, strlen(bad[i]) + 1), &map, &facts, &out),
                         E_INVALID);
        buf_deinit(&out);
    }
}

static void assert_facts(const char *lines, bool mutates, bool atomics)
{
    slice binary = module_of(lines), body;
    for (size_t at = 0, n = 0; guest_next_body(binary, &at, &body); n++) {
        wasm_code_facts facts = {0};
        buf out;
        buf_init(&out, ROOM);
        assert_int_equal(rewrite(body, &identity, &facts, &out), 0);
        if (facts.mutates_hidden_state != mutates || facts.has_atomics != atomics)
            fail_msg("instruction %zu of\n%s", n, lines);
        buf_deinit(&out);
    }
    free((void *)(uintptr_t)binary.data);
}

/* What an instance that is used again must not have done, and what it may. */
static void test_facts(void **state)
{
    (void)state;
    assert_facts(
        "table.set $t\ntable.grow $t\ntable.fill $t\ntable.copy $t $t2\ntable.init $t $el\n"
        "elem.drop $el\ndata.drop $d\nthrow $e\nthrow_ref\n"
        "block (result exnref) try_table (catch_all_ref 0) end unreachable end\n",
        true, false);
    assert_facts(instruction_groups[6], true, false);  /* the garbage-collected heap */
    assert_facts(instruction_groups[5], false, true);  /* threads */
    assert_facts(instruction_groups[4], false, false); /* vectors */
    assert_facts(instruction_groups[3], false, false); /* numbers */
    assert_facts(
        "table.get $t\ntable.size $t\ncall_indirect (type $map)\nref.func $imported\n"
        "global.set $g\nmemory.grow\nmemory.init $d\nmemory.fill\nmemory.copy\ni32.store\n",
        false, false);
}

/* The byte that begins an instruction: those of the specification, and no others. */
static void test_unknown_instructions(void **state)
{
    static const uint8_t known[][2] = {{0x00, 0x05}, {0x08, 0x08}, {0x0a, 0x15}, {0x1a, 0x1c},
                                       {0x1f, 0x26}, {0x28, 0xc4}, {0xd0, 0xd6}, {0xfb, 0xfe}};
    size_t range = 0;

    (void)state;
    for (unsigned op = 0; op < 256; op++) {
        /* Many bytes 0 are the operands of every known instruction; `end` closes the blocks. */
        uint8_t body[64] = {0, (uint8_t)op};
        wasm_code_facts facts = {0};
        buf out;
        while (range < 7 && op > known[range][1])
            range++;
        bool expected = op >= known[range][0] && op <= known[range][1];
        memset(body + 34, 0x0b, 30);
        for (size_t len = 2; len <= sizeof body; len++) {
            wasm_reader r = wasm_reader_of(slice_of(body, len));
            buf_init(&out, ROOM);
            bool taken = wasm_code_rewrite_body(&r, &identity, 0, &facts, &out, NULL) == 0;
            buf_deinit(&out);
            if (taken || len == sizeof body) {
                if (taken != expected)
                    fail_msg("%02x is %staken", op, taken ? "" : "not ");
                break;
            }
        }
    }
}

static void test_unknown_prefixed_instructions(void **state)
{
    static const struct {
        uint8_t prefix;
        uint32_t first, last;
    } unknown[] = {{0xfb, 0x1f, 0x300},  {0xfc, 0x12, 0x12}, {0xfc, 0x17, 0x300},
                   {0xfd, 0x114, 0x400}, {0xfe, 0x04, 0x0f}, {0xfe, 0x4f, 0x300}};

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        for (uint32_t op = unknown[i].first; op <= unknown[i].last; op++) {
            wasm_code_facts facts = {0};
            buf body, out;
            buf_init(&body, ROOM);
            buf_init(&out, ROOM);
            assert_int_equal(buf_append_byte(&body, 0), 0);
            assert_int_equal(buf_append_byte(&body, unknown[i].prefix), 0);
            assert_int_equal(wasm_write_uint(&body, op), 0);
            assert_int_equal(buf_append(&body, "\0\0\0\0\0\0\x0b\x0b", 8), 0);
            assert_int_equal(rewrite(buf_slice(&body), &identity, &facts, &out), E_INVALID);
            buf_deinit(&body);
            buf_deinit(&out);
        }
    }
}

static void test_a_million_blocks(void **state)
{
    const size_t depth = 1000000;
    wasm_code_facts facts = {0};
    uint8_t *body = malloc(2 + 3 * depth);
    buf out;

    (void)state;
    assert_non_null(body);
    body[0] = 0;
    for (size_t i = 0; i < depth; i++)
        memcpy(body + 1 + 2 * i, "\x02\x40", 2);
    memset(body + 1 + 2 * depth, 0x0b, depth + 1);
    buf_init(&out, 4 * depth);
    assert_int_equal(rewrite(slice_of(body, 2 + 3 * depth), &identity, &facts, &out), 0);
    assert_int_equal(out.len, 2 + 3 * depth);
    buf_deinit(&out);
    free(body);
}

static void test_a_maximum_that_is_too_small(void **state)
{
    wasm_code_facts facts = {0};
    buf out;

    (void)state;
    buf_init(&out, 3);
    assert_int_equal(rewrite(slice_of("\0\x01\x01\x01\x0b", 5), &identity, &facts, &out),
                     E_TOO_LARGE);
    buf_deinit(&out);
}

static void test_constant_expressions(void **state)
{
    static const uint32_t func[] = {200};
    const wasm_code_map map = {.func = func, .func_count = 1};
    wasm_reader r = wasm_reader_of(slice_of("\xd2\x00\x0b\x99", 4));
    bool plain = false;
    buf out;

    (void)state;
    buf_init(&out, ROOM);
    assert_int_equal(wasm_code_rewrite_const(&r, &map, &plain, &out, NULL), 0);
    assert_true(plain);
    assert_true(slice_equal_str(buf_slice(&out), "\xd2\xc8\x01\x0b"));
    assert_int_equal(wasm_read_byte(&r), 0x99);          /* it stands behind the `end` */
    r = wasm_reader_of(slice_of("\xfb\x01\x00\x0b", 4)); /* struct.new_default */
    assert_int_equal(wasm_code_rewrite_const(&r, &map, &plain, &out, NULL), 0);
    assert_false(plain);
    r = wasm_reader_of(slice_of("\x41\x00", 2));
    assert_int_equal(wasm_code_rewrite_const(&r, &map, NULL, &out, NULL), E_INVALID);
    buf_deinit(&out);
}

static void test_random_bytes(void **state)
{
    uint64_t x = 88172645463325252u;

    (void)state;
    for (size_t n = 0; n < 100000; n++) {
        uint8_t body[32];
        wasm_code_facts facts = {0};
        buf out;
        for (size_t i = 0; i < sizeof body; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            body[i] = (uint8_t)x;
        }
        body[0] = body[0] & 1;
        wasm_reader r = wasm_reader_of(slice_of(body, sizeof body));
        buf_init(&out, ROOM);
        int rc = wasm_code_rewrite_body(&r, &identity, 0, &facts, &out, NULL);
        assert_true(r.at <= body + sizeof body);
        if (rc == 0)
            assert_true(slice_equal(buf_slice(&out), slice_of(body, (size_t)(r.at - body))));
        else
            assert_int_equal(rc, E_INVALID);
        buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_that_are_too_long),
        cmocka_unit_test(test_every_instruction_is_copied),
        cmocka_unit_test(test_every_instruction_cut_off),
        cmocka_unit_test(test_renumbering),
        cmocka_unit_test(test_memory_instructions),
        cmocka_unit_test(test_numbers_out_of_range),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_unknown_instructions),
        cmocka_unit_test(test_unknown_prefixed_instructions),
        cmocka_unit_test(test_a_million_blocks),
        cmocka_unit_test(test_a_maximum_that_is_too_small),
        cmocka_unit_test(test_constant_expressions),
        cmocka_unit_test(test_random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
