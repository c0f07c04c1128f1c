#ifndef UBIQ_BASE_HTTP_TEXT_H
#define UBIQ_BASE_HTTP_TEXT_H

#include "base/slice.h"

/* What the texts in a message of HTTP are made of: RFC 9110, section 5.6. Letters are those of ASCII,
 * whatever the process's locale holds for some. */

/* Whether a token may have this in it. */
static inline bool http_is_token_char(uint8_t c)
{
    uint8_t lower = c | 0x20;

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           (c && strchr("!#$%&'*+.^_`|~", c));
}

/* Whether it is what a field's name, a method or an encoding can be: a token. */
bool http_is_token(slice text);

/* Whether `text` is `lower`, a word in lower case, but for the case of its letters. */
bool http_is_word(slice text, const char *lower);

/* Whether it may be the value of a field: no control character but the tab. */
bool http_is_field_value(slice text);

/* It without the spaces and tabs around it. */
slice http_trim(slice text);

#endif
