#include "extism_guest.h"

extern IMPORT("extism:host/user", "wait") int64_t host_wait_for(handle what);

/* Asks the host for something and gives the answer back. */
EXPORT("handle") int32_t handle_request(void)
{
    int64_t answer = host_wait_for(block_of_text("anything"));

    output(&answer, sizeof answer);
    return 0;
}
