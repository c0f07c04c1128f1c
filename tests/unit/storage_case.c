#include "storage_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "services/limits.h"

const storage_limits usual_files = {
    .file_bytes = FILE_BYTES,
    .total_bytes = LIMIT_STORAGE_TOTAL_BYTES,
    .files = LIMIT_STORAGE_FILES,
};

void open_shelf_at(shelf *p, const char *path, const storage_limits *limits)
{
    char database[64], files[64];
    error err = {0};

    snprintf(database, sizeof database, "%s/ubiq.db", path);
    snprintf(files, sizeof files, "%s/files", path);
    if (store_open(&p->store, database, &err) != 0 ||
        storage_create(&p->storage, p->store, files, limits, &err) != 0)
        fail_msg("%s", error_text(&err));
    home_init(&p->home);
}

void open_shelf(shelf *p, const storage_limits *limits)
{
    open_shelf_at(p, ".", limits);
}

void close_shelf(shelf *p)
{
    storage_destroy(p->storage);
    store_close(p->store);
    home_deinit(&p->home);
}

storage_operation op_read(const char *path)
{
    return (storage_operation){.verb = STORAGE_READ, .path = slice_str(path)};
}

storage_operation op_write(const char *path, slice data)
{
    return (storage_operation){.verb = STORAGE_WRITE, .path = slice_str(path), .data = data};
}

storage_operation op_remove(const char *path)
{
    return (storage_operation){.verb = STORAGE_DELETE, .path = slice_str(path)};
}

storage_operation op_stat(const char *path)
{
    return (storage_operation){.verb = STORAGE_STAT, .path = slice_str(path)};
}

storage_operation op_files(const char *prefix, const char *after, int64_t limit)
{
    return (storage_operation){
        .verb = STORAGE_LIST,
        .path = slice_str(prefix),
        .after = slice_str(after),
        .limit = limit,
    };
}

int64_t file_number(shelf *p, storage_operation o)
{
    int64_t result = home_storage(&p->home, p->storage, &o);

    if (result == SERVICE_OK)
        result = o.op.number;
    operation_deinit(&o.op);
    return result;
}

void assert_file(shelf *p, storage_operation o, slice expected)
{
    if (home_storage(&p->home, p->storage, &o) != SERVICE_OK)
        fail_msg("%s", error_text(&o.op.err));
    assert_true(slice_equal(buf_slice(&o.op.result), expected));
    operation_deinit(&o.op);
}

void assert_file_fails(shelf *p, storage_operation o, enum service_code code, const char *text)
{
    assert_int_equal(home_storage(&p->home, p->storage, &o), code);
    assert_string_equal(error_text(&o.op.err), text);
    assert_int_equal(o.op.result.len, 0);
    operation_deinit(&o.op);
}

int64_t query_shelf(shelf *p, const char *sql)
{
    sqlite3_stmt *statement = store_statement(p->store, sql, NULL);
    int64_t n;

    assert_non_null(statement);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    n = sqlite3_column_int64(statement, 0);
    store_reset(statement);
    return n;
}

void assert_shelf_counts(shelf *p)
{
    assert_int_equal(query_shelf(p, "SELECT bytes FROM usage WHERE service = 'storage'"),
                     query_shelf(p, "SELECT coalesce(sum(size), 0) FROM storage_file"));
    assert_int_equal(query_shelf(p, "SELECT items FROM usage WHERE service = 'storage'"),
                     query_shelf(p, "SELECT count(*) FROM storage_file"));
}

int count_contents(void)
{
    FILE *f =
        popen("find files/new -type f | wc -l; find files/?? -type f 2>/dev/null | wc -l", "r");
    int fresh = -1, settled = -1;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d %d", &fresh, &settled), 2);
    pclose(f);
    assert_int_equal(fresh, 0);
    return settled;
}
