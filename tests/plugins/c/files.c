#include "extism_guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files as a guest of WASI sees them, through wasi-libc. The input of each function is a path, or
 * two with a space between; the output what was read, or the name of the error. */

static char input[4096];
static char *second; /* the word after the path, or "" */

static const char *path(void)
{
    size_t n = read_input(input, sizeof input - 1);

    input[n] = '\0';
    second = strchr(input, ' ');
    if (second != NULL)
        *second++ = '\0';
    else
        second = input + n;
    return input;
}

static int32_t done(int ok)
{
    const char *text = ok ? "done" : strerror(errno);

    output(text, strlen(text));
    return ok ? 0 : errno;
}

EXPORT("read") int32_t read_file(void)
{
    static char data[1 << 16];
    FILE *f = fopen(path(), "rb");
    size_t n;

    if (f == NULL)
        return done(0);
    n = fread(data, 1, sizeof data, f);
    output(data, n);
    fclose(f);
    return 0;
}

static int32_t write_with(const char *mode)
{
    FILE *f = fopen(path(), mode);
    int ok;

    if (f == NULL)
        return done(0);
    ok = fputs(second, f) >= 0;
    ok = fclose(f) == 0 && ok;
    return done(ok);
}

EXPORT("write") int32_t write_file(void)
{
    return write_with("wb");
}

EXPORT("append") int32_t append_file(void)
{
    return write_with("ab");
}

EXPORT("mkdir") int32_t make_directory(void)
{
    return done(mkdir(path(), 0777) == 0);
}

EXPORT("rmdir") int32_t remove_directory(void)
{
    return done(rmdir(path()) == 0);
}

EXPORT("unlink") int32_t unlink_file(void)
{
    return done(unlink(path()) == 0);
}

EXPORT("rename") int32_t rename_file(void)
{
    const char *from = path();

    return done(rename(from, second) == 0);
}

EXPORT("symlink") int32_t make_symlink(void)
{
    const char *from = path();

    return done(symlink(from, second) == 0);
}

EXPORT("link") int32_t make_link(void)
{
    const char *from = path();

    return done(link(from, second) == 0);
}

EXPORT("readlink") int32_t read_link(void)
{
    char target[256];
    ssize_t n = readlink(path(), target, sizeof target);

    if (n < 0)
        return done(0);
    output(target, (size_t)n);
    return 0;
}

EXPORT("truncate") int32_t truncate_file(void)
{
    int fd = open(path(), O_WRONLY);
    int ok;

    if (fd < 0)
        return done(0);
    ok = ftruncate(fd, 1) == 0;
    close(fd);
    return done(ok);
}

EXPORT("stat") int32_t stat_file(void)
{
    struct stat s;
    char text[64];

    if (stat(path(), &s) != 0)
        return done(0);
    snprintf(text, sizeof text, "%s %lld", S_ISDIR(s.st_mode) ? "directory" : "file",
             S_ISDIR(s.st_mode) ? 0 : (long long)s.st_size);
    output(text, strlen(text));
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

EXPORT("list") int32_t list_directory(void)
{
    static char text[1 << 16];
    char *names[256];
    size_t count = 0;
    DIR *d = opendir(path());
    struct dirent *e;

    if (d == NULL)
        return done(0);
    while (count < 256 && (e = readdir(d)) != NULL)
        names[count++] = strdup(e->d_name);
    closedir(d);
    qsort(names, count, sizeof *names, by_name);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(text, names[i]);
        strcat(text, "\n");
        free(names[i]);
    }
    output(text, strlen(text));
    return 0;
}

EXPORT("cwd") int32_t cwd(void)
{
    char text[256];

    if (getcwd(text, sizeof text) == NULL)
        return done(0);
    output(text, strlen(text));
    return 0;
}
