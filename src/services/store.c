#include "services/store_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A write that somebody waits for. */
typedef struct waited_write {
    store_write write;
    store_write *inner;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool has_ended;
    int rc;
    error *err;
} waited_write;

/* Statements that define tables. */
typedef struct definition {
    store_write write;
    const char *sql;
} definition;

/* A function that statements call. */
typedef struct function_definition {
    store_write write;
    const char *name;
    int count;
    store_function *function;
} function_definition;

void store_tune_process(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* A thread that has read ends. */
static void leave(void *arg)
{
    connection *c = arg;
    store *s = c->store;
    connection **at = &s->connections;

    pthread_mutex_lock(&s->connections_lock);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    pthread_mutex_unlock(&s->connections_lock);
    store_connection_close(c);
}

/* Signals are for the threads that expect them. */
static int start_writer(store *s, error *err)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->has_thread = pthread_create(&s->thread, NULL, store_writer_main, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->has_thread ? 0 : error_set(err, E_NO_MEMORY, "no thread for the database");
}

static void wake_writer(void *arg)
{
    sem_post(&((store *)arg)->wakes);
}

int store_open(store **out, const char *path, error *err)
{
    store *s = calloc(1, sizeof *s);
    error why = {0};
    int rc;

    *out = NULL;
    if (!s)
        return error_set(err, E_NO_MEMORY, "out of memory for the database");
    s->end = &s->first;
    pthread_mutex_init(&s->connections_lock, NULL);
    pthread_mutex_init(&s->parts_lock, NULL);
    mailbox_init(&s->inbox, wake_writer, s);
    sem_init(&s->wakes, 0, 0);
    s->path = strdup(path);
    s->has_key = s->path && pthread_key_create(&s->key, leave) == 0;
    if (!s->has_key) {
        rc = error_set(err, E_NO_MEMORY, "out of memory for the database");
        goto done;
    }
    rc = store_prepare_file(s, &why);
    if (rc == 0)
        rc = start_writer(s, &why);
    if (rc) {
        rc = error_set(err, rc, "%s", error_text(&why));
        goto done;
    }
    *out = s;
    s = NULL;
done:
    error_deinit(&why);
    store_close(s);
    return rc;
}

static int apply_definition(store_write *w, store *s, error *err)
{
    return connection_run(s->writer, ((definition *)w)->sql, "defining tables", err);
}

int store_define(store *s, const char *sql, error *err)
{
    definition d = {.write.apply = apply_definition, .sql = sql};

    return store_write_now(s, &d.write, err);
}

static int apply_function_definition(store_write *w, store *s, error *err)
{
    const function_definition *d = (function_definition *)w;

    if (sqlite3_create_function_v2(s->writer->db, d->name, d->count, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                   NULL, d->function, NULL, NULL, NULL) != SQLITE_OK)
        return connection_failure(s->writer, "defining a function", err);
    return 0;
}

int store_define_function(store *s, const char *name, int count, store_function *function,
                          error *err)
{
    function_definition d = {
        .write.apply = apply_function_definition,
        .name = name,
        .count = count,
        .function = function,
    };

    return store_write_now(s, &d.write, err);
}

void store_attach(store *s, store_part *p)
{
    pthread_mutex_lock(&s->parts_lock);
    p->next = s->parts;
    s->parts = p;
    pthread_mutex_unlock(&s->parts_lock);
}

void store_detach(store *s, store_part *p)
{
    store_part **at = &s->parts;

    pthread_mutex_lock(&s->parts_lock);
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    pthread_mutex_unlock(&s->parts_lock);
}

static void receive(mail *m)
{
    store_write *w = (store_write *)m;

    *w->store->end = w;
    w->store->end = &w->next;
}

static void queue(store *s, store_write *w)
{
    w->mail.open = receive;
    w->store = s;
    w->next = NULL;
    mailbox_post(&s->inbox, &w->mail);
}

void store_submit(store *s, store_write *w)
{
    atomic_fetch_add(&s->waiting_bytes, w->bytes);
    queue(s, w);
}

bool store_try_submit(store *s, store_write *w)
{
    size_t before = atomic_fetch_add(&s->waiting_bytes, w->bytes);

    if (before > 0 && before + w->bytes > LIMIT_STORE_WAITING_BYTES) {
        atomic_fetch_sub(&s->waiting_bytes, w->bytes);
        return false;
    }
    queue(s, w);
    return true;
}

static int apply_waited(store_write *w, store *s, error *err)
{
    store_write *inner = ((waited_write *)w)->inner;

    return inner->apply(inner, s, err);
}

static void end_waited(store_write *w, const error *err)
{
    waited_write *waited = (waited_write *)w;

    pthread_mutex_lock(&waited->lock);
    waited->rc = err ? error_set(waited->err, err->code, "%s", error_text(err)) : 0;
    waited->has_ended = true;
    pthread_cond_signal(&waited->ended);
    pthread_mutex_unlock(&waited->lock);
}

int store_write_now(store *s, store_write *w, error *err)
{
    waited_write waited = {
        .write = {.apply = apply_waited, .done = end_waited, .bytes = w->bytes},
        .inner = w,
        .err = err,
    };

    pthread_mutex_init(&waited.lock, NULL);
    pthread_cond_init(&waited.ended, NULL);
    store_submit(s, &waited.write);
    pthread_mutex_lock(&waited.lock);
    while (!waited.has_ended)
        pthread_cond_wait(&waited.ended, &waited.lock);
    pthread_mutex_unlock(&waited.lock);
    pthread_cond_destroy(&waited.ended);
    pthread_mutex_destroy(&waited.lock);
    return waited.rc;
}

static int apply_nothing(store_write *w, store *s, error *err)
{
    (void)w, (void)s, (void)err;
    return 0;
}

/* Writes are done in the order in which they were submitted. */
void store_flush(store *s)
{
    store_write last = {.apply = apply_nothing};
    error err = {0};

    if (s && store_write_now(s, &last, &err) != 0)
        error_deinit(&err);
}

/* Comes after all that was submitted. */
typedef struct closing {
    mail mail;
    store *store;
} closing;

static void receive_closing(mail *m)
{
    ((closing *)m)->store->closing = true;
}

static void stop_writer(store *s)
{
    closing last = {.mail.open = receive_closing, .store = s};

    mailbox_post(&s->inbox, &last.mail);
    pthread_join(s->thread, NULL);
}

void store_close(store *s)
{
    if (!s)
        return;
    if (s->has_thread)
        stop_writer(s);
    if (s->has_key)
        pthread_key_delete(s->key);
    while (s->connections) {
        connection *c = s->connections;

        s->connections = c->next;
        store_connection_close(c);
    }
    store_connection_close(s->writer);
    sem_destroy(&s->wakes);
    pthread_mutex_destroy(&s->parts_lock);
    pthread_mutex_destroy(&s->connections_lock);
    free(s->path);
    free(s);
}
