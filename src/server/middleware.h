#ifndef UBIQ_SERVER_MIDDLEWARE_H
#define UBIQ_SERVER_MIDDLEWARE_H

#include "app/function.h"
#include "server/api_key.h"
#include "server/compressor.h"
#include "server/rate_limit.h"
#include "server/request_id.h"
#include "server/response.h"

/* Middleware: what stands between a request and its function, in the order of `use` in ubiq.toml
 * (docs/middleware.md). Each may answer the request itself, and may change the answer on its way
 * back, which goes through them in the opposite order. */

/* --- When the project is loaded; one thread --- */

/* The built-in ones of a project, which all its functions share. */
typedef struct middleware_set middleware_set;

/* `c` and `project`, its directory, are borrowed and outlive the set. E_NO_MEMORY. */
int middleware_set_create(middleware_set **out, const config_middleware *c, const char *project,
                          error *err) MUST_CHECK;

/* Frees it, after all that was made of it. Takes NULL. */
void middleware_set_destroy(middleware_set *s);

/* The middleware of one function, or of whatever has an answer. Constant. */
typedef struct middleware middleware;

typedef struct middleware_options {
    const config_list *use;
    const char *route;          /* borrowed; outlives it */
    const config_list *methods; /* that the route takes; none stands for all. Likewise */

    /* The function "middleware/audit" of that name, which outlives it, or NULL. */
    function *(*find)(void *arg, slice name);
    void *arg;
} middleware_options;

/* Makes it, and what it uses of the set; NULL and no error when `use` is empty. E_INVALID, also for
 * what is wrong with the configuration of what it uses; E_NOT_FOUND, E_IO, E_NO_MEMORY. The texts
 * are for the project's author. */
int middleware_create(middleware **out, middleware_set *s, const middleware_options *o,
                      error *err) MUST_CHECK;

/* Frees it. Takes NULL. */
void middleware_destroy(middleware *m);

/* --- For a request; the thread of its worker --- */

/* The request. The views need to be valid only during each call. */
typedef struct middleware_request {
    slice method;
    slice headers;   /* lines */
    slice address;   /* of the client: 4 or 16 bytes */
    const char *id;  /* of the invocation */
    uint64_t now_ns; /* of clock_ns; these two when it came */
    uint64_t now_s;  /* since 1970 */
} middleware_request;

/* How far a request has come, and what has been found out about it. It holds nothing before
 * middleware_begin and after middleware_end. */
typedef struct middleware_run {
    const middleware *chain;
    size_t at; /* the step that comes next, or is being called; on the way back the one after it */
    rate_verdict rate;
    char request_id[REQUEST_ID_BYTES];
    char api_key[API_KEY_ID_BYTES];
    buf claims;  /* of a token: a JSON object, or nothing */
    buf context; /* from functions: members of a JSON object, with commas between them */
} middleware_run;

/* What to do next. */
enum middleware_next {
    MIDDLEWARE_GO_ON, /* on the way there: call the function; on the way back: send the answer */
    MIDDLEWARE_CALL,  /* call middleware_function, and give what it says to middleware_resume_… */
    MIDDLEWARE_ANSWER /* do not call the function; the answer starts on its way back */
};

void middleware_begin(middleware_run *r, const middleware *m);

/* Goes on on the way there. `answer`, which is new, is filled in for MIDDLEWARE_ANSWER. */
enum middleware_next middleware_before(middleware_run *r, const middleware_request *q,
                                       response *answer) MUST_CHECK;

/* The same after a call of `before` that went well, with its output. When that makes no sense, the
 * answer is that the server has failed, and `err` says what is wrong, for the log. After a call that
 * did not go well the caller makes the answer, and goes to middleware_after. */
enum middleware_next middleware_resume_before(middleware_run *r, const middleware_request *q,
                                              slice output, response *answer,
                                              error *err) MUST_CHECK;

/* Goes on on the way back, through all that `r` has been to: to be called with every answer, and
 * again, with another answer, when a call of `after` did not go well. */
enum middleware_next middleware_after(middleware_run *r, const middleware_request *q,
                                      compressor *with, response *answer) MUST_CHECK;

/* The same after a call of `after` that went well. */
enum middleware_next middleware_resume_after(middleware_run *r, const middleware_request *q,
                                             compressor *with, slice output, response *answer,
                                             error *err) MUST_CHECK;

/* The function to call for MIDDLEWARE_CALL. When it does not export `before` or `after`, that is as
 * if it did and had no output. */
function *middleware_function(const middleware_run *r);

/* Appends what it is given. `request` is what ubiq_request gives, without the body. As buf_append. */
int middleware_put_before(buf *out, slice request, slice body) MUST_CHECK;
int middleware_put_after(buf *out, slice request, const response *answer) MUST_CHECK;

/* Appends what has been found out, for ubiq_request: members of a JSON object, each with a comma
 * before it. As buf_append. */
int middleware_put_facts(const middleware_run *r, buf *out) MUST_CHECK;

/* Frees what `r` holds. Takes an all-zero one. */
void middleware_end(middleware_run *r);

#endif
