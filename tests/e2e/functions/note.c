/* Notes each event and tick that it is given under a key of its own. It fails for what has "fail" in it
 * until there is a key "mended", and answers "again" with an event of the same. */

#include <ubiq.h>

#define INPUT_BYTES 70000

static char input[INPUT_BYTES + 1];

static int has(const char *what)
{
    for (const char *at = input; *at; at++) {
        size_t i = 0;

        while (what[i] && at[i] == what[i])
            i++;
        if (!what[i])
            return 1;
    }
    return 0;
}

UBIQ_EXPORT("handle") int32_t handle(void)
{
    char key[32], mended[8];
    size_t size = ubiq_input_read(0, input, INPUT_BYTES);
    ubiq_text t = ubiq_text_in(key, sizeof key);
    int64_t number;

    if (ubiq_kv_increment("noted", 1, &number) < 0)
        return ubiq_fail_last("counting");
    ubiq_put(&t, "note:");
    ubiq_put_number(&t, 100000000 + number);
    if (ubiq_kv_set(key, input, size, 0) < 0)
        return ubiq_fail_last("noting");
    if (has("again") && ubiq_events_emit("note", "again", 5, 0, 0) < 0)
        return ubiq_fail_last("again");
    if (has("fail") && ubiq_kv_get("mended", mended, sizeof mended) < 0)
        return ubiq_fail("it was told to fail");
    return 0;
}
