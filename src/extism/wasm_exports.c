#include "extism/wasm_exports.h"

#include "base/buf.h"
#include "extism/wasm_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define WINDOW_BYTES 4096                         /* read at once; most small modules fit */
#define EXPORT_SECTION_BYTES (16UL * 1024 * 1024) /* more names than any module has */

/* A file, and a part of it in memory. */
struct source {
    const char *path;
    int fd;
    uint64_t start; /* of the window in the file */
    size_t len;
    uint8_t window[WINDOW_BYTES];
};

static int fail(const struct source *s, error *err)
{
    return error_set(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "%s: %s", s->path,
                     strerrordesc_np(errno));
}

static int not_a_module(const struct source *s, error *err)
{
    return error_set(err, E_INVALID, "%s: not a WebAssembly module in the binary format", s->path);
}

/* Reads `len` bytes from an offset, fewer at the file's end. */
static int read_at(const struct source *s, uint64_t at, uint8_t *to, size_t *len, error *err)
{
    size_t have = 0;

    while (have < *len) {
        ssize_t n = pread(s->fd, to + have, *len - have, (off_t)(at + have));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(s, err);
        if (n == 0)
            break;
        have += (size_t)n;
    }
    *len = have;
    return 0;
}

/* A view of what stands at an offset: at least `want` bytes, unless the file ends before. */
static int look_at(struct source *s, uint64_t at, size_t want, slice *out, error *err)
{
    int rc = 0;

    if (at < s->start || at - s->start > s->len || s->len - (size_t)(at - s->start) < want) {
        s->start = at;
        s->len = sizeof s->window;
        rc = read_at(s, at, s->window, &s->len, err);
    }
    if (rc)
        s->len = 0;
    else
        *out = slice_of(s->window + (at - s->start), s->len - (size_t)(at - s->start));
    return rc;
}

/* Reads the names in the section. */
static int read_section(const struct source *s, slice section, void (*take)(void *, slice),
                        void *arg, error *err)
{
    wasm_reader r = wasm_reader_of(section);
    uint32_t count = wasm_read_u32(&r);

    for (uint32_t i = 0; i < count && !r.failed; i++) {
        slice name = wasm_read_name(&r);
        uint8_t kind = wasm_read_byte(&r);

        wasm_read_u32(&r);
        if (!r.failed && kind == WASM_KIND_FUNC)
            take(arg, name);
    }
    return r.failed ? not_a_module(s, err) : 0;
}

static int read_exports(const struct source *s, uint64_t at, size_t len,
                        void (*take)(void *, slice), void *arg, error *err)
{
    size_t have = len;
    buf section;
    int rc;

    if (len > EXPORT_SECTION_BYTES)
        return not_a_module(s, err);
    buf_init(&section, EXPORT_SECTION_BYTES);
    rc = buf_reserve(&section, len + 1);
    if (rc) {
        error_set(err, rc, "%s: out of memory", s->path);
        goto done;
    }
    rc = read_at(s, at, section.data, &have, err);
    rc = rc ? rc : read_section(s, slice_of(section.data, have), take, arg, err);
done:
    buf_deinit(&section);
    return rc;
}

static int find_exports(struct source *s, void (*take)(void *, slice), void *arg, error *err)
{
    static const uint8_t magic[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    uint64_t at = sizeof magic;
    slice here;
    int rc = look_at(s, 0, sizeof magic, &here, err);

    if (rc)
        return rc;
    if (here.len < sizeof magic || memcmp(here.data, magic, sizeof magic) != 0)
        return not_a_module(s, err);
    for (;;) {
        wasm_reader r;
        uint8_t id;
        uint32_t len;

        rc = look_at(s, at, 6, &here, err);
        if (rc || here.len == 0)
            return rc;
        r = wasm_reader_of(here);
        id = wasm_read_byte(&r);
        len = wasm_read_u32(&r);
        if (r.failed)
            return not_a_module(s, err);
        at += (size_t)(r.at - here.data);
        if (id == WASM_SECTION_EXPORT)
            return read_exports(s, at, len, take, arg, err);
        at += len;
    }
}

int wasm_exports_of_file(const char *path, void (*take)(void *arg, slice name), void *arg,
                         error *err)
{
    struct source s = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    int rc;

    if (s.fd < 0)
        return fail(&s, err);
    rc = find_exports(&s, take, arg, err);
    close(s.fd);
    return rc;
}
