#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events_case.h"

#include "base/clock.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 20

const events_limits small_limits = {
    .topic_bytes = 64,
    .payload_bytes = 100000,
    .pending = 1000,
    .attempts = 3,
    .first_retry_ms = 20,
    .last_retry_ms = 100,
    .hops = 4,
    .at_once = 8,
};

static void note(events_case *c, const delivery *d, enum verdict verdict)
{
    seen *s;

    if (c->forgets)
        return;
    pthread_mutex_lock(&c->lock);
    if (c->count == SEEN_MAX)
        abort(); /* not the test's thread */
    s = &c->seen[c->count++];
    *s = (seen){.attempt = d->attempt, .hops = d->hops, .is_cron = d->is_cron, .at_ns = clock_ns()};
    snprintf(s->function, sizeof s->function, "%s", d->function);
    snprintf(s->id, sizeof s->id, "%s", d->id);
    s->input = strndup((const char *)d->input.data, d->input.len);
    if (verdict == HOLD)
        c->held[c->held_count++] = (delivery *)(uintptr_t)d;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void deliver(delivery *d, void *arg)
{
    events_case *c = arg;
    enum verdict (*judge)(events_case * c, const delivery *d);
    enum verdict verdict;

    pthread_mutex_lock(&c->lock);
    judge = c->judge;
    pthread_mutex_unlock(&c->lock);
    verdict = judge ? judge(c, d) : SUCCEED;
    note(c, d, verdict);
    if (verdict == POSTPONE)
        events_postpone(c->e, d);
    else if (verdict != HOLD)
        events_delivered(c->e, d, verdict == FAIL ? "no luck" : NULL);
}

static void stalled(const error *why, void *arg)
{
    events_case *c = arg;

    if (why->code == 0)
        abort(); /* not the test's thread */
    atomic_fetch_add(&c->stalls, 1);
}

void events_case_open(events_case *c, const trigger *triggers, size_t count,
                      const events_limits *limits)
{
    events_options options = {
        .triggers = triggers,
        .trigger_count = count,
        .limits = *limits,
        .deliver = deliver,
        .stalled = stalled,
        .arg = c,
    };
    error err = {0};

    memset(c, 0, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    home_init(&c->home);
    if (store_open(&c->store, "ubiq.db", &err) != 0)
        fail_msg("%s", error_text(&err));
    options.store = c->store;
    if (events_create(&c->e, &options, &err) != 0)
        fail_msg("%s", error_text(&err));
}

void events_case_start(events_case *c)
{
    error err = {0};

    if (events_start(c->e, &err) != 0)
        fail_msg("%s", error_text(&err));
}

void events_case_close(events_case *c)
{
    events_stop(c->e);
    for (size_t i = 0; i < c->held_count; i++)
        events_case_release(c, i, NULL);
    events_destroy(c->e);
    store_close(c->store);
    home_deinit(&c->home);
    for (size_t i = 0; i < c->count; i++)
        free(c->seen[i].input);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
}

int events_case_emit(events_case *c, const char *topic, slice payload, const char *source,
                     unsigned hops, char text[200])
{
    events_emission o = {
        .topic = slice_str(topic), .payload = payload, .source = source, .hops = hops};
    int code;

    home_prepare(&c->home, &o.op, 64);
    if (!events_emit(c->e, &o))
        home_wait(&c->home, c->home.done + 1);
    code = o.op.code;
    if (text && code == SERVICE_OK)
        snprintf(text, 200, "%.*s", (int)o.op.result.len, (char *)o.op.result.data);
    else if (text)
        snprintf(text, 200, "%s", error_text(&o.op.err));
    operation_deinit(&o.op);
    return code;
}

void events_case_emit_text(events_case *c, const char *topic, const char *text)
{
    char answer[200];

    if (events_case_emit(c, topic, slice_str(text), NULL, 0, answer) != SERVICE_OK)
        fail_msg("%s", answer);
}

void events_case_judge(events_case *c, enum verdict (*judge)(events_case *c, const delivery *d))
{
    pthread_mutex_lock(&c->lock);
    c->judge = judge;
    pthread_mutex_unlock(&c->lock);
}

size_t events_case_count(events_case *c)
{
    size_t count;

    pthread_mutex_lock(&c->lock);
    count = c->count;
    pthread_mutex_unlock(&c->lock);
    return count;
}

static struct timespec deadline(void)
{
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += PATIENCE_S;
    return at;
}

void events_case_wait(events_case *c, size_t count)
{
    struct timespec at = deadline();
    int rc = 0;

    pthread_mutex_lock(&c->lock);
    while (c->count < count && rc == 0)
        rc = pthread_cond_timedwait(&c->changed, &c->lock, &at);
    if (rc)
        fail_msg("only %zu of %zu deliveries came", c->count, count);
    pthread_mutex_unlock(&c->lock);
}

void events_case_release(events_case *c, size_t i, const char *problem)
{
    delivery *d;

    pthread_mutex_lock(&c->lock);
    assert_true(i < c->held_count);
    d = c->held[i];
    c->held[i] = NULL;
    pthread_mutex_unlock(&c->lock);
    if (d)
        events_delivered(c->e, d, problem);
}

static size_t count_items(store *s, enum events_list which)
{
    error err = {0};
    size_t count = 0;
    char *text;
    buf list;

    buf_init(&list, 1 << 24);
    if (events_admin_list(s, which, 0, 1000, &list, &err))
        fail_msg("%s", error_text(&err));
    text = buf_take_str(&list);
    for (const char *at = text; (at = strstr(at, "{\"number\"")); at++)
        count++;
    free(text);
    return count;
}

size_t events_case_dead(store *s)
{
    return count_items(s, EVENTS_DEAD);
}

size_t events_case_pending(store *s)
{
    return count_items(s, EVENTS_PENDING);
}

void events_case_wait_idle(events_case *c)
{
    for (int i = 0; i < PATIENCE_S * 200; i++) {
        if (events_case_pending(c->store) == 0)
            return;
        usleep(5000);
    }
    fail_msg("%zu deliveries are still pending", events_case_pending(c->store));
}

const char *events_case_payloads(events_case *c, const char *function)
{
    static char out[SEEN_MAX * 8];
    size_t len = 0;

    out[0] = '\0';
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count; i++) {
        const char *payload = strstr(c->seen[i].input, "\"payload\":");

        if (strcmp(c->seen[i].function, function) == 0 && payload)
            len += (size_t)snprintf(out + len, sizeof out - len, "%s%.*s", len ? "," : "",
                                    (int)strlen(payload + 10) - 1, payload + 10);
    }
    pthread_mutex_unlock(&c->lock);
    return out;
}

void events_case_sql(const char *sql)
{
    sqlite3 *db;
    char *why = NULL;

    assert_int_equal(sqlite3_open("ubiq.db", &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    sqlite3_close(db);
}
