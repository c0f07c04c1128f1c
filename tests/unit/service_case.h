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

/* A directory of its own for each test, which becomes the working directory. */
int enter_directory(void **state);
int leave_directory(void **state);

/* Mounts a small file system of `kib` KiB at `path`, which is made; false where that is not allowed. */
bool mount_small(const char *path, unsigned kib);
void unmount_small(const char *path);

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, enter_directory, leave_directory)

#endif
