#include "cli/cli.h"

#include "cli/call_manifest.h"
#include "cli/call_options.h"

#include "extism.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_STEP 65536

static const char usage[] =
    "usage: ubiq call [flags] FILE FUNCTION\n"
    "\n"
    "Calls a function of an Extism plug-in and prints its output. FILE is a WebAssembly\n"
    "module, by path or http(s) URL, or a manifest.\n"
    "\n"
    "  -i, --input TEXT                   input of the function\n"
    "      --stdin                        read the input from standard input\n"
    "      --loop N                       call it N times (1)\n"
    "  -m, --manifest                     FILE is an Extism manifest, in JSON or TOML\n"
    "      --link NAME=PATH               link another module; may be repeated\n"
    "      --wasi                         provide WASI preview 1\n"
    "      --allow-host HOST              allow HTTP to a host, * as a wildcard; may be repeated\n"
    "      --allow-path HOST:GUEST        give a directory to the plug-in, ro:HOST:GUEST to read\n"
    "                                     only; may be repeated\n"
    "      --config KEY=VALUE             set configuration; may be repeated\n"
    "      --set-config JSON              set configuration from an object of strings\n"
    "      --memory-max PAGES             memory of the plug-in, in pages of 64 KiB\n"
    "      --timeout MS                   end a call after this many milliseconds\n"
    "      --http-response-max BYTES      size of an HTTP response\n"
    "      --var-max BYTES                size of all variables together\n"
    "      --enable-http-response-headers let the plug-in read the headers of HTTP responses\n"
    "      --log-level LEVEL              trace, debug, info, warn or error (error)\n"
    "  -h, --help                         print this\n";

static int complain(const char *text)
{
    fprintf(stderr, "ubiq call: %s\n", text);
    return CLI_FAILED;
}

/* Appends all of standard input. */
static int read_stdin(buf *out, error *err)
{
    ssize_t got;
    int rc;

    do {
        rc = buf_reserve(out, READ_STEP);
        if (rc)
            return error_set(err, rc, "standard input: %s", error_code_name(rc));
        do
            got = read(STDIN_FILENO, out->data + out->len, out->capacity - out->len);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return error_set(err, E_IO, "standard input: %s", strerror(errno));
        out->len += (size_t)got;
    } while (got > 0);
    return 0;
}

static int make_plugin(const call_options *o, ExtismPlugin **out, error *err)
{
    call_manifest m;
    char *text = NULL;
    int rc = call_manifest_make(o, &m, err);

    if (rc)
        goto done;
    *out = extism_plugin_new(m.json.data, m.json.len, NULL, 0, o->wasi, &text);
    if (!*out)
        rc = error_set(err, E_INVALID, "%s", text ? text : "the plug-in cannot be made");
    else if (o->http_response_headers)
        extism_plugin_allow_http_response_headers(*out);
done:
    extism_plugin_new_error_free(text);
    call_manifest_deinit(&m);
    return rc;
}

/* Prints the output as it is, and a line's end. Flushed, since what the plug-in prints itself
 * through WASI does not go through stdio. */
static int print_output(ExtismPlugin *plugin, bool more_space)
{
    size_t size = (size_t)extism_plugin_output_length(plugin);

    fwrite(extism_plugin_output_data(plugin), 1, size, stdout);
    fputs(more_space ? "\n\n" : "\n", stdout);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "ubiq call: standard output: %s\n", strerror(errno));
        return CLI_FAILED;
    }
    return 0;
}

static int call_once(ExtismPlugin *plugin, const call_options *o, slice input)
{
    int32_t code = extism_plugin_call(plugin, o->function, input.data, input.len);
    const char *text = extism_plugin_error(plugin);

    if (code == EXTISM_SUCCESS)
        return print_output(plugin, o->loop > 1);
    if (text)
        complain(text);
    if (code != -1 || !text)
        fprintf(stderr, "ubiq call: %s returned %d\n", o->function, code);
    return CLI_FAILED;
}

static int run(const call_options *o)
{
    ExtismPlugin *plugin = NULL;
    error err = {0};
    buf read;
    slice input = slice_str(o->input);
    int status = CLI_FAILED;

    buf_init(&read, SIZE_MAX);
    /* Called by hand, a plug-in is to be heard and seen, unless the user said something else. */
    if (o->wasi)
        setenv("EXTISM_ENABLE_WASI_OUTPUT", "1", 0);
    extism_log_file("stderr", o->log_level);
    if (make_plugin(o, &plugin, &err) || (o->read_stdin && read_stdin(&read, &err))) {
        complain(error_text(&err));
        goto done;
    }
    if (o->read_stdin)
        input = buf_slice(&read);
    status = 0;
    for (int64_t i = 0; i < o->loop && status == 0; i++)
        status = call_once(plugin, o, input);
done:
    extism_plugin_free(plugin);
    buf_deinit(&read);
    error_deinit(&err);
    return status;
}

int cli_call(int argc, char **argv)
{
    call_options o;
    error err = {0};
    int rc = call_options_parse(argc, argv, &o, &err);
    int status;

    if (rc) {
        complain(error_text(&err));
        fputs("Try `ubiq call --help`.\n", stderr);
        status = rc == E_INVALID ? CLI_USAGE : CLI_FAILED;
    } else if (o.help) {
        status = fputs(usage, stdout) < 0 ? CLI_FAILED : 0;
    } else {
        status = run(&o);
    }
    call_options_deinit(&o);
    error_deinit(&err);
    return status;
}
