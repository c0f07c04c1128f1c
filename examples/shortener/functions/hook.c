/* Where the webhook leads as long as nobody has set another: it writes a line into the log. */

#include "../lib/links.h"

UBIQ_EXPORT("POST") int32_t post(void)
{
    char text[512];
    size_t size = ubiq_input_read(0, text, sizeof text - 1);

    text[size] = '\0';
    ubiq_log(UBIQ_LOG_INFO, "the webhook was told", text);
    ubiq_response_status(204);
    return 0;
}
