#ifndef UBIQ_BASE_FILE_H
#define UBIQ_BASE_FILE_H

#include "base/buf.h"

#include <sys/types.h>

/* Reads a whole file into `out` (appended). E_NOT_FOUND, E_IO, E_NO_MEMORY, E_TOO_LARGE over out's
 * maximum; the error's text names the path and errno's words. `out` is unchanged on failure. */
int file_read(const char *path, buf *out, error *err) MUST_CHECK;

/* Writes a file so that a reader sees the old one or the whole new one: a temporary file in the
 * same directory with exactly `mode` (no umask), fsync, rename. E_NOT_FOUND when the directory is
 * not there, E_IO otherwise; the old file, if any, stands then. */
int file_write_atomic(const char *path, slice content, mode_t mode, error *err) MUST_CHECK;

/* Writes all of it to an open file. -1 with errno's number when that fails. */
int file_write_all(int fd, slice content) MUST_CHECK;

/* Makes a directory and its parents (mode 0700 for those that are new). Fine when it is there.
 * E_IO when a part of the path is something else or cannot be made. */
int file_make_dirs(const char *path, error *err) MUST_CHECK;

#endif
