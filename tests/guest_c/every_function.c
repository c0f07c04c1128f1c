/* Uses every function of ubiq.h once, so that each is compiled in every dialect; never run. Compiled
 * as C and as C++. */

#include <ubiq.h>

static void use_input(char *text, size_t size)
{
    ubiq_view view = ubiq_input();
    ubiq_block block = ubiq_block_of(text, size);

    ubiq_view_read(view, 1, text, size);
    ubiq_view_text(view, text, size);
    ubiq_input_read(ubiq_input_size(), text, size);
    ubiq_block_read(block, 0, text, size);
    ubiq_block_write(block, 0, text, size);
    ubiq_output_block(block);
    ubiq_output(text, size);
    ubiq_output_text(text);
    ubiq_block_free(block);
    ubiq_fail(text);
}

static void use_text(char *text, size_t size)
{
    ubiq_text t = ubiq_text_in(text, size);

    ubiq_put(&t, text);
    ubiq_put_char(&t, 'x');
    ubiq_put_number(&t, -1);
    ubiq_put_json(&t, text);
    ubiq_output_of(&t);
    if (!ubiq_text_fits(&t) || ubiq_text_equal(text, "x"))
        t = ubiq_text_in_block(0);
}

static void use_json(char *text, size_t size)
{
    ubiq_view value, name;
    ubiq_json_walk walk = ubiq_json_walk_of(ubiq_input());
    int64_t number;

    while (ubiq_json_next(&walk, &name, &value)) {
        if (ubiq_json_equal(name, text) || ubiq_json_int(value, &number))
            ubiq_json_text(value, text, size);
    }
    if (ubiq_json_member(ubiq_input(), text, &value) ||
        ubiq_json_member_any_case(ubiq_input(), text, &value))
        ubiq_json_member_text(value, text, text, size);
}

static void use_keys(char *text, size_t size)
{
    ubiq_list page;
    int64_t number;

    ubiq_kv_get(text, text, size);
    ubiq_kv_set(text, text, size, 0);
    ubiq_kv_set_text(text, text, 0);
    ubiq_kv_set_if_absent(text, text, size, 0);
    ubiq_kv_compare_and_set(text, text, size, text, size, 0);
    ubiq_kv_increment(text, 1, &number);
    ubiq_kv_delete(text);
    ubiq_kv_list(&page, text, NULL, 10);
    ubiq_list_next(&page, text, size);
    ubiq_list_end(&page, text, size);
}

static void use_services(char *text, size_t size)
{
    ubiq_list page;
    ubiq_file file;
    ubiq_view item;

    ubiq_storage_read(text, text, size);
    ubiq_storage_write(text, text, size);
    ubiq_storage_delete(text);
    ubiq_storage_stat(text, &file);
    ubiq_storage_list(&page, text, NULL, 10);
    ubiq_list_next_view(&page, &item);
    ubiq_list_end(&page, text, size);
    ubiq_events_emit(text, text, size, text, size);
    ubiq_invoke(text, text, size, text, size);
    ubiq_config_get(text, text, size);
    ubiq_var_get(text, text, size);
    ubiq_var_set(text, text, size);
}

static void use_request(char *text, size_t size)
{
    ubiq_block_free((ubiq_block)ubiq_request_block());
    ubiq_request_field(text, text, size);
    ubiq_param(text, text, size);
    ubiq_query(text, text, size);
    ubiq_header(text, text, size);
    ubiq_response_status(404);
    ubiq_response_header(text, text);
    ubiq_error_text(text, size);
    ubiq_log(UBIQ_LOG_INFO, text, NULL);
    ubiq_log_debug(text);
    ubiq_log_info(text);
    ubiq_log_warn(text);
    ubiq_log_error(text);
    ubiq_trace_attribute(text, text);
    ubiq_trace_event(text, NULL);
}

static void use_http(char *text, size_t size)
{
    ubiq_http_header header = {"accept", "*/*"};
    ubiq_http_request request = {text, NULL, &header, 1, NULL, 0};
    ubiq_http_response response;

    ubiq_http_send(&request, &response);
    ubiq_http_response_header(&response, text, text, size);
    ubiq_http_response_free(&response);
}

UBIQ_EXPORT("handle") int32_t handle(void)
{
    char text[64] = "x";

    use_input(text, sizeof text);
    use_text(text, sizeof text);
    use_json(text, sizeof text);
    use_keys(text, sizeof text);
    use_services(text, sizeof text);
    use_request(text, sizeof text);
    use_http(text, sizeof text);
    return ubiq_fail_last("x");
}
