#include "guest.h"

#include "base/file.h"
#include "fail.h"

#include <limits.h>
#include <stdio.h>

#define MAX_MODULE (64UL * 1024 * 1024)

const guest guests[] = {
    {.label = "C count", .file = "c_count_vowels.wasm", .function = "count_vowels"},
    {.label = "C echo", .file = "bench_echo.wasm", .function = "echo"},
    {.label = "Rust count", .file = "rust_plugin.wasm", .function = "count_vowels"},
    {.label = "Rust echo", .file = "rust_plugin.wasm", .function = "echo"},
    {.label = "Go count",
     .file = "go_plugin.wasm",
     .function = "count_vowels",
     .wasi = true,
     .large = true},
    {.label = NULL},
};

bool guest_read(const guest *g, const char *directory, buf *out)
{
    char path[PATH_MAX];
    error err = {0};
    int rc;

    buf_init(out, MAX_MODULE);
    snprintf(path, sizeof path, "%s/%s", directory, g->file);
    rc = file_read(path, out, &err);
    if (rc != 0 && rc != E_NOT_FOUND)
        fail("%s", error_text(&err));
    if (rc != 0)
        fprintf(stderr, "bench: %s left out: there is no %s\n", g->label, g->file);
    error_deinit(&err);
    return rc == 0;
}
