#include "server/accept_encoding.h"

#include "base/http_text.h"
#include "server/headers.h"

#define UNSAID (-1)
#define WHOLE 1000

int accept_encoding_weight(slice parameters)
{
    const uint8_t *at = parameters.data;
    const uint8_t *end;
    int weight;

    if (parameters.len == 0)
        return WHOLE;
    end = at + parameters.len;
    /* OWS ; OWS q=0.123 */
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    if (at == end || *at++ != ';')
        return -1;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    if (end - at < 3 || (*at | 0x20) != 'q' || at[1] != '=' || (at[2] != '0' && at[2] != '1'))
        return -1;
    weight = (at[2] - '0') * WHOLE;
    at += 3;
    if (at < end && *at++ != '.')
        return -1;
    for (int unit = WHOLE / 10; at < end; unit /= 10, at++) {
        if (unit == 0 || *at < '0' || *at > '9')
            return -1;
        weight += (*at - '0') * unit;
    }
    return weight <= WHOLE ? weight : -1;
}

/* Which of the weights an element's name is for; NULL for none of ours. */
static int *weight_of(slice name, int weight[3], int *rest)
{
    if (headers_name_equal(name, slice_str("gzip")) ||
        headers_name_equal(name, slice_str("x-gzip")))
        return &weight[CODING_GZIP];
    if (headers_name_equal(name, slice_str("zstd")))
        return &weight[CODING_ZSTD];
    if (headers_name_equal(name, slice_str("identity")))
        return &weight[CODING_IDENTITY];
    return slice_equal_str(name, "*") ? rest : NULL;
}

enum coding accept_encoding_choose(slice headers)
{
    header_list accepted = headers_list(headers, slice_str("accept-encoding"));
    int weight[] = {UNSAID, UNSAID, UNSAID};
    int rest = UNSAID;
    enum coding best = CODING_IDENTITY;
    slice element;

    while (header_list_next(&accepted, &element)) {
        size_t len = 0;
        int *said;

        while (len < element.len && http_is_token(slice_of(element.data + len, 1)))
            len++;
        said = weight_of(slice_of(element.data, len), weight, &rest);
        /* The first one counts; what cannot be read says nothing. */
        if (said && *said == UNSAID)
            *said = accept_encoding_weight(slice_of(element.data + len, element.len - len));
    }
    for (int c = CODING_IDENTITY; c <= CODING_ZSTD; c++) {
        /* Nobody who does not name identity wants it rather than what he names. */
        if (weight[c] == UNSAID)
            weight[c] = c == CODING_IDENTITY || rest == UNSAID ? 0 : rest;
        if (weight[c] > 0 && weight[c] >= weight[best])
            best = (enum coding)c;
    }
    return best;
}
