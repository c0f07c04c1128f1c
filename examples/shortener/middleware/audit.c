/* Writes a line into the log for each request that changes something. */

#include <ubiq.h>

UBIQ_EXPORT("before") int32_t before(void)
{
    char method[16] = "", path[256] = "", room[512];
    ubiq_text t = ubiq_text_in(room, sizeof room);

    ubiq_json_member_text(ubiq_input(), "method", method, sizeof method);
    ubiq_json_member_text(ubiq_input(), "path", path, sizeof path);
    if (ubiq_text_equal(method, "GET") || ubiq_text_equal(method, "HEAD"))
        return 0;
    ubiq_put(&t, "{\"method\":");
    ubiq_put_json(&t, method);
    ubiq_put(&t, ",\"path\":");
    ubiq_put_json(&t, path);
    ubiq_put_char(&t, '}');
    ubiq_log(UBIQ_LOG_INFO, "a change is asked for", room);
    return 0;
}
