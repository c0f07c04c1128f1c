/* Greets whom the request names, with the greeting that ubiq.toml sets. */

#include "ubiq.h"

#define GREETING_MAX 64
#define NAME_MAX 256

UBIQ_EXPORT("handle") int32_t handle(void)
{
    char text[GREETING_MAX + NAME_MAX + 4];
    ptrdiff_t greeting = ubiq_config_get("greeting", text, GREETING_MAX);
    size_t size = ubiq_input_size();

    if (greeting < 0)
        return ubiq_fail("the key \"greeting\" is not configured");
    if (greeting > GREETING_MAX)
        return ubiq_fail("the greeting is too long");
    if (size > NAME_MAX)
        return ubiq_fail("the name is too long");

    char *end = text + greeting;

    *end++ = ',';
    *end++ = ' ';
    if (size == 0) {
        __builtin_memcpy(end, "world", size = 5);
    } else {
        ubiq_input_read(0, end, size);
    }
    end += size;
    *end++ = '!';
    *end++ = '\n';
    ubiq_output(text, (size_t)(end - text));
    return 0;
}
