#ifndef UBIQ_BASE_ERROR_H
#define UBIQ_BASE_ERROR_H

#include <stdarg.h>

/* Every code an internal function can return, with the word that names it.
 * 0 is success; the codes are negative. */
#define ERROR_CODES(X)                                                                             \
    X(E_INVALID, -1, "invalid")         /* an argument or an input is not what it must be */       \
    X(E_NO_MEMORY, -2, "out of memory") /* the host could not allocate */                          \
    X(E_TOO_LARGE, -3, "too large")     /* a limit was exceeded */                                 \
    X(E_NOT_FOUND, -4, "not found")                                                                \
    X(E_IO, -5, "input/output error")                                                              \
    X(E_TRAP, -6, "trap") /* the guest was stopped: a trap, an exit, an error of its own */        \
    X(E_TIMEOUT, -7, "timeout")                                                                    \
    X(E_DENIED, -8, "denied")                                                                      \
    X(E_BUSY, -9, "busy")          /* a resource is used up for now; try again later */            \
    X(E_INTERNAL, -10, "internal") /* a promise of this program's own code does not hold */

enum error_code {
#define X(name, value, text) name = (value),
    ERROR_CODES(X)
#undef X
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* What went wrong, for a person. `text` is owned by the struct and NULL as long as nothing was
 * set. Start from `error err = {0};`, end with error_deinit. Not shared between threads. */
typedef struct error {
    int code;
    char *text;
} error;

/* Replaces what `err` holds by `code` and a formatted text, and returns `code`, so that
 * `return error_set(err, E_INVALID, ...)` reads well. `err` may be NULL. When memory runs out the
 * text stays NULL and error_text() says the code's name. */
int error_set(error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As error_set, with a va_list. */
int error_setv(error *err, int code, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Puts "<formatted>" before the text there is, as in "functions/a.wasm: not a module". Returns the
 * code unchanged. `err` may be NULL (returns 0). */
int error_prefix(error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text, or the code's name when there is no text; never NULL. Valid until `err` changes. */
const char *error_text(const error *err);

/* The name of a code: "timeout". Static; never NULL. */
const char *error_code_name(int code);

/* Frees the text and makes `err` empty again. Takes NULL. */
void error_deinit(error *err);

#endif
