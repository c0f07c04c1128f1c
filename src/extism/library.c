#include "extism/library.h"

#include "extism/module.h"

#include <pthread.h>
#include <stdlib.h>

struct library {
    char *name;
    slice bytes;
    pthread_mutex_t lock;
    module *mod; /* once it was needed */
};

int library_create(library **out, const char *name, slice module_bytes, error *err)
{
    library *l = calloc(1, sizeof *l);

    *out = NULL;
    if (!l || !(l->name = strdup(name))) {
        free(l);
        return error_set(err, E_NO_MEMORY, "out of memory for a library");
    }
    l->bytes = module_bytes;
    pthread_mutex_init(&l->lock, NULL);
    *out = l;
    return 0;
}

const char *library_name(const library *l)
{
    return l->name;
}

int library_module(library *l, module **out, error *err)
{
    const module_options options = {.mode = LINK_IMPORTED, .use_cache = true};
    int rc = 0;

    *out = NULL;
    pthread_mutex_lock(&l->lock);
    if (!l->mod)
        rc = module_create(&l->mod, l->bytes, &options, err);
    if (rc == 0)
        *out = module_ref(l->mod);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

void library_destroy(library *l)
{
    if (!l)
        return;
    module_unref(l->mod);
    pthread_mutex_destroy(&l->lock);
    free(l->name);
    free(l);
}
