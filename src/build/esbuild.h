#ifndef UBIQ_BUILD_ESBUILD_H
#define UBIQ_BUILD_ESBUILD_H

#include "build/builder.h"
#include "build/source_lines.h"

/* esbuild, which turns TypeScript into JavaScript and puts a function and what it imports into one file. */

/* A text that changes with the version that is used. */
const char *esbuild_version(void);

/* Bundles job->source: appends the JavaScript to `out`, notes in `lines` where its lines come from, and the
 * files that were read in job->inputs. 1 when it is done, 0 when the source is wrong, which job->said tells;
 * E_NOT_FOUND when there is no esbuild and no way to get it: the text says what to do. */
int esbuild_bundle(const build_job *job, buf *out, source_lines *lines, error *err) MUST_CHECK;

#endif
