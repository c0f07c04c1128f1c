#include "services/events_payload.h"

#include "base/calendar.h"
#include "base/hash.h"
#include "base/json.h"

int events_payload_kind(slice payload, enum event_kind *out)
{
    json_reader r = {.text = payload};
    int rc;

    *out = EVENT_BYTES;
    if (!slice_is_utf8(payload))
        return 0;
    rc = json_copy(&r, NULL, NULL);
    if (rc == 0)
        rc = json_end(&r, NULL);
    *out = rc == 0 ? EVENT_JSON : EVENT_TEXT;
    return rc == E_INVALID ? 0 : rc;
}

static int put_bytes(buf *out, slice bytes)
{
    int rc = buf_append_str(out, "{\"base64\":\"");

    rc = rc ? rc : base64_encode(bytes, out);
    return rc ? rc : buf_append_str(out, "\"}");
}

static int put_payload(buf *out, const queued_event *event)
{
    switch (event->kind) {
    case EVENT_JSON:
        return buf_append(out, event->payload.data, event->payload.len);
    case EVENT_TEXT:
        return json_put_string(out, event->payload);
    case EVENT_BYTES:
    case EVENT_TICK:
        break;
    }
    return put_bytes(out, event->payload);
}

int events_put_input(buf *out, const queued_event *event, int64_t attempt)
{
    char time[CALENDAR_TIME_BYTES];
    int rc = buf_append_str(out, event->kind == EVENT_TICK ? "{\"schedule\":" : "{\"topic\":");

    calendar_put_time(event->time, time);
    rc = rc ? rc : json_put_string(out, event->topic);
    if (event->kind == EVENT_TICK)
        return rc ? rc : buf_printf(out, ",\"time\":\"%s\"}", time);
    rc = rc ? rc : buf_printf(out, ",\"id\":\"%s\",\"time\":\"%s\",\"source\":", event->id, time);
    if (rc == 0)
        rc = event->source ? json_put_string(out, slice_str(event->source))
                           : buf_append_str(out, "null");
    rc = rc ? rc : buf_printf(out, ",\"attempt\":%lld,\"payload\":", (long long)attempt);
    rc = rc ? rc : put_payload(out, event);
    return rc ? rc : buf_append_byte(out, '}');
}
