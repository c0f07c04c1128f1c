#include "extism_guest.h"

/* Gives its input back, copied word by word as the PDKs do it. */
EXPORT("echo") int32_t echo(void)
{
    uint64_t n = extism_input_length(), i = 0;
    handle h = extism_alloc(n);

    for (; i + 8 <= n; i += 8)
        extism_store_u64(h + i, extism_input_load_u64(i));
    for (; i < n; i++)
        extism_store_u8(h + i, extism_input_load_u8(i));
    extism_output_set(h, n);
    return 0;
}
