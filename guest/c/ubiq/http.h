#ifndef UBIQ_HTTP_H
#define UBIQ_HTTP_H

/**
 * @file http.h
 * Requests to other hosts:
 *
 *     ubiq_http_request request = {.url = "https://api.example.com/rates"};
 *     ubiq_http_response response;
 *
 *     ubiq_http_send(&request, &response);
 *     if (response.status == 200)
 *         ubiq_output_block(response.body);
 *     ubiq_http_response_free(&response);
 */

#include "json.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A header of a request. */
typedef struct ubiq_http_header {
    const char *name;
    const char *value;
} ubiq_http_header;

/** What is sent. All texts are borrowed; what is 0 or NULL has its default. */
typedef struct ubiq_http_request {
    const char *url;
    const char *method; /**< GET by default */
    const ubiq_http_header *headers;
    size_t header_count;
    const void *body;
    size_t body_size;
} ubiq_http_request;

/** What came back. End it with ubiq_http_response_free. */
typedef struct ubiq_http_response {
    uint32_t status;
    ubiq_block body;    /**< 0 when it is empty */
    ubiq_block headers; /**< a JSON object, or 0 when the host does not tell them */
} ubiq_http_response;

/** @cond */
UBIQ_FUNCTION void ubiq_http_put_(ubiq_text *t, const ubiq_http_request *request)
{
    ubiq_put(t, "{\"url\":");
    ubiq_put_json(t, request->url);
    ubiq_put(t, ",\"method\":");
    ubiq_put_json(t, request->method ? request->method : "GET");
    ubiq_put(t, ",\"headers\":{");
    for (size_t i = 0; i < request->header_count; i++) {
        if (i > 0)
            ubiq_put_char(t, ',');
        ubiq_put_json(t, request->headers[i].name);
        ubiq_put_char(t, ':');
        ubiq_put_json(t, request->headers[i].value);
    }
    ubiq_put(t, "}}");
}
/** @endcond */

/**
 * Sends a request and waits for its response. A host that cannot be reached, that is not allowed or
 * that takes too long ends the call with an error, as on any Extism host.
 */
UBIQ_FUNCTION void ubiq_http_send(const ubiq_http_request *request, ubiq_http_response *response)
{
    ubiq_text text = ubiq_text_in_block(0);

    ubiq_http_put_(&text, request);
    text = ubiq_text_in_block(ubiq_block_new(text.length));
    ubiq_http_put_(&text, request);
    response->body =
        extism_http_request(text.block, ubiq_block_of(request->body, request->body_size));
    response->status = extism_http_status_code();
    response->headers = extism_http_headers();
}

/** Copies a header of a response, whatever the case of its name, as a text: up to `size` - 1 bytes and
 * a NUL. The length of the whole value, or UBIQ_NOT_FOUND. */
static inline ptrdiff_t ubiq_http_response_header(const ubiq_http_response *response,
                                                  const char *name, char *to, size_t size)
{
    ubiq_view value;

    if (size > 0)
        to[0] = '\0';
    if (response->headers == 0 ||
        !ubiq_json_member_any_case(ubiq_view_of(response->headers), name, &value))
        return (ptrdiff_t)UBIQ_NOT_FOUND;
    return ubiq_json_text(value, to, size);
}

/** Frees a response's blocks. One that is passed on as output must stay until the call ends. */
static inline void ubiq_http_response_free(ubiq_http_response *response)
{
    ubiq_block_free(response->body);
    ubiq_block_free(response->headers);
    response->body = response->headers = 0;
}

#ifdef __cplusplus
}
#endif

#endif
