#include "services/storage_internal.h"

#include "base/calendar.h"
#include "base/json.h"
#include "services/listing.h"

#include <inttypes.h>
#include <sqlite3.h>

static int put_item(buf *out, slice path, uint64_t size, int64_t modified)
{
    char time[CALENDAR_TIME_BYTES];
    int rc = buf_append_str(out, "{\"path\":");

    calendar_put_time(modified, time);
    if (rc == 0)
        rc = json_put_string(out, path);
    return rc ? rc
              : buf_printf(out, ",\"size\":%" PRIu64 ",\"type\":\"%s\",\"modified\":\"%s\"}", size,
                           storage_type(path), time);
}

static int put_row(buf *out, slice path, sqlite3_stmt *row)
{
    return put_item(out, path, (uint64_t)sqlite3_column_int64(row, 1),
                    sqlite3_column_int64(row, 2));
}

bool storage_stat(storage *s, storage_operation *o)
{
    error err = {0};
    storage_row row;

    if (storage_rows_find(s, o->path, &row, &err) != 0) {
        operation_unavailable(&o->op, &err);
        error_deinit(&err);
        return true;
    }
    if (!row.is_there)
        return operation_fail(&o->op, SERVICE_NOT_FOUND, "storage: there is no file \"%.*s\"",
                              (int)o->path.len, (const char *)o->path.data);
    if (put_item(&o->op.result, o->path, row.size, row.modified) != 0) {
        buf_clear(&o->op.result);
        return operation_fail(&o->op, SERVICE_TOO_LARGE,
                              "storage: what is known of a file is larger than %zu bytes",
                              o->op.result.max);
    }
    return true;
}

bool storage_list(storage *s, storage_operation *o)
{
    static const listing_kind files = {
        .service = "storage",
        .name = "items",
        .sql = "SELECT path, size, modified FROM storage_file WHERE path >= ?1 ORDER BY path",
        .put = put_row,
    };
    const listing_request request = {
        .prefix = o->path,
        .after = o->after,
        .limit = o->limit,
        .sees = o->sees,
        .arg = o->arg,
    };

    return listing_submit(s->store, &o->op, &files, &request);
}
