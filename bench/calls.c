#include "rows.h"

#include "fail.h"
#include "guest.h"
#include "platform.h"

#include <stdlib.h>

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

/* One way to call: a library and what it needs, or the platform's calls. `output` is set for one
 * call before anything is measured. */
struct way {
    const library *lib;
    ExtismCompiledPlugin *code;
    ExtismPlugin *kept;
    compiled_plugin *platform;
    const guest *guest;
    slice input;
    buf *output;
};

static void keep_output(const struct way *w, const void *data, size_t len)
{
    if (w->output && buf_append(w->output, data, len) != 0)
        fail("out of memory");
}

static void call_and_keep_output(const struct way *w, ExtismPlugin *p)
{
    library_call(w->lib, p, w->guest->function, w->input.data, w->input.len);
    if (w->output)
        keep_output(w, w->lib->plugin_output_data(p), w->lib->plugin_output_length(p));
}

static void run_kept(void *arg)
{
    const struct way *w = arg;
    call_and_keep_output(w, w->kept);
}

static void run_fresh(void *arg)
{
    const struct way *w = arg;
    ExtismPlugin *p = library_plugin(w->lib, w->code);
    call_and_keep_output(w, p);
    w->lib->plugin_free(p);
}

static void run_platform(void *arg)
{
    const struct way *w = arg;
    enum call_status status;
    call *c = platform_call(w->platform, w->guest->function, w->input, &status);
    if (status != CALL_DONE)
        fail("%s waits", w->guest->label);
    keep_output(w, call_output(c).data, call_output(c).len);
    call_destroy(c);
}

static bool answer_at_once(struct instance *caller, const ExtismVal *inputs, size_t n_inputs,
                           host_wait *wait, void *user_data)
{
    (void)caller, (void)n_inputs, (void)user_data;
    wait->outputs[0].v.i64 = inputs[0].v.i64;
    return true;
}

/* All ways must give the same, or comparing their times means nothing. */
static void check_outputs(const subject *subjects, struct way *const *ways, size_t count)
{
    buf first, other;

    buf_init(&first, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_init(&other, SIZE_MAX);
        ways[i]->output = i == 0 ? &first : &other;
        subjects[i].run(ways[i]);
        ways[i]->output = NULL;
        if (i > 0 && !slice_equal(buf_slice(&first), buf_slice(&other)))
            fail("%s: %s and %s do not give the same", ways[i]->guest->label, subjects[0].who,
                 subjects[i].who);
        buf_deinit(&other);
    }
    buf_deinit(&first);
}

static void measure_size(struct way *upstream, struct way *ours, size_t size, const uint8_t *data,
                         plan p)
{
    struct way *ways[] = {upstream, upstream, ours, ours, ours};
    const subject subjects[] = {
        {"upstream fresh", run_fresh, upstream}, {"upstream kept", run_kept, upstream},
        {"ours fresh", run_fresh, ours},         {"ours fiber", run_platform, ours},
        {"ours kept", run_kept, ours},
    };
    size_t count = sizeof subjects / sizeof subjects[0];

    upstream->input = ours->input = slice_of(data, size);
    upstream->kept = library_plugin(upstream->lib, upstream->code);
    ours->kept = library_plugin(ours->lib, ours->code);
    check_outputs(subjects, ways, count);
    measure((label){"call", ours->guest->label, size}, subjects, count, p);
    upstream->lib->plugin_free(upstream->kept);
    ours->lib->plugin_free(ours->kept);
}

void rows_calls(const setting *s)
{
    static const size_t sizes[] = {64, 64 * KIB, 10 * MIB};
    plan p = {.batch_ms = 5, .budget_ms = s->quick ? 250 : 2500, .max_turns = 101};
    uint8_t *data = malloc(10 * MIB);

    if (!data)
        fail("out of memory");
    for (size_t i = 0; i < 10 * MIB; i++)
        data[i] = (uint8_t) "The quick brown fox jumps over the lazy dog. "[i % 45];
    for (const guest *g = guests; g->label; g++) {
        struct way upstream = {.lib = &s->upstream, .guest = g},
                   ours = {.lib = &s->ours, .guest = g};
        buf wasm;

        if ((s->quick && g->large) || !guest_read(g, s->directory, &wasm))
            continue;
        upstream.code = library_compile(&s->upstream, wasm.data, wasm.len, g->wasi);
        ours.code = library_compile(&s->ours, wasm.data, wasm.len, g->wasi);
        ours.platform = platform_compile(buf_slice(&wasm), g->wasi, "shout", answer_at_once);
        p.min_turns = s->quick ? 2 : g->large ? 3 : 9;
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            measure_size(&upstream, &ours, sizes[i], data, p);
        s->upstream.compiled_plugin_free(upstream.code);
        s->ours.compiled_plugin_free(ours.code);
        compiled_plugin_unref(ours.platform);
        buf_deinit(&wasm);
    }
    free(data);
}
