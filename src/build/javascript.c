#include "build/javascript.h"

#include "app/runtimes.h"
#include "build/javascript_module.h"
#include "extism/compiled_plugin.h"
#include "extism/plugin.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_SOURCE (64UL * 1024 * 1024)
#define MAX_MODULE (128UL * 1024 * 1024)

/* Of a blob's first byte; guest/runtime/javascript/runtime.h has them too. */
#define BLOB_HAS_LINES 0x80u
#define BLOB_HAS_HOST 0x40u

static pthread_mutex_t compiler_lock = PTHREAD_MUTEX_INITIALIZER;
static compiled_plugin *compiler; /* made when it is first needed, and kept */

static int make_compiler(error *err)
{
    compiled_options options = {.wasi = true};
    buf main;
    int rc = runtime_libraries(&options.libraries, &options.library_count, err);

    buf_init(&main, MAX_MODULE);
    rc = rc ? rc : javascript_module_write_compiler(&main, runtime_of("js")->name, err);
    rc = rc ? rc : compiled_plugin_create(&compiler, buf_slice(&main), &options, err);
    buf_deinit(&main);
    return rc;
}

static int get_compiler(error *err)
{
    int rc = 0;

    pthread_mutex_lock(&compiler_lock);
    if (!compiler)
        rc = make_compiler(err);
    pthread_mutex_unlock(&compiler_lock);
    return rc;
}

/* What the compiler said: "line:column: text", "import: name" or text. */
static int refuse(const char *text, javascript_problem *problem, error *err)
{
    int n = 0;

    if (sscanf(text, "%u:%u: %n", &problem->line, &problem->column, &n) == 2 && n > 0)
        return error_set(err, E_INVALID, "%s", text + n);
    problem->line = problem->column = 0;
    if (strncmp(text, "import: ", 8) == 0) {
        problem->needs_bundling = true;
        return error_set(err, E_INVALID, "it imports \"%s\"", text + 8);
    }
    return error_set(err, E_INVALID, "%s", text);
}

static int compile(const javascript_source *source, plugin **out, javascript_problem *problem,
                   error *err)
{
    static const host_interface none;
    plugin *p = NULL;
    buf input;
    int rc = get_compiler(err);

    if (rc != 0)
        return rc;
    buf_init(&input, MAX_SOURCE);
    rc = buf_append(&input, source->file, strlen(source->file) + 1);
    rc = rc ? rc : host_interface_write(&input, source->host ? source->host : &none);
    rc = rc ? rc : buf_append_byte(&input, 0);
    rc = rc ? rc : buf_append(&input, source->text.data, source->text.len);
    rc =
        rc ? error_set(err, rc, "%s is too large", source->file) : plugin_create(&p, compiler, err);
    if (rc == 0 && plugin_call(p, "compile", buf_slice(&input), NULL) != 0)
        rc = refuse(plugin_error(p), problem, err);
    buf_deinit(&input);
    if (rc == 0) {
        *out = p;
        p = NULL;
    }
    plugin_destroy(p);
    return rc;
}

static uint32_t read_u16(const uint8_t *at)
{
    return (uint32_t)(at[0] | at[1] << 8);
}

static uint32_t read_u32(const uint8_t *at)
{
    return read_u16(at) | read_u16(at + 2) << 16;
}

/* Puts text behind the head of a blob, whose kind gets `flag` for it. */
static int put_text(buf *blob, unsigned flag, slice text)
{
    const uint8_t size[4] = {(uint8_t)text.len, (uint8_t)(text.len >> 8), (uint8_t)(text.len >> 16),
                             (uint8_t)(text.len >> 24)};
    int rc = buf_append(blob, size, sizeof size);

    blob->data[0] |= (uint8_t)flag;
    return rc ? rc : buf_append(blob, text.data, text.len);
}

static int put_host(buf *blob, const host_interface *host)
{
    buf text;
    int rc;

    buf_init(&text, SIZE_MAX);
    rc = host_interface_write(&text, host);
    rc = rc ? rc : put_text(blob, BLOB_HAS_HOST, buf_slice(&text));
    buf_deinit(&text);
    return rc;
}

/* Writes the module of what compile.c of the runtime puts out. */
static int write_module(buf *out, slice compiled, const javascript_source *source, error *err)
{
    uint32_t count = read_u16(compiled.data + 1);
    slice *names = calloc(count + 1, sizeof *names);
    size_t at = 3, size;
    buf blob;
    int rc;

    if (!names)
        return error_set(err, E_NO_MEMORY, "out of memory while building a function");
    for (uint32_t i = 0; i < count; i++) {
        names[i] = slice_of(compiled.data + at + 2, read_u16(compiled.data + at));
        at += 2 + names[i].len;
    }
    size = read_u32(compiled.data + at);
    buf_init(&blob, MAX_MODULE);
    rc = buf_append(&blob, compiled.data, at);
    if (rc == 0 && source->lines.len > 0)
        rc = put_text(&blob, BLOB_HAS_LINES, source->lines);
    if (rc == 0 && source->host && source->host->count)
        rc = put_host(&blob, source->host);
    rc = rc ? rc : buf_append(&blob, compiled.data + at + 4, size);
    javascript_code code = {
        .blob = buf_slice(&blob),
        .exports = names,
        .export_count = count,
        .host_functions = read_u32(compiled.data + at + 4 + size),
        .own = source->host,
    };
    if (!source->portable || code.host_functions != 0)
        code.host_functions |= read_u32(compiled.data + at + 8 + size);
    rc = rc ? error_set(err, rc, "out of memory while building a function")
            : javascript_module_write(out, &code, runtime_of("js")->name, err);
    buf_deinit(&blob);
    free(names);
    return rc;
}

int javascript_build(buf *out, const javascript_source *source, javascript_problem *problem,
                     error *err)
{
    plugin *p = NULL;
    int rc;

    *problem = (javascript_problem){0};
    rc = compile(source, &p, problem, err);
    rc = rc ? rc : write_module(out, plugin_output(p), source, err);
    plugin_destroy(p);
    return rc;
}
