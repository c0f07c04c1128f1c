#include "fail.h"

#include "server/server.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* bench_upstream_server DIRECTORY ADDRESS:PORT WORKERS
 *
 * Serves the functions of a project as `ubiq serve` does, with the same server, but for calling
 * them through upstream's library: see upstream_invocation.c. UPSTREAM_EXTISM_LIB names it. */
int main(int argc, char **argv)
{
    server_options options = {.has_workers = true};
    error err = {0};
    server *s;
    app *a;

    if (argc != 4)
        fail("usage: bench_upstream_server DIRECTORY ADDRESS:PORT WORKERS");
    options.listen = argv[2];
    options.workers = (uint32_t)strtoul(argv[3], NULL, 10);
    /* It is killed when it has been measured. */
    signal(SIGPIPE, SIG_IGN);
    options.no_admin = true;
    if (app_open(&a, argv[1], ENVIRONMENT_PRODUCTION, &err) != 0 ||
        server_create(&s, a, &options, &err) != 0 || server_start(s, &err) != 0)
        fail("%s", error_text(&err));
    for (;;)
        pause();
}
