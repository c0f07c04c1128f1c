/* Middleware that says what the request's headers tell it to: X-Before is the output of `before`,
 * X-After that of `after`. "input" stands for an answer whose body is the input itself, "trap" and
 * "spin" for what they are called. */

#include <ubiq.h>

#define ROOM_BYTES 70000

static char said[ROOM_BYTES];
static char input[ROOM_BYTES];
static char room[2 * ROOM_BYTES];

static void answer_input(void)
{
    ubiq_text out = ubiq_text_in(room, sizeof room);

    ubiq_view_text(ubiq_input(), input, sizeof input);
    ubiq_put(&out, "{\"status\":200,\"headers\":{\"content-type\":\"application/json\"},\"body\":");
    ubiq_put_json(&out, input);
    ubiq_put(&out, "}");
    ubiq_output_of(&out);
}

static int32_t say(ubiq_view request, const char *header)
{
    ubiq_view headers;

    if (!ubiq_json_member(request, "headers", &headers) ||
        ubiq_json_member_text(headers, header, said, sizeof said) < 0)
        return 0;
    if (ubiq_text_equal(said, "trap"))
        __builtin_trap();
    if (ubiq_text_equal(said, "spin"))
        for (volatile int64_t n = 0;; n = n + 1)
            ;
    if (ubiq_text_equal(said, "input"))
        answer_input();
    else
        ubiq_output_text(said);
    return 0;
}

UBIQ_EXPORT("before") int32_t before(void)
{
    return say(ubiq_input(), "x-before");
}

UBIQ_EXPORT("after") int32_t after(void)
{
    ubiq_view request;

    if (!ubiq_json_member(ubiq_input(), "request", &request))
        return ubiq_fail("no request");
    return say(request, "x-after");
}
