#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "services/time_zone.h"

#define STEP 12345678 /* seconds: some months */
#define YEAR_9999 253370764800

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_at(const time_zone *z, int64_t at)
{
    time_zone_span span = time_zone_at(z, at);

    require(span.from <= at && at < span.until);
    require(span.offset > -2 * 86400 && span.offset < 2 * 86400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    time_zone *z = NULL;
    error err = {0};

    if (time_zone_read(&z, slice_of(data, size), &err) == 0) {
        for (int64_t at = 0; at < YEAR_9999; at += at < 100LL * STEP ? STEP : 100LL * STEP)
            check_at(z, at);
        check_at(z, YEAR_9999);
    } else {
        require(z == NULL && err.code == E_INVALID && err.text != NULL);
    }
    time_zone_destroy(z);
    error_deinit(&err);
    return 0;
}
