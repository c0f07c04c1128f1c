#include "server/admin_internal.h"

#include "services/events_admin.h"

/* What waits to be delivered, and what was given up: /events. */

static int status_of(int rc)
{
    return rc == E_INVALID ? HTTP_BADREQUEST : HTTP_SERVUNAVAIL;
}

static void list(const admin_request *r, store *s)
{
    bool dead = strmap_get(&r->query, slice_str("dead"), NULL);
    bool has_after = strmap_get(&r->query, slice_str("after"), NULL);
    int64_t after = admin_query_number(r, "after", 0), limit = admin_query_number(r, "limit", 100);
    error err = {0};
    buf json;
    int rc;

    if (limit == 0 || (has_after && after == 0)) {
        admin_error(r, HTTP_BADREQUEST, "invalid", "after and limit are numbers from 1");
        return;
    }
    buf_init(&json, SIZE_MAX);
    rc = events_admin_list(s, dead ? EVENTS_DEAD : EVENTS_PENDING, after, limit, &json, &err);
    if (rc)
        admin_error(r, status_of(rc), "unavailable", error_text(&err));
    else
        admin_json(r, &json);
    error_deinit(&err);
    buf_deinit(&json);
}

static void change(const admin_request *r, store *s,
                   int (*how)(store *, const char *, uint64_t *, error *))
{
    bool all = slice_equal_str(r->rest, "all");
    uint64_t count = 0;
    error err = {0};
    buf json;
    int rc;

    if (r->rest.len == 0) {
        admin_error(r, HTTP_BADREQUEST, "invalid", "say the id of an event, or \"all\"");
        return;
    }
    buf_init(&json, 64);
    rc = how(s, all ? NULL : (const char *)r->rest.data, &count, &err);
    rc = rc ? rc : buf_printf(&json, "{\"count\":%llu}\n", (unsigned long long)count);
    if (rc)
        admin_error(r, status_of(rc), "unavailable", error_text(&err));
    else if (count == 0 && !all)
        admin_error(r, HTTP_NOTFOUND, "not_found", "there is no dead letter with this id");
    else
        admin_json(r, &json);
    error_deinit(&err);
    buf_deinit(&json);
}

void admin_events(const admin_request *r)
{
    store *s = app_services(r->admin->options.app)->store;

    if (!s) {
        admin_error(r, HTTP_NOTFOUND, "not_found", "no function of the project may use services");
        return;
    }
    switch (r->method) {
    case EVHTTP_REQ_GET:
    case EVHTTP_REQ_HEAD:
        list(r, s);
        return;
    case EVHTTP_REQ_POST:
        change(r, s, events_admin_replay);
        return;
    case EVHTTP_REQ_DELETE:
        change(r, s, events_admin_drop);
        return;
    default:
        admin_refuse_method(r, "GET, HEAD, POST, DELETE");
    }
}
