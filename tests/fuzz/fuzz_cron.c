#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "services/cron.h"

#define TICKS 20
#define AFTER 1774742400 /* some minutes before clocks are changed in Europe */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_ticks(const cron *c)
{
    int64_t at = AFTER, last = 0;

    for (int i = 0; i < TICKS; i++) {
        int64_t next;

        require(cron_next(c, at, &next) && next > at);
        require(cron_next(c, next - 1, &last) && last == next);
        at = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = malloc(size + 1);
    cron *c = NULL;
    error err = {0};
    int rc;

    require(line != NULL);
    memcpy(line, data ? data : (const uint8_t *)"", size);
    line[size] = '\0';
    rc = cron_create(&c, line, "Europe/Berlin", &err);
    if (rc == 0) {
        check_ticks(c);
    } else {
        require(rc == err.code && c == NULL && err.text != NULL);
        require(slice_is_utf8(slice_str(err.text)));
    }
    cron_destroy(c);
    error_deinit(&err);
    free(line);
    return 0;
}
