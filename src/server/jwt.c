#include "server/jwt.h"

#include "base/hash.h"
#include "base/json.h"
#include "server/jwt_key.h"
#include "server/limits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define NUMBER_BYTES 32 /* of a date, as text */
#define CHALLENGE_BYTES 256

struct jwt {
    jwt_key *key;
    char *issuer;
    char *audience;
    double leeway_s;
};

/* What is being read of a token. */
struct reading {
    const jwt *jwt;
    double now_s;
    bool has_algorithm;
    bool has_issuer;
    bool has_audience;
    bool out_of_memory; /* so that nothing can be said against the token */
};

/* Takes a member of the token's header or of its claims: 0, E_DENIED, E_NO_MEMORY. */
typedef int (*take_member)(struct reading *t, slice name, slice value, error *err);

int jwt_create(jwt **out, const config_jwt *c, const char *project, error *err)
{
    jwt *j = calloc(1, sizeof *j);
    int rc;

    *out = NULL;
    if (!j)
        return error_set(err, E_NO_MEMORY, "middleware.jwt");
    rc = jwt_key_create(&j->key, c, project, err);
    if (rc)
        goto done;
    j->issuer = c->issuer ? strdup(c->issuer) : NULL;
    j->audience = c->audience ? strdup(c->audience) : NULL;
    j->leeway_s = (double)c->leeway_ms / 1000;
    if ((c->issuer && !j->issuer) || (c->audience && !j->audience)) {
        rc = error_set(err, E_NO_MEMORY, "middleware.jwt");
        goto done;
    }
    *out = j;
    j = NULL;
done:
    jwt_destroy(j);
    return rc;
}

void jwt_destroy(jwt *j)
{
    if (!j)
        return;
    jwt_key_destroy(j->key);
    free(j->issuer);
    free(j->audience);
    free(j);
}

static int denied(error *err, const char *why)
{
    return error_set(err, E_DENIED, "%s", why);
}

/* Whether a value, which is well-formed, is this string. */
static bool is_string(struct reading *t, slice value, const char *text)
{
    json_reader r = {.text = value};
    bool same;
    buf s;
    int rc;

    buf_init(&s, value.len);
    rc = json_string(&r, &s, NULL);
    same = rc == 0 && slice_equal_str(buf_slice(&s), text);
    t->out_of_memory |= rc == E_NO_MEMORY;
    buf_deinit(&s);
    return same;
}

/* Reads a value and gives its text, which is well-formed. */
static bool read_value(struct reading *t, json_reader *r, slice *text)
{
    size_t start;
    int rc;

    json_peek(r);
    start = r->at;
    rc = json_copy(r, NULL, NULL);
    t->out_of_memory |= rc == E_NO_MEMORY;
    *text = slice_of(r->text.data + start, r->at - start);
    return rc == 0;
}

/* Whether it is this string or an array of strings with it. */
static bool has_string(struct reading *t, slice value, const char *text)
{
    json_reader r = {.text = value};
    bool found = false;
    slice element;

    if (json_peek(&r) != JSON_ARRAY)
        return is_string(t, value, text);
    if (json_enter(&r, JSON_ARRAY, NULL) != 0)
        return false;
    for (size_t i = 0; json_next(&r, JSON_ARRAY, i, NULL) > 0; i++) {
        if (json_peek(&r) != JSON_STRING || !read_value(t, &r, &element))
            return false;
        found = found || is_string(t, element, text);
    }
    return found;
}

static int take_header(struct reading *t, slice name, slice value, error *err)
{
    if (slice_equal_str(name, "alg")) {
        t->has_algorithm = true;
        if (!is_string(t, value, jwt_key_algorithm(t->jwt->key)))
            return denied(err, "the token is signed with another algorithm than it must be");
    }
    /* It names extensions that must be understood, and there are none that we do. */
    if (slice_equal_str(name, "crit"))
        return denied(err, "the token needs extensions that are not known");
    return 0;
}

/* A number of seconds since 1970, which may have a fraction. */
static int read_date(slice value, double *out, error *err)
{
    json_reader r = {.text = value};
    char text[NUMBER_BYTES] = "";

    if (json_peek(&r) != JSON_NUMBER || value.len >= sizeof text)
        return denied(err, "a date in the token is not a number of seconds");
    memcpy(text, value.data, value.len);
    *out = strtod(text, NULL);
    return isfinite(*out) ? 0 : denied(err, "a date in the token is not a number of seconds");
}

static int take_date(struct reading *t, slice name, slice value, error *err)
{
    double leeway = t->jwt->leeway_s;
    double date = 0;
    int rc = read_date(value, &date, err);

    if (rc)
        return rc;
    if (slice_equal_str(name, "exp"))
        return t->now_s >= date + leeway ? denied(err, "the token has expired") : 0;
    return t->now_s + leeway < date ? denied(err, "the token is not valid yet") : 0;
}

static int take_claim(struct reading *t, slice name, slice value, error *err)
{
    const jwt *j = t->jwt;

    if (slice_equal_str(name, "exp") || slice_equal_str(name, "nbf") ||
        slice_equal_str(name, "iat"))
        return take_date(t, name, value, err);
    if (slice_equal_str(name, "iss")) {
        t->has_issuer = true;
        if (j->issuer && !is_string(t, value, j->issuer))
            return denied(err, "the token is of another issuer");
    }
    if (slice_equal_str(name, "aud")) {
        t->has_audience = true;
        /* RFC 7519 section 4.1.3: who does not find himself in it must refuse it. */
        if (!j->audience || !has_string(t, value, j->audience))
            return denied(err, "the token is for another audience");
    }
    return 0;
}

static int read_member(json_reader *r, strmap *names, struct reading *t, take_member take,
                       error *err)
{
    slice value;
    buf name;
    int rc;

    buf_init(&name, r->text.len);
    rc = json_name(r, &name, NULL);
    t->out_of_memory |= rc == E_NO_MEMORY;
    if (rc || !read_value(t, r, &value)) {
        rc = denied(err, "the token is not made of JSON objects");
        goto done;
    }
    /* Of two that are the same, somebody else may have looked at the other one. */
    if (strmap_get(names, buf_slice(&name), NULL)) {
        rc = denied(err, "the token says a thing twice");
        goto done;
    }
    rc = strmap_set(names, buf_slice(&name), slice_of(NULL, 0));
    t->out_of_memory |= rc != 0;
    rc = rc ? rc : take(t, buf_slice(&name), value, err);
done:
    buf_deinit(&name);
    return rc;
}

/* Reads an object of members that differ in their names. */
static int read_object(slice text, struct reading *t, take_member take, error *err)
{
    json_reader r = {.text = text};
    strmap names = {0};
    int more = 0;
    int rc = 0;

    if (!slice_is_utf8(text) || json_enter(&r, JSON_OBJECT, NULL) != 0) {
        rc = denied(err, "the token is not made of JSON objects");
        goto done;
    }
    for (size_t i = 0; rc == 0 && (more = json_next(&r, JSON_OBJECT, i, NULL)) > 0; i++)
        rc = i < LIMIT_TOKEN_MEMBERS ? read_member(&r, &names, t, take, err)
                                     : denied(err, "the token says too much");
    if (rc == 0 && (more < 0 || json_end(&r, NULL) != 0))
        rc = denied(err, "the token is not made of JSON objects");
done:
    strmap_deinit(&names);
    return rc;
}

/* A token is header.claims.signature, each in base64url. */
struct parts {
    slice header;
    slice claims;
    slice signature;
    slice is_signed; /* header.claims */
};

static bool split(slice token, struct parts *p)
{
    const uint8_t *first = token.len ? memchr(token.data, '.', token.len) : NULL;
    const uint8_t *end = token.data + token.len;
    const uint8_t *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    p->header = slice_of(token.data, (size_t)(first - token.data));
    p->claims = slice_of(first + 1, (size_t)(second - first - 1));
    p->signature = slice_of(second + 1, (size_t)(end - second - 1));
    p->is_signed = slice_of(token.data, (size_t)(second - token.data));
    return p->header.len && p->claims.len && p->signature.len;
}

static int decode(struct reading *t, slice part, buf *out, error *err)
{
    int rc;

    buf_clear(out);
    rc = base64url_decode(part, out);
    t->out_of_memory |= rc == E_NO_MEMORY;
    return rc ? denied(err, "the token is not in base64url") : 0;
}

static int verify(struct reading *t, const struct parts *p, buf *text, error *err)
{
    int rc = decode(t, p->header, text, err);

    rc = rc ? rc : read_object(buf_slice(text), t, take_header, err);
    if (rc == 0 && !t->has_algorithm)
        rc = denied(err, "the token does not say how it is signed");
    rc = rc ? rc : decode(t, p->signature, text, err);
    if (rc == 0 && !jwt_key_verify(t->jwt->key, p->is_signed, buf_slice(text)))
        rc = denied(err, "the token's signature is not valid");
    /* Only now is it worth while to look at what it says. */
    rc = rc ? rc : decode(t, p->claims, text, err);
    rc = rc ? rc : read_object(buf_slice(text), t, take_claim, err);
    if (rc == 0 && t->jwt->issuer && !t->has_issuer)
        rc = denied(err, "the token is of another issuer");
    if (rc == 0 && t->jwt->audience && !t->has_audience)
        rc = denied(err, "the token is for another audience");
    return rc;
}

int jwt_verify(const jwt *j, slice token, uint64_t now_s, buf *claims, error *err)
{
    struct reading t = {.jwt = j, .now_s = (double)now_s};
    struct parts parts;
    buf text;
    int rc;

    if (token.len > LIMIT_TOKEN_BYTES)
        return denied(err, "the token is too long");
    if (!split(token, &parts))
        return denied(err, "the token is not made of three parts");
    buf_init(&text, LIMIT_TOKEN_BYTES);
    rc = verify(&t, &parts, &text, err);
    rc = rc ? rc : buf_append(claims, text.data, text.len);
    t.out_of_memory |= rc == E_NO_MEMORY;
    if (t.out_of_memory)
        rc = error_set(err, E_NO_MEMORY, "out of memory for a token");
    buf_deinit(&text);
    return rc;
}

/* The token of Authorization: Bearer; empty when there is none. */
static slice find_token(slice headers, error *err)
{
    static const char scheme[] = "Bearer ";
    slice value;

    switch (headers_find(headers, slice_str("authorization"), &value)) {
    case 0:
        error_set(err, E_NOT_FOUND, "the request has no token");
        return slice_of(NULL, 0);
    case 1:
        break;
    default:
        error_set(err, E_DENIED, "the request has more than one token");
        return slice_of(NULL, 0);
    }
    if (value.len < sizeof scheme ||
        strncasecmp((const char *)value.data, scheme, sizeof scheme - 1) != 0) {
        error_set(err, E_NOT_FOUND, "the request has no token of the scheme Bearer");
        return slice_of(NULL, 0);
    }
    value = slice_of(value.data + sizeof scheme - 1, value.len - sizeof scheme + 1);
    while (value.data[0] == ' ')
        value = slice_of(value.data + 1, value.len - 1);
    return value;
}

bool jwt_admit(const jwt *j, slice headers, uint64_t now_s, buf *claims, response *r,
               const char *invocation)
{
    char challenge[CHALLENGE_BYTES] = "Bearer";
    error err = {0};
    slice token = find_token(headers, &err);
    slice why;

    if (token.len && jwt_verify(j, token, now_s, claims, &err) == 0)
        return true;
    why = slice_str(error_text(&err));
    switch (err.code) {
    case E_DENIED:
        /* The texts are ours, and none has a quotation mark. */
        snprintf(challenge, sizeof challenge,
                 "Bearer error=\"invalid_token\", error_description=\"%s\"", error_text(&err));
        response_set_unauthorized(r, why, challenge, invocation);
        break;
    case E_NOT_FOUND:
        response_set_unauthorized(r, why, challenge, invocation);
        break;
    default:
        response_set_error(r, 503, "busy", why, invocation);
        break;
    }
    error_deinit(&err);
    return false;
}
