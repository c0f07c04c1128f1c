#include "rows.h"

#include "fail.h"

#include <stdlib.h>
#include <string.h>

/* bench_host calls|after-large DIRECTORY
 * bench_host load DIRECTORY CACHE
 * bench_host suspended|javascript DIRECTORY
 * bench_host kv-writes EMPTY
 *
 * DIRECTORY holds the plug-ins; databases are made in EMPTY, on the disk that is to be measured. UPSTREAM_EXTISM_LIB and UBIQ_EXTISM_LIB name the libraries to
 * compare; QUICK=1 measures less. */
int main(int argc, char **argv)
{
    const char *upstream = getenv("UPSTREAM_EXTISM_LIB"), *ours = getenv("UBIQ_EXTISM_LIB");
    const char *quick = getenv("QUICK");
    setting s = {.quick = quick && *quick && strcmp(quick, "0") != 0};

    if (argc == 3 && strcmp(argv[1], "suspended") == 0) {
        rows_suspended(argv[2]);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "kv-writes") == 0) {
        rows_kv_writes(argv[2], s.quick);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "javascript") == 0) {
        rows_javascript(argv[2], s.quick);
        return 0;
    }
    if (argc < 3 || !upstream || !ours)
        fail("see the beginning of bench.c");
    s.directory = argv[2];
    library_open(&s.upstream, "upstream", upstream);
    library_open(&s.ours, "ours", ours);
    if (argc == 3 && strcmp(argv[1], "calls") == 0)
        rows_calls(&s);
    else if (argc == 3 && strcmp(argv[1], "after-large") == 0)
        rows_after_large(&s);
    else if (argc == 4 && strcmp(argv[1], "load") == 0)
        rows_load(&s, argv[3]);
    else
        fail("see the beginning of bench.c");
    return 0;
}
