#include "services/operation.h"

#include <stdlib.h>

const char *service_code_name(enum service_code code)
{
    switch (code) {
    case SERVICE_OK:
        return "ok";
#define X(name, value, text)                                                                       \
    case name:                                                                                     \
        return text;
        SERVICE_CODES(X)
#undef X
    }
    return "unknown";
}

bool operation_fail(operation *op, enum service_code code, const char *format, ...)
{
    va_list args;

    op->code = code;
    va_start(args, format);
    error_setv(&op->err, E_INVALID, format, args);
    va_end(args);
    return true;
}

bool operation_unavailable(operation *op, const error *err)
{
    return operation_fail(op, err->code == E_BUSY ? SERVICE_BUSY : SERVICE_UNAVAILABLE, "%s",
                          error_text(err));
}

void operation_restart(operation *op)
{
    op->code = SERVICE_OK;
    error_deinit(&op->err);
    op->number = 0;
    buf_clear(&op->result);
}

static void open_mail(mail *m)
{
    operation *op = (operation *)(void *)((char *)m - offsetof(operation, mail));

    op->done(op);
}

void operation_finish(operation *op)
{
    op->mail.open = open_mail;
    mailbox_post(op->home, &op->mail);
}

void operation_deinit(operation *op)
{
    error_deinit(&op->err);
    buf_deinit(&op->result);
    free(op->copied);
    op->copied = NULL;
}
