#ifndef TESTS_STORE_CASE_H
#define TESTS_STORE_CASE_H

#include "service_case.h"

#include <semaphore.h>

/* What the tests of the store share. */

/* A write of one row, or one that fails or waits. */
typedef struct test_write {
    store_write write;
    int64_t n;
    size_t bytes; /* of its value */
    bool fails;
    int applied;
    int code;
    char text[128];
    sem_t *begun;              /* posted when it begins to be applied, unless NULL */
    pthread_mutex_t *wait_for; /* it is applied when that is unlocked */
    sem_t *done;
} test_write;

/* A write of row `n`; `done_sem` is posted when it is done. */
test_write row(int64_t n, sem_t *done_sem);

/* A store with the table t(n, v). */
store *open_store(const char *path);

/* Writes a row and waits for it. */
int write_row(store *s, int64_t n, size_t bytes, error *err);

/* The number that a statement gives; -1 on failure. */
int64_t read_number(store *s, const char *sql, error *err);

int64_t count_rows(store *s);

#endif
