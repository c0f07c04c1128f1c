#include "rows.h"

#include "base/clock.h"
#include "fail.h"
#include "services/kv.h"
#include "services/limits.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS 64
#define KEYS_OF_CLIENT 16
#define VALUE_BYTES 100
#define TURNS 10
#define TURN_NS 400000000U

/* One client: it sets a key of its own, waits until that is on disk, and sets the next one. */
typedef struct client {
    kv_operation o; /* first, as its operation is */
    struct run *run;
    unsigned number;
    unsigned next_key;
    char key[32];
    char value[VALUE_BYTES];
} client;

/* The clients' thread, which sleeps while there is no mail. */
typedef struct run {
    kv *kv;
    mailbox home;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool has_mail;
    uint64_t end_ns;
    size_t under_way;
    size_t done;
} run;

static void wake(void *arg)
{
    run *r = arg;

    pthread_mutex_lock(&r->lock);
    r->has_mail = true;
    pthread_mutex_unlock(&r->lock);
    pthread_cond_signal(&r->woken);
}

static slice next_key(client *c)
{
    int len = snprintf(c->key, sizeof c->key, "client:%02u:key:%02u", c->number,
                       c->next_key++ % KEYS_OF_CLIENT);

    c->value[0]++;
    return slice_of(c->key, (size_t)len);
}

static void on_done(operation *op);

static void set_next(client *c)
{
    c->o = (kv_operation){.verb = KV_SET};
    c->o.op.home = &c->run->home;
    c->o.op.done = on_done;
    c->o.key = next_key(c);
    c->o.value = slice_of(c->value, sizeof c->value);
    if (kv_submit(c->run->kv, &c->o))
        fail("kv: %s", error_text(&c->o.op.err));
}

static void on_done(operation *op)
{
    client *c = (client *)op;

    if (op->code != SERVICE_OK)
        fail("kv: %s", error_text(&op->err));
    operation_deinit(op);
    c->run->done++;
    if (clock_ns() < c->run->end_ns)
        set_next(c);
    else
        c->run->under_way--;
}

/* Writes a second with that many clients at once. */
static double many_at_once(run *r, client *clients, size_t count)
{
    uint64_t start = clock_ns();

    r->end_ns = start + TURN_NS;
    r->done = 0;
    r->under_way = count;
    for (size_t i = 0; i < count; i++)
        set_next(&clients[i]);
    while (r->under_way > 0) {
        pthread_mutex_lock(&r->lock);
        while (!r->has_mail)
            pthread_cond_wait(&r->woken, &r->lock);
        r->has_mail = false;
        pthread_mutex_unlock(&r->lock);
        mailbox_open_all(&r->home);
    }
    return (double)r->done * 1e9 / (double)(clock_ns() - start);
}

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail("SQLite: %s", sqlite3_errmsg(db));
}

/* What a program does that uses SQLite directly, as durably: the same keys and values. */
static sqlite3 *open_plain(const char *directory, sqlite3_stmt **set)
{
    char path[4096];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/plain.db", directory);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        fail("%s: %s", path, sqlite3_errmsg(db));
    sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE kv(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
    if (sqlite3_prepare_v2(db, "REPLACE INTO kv(key, value) VALUES(?1, ?2)", -1, set, NULL) !=
        SQLITE_OK)
        fail("SQLite: %s", sqlite3_errmsg(db));
    return db;
}

static double one_a_transaction(sqlite3_stmt *set, client *clients)
{
    uint64_t start = clock_ns(), end = start + TURN_NS;
    size_t done = 0;

    for (; clock_ns() < end; done++) {
        client *c = &clients[done % CLIENTS];
        slice key = next_key(c);

        sqlite3_bind_blob(set, 1, key.data, (int)key.len, SQLITE_STATIC);
        sqlite3_bind_blob(set, 2, c->value, VALUE_BYTES, SQLITE_STATIC);
        if (sqlite3_step(set) != SQLITE_DONE)
            fail("SQLite: a write failed");
        sqlite3_reset(set);
    }
    return (double)done * 1e9 / (double)(clock_ns() - start);
}

static void open_kv(const char *directory, store **s, kv **k)
{
    const kv_limits limits = {
        .key_bytes = LIMIT_KV_KEY_BYTES,
        .value_bytes = LIMIT_KV_VALUE_BYTES,
        .total_bytes = LIMIT_KV_TOTAL_BYTES,
        .keys = LIMIT_KV_KEYS,
    };
    char path[4096];
    error err = {0};

    snprintf(path, sizeof path, "%s/ubiq.db", directory);
    if (store_open(s, path, &err) != 0 || kv_create(k, *s, &limits, &err) != 0)
        fail("%s", error_text(&err));
}

void rows_kv_writes(const char *directory, bool quick)
{
    static double plain[TURNS], one[TURNS], many[TURNS];
    static client clients[CLIENTS];
    const label l = {"kv writes", "set", VALUE_BYTES};
    size_t turns = quick ? TURNS / 3 : TURNS;
    sqlite3_stmt *set;
    sqlite3 *db;
    store *s;
    run r = {.lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};

    /* As the program does, for itself and for what it is compared with. */
    store_tune_process();
    db = open_plain(directory, &set);
    open_kv(directory, &s, &r.kv);
    mailbox_init(&r.home, wake, &r);
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = (client){.run = &r, .number = i};
    /* All keys are there, and both files have grown, before anything is measured. */
    one_a_transaction(set, clients);
    many_at_once(&r, clients, CLIENTS);
    for (size_t turn = 0; turn < turns; turn++) {
        plain[turn] = one_a_transaction(set, clients);
        one[turn] = many_at_once(&r, clients, 1);
        many[turn] = many_at_once(&r, clients, CLIENTS);
    }
    measure_emit(l, "one a transaction", "writes/s", plain, turns);
    measure_emit(l, "1 client", "writes/s", one, turns);
    measure_emit(l, "64 clients", "writes/s", many, turns);
    kv_destroy(r.kv);
    store_close(s);
    sqlite3_finalize(set);
    sqlite3_close(db);
}
