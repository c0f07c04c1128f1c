#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "library.h"
#include "measure.h"

/* What is measured, one function a group of rows. Each writes lines as measure.h has them. */

typedef struct setting {
    library upstream;
    library ours;
    const char *directory; /* of the plug-ins */
    bool quick;
} setting;

/* Calls, on a kept plug-in and in fresh ones, with inputs of three sizes. */
void rows_calls(const setting *s);

/* A small call on a kept plug-in before and after one of 10 MiB. */
void rows_after_large(const setting *s);

/* Loading a module: compiled, and from the cache in the directory `cache`. */
void rows_load(const setting *s, const char *cache);

/* Memory of suspended calls; alone in its process. Ours only. */
void rows_suspended(const char *directory);

/* Durable writes of keys, in databases that are made in the empty directory `directory`. Ours only,
 * beside SQLite used directly. */
void rows_kv_writes(const char *directory, bool quick);

/* JavaScript functions: a fresh call beside one of a function in C, and from source to module. Ours only. */
void rows_javascript(const char *directory, bool quick);

#endif
