/* Counts the lines, words and bytes of a text, as wc does it in the C locale. */

#include "ubiq.h"

#define CHUNK 16384

struct counts {
    uint64_t lines;
    uint64_t words;
    uint64_t bytes;
    int in_word;
};

static void count(struct counts *c, const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = text[i];

        if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
            c->lines += byte == '\n';
            c->in_word = 0;
        } else if (byte > ' ' && byte < 0x7f && !c->in_word) {
            c->words++;
            c->in_word = 1;
        }
    }
    c->bytes += size;
}

/* Both return the end of what they wrote. */
static char *put_text(char *to, const char *text)
{
    while (*text)
        *to++ = *text++;
    return to;
}

static char *put_number(char *to, uint64_t number)
{
    char digits[20];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

UBIQ_EXPORT("handle") int32_t handle(void)
{
    static uint8_t chunk[CHUNK];
    struct counts c = {0};
    char json[128];
    char *end = json;
    size_t size;

    while ((size = ubiq_input_read((size_t)c.bytes, chunk, sizeof chunk)) > 0)
        count(&c, chunk, size);
    end = put_number(put_text(end, "{\"lines\":"), c.lines);
    end = put_number(put_text(end, ",\"words\":"), c.words);
    end = put_number(put_text(end, ",\"bytes\":"), c.bytes);
    end = put_text(end, "}\n");
    ubiq_output(json, (size_t)(end - json));
    return 0;
}
