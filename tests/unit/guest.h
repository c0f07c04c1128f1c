#ifndef UBIQ_TESTS_GUEST_H
#define UBIQ_TESTS_GUEST_H

#include "extism/call.h"
#include "extism/compiled_plugin.h"
#include "extism/engine_internal.h"
#include "extism/instance.h"
#include "extism/plugin.h"

/* Which sanitizer this is built for: BUILT_FOR(thread_sanitizer). */
#if defined(__has_feature)
#define BUILT_FOR(sanitizer) __has_feature(sanitizer)
#else
#define BUILT_FOR(sanitizer) 0
#endif

/* Guests in WebAssembly text, and what the tests of src/extism do with them. Failures are cmocka's,
 * so only a test's main thread may call these. */

/* Group set-up for cmocka: no module cache. */
int guest_start(void **state);

/* cmocka takes the signals over for the time of a test by which the engine learns of traps. This
 * gives them back; everything here that compiles or makes an instance does so too. */
void guest_take_signals(void);

/* The binary of a module in text; the caller frees it with free(). */
slice guest_binary(const char *text);

/* The text of the module tests/unit/wat/<name>, and its binary; the caller frees either. */
char *guest_wat(const char *name);
slice guest_wat_binary(const char *name);

/* Base64 of the bytes, which are freed; the caller frees the text. For manifests. */
char *guest_base64(slice bytes);

/* The code section's bodies of a binary, one after another: false when there are no more. `at`
 * begins as 0. */
bool guest_next_body(slice binary, size_t *at, slice *body);

/* Compiles text; for call.h and for plugin.h. */
compiled_plugin *guest_compile(const char *text);
compiled_plugin *guest_compile_fibers(const char *text);
compiled_plugin *guest_compile_with(const char *text, const compiled_options *options);

/* What a plug-in that runs on fibers is compiled with; its HTTP is not used by these tests. */
extern const http_driver guest_http;

/* What a call came to. */
typedef struct guest_result {
    int32_t code;
    char *output; /* NUL-terminated */
    size_t output_len;
    char *error; /* or NULL */
} guest_result;

/* A whole call on a fresh instance, on a fiber. */
guest_result guest_call(compiled_plugin *code, const char *function, slice input);

/* Takes the result of a call that is done, and destroys the call. */
guest_result guest_finish(call *c);

/* A call on a plug-in. */
guest_result guest_plugin_call(plugin *p, const char *function, slice input);

void guest_result_free(guest_result *r);

/* Makes the whole call and frees the result; it must have worked and given this output, or failed
 * with an error that holds this text. */
void guest_gives(compiled_plugin *code, const char *function, const char *input,
                 const char *output);
void guest_fails(compiled_plugin *code, const char *function, const char *input, const char *words);

/* An instance of its own without a call, and its end. */
instance *guest_instance(compiled_plugin *code, plugin_state *state);

/* Calls a function () -> i64 of an instance in the C API's mode. */
int64_t guest_number(instance *i, const char *function);

/* Begins and ends a thread that advances the epoch every millisecond. */
void guest_start_ticks(void);
void guest_stop_ticks(void);

/* A temporary directory, and its removal with all that is in it. */
char *guest_directory(void);
void guest_remove_directory(char *path);

/* Runs `run` in a child process, which must exit with 0 (it may return or assert with
 * guest_require). */
void guest_in_child(void (*run)(void *arg), void *arg);

/* As assert_true, for children and threads: ends the process. */
#define guest_require(holds) guest_require_at((holds), #holds, __FILE__, __LINE__)
void guest_require_at(bool holds, const char *text, const char *file, int line);

#endif
