#ifndef UBIQ_BASE_UTF8_H
#define UBIQ_BASE_UTF8_H

#include "base/slice.h"

#define UTF8_PROBLEM_BYTES 96

/* Says in `out` why `s` is not UTF-8, in the words of Rust's Utf8Error: "invalid utf-8 sequence of 1
 * bytes from index 2". `size` is at best UTF8_PROBLEM_BYTES. */
void utf8_describe(slice s, char *out, size_t size);

#endif
