#ifndef UBIQ_APP_URL_PATH_H
#define UBIQ_APP_URL_PATH_H

#include "base/slice.h"

/* The path of a URL, with its percent escapes undone into `room` (at least path.len bytes): a view into
 * `path` when there are none. False for what names nothing: escapes that are none, bytes that are not
 * UTF-8, an escaped NUL, and an escaped slash, which would be a letter of a name and not what divides
 * two. "." and ".." are names like others. */
bool url_path_plain(slice path, uint8_t *room, slice *plain);

#endif
