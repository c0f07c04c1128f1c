#ifndef CONFORMANCE_CASE_H
#define CONFORMANCE_CASE_H

#include "abi.h"
#include "observe.h"

#include <stdio.h>
#include <string.h>

/* A case runs alone in a child process, in an empty directory, on a library that was loaded for
 * it. It calls the library and observes what comes back; it judges nothing: two libraries are
 * compared by what was observed. */

typedef struct test_case {
    const char *name;
    void (*run)(void);
} test_case;

typedef struct case_group {
    const char *name;
    const test_case *cases; /* ended by one without a name */
    bool own_log;           /* the cases set the log themselves */
} case_group;

/* The running case is of a group with own_log: the library's log is not touched here. */
extern bool case_owns_log;

/* Text with each ' made a ", so that WebAssembly text and JSON read well in C. Formatted like
 * printf by `quoted_format`. Never freed: the process is short-lived. */
char *quoted(const char *text);
char *quoted_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A plug-in from a manifest, WebAssembly text or a binary; `label` and what it is that failed are
 * observed ("<label>: new" and the error) only when it fails, and NULL is returned. */
ExtismPlugin *plugin_open(const char *text);
ExtismPlugin *plugin_open_wasi(const char *text);
ExtismPlugin *plugin_open_with(const char *label, const void *data, size_t len,
                               const ExtismFunction **functions, size_t count, bool wasi);

/* Opens a plug-in that is expected to fail, observes the error ("<label>"), closes it. */
void observe_open(const char *label, const char *text);
void observe_open_bytes(const char *label, const void *data, size_t len, bool wasi);

/* Calls `function` with text and observes rc, output and error under "<label> ...". Return: rc. */
int observe_call(ExtismPlugin *p, const char *label, const char *function, const char *input);
int observe_call_bytes(ExtismPlugin *p, const char *label, const char *function, const void *data,
                       size_t len);

/* The same with the output as 64-bit numbers. */
int observe_call_numbers(ExtismPlugin *p, const char *label, const char *function,
                         const char *input);

/* Opens the text, makes one call of `function` without input, closes it. */
void observe_once(const char *text, const char *function);
void observe_once_numbers(const char *text, const char *function);

/* Observes rc, output (or numbers) and error of a call that was made, and what the library logged
 * of the error: "<label> logged". Upstream's error is only the outermost of a chain of causes, its
 * log has them all. */
void observe_result(ExtismPlugin *p, const char *label, int rc, bool numbers);

void write_file(const char *path, const void *data, size_t len);
void write_text(const char *path, const char *text); /* ' becomes " */
char *read_file(const char *path, size_t *len);      /* NULL: there is none; NUL-terminated */

/* A WebAssembly binary of the text, made by wat2wasm's rules in the library under test is not
 * wanted here; plug-ins built from C, Rust and Go by tests/plugins/build.sh. NULL when the language
 * was left out; the case then observes "absent". */
char *built_plugin(const char *name, size_t *len);

double seconds_now(void);
void sleep_ms(unsigned ms);

/* Ends the case as one that hangs ("signal 14") when it takes longer. */
void alarm_after(unsigned seconds);

/* The beginning and the end of a guest in WebAssembly text: every import of extism:host/env, a
 * memory, and these helpers, all on memory that begins at 0 (4096 and up is free for the case):
 *   $put (address length) -> handle     copies bytes into the kernel's memory
 *   $get (handle address)               copies a block back
 *   $say (address length)               sets the output
 *   $fail (address length)              sets the error
 *   $emit (i64)                         adds a number to a list
 *   $flush                              makes the list the output */
extern const char GUEST_PRELUDE[];
#define GUEST(functions) guest(functions)
char *guest(const char *functions);

#endif
