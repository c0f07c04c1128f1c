#ifndef UBIQ_BASE_PATTERN_H
#define UBIQ_BASE_PATTERN_H

#include "base/slice.h"

/* A pattern in which '*' stands for any run of bytes, taken apart once so that a match is quick. There
 * are no other wildcards. All functions may be called in any thread. */
typedef struct pattern {
    slice text;  /* all of it */
    slice head;  /* before the first '*'; all of it when there is none */
    slice inner; /* between the first '*' and the last */
    slice tail;  /* behind the last '*' */
    bool open;   /* it has a '*' */
} pattern;

/* Takes `text` apart. It is borrowed for as long as the pattern is used. */
pattern pattern_of(slice text);

/* Whether the pattern matches the whole subject, in time that grows as their lengths do. */
bool pattern_matches(const pattern *p, slice subject);

#endif
