#ifndef UBIQ_BUILD_SCAFFOLD_H
#define UBIQ_BUILD_SCAFFOLD_H

#include "base/error.h"

/* Makes the files that a project, or a function, begins with. Nothing that is there is changed. */

/* Told of each file that was made; the path is lent. */
typedef void (*scaffold_made)(const char *path, void *arg);

/* Makes a project with a function in the language ("javascript"). E_INVALID when there is something at the
 * path already, or when there is no such language; E_IO, E_NO_MEMORY. */
int scaffold_project(const char *path, const char *language, scaffold_made made, void *arg,
                     error *err) MUST_CHECK;

/* Makes a function of a project: <project>/functions/<name>.<ending>. E_INVALID when it is no project,
 * when the name cannot be a function's or is taken, or when there is no such language; E_IO, E_NO_MEMORY. */
int scaffold_function(const char *project, const char *name, const char *language,
                      scaffold_made made, void *arg, error *err) MUST_CHECK;

#endif
