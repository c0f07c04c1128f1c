#ifndef UBIQ_SERVER_ADMIN_INTERNAL_H
#define UBIQ_SERVER_ADMIN_INTERNAL_H

#include "server/admin.h"
#include "base/strmap.h"
#include "server/listener.h"
#include "services/operation_waiter.h"

#include <event2/http.h>

struct admin {
    admin_options options;
    char address[LISTENER_ADDRESS_BYTES];
    char token[65];
    uint64_t started_ns;
    pthread_t thread;
    bool started;
    int stop_fd;
    struct event_base *base;
    struct evhttp *http;
    struct event *stop;
    operation_waiter waiter;
};

/* One request. */
typedef struct admin_request {
    admin *admin;
    struct evhttp_request *request;
    enum evhttp_cmd_type method;
    slice rest;   /* of the path, behind the resource, percent escapes undone, NUL behind it: "user:1" */
    strmap query;
} admin_request;

/* A value of the query, empty when it is not there. */
slice admin_query(const admin_request *r, const char *name);

/* A number of the query from 1, or `otherwise`; 0 for what is none. */
int64_t admin_query_number(const admin_request *r, const char *name, int64_t otherwise);

/* Answers: with a body, with an object for an error, with what an operation gave. */
void admin_answer(const admin_request *r, int status, const char *type, slice body);
void admin_error(const admin_request *r, int status, const char *code, const char *text);
void admin_json(const admin_request *r, const buf *json);

/* Refuses a method; `allow` are those that there are. */
void admin_refuse_method(const admin_request *r, const char *allow);

/* The resources. */
void admin_health(const admin_request *r);
void admin_functions(const admin_request *r);
void admin_counters(const admin_request *r);
void admin_kv(const admin_request *r);
void admin_storage(const admin_request *r);
void admin_events(const admin_request *r);

#endif
