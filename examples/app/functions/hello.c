/* Greets whom the request names, with the greeting that the configuration sets. */

#include "ubiq.h"

#define GREETING_MAX 64
#define NAME_MAX 256

/* Both write a text to `to`, or another one where there is none, and return its size; -1 when it is
 * too long. */
static ptrdiff_t read_greeting(char *to)
{
    static const char usual[] = "Hello";
    ptrdiff_t size = ubiq_config_get("greeting", to, GREETING_MAX + 1);

    if (size < 0) {
        size = sizeof usual - 1;
        __builtin_memcpy(to, usual, sizeof usual - 1);
    }
    return size <= GREETING_MAX ? size : -1;
}

static ptrdiff_t read_name(char *to)
{
    static const char usual[] = "world";
    size_t size = ubiq_input_size();

    if (size == 0) {
        size = sizeof usual - 1;
        __builtin_memcpy(to, usual, sizeof usual - 1);
    }
    ubiq_input_read(0, to, NAME_MAX);
    return size <= NAME_MAX ? (ptrdiff_t)size : -1;
}

UBIQ_EXPORT("handle") int32_t handle(void)
{
    char text[GREETING_MAX + NAME_MAX + 4];
    char *end = text;
    ptrdiff_t size = read_greeting(end);

    if (size < 0)
        return ubiq_fail("the greeting is too long");
    end += size;
    *end++ = ',';
    *end++ = ' ';
    size = read_name(end);
    if (size < 0)
        return ubiq_fail("the name is too long");
    end += size;
    *end++ = '!';
    *end++ = '\n';
    ubiq_output(text, (size_t)(end - text));
    return 0;
}
