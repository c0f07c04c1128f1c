#include <stdint.h>
#include <stdlib.h>

#include "base/http_text.h"
#include "base/json.h"
#include "server/accept_encoding.h"
#include "server/headers.h"
#include "server/request_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_within(slice view, slice lines)
{
    return view.len == 0 ||
           (view.data >= lines.data && view.data + view.len <= lines.data + lines.len);
}

/* What is read of a line can be put again, and is then found. */
static void check_line(const header_line *h, slice lines)
{
    slice value;
    buf copy;

    require(is_within(h->name, lines) && is_within(h->value, lines));
    require(http_is_token(h->name) && headers_find(lines, h->name, &value) > 0);
    buf_init(&copy, 2 * lines.len + 8);
    if (headers_put(&copy, h->name, h->value) == 0) {
        require(headers_find(buf_slice(&copy), h->name, &value) == 1);
        require(slice_equal(value, h->value));
        headers_remove(&copy, h->name);
        require(copy.len == 0);
    }
    buf_deinit(&copy);
}

static void check_json(slice lines)
{
    json_reader r;
    buf json;

    buf_init(&json, 16 * lines.len + 64);
    require(headers_put_json(&json, lines) == 0);
    require(slice_is_utf8(buf_slice(&json)));
    r = (json_reader){.text = buf_slice(&json)};
    require(json_copy(&r, NULL, NULL) == 0 && json_end(&r, NULL) == 0);
    buf_deinit(&json);
}

/* Nothing is chosen that is not named, by itself or by a star. */
static void check_choice(slice lines)
{
    header_list l = headers_list(lines, slice_str("accept-encoding"));
    enum coding coding = accept_encoding_choose(lines);
    slice element;
    bool named = false;

    while (header_list_next(&l, &element)) {
        require(element.len > 0 && is_within(element, lines));
        named = named || memchr(element.data, '*', element.len) ||
                memchr(element.data, 'z', element.len) || memchr(element.data, 'Z', element.len);
    }
    require(coding == CODING_IDENTITY || named);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char id[REQUEST_ID_BYTES];
    slice lines = slice_of(data, size);
    slice rest = lines;
    header_line h;
    int weight = accept_encoding_weight(lines);

    require(weight >= -1 && weight <= 1000);
    headers_of(lines);
    if (size > 4096)
        return 0;
    while (headers_next(&rest, &h))
        check_line(&h, lines);
    check_json(lines);
    check_choice(lines);
    request_id_take(lines, "own", id);
    require(*id &&
            strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=:@") ==
                strlen(id));
    return 0;
}
