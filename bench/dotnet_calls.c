/* Calls from C for tests/dotnet/Bench.cs, which makes the same ones from .NET in the same process. */

#include "base/clock.h"
#include "extism.h"

#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

ExtismPlugin *bench_open(const uint8_t *wasm, uint64_t len);
uint64_t bench_calls(ExtismPlugin *p, const char *function, const uint8_t *input, uint64_t len,
                     uint64_t count);

/* A plug-in of its own; NULL when it cannot be made. */
EXPORT ExtismPlugin *bench_open(const uint8_t *wasm, uint64_t len)
{
    return extism_plugin_new(wasm, len, NULL, 0, false, NULL);
}

/* Makes `count` calls and reads their output: how many nanoseconds they took, 0 when one failed. */
EXPORT uint64_t bench_calls(ExtismPlugin *p, const char *function, const uint8_t *input,
                            uint64_t len, uint64_t count)
{
    uint64_t begin = clock_ns();

    for (uint64_t i = 0; i < count; i++) {
        if (extism_plugin_call(p, function, input, len) != 0 ||
            extism_plugin_output_length(p) != len || !extism_plugin_output_data(p))
            return 0;
    }
    return clock_ns() - begin;
}
