#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "build/host_interface.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Each function is as the module's writer needs it. */
static void check(const host_interface *in)
{
    require(in->count <= LIMIT_BUILD_HOST_FUNCTIONS);
    for (size_t i = 0; i < in->count; i++) {
        const declared_function *f = &in->item[i];

        require(f->name.len > 0 && f->module.len > 0 && slice_is_utf8(f->name));
        require(strspn(f->params, "iIfF") == strlen(f->params));
        require(strlen(f->params) <= LIMIT_BUILD_HOST_PARAMS);
        require(f->result == 0 || strchr("iIfF", f->result));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice text = slice_of(data ? data : (const uint8_t *)"", size);
    host_interface in;
    size_t line, column;
    error err = {0};
    buf out;

    buf_init(&out, SIZE_MAX);
    if (host_interface_read(&in, text, &line, &column, &err) == 0) {
        check(&in);
        require(host_interface_write(&out, &in) == 0);
    } else {
        require(in.item == NULL && in.count == 0 && line > 0 && column > 0);
        require(slice_is_utf8(slice_str(error_text(&err))));
    }
    host_interface_deinit(&in);
    error_deinit(&err);
    buf_deinit(&out);
    return 0;
}
