/* One link: GET tells of it and its clicks, DELETE removes it and what belongs to it. */

#include "../../lib/links.h"

static char room[8192];

static void put_days(ubiq_text *t, const char *code)
{
    char prefix[KEY_MAX], key[KEY_MAX];
    ubiq_list page;
    size_t before;
    int first = 1;

    key_of(prefix, "day", code);
    before = ubiq_text_size(prefix) + 1;
    if (ubiq_kv_list(&page, prefix, "", 100) < 0)
        return;
    while (ubiq_list_next(&page, key, sizeof key) >= 0) {
        ubiq_put(t, first ? "" : ",");
        first = 0;
        ubiq_put_json(t, key + before);
        ubiq_put_char(t, ':');
        ubiq_put_number(t, number_at(key));
    }
    ubiq_list_end(&page, key, sizeof key);
}

UBIQ_EXPORT("GET") int32_t get(void)
{
    char code[CODE_MAX + 1], key[KEY_MAX], url[URL_MAX + 1];
    ubiq_text t = ubiq_text_in(room, sizeof room);
    ptrdiff_t size;

    if (!code_of_request(code))
        return refuse(404, "there is no such link");
    key_of(key, "link", code);
    size = ubiq_kv_get(key, url, sizeof url);
    if (size == UBIQ_NOT_FOUND)
        return refuse(404, "there is no such link");
    if (size < 0)
        return ubiq_fail_last("reading the link");
    ubiq_put(&t, "{\"code\":");
    ubiq_put_json(&t, code);
    ubiq_put(&t, ",\"url\":");
    ubiq_put_json_bytes(&t, url, (size_t)size);
    key_of(key, "clicks", code);
    ubiq_put(&t, ",\"clicks\":");
    ubiq_put_number(&t, number_at(key));
    ubiq_put(&t, ",\"days\":{");
    put_days(&t, code);
    ubiq_put(&t, "}}\n");
    ubiq_output_of(&t);
    return 0;
}

UBIQ_EXPORT("DELETE") int32_t delete_link(void)
{
    char code[CODE_MAX + 1], key[KEY_MAX], path[KEY_MAX];
    ubiq_text t = ubiq_text_in(path, sizeof path);
    ubiq_result result;

    if (!code_of_request(code))
        return refuse(404, "there is no such link");
    key_of(key, "link", code);
    result = ubiq_kv_delete(key);
    if (result == 0)
        return refuse(404, "there is no such link");
    key_of(key, "clicks", code);
    ubiq_put(&t, "pictures/");
    ubiq_put(&t, code);
    if (result < 0 || ubiq_kv_delete(key) < 0 || ubiq_storage_delete(path) < 0)
        return ubiq_fail_last("removing the link");
    ubiq_response_status(204);
    return 0;
}
