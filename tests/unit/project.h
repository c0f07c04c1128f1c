#ifndef UBIQ_TEST_PROJECT_H
#define UBIQ_TEST_PROJECT_H

#include "app/problems.h"
#include "base/slice.h"

/* A project's directory made for a test. What cannot be done fails the test. */
typedef struct project {
    char path[40];
} project;

/* Makes an empty directory. */
void project_make(project *p);

/* Writes a file of it, with the directories it needs: "functions/a/b.wasm". */
void project_write(const project *p, const char *name, slice content);
void project_write_text(const project *p, const char *name, const char *text);

/* Makes a symbolic link in it, to a place outside or to another file of it ("functions/a.wasm"). */
void project_link(const project *p, const char *name, const char *to);

/* Removes a file, or a directory with all in it; the project itself for "". */
void project_remove(const project *p, const char *name);

/* Fails unless the problems are these, one a line, without the project's directory: "FILE:LINE: TEXT",
 * where the text may go on. Frees them. */
void project_assert_problems(const project *p, problems *found, const char *expected);

/* The smallest module that exports functions of these names; the caller
 * frees it. */
slice project_module(const char *const *exports, size_t count);

#endif
