#ifndef UBIQ_BUILD_OUTPUT_H
#define UBIQ_BUILD_OUTPUT_H

#include "base/buf.h"

/* Writes a file so that a reader sees the old one or the whole new one, and makes its directory if need
 * be. As file_write_atomic, but does not wait for the disk: what is built can be built again, and a
 * file that a power failure emptied is noticed by its size. */
int output_write(const char *path, slice content, error *err) MUST_CHECK;

/* Removes a directory with all that is in it; no link in it is followed. Fine when it is not there, or
 * cannot be removed. */
void output_remove_directory(const char *path);

#endif
