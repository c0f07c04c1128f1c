#include "build/manifest.h"

#include "app/runtimes.h"
#include "base/json.h"
#include "build/output.h"
#include "build/stamp.h"

#include <stdio.h>
#include <stdlib.h>

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "out of memory while writing a manifest");
}

/* The runtime's file, named by its hash; the caller frees it. */
static int put_runtime(const runtime *r, const char *directory, char **out, error *err)
{
    const char *hash = strchr(r->name, '@') + 1;

    if (asprintf(out, "%s/ubiq-%s-%s.wasm", directory, r->language, hash) < 0) {
        *out = NULL;
        return no_memory(err);
    }
    if (stamp_of(*out).size == (int64_t)r->module.len)
        return 0;
    return output_write(*out, r->module, err);
}

static int put_member(buf *out, const char *name, const char *path)
{
    int rc = buf_append_str(out, "{\"name\":");

    rc = rc ? rc : json_put_bytes(out, slice_str(name));
    rc = rc ? rc : buf_append_str(out, ",\"path\":");
    rc = rc ? rc : json_put_bytes(out, slice_str(path));
    return rc ? rc : buf_append_byte(out, '}');
}

int manifest_write(const char *module, const char *language, const char *directory, error *err)
{
    const runtime *r = language ? runtime_of(language) : NULL;
    char *path = NULL, *runtime_path = NULL;
    buf text;
    int rc;

    buf_init(&text, SIZE_MAX);
    rc = r ? put_runtime(r, directory, &runtime_path, err) : 0;
    if (rc)
        goto done;
    rc = buf_append_str(&text, "{\"wasm\":[");
    if (r) {
        rc = rc ? rc : put_member(&text, r->name, runtime_path);
        rc = rc ? rc : buf_append_byte(&text, ',');
    }
    rc = rc ? rc : put_member(&text, "main", module);
    rc = rc ? rc : buf_append_str(&text, "]}\n");
    if (rc || asprintf(&path, "%.*s.json", (int)(strlen(module) - strlen(".wasm")), module) < 0) {
        path = NULL;
        rc = no_memory(err);
    }
    rc = rc ? rc : output_write(path, buf_slice(&text), err);
done:
    buf_deinit(&text);
    free(path);
    free(runtime_path);
    return rc;
}
