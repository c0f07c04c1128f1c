#include "service_case.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void wake(void *arg)
{
    home *h = arg;

    pthread_mutex_lock(&h->lock);
    h->has_mail = true;
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
}

void home_init(home *h)
{
    memset(h, 0, sizeof *h);
    mailbox_init(&h->box, wake, h);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->woken, NULL);
}

void home_deinit(home *h)
{
    pthread_cond_destroy(&h->woken);
    pthread_mutex_destroy(&h->lock);
}

void home_wait(home *h, size_t count)
{
    while (h->done < count) {
        pthread_mutex_lock(&h->lock);
        while (!h->has_mail)
            pthread_cond_wait(&h->woken, &h->lock);
        h->has_mail = false;
        pthread_mutex_unlock(&h->lock);
        mailbox_open_all(&h->box);
    }
}

static void on_done(operation *op)
{
    home *h = (home *)(void *)((char *)op->home - offsetof(home, box));

    h->done++;
}

void home_prepare(home *h, operation *op, size_t max)
{
    op->home = &h->box;
    op->done = on_done;
    buf_init(&op->result, max);
}

int home_kv(home *h, kv *k, kv_operation *o)
{
    home_prepare(h, &o->op, 16 << 20);
    if (!kv_submit(k, o))
        home_wait(h, h->done + 1);
    return o->op.code;
}

int home_storage(home *h, storage *s, storage_operation *o)
{
    home_prepare(h, &o->op, 16 << 20);
    if (!storage_submit(s, o))
        home_wait(h, h->done + 1);
    return o->op.code;
}

int enter_directory(void **state)
{
    char *name = strdup("/tmp/test_service.XXXXXX");

    *state = name;
    return mkdtemp(name) && chdir(name) == 0 ? 0 : -1;
}

int leave_directory(void **state)
{
    char command[PATH_MAX + 16];
    int rc;

    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    rc = chdir("/") == 0 ? system(command) : -1;
    free(*state);
    return rc;
}

static int wait_for_release(store_write *w, store *s, error *err)
{
    held_write *h = (held_write *)w;

    (void)s, (void)err;
    pthread_mutex_lock(&h->lock);
    pthread_mutex_unlock(&h->lock);
    return 0;
}

static void forget(store_write *w, const error *err)
{
    (void)w, (void)err;
}

void hold_store(held_write *h, store *s, size_t bytes)
{
    *h = (held_write){.write = {.apply = wait_for_release, .done = forget, .bytes = bytes}};
    pthread_mutex_init(&h->lock, NULL);
    pthread_mutex_lock(&h->lock);
    store_submit(s, &h->write);
}

void release_store(held_write *h, store *s)
{
    pthread_mutex_unlock(&h->lock);
    store_flush(s);
    pthread_mutex_destroy(&h->lock);
}

void mount_small(const char *path, unsigned kib)
{
    char options[32];

    snprintf(options, sizeof options, "size=%uk", kib);
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("none", path, "tmpfs", 0, options) != 0) {
        print_message("left out: mounting a small file system: %s\n", strerror(errno));
        skip();
    }
}

void unmount_small(const char *path)
{
    assert_int_equal(umount2(path, MNT_DETACH), 0);
}

void fill_disk(const char *path)
{
    static const char zeros[256];
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof zeros) > 0)
        continue;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

void report(int to, uint64_t number)
{
    if (write(to, &number, sizeof number) != sizeof number)
        _exit(2);
}

uint64_t run_and_kill(void (*work)(uint64_t first, int to), uint64_t first, unsigned max_ms)
{
    static unsigned seed = 1;
    uint64_t number, next = first;
    int ends[2], status;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        work(first, ends[1]);
        _exit(3);
    }
    close(ends[1]);
    for (bool killed = false; read(ends[0], &number, sizeof number) == sizeof number;) {
        if (number >= next)
            next = number + 1;
        if (!killed) {
            unsigned us = (unsigned)rand_r(&seed) % (max_ms * 1000);

            nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
            kill(child, SIGKILL);
            killed = true;
        }
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return next;
}

void damage_file(const char *path, long at, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
    close(fd);
}
