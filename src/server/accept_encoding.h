#ifndef UBIQ_SERVER_ACCEPT_ENCODING_H
#define UBIQ_SERVER_ACCEPT_ENCODING_H

#include "base/slice.h"

/* The ways in which a body can be sent. */
enum coding { CODING_IDENTITY, CODING_GZIP, CODING_ZSTD };

/* Reads one weight of a list: ";q=0.5", or nothing, which is 1. In thousandths; -1 when it is not
 * one. */
int accept_encoding_weight(slice parameters);

/* The best of our codings for a request with these header lines (RFC 9110 section 12.5.3): that of
 * the highest weight, among equals zstd before gzip before identity. Identity when the request names
 * none, and also when it wants none of ours. */
enum coding accept_encoding_choose(slice headers);

#endif
