/* The conformance suite's function in C: see ../README.md. */

#include <ubiq.h>

#define TEXT_BYTES 2048
#define WORDS 6
#define OUTPUT_BYTES 65536

static char word[WORDS][TEXT_BYTES];
static ubiq_view raw[WORDS]; /* the words as they are */
static char value[TEXT_BYTES];
static ubiq_text out;

static int64_t number(int i)
{
    int64_t n = 0;

    ubiq_json_int(raw[i], &n);
    return n;
}

static size_t length(int i)
{
    return ubiq_text_size(word[i]);
}

static int is(const char *name)
{
    return ubiq_text_equal(word[0], name);
}

static void put_bool(int yes)
{
    ubiq_put(&out, yes ? "true" : "false");
}

static void put_problem(ubiq_result code)
{
    ubiq_put(&out, "{\"code\":");
    ubiq_put_number(&out, code);
    ubiq_put(&out, ",\"message\":");
    ubiq_error_text(value, sizeof value);
    ubiq_put_json(&out, value);
    ubiq_put_char(&out, '}');
}

/* 1 or 0. */
static void put_yes_or_no(ubiq_result r)
{
    if (r < 0)
        put_problem(r);
    else
        put_bool(r != 0);
}

/* 0 where it is done. */
static void put_done(ubiq_result r)
{
    if (r < 0)
        put_problem(r);
    else
        put_bool(1);
}

/* What is in `value`, as long as `size`; what is not there is null. */
static void put_value(ptrdiff_t size)
{
    if (size == UBIQ_NOT_FOUND)
        ubiq_put(&out, "null");
    else if (size < 0)
        put_problem(size);
    else
        ubiq_put_json_bytes(&out, value, (size_t)size);
}

static void put_next(ubiq_list *page)
{
    ubiq_put(&out, "],\"next\":");
    put_value(ubiq_list_end(page, value, sizeof value) > 0 ? (ptrdiff_t)ubiq_text_size(value)
                                                           : (ptrdiff_t)UBIQ_NOT_FOUND);
    ubiq_put_char(&out, '}');
}

static void list_keys(void)
{
    ubiq_list page;
    ubiq_result r = ubiq_kv_list(&page, word[1], word[2], number(3));
    ptrdiff_t size;
    int n = 0;

    if (r < 0) {
        put_problem(r);
        return;
    }
    ubiq_put(&out, "{\"keys\":[");
    while ((size = ubiq_list_next(&page, value, sizeof value)) >= 0) {
        ubiq_put(&out, n++ ? "," : "");
        put_value(size);
    }
    put_next(&page);
}

static void put_file(const char *path, const ubiq_file *file)
{
    ubiq_put(&out, "{\"path\":");
    ubiq_put_json(&out, path);
    ubiq_put(&out, ",\"size\":");
    ubiq_put_number(&out, file->size);
    ubiq_put(&out, ",\"type\":");
    ubiq_put_json(&out, file->type);
    ubiq_put(&out, ",\"dated\":");
    put_bool(file->modified[0] == '2' && file->modified[1] == '0');
    ubiq_put_char(&out, '}');
}

static void list_files(void)
{
    ubiq_list page;
    ubiq_result r = ubiq_storage_list(&page, word[1], word[2], number(3));
    ubiq_file file;
    ubiq_view item;
    int n = 0;

    if (r < 0) {
        put_problem(r);
        return;
    }
    ubiq_put(&out, "{\"items\":[");
    while (ubiq_list_next_view(&page, &item)) {
        ubiq_put(&out, n++ ? "," : "");
        ubiq_json_member_text(item, "path", value, sizeof value);
        ubiq_file_of(item, &file);
        put_file(value, &file);
    }
    put_next(&page);
}

static int run_kv(void)
{
    int64_t n = 0;
    ubiq_result r;

    if (is("kv.get"))
        put_value(ubiq_kv_get(word[1], value, sizeof value));
    else if (is("kv.set"))
        put_done(ubiq_kv_set_text(word[1], word[2], number(3)));
    else if (is("kv.set_if_absent"))
        put_yes_or_no(ubiq_kv_set_if_absent(word[1], word[2], length(2), number(3)));
    else if (is("kv.compare_and_set"))
        put_yes_or_no(
            ubiq_kv_compare_and_set(word[1], word[2], length(2), word[3], length(3), number(4)));
    else if (is("kv.increment") && (r = ubiq_kv_increment(word[1], number(2), &n)) < 0)
        put_problem(r);
    else if (is("kv.increment"))
        ubiq_put_number(&out, n);
    else if (is("kv.delete"))
        put_yes_or_no(ubiq_kv_delete(word[1]));
    else if (is("kv.list"))
        list_keys();
    else
        return 0;
    return 1;
}

static int run_storage(void)
{
    ubiq_file file;
    ubiq_result r;

    if (is("storage.read"))
        put_value(ubiq_storage_read(word[1], value, sizeof value));
    else if (is("storage.write"))
        put_done(ubiq_storage_write(word[1], word[2], length(2)));
    else if (is("storage.delete"))
        put_yes_or_no(ubiq_storage_delete(word[1]));
    else if (is("storage.stat") && (r = ubiq_storage_stat(word[1], &file)) < 0)
        put_value((ptrdiff_t)r);
    else if (is("storage.stat"))
        put_file(word[1], &file);
    else if (is("storage.list"))
        list_files();
    else
        return 0;
    return 1;
}

static void put_field(const char *name)
{
    ubiq_put_json(&out, name);
    ubiq_put_char(&out, ':');
    put_value(ubiq_request_field(name, value, sizeof value));
    ubiq_put_char(&out, ',');
}

static int run_request(void)
{
    if (is("request.param")) {
        put_value(ubiq_param(word[1], value, sizeof value));
    } else if (is("request.query")) {
        put_value(ubiq_query(word[1], value, sizeof value));
    } else if (is("request.header")) {
        put_value(ubiq_header(word[1], value, sizeof value));
    } else if (is("request")) {
        ubiq_put_char(&out, '{');
        put_field("trigger");
        put_field("method");
        put_field("path");
        put_field("route");
        put_field("url");
        ubiq_put(&out, "\"has_id\":");
        put_bool(ubiq_request_field("id", value, sizeof value) > 0);
        ubiq_put_char(&out, '}');
    } else {
        return 0;
    }
    return 1;
}

static void run_http(void)
{
    ubiq_http_header header = {"X-Sent", word[3]};
    ubiq_http_request request = {word[2], word[1], &header, 1, word[4], length(4)};
    ubiq_http_response response;

    ubiq_http_send(&request, &response);
    ubiq_put(&out, "{\"status\":");
    ubiq_put_number(&out, response.status);
    ubiq_put(&out, ",\"body\":");
    ubiq_view_text(ubiq_view_of(response.body), value, sizeof value);
    ubiq_put_json(&out, value);
    ubiq_put(&out, ",\"header\":");
    put_value(ubiq_http_response_header(&response, "x-reply", value, sizeof value));
    ubiq_put_char(&out, '}');
    ubiq_http_response_free(&response);
}

static void run_others(void)
{
    ubiq_result r;

    if (is("events.emit") &&
        (r = ubiq_events_emit(word[1], word[2], length(2), value, sizeof value)) < 0) {
        put_problem(r);
    } else if (is("events.emit")) {
        ubiq_put_number(&out, (int64_t)ubiq_text_size(value));
    } else if (is("invoke")) {
        ptrdiff_t size = ubiq_invoke(word[1], word[2], length(2), value, sizeof value);

        if (size < 0)
            put_problem(size);
        else
            put_value(size);
    } else if (is("config")) {
        put_value(ubiq_config_get(word[1], value, sizeof value));
    } else if (is("var.get")) {
        put_value(ubiq_var_get(word[1], value, sizeof value));
    } else if (is("var.set")) {
        ubiq_var_set(word[1], word[2], length(2));
        put_bool(1);
    } else if (is("http")) {
        run_http();
    } else if (is("log")) {
        put_done(ubiq_log((enum ubiq_level)number(1), word[2], word[3]));
    } else if (is("trace.attribute")) {
        put_done(ubiq_trace_attribute(word[1], word[2]));
    } else if (is("trace.event")) {
        put_done(ubiq_trace_event(word[1], word[2]));
    } else if (is("response.status")) {
        put_done(ubiq_response_status((int32_t)number(1)));
    } else if (is("response.header")) {
        put_done(ubiq_response_header(word[1], word[2]));
    }
}

UBIQ_EXPORT("POST") int32_t post(void)
{
    static char room[OUTPUT_BYTES];
    ubiq_json_walk commands = ubiq_json_walk_of(ubiq_input()), words;
    ubiq_view command;

    out = ubiq_text_in(room, sizeof room);
    ubiq_put_char(&out, '[');
    while (ubiq_json_next(&commands, NULL, &command)) {
        words = ubiq_json_walk_of(command);
        for (int i = 0; i < WORDS; i++) {
            word[i][0] = '\0';
            if (ubiq_json_next(&words, NULL, &raw[i]))
                ubiq_json_text(raw[i], word[i], TEXT_BYTES);
        }
        if (is("fail"))
            return ubiq_fail(word[1]);
        if (out.length > 1)
            ubiq_put_char(&out, ',');
        if (!run_kv() && !run_storage() && !run_request())
            run_others();
    }
    ubiq_put_char(&out, ']');
    ubiq_output_of(&out);
    return 0;
}

UBIQ_EXPORT("PUT") int32_t put(void)
{
    extism_output_set(ubiq_input().at, ubiq_input_size());
    return 0;
}
