#ifndef UBIQ_APP_DOTENV_H
#define UBIQ_APP_DOTENV_H

#include "app/problems.h"
#include "base/strmap.h"

/* Reads variables into `out` (empty before), one a line:
 *
 *   # a comment
 *   NAME=value            # the value ends before the comment, white space around it goes
 *   export NAME='as it is'
 *   NAME="with \n, \t, \", \\ and \$ in it"
 *
 * A quoted value may go over several lines. Of a name that comes twice the last value stands. Lines that
 * are something else are added to `found`, as in the file `path`, and passed over. E_NO_MEMORY: the
 * caller ends `out` with strmap_deinit all the same. */
int dotenv_parse(strmap *out, slice text, const char *path, problems *found, error *err) MUST_CHECK;

/* The same of a file; that there is none is fine. Also E_IO, E_TOO_LARGE. */
int dotenv_read(strmap *out, const char *path, problems *found, error *err) MUST_CHECK;

#endif
