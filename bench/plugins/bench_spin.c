#include "extism_guest.h"

/* Computes until it is stopped. */
EXPORT("handle") int32_t handle_request(void)
{
    static volatile uint32_t n;

    for (;;)
        n++;
}
