/* Greets whom its input names, and counts the greetings. */

#include <ubiq.h>

UBIQ_EXPORT("handle") int32_t handle(void)
{
    char name[64], text[128];
    size_t size = ubiq_input_read(0, name, sizeof name - 1);
    ubiq_text t = ubiq_text_in(text, sizeof text);
    int64_t number;

    name[size] = '\0';
    if (ubiq_kv_increment("greetings", 1, &number) < 0)
        return ubiq_fail_last("counting");
    ubiq_put(&t, "Hello, ");
    ubiq_put(&t, name);
    ubiq_put(&t, "! This is greeting number ");
    ubiq_put_number(&t, number);
    ubiq_output(text, t.length);
    return 0;
}
