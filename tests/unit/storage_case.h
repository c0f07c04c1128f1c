#ifndef TESTS_STORAGE_CASE_H
#define TESTS_STORAGE_CASE_H

#include "service_case.h"

/* What the tests of files share. */

#define FILE_BYTES (10UL * 1024 * 1024)

extern const storage_limits usual_files;

/* A store with files in it, contents in the directory "files", and this thread's home. */
typedef struct shelf {
    store *store;
    storage *storage;
    home home;
} shelf;

/* In the working directory, or in the directory `path`. */
void open_shelf(shelf *p, const storage_limits *limits);
void open_shelf_at(shelf *p, const char *path, const storage_limits *limits);
void close_shelf(shelf *p);

/* Operations. */
storage_operation op_read(const char *path);
storage_operation op_write(const char *path, slice data);
storage_operation op_remove(const char *path);
storage_operation op_stat(const char *path);
storage_operation op_files(const char *prefix, const char *after, int64_t limit);

/* Does it: the code if it fails, else the number. */
int64_t file_number(shelf *p, storage_operation o);

/* Does it, which gives these bytes, or fails so. */
void assert_file(shelf *p, storage_operation o, slice expected);
void assert_file_fails(shelf *p, storage_operation o, enum service_code code, const char *text);

/* The counts of the quota are those of the rows. */
void assert_shelf_counts(shelf *p);

/* How many contents there are in "files", which is closed; none may be in new/. */
int count_contents(void);

/* The number that the database itself gives. */
int64_t query_shelf(shelf *p, const char *sql);

#endif
