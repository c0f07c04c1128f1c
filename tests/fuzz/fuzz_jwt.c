#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "server/jwt.h"

#define SECRET "a secret of more than 32 bytes, as it must be"
#define TEXT_BYTES (1024UL * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

static const jwt *the_jwt(void)
{
    static char algorithm[] = "HS256", secret[] = SECRET, issuer[] = "joe", audience[] = "shop";
    static jwt *made;

    if (!made)
        require(jwt_create(&made,
                           &(config_jwt){.algorithm = algorithm,
                                         .secret = secret,
                                         .issuer = issuer,
                                         .audience = audience,
                                         .leeway_ms = 1000},
                           ".", NULL) == 0);
    return made;
}

/* Either it is refused with a reason that may stand in a header, or its claims are an object. */
static void check(slice token, bool may_be_valid)
{
    error err = {0};
    buf claims;
    int rc;

    buf_init(&claims, TEXT_BYTES);
    rc = jwt_verify(the_jwt(), token, 1700000000, &claims, &err);
    if (rc == 0) {
        json_reader r = {.text = buf_slice(&claims)};

        require(may_be_valid && slice_is_utf8(r.text) && json_peek(&r) == JSON_OBJECT);
        require(json_copy(&r, NULL, NULL) == 0 && json_end(&r, NULL) == 0);
    } else {
        require(rc == E_DENIED && claims.len == 0);
        require(!strpbrk(error_text(&err), "\"\\\r\n"));
    }
    buf_deinit(&claims);
    error_deinit(&err);
}

static void put_base64url(buf *out, slice part)
{
    size_t start = out->len;

    require(base64_encode(part, out) == 0);
    while (out->len > start && out->data[out->len - 1] == '=')
        out->len--;
    for (size_t i = start; i < out->len; i++) {
        if (out->data[i] == '+')
            out->data[i] = '-';
        if (out->data[i] == '/')
            out->data[i] = '_';
    }
}

/* A token with this header and these claims, signed as it must be. */
static void check_signed(slice header, slice claims)
{
    uint8_t mac[32];
    size_t len;
    buf token;

    buf_init(&token, TEXT_BYTES);
    put_base64url(&token, header);
    require(buf_append_byte(&token, '.') == 0);
    put_base64url(&token, claims);
    require(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, SECRET, strlen(SECRET), token.data,
                      token.len, mac, sizeof mac, &len) != NULL);
    require(buf_append_byte(&token, '.') == 0);
    put_base64url(&token, slice_of(mac, len));
    check(buf_slice(&token), true);
    buf_deinit(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice input = slice_of(data, size);

    if (size > TEXT_BYTES / 8)
        return 0;
    check(input, false);
    check_signed(slice_str("{\"alg\":\"HS256\"}"), input);
    check_signed(input, slice_str("{\"iss\":\"joe\",\"aud\":\"shop\"}"));
    return 0;
}
