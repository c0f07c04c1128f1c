#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

int error_setv(error *err, int code, const char *format, va_list args)
{
    char *text = NULL;

    if (!err)
        return code;
    /* The arguments may point into the old text, so it goes last. */
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    free(err->text);
    err->text = text;
    err->code = code;
    return code;
}

int error_set(error *err, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    error_setv(err, code, format, args);
    va_end(args);
    return code;
}

int error_prefix(error *err, const char *format, ...)
{
    char *prefix = NULL;
    char *text = NULL;
    va_list args;

    if (!err)
        return 0;
    va_start(args, format);
    if (vasprintf(&prefix, format, args) < 0)
        prefix = NULL;
    va_end(args);
    if (prefix && asprintf(&text, "%s: %s", prefix, error_text(err)) >= 0) {
        free(err->text);
        err->text = text;
    }
    free(prefix);
    return err->code;
}

const char *error_text(const error *err)
{
    return err->text ? err->text : error_code_name(err->code);
}

const char *error_code_name(int code)
{
    switch (code) {
    case 0:
        return "success";
#define X(name, value, text)                                                                       \
    case name:                                                                                     \
        return text;
        ERROR_CODES(X)
#undef X
    default:
        return "unknown error";
    }
}

void error_deinit(error *err)
{
    if (!err)
        return;
    free(err->text);
    err->text = NULL;
    err->code = 0;
}
