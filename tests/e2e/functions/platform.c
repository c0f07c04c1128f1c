/* Does what its input says with the host functions: a command a line, its words between tabs. The
 * output has a line for each: what came back, and behind a tab the bytes or the error's text. */

#include <ubiq.h>

#define WORDS 6
#define LINE_BYTES 70000
#define RESULT_BYTES 140000

static char line[LINE_BYTES];
static char result[RESULT_BYTES];
static char *word[WORDS];
static ubiq_text out;

static int64_t number_of(const char *text)
{
    int64_t n = 0;
    int negative = *text == '-';

    for (text += negative; *text; text++)
        n = n * 10 + (*text - '0');
    return negative ? -n : n;
}

/* Cuts the line into its words, at tabs, or at semicolons where there are no tabs; those that are
 * missing are empty. */
static void split(void)
{
    static char empty[1];
    char *at = line, mark = ';';

    for (const char *c = line; *c; c++)
        mark = *c == '\t' ? '\t' : mark;

    for (int i = 0; i < WORDS; i++)
        word[i] = empty;
    for (int i = 0; i < WORDS && at; i++) {
        word[i] = at;
        while (*at && *at != mark)
            at++;
        if (*at)
            *at++ = '\0';
        else
            at = 0;
    }
}

static void put_result(ubiq_result r)
{
    ubiq_put_number(&out, r);
    if (r < 0) {
        ubiq_put_char(&out, '\t');
        ubiq_error_text(result, sizeof result);
        ubiq_put(&out, result);
    }
    ubiq_put_char(&out, '\n');
}

/* A block in place of a number. */
static void put_block(ubiq_result r)
{
    size_t size;

    if (r < 0) {
        put_result(r);
        return;
    }
    size = ubiq_block_read((ubiq_block)r, 0, result, sizeof result);
    ubiq_put_number(&out, (int64_t)extism_length((ubiq_block)r));
    ubiq_put_char(&out, '\t');
    ubiq_put_bytes(&out, result, size);
    ubiq_put_char(&out, '\n');
    if (r)
        ubiq_block_free((ubiq_block)r);
}

static ubiq_block text_block(const char *text)
{
    return ubiq_block_of_text(text);
}

static int is(const char *name)
{
    return ubiq_text_equal(word[0], name);
}

static int run_kv(void)
{
    const char *value = word[2];

    if (is("get"))
        put_block(ubiq_kv_get_block(word[1]));
    else if (is("set"))
        put_result(ubiq_kv_set(word[1], value, ubiq_text_size(value), number_of(word[3])));
    else if (is("absent"))
        put_result(ubiq_kv_set_if_absent(word[1], value, ubiq_text_size(value), number_of(word[3])));
    else if (is("cas"))
        put_result(ubiq_kv_compare_and_set(word[1], value, ubiq_text_size(value), word[3],
                                           ubiq_text_size(word[3]), number_of(word[4])));
    else if (is("increment"))
        put_block(ubiq_host_kv_increment(text_block(word[1]), number_of(word[2])));
    else if (is("delete"))
        put_result(ubiq_kv_delete(word[1]));
    else if (is("list"))
        put_block(ubiq_host_kv_list(text_block(word[1]), text_block(word[2]), number_of(word[3])));
    else
        return 0;
    return 1;
}

static int run_storage(void)
{
    if (is("read"))
        put_block(ubiq_storage_read_block(word[1]));
    else if (is("write"))
        put_result(ubiq_storage_write(word[1], word[2], ubiq_text_size(word[2])));
    else if (is("remove"))
        put_result(ubiq_storage_delete(word[1]));
    else if (is("stat"))
        put_block(ubiq_host_storage_stat(text_block(word[1])));
    else if (is("files"))
        put_block(
            ubiq_host_storage_list(text_block(word[1]), text_block(word[2]), number_of(word[3])));
    else
        return 0;
    return 1;
}

static int run_others(void)
{
    if (is("emit"))
        put_block(ubiq_host_events_emit(text_block(word[1]), text_block(word[2])));
    else if (is("invoke"))
        put_block(ubiq_invoke_block(word[1], word[2], ubiq_text_size(word[2])));
    else if (is("request"))
        put_block(ubiq_request_block());
    else if (is("status"))
        put_result(ubiq_response_status((int32_t)number_of(word[1])));
    else if (is("header"))
        put_result(ubiq_response_header(word[1], word[2]));
    else if (is("log"))
        put_result(ubiq_log((enum ubiq_level)number_of(word[1]), word[2], word[3]));
    else if (is("attribute"))
        put_result(ubiq_trace_attribute(word[1], word[2]));
    else if (is("event"))
        put_result(ubiq_trace_event(word[1], word[2]));
    else if (is("config"))
        put_result(ubiq_config_get(word[1], result, sizeof result));
    else if (is("bad-handle"))
        put_result(ubiq_host_kv_get((ubiq_block)number_of(word[1])));
    else
        return 0;
    return 1;
}

static void run_http(void)
{
    ubiq_http_request request = {.method = word[1], .url = word[2]};
    ubiq_http_response response;
    size_t size;

    ubiq_http_send(&request, &response);
    ubiq_put_number(&out, response.status);
    ubiq_put_char(&out, '\t');
    size = ubiq_block_read(response.body, 0, result, sizeof result);
    ubiq_put_bytes(&out, result, size);
    ubiq_put_char(&out, '\n');
    ubiq_http_response_free(&response);
}

/* Reads the next line to `line`; 0 when there is none any more. */
static int next_line(size_t *at)
{
    size_t size = ubiq_input_read(*at, line, sizeof line - 1);
    size_t length = 0;

    if (size == 0)
        return 0;
    while (length < size && line[length] != '\n')
        length++;
    line[length] = '\0';
    *at += length + 1;
    return 1;
}

UBIQ_EXPORT("handle") int32_t handle(void)
{
    static char room[RESULT_BYTES * 2];
    size_t at = 0;

    out = ubiq_text_in(room, sizeof room);
    while (next_line(&at)) {
        split();
        if (is("http"))
            run_http();
        else if (is("fail"))
            return ubiq_fail(word[1]);
        else if (is("spin"))
            for (volatile int64_t n = 0;; n = n + 1)
                ;
        else if (!run_kv() && !run_storage() && !run_others())
            return ubiq_fail(word[0]);
    }
    ubiq_output_of(&out);
    return 0;
}
