/* A plug-in whose functions show what `ubiq call` made of its flags. */

#include "ubiq.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX 1024

static char text[TEXT_MAX];

/* The input as text. */
static const char *input_text(void)
{
    text[ubiq_input_read(0, text, TEXT_MAX - 1)] = '\0';
    return text;
}

static int32_t output_block(ubiq_block block)
{
    if (block == 0)
        return ubiq_fail("there is none");
    extism_output_set(block, extism_length(block));
    return 0;
}

UBIQ_EXPORT("echo") int32_t echo(void)
{
    size_t size = ubiq_input_size();
    ubiq_block block = ubiq_block_new(size);

    for (size_t at = 0, n; (n = ubiq_input_read(at, text, TEXT_MAX)) > 0; at += n)
        ubiq_block_write(block, at, text, n);
    extism_output_set(block, size);
    return 0;
}

UBIQ_EXPORT("config") int32_t config(void)
{
    return output_block(extism_config_get(ubiq_block_of_text(input_text())));
}

/* How often it was called. */
UBIQ_EXPORT("count") int32_t count(void)
{
    char n = '0';

    ubiq_var_get("n", &n, 1);
    n++;
    ubiq_var_set("n", &n, 1);
    ubiq_output(&n, 1);
    return 0;
}

UBIQ_EXPORT("fail") int32_t fail(void)
{
    ubiq_fail(input_text());
    return 7;
}

UBIQ_EXPORT("fail_silently") int32_t fail_silently(void)
{
    return 7;
}

UBIQ_EXPORT("log") int32_t log_input(void)
{
    extism_log_info(ubiq_block_of_text(input_text()));
    return 0;
}

UBIQ_EXPORT("spin") int32_t spin(void)
{
    for (;;) {
    }
}

/* Takes as many pages of memory as the input says. */
UBIQ_EXPORT("grow") int32_t grow(void)
{
    if (__builtin_wasm_memory_grow(0, (size_t)atol(input_text())) == (size_t)-1)
        return ubiq_fail("no memory");
    return 0;
}

/* What stands in a file. */
UBIQ_EXPORT("read") int32_t read_file(void)
{
    FILE *f = fopen(input_text(), "r");

    if (!f)
        return ubiq_fail("cannot open it");
    ubiq_output(text, fread(text, 1, TEXT_MAX, f));
    fclose(f);
    return 0;
}

UBIQ_EXPORT("write") int32_t write_file(void)
{
    FILE *f = fopen(input_text(), "w");

    if (!f)
        return ubiq_fail("cannot open it");
    fclose(f);
    return 0;
}

UBIQ_EXPORT("print") int32_t print(void)
{
    puts(input_text());
    fflush(stdout);
    ubiq_output_text("printed");
    return 0;
}

/* What is at a URL. */
UBIQ_EXPORT("fetch") int32_t fetch(void)
{
    char request[TEXT_MAX + 16];
    int size = snprintf(request, sizeof request, "{\"url\":\"%s\"}", input_text());

    return output_block(extism_http_request(ubiq_block_of(request, (size_t)size), 0));
}

UBIQ_EXPORT("fetch_headers") int32_t fetch_headers(void)
{
    return fetch() || output_block(extism_http_headers());
}
