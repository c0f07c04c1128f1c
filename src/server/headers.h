#ifndef UBIQ_SERVER_HEADERS_H
#define UBIQ_SERVER_HEADERS_H

#include "base/buf.h"

/* Header lines of HTTP/1.x as they stand in a head: "Name: value CRLF" one behind the other, without
 * the empty line at the end. Nothing is copied to read them: every view is into the lines. Those of
 * a request have been found to be well-formed by request_head_read; whatever else the lines are, no
 * function here reads outside them, and what is not a header line ends them. Names are compared
 * without regard to case. */

typedef struct header_line {
    slice name;
    slice value; /* without the white space around it */
} header_line;

/* The header lines of a head, request_head.length bytes from the start of its request. */
slice headers_of(slice head);

/* Takes the first line from `*lines`. False when there is none any more. */
bool headers_next(slice *lines, header_line *out);

/* How many lines have the name: 0, 1, or 2 for more than one; `*value` is the first one's, or empty.
 * For a header that may come only once, 2 is as good as a request that nobody should trust. */
int headers_find(slice lines, slice name, slice *value);

/* The elements of a header that is a list ("gzip, br"), in all the lines it has, one after the other;
 * empty ones are left out. A comma between double quotes does not end an element; a backslash means
 * nothing there, as in entity tags. */
typedef struct header_list {
    slice lines;
    slice name;
    slice rest;
} header_list;

header_list headers_list(slice lines, slice name);
bool header_list_next(header_list *l, slice *element);

/* Appends the lines as a JSON object: names in lower case, the values of a name that comes again
 * joined by ", " (by "; " for cookie); set-cookie, whose values cannot be joined, is an array of
 * them. Values that are not UTF-8 are taken as ISO 8859-1. As buf_append. */
int headers_put_json(buf *out, slice lines) MUST_CHECK;

/* Appends a line. E_INVALID for a name that is not a token and for a value with a control character
 * other than a tab, or with white space around it; otherwise as buf_append. */
int headers_put(buf *lines, slice name, slice value) MUST_CHECK;

/* The same, in place of all lines of the name, which stay on failure. `value` must not be a view into
 * `lines`. */
int headers_set(buf *lines, slice name, slice value) MUST_CHECK;

/* Takes out all lines of the name. */
void headers_remove(buf *lines, slice name);

/* Adds an element to a list unless it, or "*", is there already: headers_add(lines, "Vary",
 * "Origin"). As headers_put. */
int headers_add(buf *lines, slice name, slice element) MUST_CHECK;

/* Whether two names or tokens are the same but for case. */
bool headers_name_equal(slice a, slice b);

#endif
