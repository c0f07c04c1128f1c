#ifndef UBIQ_REQUEST_H
#define UBIQ_REQUEST_H

/**
 * @file request.h
 * What a function is called for, what it answers besides its output, and what it reports.
 */

#include "json.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @name The request
 * The body of a request is the function's input.
 * @{ */

/** {"id", "trigger", "method", "path", "url", "route", "params", "query", "headers"}, and what
 * middleware has found out: "claims", "api_key", "request_id", "context". A new block, or a code. For one
 * or two things out of it, the functions below are simpler. */
static inline ubiq_result ubiq_request_block(void)
{
    return ubiq_host_request();
}

/** @cond */
/* A field of the request, or a member of it. */
UBIQ_FUNCTION ptrdiff_t ubiq_request_get_(const char *field, const char *member, char *to,
                                          size_t size)
{
    ubiq_result request = ubiq_host_request();
    ptrdiff_t length = (ptrdiff_t)UBIQ_NOT_FOUND;
    ubiq_view value;

    if (size > 0)
        to[0] = '\0';
    if (request < 0)
        return (ptrdiff_t)request;
    if (ubiq_json_member(ubiq_view_of((ubiq_block)request), field, &value))
        length = member ? ubiq_json_member_text(value, member, to, size)
                        : ubiq_json_text(value, to, size);
    ubiq_block_free((ubiq_block)request);
    return length;
}
/** @endcond */

/**
 * Copies a field of the request as a text: "id", "method", "path", "url", "route", "trigger" ("http",
 * "event", "cron" or "invoke").
 * @param to room for up to `size` - 1 bytes and a NUL
 * @return the length of the whole text, or a code: UBIQ_NOT_FOUND when there is no such field
 */
static inline ptrdiff_t ubiq_request_field(const char *name, char *to, size_t size)
{
    return ubiq_request_get_(name, NULL, to, size);
}

/** Copies a parameter of the route, "id" of functions/users/[id].c, as ubiq_request_field copies. */
static inline ptrdiff_t ubiq_param(const char *name, char *to, size_t size)
{
    return ubiq_request_get_("params", name, to, size);
}

/** Copies a parameter of the query, the first one of this name, as ubiq_request_field copies. */
static inline ptrdiff_t ubiq_query(const char *name, char *to, size_t size)
{
    return ubiq_request_get_("query", name, to, size);
}

/** Copies a header of the request, whatever the case of its name, as ubiq_request_field copies. */
UBIQ_FUNCTION ptrdiff_t ubiq_header(const char *name, char *to, size_t size)
{
    ubiq_result request = ubiq_host_request();
    ptrdiff_t length = (ptrdiff_t)UBIQ_NOT_FOUND;
    ubiq_view headers, value;

    if (size > 0)
        to[0] = '\0';
    if (request < 0)
        return (ptrdiff_t)request;
    if (ubiq_json_member(ubiq_view_of((ubiq_block)request), "headers", &headers) &&
        ubiq_json_member_any_case(headers, name, &value))
        length = ubiq_json_text(value, to, size);
    ubiq_block_free((ubiq_block)request);
    return length;
}

/** @} */

/** @name The response
 * The output of the function is the response's body.
 * @{ */

/** Sets the status of the response, 200 if nobody does. 0, or a code. */
static inline ubiq_result ubiq_response_status(int32_t status)
{
    return ubiq_host_response_status(status);
}

/** Sets a header of the response. 0, or a code. */
static inline ubiq_result ubiq_response_header(const char *name, const char *value)
{
    ubiq_block n = ubiq_block_of_text(name), v = ubiq_block_of_text(value);
    ubiq_result result = ubiq_host_response_header(n, v);

    ubiq_block_free(v);
    ubiq_block_free(n);
    return result;
}

/** @} */

/** @name Errors
 * @{ */

/** Copies, as a text with a NUL, what the last negative result means in words; the empty text when
 * there was none. The length of the whole text. */
UBIQ_FUNCTION ptrdiff_t ubiq_error_text(char *to, size_t size)
{
    ubiq_result error = ubiq_host_error();
    ptrdiff_t length = 0;

    if (size > 0)
        to[0] = '\0';
    if (error > 0) {
        length = ubiq_json_member_text(ubiq_view_of((ubiq_block)error), "message", to, size);
        ubiq_block_free((ubiq_block)error);
    }
    return length < 0 ? 0 : length;
}

/** Ends the call with an error that says what was tried and what ubiq_error_text says:
 * `return ubiq_fail_last("saving the link");` */
UBIQ_FUNCTION int32_t ubiq_fail_last(const char *what)
{
    char room[512];
    char words[400];
    ubiq_text text = ubiq_text_in(room, sizeof room);

    ubiq_put(&text, what);
    if (ubiq_error_text(words, sizeof words) > 0) {
        ubiq_put(&text, ": ");
        ubiq_put(&text, words);
    }
    return ubiq_fail(room);
}

/** @} */

/** @name Log and trace
 * @{ */

/**
 * Writes a line into the log.
 * @param level how grave it is
 * @param attributes a JSON object as a text, `{"order": 17}`, or NULL
 * @return 0, or a code
 */
static inline ubiq_result ubiq_log(enum ubiq_level level, const char *message,
                                   const char *attributes)
{
    ubiq_block m = ubiq_block_of_text(message), a = ubiq_block_of_text(attributes);
    ubiq_result result = ubiq_host_log((int32_t)level, m, a);

    ubiq_block_free(a);
    ubiq_block_free(m);
    return result;
}

/** Writes a line into the log of any Extism host. */
static inline void ubiq_log_debug(const char *message)
{
    extism_log_debug(ubiq_block_of_text(message));
}

/** @copydoc ubiq_log_debug */
static inline void ubiq_log_info(const char *message)
{
    extism_log_info(ubiq_block_of_text(message));
}

/** @copydoc ubiq_log_debug */
static inline void ubiq_log_warn(const char *message)
{
    extism_log_warn(ubiq_block_of_text(message));
}

/** @copydoc ubiq_log_debug */
static inline void ubiq_log_error(const char *message)
{
    extism_log_error(ubiq_block_of_text(message));
}

/** Sets an attribute of the invocation's trace. 0, or a code. */
static inline ubiq_result ubiq_trace_attribute(const char *key, const char *value)
{
    ubiq_block k = ubiq_block_of_text(key), v = ubiq_block_of_text(value);
    ubiq_result result = ubiq_host_trace_attribute(k, v);

    ubiq_block_free(v);
    ubiq_block_free(k);
    return result;
}

/** Notes an event in the invocation's trace; `attributes` as in ubiq_log. 0, or a code. */
static inline ubiq_result ubiq_trace_event(const char *name, const char *attributes)
{
    ubiq_block n = ubiq_block_of_text(name), a = ubiq_block_of_text(attributes);
    ubiq_result result = ubiq_host_trace_event(n, a);

    ubiq_block_free(a);
    ubiq_block_free(n);
    return result;
}

/** @} */

#ifdef __cplusplus
}
#endif

#endif
