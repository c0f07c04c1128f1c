/* For the event link.clicked: counts a link's clicks by day, and says when a link has become popular.
 * An event may come more than once, so each is counted under its id first. */

#include "../lib/links.h"

#define SEEN_MS (24 * 60 * 60 * 1000)

static int is_milestone(int64_t clicks)
{
    while (clicks >= 10 && clicks % 10 == 0)
        clicks /= 10;
    return clicks == 1;
}

UBIQ_EXPORT("handle") int32_t handle(void)
{
    char id[64], time[32], code[CODE_MAX + 1], key[KEY_MAX + 16], seen[KEY_MAX + 16];
    ubiq_view event = ubiq_input(), payload, number;
    ubiq_text t;
    int64_t clicks = 0, day;

    if (!ubiq_json_member(event, "payload", &payload) ||
        ubiq_json_member_text(event, "id", id, sizeof id) < 0 ||
        ubiq_json_member_text(event, "time", time, sizeof time) < 10 ||
        ubiq_json_member_text(payload, "code", code, sizeof code) < 0)
        return ubiq_fail("this is no event of a click");
    t = ubiq_text_in(seen, sizeof seen);
    ubiq_put(&t, "seen:");
    ubiq_put(&t, id);
    if (ubiq_kv_set_if_absent(seen, "1", 1, SEEN_MS) == 0)
        return 0;
    time[10] = '\0';
    t = ubiq_text_in(key, sizeof key);
    ubiq_put(&t, "day:");
    ubiq_put(&t, code);
    ubiq_put_char(&t, ':');
    ubiq_put(&t, time);
    if (ubiq_kv_increment(key, 1, &day) < 0) {
        /* It is counted when it comes again. */
        ubiq_kv_delete(seen);
        return ubiq_fail_last("counting a click");
    }
    if (ubiq_json_member(payload, "clicks", &number))
        ubiq_json_int(number, &clicks);
    if (clicks >= 10 && is_milestone(clicks)) {
        char room[128];

        t = ubiq_text_in(room, sizeof room);
        ubiq_put(&t, "{\"code\":");
        ubiq_put_json(&t, code);
        ubiq_put(&t, ",\"clicks\":");
        ubiq_put_number(&t, clicks);
        ubiq_put_char(&t, '}');
        if (ubiq_events_emit("link.popular", room, t.length, 0, 0) < 0)
            ubiq_log_warn("nobody hears of a popular link");
    }
    return 0;
}
