#include "server/request_id.h"

#include <stdio.h>

static bool is_harmless(slice id)
{
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.data[i];
        uint8_t lower = c | 0x20;

        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') &&
            (c == '\0' || !strchr("-._~+/=:@", c)))
            return false;
    }
    return id.len > 0 && id.len <= LIMIT_REQUEST_ID_BYTES;
}

void request_id_take(slice headers, const char *own, char out[REQUEST_ID_BYTES])
{
    slice id;

    if (headers_find(headers, slice_str(REQUEST_ID_HEADER), &id) != 1 || !is_harmless(id))
        id = slice_str(own);
    snprintf(out, REQUEST_ID_BYTES, "%.*s", (int)id.len, (const char *)id.data);
}
