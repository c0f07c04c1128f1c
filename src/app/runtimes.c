#include "app/runtimes.h"

#include "javascript/runtime_name.h"

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

const runtime *runtime_of(const char *language)
{
    static runtime js = {.language = "js", .name = RUNTIME_NAME};

    if (strcmp(language, js.language) != 0)
        return NULL;
    js.module = slice_of(runtime_js_begin, (size_t)(runtime_js_end - runtime_js_begin));
    return &js;
}
