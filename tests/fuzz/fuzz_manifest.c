#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extism/manifest.h"

#define PREFIX "Unknown manifest format: "

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

/* A refusal explains itself in one line that a terminal may show, and leaves nothing behind. */
static void check_refusal(int rc, const manifest *m, const error *err)
{
    static const manifest empty;
    const char *text = error_text(err);

    require(rc == E_INVALID && err->code == rc);
    require(strncmp(text, PREFIX, strlen(PREFIX)) == 0 && text[strlen(PREFIX)] != '\0');
    require(slice_is_utf8(slice_str(text)));
    for (const char *p = text; *p; p++)
        require((unsigned char)*p >= ' ' && *p != 0x7f);
    require(memcmp(m, &empty, sizeof empty) == 0);
}

/* Every module has what its kind says. */
static void check_modules(const manifest *m)
{
    for (size_t i = 0; i < m->wasm_count; i++) {
        const manifest_wasm *w = &m->wasm[i];

        require((w->kind == MANIFEST_WASM_FILE) == (w->path != NULL));
        require((w->kind == MANIFEST_WASM_URL) == (w->url != NULL));
        require(w->kind == MANIFEST_WASM_URL || (!w->method && w->headers.count == 0));
        require(w->kind == MANIFEST_WASM_DATA || w->data_len == 0);
    }
}

static void check_copy(const manifest *m)
{
    manifest copy;

    require(manifest_copy_settings(&copy, m) == 0);
    require(copy.config.count == m->config.count && copy.wasm_count == 0);
    require(copy.allowed_hosts_count == m->allowed_hosts_count);
    require(copy.allowed_paths_count == m->allowed_paths_count);
    manifest_deinit(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    error err = {0};
    manifest m;
    int rc = manifest_parse(&m, slice_of(data, size), &err);

    if (rc == 0) {
        check_modules(&m);
        check_copy(&m);
    } else {
        check_refusal(rc, &m, &err);
    }
    manifest_deinit(&m);
    error_deinit(&err);
    return 0;
}
