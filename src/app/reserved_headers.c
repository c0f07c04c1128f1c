#include "app/reserved_headers.h"

#include "base/http_text.h"

bool reserved_headers_has(slice name)
{
    static const char *const names[] = {
        "connection", "content-length", "date",    "keep-alive",        "proxy-connection",
        "te",         "trailer",        "upgrade", "transfer-encoding", "x-invocation",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (http_is_word(name, names[i]))
            return true;
    }
    return false;
}
