#include "services/events_internal.h"

#include "base/clock.h"
#include "services/events_payload.h"
#include "services/limits.h"

#include <stdlib.h>

#define ROW_BYTES 256 /* about what a row weighs, beside its payload */

/* An event on its way to the disk. It is the operation's `copied`. */
typedef struct emission {
    store_write write;
    events *e;
    operation *op;
    char id[EVENT_ID_BYTES];
    queued_event event; /* its bytes are behind the functions */
    bool over_quota;
    size_t count;
    const char *functions[];
} emission;

static bool is_control(slice topic, size_t i)
{
    uint8_t c = topic.data[i];

    if (c <= ' ' || c == 0x7f)
        return true;
    /* U+0080 to U+009F */
    return c == 0xc2 && topic.data[i + 1] < 0xa0;
}

/* True when the topic is refused. */
static bool refuse_topic(const events *e, operation *op, slice topic)
{
    if (topic.len == 0)
        return operation_fail(op, SERVICE_INVALID, "events: an event's topic is empty");
    if (topic.len > e->limits.topic_bytes)
        return operation_fail(op, SERVICE_TOO_LARGE,
                              "events: the topic has %zu bytes, and may have at most %zu",
                              topic.len, e->limits.topic_bytes);
    if (!slice_is_utf8(topic))
        return operation_fail(op, SERVICE_INVALID, "events: the topic is not UTF-8");
    for (size_t i = 0; i < topic.len; i++)
        if (is_control(topic, i))
            return operation_fail(
                op, SERVICE_INVALID,
                "events: the topic has a space or a control character at byte %zu", i);
    return false;
}

/* True when the emission is refused. */
static bool refuse(const events *e, events_emission *o)
{
    if (refuse_topic(e, &o->op, o->topic))
        return true;
    if (o->payload.len > e->limits.payload_bytes)
        return operation_fail(&o->op, SERVICE_TOO_LARGE,
                              "events: the payload has %zu bytes, and may have at most %zu",
                              o->payload.len, e->limits.payload_bytes);
    if (o->hops > e->limits.hops)
        return operation_fail(
            &o->op, SERVICE_DENIED,
            "events: they go in a circle: this one comes out of a chain of %u events, "
            "each emitted while the one before it was handled, and at most %u may "
            "follow each other",
            o->hops, e->limits.hops);
    return false;
}

static bool has(const char *const *functions, size_t count, const char *function)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(functions[i], function) == 0)
            return true;
    return false;
}

/* Lists the functions that want the topic, each once; how many they are. */
static size_t find_functions(const events *e, slice topic, const char **out)
{
    size_t count = 0;

    for (size_t i = 0; i < e->subscription_count; i++) {
        const subscription *s = &e->subscriptions[i];

        if (pattern_matches(&s->pattern, topic) && !has(out, count, s->function))
            out[count++] = s->function;
    }
    return count;
}

static int apply(store_write *w, store *s, error *err)
{
    emission *m = (emission *)w;
    uint64_t deliveries, bytes;
    int rc = events_queue_count(s, &deliveries, &bytes, err);

    if (rc)
        return rc;
    m->over_quota = deliveries + m->count > m->e->limits.pending ||
                    bytes + m->event.payload.len > LIMIT_EVENTS_TOTAL_BYTES;
    if (m->over_quota)
        return 0;
    return events_queue_add(s, &m->event, m->functions, m->count, m->event.time, err);
}

static void done(store_write *w, const error *err)
{
    emission *m = (emission *)w;
    operation *op = m->op;

    if (err)
        operation_unavailable(op, err);
    else if (m->over_quota)
        operation_fail(
            op, SERVICE_OVER_QUOTA,
            "events: too many events wait or are dead letters: at most %llu deliveries and %lu "
            "bytes of payloads may",
            (unsigned long long)m->e->limits.pending, LIMIT_EVENTS_TOTAL_BYTES);
    /* Its room was reserved. */
    else if (buf_append_str(&op->result, m->id) == 0)
        events_wake(m->e);
    operation_finish(op);
}

static slice copy(uint8_t **at, slice bytes)
{
    uint8_t *start = *at;

    if (bytes.len)
        memcpy(start, bytes.data, bytes.len);
    *at += bytes.len;
    return slice_of(start, bytes.len);
}

/* Copies what the emission borrows into `m`, behind which there is room for it. */
static void copy_event(emission *m, const events_emission *o)
{
    uint8_t *at = (uint8_t *)(m->functions + m->count);

    m->event.id = m->id;
    m->event.topic = copy(&at, o->topic);
    m->event.payload = copy(&at, o->payload);
    if (o->source)
        m->event.source = (const char *)copy(&at, slice_of(o->source, strlen(o->source) + 1)).data;
    m->event.time = clock_wall_ms();
    m->event.hops = o->hops;
}

static bool no_memory(operation *op)
{
    return operation_fail(op, SERVICE_UNAVAILABLE, "events: %s", error_code_name(E_NO_MEMORY));
}

bool events_emit(events *e, events_emission *o)
{
    size_t bytes = o->topic.len + o->payload.len + (o->source ? strlen(o->source) + 1 : 0);
    emission *m;

    if (refuse(e, o))
        return true;
    m = calloc(1, sizeof *m + e->subscription_count * sizeof *m->functions + bytes);
    if (!m || buf_reserve(&o->op.result, EVENT_ID_BYTES - 1)) {
        free(m);
        return no_memory(&o->op);
    }
    o->op.copied = (uint8_t *)m;
    events_make_id(m->id);
    m->count = find_functions(e, o->topic, m->functions);
    if (m->count == 0)
        return buf_append_str(&o->op.result, m->id) == 0 || no_memory(&o->op);
    if (events_payload_kind(o->payload, &m->event.kind))
        return no_memory(&o->op);
    copy_event(m, o);
    m->e = e;
    m->op = &o->op;
    m->write.apply = apply;
    m->write.done = done;
    m->write.bytes = bytes + m->count * ROW_BYTES;
    if (!store_try_submit(e->store, &m->write))
        return operation_fail(&o->op, SERVICE_BUSY,
                              "events: too much waits to be written to the disk: try again later");
    return false;
}
