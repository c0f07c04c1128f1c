#include "server/api_key.h"

#include "base/hash.h"
#include "base/http_text.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

struct api_key {
    char *header;
    char *challenge;
    char *message;
    size_t count;
    uint8_t (*digest)[SHA256_BYTES];
};

/* A header's value has no white space around it and no control characters. */
static bool is_key(slice key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] < ' ' || key.data[i] == 0x7f)
            return false;
    }
    return key.len > 0 && key.data[0] != ' ' && key.data[key.len - 1] != ' ';
}

static int add_keys(api_key *k, const config_list *keys, error *err)
{
    if (keys->count == 0)
        return error_set(err, E_INVALID, "middleware.api_key: there are no keys");
    k->digest = calloc(keys->count, sizeof *k->digest);
    if (!k->digest)
        return error_set(err, E_NO_MEMORY, "middleware.api_key");
    for (k->count = 0; k->count < keys->count; k->count++) {
        slice key = slice_str(keys->item[k->count]);

        if (!is_key(key))
            return error_set(err, E_INVALID,
                             "middleware.api_key: keys[%zu] is empty or has white space around it "
                             "or a control character in it",
                             k->count);
        if (sha256(key, k->digest[k->count]) != 0)
            return error_set(err, E_INTERNAL, "middleware.api_key: no SHA-256");
    }
    return 0;
}

static int set_header(api_key *k, const char *header, error *err)
{
    if (!http_is_token(slice_str(header)))
        return error_set(err, E_INVALID, "middleware.api_key: header is no header's name");
    k->header = strdup(header);
    if (!k->header || asprintf(&k->challenge, "ApiKey header=\"%s\"", header) < 0 ||
        asprintf(&k->message, "the header %s has no valid key", header) < 0)
        return error_set(err, E_NO_MEMORY, "middleware.api_key");
    return 0;
}

int api_key_create(api_key **out, const config_api_key *c, error *err)
{
    api_key *k = calloc(1, sizeof *k);
    int rc;

    *out = NULL;
    if (!k)
        return error_set(err, E_NO_MEMORY, "middleware.api_key");
    rc = set_header(k, c->header, err);
    if (rc)
        goto done;
    rc = add_keys(k, &c->keys, err);
    if (rc)
        goto done;
    *out = k;
    k = NULL;
done:
    api_key_destroy(k);
    return rc;
}

bool api_key_check(const api_key *k, slice headers, char id[API_KEY_ID_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    bool good = false;
    slice value;

    if (headers_find(headers, slice_str(k->header), &value) != 1 || sha256(value, digest) != 0)
        return false;
    /* What is compared are digests, and all of them: neither how much of a key is right nor which
     * one it is can be told by the time it takes. */
    for (size_t i = 0; i < k->count; i++)
        good |= CRYPTO_memcmp(digest, k->digest[i], SHA256_BYTES) == 0;
    for (size_t i = 0; good && i < (API_KEY_ID_BYTES - 1) / 2; i++)
        snprintf(id + 2 * i, 3, "%02x", digest[i]);
    return good;
}

int api_key_put_headers(const api_key *k, buf *headers)
{
    return headers_add(headers, slice_str("Vary"), slice_str(k->header));
}

void api_key_refuse(const api_key *k, response *r, const char *invocation)
{
    response_set_unauthorized(r, slice_str(k->message), k->challenge, invocation);
}

void api_key_destroy(api_key *k)
{
    if (!k)
        return;
    free(k->digest);
    free(k->message);
    free(k->challenge);
    free(k->header);
    free(k);
}
