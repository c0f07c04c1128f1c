#include "build/inputs.h"

#include "base/file.h"
#include "base/record.h"
#include "build/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

void inputs_deinit(inputs *in)
{
    for (size_t i = 0; i < in->count; i++)
        free(in->item[i].path);
    free(in->item);
    *in = (inputs){0};
}

const input *inputs_find(const inputs *in, const char *path)
{
    for (size_t i = 0; i < in->count; i++) {
        if (strcmp(in->item[i].path, path) == 0)
            return &in->item[i];
    }
    return NULL;
}

int inputs_add_real(inputs *in, const char *path, stamp s, error *err)
{
    input *more = record_make_room(in->item, in->count, sizeof *more);
    char *copy;

    if (!more)
        return error_set(err, E_NO_MEMORY, "out of memory");
    in->item = more;
    if (in->count == LIMIT_BUILD_INPUTS)
        return error_set(err, E_TOO_LARGE, "made of more than %d files", LIMIT_BUILD_INPUTS);
    if (!(copy = strdup(path)))
        return error_set(err, E_NO_MEMORY, "out of memory");
    more[in->count++] = (input){.path = copy, .stamp = s};
    return 0;
}

/* The part of a real path behind the project's, or all of it when it is elsewhere. */
static const char *within(const char *root, const char *real)
{
    size_t len = strlen(root);

    return strncmp(real, root, len) == 0 && real[len] == '/' ? real + len + 1 : real;
}

int inputs_add(inputs *in, const char *root, const char *path, error *err)
{
    char *real = realpath(path, NULL);
    int rc = 0;

    if (!real)
        return error_set(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "%s: %s", path,
                         strerrordesc_np(errno));
    if (strchr(real, '\n')) /* files in which inputs are listed have one a line */
        rc = error_set(err, E_INVALID, "%s: there is a line feed in its name", real);
    else if (!inputs_find(in, within(root, real)))
        rc = inputs_add_real(in, within(root, real), stamp_of(real), err);
    free(real);
    return rc;
}

char *input_path(const char *root, const char *path)
{
    char *whole;

    if (path[0] == '/')
        return strdup(path);
    return asprintf(&whole, "%s/%s", root, path) < 0 ? NULL : whole;
}

/* Adds a file by its whole path, there or not. 1 when it is added, 0 when it was before. */
static int add_perhaps(inputs *in, const char *root, const char *path, error *err)
{
    int rc;

    if (inputs_find(in, within(root, path)))
        return 0;
    if (strchr(path, '\n'))
        return error_set(err, E_INVALID, "%s: there is a line feed in its name", path);
    rc = inputs_add_real(in, within(root, path), stamp_of(path), err);
    return rc ? rc : 1;
}

/* The path of a name in the directory that the first `len` bytes of `file` are. One above the project is
 * named by the way to it, so that it is another one for another project. */
static char *path_above(const char *root, const char *file, size_t len, const char *name)
{
    char way[PATH_MAX] = "", *path;
    size_t up = 0;

    if (len < strlen(root) && strncmp(file, root, len) == 0 && root[len] == '/') {
        for (const char *p = root + len; *p; p++)
            up += *p == '/';
    }
    for (size_t i = 0; i < up && 3 * up < sizeof way; i++)
        memcpy(way + 3 * i, "../", 4);
    if ((up ? asprintf(&path, "%s/%s%s", root, way, name)
            : asprintf(&path, "%.*s/%s", (int)len, file, name)) < 0)
        return NULL;
    return path;
}

/* For one file, up to where another one has been before. */
static int add_above(inputs *in, const char *root, const char *file, const char *name, error *err)
{
    int rc = 1;

    for (size_t len = strlen(file); rc == 1 && len > 0;) {
        char *path;

        for (len--; len > 0 && file[len] != '/';)
            len--;
        path = path_above(root, file, len, name);
        rc = path ? add_perhaps(in, root, path, err) : error_set(err, E_NO_MEMORY, "out of memory");
        free(path);
    }
    return rc < 0 ? rc : 0;
}

int inputs_add_above(inputs *in, const char *root, const char *name, const char *except, error *err)
{
    size_t count = in->count;
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        char *file = input_path(root, in->item[i].path);

        if (!file)
            return error_set(err, E_NO_MEMORY, "out of memory");
        if (in->item[i].stamp.size >= 0 && !(except && strstr(file, except)))
            rc = add_above(in, root, file, name, err);
        free(file);
    }
    return rc;
}

stamp input_stamp(const char *root, const char *path)
{
    char *whole = input_path(root, path);
    stamp s = whole ? stamp_of(whole) : (stamp){.size = -1};

    free(whole);
    return s;
}

int input_hash(const char *root, const char *path, char out[SHA256_HEX_BYTES], error *err)
{
    char *whole = input_path(root, path);
    buf content;
    int rc;

    buf_init(&content, LIMIT_BUILD_SOURCE_BYTES);
    rc = whole ? file_read(whole, &content, err) : error_set(err, E_NO_MEMORY, "out of memory");
    if (rc == 0 && sha256_hex(buf_slice(&content), out) != 0)
        rc = error_set(err, E_INTERNAL, "%s: no SHA-256 of it", whole);
    buf_deinit(&content);
    free(whole);
    return rc;
}
