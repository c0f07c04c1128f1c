#include "build/unit.h"

#include "base/file.h"
#include "build/limits.h"
#include "build/manifest.h"
#include "build/output.h"
#include "build/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One function at work. */
struct unit {
    unit_context *context;
    const build_source *source;
    const build_tools *tools;
    char *module_path;
    char *state_path;
    build_state was; /* empty when nothing is known */
    build_state is;
    char key[SHA256_HEX_BYTES];
    buf module;
    buf *said;
};

int unit_context_init(unit_context *c, const build_options *o, error *err)
{
    *c = (unit_context){.project = o->project, .colours = o->colours, .manifest = o->manifest};
    pthread_mutex_init(&c->lock, NULL);
    c->root = realpath(o->project, NULL);
    if (!c->root)
        return error_set(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "%s: %s", o->project,
                         strerrordesc_np(errno));
    if (asprintf(&c->output, "%s/.ubiq/%s", c->root, o->manifest ? "manifest" : "build") < 0) {
        c->output = NULL;
        return error_set(err, E_NO_MEMORY, "out of memory");
    }
    int rc = processes_create(&c->processes, err);
    return rc ? rc : build_cache_open(&c->cache, err);
}

void unit_context_deinit(unit_context *c)
{
    for (size_t i = 0; i < UNIT_BUILDERS_MAX; i++) {
        error_deinit(&c->language[i].why);
        tools_deinit(&c->language[i].tools);
    }
    build_cache_close(&c->cache);
    processes_destroy(c->processes);
    pthread_mutex_destroy(&c->lock);
    free(c->root);
    free(c->output);
    *c = (unit_context){0};
}

/* The tools of a language, found, and asked if they must be. */
static int get_tools(unit_context *c, const builder *b, bool asked, const build_tools **out,
                     error *err)
{
    size_t i = 0;
    int rc;

    while (builders[i] != b)
        i++;
    pthread_mutex_lock(&c->lock);
    if (!c->language[i].found) {
        c->language[i].found = true;
        c->language[i].problem = b->find(&c->language[i].tools, &c->language[i].why);
    }
    if (asked && !c->language[i].problem && !c->language[i].asked) {
        c->language[i].asked = true;
        c->language[i].problem =
            b->ask(&c->language[i].tools, &c->cache, c->processes, &c->language[i].why);
    }
    rc = c->language[i].problem;
    if (rc)
        error_set(err, rc, "%s: %s", b->language, error_text(&c->language[i].why));
    pthread_mutex_unlock(&c->lock);
    *out = &c->language[i].tools;
    return rc;
}

/* The key of the result: all that decides on it but what the source includes. */
static int make_key(struct unit *u, error *err)
{
    const build_source *s = u->source;
    char hash[SHA256_HEX_BYTES];
    buf all;
    int rc;

    buf_init(&all, LIMIT_BUILD_RECORD_BYTES);
    rc = buf_printf(&all, "%s\n%s\n%s\n%s\n%d\n", s->builder->language, u->tools->stamp,
                    u->tools->version, s->name, u->context->manifest);
    for (size_t i = 0; rc == 0 && i < s->inputs.sources; i++) {
        rc = input_hash(u->context->root, s->inputs.item[i].path, hash, err);
        if (rc)
            goto done;
        rc = buf_printf(&all, "%s %s\n", hash, s->inputs.item[i].path);
    }
    rc = rc ? rc : sha256_hex(buf_slice(&all), u->key);
    if (rc)
        error_set(err, rc, "%s: its key: %s", s->path, error_code_name(rc));
done:
    buf_deinit(&all);
    return rc;
}

/* Begins u->is: the sources, with the stamps they have before anything reads them. */
static int begin_state(struct unit *u, error *err)
{
    const inputs *sources = &u->source->inputs;
    int rc = 0;

    u->is.checked_ns = stamp_now();
    memcpy(u->is.tools, u->tools->stamp, sizeof u->is.tools);
    for (size_t i = 0; rc == 0 && i < sources->sources; i++)
        rc = inputs_add_real(&u->is.inputs, sources->item[i].path,
                             input_stamp(u->context->root, sources->item[i].path), err);
    u->is.inputs.sources = u->is.inputs.count;
    return rc;
}

/* Whether what the compiler read is what the stamps say: those of the sources were taken before it ran,
 * the others after, so what was written since then is not told apart. */
static bool inputs_stood_still(const struct unit *u)
{
    const inputs *in = &u->is.inputs;

    for (size_t i = 0; i < in->count; i++) {
        const input *one = &in->item[i];

        if (i < in->sources ? !stamp_equal(one->stamp, input_stamp(u->context->root, one->path))
                            : stamp_is_racy(one->stamp, u->is.checked_ns))
            return false;
    }
    return true;
}

static int run_builder(struct unit *u, const char *work, error *err)
{
    const build_source *s = u->source;
    unit_context *c = u->context;
    char *kept = build_cache_directory(&c->cache, s->builder->folder);
    char *module = NULL;
    int rc;

    if (asprintf(&module, "%s/module.wasm", work) < 0) {
        free(kept);
        return error_set(err, E_NO_MEMORY, "out of memory");
    }
    const build_job job = {
        .tools = u->tools,
        .name = s->name,
        .source = s->path,
        .project = c->project,
        .root = c->root,
        .work = work,
        .module = module,
        .kept = kept,
        .key = u->key,
        .colours = c->colours,
        .portable = c->manifest,
        .processes = c->processes,
        .said = u->said,
        .inputs = &u->is.inputs,
    };
    rc = s->builder->build(&job, err);
    if (rc == 1) {
        rc = file_read(module, &u->module, err);
        rc = rc ? rc : sha256_hex(buf_slice(&u->module), u->is.module);
        rc = rc ? rc : 1;
    }
    free(module);
    free(kept);
    return rc;
}

/* Has the language's builder make the module: as builder's `build`. */
static int compile(struct unit *u, error *err)
{
    char *work = NULL;
    int rc;

    if (asprintf(&work, "%s/.work-XXXXXX", u->context->output) < 0)
        return error_set(err, E_NO_MEMORY, "out of memory");
    if (!mkdtemp(work)) {
        rc = error_set(err, E_IO, "%s: %s", work, strerrordesc_np(errno));
    } else {
        rc = run_builder(u, work, err);
        output_remove_directory(work);
    }
    if (rc == 1 && inputs_stood_still(u))
        build_cache_put(&u->context->cache, u->key, u->context->root, &u->is.inputs,
                        buf_slice(&u->module), u->is.module);
    free(work);
    return rc;
}

/* Puts the module where it is used, unless it is there, and notes what it was made of. */
static int install(struct unit *u, error *err)
{
    stamp now = stamp_of(u->module_path);
    int rc = 0;

    if (strcmp(u->was.module, u->is.module) != 0 || !stamp_equal(now, u->was.output)) {
        rc = output_write(u->module_path, buf_slice(&u->module), err);
        now = stamp_of(u->module_path);
    }
    u->is.output = now;
    return rc ? rc : build_state_write(&u->is, u->state_path, err);
}

/* Makes the module, from the cache or with the compiler, and puts it in its place. */
static enum build_result make(struct unit *u, error *err)
{
    enum build_result result = BUILD_CACHED;
    int rc = get_tools(u->context, u->source->builder, true, &u->tools, err);

    rc = rc ? rc : begin_state(u, err);
    rc = rc ? rc : make_key(u, err);
    rc = rc ? rc : file_make_dirs(u->context->output, err);
    rc = rc ? rc
            : build_cache_find(&u->context->cache, u->key, u->context->root, &u->is.inputs,
                               &u->module, u->is.module, err);
    if (rc == 0) {
        result = BUILD_BUILT;
        rc = compile(u, err);
        if (rc == 0)
            return BUILD_WRONG;
    }
    if (rc == 1)
        rc = install(u, err);
    if (processes_stopped(u->context->processes))
        return BUILD_STOPPED;
    return rc ? BUILD_FAILED : result;
}

static bool is_unchanged(const struct unit *u)
{
    return *u->was.tools && strcmp(u->was.tools, u->tools->stamp) == 0 &&
           stamp_equal(u->was.output, stamp_of(u->module_path)) &&
           build_state_holds(&u->was, u->context->root, &u->source->inputs);
}

enum build_result unit_build(unit_context *c, const build_source *s, buf *said, error *err)
{
    struct unit u = {.context = c, .source = s, .said = said};
    enum build_result result = BUILD_FAILED;

    buf_init(&u.module, LIMIT_BUILD_MODULE_BYTES);
    if (asprintf(&u.module_path, "%s/%s.wasm", c->output, s->name) < 0)
        u.module_path = NULL;
    if (asprintf(&u.state_path, "%s/%s.inputs", c->output, s->name) < 0)
        u.state_path = NULL;
    if (!u.module_path || !u.state_path) {
        error_set(err, E_NO_MEMORY, "out of memory");
        goto done;
    }
    if (get_tools(c, s->builder, false, &u.tools, err) != 0)
        goto done;
    if (build_state_read(&u.was, u.state_path) && is_unchanged(&u))
        result = BUILD_UNCHANGED;
    else
        result = make(&u, err);
    if (result <= BUILD_BUILT && c->manifest &&
        manifest_write(u.module_path, s->builder->runtime, c->output, err) != 0)
        result = BUILD_FAILED;
done:
    build_state_deinit(&u.was);
    build_state_deinit(&u.is);
    buf_deinit(&u.module);
    free(u.module_path);
    free(u.state_path);
    return result;
}
