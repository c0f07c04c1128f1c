#ifndef UBIQ_BUILD_SOURCE_LINES_H
#define UBIQ_BUILD_SOURCE_LINES_H

#include "base/buf.h"
#include "base/error.h"

/* Where the lines of a file that was made come from: what is left of a source map when only lines matter,
 * in a form that is small and that the JavaScript runtime reads when an error is told. As text:
 *
 *   the sources' names, one a line, and an empty line; then, separated by blanks, for each line of the file
 *   "n" (n lines, each from the line after the one that the line before is from), "+d" or "-d" (d lines
 *   further down or up than that) or "s:l" (line l of source s, both from 0). */
typedef struct source_lines {
    buf text; /* empty: lines are as they are */
} source_lines;

/* Makes it of a source map (version 3, JSON). Names of sources are taken from behind `prefix` where they
 * begin with it. E_INVALID. */
int source_lines_read(source_lines *out, slice map, const char *prefix, error *err) MUST_CHECK;

/* Finds where a line (from 1) comes from: the source's name, a view, and its line. False when that is not
 * known. */
bool source_lines_find(const source_lines *l, unsigned line, slice *source, unsigned *source_line);

/* Frees the content. Takes an all-zero one. */
void source_lines_deinit(source_lines *l);

#endif
