#include "cli/call_options.h"

#include "base/record.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    FLAG_ALLOW_HOST = UCHAR_MAX + 1,
    FLAG_ALLOW_PATH,
    FLAG_CONFIG,
    FLAG_ENABLE_HTTP_RESPONSE_HEADERS,
    FLAG_HTTP_RESPONSE_MAX,
    FLAG_LINK,
    FLAG_LOG_LEVEL,
    FLAG_LOOP,
    FLAG_MEMORY_MAX,
    FLAG_SET_CONFIG,
    FLAG_STDIN,
    FLAG_TIMEOUT,
    FLAG_VAR_MAX,
    FLAG_WASI,
};

/* A switch may be given a value: --wasi=false. */
static const struct option flags[] = {
    {"allow-host", required_argument, NULL, FLAG_ALLOW_HOST},
    {"allow-path", required_argument, NULL, FLAG_ALLOW_PATH},
    {"config", required_argument, NULL, FLAG_CONFIG},
    {"enable-http-response-headers", optional_argument, NULL, FLAG_ENABLE_HTTP_RESPONSE_HEADERS},
    {"help", optional_argument, NULL, 'h'},
    {"http-response-max", required_argument, NULL, FLAG_HTTP_RESPONSE_MAX},
    {"input", required_argument, NULL, 'i'},
    {"link", required_argument, NULL, FLAG_LINK},
    {"log-level", required_argument, NULL, FLAG_LOG_LEVEL},
    {"loop", required_argument, NULL, FLAG_LOOP},
    {"manifest", optional_argument, NULL, 'm'},
    {"memory-max", required_argument, NULL, FLAG_MEMORY_MAX},
    {"set-config", required_argument, NULL, FLAG_SET_CONFIG},
    {"stdin", optional_argument, NULL, FLAG_STDIN},
    {"timeout", required_argument, NULL, FLAG_TIMEOUT},
    {"var-max", required_argument, NULL, FLAG_VAR_MAX},
    {"wasi", optional_argument, NULL, FLAG_WASI},
    {NULL, 0, NULL, 0},
};

static const char *flag_name(int flag)
{
    for (const struct option *f = flags; f->name; f++) {
        if (f->val == flag)
            return f->name;
    }
    return "";
}

static int bad_value(int flag, const char *text, const char *wanted, error *err)
{
    return error_set(err, E_INVALID, "--%s takes %s, not \"%s\"", flag_name(flag), wanted, text);
}

static int read_switch(int flag, const char *text, bool *out, error *err)
{
    static const char *const words[2][6] = {
        {"0", "f", "F", "false", "False", "FALSE"},
        {"1", "t", "T", "true", "True", "TRUE"},
    };

    if (!text) {
        *out = true;
        return 0;
    }
    for (size_t value = 0; value < 2; value++) {
        for (size_t i = 0; i < sizeof words[value] / sizeof *words[value]; i++) {
            if (strcmp(text, words[value][i]) == 0) {
                *out = value == 1;
                return 0;
            }
        }
    }
    return bad_value(flag, text, "true or false", err);
}

static int read_int(int flag, const char *text, int64_t max, int64_t *out, error *err)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 0);
    if (end == text || *end || isspace((unsigned char)*text) || errno)
        return bad_value(flag, text, "a whole number", err);
    if (value > max)
        return error_set(err, E_INVALID, "--%s: %s is more than the maximum, %lld", flag_name(flag),
                         text, (long long)max);
    *out = value;
    return 0;
}

static int read_timeout(int flag, const char *text, uint64_t *out, error *err)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 0);
    /* strtoull takes a sign, and turns what is negative around. */
    if (end == text || *end || !isdigit((unsigned char)*text) || errno)
        return bad_value(flag, text, "a number of milliseconds", err);
    *out = value;
    return 0;
}

static int read_memory_max(int flag, const char *text, uint32_t *out, error *err)
{
    int64_t value = 0;
    int rc = read_int(flag, text, UINT32_MAX, &value, err);

    if (rc == 0)
        *out = value > 0 ? (uint32_t)value : 0;
    return rc;
}

static int read_log_level(int flag, const char *text, const char **out, error *err)
{
    static const char *const levels[] = {"trace", "debug", "info", "warn", "error"};

    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(text, levels[i]) == 0) {
            *out = text;
            return 0;
        }
    }
    return bad_value(flag, text, "trace, debug, info, warn or error", err);
}

static int take_string(const char **out, const char *text)
{
    *out = text;
    return 0;
}

static int append(call_list *list, const char *text)
{
    list->item[list->count++] = text;
    return 0;
}

/* Puts KEY=VALUE, or KEY alone, into the configuration. */
static int set_config(call_options *o, const char *text, error *err)
{
    const char *value = strchrnul(text, '=');
    slice key = slice_of(text, (size_t)(value - text));

    value += *value == '=';
    if (!slice_is_utf8(slice_str(text)))
        return error_set(err, E_INVALID, "--config: \"%s\" is not UTF-8", text);
    if (strmap_set(&o->config, key, slice_str(value)))
        return error_set(err, E_NO_MEMORY, "out of memory");
    return 0;
}

/* Puts the strings of a JSON object into the configuration. */
static int set_config_json(call_options *o, const char *text, error *err)
{
    record_reader r;
    int rc;

    if (!slice_is_utf8(slice_str(text)))
        return error_set(err, E_INVALID, "--set-config: not UTF-8");
    record_init(&r, slice_str(text));
    rc = record_map(&r, &o->config);
    if (rc == 0)
        rc = json_end(&r.json, &r.err);
    if (rc)
        error_set(err, rc, "--set-config: %s%s%s", r.path, r.path[0] ? ": " : "",
                  error_text(&r.err));
    record_deinit(&r);
    return rc;
}

/* The configuration, once all flags are known: what stands in --config goes before. */
static int make_config(call_options *o, error *err)
{
    int rc = o->set_config ? set_config_json(o, o->set_config, err) : 0;

    for (size_t i = 0; rc == 0 && i < o->config_pairs.count; i++)
        rc = set_config(o, o->config_pairs.item[i], err);
    return rc;
}

/* In `-i=text` the sign is no part of the value, as in upstream's command line; in `-i =text`, and
 * behind `--input=`, it is. */
static const char *input_text(char *const *argv)
{
    const char *word = argv[optind - 1];

    return optarg != word && word[1] != '-' && *optarg == '=' ? optarg + 1 : optarg;
}

static int take_flag(int flag, char *const *argv, call_options *o, error *err)
{
    switch (flag) {
    case FLAG_ALLOW_HOST:
        return append(&o->hosts, optarg);
    case FLAG_ALLOW_PATH:
        return append(&o->paths, optarg);
    case FLAG_CONFIG:
        return append(&o->config_pairs, optarg);
    case FLAG_LINK:
        return append(&o->links, optarg);
    case FLAG_ENABLE_HTTP_RESPONSE_HEADERS:
        return read_switch(flag, optarg, &o->http_response_headers, err);
    case FLAG_HTTP_RESPONSE_MAX:
        return read_int(flag, optarg, INT64_MAX, &o->http_response_max, err);
    case FLAG_LOG_LEVEL:
        return read_log_level(flag, optarg, &o->log_level, err);
    case FLAG_LOOP:
        return read_int(flag, optarg, INT64_MAX, &o->loop, err);
    case FLAG_MEMORY_MAX:
        return read_memory_max(flag, optarg, &o->memory_pages, err);
    case FLAG_SET_CONFIG:
        return take_string(&o->set_config, optarg);
    case FLAG_STDIN:
        return read_switch(flag, optarg, &o->read_stdin, err);
    case FLAG_TIMEOUT:
        return read_timeout(flag, optarg, &o->timeout_ms, err);
    case FLAG_VAR_MAX:
        return read_int(flag, optarg, INT64_MAX, &o->var_max, err);
    case FLAG_WASI:
        return read_switch(flag, optarg, &o->wasi, err);
    case 'i':
        return take_string(&o->input, input_text(argv));
    case 'm':
        return read_switch(flag, optarg, &o->is_manifest, err);
    case 'h':
        return read_switch(flag, optarg, &o->help, err);
    case ':':
        return error_set(err, E_INVALID, "--%s needs a value", flag_name(optopt));
    default:
        return optopt ? error_set(err, E_INVALID, "unknown flag -%c", optopt)
                      : error_set(err, E_INVALID, "unknown flag %s", argv[optind - 1]);
    }
}

static int take_arguments(int argc, char *const *argv, call_options *o, error *err)
{
    if (argc < 1)
        return error_set(err, E_INVALID, "a file and a function are missing");
    if (argc < 2)
        return error_set(err, E_INVALID, "the name of a function is missing");
    if (argc > 2)
        return error_set(err, E_INVALID, "one argument too many: %s", argv[2]);
    if (o->input && o->read_stdin)
        return error_set(err, E_INVALID, "--input and --stdin exclude each other");
    o->file = argv[0];
    o->function = argv[1];
    return 0;
}

int call_options_parse(int argc, char **argv, call_options *out, error *err)
{
    call_list *lists[] = {&out->config_pairs, &out->links, &out->hosts, &out->paths};
    int flag;
    int rc;

    *out = (call_options){.log_level = "error", .loop = 1, .http_response_max = -1, .var_max = -1};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (!(lists[i]->item = calloc((size_t)argc + 1, sizeof *lists[i]->item)))
            return error_set(err, E_NO_MEMORY, "out of memory");
    }
    /* 0 makes glibc forget a scan that was begun before, as main's own. */
    optind = 0;
    opterr = 0;
    while ((flag = getopt_long(argc, argv, ":hi:m", flags, NULL)) != -1) {
        rc = take_flag(flag, argv, out, err);
        if (rc || out->help)
            return rc;
    }
    rc = take_arguments(argc - optind, argv + optind, out, err);
    return rc ? rc : make_config(out, err);
}

void call_options_deinit(call_options *o)
{
    strmap_deinit(&o->config);
    free(o->config_pairs.item);
    free(o->links.item);
    free(o->hosts.item);
    free(o->paths.item);
    *o = (call_options){0};
}
