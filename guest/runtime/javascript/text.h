#ifndef UBIQ_JS_TEXT_H
#define UBIQ_JS_TEXT_H

#include "engine.h"

/* Strings and bytes for JavaScript; all of these are an exception when there is no memory. */

enum { TEXT_FATAL = 1, TEXT_KEEP_BOM = 2 };

/* A string of UTF-8; what is not becomes U+FFFD, as the Encoding Standard has it, or undefined with
 * TEXT_FATAL. A byte order mark is dropped without TEXT_KEEP_BOM. */
JSValue text_decode(JSContext *ctx, const uint8_t *data, size_t size, unsigned flags);

/* A Uint8Array of a string in QuickJS's UTF-8, in which lone surrogates stand as they are: they become
 * U+FFFD. */
JSValue text_encode(JSContext *ctx, const char *text, size_t size);

/* Base64 with padding, as a string. */
JSValue text_base64_encode(JSContext *ctx, const uint8_t *data, size_t size);

/* A Uint8Array of base64 as `atob` takes it: white space and missing padding are fine. Undefined for what
 * is not base64. */
JSValue text_base64_decode(JSContext *ctx, const char *text, size_t size);

#endif
