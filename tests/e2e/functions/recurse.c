/* Invokes itself, and says "x" before what comes back, or before why nothing does. */

#include <ubiq.h>

UBIQ_EXPORT("handle") int32_t handle(void)
{
    char text[256] = "x";
    ptrdiff_t size = ubiq_invoke("recurse", "", 0, text + 1, sizeof text - 1);

    if (size < 0)
        size = ubiq_error_text(text + 1, sizeof text - 1);
    ubiq_output(text, (size_t)size + 1);
    return 0;
}
