#include "build/build.h"
#include "build/sources.h"
#include "build/state.h"

#include <stdio.h>
#include <stdlib.h>

/* Whether one of the files that the module was made of has been written since. In a copy of the project, in
 * which the module has another time than when it was built, times say nothing: there only sizes do. */
static bool has_changed_input(const build_state *s, const char *root, stamp module)
{
    bool is_copy = !stamp_equal(module, s->output);

    for (size_t i = 0; i < s->inputs.count; i++) {
        const input *was = &s->inputs.item[i];
        stamp now = input_stamp(root, was->path);

        if (is_copy ? now.size != was->stamp.size : now.changed_ns > module.changed_ns)
            return true;
    }
    return false;
}

static bool is_changed(const char *root, const build_source *s)
{
    char *module_path = NULL, *state_path = NULL;
    build_state was = {0};
    bool changed = false;
    stamp module;

    if (asprintf(&module_path, "%s/.ubiq/build/%s.wasm", root, s->name) < 0)
        module_path = NULL;
    if (asprintf(&state_path, "%s/.ubiq/build/%s.inputs", root, s->name) < 0)
        state_path = NULL;
    if (!module_path || !state_path)
        goto done;
    module = stamp_of(module_path);
    changed = module.size >= 0 && build_state_read(&was, state_path) &&
              !build_state_holds(&was, root, &s->inputs) && has_changed_input(&was, root, module);
done:
    build_state_deinit(&was);
    free(module_path);
    free(state_path);
    return changed;
}

void build_find_changed(const char *project, void (*report)(const char *source, void *arg),
                        void *arg)
{
    char *root = realpath(project, NULL);
    build_sources sources = {0};
    error ignored = {0};

    if (root && build_sources_find(&sources, project, root, &ignored) == 0) {
        for (size_t i = 0; i < sources.count; i++) {
            if (sources.item[i].builder && is_changed(root, &sources.item[i]))
                report(sources.item[i].path, arg);
        }
        build_sources_deinit(&sources);
    }
    error_deinit(&ignored);
    free(root);
}
