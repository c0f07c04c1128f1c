#include "service_case.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

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

bool mount_small(const char *path, unsigned kib)
{
    char options[32];

    snprintf(options, sizeof options, "size=%uk", kib);
    return mkdir(path, 0700) == 0 && mount("none", path, "tmpfs", 0, options) == 0;
}

void unmount_small(const char *path)
{
    umount2(path, MNT_DETACH);
}
