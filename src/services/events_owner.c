#include "services/events_owner.h"

#include "services/events_statement.h"
#include "services/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opens the file, whose name is the database's with an ending. */
static int open_file(store *s, int *fd, error *err)
{
    sqlite3_stmt *statement = store_statement(s, "SELECT 1", err);
    char *path = NULL;
    int rc = 0;

    if (!statement)
        return err->code;
    if (asprintf(&path, "%s-owners", sqlite3_db_filename(sqlite3_db_handle(statement), "main")) < 0)
        return error_set(err, E_NO_MEMORY, "events: %s", error_code_name(E_NO_MEMORY));
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        rc = error_set(err, E_IO, "%s: %s", path, strerror(errno));
    free(path);
    return rc;
}

static struct flock lock_of(int64_t number)
{
    return (struct flock){
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)number, .l_len = 1};
}

int events_owner_take(events_owner *o, store *s, error *err)
{
    int rc = open_file(s, &o->fd, err);

    for (int64_t number = 1; rc == 0 && number <= LIMIT_EVENTS_OWNERS; number++) {
        struct flock lock = lock_of(number);

        if (fcntl(o->fd, F_OFD_SETLK, &lock) == 0) {
            o->number = number;
            return 0;
        }
        if (errno != EAGAIN && errno != EACCES)
            rc = error_set(err, E_IO, "locking the file of those who deliver events: %s",
                           strerror(errno));
    }
    events_owner_release(o);
    return rc ? rc
              : error_set(err, E_BUSY, "%d processes deliver the events of this project already",
                          LIMIT_EVENTS_OWNERS);
}

bool events_owner_lives(const events_owner *o, int64_t number)
{
    struct flock lock = lock_of(number);

    if (number == o->number)
        return true;
    /* Where it cannot be told, two of them would be worse than one that has to wait. */
    return fcntl(o->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

void events_owner_release(events_owner *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
    o->number = 0;
}
