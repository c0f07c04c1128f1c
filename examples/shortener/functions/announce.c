/* For the event link.popular: tells a webhook. Fails, and so is tried again, when that does not answer
 * with a status of success. */

#include "../lib/links.h"

UBIQ_EXPORT("handle") int32_t handle(void)
{
    char hook[512], code[CODE_MAX + 1], id[64], room[512];
    const ubiq_http_header headers[] = {{"Content-Type", "application/json"}, {"Idempotency-Key", id}};
    ubiq_text t = ubiq_text_in(room, sizeof room);
    ubiq_http_response response;
    ubiq_view payload, number;
    int64_t clicks = 0;

    if (ubiq_config_get("WEBHOOK_URL", hook, sizeof hook) <= 0)
        return 0;
    if (!ubiq_json_member(ubiq_input(), "payload", &payload) ||
        ubiq_json_member_text(ubiq_input(), "id", id, sizeof id) < 0 ||
        ubiq_json_member_text(payload, "code", code, sizeof code) < 0)
        return ubiq_fail("this is no event of a popular link");
    if (ubiq_json_member(payload, "clicks", &number))
        ubiq_json_int(number, &clicks);
    ubiq_put(&t, "{\"text\":\"a link is popular\",\"code\":");
    ubiq_put_json(&t, code);
    ubiq_put(&t, ",\"clicks\":");
    ubiq_put_number(&t, clicks);
    ubiq_put_char(&t, '}');
    ubiq_http_send(&(ubiq_http_request){.url = hook,
                                        .method = "POST",
                                        .headers = headers,
                                        .header_count = 2,
                                        .body = room,
                                        .body_size = t.length},
                   &response);
    ubiq_http_response_free(&response);
    return response.status / 100 == 2 ? 0 : ubiq_fail("the webhook did not take it");
}
