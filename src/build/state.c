#include "build/state.h"

#include "base/file.h"
#include "build/limits.h"
#include "build/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_LINE "ubiq build 1"

/* Reads "<size> <time> <path>" into an input. */
static int read_input(build_state *s, const char *text)
{
    stamp at;
    int path = 0;

    if (sscanf(text, "%" SCNd64 " %" SCNd64 " %n", &at.size, &at.changed_ns, &path) != 2 || !path ||
        !text[path])
        return E_INVALID;
    return inputs_add_real(&s->inputs, text + path, at, NULL);
}

static bool is_hash(const char *text)
{
    return strlen(text) == SHA256_HEX_BYTES - 1 && strspn(text, "0123456789abcdef") == strlen(text);
}

static int read_hash(const char *text, char out[SHA256_HEX_BYTES])
{
    if (!is_hash(text))
        return E_INVALID;
    memcpy(out, text, SHA256_HEX_BYTES);
    return 0;
}

/* If the line begins with the word, what is behind it. */
static const char *behind(const char *line, const char *word)
{
    size_t len = strlen(word);

    return strncmp(line, word, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

static int read_line(build_state *s, const char *line)
{
    const char *value;

    if ((value = behind(line, "input")))
        return read_input(s, value);
    if ((value = behind(line, "source"))) {
        if (s->inputs.sources != s->inputs.count || read_input(s, value) != 0)
            return E_INVALID;
        s->inputs.sources++;
        return 0;
    }
    if ((value = behind(line, "tools")))
        return read_hash(value, s->tools);
    if ((value = behind(line, "module")))
        return read_hash(value, s->module);
    if ((value = behind(line, "output")))
        return sscanf(value, "%" SCNd64 " %" SCNd64, &s->output.size, &s->output.changed_ns) == 2
                   ? 0
                   : E_INVALID;
    if ((value = behind(line, "checked")))
        return sscanf(value, "%" SCNd64, &s->checked_ns) == 1 ? 0 : E_INVALID;
    return E_INVALID;
}

bool build_state_read(build_state *out, const char *path)
{
    char *text = NULL, *line, *rest;
    buf content;
    bool good = false;

    *out = (build_state){0};
    buf_init(&content, LIMIT_BUILD_RECORD_BYTES);
    if (file_read(path, &content, NULL) != 0 || !(text = buf_take_str(&content)))
        goto done;
    line = strtok_r(text, "\n", &rest);
    good = line && strcmp(line, FIRST_LINE) == 0;
    while (good && (line = strtok_r(NULL, "\n", &rest)))
        good = read_line(out, line) == 0;
    good = good && *out->tools && *out->module && out->inputs.sources > 0;
done:
    if (!good)
        build_state_deinit(out);
    free(text);
    buf_deinit(&content);
    return good;
}

int build_state_write(const build_state *s, const char *path, error *err)
{
    buf text;
    int rc;

    buf_init(&text, LIMIT_BUILD_RECORD_BYTES);
    rc = buf_printf(&text,
                    FIRST_LINE "\ntools %s\nmodule %s\noutput %" PRId64 " %" PRId64
                               "\nchecked %" PRId64 "\n",
                    s->tools, s->module, s->output.size, s->output.changed_ns, s->checked_ns);
    for (size_t i = 0; rc == 0 && i < s->inputs.count; i++) {
        const input *in = &s->inputs.item[i];

        rc = buf_printf(&text, "%s %" PRId64 " %" PRId64 " %s\n",
                        i < s->inputs.sources ? "source" : "input", in->stamp.size,
                        in->stamp.changed_ns, in->path);
    }
    rc = rc ? error_set(err, rc, "%s: %s", path, error_code_name(rc))
            : output_write(path, buf_slice(&text), err);
    buf_deinit(&text);
    return rc;
}

bool build_state_holds(const build_state *s, const char *root, const inputs *sources)
{
    if (s->inputs.sources != sources->sources)
        return false;
    for (size_t i = 0; i < s->inputs.count; i++) {
        const input *in = &s->inputs.item[i];

        if (i < sources->sources && strcmp(in->path, sources->item[i].path) != 0)
            return false;
        if (stamp_is_racy(in->stamp, s->checked_ns) ||
            !stamp_equal(in->stamp, input_stamp(root, in->path)))
            return false;
    }
    return true;
}

void build_state_deinit(build_state *s)
{
    inputs_deinit(&s->inputs);
    *s = (build_state){0};
}
