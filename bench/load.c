#include "rows.h"

#include "base/file.h"
#include "fail.h"
#include "guest.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct load {
    const library *lib;
    const guest *guest;
    slice wasm;
};

static void run_load(void *arg)
{
    const struct load *l = arg;
    l->lib->compiled_plugin_free(
        library_compile(l->lib, l->wasm.data, l->wasm.len, l->guest->wasi));
}

/* Both libraries read these variables each time they load; an empty one turns their cache off. */
static void set_caches(const char *ours, const char *upstream)
{
    setenv("UBIQ_CACHE_DIR", ours, 1);
    setenv("EXTISM_CACHE_CONFIG", upstream, 1);
}

static bool holds_files(const char *directory)
{
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *d = opendir(directory);
    bool found = false;

    while (d && !found && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) < (int)sizeof path)
            found = entry->d_type == DT_REG || holds_files(path);
    }
    if (d)
        closedir(d);
    return found;
}

/* Upstream's cache is written by a thread of its own, some time after the module was loaded. */
static void fill_cache(struct load *l, const char *directory)
{
    run_load(l);
    for (int tries = 0; !holds_files(directory); tries++) {
        if (tries == 100)
            fail("%s wrote nothing to its cache", l->lib->name);
        usleep(50000);
    }
}

/* A configuration of Wasmtime's cache, which is upstream's, in a directory of its own. */
static void write_config(const char *path, const char *directory)
{
    error err = {0};
    char text[PATH_MAX + 64];

    snprintf(text, sizeof text, "[cache]\ndirectory = \"%s\"\n", directory);
    if (file_make_dirs(directory, &err) != 0 ||
        file_write_atomic(path, slice_str(text), 0600, &err) != 0)
        fail("%s", error_text(&err));
}

static void measure_guest(const setting *s, const guest *g, slice wasm, const char *cache)
{
    struct load upstream = {&s->upstream, g, wasm}, ours = {&s->ours, g, wasm};
    const subject subjects[] = {{"upstream", run_load, &upstream}, {"ours", run_load, &ours}};
    plan cold = {.budget_ms = s->quick ? 500 : 4000, .min_turns = 2, .max_turns = 21};
    plan warm = {
        .batch_ms = 5, .budget_ms = s->quick ? 400 : 2000, .min_turns = 3, .max_turns = 31};
    char of_ours[PATH_MAX - 64], of_upstream[PATH_MAX - 64], config[PATH_MAX];

    snprintf(of_ours, sizeof of_ours, "%s/%s/ours", cache, g->label);
    snprintf(of_upstream, sizeof of_upstream, "%s/%s/upstream", cache, g->label);
    snprintf(config, sizeof config, "%s.toml", of_upstream);
    write_config(config, of_upstream);
    set_caches("", "");
    measure((label){"load compiled", g->label, wasm.len}, subjects, 2, cold);
    set_caches(of_ours, config);
    fill_cache(&upstream, of_upstream);
    fill_cache(&ours, of_ours);
    measure((label){"load cached", g->label, wasm.len}, subjects, 2, warm);
}

void rows_load(const setting *s, const char *cache)
{
    const char *last = "";

    for (const guest *g = guests; g->label; g++) {
        buf wasm;

        /* Several functions of one module load alike. */
        if (strcmp(g->file, last) == 0 || (s->quick && g->large) ||
            !guest_read(g, s->directory, &wasm))
            continue;
        last = g->file;
        measure_guest(s, g, buf_slice(&wasm), cache);
        buf_deinit(&wasm);
    }
}
