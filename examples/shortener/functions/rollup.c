/* Every five minutes: sums up all links, keeps the sum under a key for everybody to read, and files it
 * by day. */

#include "../lib/links.h"

#define TOP 10

struct entry {
    char code[CODE_MAX + 1];
    int64_t clicks;
};

static struct entry top[TOP];
static int64_t links, total;

static void take(const char *code, int64_t clicks)
{
    size_t at = TOP;

    links++;
    total += clicks;
    while (at > 0 && top[at - 1].clicks < clicks)
        at--;
    if (at == TOP || clicks == 0)
        return;
    for (size_t i = TOP - 1; i > at; i--)
        top[i] = top[i - 1];
    top[at].clicks = clicks;
    for (size_t i = 0; i <= CODE_MAX; i++) {
        top[at].code[i] = code[i];
        if (!code[i])
            break;
    }
}

static ubiq_result take_all(void)
{
    char key[KEY_MAX], after[KEY_MAX] = "", clicks[KEY_MAX];
    ubiq_result result;
    ubiq_list page;

    do {
        result = ubiq_kv_list(&page, "link:", after, 100);
        if (result < 0)
            return result;
        while (ubiq_list_next(&page, key, sizeof key) >= 0) {
            const char *code = key + sizeof "link:" - 1;

            key_of(clicks, "clicks", code);
            take(code, number_at(clicks));
        }
    } while (ubiq_list_end(&page, after, sizeof after) > 0);
    return 0;
}

/* A tick has the time it is for; who else calls it may say one. */
static void put_report(ubiq_text *t, char time[32])
{
    if (ubiq_json_member_text(ubiq_input(), "time", time, 32) < 10)
        time[0] = '\0';
    ubiq_put(t, "{\"time\":");
    ubiq_put_json(t, time);
    ubiq_put(t, ",\"links\":");
    ubiq_put_number(t, links);
    ubiq_put(t, ",\"clicks\":");
    ubiq_put_number(t, total);
    ubiq_put(t, ",\"top\":[");
    for (size_t i = 0; i < TOP && top[i].clicks > 0; i++) {
        ubiq_put(t, i ? ",{\"code\":" : "{\"code\":");
        ubiq_put_json(t, top[i].code);
        ubiq_put(t, ",\"clicks\":");
        ubiq_put_number(t, top[i].clicks);
        ubiq_put_char(t, '}');
    }
    ubiq_put(t, "]}\n");
}

UBIQ_EXPORT("handle") int32_t handle(void)
{
    static char room[4096];
    ubiq_text t = ubiq_text_in(room, sizeof room);
    char time[32], path[KEY_MAX];
    ubiq_text p = ubiq_text_in(path, sizeof path);

    if (take_all() < 0)
        return ubiq_fail_last("reading links");
    put_report(&t, time);
    if (ubiq_kv_set("report", room, t.length, 0) < 0)
        return ubiq_fail_last("keeping the report");
    if (time[0]) {
        time[10] = '\0';
        ubiq_put(&p, "reports/");
        ubiq_put(&p, time);
        ubiq_put(&p, ".json");
        if (ubiq_storage_write(path, room, t.length) < 0)
            return ubiq_fail_last("filing the report");
    }
    ubiq_output_of(&t);
    return 0;
}
