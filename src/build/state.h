#ifndef UBIQ_BUILD_STATE_H
#define UBIQ_BUILD_STATE_H

#include "build/inputs.h"

/* What is known of a module that was built: kept beside it, so that one look at the files tells whether
 * it is still what they make. */
typedef struct build_state {
    char tools[SHA256_HEX_BYTES];  /* the stamp of the tools that made it */
    char module[SHA256_HEX_BYTES]; /* of its content */
    stamp output;                  /* of its file */
    int64_t checked_ns;            /* when its inputs were looked at */
    inputs inputs;
} build_state;

/* Reads one. False when there is none, or none that is understood; `out` is empty then. */
bool build_state_read(build_state *out, const char *path);

/* Writes one. E_IO, E_NO_MEMORY. */
int build_state_write(const build_state *s, const char *path, error *err) MUST_CHECK;

/* Whether all inputs are those there were, with the same content as far as stamps tell. `sources` is
 * what there is now, without stamps. */
bool build_state_holds(const build_state *s, const char *root, const inputs *sources);

/* Frees the content. Takes an all-zero one. */
void build_state_deinit(build_state *s);

#endif
