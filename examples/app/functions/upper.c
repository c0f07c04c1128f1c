/* Puts a text's letters from a to z into upper case. */

#include "ubiq.h"

#define CHUNK 16384

UBIQ_EXPORT("handle") int32_t handle(void)
{
    static uint8_t chunk[CHUNK];
    size_t length = ubiq_input_size();
    ubiq_block output = ubiq_block_new(length);
    size_t size;

    for (size_t at = 0; (size = ubiq_input_read(at, chunk, sizeof chunk)) > 0; at += size) {
        for (size_t i = 0; i < size; i++) {
            if (chunk[i] >= 'a' && chunk[i] <= 'z')
                chunk[i] = (uint8_t)(chunk[i] - 'a' + 'A');
        }
        ubiq_block_write(output, at, chunk, size);
    }
    extism_output_set(output, length);
    return 0;
}
