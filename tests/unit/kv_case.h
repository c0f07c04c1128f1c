#ifndef TESTS_KV_CASE_H
#define TESTS_KV_CASE_H

#include "service_case.h"

/* What the tests of keys and values share. */

extern const kv_limits usual;

/* A store with keys in it, and this thread's home. */
typedef struct place {
    store *store;
    kv *kv;
    home home;
} place;

/* In the working directory, or in the file `path`. */
void open_place(place *p, const kv_limits *limits);
void open_place_at(place *p, const char *path, const kv_limits *limits);
void close_place(place *p);

/* Operations. */
kv_operation op_get(const char *key);
kv_operation op_set(const char *key, const char *value);
kv_operation op_set_for(const char *key, const char *value, int64_t ttl_ms);
kv_operation op_set_if_absent(const char *key, const char *value);
kv_operation op_compare_and_set(const char *key, const char *expected, const char *value);
kv_operation op_increment(const char *key, int64_t delta);
kv_operation op_delete(const char *key);
kv_operation op_list(const char *prefix, const char *after, int64_t limit);

/* Does it: the code if it fails, else the number. */
int64_t number_of(place *p, kv_operation o);

/* Does it, which gives these bytes, or fails so. */
void assert_bytes(place *p, kv_operation o, const char *expected);
void assert_fails(place *p, kv_operation o, enum service_code code, const char *text);

/* Sets that many keys, of which every tenth begins with "shop:" and the others with "user:". */
void fill_place(place *p, int count);

/* The number that the database itself gives. */
int64_t query_place(place *p, const char *sql);

/* The counts of the quota are those of the rows. */
void assert_counts(place *p);

void sleep_ms(long ms);

#endif
