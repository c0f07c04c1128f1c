#ifndef UBIQ_APP_PROBLEMS_H
#define UBIQ_APP_PROBLEMS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* What is wrong with a project, collected so that its author sees all of it at once. Not shared
 * between threads. */
struct problem {
    char *file;    /* the project's directory as it was given, and the path in it */
    unsigned line; /* from 1; 0 where it is about the file as a whole */
    char *text;
};

/* All-zero when there is none. */
typedef struct problems {
    struct problem *item;
    size_t count;
    size_t more; /* that were too many to be kept */
    bool no_memory;
} problems;

/* Adds one. */
void problems_add(problems *p, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts those in the order of their files and lines. */
void problems_sort(problems *p);

/* 0 when there is none. E_INVALID with the first one as "FILE:LINE: TEXT" and how many more there
 * are; E_NO_MEMORY when memory ran out while they were collected. */
int problems_conclude(const problems *p, error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void problems_deinit(problems *p);

#endif
