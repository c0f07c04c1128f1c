/* Leads to where a link points, and counts that. */

#include "../../lib/links.h"

static void tell(const char *code, int64_t clicks)
{
    char room[128];
    ubiq_text t = ubiq_text_in(room, sizeof room);

    ubiq_put(&t, "{\"code\":");
    ubiq_put_json(&t, code);
    ubiq_put(&t, ",\"clicks\":");
    ubiq_put_number(&t, clicks);
    ubiq_put_char(&t, '}');
    /* A click that is not told of is no reason to keep the visitor waiting. */
    if (ubiq_events_emit("link.clicked", room, t.length, 0, 0) < 0)
        ubiq_log_warn("a click could not be told of");
}

UBIQ_EXPORT("GET") int32_t get(void)
{
    char code[CODE_MAX + 1], key[KEY_MAX], url[URL_MAX + 1];
    int64_t clicks;
    ptrdiff_t size;

    if (!code_of_request(code))
        return refuse(404, "there is no such link");
    key_of(key, "link", code);
    size = ubiq_kv_get(key, url, URL_MAX);
    if (size < 0)
        return refuse(404, "there is no such link");
    url[size] = '\0';
    key_of(key, "clicks", code);
    if (ubiq_kv_increment(key, 1, &clicks) < 0)
        ubiq_log_warn("a click could not be counted");
    else
        tell(code, clicks);
    ubiq_response_status(302);
    ubiq_response_header("Location", url);
    ubiq_response_header("Cache-Control", "no-store");
    return 0;
}
