#include <stdint.h>
#include <stdlib.h>

#include "app/reserved_headers.h"
#include "base/json.h"
#include "server/middleware_output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The lines are whole ones, and none is the server's. */
static void check_headers(slice lines)
{
    slice rest = lines;
    size_t read = 0;
    header_line h;

    while (headers_next(&rest, &h)) {
        require(!reserved_headers_has(h.name));
        read = (size_t)(lines.data + lines.len - h.value.data) - h.value.len;
    }
    require(lines.len == 0 || read == 2);
}

static void check_context(slice context)
{
    json_reader r = {.text = context};

    if (context.len == 0)
        return;
    require(slice_is_utf8(context) && json_peek(&r) == JSON_OBJECT);
    require(json_copy(&r, NULL, NULL) == 0 && json_end(&r, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    middleware_output o;
    error err = {0};

    if (middleware_output_read(&o, slice_of(data, size), &err) == 0) {
        require(o.status == 0 || (o.status >= 200 && o.status <= 599));
        require(o.has_headers || o.headers.len == 0);
        require(o.has_body || o.body.len == 0);
        check_headers(buf_slice(&o.headers));
        check_context(buf_slice(&o.context));
    } else {
        require(*error_text(&err) != '\0');
    }
    middleware_output_deinit(&o);
    error_deinit(&err);
    return 0;
}
