#ifndef LINKS_H
#define LINKS_H

#include <ubiq.h>

/* What the functions agree on: where things are kept. */

#define CODE_MAX 32
#define URL_MAX 2048
#define KEY_MAX 64

/* Puts "prefix:code" together. */
static inline void key_of(char key[KEY_MAX], const char *prefix, const char *code)
{
    ubiq_text t = ubiq_text_in(key, KEY_MAX);

    ubiq_put(&t, prefix);
    ubiq_put_char(&t, ':');
    ubiq_put(&t, code);
}

/* Codes are of letters, digits and hyphens, so that they need no escapes anywhere. */
static inline int is_code(const char *code)
{
    size_t size = 0;

    for (; code[size]; size++) {
        char c = code[size];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-')
            return 0;
    }
    return size > 0 && size <= CODE_MAX;
}

/* The code of the request's path; 0 when it can be none. */
static inline int code_of_request(char code[CODE_MAX + 1])
{
    ptrdiff_t size = ubiq_param("code", code, CODE_MAX + 1);

    return size > 0 && size <= CODE_MAX && is_code(code);
}

/* Answers with a status and a small JSON object that says why. Returns 0, for the function to end. */
static inline int32_t refuse(int32_t status, const char *why)
{
    char room[512];
    ubiq_text t = ubiq_text_in(room, sizeof room);

    ubiq_response_status(status);
    ubiq_response_header("Content-Type", "application/json");
    ubiq_put(&t, "{\"error\":");
    ubiq_put_json(&t, why);
    ubiq_put(&t, "}\n");
    ubiq_output_of(&t);
    return 0;
}

/* A number that is kept in decimal; 0 when there is none. */
static inline int64_t number_at(const char *key)
{
    char text[24] = "";
    ptrdiff_t size = ubiq_kv_get(key, text, sizeof text - 1);
    int64_t number = 0;

    for (ptrdiff_t i = 0; i < size && i < 20; i++)
        number = number * 10 + (text[i] - '0');
    return number;
}

#endif
