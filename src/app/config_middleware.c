#include "app/config_internal.h"
#include "app/limits.h"
#include "base/http_text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* [middleware] */

/* A name of a header or a method. */
static bool is_token(const char *text)
{
    return strlen(text) <= LIMIT_NAME_BYTES && http_is_token(slice_str(text));
}

static int check_token(config_reader *r, const char *text)
{
    if (is_token(text))
        return 0;
    return error_set(&r->record.err, E_INVALID, "\"%s\" is not a name of a header or a method",
                     text);
}

static int read_tokens(config_reader *r, const config_key *key, void *into)
{
    (void)key;
    return config_read_list(r, into, check_token);
}

static int read_header(config_reader *r, const config_key *key, void *into)
{
    char **out = into;
    int rc = config_text(r, key, into);

    return rc ? rc : check_token(r, *out);
}

/* [middleware.cors] */

/* "*", or scheme and host, perhaps with a port, of which the first label may be '*'. */
static int check_origin(config_reader *r, const char *text)
{
    const char *host = strstr(text, "://");

    if (strcmp(text, "*") == 0)
        return 0;
    host = host ? host + 3 : "";
    if (strncmp(host, "*.", 2) == 0)
        host += 2;
    if ((strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0) && *host &&
        !host[strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.:[]")])
        return 0;
    return error_set(&r->record.err, E_INVALID,
                     "\"%s\" is not an origin, such as \"https://example.com\", "
                     "\"https://*.example.com\" or \"*\"",
                     text);
}

static int read_origins(config_reader *r, const config_key *key, void *into)
{
    (void)key;
    return config_read_list(r, into, check_origin);
}

static int check_cors(config_reader *r, void *into)
{
    const config_cors *cors = into;
    bool any = !cors->origins.given;

    for (size_t i = 0; i < cors->origins.count; i++)
        any = any || strcmp(cors->origins.item[i], "*") == 0;
    if (!any || !cors->credentials)
        return 0;
    return error_set(&r->record.err, E_INVALID,
                     "with credentials, origins must be listed: \"*\" would let every site act for "
                     "its visitors");
}

static const config_key cors_keys[] = {
    {"origins", read_origins, .offset = offsetof(config_cors, origins)},
    {"methods", read_tokens, .offset = offsetof(config_cors, methods)},
    {"headers", read_tokens, .offset = offsetof(config_cors, headers)},
    {"expose", read_tokens, .offset = offsetof(config_cors, expose)},
    {"credentials", config_flag, .offset = offsetof(config_cors, credentials)},
    {"max_age", config_duration, .offset = offsetof(config_cors, max_age_ms), .max = LIMIT_MS_MAX},
    {0},
};

/* [middleware.rate_limit] */

static int read_by(config_reader *r, const config_key *key, void *into)
{
    config_rate_limit *limit = into;
    char *by = NULL;
    int rc = config_text(r, key, &by);

    if (rc)
        goto done;
    if (strcmp(by, "address") == 0) {
        limit->by = RATE_BY_ADDRESS;
    } else if (strcmp(by, "route") == 0) {
        limit->by = RATE_BY_ROUTE;
    } else if (strncmp(by, "header:", 7) == 0 && is_token(by + 7)) {
        limit->by = RATE_BY_HEADER;
        free(limit->header);
        limit->header = strdup(by + 7);
        rc = limit->header ? 0 : record_no_memory(&r->record);
    } else {
        rc = error_set(&r->record.err, E_INVALID,
                       "\"%s\" is not \"address\", \"route\" or \"header:\" with a name", by);
    }
done:
    free(by);
    return rc;
}

static const config_key rate_limit_keys[] = {
    {"requests", config_number, .offset = offsetof(config_rate_limit, requests), .min = 1,
     .max = LIMIT_COUNT_MAX},
    {"per", config_duration, .offset = offsetof(config_rate_limit, per_ms), .max = LIMIT_MS_MAX},
    {"burst", config_number, .offset = offsetof(config_rate_limit, burst), .min = 1,
     .max = LIMIT_COUNT_MAX},
    {"by", read_by, .max = LIMIT_NAME_BYTES},
    {0},
};

/* [middleware.api_key] */

static int check_api_key_text(config_reader *r, const char *text)
{
    if (*text && strlen(text) <= LIMIT_TEXT_BYTES)
        return 0;
    return error_set(&r->record.err, E_INVALID, "a key is not empty");
}

static int read_api_keys(config_reader *r, const config_key *key, void *into)
{
    (void)key;
    return config_read_list(r, into, check_api_key_text);
}

static int check_api_key(config_reader *r, void *into)
{
    if (((const config_api_key *)into)->keys.count > 0)
        return 0;
    return error_set(&r->record.err, E_INVALID, "keys must have at least one key in it");
}

static const config_key api_key_keys[] = {
    {"header", read_header, .offset = offsetof(config_api_key, header), .max = LIMIT_NAME_BYTES},
    {"keys", read_api_keys, .offset = offsetof(config_api_key, keys)},
    {0},
};

/* [middleware.jwt] */

static int check_jwt(config_reader *r, void *into)
{
    const config_jwt *jwt = into;
    bool shared;

    if (!jwt->algorithm)
        return error_set(&r->record.err, E_INVALID, "algorithm is missing");
    shared = strcmp(jwt->algorithm, "HS256") == 0;
    if (shared ? jwt->secret && !jwt->public_key : jwt->public_key && !jwt->secret)
        return 0;
    return error_set(&r->record.err, E_INVALID, "%s takes %s, and no %s", jwt->algorithm,
                     shared ? "secret" : "public_key", shared ? "public_key" : "secret");
}

static const char *const algorithms[] = {"HS256", "RS256", "ES256", NULL};

static const config_key jwt_keys[] = {
    {"algorithm", config_word, .offset = offsetof(config_jwt, algorithm), .words = algorithms},
    {"secret", config_text, .offset = offsetof(config_jwt, secret), .max = LIMIT_TEXT_BYTES},
    {"public_key", config_text, .offset = offsetof(config_jwt, public_key),
     .max = LIMIT_TEXT_BYTES},
    {"issuer", config_text, .offset = offsetof(config_jwt, issuer), .max = LIMIT_TEXT_BYTES},
    {"audience", config_text, .offset = offsetof(config_jwt, audience), .max = LIMIT_TEXT_BYTES},
    {"leeway", config_duration, .offset = offsetof(config_jwt, leeway_ms), .max = LIMIT_MS_MAX},
    {0},
};

/* [middleware.compression] */

static int check_media_type(config_reader *r, const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+";
    const char *slash = text + strspn(text, allowed);

    if (slash > text && *slash == '/' && slash[1] &&
        (strcmp(slash, "/*") == 0 || !slash[1 + strspn(slash + 1, allowed)]))
        return 0;
    return error_set(&r->record.err, E_INVALID,
                     "\"%s\" is not a media type in lower case, such as \"text/html\" or "
                     "\"text/*\"",
                     text);
}

static int read_media_types(config_reader *r, const config_key *key, void *into)
{
    (void)key;
    return config_read_list(r, into, check_media_type);
}

static const config_key compression_keys[] = {
    {"min_size", config_size, .offset = offsetof(config_compression, min_bytes),
     .max = LIMIT_BODY_BYTES_MAX},
    {"types", read_media_types, .offset = offsetof(config_compression, types)},
    {0},
};

static const config_table cors_table = {cors_keys, check_cors};
static const config_table rate_limit_table = {rate_limit_keys, NULL};
static const config_table api_key_table = {api_key_keys, check_api_key};
static const config_table jwt_table = {jwt_keys, check_jwt};
static const config_table compression_table = {compression_keys, NULL};

static const config_key middleware_keys[] = {
    {"use", config_texts, .offset = offsetof(config_middleware, use)},
    {"cors", config_sub, .offset = offsetof(config_middleware, cors), .table = &cors_table},
    {"rate_limit", config_sub, .offset = offsetof(config_middleware, rate_limit),
     .table = &rate_limit_table},
    {"api_key", config_sub, .offset = offsetof(config_middleware, api_key),
     .table = &api_key_table},
    {"jwt", config_sub, .offset = offsetof(config_middleware, jwt), .table = &jwt_table},
    {"compression", config_sub, .offset = offsetof(config_middleware, compression),
     .table = &compression_table},
    {0},
};

const config_table config_middleware_table = {middleware_keys, NULL};
