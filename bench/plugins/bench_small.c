#include "extism_guest.h"

/* As little as a function can do and still be one. */
EXPORT("handle") int32_t handle_request(void)
{
    output("ok", 2);
    return 0;
}
