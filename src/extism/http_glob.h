#ifndef UBIQ_EXTISM_HTTP_GLOB_H
#define UBIQ_EXTISM_HTTP_GLOB_H

#include "base/slice.h"

/* Whether `text` matches a pattern as Rust's glob crate has them (Pattern::matches): `*` any run,
 * also of `/` and leading dots; `?` any one character; `[a-z_]` and `[!a-z_]` one character in or
 * not in a set, where `]` may stand first; a path part that is `**` any run of whole parts. Case
 * counts. A pattern that is not one (`***`, `a**`, an open `[`) matches only itself. Time is at
 * most the product of both lengths. */
bool http_glob_matches(slice pattern, slice text);

#endif
