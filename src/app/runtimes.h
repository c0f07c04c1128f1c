#ifndef UBIQ_APP_RUNTIMES_H
#define UBIQ_APP_RUNTIMES_H

#include "extism/library.h"

/* The language runtimes inside this program: modules that the functions of a language import from by
 * name, "ubiq:<language>@<hash>". A function that was built for another version's names one that is not
 * here. */

typedef struct runtime {
    const char *language; /* "js" */
    const char *name;     /* what functions import it by */
    slice module;         /* its bytes, for as long as the program runs */
} runtime;

/* The runtime of a language, or NULL. */
const runtime *runtime_of(const char *language);

/* All of them, for compiled_options.libraries; there for as long as the program runs. E_NO_MEMORY. */
int runtime_libraries(library *const **out, size_t *count, error *err) MUST_CHECK;

#endif
