#ifndef UBIQ_TESTS_EMBED_CASE_H
#define UBIQ_TESTS_EMBED_CASE_H

#include "libubiq.h"
#include "project.h"

#include <pthread.h>

/* A project for tests of libubiq. Its functions are
 *   echo    gives back its input
 *   loop    never ends
 *   trap    fails
 *   says    fails with its input as the error
 *   prints  logs its input
 *   count   counts its calls in kv, and gives the number; "denied" if it may not
 *   emits   emits an event with its input as the topic */
typedef struct embed_case {
    project project;
    ubiq_project *open;
    pthread_mutex_t lock; /* for the log */
    char log[16384];
} embed_case;

/* Makes it; `toml` is its ubiq.toml. */
void embed_make(embed_case *e, const char *toml);

/* Opens it with these options, but for the log, which goes to e->log. NULL: as they are without. */
void embed_open(embed_case *e, const ubiq_options *options);

/* Frees it and removes it. */
void embed_end(embed_case *e);

/* Whether the words are in the log, or come into it within seconds. */
bool embed_logged(embed_case *e, const char *words);

/* What a call came to, as "CODE:OUTPUT", with the error in place of the output if it failed. A
 * view into memory of the thread, until the next call. */
const char *embed_invoke(embed_case *e, const char *name, const char *input, uint64_t timeout_ms);

/* The same of a result, which is freed. */
const char *embed_result(ubiq_result *r);

/* The time in milliseconds since some point. */
uint64_t embed_now_ms(void);

#endif
