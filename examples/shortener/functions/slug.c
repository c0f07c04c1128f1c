/* Makes a code out of a number: the digits of base 32, mixed so that neighbours do not look alike. */

#include "../lib/links.h"

UBIQ_EXPORT("handle") int32_t handle(void)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    char text[24] = "", code[8];
    size_t size = ubiq_input_read(0, text, sizeof text - 1), at = sizeof code;
    uint32_t number = 0;

    for (size_t i = 0; i < size; i++)
        number = number * 10 + (uint32_t)(text[i] - '0');
    /* Odd, so that no two numbers below 2^30 give the same. */
    number = number * 0x2545f491u & 0x3fffffffu;
    do
        code[--at] = digits[number % 32];
    while ((number /= 32) > 0);
    ubiq_output(code + at, sizeof code - at);
    return 0;
}
