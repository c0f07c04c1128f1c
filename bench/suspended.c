#include "rows.h"

#include "extism/engine.h"
#include "fail.h"
#include "guest.h"
#include "platform.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CALLS 5000

static host_wait *waits[CALLS + 1];
static size_t wait_count;

static bool wait_for_ever(struct instance *caller, const ExtismVal *inputs, size_t n_inputs,
                          host_wait *wait, void *user_data)
{
    (void)caller, (void)inputs, (void)n_inputs, (void)user_data;
    waits[wait_count++] = wait;
    return false;
}

static double resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long size, resident;

    if (!f || fscanf(f, "%ld %ld", &size, &resident) != 2)
        fail("/proc/self/statm cannot be read");
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double page_table_bytes(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;

    while (f && kib < 0 && fgets(line, sizeof line, f))
        sscanf(line, "VmPTE: %ld", &kib);
    if (kib < 0)
        fail("/proc/self/status cannot be read");
    fclose(f);
    return (double)kib * 1024;
}

static call *start_waiting(compiled_plugin *code, const char *function)
{
    enum call_status status;
    call *c = platform_call(code, function, slice_str("a small input"), &status);

    if (status != CALL_WAITING)
        fail("a call that should wait does not");
    return c;
}

void rows_suspended(const char *directory)
{
    static const guest g = {.label = "C wait", .file = "bench_wait.wasm", .function = "handle"};
    static call *calls[CALLS];
    const label rss = {"suspended resident", g.label, CALLS};
    const label tables = {"suspended page tables", g.label, CALLS};
    double resident, pages, value;
    compiled_plugin *code;
    buf wasm;

    if (!guest_read(&g, directory, &wasm))
        fail("%s is part of the benchmark", g.file);
    engine_set_instances(CALLS + CALLS / 8, NULL);
    code = platform_compile(buf_slice(&wasm), false, "wait", wait_for_ever);
    /* What all calls share is there after the first. */
    call_destroy(start_waiting(code, g.function));
    wait_count = 0;
    memset(calls, 1, sizeof calls);
    memset(waits, 1, sizeof waits);
    resident = resident_bytes();
    pages = page_table_bytes();
    for (size_t i = 0; i < CALLS; i++)
        calls[i] = start_waiting(code, g.function);
    value = (resident_bytes() - resident) / CALLS;
    measure_emit(rss, "ours fiber", "bytes", &value, 1);
    value = (page_table_bytes() - pages) / CALLS;
    measure_emit(tables, "ours fiber", "bytes", &value, 1);
    for (size_t i = 0; i < CALLS; i++)
        call_destroy(calls[i]);
    compiled_plugin_unref(code);
    buf_deinit(&wasm);
}
