#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP 65536

static int set_errno(error *err, const char *path)
{
    int code = errno == ENOENT ? E_NOT_FOUND : errno == ENOMEM ? E_NO_MEMORY : E_IO;

    return error_set(err, code, "%s: %s", path, strerror(errno));
}

/* Makes room for what is left of the file, or for a step of it where its size is not known. */
static int reserve_for(int fd, buf *out, const char *path, error *err)
{
    struct stat st;
    size_t more = READ_STEP;
    int rc;

    if (fstat(fd, &st))
        return set_errno(err, path);
    /* One more byte than the size, so that the read that finds the end needs no new room. */
    if (S_ISREG(st.st_mode) && st.st_size > 0)
        more = (size_t)st.st_size + 1;
    if (out->len <= out->max && more > out->max - out->len)
        more = out->max - out->len;
    rc = buf_reserve(out, more);
    return rc ? error_set(err, rc, "%s: %s", path, error_code_name(rc)) : 0;
}

/* Appends what one read gives: 1 for some, 0 at the end. */
static int read_some(int fd, buf *out, const char *path, error *err)
{
    uint8_t probe;
    size_t room;
    ssize_t got;
    int rc;

    if (out->len == out->capacity && out->len < out->max) {
        rc = buf_reserve(out, out->max - out->len < READ_STEP ? out->max - out->len : READ_STEP);
        if (rc)
            return error_set(err, rc, "%s: %s", path, error_code_name(rc));
    }
    room = out->capacity - out->len;
    do
        got = room ? read(fd, out->data + out->len, room) : read(fd, &probe, 1);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return set_errno(err, path);
    if (got > 0 && room == 0)
        return error_set(err, E_TOO_LARGE, "%s: larger than %zu bytes", path, out->max);
    out->len += (size_t)got;
    return got > 0;
}

int file_read(const char *path, buf *out, error *err)
{
    size_t start = out->len;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return set_errno(err, path);
    rc = reserve_for(fd, out, path, err);
    if (rc)
        goto done;
    do
        rc = read_some(fd, out, path, err);
    while (rc > 0);
done:
    close(fd);
    if (rc)
        out->len = start;
    return rc;
}

int file_write_all(int fd, slice content)
{
    while (content.len) {
        ssize_t put = write(fd, content.data, content.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        content.data += put;
        content.len -= (size_t)put;
    }
    return 0;
}

int file_write_atomic(const char *path, slice content, mode_t mode, error *err)
{
    char *temporary = NULL;
    bool made = false;
    int fd = -1;
    int rc = 0;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return error_set(err, E_NO_MEMORY, "%s: %s", path, error_code_name(E_NO_MEMORY));
    fd = mkostemp(temporary, O_CLOEXEC);
    made = fd >= 0;
    if (!made || fchmod(fd, mode) || file_write_all(fd, content) || fsync(fd)) {
        rc = set_errno(err, path);
        goto done;
    }
    /* close() tells of errors that a network file system put off. */
    if (close(fd)) {
        fd = -1;
        rc = set_errno(err, path);
        goto done;
    }
    fd = -1;
    if (rename(temporary, path)) {
        rc = set_errno(err, path);
        goto done;
    }
    made = false;
done:
    if (fd >= 0)
        close(fd);
    if (made)
        unlink(temporary);
    free(temporary);
    return rc;
}

/* mkdir that is content with a directory that is there. */
static int make_dir(const char *path, error *err)
{
    struct stat st;
    int reason;

    if (mkdir(path, 0700) == 0)
        return 0;
    reason = errno;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return 0;
        reason = ENOTDIR;
    }
    return error_set(err, E_IO, "%s: %s", path, strerror(reason));
}

int file_make_dirs(const char *path, error *err)
{
    char *part = strdup(path);
    int rc = 0;

    if (!part)
        return error_set(err, E_NO_MEMORY, "%s: %s", path, error_code_name(E_NO_MEMORY));
    for (char *p = part; *p && !rc; p++) {
        if (*p != '/' || p == part || p[-1] == '/')
            continue;
        *p = '\0';
        rc = make_dir(part, err);
        *p = '/';
    }
    if (!rc)
        rc = make_dir(part, err);
    free(part);
    return rc;
}
