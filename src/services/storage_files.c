#include "services/storage_internal.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NAME_BYTES 32

static int fail(error *err, const char *doing)
{
    int code = errno == ENOSPC || errno == EDQUOT ? E_TOO_LARGE
               : errno == ENOMEM                  ? E_NO_MEMORY
                                                  : E_IO;

    return error_set(err, code, "%s: %s", doing,
                     code == E_TOO_LARGE ? "the disk is full" : strerror(errno));
}

/* "3f" and "3f/0123456789abcd3f": its place when it is settled; "0123456789abcd3f" in new/. */
static void put_directory(uint64_t number, char out[NAME_BYTES])
{
    snprintf(out, NAME_BYTES, "%02x", (unsigned)(number & 0xff));
}

static void put_place(uint64_t number, char out[NAME_BYTES])
{
    snprintf(out, NAME_BYTES, "%02x/%016llx", (unsigned)(number & 0xff),
             (unsigned long long)number);
}

static void put_new_name(uint64_t number, char out[NAME_BYTES])
{
    snprintf(out, NAME_BYTES, "%016llx", (unsigned long long)number);
}

int storage_files_open(storage_files *f, const char *path, error *err)
{
    char *new_path = NULL;
    int rc;

    *f = (storage_files){-1, -1, -1};
    if (asprintf(&new_path, "%s/new", path) < 0)
        return error_set(err, E_NO_MEMORY, "out of memory for the storage");
    rc = file_make_dirs(new_path, err);
    if (rc)
        goto done;
    f->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    f->new_directory = open(new_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->directory >= 0)
        f->lock = openat(f->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->lock < 0 || f->new_directory < 0 || fsync(f->directory))
        rc = fail(err, path);
done:
    free(new_path);
    return rc;
}

void storage_files_close(storage_files *f)
{
    const int fds[] = {f->directory, f->new_directory, f->lock};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] > 0)
            close(fds[i]);
    }
}

bool storage_files_alone(storage_files *f)
{
    return flock(f->lock, LOCK_EX | LOCK_NB) == 0;
}

void storage_files_share(storage_files *f)
{
    while (flock(f->lock, LOCK_SH) != 0 && errno == EINTR)
        continue;
}

int storage_files_write(storage_files *f, slice data, uint64_t *number, error *err)
{
    char name[NAME_BYTES];
    int rc = 0;
    int fd;

    if (getrandom(number, sizeof *number, 0) != sizeof *number)
        return fail(err, "storage");
    *number &= INT64_MAX; /* as SQLite has them */
    put_new_name(*number, name);
    fd = openat(f->new_directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(err, "storage");
    if (file_write_all(fd, data) || fsync(fd))
        rc = fail(err, "storage");
    /* close() tells of errors that a network file system put off. */
    if (close(fd) && rc == 0)
        rc = fail(err, "storage");
    if (rc == 0 && fsync(f->new_directory))
        rc = fail(err, "storage");
    if (rc)
        unlinkat(f->new_directory, name, 0);
    return rc;
}

void storage_files_settle(storage_files *f, uint64_t number)
{
    char name[NAME_BYTES], directory[NAME_BYTES], place[NAME_BYTES];

    put_new_name(number, name);
    put_directory(number, directory);
    put_place(number, place);
    if (renameat(f->new_directory, name, f->directory, place) == 0 || errno != ENOENT)
        return;
    if (mkdirat(f->directory, directory, 0700) == 0 || errno == EEXIST)
        renameat(f->new_directory, name, f->directory, place);
}

/* It may be on its way out of new/, so that is where to look first. */
void storage_files_remove(storage_files *f, uint64_t number)
{
    char name[NAME_BYTES], place[NAME_BYTES];

    put_new_name(number, name);
    put_place(number, place);
    if (unlinkat(f->new_directory, name, 0) != 0)
        unlinkat(f->directory, place, 0);
}

/* Most are settled; one that is not may be moved between two looks. */
static int open_content(storage_files *f, uint64_t number)
{
    char name[NAME_BYTES], place[NAME_BYTES];
    int fd;

    put_new_name(number, name);
    put_place(number, place);
    fd = openat(f->directory, place, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        fd = openat(f->new_directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        fd = openat(f->directory, place, O_RDONLY | O_CLOEXEC);
    return fd;
}

static int read_content(int fd, uint64_t size, bool at_once, buf *out, error *err)
{
    uint64_t at = 0;

    while (at < size) {
        const struct iovec to = {out->data + out->len + at, (size_t)(size - at)};
        ssize_t got = preadv2(fd, &to, 1, (off_t)at, at_once ? RWF_NOWAIT : 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (at_once && (got < 0 || (size_t)got < to.iov_len))
            return E_BUSY;
        if (got < 0)
            return fail(err, "storage");
        if (got == 0)
            return error_set(err, E_INVALID,
                             "storage: the content of the file is damaged: it has %llu "
                             "bytes of %llu",
                             (unsigned long long)at, (unsigned long long)size);
        at += (uint64_t)got;
    }
    return 0;
}

int storage_files_read(storage_files *f, uint64_t number, uint64_t size, bool at_once, buf *out,
                       error *err)
{
    int fd = open_content(f, number);
    int rc;

    if (fd < 0 && errno == ENOENT)
        return error_set(err, E_NOT_FOUND, "storage: the content of the file is missing");
    if (fd < 0)
        return fail(err, "storage");
    rc = buf_reserve(out, (size_t)size);
    if (rc)
        error_set(err, rc, "%s", error_code_name(rc));
    else
        rc = read_content(fd, size, at_once, out, err);
    if (rc == 0)
        out->len += (size_t)size;
    close(fd);
    return rc;
}

/* Whether it is the name of a content; others are not ours to touch. */
static bool read_name(const char *name, uint64_t *number)
{
    char again[NAME_BYTES];

    *number = strtoull(name, NULL, 16);
    put_new_name(*number, again);
    return strcmp(name, again) == 0;
}

int storage_files_each_new(storage_files *f, int (*each)(void *arg, uint64_t number, error *err),
                           void *arg, error *err)
{
    int fd = openat(f->new_directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int rc = 0;

    if (!d) {
        rc = fail(err, "storage");
        if (fd >= 0)
            close(fd);
        return rc;
    }
    while (rc == 0 && (entry = readdir(d))) {
        uint64_t number;

        if (read_name(entry->d_name, &number))
            rc = each(arg, number, err);
    }
    closedir(d);
    return rc;
}
