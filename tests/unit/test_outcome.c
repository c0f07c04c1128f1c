#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "extism/outcome.h"
#include "guest.h"

struct end {
    const char *function;
    int32_t code;
    const char *error; /* what it holds, "" for any, NULL for none */
    const char
        *plugin_error; /* what plugin_error tells instead, when the guest's bytes are no text */
};

static const struct end ends[] = {
    {"nothing", 0, NULL, NULL},
    {"zero", 0, NULL, NULL},
    {"code", -5, NULL, NULL},
    {"i64", -1, NULL, NULL},
    {"f64", -1, NULL, NULL},
    {"error and zero", 0, "an error", NULL},
    {"error and code", 9, "an error", NULL},
    {"error and nothing", 0, "an error", NULL},
    {"bad error", 1, "invalid utf-8 sequence of 1 bytes from index 0", "\xff  error"},
    {"error without a block", 1, NULL, ""},
    {"error of zero", 0, NULL, NULL},
    {"trap", OUTCOME_TRAPPED, "unreachable", NULL},
    {"error and trap", -1, "an error", NULL},
    {"bad error and trap", -1, "", NULL},
    {"exit 0", 0, NULL, NULL},
    {"exit 3", 3, "3", NULL},
    {"error and exit 0", -1, "an error", NULL},
    {"error and exit 3", -1, "an error", NULL},
    {"too much", -1, "oom", NULL},
    {"error and too much", -1, "an error", NULL},
    {"spin", OUTCOME_TRAPPED, "timeout", NULL},
    {"error and spin", -1, "an error", NULL},
    {"wide output", 0, NULL, NULL},
    {"no output", 0, NULL, NULL},
};

static void test_ends(void **state)
{
    char *encoded = guest_base64(guest_wat_binary("outcome.wat")), *text;

    (void)state;
    assert_true(asprintf(&text,
                         "{\"wasm\": [{\"data\": \"%s\"}], \"memory\": {\"max_pages\": 50},"
                         " \"timeout_ms\": 30}",
                         encoded) > 0);
    for (int fibers = 0; fibers < 2; fibers++) {
        compiled_plugin *code = guest_compile_with(
            text, &(compiled_options){.wasi = true, .http = fibers ? &guest_http : NULL});
        guest_start_ticks();
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            const struct end *e = &ends[i];
            guest_result r;
            if (fibers) {
                r = guest_call(code, e->function, slice_of("", 0));
            } else {
                plugin *p;
                assert_int_equal(plugin_create(&p, code, NULL), 0);
                r = guest_plugin_call(p, e->function, slice_of("", 0));
                plugin_destroy(p);
            }
            const char *words = e->plugin_error && !fibers ? e->plugin_error : e->error;
            if (r.code != e->code || !words != !r.error || (words && !strstr(r.error, words)))
                fail_msg("%s, fibers %d: %d %s", e->function, fibers, r.code, r.error);
            guest_result_free(&r);
        }
        guest_stop_ticks();
        compiled_plugin_unref(code);
    }
    free(text);
    free(encoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
    };

    return cmocka_run_group_tests(tests, guest_start, NULL);
}
