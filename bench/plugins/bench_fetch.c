#include "extism_guest.h"

/* Sends the request that its configuration holds and gives the answer's body back. */
EXPORT("handle") int32_t handle_request(void)
{
    output_block(extism_http_request(extism_config_get(block_of_text("request")), 0));
    return 0;
}
