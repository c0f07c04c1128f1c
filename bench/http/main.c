#include "http.h"

#include "../fail.h"

#include <stdlib.h>
#include <string.h>

/* The other ends of what is measured over HTTP, on 127.0.0.1; bench/waiting.py runs it.
 *
 *   backend DELAY_MS                      a server that answers each request after DELAY_MS; it writes its
 *                                         port, and when it is told to end the most that waited at once
 *   burst PORT PATH COUNT                 COUNT clients that send one request each at the same moment
 *   probe PORT PATH PER_SECOND SECONDS    requests at a steady rate
 *
 * The last two write how many requests were answered with 200, how many with another status, how many
 * not at all, and how long they took in nanoseconds. */

static unsigned number(const char *text, unsigned max)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end || n == 0 || n > max)
        fail("%s is not a number up to %u", text, max);
    return (unsigned)n;
}

int main(int argc, char **argv)
{
    http_raise_file_limit();
    if (argc == 3 && strcmp(argv[1], "backend") == 0)
        http_backend(number(argv[2], 60000));
    else if (argc == 5 && strcmp(argv[1], "burst") == 0)
        http_burst((uint16_t)number(argv[2], UINT16_MAX), argv[3], number(argv[4], 60000));
    else if (argc == 6 && strcmp(argv[1], "probe") == 0)
        http_probe((uint16_t)number(argv[2], UINT16_MAX), argv[3], number(argv[4], 100000),
                   number(argv[5], 600));
    else
        fail("usage: bench_http backend|burst|probe ...");
    return 0;
}
