#include <ubiq.h>

#define NAME_MAX 100

/* Greets whom the request's body names. */
UBIQ_EXPORT("handle") int32_t handle(void)
{
    char name[NAME_MAX];
    char greeting[NAME_MAX + 16];
    ubiq_text text = ubiq_text_in(greeting, sizeof greeting);
    size_t size = ubiq_input_read(0, name, sizeof name);

    ubiq_put(&text, "Hello, ");
    if (size > 0)
        ubiq_put_bytes(&text, name, size);
    else
        ubiq_put(&text, "world");
    ubiq_put(&text, "!\n");
    ubiq_output_of(&text);
    return 0;
}
