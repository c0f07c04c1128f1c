#include "server/limits.h"
#include "server/static.h"
#include "server/worker_internal.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

static int make_timers(worker *w, error *err)
{
    static const uint64_t fixed_ms[TIMER_KINDS] = {
        [TIMER_IDLE] = LIMIT_IDLE_MS,     [TIMER_SILENT] = LIMIT_SILENT_MS,
        [TIMER_HEAD] = LIMIT_HEAD_MS,     [TIMER_BODY] = LIMIT_BODY_MS,
        [TIMER_CALL] = LIMIT_EXCHANGE_MS, [TIMER_WRITE] = LIMIT_WRITE_MS,
        [TIMER_LINGER] = LIMIT_LINGER_MS};
    unsigned count;
    const uint64_t *wall_ms = app_wall_times(w->shared->app, &count);
    size_t functions;

    app_functions(w->shared->app, &functions);

    if (!timers_init(&w->timers, TIMER_KINDS) || !timers_init(&w->call_timers, count) ||
        !kept_calls_init(&w->kept, functions, w->shared->kept_calls) ||
        !lanes_init(&w->lanes, functions + 1) ||
        !(w->function_counters = calloc(functions + 1, sizeof *w->function_counters)))
        return error_set(err, E_NO_MEMORY, "out of memory for a worker");
    for (unsigned kind = 0; kind < TIMER_KINDS; kind++)
        w->timers.length_ns[kind] = fixed_ms[kind] * 1000000;
    for (unsigned kind = 0; kind < count; kind++)
        w->call_timers.length_ns[kind] = wall_ms[kind] * 1000000;
    return 0;
}

int worker_create(worker **out, const worker_shared *shared, int listen_fd, error *err)
{
    worker *w = calloc(1, sizeof *w);
    int rc;

    *out = NULL;
    if (!w) {
        if (listen_fd >= 0)
            close(listen_fd);
        return error_set(err, E_NO_MEMORY, "out of memory for a worker");
    }
    w->shared = shared;
    w->listen_fd = listen_fd;
    w->mail_fd = -1;
    task_list_init(&w->waiting_for_code);
    mailbox_init(&w->mailbox, worker_send_mail, w);
    w->log.writer = shared->access;
    w->scratch = malloc(WORKER_SCRATCH_BYTES);
    w->ticker_slot = aligned_alloc(alignof(ticker_slot), sizeof *w->ticker_slot);
    if (!w->scratch || !w->ticker_slot || compressor_create(&w->compressor) != 0 ||
        getrandom(&w->id_seed, sizeof w->id_seed, 0) != (ssize_t)sizeof w->id_seed) {
        rc = error_set(err, E_NO_MEMORY, "out of memory for a worker");
        goto done;
    }
    atomic_init(&w->ticker_slot->busy, false);
    rc = make_timers(w, err);
    rc = rc ? rc : worker_make_loop(w, err);
    if (rc)
        goto done;
    *out = w;
    w = NULL;
done:
    worker_destroy(w);
    return rc;
}

void worker_destroy(worker *w)
{
    if (!w)
        return;
    outbound_deinit(&w->outbound);
    access_log_deinit(&w->log);
    if (w->base) {
        event_del(&w->acceptable);
        event_del(&w->mail);
        event_del(&w->sweep);
        event_base_free(w->base);
    }
    if (w->mail_fd >= 0)
        close(w->mail_fd);
    if (w->listen_fd >= 0)
        close(w->listen_fd);
    mailbox_open_all(&w->mailbox);
    timers_deinit(&w->timers);
    timers_deinit(&w->call_timers);
    kept_calls_deinit(&w->kept);
    compressor_destroy(w->compressor);
    static_cache_destroy(w->files);
    free(w->function_counters);
    lanes_deinit(&w->lanes);
    free(w->ticker_slot);
    free(w->scratch);
    free(w);
}
