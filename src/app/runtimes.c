#include "app/runtimes.h"

#include "javascript/runtime_name.h"

#include <pthread.h>
#include <string.h>

/* clang-format off */
__asm__(".section .rodata\n"
        ".balign 16\n"
        "runtime_js_begin:\n"
        ".incbin \"" RUNTIME_JS_PATH "\"\n"
        "runtime_js_end:\n"
        ".byte 0\n"
        ".previous\n");
/* clang-format on */

extern const unsigned char runtime_js_begin[] __attribute__((visibility("hidden")));
extern const unsigned char runtime_js_end[] __attribute__((visibility("hidden")));

/* Its end is known when the program is linked. */
static runtime js = {.language = "js", .name = RUNTIME_NAME, .module = {.data = runtime_js_begin}};

__attribute__((constructor)) static void measure(void)
{
    js.module.len = (size_t)(runtime_js_end - runtime_js_begin);
}

const runtime *runtime_of(const char *language)
{
    return strcmp(language, js.language) == 0 ? &js : NULL;
}

int runtime_libraries(library *const **out, size_t *count, error *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static library *all[1];
    int rc = 0;

    pthread_mutex_lock(&lock);
    if (!all[0])
        rc = library_create(&all[0], js.name, js.module, err);
    pthread_mutex_unlock(&lock);
    *out = all;
    *count = sizeof all / sizeof all[0];
    return rc;
}
