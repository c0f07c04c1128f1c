#include "base/pattern.h"

static slice slice_range(slice s, size_t from, size_t to)
{
    return slice_of(s.data ? s.data + from : NULL, to - from);
}

pattern pattern_of(slice text)
{
    const uint8_t *first = text.len ? memchr(text.data, '*', text.len) : NULL;
    size_t from, to;

    if (!first)
        return (pattern){.text = text, .head = text};
    from = (size_t)(first - text.data);
    to = (size_t)((const uint8_t *)memrchr(text.data, '*', text.len) - text.data);
    return (pattern){
        .text = text,
        .head = slice_range(text, 0, from),
        .inner = from < to ? slice_range(text, from + 1, to) : slice_of(NULL, 0),
        .tail = slice_range(text, to + 1, text.len),
        .open = true,
    };
}

/* Whether the pieces of `inner`, with '*' between them, stand in `subject` one behind the other. The
 * first place where a piece stands leaves the most room for the others, so it need not be tried again. */
static bool inner_matches(slice inner, slice subject)
{
    while (inner.len > 0) {
        const uint8_t *star = memchr(inner.data, '*', inner.len);
        size_t len = star ? (size_t)(star - inner.data) : inner.len;

        if (len > 0) {
            const uint8_t *found = memmem(subject.data, subject.len, inner.data, len);

            if (!found)
                return false;
            subject = slice_range(subject, (size_t)(found - subject.data) + len, subject.len);
        }
        inner = slice_range(inner, star ? len + 1 : len, inner.len);
    }
    return true;
}

static bool begins_with(slice s, slice head)
{
    return head.len <= s.len && slice_equal(head, slice_of(s.data, head.len));
}

bool pattern_matches(const pattern *p, slice subject)
{
    if (!p->open)
        return slice_equal(p->text, subject);
    if (!begins_with(subject, p->head))
        return false;
    subject = slice_range(subject, p->head.len, subject.len);
    if (p->tail.len > subject.len ||
        !begins_with(slice_range(subject, subject.len - p->tail.len, subject.len), p->tail))
        return false;
    return p->inner.len == 0 ||
           inner_matches(p->inner, slice_range(subject, 0, subject.len - p->tail.len));
}
