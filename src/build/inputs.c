#include "build/inputs.h"

#include "base/file.h"
#include "base/record.h"
#include "build/limits.h"

#include <errno.h>
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

int inputs_add_perhaps(inputs *in, const char *root, const char *path, error *err)
{
    int rc;

    if (inputs_find(in, within(root, path)))
        return 0;
    if (strchr(path, '\n'))
        return error_set(err, E_INVALID, "%s: there is a line feed in its name", path);
    rc = inputs_add_real(in, within(root, path), stamp_of(path), err);
    return rc ? rc : 1;
}

char *input_path(const char *root, const char *path)
{
    char *whole;

    if (path[0] == '/')
        return strdup(path);
    return asprintf(&whole, "%s/%s", root, path) < 0 ? NULL : whole;
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
