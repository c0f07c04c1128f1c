#ifndef UBIQ_BUILD_DOCTOR_H
#define UBIQ_BUILD_DOCTOR_H

#include "base/error.h"

#include <stdbool.h>

/* What stands in the way of building functions in a language. Texts are lent. */
typedef struct doctor_finding {
    const char *language; /* "C" */
    const char *endings;  /* of its files: ".c" */
    const char *problem;  /* why nothing can be built, and what to do; NULL: it can */
    const char *version;  /* otherwise: what the compiler says it is, its first line */
    const char *program;  /* where it is; NULL: in this program */
    const char *lacks;    /* what works only with something else, and how to get it; or NULL */
} doctor_finding;

/* Tells of each language; of those named in `languages` (as builders call them, in any case) when there
 * are any. How many cannot be built; E_INVALID for a language that there is none of, E_NO_MEMORY. */
int doctor_examine(char *const *languages, unsigned count,
                   void (*report)(const doctor_finding *f, void *arg), void *arg,
                   error *err) MUST_CHECK;

#endif
