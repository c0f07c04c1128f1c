#include "server/jwt_key.h"

#include "base/file.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#define HMAC_BYTES 32
#define ECDSA_NUMBER_BYTES 32 /* each of the two that are a signature */
#define ECDSA_DER_BYTES 72    /* the same as ASN.1, at the longest */
#define SECRET_BYTES_MIN 32   /* RFC 7518 section 3.2 */
#define RSA_BITS_MIN 2048     /* RFC 7518 section 3.3 */
#define GROUP_NAME_BYTES 64
#define PEM_BYTES_MAX (64UL * 1024)

typedef struct algorithm {
    const char *name;
    int (*take_key)(jwt_key *k, const config_jwt *c, const char *project, error *err);
    bool (*verify)(const jwt_key *k, slice data, slice signature);
} algorithm;

struct jwt_key {
    const algorithm *algorithm;
    char *secret;
    EVP_PKEY *public;
};

static int take_secret(jwt_key *k, const config_jwt *c, const char *project, error *err)
{
    (void)project;
    if (!c->secret || c->public_key)
        return error_set(err, E_INVALID, "middleware.jwt: HS256 needs secret, and no public_key");
    if (strlen(c->secret) < SECRET_BYTES_MIN)
        return error_set(err, E_INVALID,
                         "middleware.jwt: secret is shorter than the %d bytes that HS256 needs; "
                         "\"openssl rand -hex 32\" makes one",
                         SECRET_BYTES_MIN);
    k->secret = strdup(c->secret);
    return k->secret ? 0 : error_set(err, E_NO_MEMORY, "middleware.jwt");
}

static bool verify_hmac(const jwt_key *k, slice data, slice signature)
{
    uint8_t mac[HMAC_BYTES];
    size_t len = 0;

    return signature.len == HMAC_BYTES &&
           EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, k->secret, strlen(k->secret), data.data,
                     data.len, mac, sizeof mac, &len) &&
           len == HMAC_BYTES && CRYPTO_memcmp(mac, signature.data, HMAC_BYTES) == 0;
}

static bool leaves_directory(const char *path)
{
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return true;
    }
    return *path == '/';
}

/* Appends the key's text, from the configuration or from the file that this names. */
static int read_pem(buf *out, const char *text_or_path, const char *project, error *err)
{
    char *path = NULL;
    int rc;

    if (strstr(text_or_path, "-----BEGIN"))
        return buf_append_str(out, text_or_path);
    if (leaves_directory(text_or_path))
        return error_set(err, E_INVALID,
                         "middleware.jwt: public_key is neither a key in PEM nor a file's path "
                         "within the project");
    if (asprintf(&path, "%s/%s", project, text_or_path) < 0)
        return error_set(err, E_NO_MEMORY, "middleware.jwt");
    rc = file_read(path, out, err);
    if (rc)
        error_prefix(err, "middleware.jwt: public_key: ");
    free(path);
    return rc;
}

/* No key that is for publishing has a password; nobody is to be asked for one. */
static int no_password(char *out, int size, int writing, void *arg)
{
    (void)out, (void)size, (void)writing, (void)arg;
    return -1;
}

static int take_public_key(jwt_key *k, const config_jwt *c, const char *project, error *err)
{
    BIO *bio = NULL;
    buf pem;
    int rc;

    buf_init(&pem, PEM_BYTES_MAX);
    if (!c->public_key || c->secret) {
        rc = error_set(err, E_INVALID, "middleware.jwt: %s needs public_key, and no secret",
                       k->algorithm->name);
        goto done;
    }
    rc = read_pem(&pem, c->public_key, project, err);
    if (rc)
        goto done;
    bio = BIO_new_mem_buf(pem.len ? (const void *)pem.data : "", (int)pem.len);
    if (bio)
        k->public = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    ERR_clear_error();
    if (!k->public)
        rc = error_set(err, E_INVALID,
                       "middleware.jwt: public_key is not a public key in PEM "
                       "(-----BEGIN PUBLIC KEY-----)");
done:
    BIO_free(bio);
    buf_deinit(&pem);
    return rc;
}

static int take_rsa_key(jwt_key *k, const config_jwt *c, const char *project, error *err)
{
    int rc = take_public_key(k, c, project, err);

    if (rc)
        return rc;
    if (!EVP_PKEY_is_a(k->public, "RSA"))
        return error_set(err, E_INVALID, "middleware.jwt: public_key is not an RSA key");
    if (EVP_PKEY_get_bits(k->public) < RSA_BITS_MIN)
        return error_set(err, E_INVALID, "middleware.jwt: public_key has less than %d bits",
                         RSA_BITS_MIN);
    return 0;
}

static int take_ec_key(jwt_key *k, const config_jwt *c, const char *project, error *err)
{
    char group[GROUP_NAME_BYTES] = "";
    size_t len;
    int rc = take_public_key(k, c, project, err);

    if (rc)
        return rc;
    if (!EVP_PKEY_is_a(k->public, "EC") ||
        !EVP_PKEY_get_group_name(k->public, group, sizeof group, &len) ||
        strcmp(group, "prime256v1") != 0) {
        ERR_clear_error();
        return error_set(err, E_INVALID,
                         "middleware.jwt: public_key is not a key of the curve P-256");
    }
    return 0;
}

static bool verify_digest(const jwt_key *k, slice data, slice signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good;

    good = context &&
           EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, k->public, NULL) == 1 &&
           EVP_DigestVerify(context, signature.data, signature.len, data.data, data.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}

/* A token has the two numbers one behind the other, OpenSSL wants them as ASN.1. */
static bool verify_ecdsa(const jwt_key *k, slice data, slice signature)
{
    uint8_t der[ECDSA_DER_BYTES];
    uint8_t *end = der;
    BIGNUM *r = NULL;
    BIGNUM *s = NULL;
    ECDSA_SIG *both = NULL;
    bool good = false;
    int len;

    if (signature.len != (size_t)2 * ECDSA_NUMBER_BYTES)
        return false;
    r = BN_bin2bn(signature.data, ECDSA_NUMBER_BYTES, NULL);
    s = BN_bin2bn(signature.data + ECDSA_NUMBER_BYTES, ECDSA_NUMBER_BYTES, NULL);
    both = ECDSA_SIG_new();
    if (!r || !s || !both || !ECDSA_SIG_set0(both, r, s))
        goto done;
    r = s = NULL; /* its own now */
    len = i2d_ECDSA_SIG(both, NULL);
    if (len < 0 || len > ECDSA_DER_BYTES)
        goto done;
    i2d_ECDSA_SIG(both, &end);
    good = verify_digest(k, data, slice_of(der, (size_t)len));
done:
    ECDSA_SIG_free(both);
    BN_free(r);
    BN_free(s);
    return good;
}

static const algorithm algorithms[] = {
    {"HS256", take_secret, verify_hmac},
    {"RS256", take_rsa_key, verify_digest},
    {"ES256", take_ec_key, verify_ecdsa},
};

static const algorithm *find_algorithm(const char *name)
{
    for (size_t i = 0; name && i < sizeof algorithms / sizeof *algorithms; i++) {
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    }
    return NULL;
}

int jwt_key_create(jwt_key **out, const config_jwt *c, const char *project, error *err)
{
    jwt_key *k = calloc(1, sizeof *k);
    int rc;

    *out = NULL;
    if (!k)
        return error_set(err, E_NO_MEMORY, "middleware.jwt");
    k->algorithm = find_algorithm(c->algorithm);
    if (!k->algorithm) {
        rc = error_set(err, E_INVALID,
                       "middleware.jwt: algorithm must be \"HS256\", \"RS256\" or \"ES256\"");
        goto done;
    }
    rc = k->algorithm->take_key(k, c, project, err);
    if (rc)
        goto done;
    *out = k;
    k = NULL;
done:
    jwt_key_destroy(k);
    return rc;
}

const char *jwt_key_algorithm(const jwt_key *k)
{
    return k->algorithm->name;
}

bool jwt_key_verify(const jwt_key *k, slice data, slice signature)
{
    return k->algorithm->verify(k, data, signature);
}

void jwt_key_destroy(jwt_key *k)
{
    if (!k)
        return;
    if (k->secret)
        OPENSSL_cleanse(k->secret, strlen(k->secret));
    free(k->secret);
    EVP_PKEY_free(k->public);
    free(k);
}
