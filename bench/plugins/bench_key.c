#include <ubiq.h>

/* As bench_small, but that it reads a key first. */
UBIQ_EXPORT("handle") int32_t handle(void)
{
    char value[64];

    if (ubiq_kv_get("key", value, sizeof value) < 0)
        return ubiq_fail_last("reading the key");
    ubiq_output("ok", 2);
    return 0;
}
