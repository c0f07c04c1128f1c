#ifndef UBIQ_BUILD_TOOLS_H
#define UBIQ_BUILD_TOOLS_H

#include "base/buf.h"
#include "base/hash.h"
#include "build/cache.h"
#include "build/process.h"

#define TOOL_PATHS 12

/* What a language is built with: programs, and files and directories that belong to them. */
typedef struct build_tools {
    char *path[TOOL_PATHS];       /* what each is, the builder of the language says; NULL: none */
    char stamp[SHA256_HEX_BYTES]; /* changes when a program does: what tools_stamp was given */
    char *version;                /* what they say they are; NULL as long as they were not asked */
} build_tools;

/* Frees the content. Takes an all-zero one. */
void tools_deinit(build_tools *t);

/* The first program of this name in $PATH, by an absolute path whose links are not followed; the caller
 * frees it. NULL when there is none. */
char *tools_find(const char *name);

/* The directory of the guest SDK of a language, "c", beside the program that runs or where it was built;
 * the caller frees it. E_NOT_FOUND. */
int tools_guest_directory(const char *language, char **out, error *err) MUST_CHECK;

/* Computes t->stamp from the paths there are, how the files look that they name, and a text. E_INTERNAL,
 * E_NO_MEMORY. */
int tools_stamp(build_tools *t, const char *text, error *err) MUST_CHECK;

/* Fills in t->version, and the paths from number `from` on, as they were kept under the stamp. False when
 * nothing was. */
bool tools_recall(build_tools *t, size_t from, const build_cache *c);

/* Keeps them. */
void tools_remember(const build_tools *t, size_t from, const build_cache *c);

/* Runs a program and takes what it prints, without the white space at its end; the caller frees it.
 * E_INVALID when it fails, otherwise as process_run. */
int tools_ask(processes *p, const arguments *a, const char *const *environment, char **out,
              error *err) MUST_CHECK;

#endif
