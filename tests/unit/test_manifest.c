#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "extism/manifest.h"

/* What is taken and what is refused here was tried on upstream 1.41.0. Where we differ, it says
 * so. */

#define PREFIX "Unknown manifest format: "
#define MODULE "\0asm\1\0\0\0"
#define MODULE_BASE64 "AGFzbQEAAAA="
#define ENTRY(members) "{\"wasm\":[{" members "}]}"
#define PATH_AND(members) "{\"wasm\":[{\"path\":\"/a\"}]," members "}"
#define URL "\"url\":\"http://localhost/a\""
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_taken(slice text)
{
    error err = {0};
    manifest m;

    if (manifest_parse(&m, text, &err) != 0)
        fail_msg("%.*s\n%s", (int)text.len, (const char *)text.data, error_text(&err));
    assert_null(err.text);
    manifest_deinit(&m);
}

static void assert_all_taken(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_taken(slice_str(texts[i]));
}

/* Refused, with `why` in the error's text, and nothing left in the manifest. */
static void assert_refused(slice text, const char *why)
{
    static const manifest empty;
    error err = {0};
    manifest m;

    memset(&m, 0xa5, sizeof m);
    if (manifest_parse(&m, text, &err) != E_INVALID)
        fail_msg("taken: %.*s", (int)text.len, (const char *)text.data);
    assert_memory_equal(&m, &empty, sizeof m);
    if (strncmp(error_text(&err), PREFIX, strlen(PREFIX)) != 0 || !strstr(error_text(&err), why))
        fail_msg("%s\nfor %.*s", error_text(&err), (int)text.len, (const char *)text.data);
    assert_int_equal(manifest_parse(&m, text, NULL), E_INVALID);
    error_deinit(&err);
}

static void assert_all_refused(const char *const *texts, size_t count, const char *why)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(slice_str(texts[i]), why);
}

static void parse(manifest *m, const char *text)
{
    error err = {0};

    if (manifest_parse(m, slice_str(text), &err) != 0)
        fail_msg("%s\n%s", text, error_text(&err));
}

static void assert_entry(const strmap *map, slice key, slice value)
{
    slice found;

    assert_true(strmap_get(map, key, &found));
    assert_true(slice_equal(found, value));
}

static void assert_everything(const manifest *m)
{
    assert_int_equal(m->wasm_count, 3);
    assert_int_equal(m->wasm[0].kind, MANIFEST_WASM_FILE);
    assert_string_equal(m->wasm[0].path, "/a.wasm");
    assert_string_equal(m->wasm[0].name, "first");
    assert_string_equal(m->wasm[0].hash, "ABC");
    assert_int_equal(m->wasm[1].kind, MANIFEST_WASM_DATA);
    assert_int_equal(m->wasm[1].data_len, 8);
    assert_memory_equal(m->wasm[1].data, MODULE, 8);
    assert_null(m->wasm[1].name);
    assert_null(m->wasm[1].hash);
    assert_int_equal(m->wasm[2].kind, MANIFEST_WASM_URL);
    assert_string_equal(m->wasm[2].url, "http://localhost/a");
    assert_string_equal(m->wasm[2].method, "post");
    assert_entry(&m->wasm[2].headers, slice_str("X-A"), slice_str("1"));
    assert_string_equal(m->wasm[2].name, "main");
    assert_true(m->has_max_pages && m->max_pages == 5);
    assert_true(m->has_max_http_response_bytes && m->max_http_response_bytes == UINT64_MAX);
    assert_true(m->has_max_var_bytes && m->max_var_bytes == 0);
    assert_int_equal(m->config.count, 2);
    assert_entry(&m->config, slice_str("a"), slice_str("b"));
    assert_entry(&m->config, slice_str("\xc3\xa9"), slice_str("\xf0\x9f\x98\x80"));
    assert_true(m->has_allowed_hosts);
    assert_int_equal(m->allowed_hosts_count, 3);
    assert_string_equal(m->allowed_hosts[0], "*.example.com");
    assert_string_equal(m->allowed_hosts[1], "");
    assert_string_equal(m->allowed_hosts[2], "localhost");
    assert_int_equal(m->allowed_paths_count, 3);
    assert_string_equal(m->allowed_paths[0].host, "/data");
    assert_string_equal(m->allowed_paths[0].guest, "/mnt");
    assert_false(m->allowed_paths[0].read_only);
    assert_string_equal(m->allowed_paths[1].host, "");
    assert_true(m->allowed_paths[1].read_only);
    assert_string_equal(m->allowed_paths[2].host, "/data");
    assert_string_equal(m->allowed_paths[2].guest, "/r");
    assert_true(m->allowed_paths[2].read_only);
    assert_true(m->has_timeout_ms && m->timeout_ms == 1000);
}

static void test_json_is_read(void **state)
{
    manifest m;

    (void)state;
    parse(&m, "{\"wasm\":[{\"hash\":\"ABC\",\"path\":\"/a.wasm\",\"name\":\"first\"},"
              "{\"data\":\"" MODULE_BASE64 "\",\"name\":null,\"hash\":null},"
              "{" URL ",\"method\":\"post\",\"headers\":{\"X-A\":\"1\"},\"name\":\"main\"}],"
              "\"memory\":{\"max_pages\":5,\"max_http_response_bytes\":18446744073709551615,"
              "\"max_var_bytes\":0},"
              "\"config\":{\"a\":\"b\",\"\xc3\xa9\":\"\\ud83d\\ude00\"},"
              "\"allowed_hosts\":[\"*.example.com\",\"\",\"localhost\"],"
              "\"allowed_paths\":{\"ro:/data\":\"/r\",\"/data\":\"/mnt\",\"ro:\":\"\"},"
              "\"timeout_ms\":1000}");
    assert_everything(&m);
    manifest_deinit(&m);
}

static void test_toml_is_read(void **state)
{
    manifest m;

    (void)state;
    parse(&m, "timeout_ms = 1_000\n"
              "allowed_hosts = ['*.example.com', '', \"localhost\"]\n"
              "[[wasm]]\npath = '/a.wasm'\nname = 'first'\nhash = 'ABC'\n"
              "[[wasm]]\ndata = '" MODULE_BASE64 "'\n"
              "[[wasm]]\nurl = 'http://localhost/a'\nmethod = 'post'\nname = 'main'\n"
              "headers = { X-A = '1' }\n"
              "[memory]\nmax_pages = 0x5\nmax_http_response_bytes = 0x7fffffffffffffff\n"
              "max_var_bytes = 0\n"
              "[config]\na = 'b'\n'\xc3\xa9' = \"\\U0001F600\"\n"
              "[allowed_paths]\n'ro:/data' = '/r'\n'/data' = '/mnt'\n'ro:' = ''\n");
    /* TOML has no number beyond int64_t. */
    assert_true(m.max_http_response_bytes == INT64_MAX);
    m.max_http_response_bytes = UINT64_MAX;
    assert_everything(&m);
    manifest_deinit(&m);
}

static void test_what_is_missing_has_its_default(void **state)
{
    static const char *const texts[] = {"",
                                        "  \n",
                                        "# only a comment",
                                        "{}",
                                        " {} \r\n\t",
                                        "[]",
                                        "{\"wasm\":[]}",
                                        "[[]]",
                                        "{\"\\u0077asm\":[]}",
                                        "wasm = []",
                                        "\"wasm\" = []",
                                        "[\"config\"]",
                                        "\xef\xbb\xbfwasm=[]"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        static const manifest empty;
        manifest m;

        parse(&m, texts[i]);
        assert_memory_equal(&m, &empty, sizeof m);
        manifest_deinit(&m);
    }
}

static void test_what_is_no_manifest_is_refused(void **state)
{
    static const char *const bad[] = {"null",
                                      "true",
                                      "5",
                                      "\"x\"",
                                      "\xef\xbb\xbf{}",
                                      "\f{}",
                                      "{\"wasm\":[]} x",
                                      "{\"wasm\":[]}{}",
                                      "{\"wasm\":[],}",
                                      "{\"wasm\":[]/**/}",
                                      "{'wasm':[]}",
                                      "{wasm:[]}",
                                      "{1:[]}",
                                      "{\"wasm\" []}",
                                      "{\"wasm\":[",
                                      "{\"wasm\"",
                                      "{\"wa",
                                      "{",
                                      "[",
                                      "[[",
                                      "[{}]",
                                      "[[],null]",
                                      "[[],{},{},[],{},5,1]",
                                      "wasm",
                                      "=1",
                                      "wasm = [] timeout_ms = 1",
                                      "[1]",
                                      "wasm = []\rtimeout_ms = 1",
                                      "[config]\na='1'\n[config]\nb='2'\n",
                                      "[config]\n\xc3\xa9 = 'x'"};

    (void)state;
    assert_all_refused(bad, COUNT(bad), "");
    assert_refused(slice_of("{\"wasm\":[]}\0", 12), "");
    assert_refused(slice_of("{\"wasm\":\0[]}", 12), "");
    assert_refused(slice_str("{\"config\":{\"a\":\"\xff\"}}"), "not UTF-8 from byte 16 on");
    assert_refused(slice_str("{\"config\":{\"a\":\"\xed\xa0\x80\"}}"), "not UTF-8");
    assert_refused(slice_str("{\"config\":{\"a\":\"\xc0\x80\"}}"), "not UTF-8");
}

static void test_a_module_is_one_of_three(void **state)
{
    static const char *const good[] = {
        ENTRY("\"path\":\"\""),
        ENTRY("\"path\":\"/a\",\"name\":null,\"hash\":\"\""),
        ENTRY("\"path\":\"/a\",\"name\":\"\""),
        ENTRY(URL),
        ENTRY("\"url\":\"not a url\""),
        ENTRY(URL ",\"method\":null,\"headers\":{}"),
        ENTRY(URL ",\"headers\":{\"a\":\"1\",\"a\":\"2\"}"),
        ENTRY("\"name\":\"a\",\"headers\":{}," URL),
        "[[{\"path\":\"/x\"}]]",
        "[[{\"path\":\"/x\"}],{},{},[],{},5]",
        "[[{\"path\":\"/x\"}],{},{},null,null,null]",
    };
    static const char *const none_or_two[] = {
        ENTRY(""),
        ENTRY("\"name\":\"a\""),
        ENTRY("\"path\":\"/a\",\"data\":\"" MODULE_BASE64 "\""),
        ENTRY("\"path\":\"/a\"," URL),
        ENTRY(URL ",\"data\":\"" MODULE_BASE64 "\""),
    };
    static const char *const without_url[] = {
        ENTRY("\"path\":\"/a\",\"method\":\"GET\""),
        ENTRY("\"path\":\"/a\",\"method\":null"),
        ENTRY("\"headers\":{},\"path\":\"/a\""),
        ENTRY("\"data\":\"\",\"headers\":{}"),
    };
    static const char *const bad[] = {
        "{\"wasm\":null}",
        "{\"wasm\":{}}",
        "{\"wasm\":\"x\"}",
        "{\"wasm\":[null]}",
        "{\"wasm\":[[]]}",
        "{\"wasm\":[\"/x\"]}",
        "{\"wasm\":[[\"/x\",null,null]]}",
        "[wasm]\npath = '/a'",
        ENTRY("\"path\":5"),
        ENTRY("\"path\":null"),
        ENTRY("\"path\":[47]"),
        ENTRY("\"path\":{\"Unix\":[47]}"),
        ENTRY("\"path\":\"/a\",\"url\":null"),
        ENTRY("\"path\":\"/a\",\"data\":null"),
        ENTRY("\"url\":null"),
        ENTRY("\"path\":\"/a\",\"name\":1"),
        ENTRY("\"path\":\"/a\",\"name\":{}"),
        ENTRY("\"path\":\"/a\",\"hash\":true"),
        ENTRY(URL ",\"method\":3"),
        ENTRY(URL ",\"headers\":null"),
        ENTRY(URL ",\"headers\":[]"),
        ENTRY(URL ",\"headers\":{\"a\":1}"),
        ENTRY(URL ",\"headers\":{\"a\":null}"),
    };

    (void)state;
    assert_all_taken(good, COUNT(good));
    assert_all_refused(none_or_two, COUNT(none_or_two),
                       "wasm[0]: must have exactly one of path, data and url");
    assert_all_refused(without_url, COUNT(without_url),
                       "wasm[0]: headers and method go with url only");
    assert_all_refused(bad, COUNT(bad), "wasm");
}

static void test_data_is_strict_base64(void **state)
{
    static const char *const good[] = {
        "", "AA==", "AAA=", "AAAA", "+/+/", MODULE_BASE64, "\\u0041GFzbQEAAAA="};
    static const char *const bad[] = {"AGFzbQEAAAA",
                                      "AGFzbQEAAAA==",
                                      "AGFzbQEAAAA=\\n",
                                      "AGFz bQEAAAA=",
                                      "-_-_",
                                      "AGFzbQEAAAB=",
                                      "AB==",
                                      "A",
                                      "====",
                                      "AA==AA==",
                                      "!!!!",
                                      "AAAA\\u0000"};
    static const char *const other[] = {"5", "null", "true", "[0,97,115,109]", "{}"};
    char text[256];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        snprintf(text, sizeof text, ENTRY("\"data\":\"%s\""), good[i]);
        assert_taken(slice_str(text));
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(text, sizeof text, ENTRY("\"data\":\"%s\""), bad[i]);
        assert_refused(slice_str(text), "wasm[0].data: not base64");
    }
    for (size_t i = 0; i < COUNT(other); i++) {
        snprintf(text, sizeof text, ENTRY("\"data\":%s"), other[i]);
        assert_refused(slice_str(text), "wasm[0].data: ");
    }
}

static void test_data_may_be_an_address(void **state)
{
    static const char *const good[] = {"{\"ptr\":%" PRIuPTR ",\"len\":8}",
                                       "{\"len\":8,\"ptr\":%" PRIuPTR "}", "[%" PRIuPTR ",8]"};
    static const char *const bad[] = {"{\"ptr\":%" PRIuPTR "}",
                                      "{\"ptr\":%" PRIuPTR ",\"len\":null}",
                                      "{\"ptr\":%" PRIuPTR ",\"len\":-8}",
                                      "{\"ptr\":%" PRIuPTR ",\"len\":8.0}",
                                      "{\"ptr\":%" PRIuPTR ",\"len\":8e0}",
                                      "{\"ptr\":%" PRIuPTR ",\"len\":\"8\"}",
                                      "{\"ptr\":%" PRIuPTR ".0,\"len\":8}",
                                      "{\"ptr\":\"%" PRIuPTR "\",\"len\":8}",
                                      "{\"ptr\":%" PRIuPTR ",\"len\":8,\"x\":1}",
                                      "[%" PRIuPTR "]",
                                      "[%" PRIuPTR ",8,9]",
                                      "{\"ptr\":%" PRIuPTR ",\"ptr\":0,\"len\":8}",
                                      "{\"len\":8,\"pt\":%" PRIuPTR "}",
                                      "{\"ptr\":%" PRIuPTR ",\"len\":18446744073709551615}"};
    static const char module[] = MODULE;
    char data[128];
    char text[256];
    manifest m;

    (void)state;
    for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
        const char *format = i < COUNT(good) ? good[i] : bad[i - COUNT(good)];

        snprintf(data, sizeof data, format, (uintptr_t)module);
        snprintf(text, sizeof text, ENTRY("\"data\":%s"), data);
        if (i >= COUNT(good)) {
            assert_refused(slice_str(text), "wasm[0].data");
            continue;
        }
        parse(&m, text);
        assert_int_equal(m.wasm[0].data_len, 8);
        assert_memory_equal(m.wasm[0].data, MODULE, 8);
        assert_ptr_not_equal(m.wasm[0].data, module);
        manifest_deinit(&m);
    }
    parse(&m, ENTRY("\"data\":{\"ptr\":0,\"len\":0}"));
    assert_int_equal(m.wasm[0].kind, MANIFEST_WASM_DATA);
    assert_int_equal(m.wasm[0].data_len, 0);
    manifest_deinit(&m);
}

/* Upstream crashes here. */
static void test_an_address_of_nothing_is_refused(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *two = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char byte = 1;
    struct iovec v = {.iov_base = &byte, .iov_len = 1};
    char text[128];

    (void)state;
    assert_true(two != MAP_FAILED);
    assert_int_equal(munmap(two + page, page), 0);
    if (process_vm_readv(getpid(), &v, 1, &v, 1, 0) < 0)
        skip();
    snprintf(text, sizeof text, ENTRY("\"data\":{\"ptr\":%" PRIuPTR ",\"len\":%zu}"),
             (uintptr_t)two, page);
    assert_taken(slice_str(text));
    snprintf(text, sizeof text, ENTRY("\"data\":{\"ptr\":%" PRIuPTR ",\"len\":%zu}"),
             (uintptr_t)two, page + 1);
    assert_refused(slice_str(text), "wasm[0].data: no memory of this process is at that address");
    assert_refused(slice_str(ENTRY("\"data\":{\"ptr\":0,\"len\":1}")), "no memory");
    assert_refused(slice_str(ENTRY("\"data\":{\"ptr\":18446744073709551615,\"len\":2}")),
                   "no memory");
    assert_int_equal(munmap(two, page), 0);
}

static void test_numbers_are_whole_and_in_range(void **state)
{
    static const char *const keys[] = {PATH_AND("\"memory\":{\"max_pages\":%s}"),
                                       PATH_AND("\"memory\":{\"max_http_response_bytes\":%s}"),
                                       PATH_AND("\"memory\":{\"max_var_bytes\":%s}"),
                                       PATH_AND("\"timeout_ms\":%s")};
    static const char *const good[] = {"0",
                                       "1",
                                       "null",
                                       "4294967295",
                                       "4294967296",
                                       "9223372036854775808",
                                       "18446744073709551615"};
    static const char *const bad[] = {"-1",
                                      "-0",
                                      "1.0",
                                      "1.5",
                                      "1e2",
                                      "1E2",
                                      "\"5\"",
                                      "true",
                                      "01",
                                      "+1",
                                      "0x10",
                                      "[]",
                                      "{}",
                                      "NaN",
                                      "1e999",
                                      ".5",
                                      "5.",
                                      "1_000",
                                      "18446744073709551616",
                                      "100000000000000000000000"};
    char text[128];

    (void)state;
    for (size_t k = 0; k < COUNT(keys); k++) {
        for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
            const char *number = i < COUNT(good) ? good[i] : bad[i - COUNT(good)];

            snprintf(text, sizeof text, keys[k], number);
            /* max_pages has 32 bits. */
            if (i < COUNT(good) && (k > 0 || i < 4))
                assert_taken(slice_str(text));
            else
                assert_refused(slice_str(text), "");
        }
    }
}

static void test_null_is_as_if_it_were_missing(void **state)
{
    manifest m;

    (void)state;
    parse(&m, "{\"memory\":{\"max_pages\":null,\"max_var_bytes\":null},\"timeout_ms\":null,"
              "\"allowed_hosts\":null,\"allowed_paths\":null}");
    assert_false(m.has_max_pages);
    assert_false(m.has_max_var_bytes);
    assert_false(m.has_timeout_ms);
    assert_false(m.has_allowed_hosts);
    manifest_deinit(&m);
    parse(&m, "{\"allowed_hosts\":[],\"timeout_ms\":0}");
    assert_true(m.has_allowed_hosts);
    assert_int_equal(m.allowed_hosts_count, 0);
    assert_true(m.has_timeout_ms);
    manifest_deinit(&m);
}

static void test_wrong_types_are_refused(void **state)
{
    static const char *const bad[] = {
        PATH_AND("\"memory\":null"),
        PATH_AND("\"memory\":5"),
        PATH_AND("\"memory\":\"x\""),
        PATH_AND("\"memory\":[]"),
        PATH_AND("\"memory\":[1,2,3,4]"),
        PATH_AND("\"memory\":[\"a\"]"),
        PATH_AND("\"config\":null"),
        PATH_AND("\"config\":[]"),
        PATH_AND("\"config\":\"x\""),
        PATH_AND("\"config\":{\"a\":1}"),
        PATH_AND("\"config\":{\"a\":null}"),
        PATH_AND("\"config\":{\"a\":true}"),
        PATH_AND("\"config\":{\"a\":{}}"),
        PATH_AND("\"config\":{\"a\":[\"b\"]}"),
        PATH_AND("\"config\":[[\"a\",\"b\"]]"),
        PATH_AND("\"allowed_paths\":[]"),
        PATH_AND("\"allowed_paths\":\"x\""),
        PATH_AND("\"allowed_paths\":{\"a\":1}"),
        PATH_AND("\"allowed_paths\":{\"a\":null}"),
        PATH_AND("\"allowed_hosts\":\"a\""),
        PATH_AND("\"allowed_hosts\":{}"),
        PATH_AND("\"allowed_hosts\":[1]"),
        PATH_AND("\"allowed_hosts\":[null]"),
        PATH_AND("\"allowed_hosts\":[\"a\",]"),
        PATH_AND("\"allowed_hosts\":[[\"a\"]]"),
        "[memory]\nmax_pages = 5.0",
        "[memory]\nmax_pages = -5",
        "[memory]\nmax_pages = nan",
        "timeout_ms = true",
        "[config]\na = 1",
        "allowed_hosts = ['a', 1]",
        "memory = []",
        "config = { a = 1979-05-27 }",
        "allowed_hosts = [1979-05-27]",
    };

    (void)state;
    assert_all_refused(bad, COUNT(bad), "");
}

static void test_memory_may_be_an_array(void **state)
{
    manifest m;

    (void)state;
    parse(&m, "{\"memory\":[1,null,3]}");
    assert_true(m.has_max_pages && m.max_pages == 1);
    assert_false(m.has_max_http_response_bytes);
    assert_true(m.has_max_var_bytes && m.max_var_bytes == 3);
    manifest_deinit(&m);
    parse(&m, "memory = [7]");
    assert_true(m.has_max_pages && m.max_pages == 7);
    manifest_deinit(&m);
}

static void test_a_key_comes_once(void **state)
{
    static const char *const twice[] = {
        "{\"wasm\":[],\"wasm\":[]}",
        PATH_AND("\"memory\":{},\"memory\":{}"),
        PATH_AND("\"memory\":{\"max_pages\":1,\"max_pages\":1}"),
        PATH_AND("\"config\":{},\"config\":{}"),
        PATH_AND("\"allowed_hosts\":[],\"allowed_hosts\":[]"),
        PATH_AND("\"allowed_paths\":{},\"allowed_paths\":{}"),
        PATH_AND("\"timeout_ms\":null,\"timeout_ms\":1"),
        ENTRY("\"path\":\"/a\",\"path\":\"/b\""),
        ENTRY("\"path\":\"/a\",\"name\":null,\"name\":null"),
        ENTRY("\"path\":\"/a\",\"hash\":\"a\",\"hash\":\"a\""),
        ENTRY(URL "," URL),
        ENTRY(URL ",\"headers\":{},\"headers\":{}"),
        ENTRY(URL ",\"method\":\"GET\",\"method\":\"GET\""),
        ENTRY("\"data\":\"\",\"data\":\"\""),
    };

    (void)state;
    assert_all_refused(twice, COUNT(twice), ": the key comes twice");
    assert_refused(slice_str("wasm = []\nwasm = []"), "line 2");
}

static void test_in_a_map_the_last_stands(void **state)
{
    manifest m;

    (void)state;
    parse(&m, "{\"config\":{\"a\":\"1\",\"b\":\"\",\"a\":\"2\",\"\":\"3\",\"\\u0000\":\"\\u0000\"},"
              "\"allowed_paths\":{\"/x\":\"1\",\"/x\":\"2\"}}");
    assert_int_equal(m.config.count, 4);
    assert_entry(&m.config, slice_str("a"), slice_str("2"));
    assert_entry(&m.config, slice_str(""), slice_str("3"));
    assert_entry(&m.config, slice_of("", 1), slice_of("", 1));
    assert_int_equal(m.allowed_paths_count, 1);
    assert_string_equal(m.allowed_paths[0].guest, "2");
    manifest_deinit(&m);
}

/* Upstream takes these and then looks for what cannot be there, or crashes. */
static void test_a_nul_is_refused_where_it_cannot_be(void **state)
{
    static const char *const bad[] = {
        ENTRY("\"path\":\"a\\u0000b\""),
        ENTRY("\"url\":\"a\\u0000b\""),
        ENTRY(URL ",\"method\":\"\\u0000\""),
        ENTRY("\"path\":\"/a\",\"name\":\"a\\u0000\""),
        ENTRY("\"path\":\"/a\",\"hash\":\"\\u0000\""),
        PATH_AND("\"allowed_hosts\":[\"a\\u0000\"]"),
        PATH_AND("\"allowed_paths\":{\"a\\u0000b\":\"/\"}"),
        PATH_AND("\"allowed_paths\":{\"a\":\"/\\u0000\"}"),
        "allowed_hosts = [\"\\u0000\"]",
    };

    (void)state;
    assert_all_refused(bad, COUNT(bad), "must not contain a NUL");
}

static void test_the_message_says_what_and_where(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"{\"wasm\":[\n  {\"path\":\"/a\",\n   \"hahs\":\"\"}]}",
         PREFIX "wasm[0].hahs: unknown key, did you mean hash? (line 3, column 11)"},
        {ENTRY("\"path\":\"/a\"},{\"pth\":1"),
         PREFIX "wasm[1].pth: unknown key, did you mean path? (line 1, column 31)"},
        {"{\"memory\":{\"max_page\":1}}",
         PREFIX "memory.max_page: unknown key, did you mean max_pages? (line 1, column 23)"},
        {"{\"Wasm\":[]}", PREFIX "Wasm: unknown key, did you mean wasm? (line 1, column 9)"},
        {"{\"permissions\":[]}", PREFIX "permissions: unknown key (line 1, column 16)"},
        {"[memory]\nmax_page = 1", PREFIX "memory.max_page: unknown key, did you mean max_pages?"},
        {"{\"allowed_hosts\":[\"a\",1]}",
         PREFIX "allowed_hosts[1]: expected a string, found a number (line 1, column 23)"},
        {"{\"a\\n\\u001b[31m\":1}", PREFIX "a??[31m: unknown key (line 1, column 18)"},
        {"{", PREFIX "expected a string, found the end of the text (line 1, column 2)"},
        {"timeout_ms = ", PREFIX "not JSON, and as TOML: line 1, column 14: "
                                 "Error while parsing key-value pair: encountered end-of-file"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        error err = {0};
        manifest m;

        assert_int_equal(manifest_parse(&m, slice_str(cases[i].text), &err), E_INVALID);
        assert_string_equal(error_text(&err), cases[i].message);
        error_deinit(&err);
    }
}

static void test_a_long_key_does_not_fill_the_message(void **state)
{
    char *text = malloc(100000);
    error err = {0};
    manifest m;

    (void)state;
    snprintf(text, 100000, "{\"%099000d\":1}", 0);
    assert_int_equal(manifest_parse(&m, slice_str(text), &err), E_INVALID);
    assert_true(strlen(error_text(&err)) < 200);
    error_deinit(&err);
    free(text);
}

static void test_depth_costs_nothing(void **state)
{
    static const char *const parts[] = {
        "[", "[[", "{\"wasm\":", "{\"wasm\":[", "{\"a\":", "{\"memory\":[", "a.", "a = [", "[a."};
    char *text = malloc(2000000);

    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        size_t len = strlen(parts[i]);

        for (size_t at = 0; at < 1000000; at += len)
            memcpy(text + at, parts[i], len);
        assert_refused(slice_of(text, 1000000), "");
    }
    free(text);
}

static void test_many_are_read(void **state)
{
    char *text = malloc(4000000);
    char *end = stpcpy(text, "{\"wasm\":[");
    manifest m;

    (void)state;
    for (int i = 0; i < 5000; i++)
        end += sprintf(end, "%s{\"path\":\"%d\"}", i ? "," : "", i);
    end = stpcpy(end, "],\"allowed_hosts\":[");
    for (int i = 0; i < 5000; i++)
        end += sprintf(end, "%s\"%d\"", i ? "," : "", i);
    end = stpcpy(end, "],\"config\":{");
    for (int i = 0; i < 5000; i++)
        end += sprintf(end, "%s\"%d\":\"%d\"", i ? "," : "", i, i);
    strcpy(end, "}}");
    parse(&m, text);
    assert_int_equal(m.wasm_count, 5000);
    assert_string_equal(m.wasm[4999].path, "4999");
    assert_int_equal(m.allowed_hosts_count, 5000);
    assert_string_equal(m.allowed_hosts[4321], "4321");
    assert_int_equal(m.config.count, 5000);
    manifest_deinit(&m);
    free(text);
}

static void test_settings_are_copied_without_modules(void **state)
{
    manifest from;
    manifest to;

    (void)state;
    parse(&from, "{\"wasm\":[{\"path\":\"/a\"}],\"memory\":{\"max_pages\":1,"
                 "\"max_http_response_bytes\":2,\"max_var_bytes\":3},\"config\":{\"a\":\"b\"},"
                 "\"allowed_hosts\":[\"h\"],\"allowed_paths\":{\"ro:/p\":\"/q\"},"
                 "\"timeout_ms\":4}");
    assert_int_equal(manifest_copy_settings(&to, &from), 0);
    manifest_deinit(&from);
    assert_int_equal(to.wasm_count, 0);
    assert_true(to.has_max_pages && to.max_pages == 1);
    assert_true(to.has_max_http_response_bytes && to.max_http_response_bytes == 2);
    assert_true(to.has_max_var_bytes && to.max_var_bytes == 3);
    assert_true(to.has_timeout_ms && to.timeout_ms == 4);
    assert_entry(&to.config, slice_str("a"), slice_str("b"));
    assert_true(to.has_allowed_hosts);
    assert_int_equal(to.allowed_hosts_count, 1);
    assert_string_equal(to.allowed_hosts[0], "h");
    assert_int_equal(to.allowed_paths_count, 1);
    assert_string_equal(to.allowed_paths[0].host, "/p");
    assert_string_equal(to.allowed_paths[0].guest, "/q");
    assert_true(to.allowed_paths[0].read_only);
    manifest_deinit(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_is_read),
        cmocka_unit_test(test_toml_is_read),
        cmocka_unit_test(test_what_is_missing_has_its_default),
        cmocka_unit_test(test_what_is_no_manifest_is_refused),
        cmocka_unit_test(test_a_module_is_one_of_three),
        cmocka_unit_test(test_data_is_strict_base64),
        cmocka_unit_test(test_data_may_be_an_address),
        cmocka_unit_test(test_an_address_of_nothing_is_refused),
        cmocka_unit_test(test_numbers_are_whole_and_in_range),
        cmocka_unit_test(test_null_is_as_if_it_were_missing),
        cmocka_unit_test(test_wrong_types_are_refused),
        cmocka_unit_test(test_memory_may_be_an_array),
        cmocka_unit_test(test_a_key_comes_once),
        cmocka_unit_test(test_in_a_map_the_last_stands),
        cmocka_unit_test(test_a_nul_is_refused_where_it_cannot_be),
        cmocka_unit_test(test_the_message_says_what_and_where),
        cmocka_unit_test(test_a_long_key_does_not_fill_the_message),
        cmocka_unit_test(test_depth_costs_nothing),
        cmocka_unit_test(test_many_are_read),
        cmocka_unit_test(test_settings_are_copied_without_modules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
