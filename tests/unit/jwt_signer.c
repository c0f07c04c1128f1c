#include "jwt_signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/hash.h"

#define TEXT_BYTES 65536
#define SIGNATURE_BYTES 1024

static void put_base64url(buf *out, slice data)
{
    size_t start = out->len;

    assert_int_equal(base64_encode(data, out), 0);
    while (out->len > start && out->data[out->len - 1] == '=')
        out->len--;
    for (size_t i = start; i < out->len; i++) {
        if (out->data[i] == '+')
            out->data[i] = '-';
        else if (out->data[i] == '/')
            out->data[i] = '_';
    }
}

static void put_signed_part(buf *out, const char *header, const char *claims)
{
    buf_init(out, TEXT_BYTES);
    put_base64url(out, slice_str(header));
    assert_int_equal(buf_append_byte(out, '.'), 0);
    put_base64url(out, slice_str(claims));
}

static char *put_signature(buf *out, slice signature)
{
    char *token;

    assert_int_equal(buf_append_byte(out, '.'), 0);
    put_base64url(out, signature);
    token = buf_take_str(out);
    assert_non_null(token);
    return token;
}

char *jwt_sign_hs256(const char *header, const char *claims, const char *secret)
{
    uint8_t mac[32];
    size_t len;
    buf out;

    put_signed_part(&out, header, claims);
    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, secret, strlen(secret), out.data,
                              out.len, mac, sizeof mac, &len));
    return put_signature(&out, slice_of(mac, len));
}

/* OpenSSL's form of an ECDSA signature is not that of tokens. */
static size_t to_raw(uint8_t *signature, size_t len)
{
    const uint8_t *at = signature;
    ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)len);

    assert_non_null(both);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(both), signature, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(both), signature + 32, 32), 32);
    ECDSA_SIG_free(both);
    return 64;
}

char *jwt_sign(const char *header, const char *claims, EVP_PKEY *key)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t signature[SIGNATURE_BYTES];
    size_t len = sizeof signature;
    buf out;

    put_signed_part(&out, header, claims);
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, out.data, out.len), 1);
    EVP_MD_CTX_free(context);
    if (EVP_PKEY_is_a(key, "EC"))
        len = to_raw(signature, len);
    return put_signature(&out, slice_of(signature, len));
}

char *jwt_public_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    char *text;
    long len;

    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    len = BIO_get_mem_data(bio, &data);
    text = strndup(data, (size_t)len);
    assert_non_null(text);
    BIO_free(bio);
    return text;
}

static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}

static BIGNUM *number(const char *base64url)
{
    BIGNUM *n;
    buf bytes;

    buf_init(&bytes, TEXT_BYTES);
    assert_int_equal(base64url_decode(slice_str(base64url), &bytes), 0);
    n = BN_bin2bn(bytes.data, (int)bytes.len, NULL);
    buf_deinit(&bytes);
    return n;
}

EVP_PKEY *jwt_rsa_key(const char *n, const char *e)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = number(n);
    BIGNUM *exponent = number(e);
    EVP_PKEY *key;

    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
    key = from_parameters("RSA", builder);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

EVP_PKEY *jwt_p256_key(const char *x, const char *y)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key;
    buf point;

    buf_init(&point, 65);
    assert_int_equal(buf_append_byte(&point, 4), 0);
    assert_int_equal(base64url_decode(slice_str(x), &point), 0);
    assert_int_equal(base64url_decode(slice_str(y), &point), 0);
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len);
    key = from_parameters("EC", builder);
    buf_deinit(&point);
    return key;
}
