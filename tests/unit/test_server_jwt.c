#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base/hash.h"
#include "jwt_signer.h"
#include "server/jwt.h"
#include "server/limits.h"

#define CLAIMS_BYTES 16384
#define NOW 1700000000

/* RFC 7515 appendix A: one set of claims, with three signatures. */
#define RFC_CLAIMS                                                                                 \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define RFC_EXPIRES 1300819380

static const char rfc_hs256[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_CLAIMS
                                ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char rfc_hs256_key[] =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

static const char rfc_rs256[] =
    "eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L"
    "07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUi"
    "pUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
static const char rfc_rs256_n[] =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
    "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
    "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"
    "WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

static const char rfc_es256[] =
    "eyJhbGciOiJFUzI1NiJ9." RFC_CLAIMS
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
static const char rfc_es256_x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
static const char rfc_es256_y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

static char hs256[] = "HS256";
static char rs256[] = "RS256";
static char es256[] = "ES256";
static char secret[] = "a secret of more than 32 bytes, as it must be";

static const config_jwt with_secret = {.algorithm = hs256, .secret = secret};

static jwt *make(const config_jwt *c)
{
    error err = {0};
    jwt *j;

    if (jwt_create(&j, c, "/nonexistent", &err))
        fail_msg("%s", error_text(&err));
    return j;
}

/* What is wrong with a token; NULL when nothing is. Valid until the next call. */
static const char *verdict(const jwt *j, const char *token, uint64_t now_s)
{
    static char text[200];
    error err = {0};
    buf claims;
    int rc;

    buf_init(&claims, CLAIMS_BYTES);
    rc = jwt_verify(j, slice_str(token), now_s, &claims, &err);
    if (rc == 0)
        assert_true(claims.len >= 2);
    else
        assert_int_equal(claims.len, 0);
    if (rc) {
        assert_int_equal(rc, E_DENIED);
        assert_null(strpbrk(error_text(&err), "\"\\"));
        snprintf(text, sizeof text, "%s", error_text(&err));
    }
    buf_deinit(&claims);
    error_deinit(&err);
    return rc ? text : NULL;
}

static void assert_verdict(const char *said, const char *expected)
{
    if ((said == NULL) != (expected == NULL) || (said && !strstr(said, expected)))
        fail_msg("\"%s\", expected \"%s\"", said ? said : "valid", expected ? expected : "valid");
}

static void assert_denied(const jwt *j, const char *token)
{
    if (!verdict(j, token, 0))
        fail_msg("accepted: %s", token);
}

/* The three of RFC 7515: valid until they expire, and not with one bit changed anywhere. */
static void check_rfc_token(const config_jwt *c, const char *token)
{
    jwt *j = make(c);
    char *copy = strdup(token);
    buf claims;

    assert_verdict(verdict(j, token, RFC_EXPIRES - 1), NULL);
    assert_verdict(verdict(j, token, RFC_EXPIRES), "expired");
    buf_init(&claims, CLAIMS_BYTES);
    assert_int_equal(jwt_verify(j, slice_str(token), 0, &claims, NULL), 0);
    assert_true(slice_equal_str(buf_slice(&claims), "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                                                    "\"http://example.com/is_root\":true}"));
    buf_deinit(&claims);
    for (size_t i = 0; copy[i]; i++) {
        char c_there = copy[i];

        /* Another letter; of the last one of a part, one whose unused bits are not 0 as well. */
        copy[i] = c_there == 'A' ? 'B' : 'A';
        assert_denied(j, copy);
        copy[i] = (char)(c_there + 1);
        assert_denied(j, copy);
        copy[i] = c_there;
    }
    for (size_t len = strlen(copy); len > 0; len--) {
        copy[len - 1] = '\0';
        assert_denied(j, copy);
    }
    free(copy);
    jwt_destroy(j);
}

static void test_rfc_7515(void **state)
{
    EVP_PKEY *rsa = jwt_rsa_key(rfc_rs256_n, "AQAB");
    EVP_PKEY *ec = jwt_p256_key(rfc_es256_x, rfc_es256_y);
    char *rsa_pem = jwt_public_pem(rsa);
    char *ec_pem = jwt_public_pem(ec);
    char *key;
    buf bytes;

    (void)state;
    buf_init(&bytes, 100);
    assert_int_equal(base64url_decode(slice_str(rfc_hs256_key), &bytes), 0);
    key = buf_take_str(&bytes);
    assert_int_equal(strlen(key), 64);
    check_rfc_token(&(config_jwt){.algorithm = hs256, .secret = key}, rfc_hs256);
    check_rfc_token(&(config_jwt){.algorithm = rs256, .public_key = rsa_pem}, rfc_rs256);
    check_rfc_token(&(config_jwt){.algorithm = es256, .public_key = ec_pem}, rfc_es256);
    free(key);
    free(rsa_pem);
    free(ec_pem);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

/* Whatever a token says of its algorithm, it is checked with the configured one. */
static void test_no_confusion(void **state)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    char *rsa_pem = jwt_public_pem(rsa);
    char *ec_pem = jwt_public_pem(ec);
    jwt *of_rsa = make(&(config_jwt){.algorithm = rs256, .public_key = rsa_pem});
    jwt *of_ec = make(&(config_jwt){.algorithm = es256, .public_key = ec_pem});
    jwt *of_secret = make(&with_secret);
    char *tokens[] = {
        jwt_sign("{\"alg\":\"RS256\"}", "{}", rsa),
        jwt_sign("{\"alg\":\"ES256\"}", "{}", ec),
        jwt_sign_hs256("{\"alg\":\"HS256\"}", "{}", secret),
        /* A public key is known to everybody; it must not pass for a secret. */
        jwt_sign_hs256("{\"alg\":\"HS256\"}", "{}", rsa_pem),
        jwt_sign_hs256("{\"alg\":\"RS256\"}", "{}", rsa_pem),
        jwt_sign_hs256("{\"alg\":\"ES256\"}", "{}", ec_pem),
        jwt_sign("{\"alg\":\"ES256\"}", "{}", rsa),
        jwt_sign("{\"alg\":\"RS256\"}", "{}", ec),
        jwt_sign("{\"alg\":\"HS256\"}", "{}", rsa),
        jwt_sign("{\"alg\":\"PS256\"}", "{}", rsa),
        strdup("eyJhbGciOiJub25lIn0.e30."),
        strdup("eyJhbGciOiJub25lIn0.e30.AA"),
        strdup("eyJhbGciOiJub25lIn0.e30"),
        strdup("eyJhbGciOiJOb05lIn0.e30."),
        strdup("eyJhbGciOiJIUzI1NiJ9.e30."),
    };

    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        assert_int_equal(verdict(of_rsa, tokens[i], NOW) == NULL, i == 0);
        assert_int_equal(verdict(of_ec, tokens[i], NOW) == NULL, i == 1);
        assert_int_equal(verdict(of_secret, tokens[i], NOW) == NULL, i == 2);
        free(tokens[i]);
    }
    jwt_destroy(of_rsa);
    jwt_destroy(of_ec);
    jwt_destroy(of_secret);
    free(rsa_pem);
    free(ec_pem);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

static void test_headers(void **state)
{
    static const struct {
        const char *header;
        const char *verdict;
    } cases[] = {
        {"{\"alg\":\"HS256\"}", NULL},
        {" { \"typ\" : \"JWT\" , \"alg\" : \"\\u0048S256\" } ", NULL},
        /* Keys that the token brings along or points to mean nothing. */
        {"{\"alg\":\"HS256\",\"kid\":\"../../dev/null\",\"jku\":\"http://x/\",\"jwk\":{}}", NULL},
        {"{}", "does not say how it is signed"},
        {"{\"alg\":null}", "another algorithm"},
        {"{\"alg\":\"hs256\"}", "another algorithm"},
        {"{\"alg\":\"HS256\\u0000\"}", "another algorithm"},
        {"{\"alg\":[\"HS256\"]}", "another algorithm"},
        {"{\"ALG\":\"HS256\"}", "does not say how it is signed"},
        {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "twice"},
        {"{\"alg\":\"none\",\"alg\":\"HS256\"}", "another algorithm"},
        {"{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\"}", "twice"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", "extensions"},
        {"{\"alg\":\"HS256\",\"crit\":[]}", "extensions"},
        {"[\"HS256\"]", "JSON"},
        {"{\"alg\":\"HS256\"", "JSON"},
        {"{\"alg\":\"HS256\"}}", "JSON"},
        {"{\"alg\":\"HS256\",}", "JSON"},
        {"{\"alg\":\"HS256\",\"x\":tru}", "JSON"},
        {"{\"alg\":\"HS256\",\"x\":\"\xff\"}", "JSON"},
        {"\xef\xbb\xbf{\"alg\":\"HS256\"}", "JSON"},
    };
    jwt *j = make(&with_secret);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *token = jwt_sign_hs256(cases[i].header, "{}", secret);

        assert_verdict(verdict(j, token, NOW), cases[i].verdict);
        free(token);
    }
    jwt_destroy(j);
}

static void check_claims(const config_jwt *c, const char *claims, const char *expected)
{
    jwt *j = make(c);
    char *token = jwt_sign_hs256("{\"alg\":\"HS256\"}", claims, secret);

    assert_verdict(verdict(j, token, NOW), expected);
    free(token);
    jwt_destroy(j);
}

static void test_dates(void **state)
{
    static const struct {
        const char *claims;
        const char *exact;   /* the verdict without leeway, */
        const char *lenient; /* and with 10 s of it */
    } cases[] = {
        {"{\"exp\":1700000001}", NULL, NULL},
        {"{\"exp\":1700000000}", "expired", NULL},
        {"{\"exp\":1700000000.5}", NULL, NULL},
        {"{\"exp\":1.7000000005e9}", NULL, NULL},
        {"{\"exp\":1699999991}", "expired", NULL},
        {"{\"exp\":1699999990}", "expired", "expired"},
        {"{\"exp\":0}", "expired", "expired"},
        {"{\"exp\":-1}", "expired", "expired"},
        {"{\"nbf\":1700000000}", NULL, NULL},
        {"{\"nbf\":1700000001}", "not valid yet", NULL},
        {"{\"nbf\":1700000010}", "not valid yet", NULL},
        {"{\"nbf\":1700000011}", "not valid yet", "not valid yet"},
        {"{\"iat\":1700000000}", NULL, NULL},
        {"{\"iat\":1700000011}", "not valid yet", "not valid yet"},
        {"{\"iat\":1,\"nbf\":2,\"exp\":1800000000}", NULL, NULL},
        {"{\"iat\":1,\"nbf\":2,\"exp\":3}", "expired", "expired"},
        {"{\"exp\":\"1800000000\"}", "number of seconds", "number of seconds"},
        {"{\"exp\":null}", "number of seconds", "number of seconds"},
        {"{\"exp\":1e999}", "number of seconds", "number of seconds"},
        {"{\"exp\":18000000000000000000000000000000000000000}", "number of seconds", "number of"},
        {"{\"nbf\":true}", "number of seconds", "number of seconds"},
        {"{\"iat\":[1]}", "number of seconds", "number of seconds"},
        {"{\"nbf\":0x7fffffff}", "JSON", "JSON"},
        {"{\"exp\":1800000000,\"exp\":1}", "twice", "twice"},
        {"{\"Exp\":1}", NULL, NULL},
        {"{}", NULL, NULL},
    };
    config_jwt lenient = with_secret;

    (void)state;
    lenient.leeway_ms = 10000;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_claims(&with_secret, cases[i].claims, cases[i].exact);
        check_claims(&lenient, cases[i].claims, cases[i].lenient);
    }
}

static void test_issuer_and_audience(void **state)
{
    static const struct {
        const char *claims;
        const char *free;  /* the verdict where nothing is configured, */
        const char *bound; /* and for issuer "joe" and audience "shop" */
    } cases[] = {
        {"{\"iss\":\"joe\",\"aud\":\"shop\"}", "another audience", NULL},
        {"{\"iss\":\"joe\",\"aud\":[\"x\",\"shop\"]}", "another audience", NULL},
        {"{\"iss\":\"joe\",\"aud\":[\"shop\",1]}", "another audience", "another audience"},
        {"{\"iss\":\"joe\",\"aud\":[]}", "another audience", "another audience"},
        {"{\"iss\":\"joe\",\"aud\":[[\"shop\"]]}", "another audience", "another audience"},
        {"{\"iss\":\"joe\",\"aud\":\"Shop\"}", "another audience", "another audience"},
        {"{\"iss\":\"joe\",\"aud\":\"shop2\"}", "another audience", "another audience"},
        {"{\"iss\":\"joe\",\"aud\":null}", "another audience", "another audience"},
        {"{\"iss\":\"joe\"}", NULL, "another audience"},
        {"{\"aud\":\"shop\"}", "another audience", "another issuer"},
        {"{\"iss\":\"ann\",\"aud\":\"shop\"}", "another audience", "another issuer"},
        {"{\"iss\":[\"joe\"],\"aud\":\"shop\"}", "another audience", "another issuer"},
        {"{}", NULL, "another issuer"},
    };
    static char issuer[] = "joe";
    static char audience[] = "shop";
    config_jwt bound = with_secret;

    (void)state;
    bound.issuer = issuer;
    bound.audience = audience;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_claims(&with_secret, cases[i].claims, cases[i].free);
        check_claims(&bound, cases[i].claims, cases[i].bound);
    }
}

static void test_claims_that_are_none(void **state)
{
    static const char *const bad[] = {"", "[]", "null", "\"{}\"", "{} {}", "{\"a\":1 \"b\":2}"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_claims(&with_secret, bad[i], *bad[i] ? "JSON" : "three parts");
}

static void test_sizes(void **state)
{
    jwt *j = make(&with_secret);
    char *claims = malloc(CLAIMS_BYTES);
    char *token;
    size_t len = 0;

    (void)state;
    /* The longest that fits, and a bit more. */
    for (size_t letters = 6000; letters < 6200; letters += 50) {
        sprintf(claims, "{\"a\":\"%0*d\"}", (int)letters, 0);
        token = jwt_sign_hs256("{\"alg\":\"HS256\"}", claims, secret);
        assert_verdict(verdict(j, token, NOW),
                       strlen(token) > LIMIT_TOKEN_BYTES ? "too long" : NULL);
        free(token);
    }
    for (size_t count = LIMIT_TOKEN_MEMBERS; count <= LIMIT_TOKEN_MEMBERS + 1; count++) {
        len = 0;
        for (size_t i = 0; i < count; i++)
            len += (size_t)sprintf(claims + len, "%s\"m%zu\":%zu", i ? "," : "{", i, i);
        strcpy(claims + len, "}");
        token = jwt_sign_hs256("{\"alg\":\"HS256\"}", claims, secret);
        assert_verdict(verdict(j, token, NOW), count > LIMIT_TOKEN_MEMBERS ? "too much" : NULL);
        free(token);
    }
    free(claims);
    jwt_destroy(j);
}

static void test_forms(void **state)
{
    static const char *const bad[] = {
        "",        ".",           "..",           "...",          "a.b",
        "a.b.c.d", "e30.e30.e30", "e30=.e30.e30", " e30.e30.e30", "e30.e30.e3+",
        "e30..e30"};
    jwt *j = make(&with_secret);
    char *token = jwt_sign_hs256("{\"alg\":\"HS256\"}", "{}", secret);
    char longer[200];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_denied(j, bad[i]);
    snprintf(longer, sizeof longer, "%s=", token);
    assert_denied(j, longer);
    snprintf(longer, sizeof longer, "%s.", token);
    assert_denied(j, longer);
    snprintf(longer, sizeof longer, "%s\n", token);
    assert_denied(j, longer);
    snprintf(longer, sizeof longer, "%sAAAA", token);
    assert_denied(j, longer);
    assert_verdict(verdict(j, token, NOW), NULL);
    free(token);
    jwt_destroy(j);
}

static void check_admission(const jwt *j, const char *headers, const char *challenge)
{
    slice value;
    response r;
    buf claims;
    bool admitted;

    buf_init(&claims, CLAIMS_BYTES);
    response_init(&r);
    admitted = jwt_admit(j, slice_str(headers), NOW, &claims, &r, "");
    assert_int_equal(admitted, challenge == NULL);
    if (admitted) {
        assert_true(slice_equal_str(buf_slice(&claims), "{}"));
    } else {
        assert_int_equal(r.status, 401);
        assert_int_equal(headers_find(buf_slice(&r.headers), slice_str("www-authenticate"), &value),
                         1);
        assert_true(slice_equal_str(value, challenge));
        assert_non_null(memmem(r.body.data, r.body.len, "\"unauthorized\"", 14));
    }
    response_deinit(&r);
    buf_deinit(&claims);
}

static void test_authorization(void **state)
{
    static const struct {
        const char *before, *behind; /* the token */
        const char *challenge;
    } cases[] = {
        {"Authorization: Bearer ", "\r\n", NULL},
        {"authorization: bearer   ", "\r\n", NULL},
        {"X: y\r\nAUTHORIZATION:BEARER ", " \r\n", NULL},
        {"X: ", "\r\n", "Bearer"},
        {"Authorization: Basic ", "\r\n", "Bearer"},
        {"Authorization: ", "\r\n", "Bearer"},
        {"Authorization: Bearer\r\nX: ", "\r\n", "Bearer"},
        {"Authorization: Bearer x\r\nAuthorization: Bearer ", "\r\n",
         "Bearer error=\"invalid_token\", "
         "error_description=\"the request has more than one token\""},
        {"Authorization: Bearer ", "x\r\n",
         "Bearer error=\"invalid_token\", "
         "error_description=\"the token's signature is not valid\""},
        {"Authorization: Bearer ", ", x\r\n",
         "Bearer error=\"invalid_token\", error_description=\"the token is not in base64url\""},
    };
    jwt *j = make(&with_secret);
    char *token = jwt_sign_hs256("{\"alg\":\"HS256\"}", "{}", secret);

    (void)state;
    /* A letter more makes a length that base64 has, if the token's is no multiple of four. */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char lines[500];

        snprintf(lines, sizeof lines, "%s%s%s", cases[i].before, token, cases[i].behind);
        check_admission(j, lines, cases[i].challenge);
    }
    free(token);
    jwt_destroy(j);
}

static void check_refused(const config_jwt *c, int code, const char *text)
{
    error err = {0};
    jwt *j;

    assert_int_equal(jwt_create(&j, c, ".", &err), code);
    assert_null(j);
    if (!strstr(error_text(&err), text))
        fail_msg("%s", error_text(&err));
    assert_non_null(strstr(error_text(&err), "middleware.jwt"));
    error_deinit(&err);
}

static void test_keys_that_do_not_fit(void **state)
{
    EVP_PKEY *rsa = EVP_RSA_gen(1024);
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    EVP_PKEY *other = EVP_EC_gen("P-384");
    char *rsa_pem = jwt_public_pem(rsa);
    char *ec_pem = jwt_public_pem(ec);
    char *other_pem = jwt_public_pem(other);
    char none[] = "none", empty[] = "", shorter[] = "31 bytes are one less than 32..";
    char broken[] = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    char missing[] = "missing.pem", outside[] = "keys/../../key.pem", absolute[] = "/etc/key.pem";

    (void)state;
    assert_int_equal(strlen(shorter), 31);
    check_refused(&(config_jwt){.secret = secret}, E_INVALID, "algorithm");
    check_refused(&(config_jwt){.algorithm = none, .secret = secret}, E_INVALID, "algorithm");
    check_refused(&(config_jwt){.algorithm = hs256}, E_INVALID, "secret");
    check_refused(&(config_jwt){.algorithm = hs256, .secret = empty}, E_INVALID, "32 bytes");
    check_refused(&(config_jwt){.algorithm = hs256, .secret = shorter}, E_INVALID, "32 bytes");
    check_refused(&(config_jwt){.algorithm = hs256, .secret = secret, .public_key = rsa_pem},
                  E_INVALID, "no public_key");
    check_refused(&(config_jwt){.algorithm = rs256, .secret = secret}, E_INVALID, "public_key");
    check_refused(&(config_jwt){.algorithm = rs256, .secret = secret, .public_key = rsa_pem},
                  E_INVALID, "no secret");
    check_refused(&(config_jwt){.algorithm = rs256, .public_key = rsa_pem}, E_INVALID, "2048");
    check_refused(&(config_jwt){.algorithm = rs256, .public_key = ec_pem}, E_INVALID, "RSA");
    check_refused(&(config_jwt){.algorithm = es256, .public_key = rsa_pem}, E_INVALID, "P-256");
    check_refused(&(config_jwt){.algorithm = es256, .public_key = other_pem}, E_INVALID, "P-256");
    check_refused(&(config_jwt){.algorithm = es256, .public_key = broken}, E_INVALID, "in PEM");
    check_refused(&(config_jwt){.algorithm = es256, .public_key = missing}, E_NOT_FOUND, missing);
    check_refused(&(config_jwt){.algorithm = es256, .public_key = outside}, E_INVALID, "within");
    check_refused(&(config_jwt){.algorithm = es256, .public_key = absolute}, E_INVALID, "within");
    free(rsa_pem);
    free(ec_pem);
    free(other_pem);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(other);
}

static void test_a_key_in_a_file(void **state)
{
    char directory[] = "/tmp/ubiq-jwt-XXXXXX";
    char name[] = "..key.pem"; /* a name like any other */
    char path[100];
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    char *pem = jwt_public_pem(ec);
    char *token = jwt_sign("{\"alg\":\"ES256\"}", "{}", ec);
    const config_jwt c = {.algorithm = es256, .public_key = name};
    FILE *file;
    jwt *j;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(pem, file);
    fclose(file);
    assert_int_equal(jwt_create(&j, &c, directory, NULL), 0);
    assert_verdict(verdict(j, token, NOW), NULL);
    jwt_destroy(j);
    unlink(path);
    rmdir(directory);
    free(token);
    free(pem);
    EVP_PKEY_free(ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_7515),
        cmocka_unit_test(test_no_confusion),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_issuer_and_audience),
        cmocka_unit_test(test_claims_that_are_none),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_authorization),
        cmocka_unit_test(test_keys_that_do_not_fit),
        cmocka_unit_test(test_a_key_in_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
