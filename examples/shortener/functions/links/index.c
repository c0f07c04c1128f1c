/* All links: GET lists them, POST {"url", "code"} makes one; without a code it gets a free one. */

#include "../../lib/links.h"

#define PAGE 50

static char room[65536];

static int is_url(const char *url)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < 2; i++) {
        size_t at = 0;

        while (schemes[i][at] && schemes[i][at] == url[at])
            at++;
        if (!schemes[i][at] && url[at])
            return 1;
    }
    return 0;
}

/* Has a code made of the next number. */
static ubiq_result next_code(char code[CODE_MAX + 1])
{
    char text[24];
    ubiq_text t = ubiq_text_in(text, sizeof text);
    int64_t number;
    ubiq_result result = ubiq_kv_increment("next", 1, &number);
    ptrdiff_t size;

    if (result < 0)
        return result;
    ubiq_put_number(&t, number);
    size = ubiq_invoke("slug", text, t.length, code, CODE_MAX);
    if (size >= 0)
        code[size <= CODE_MAX ? size : CODE_MAX] = '\0';
    return size < 0 ? size : 0;
}

static void answer(const char *code, const char *url)
{
    ubiq_text t = ubiq_text_in(room, sizeof room);
    char place[CODE_MAX + 8];
    ubiq_text p = ubiq_text_in(place, sizeof place);

    ubiq_put(&p, "/links/");
    ubiq_put(&p, code);
    ubiq_response_status(201);
    ubiq_response_header("Location", place);
    ubiq_response_header("Content-Type", "application/json");
    ubiq_put(&t, "{\"code\":");
    ubiq_put_json(&t, code);
    ubiq_put(&t, ",\"url\":");
    ubiq_put_json(&t, url);
    ubiq_put(&t, "}\n");
    ubiq_output_of(&t);
}

UBIQ_EXPORT("POST") int32_t post(void)
{
    char url[URL_MAX + 1], code[CODE_MAX + 1], key[KEY_MAX];
    ptrdiff_t size = ubiq_json_member_text(ubiq_input(), "url", url, sizeof url);
    ptrdiff_t wanted = ubiq_json_member_text(ubiq_input(), "code", code, sizeof code);
    ubiq_result result;

    if (size < 0 || size > URL_MAX || !is_url(url))
        return refuse(422, "url is an http or https address of at most 2048 bytes");
    if (wanted > 0 && (wanted > CODE_MAX || !is_code(code)))
        return refuse(422, "a code is of 1 to 32 letters, digits and hyphens");
    do {
        if (wanted <= 0 && next_code(code) < 0)
            return ubiq_fail_last("making a code");
        key_of(key, "link", code);
        result = ubiq_kv_set_if_absent(key, url, (size_t)size, 0);
        if (result < 0)
            return ubiq_fail_last("keeping the link");
        if (result == 0 && wanted > 0)
            return refuse(409, "there is a link with this code");
    } while (result == 0);
    ubiq_trace_attribute("code", code);
    answer(code, url);
    return 0;
}

static void put_link(ubiq_text *t, const char *key)
{
    const char *code = key + sizeof "link:" - 1;
    char url[URL_MAX + 1] = "", clicks[KEY_MAX];
    ptrdiff_t size = ubiq_kv_get(key, url, sizeof url - 1);

    if (size < 0)
        return;
    key_of(clicks, "clicks", code);
    ubiq_put(t, "{\"code\":");
    ubiq_put_json(t, code);
    ubiq_put(t, ",\"url\":");
    ubiq_put_json_bytes(t, url, (size_t)size);
    ubiq_put(t, ",\"clicks\":");
    ubiq_put_number(t, number_at(clicks));
    ubiq_put_char(t, '}');
}

UBIQ_EXPORT("GET") int32_t get(void)
{
    char key[KEY_MAX], after[KEY_MAX] = "";
    ubiq_text t = ubiq_text_in_block(ubiq_block_new(256 * 1024));
    ubiq_list page;
    int first = 1;

    ubiq_query("after", after, sizeof after);
    if (ubiq_kv_list(&page, "link:", after, PAGE) < 0)
        return ubiq_fail_last("listing links");
    ubiq_put(&t, "{\"links\":[");
    while (ubiq_list_next(&page, key, sizeof key) >= 0) {
        if (!first)
            ubiq_put_char(&t, ',');
        first = 0;
        put_link(&t, key);
    }
    ubiq_put(&t, "],\"next\":");
    if (ubiq_list_end(&page, after, sizeof after) > 0)
        ubiq_put_json(&t, after);
    else
        ubiq_put(&t, "null");
    ubiq_put(&t, "}\n");
    ubiq_response_header("Content-Type", "application/json");
    ubiq_output_of(&t);
    return 0;
}
