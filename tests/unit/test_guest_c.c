#include "guest_c_host.h"

static void test_input_and_output(void **state)
{
    char text[32] = "";

    (void)state;
    set_input("0123456789abcdefghi");
    assert_int_equal(ubiq_input_size(), 19);
    assert_int_equal(ubiq_input_read(3, text, 5), 5);
    assert_memory_equal(text, "34567", 6);
    assert_int_equal(ubiq_input_read(1, text, sizeof text), 18);
    assert_string_equal(text, "123456789abcdefghi");
    assert_int_equal(ubiq_input_read(19, text, sizeof text), 0);
    assert_int_equal(ubiq_view_read(ubiq_input(), 9, text, 10), 10);
    assert_memory_equal(text, "9abcdefghi", 10);
    ubiq_output_text("twenty bytes of text");
    assert_int_equal(output_size, 20);
    assert_memory_equal(host_memory + output_at, "twenty bytes of text", 20);
    assert_int_equal(ubiq_fail("why"), 1);
    assert_string_equal(text_of(error_block), "why");
}

static void test_keys(void **state)
{
    char value[8] = "........";
    int64_t number = 0;

    (void)state;
    answer = "a value of 24 characters";
    assert_int_equal(ubiq_kv_get("k", value, 7), 24);
    assert_memory_equal(value, "a value.", 8);
    ASSERT_ASKED("get k");
    assert_int_equal(ubiq_kv_set("k", "v", 1, 50), 0);
    ASSERT_ASKED("set k v 50");
    assert_int_equal(ubiq_kv_set_text("k", "", 0), 0);
    ASSERT_ASKED("set k - 0");
    code = 1;
    assert_int_equal(ubiq_kv_set_if_absent("k", "v", 1, 2), 1);
    ASSERT_ASKED("absent k v 2");
    assert_int_equal(ubiq_kv_compare_and_set("k", "old", 3, "new", 3, 9), 1);
    ASSERT_ASKED("cas k old new 9");
    assert_int_equal(ubiq_kv_delete("k"), 1);
    ASSERT_ASKED("delete k");
    code = 0;
    answer = "-12";
    assert_int_equal(ubiq_kv_increment("k", 5, &number), 0);
    assert_int_equal(number, -12);
    assert_int_equal(ubiq_kv_increment("k", 5, NULL), 0);
    ASSERT_ASKED("increment k 5");
}

static void test_codes(void **state)
{
    char text[32];
    ubiq_list page;
    ubiq_file file = {.size = 7};

    (void)state;
    code = UBIQ_DENIED;
    assert_int_equal(ubiq_kv_get("k", text, sizeof text), UBIQ_DENIED);
    assert_int_equal(ubiq_kv_increment("k", 1, NULL), UBIQ_DENIED);
    assert_int_equal(ubiq_storage_stat("p", &file), UBIQ_DENIED);
    assert_int_equal(file.size, 7);
    assert_int_equal(ubiq_events_emit("t", NULL, 0, NULL, 0), UBIQ_DENIED);
    assert_int_equal(ubiq_kv_list(&page, "p", NULL, 1), UBIQ_DENIED);
    assert_int_equal(ubiq_list_next(&page, text, sizeof text), UBIQ_NOT_FOUND);
    assert_int_equal(ubiq_list_end(&page, text, sizeof text), 0);
    assert_int_equal(ubiq_param("id", text, sizeof text), UBIQ_DENIED);
    assert_int_equal(ubiq_error_text(text, sizeof text), 7);
    assert_string_equal(text, "no \"kv\"");
    assert_int_equal(host_blocks, 0);
    assert_int_equal(ubiq_fail_last("reading k"), 1);
    assert_string_equal(text_of(error_block), "reading k: no \"kv\"");
    code = 0;
    assert_int_equal(ubiq_error_text(text, sizeof text), 0);
    assert_string_equal(text, "");
}

static void test_lists(void **state)
{
    char text[32];
    ubiq_list page;
    ubiq_view item;
    ubiq_file file;

    (void)state;
    answer = "{\"keys\": [\"a:1\", \"a:\\u0032\"], \"next\": \"a:2\"}";
    assert_int_equal(ubiq_kv_list(&page, "a:", "", 2), 0);
    assert_string_equal(asked, "list a: - 2");
    assert_int_equal(ubiq_list_next(&page, text, sizeof text), 3);
    assert_string_equal(text, "a:1");
    assert_int_equal(ubiq_list_next(&page, text, sizeof text), 3);
    assert_string_equal(text, "a:2");
    assert_true(ubiq_list_next(&page, text, sizeof text) < 0);
    assert_int_equal(ubiq_list_end(&page, text, sizeof text), 3);
    assert_string_equal(text, "a:2");
    answer =
        "{\"items\":[{\"path\":\"p/q\",\"size\":12,\"type\":\"image/png\",\"modified\":\"now\"}],"
        "\"next\":null}";
    assert_int_equal(ubiq_storage_list(&page, "p/", "p/a", 2), 0);
    assert_string_equal(asked, "files p/ p/a 2");
    assert_int_equal(ubiq_list_next(&page, text, sizeof text), 3);
    assert_string_equal(text, "p/q");
    assert_int_equal(ubiq_list_end(&page, text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_int_equal(ubiq_storage_list(&page, "p/", NULL, 2), 0);
    assert_true(ubiq_list_next_view(&page, &item));
    ubiq_file_of(item, &file);
    assert_int_equal(file.size, 12);
    assert_string_equal(file.type, "image/png");
    assert_string_equal(file.modified, "now");
    ubiq_list_end(&page, NULL, 0);
    assert_int_equal(host_blocks, 0);
}

static void test_files_events_functions(void **state)
{
    char text[32];
    ubiq_file file;

    (void)state;
    assert_int_equal(ubiq_storage_write("p", "data", 4), 0);
    ASSERT_ASKED("write p data");
    code = 1;
    assert_int_equal(ubiq_storage_delete("p"), 1);
    ASSERT_ASKED("remove p");
    code = 0;
    answer = "{\"path\":\"p\",\"size\":3,\"type\":\"text/plain\",\"modified\":\"t\"}";
    assert_int_equal(ubiq_storage_stat("p", &file), 0);
    assert_int_equal(file.size, 3);
    answer = "data";
    assert_int_equal(ubiq_storage_read("p", text, sizeof text), 4);
    ASSERT_ASKED("read p");
    assert_int_equal(ubiq_events_emit("t", "x", 1, text, sizeof text), 0);
    assert_string_equal(text, "data");
    ASSERT_ASKED("emit t x");
    assert_int_equal(ubiq_invoke("f", "x", 1, text, 2), 4);
    ASSERT_ASKED("invoke f x");
    answer = "";
    assert_int_equal(ubiq_invoke("f", NULL, 0, text, 2), 0);
    ASSERT_ASKED("invoke f -");
}

static void test_request(void **state)
{
    char text[32];

    (void)state;
    answer = "{\"id\":\"1\",\"method\":\"GET\",\"path\":\"/u/7\",\"params\":{\"id\":\"7\"},"
             "\"query\":{\"q\":\"a b\",\"e\":\"\"},\"headers\":{\"x-y\":\"z\"},"
             "\"trigger\":null}";
    assert_int_equal(ubiq_request_field("method", text, sizeof text), 3);
    assert_string_equal(text, "GET");
    assert_int_equal(ubiq_request_field("trigger", text, sizeof text), UBIQ_NOT_FOUND);
    assert_int_equal(ubiq_request_field("id", text, sizeof text), 1);
    assert_int_equal(ubiq_param("id", text, sizeof text), 1);
    assert_string_equal(text, "7");
    assert_int_equal(ubiq_query("q", text, sizeof text), 3);
    assert_string_equal(text, "a b");
    assert_int_equal(ubiq_query("Q", text, sizeof text), UBIQ_NOT_FOUND);
    assert_int_equal(ubiq_query("e", text, sizeof text), 0);
    assert_int_equal(ubiq_query("none", text, sizeof text), UBIQ_NOT_FOUND);
    assert_int_equal(ubiq_header("X-Y", text, sizeof text), 1);
    assert_string_equal(text, "z");
    assert_int_equal(host_blocks, 0);
}

static void test_response_log_trace(void **state)
{
    (void)state;
    assert_int_equal(ubiq_response_status(404), 0);
    ASSERT_ASKED("status 404");
    assert_int_equal(ubiq_response_header("a", "b"), 0);
    ASSERT_ASKED("header a b");
    assert_int_equal(ubiq_log(UBIQ_LOG_WARN, "m", "{}"), 0);
    ASSERT_ASKED("log 3 m {}");
    assert_int_equal(ubiq_log(UBIQ_LOG_TRACE, "m", NULL), 0);
    ASSERT_ASKED("log 0 m -");
    ubiq_log_debug("m");
    ASSERT_ASKED("debug m");
    ubiq_log_info("m");
    ASSERT_ASKED("info m");
    ubiq_log_warn("m");
    ASSERT_ASKED("warn m");
    ubiq_log_error("m");
    ASSERT_ASKED("error m");
    assert_int_equal(ubiq_trace_attribute("k", "v"), 0);
    ASSERT_ASKED("attribute k v");
    assert_int_equal(ubiq_trace_event("n", NULL), 0);
    ASSERT_ASKED("event n -");
}

static void test_configuration(void **state)
{
    char text[4];

    (void)state;
    answer = "value";
    assert_int_equal(ubiq_config_get("k", text, sizeof text), 5);
    assert_string_equal(text, "val");
    ASSERT_ASKED("config k");
    assert_int_equal(ubiq_var_get("k", text, sizeof text), 5);
    assert_memory_equal(text, "valu", 4);
    ASSERT_ASKED("var k");
    ubiq_var_set("k", "v", 1);
    ASSERT_ASKED("var_set k v");
    ubiq_var_set("k", NULL, 0);
    ASSERT_ASKED("var_set k -");
    answer = NULL;
    assert_int_equal(ubiq_config_get("k", text, sizeof text), UBIQ_NOT_FOUND);
    assert_string_equal(text, "");
    assert_int_equal(ubiq_var_get("k", text, sizeof text), UBIQ_NOT_FOUND);
}

static void test_http(void **state)
{
    ubiq_http_header headers[] = {{"A", "1"}, {"B", "\"2\""}};
    ubiq_http_request request = {.url = "http://h/?a\\b"};
    ubiq_http_response response;
    char text[32];

    (void)state;
    answer = "body";
    ubiq_http_send(&request, &response);
    assert_string_equal(asked,
                        "{\"url\":\"http://h/?a\\\\b\",\"method\":\"GET\",\"headers\":{}} -");
    assert_int_equal(response.status, 201);
    assert_string_equal(text_of(response.body), "body");
    assert_int_equal(ubiq_http_response_header(&response, "Content-Type", text, sizeof text), 10);
    assert_string_equal(text, "text/plain");
    assert_true(ubiq_http_response_header(&response, "none", text, sizeof text) < 0);
    ubiq_http_response_free(&response);
    ubiq_http_response_free(&response);
    assert_int_equal(host_blocks, 0);
    request = (ubiq_http_request){
        .url = "u", .method = "PUT", .headers = headers, .header_count = 2, "xyz", 3};
    ubiq_http_send(&request, &response);
    assert_string_equal(asked, "{\"url\":\"u\",\"method\":\"PUT\",\"headers\":{\"A\":\"1\","
                               "\"B\":\"\\\"2\\\"\"}} xyz");
    ubiq_http_response_free(&response);
    assert_int_equal(host_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_input_and_output, set_up),
        cmocka_unit_test_setup(test_keys, set_up),
        cmocka_unit_test_setup(test_codes, set_up),
        cmocka_unit_test_setup(test_lists, set_up),
        cmocka_unit_test_setup(test_files_events_functions, set_up),
        cmocka_unit_test_setup(test_request, set_up),
        cmocka_unit_test_setup(test_response_log_trace, set_up),
        cmocka_unit_test_setup(test_configuration, set_up),
        cmocka_unit_test_setup(test_http, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
