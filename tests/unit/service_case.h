#ifndef TESTS_SERVICE_CASE_H
#define TESTS_SERVICE_CASE_H

#include "services/kv.h"
#include "services/storage.h"
#include "services/store.h"

#include <pthread.h>

/* What the tests of services share. */

/* A thread's home for operations, which sleeps until there is mail. */
typedef struct home {
    mailbox box;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool has_mail;
    size_t done; /* operations that have come home */
} home;

void home_init(home *h);
void home_deinit(home *h);

/* Opens mail until `count` operations have come home since home_init. */
void home_wait(home *h, size_t count);

/* Makes `op` one of this home with a result of up to `max` bytes. */
void home_prepare(home *h, operation *op, size_t max);

/* Submits and waits; returns the code. */
int home_kv(home *h, kv *k, kv_operation *o);
int home_storage(home *h, storage *s, storage_operation *o);

/* A directory of its own for each test, which becomes the working directory. */
int enter_directory(void **state);
int leave_directory(void **state);

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, enter_directory, leave_directory)

/* Mounts an empty file system of `kib` KiB at `path`, which is made; skips the test where that is not
 * allowed. */
void mount_small(const char *path, unsigned kib);
void unmount_small(const char *path);

/* Fills the file system until it is full; removing the file `path` makes room again. */
void fill_disk(const char *path);

/* Runs `work` in a process of its own, which is killed within `max_ms`, at a random time after its
 * first report. It reports each number that was acknowledged with report(); the highest one plus 1 is
 * returned. */
uint64_t run_and_kill(void (*work)(uint64_t first, int to), uint64_t first, unsigned max_ms);
void report(int to, uint64_t number);

/* A write that weighs `bytes` and keeps the store's writer waiting until it is released. */
typedef struct held_write {
    store_write write;
    pthread_mutex_t lock;
} held_write;

void hold_store(held_write *h, store *s, size_t bytes);
void release_store(held_write *h, store *s);

/* Writes bytes into a file that is there. */
void damage_file(const char *path, long at, const void *bytes, size_t len);

#endif
