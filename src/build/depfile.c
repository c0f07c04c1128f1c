#include "build/depfile.h"

#include <limits.h>

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Passes over white space, and over backslashes that continue a line. */
static void skip_space(slice *text)
{
    while (text->len &&
           (is_space(text->data[0]) || (text->len > 1 && text->data[0] == '\\' &&
                                        (text->data[1] == '\n' || text->data[1] == '\r'))))
        *text = slice_of(text->data + 1, text->len - 1);
}

/* Reads one name, in which make writes a space as "\ ", '#' as "\#" and '$' as "$$". A backslash in
 * front of anything else stands for itself. */
static int read_name(slice *text, buf *name)
{
    int rc = 0;

    while (rc == 0 && text->len && !is_space(text->data[0])) {
        uint8_t c = text->data[0], next = text->len > 1 ? text->data[1] : 0;
        size_t step = 1;

        if (c == '\\' && (next == '\n' || next == '\r'))
            break;
        if ((c == '\\' && (next == ' ' || next == '#')) || (c == '$' && next == '$')) {
            c = next;
            step = 2;
        }
        rc = buf_append_byte(name, c);
        *text = slice_of(text->data + step, text->len - step);
    }
    return rc;
}

int depfile_read(slice text, int (*found)(const char *path, void *arg, error *err), void *arg,
                 error *err)
{
    buf name;
    int rc = 0;

    buf_init(&name, PATH_MAX * 4);
    for (skip_space(&text); rc == 0 && text.len; skip_space(&text)) {
        buf_clear(&name);
        rc = read_name(&text, &name);
        if (rc == 0 && name.len && name.data[name.len - 1] == ':')
            continue; /* the target */
        rc = rc ? rc : buf_append_byte(&name, '\0');
        rc = rc ? error_set(err, rc, "reading what a file includes: %s", error_code_name(rc))
                : found((const char *)name.data, arg, err);
    }
    buf_deinit(&name);
    return rc;
}
