#include "build/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct processes {
    pthread_mutex_t lock;
    pid_t running[LIMIT_BUILD_JOBS]; /* each the leader of a group of its own; 0: none */
    bool stopped;
};

int processes_create(processes **out, error *err)
{
    processes *p = calloc(1, sizeof *p);

    *out = p;
    if (!p)
        return error_set(err, E_NO_MEMORY, "out of memory");
    pthread_mutex_init(&p->lock, NULL);
    return 0;
}

void processes_stop(processes *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopped = true;
    for (size_t i = 0; i < LIMIT_BUILD_JOBS; i++) {
        if (p->running[i])
            kill(-p->running[i], SIGTERM);
    }
    pthread_mutex_unlock(&p->lock);
}

bool processes_stopped(processes *p)
{
    bool stopped;

    pthread_mutex_lock(&p->lock);
    stopped = p->stopped;
    pthread_mutex_unlock(&p->lock);
    return stopped;
}

void processes_destroy(processes *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void arguments_add(arguments *a, const char *format, ...)
{
    va_list args;
    char *text;
    int n;

    va_start(args, format);
    n = a->count < LIMIT_BUILD_ARGUMENTS ? vasprintf(&text, format, args) : -1;
    va_end(args);
    if (n < 0)
        a->no_memory = true;
    else
        a->item[a->count++] = text;
}

void arguments_deinit(arguments *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->item[i]);
    *a = (arguments){0};
}

/* This process's environment with what `more` sets in its place. The array is the caller's to free,
 * its texts are not; NULL when memory runs out. */
static char **environment_with(const char *const *more)
{
    size_t count = 0, kept = 0, added = 0;
    char **all;

    while (environ[count])
        count++;
    while (more && more[added])
        added++;
    if (!(all = calloc(count + added + 1, sizeof *all)))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        bool replaced = false;

        for (size_t j = 0; j < added && !replaced; j++) {
            size_t name = strcspn(more[j], "=") + 1;

            replaced = strncmp(environ[i], more[j], name) == 0;
        }
        if (!replaced)
            all[kept++] = environ[i];
    }
    for (size_t j = 0; j < added; j++)
        all[kept++] = (char *)(uintptr_t)more[j]; /* posix_spawn does not change it */
    return all;
}

/* posix_spawn, in a group of its own and with signals as a program expects them. Errno's number. */
static int spawn(pid_t *pid, const command *c, int output, char **environment)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, standard;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc)
        return rc;
    if ((rc = posix_spawnattr_init(&attributes))) {
        posix_spawn_file_actions_destroy(&actions);
        return rc;
    }
    sigemptyset(&none);
    sigemptyset(&standard);
    sigaddset(&standard, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &standard);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    if (!rc && c->directory)
        rc = posix_spawn_file_actions_addchdir_np(&actions, c->directory);
    if (!rc)
        rc = posix_spawn(pid, c->arguments->item[0], &actions, &attributes,
                         (char *const *)c->arguments->item, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* Begins a process, which is on the list of those that run then; its place there in `*place`. */
static int begin(processes *p, const command *c, int output, size_t *place, error *err)
{
    char **environment = environment_with(c->environment);
    const char *program = c->arguments->item[0];
    size_t i = 0;
    int rc = 0;

    if (!environment)
        return error_set(err, E_NO_MEMORY, "out of memory");
    /* Under the lock, so that what processes_stop does not see does not begin. */
    pthread_mutex_lock(&p->lock);
    while (i < LIMIT_BUILD_JOBS && p->running[i])
        i++;
    if (p->stopped || i == LIMIT_BUILD_JOBS) {
        rc = error_set(err, E_BUSY, "stopped");
    } else if ((rc = spawn(&p->running[i], c, output, environment)) != 0) {
        p->running[i] = 0;
        rc = error_set(err,
                       rc == ENOENT   ? E_NOT_FOUND
                       : rc == ENOMEM ? E_NO_MEMORY
                                      : E_IO,
                       "%s: %s", program, strerrordesc_np(rc));
    }
    pthread_mutex_unlock(&p->lock);
    free(environment);
    *place = i;
    return rc;
}

/* Waits until all that can write have closed their end. */
static void read_all(int fd, buf *said)
{
    uint8_t piece[16384];
    ssize_t got;

    while ((got = read(fd, piece, sizeof piece)) != 0) {
        size_t room = said->max - said->len, len = got > 0 ? (size_t)got : 0;

        if (got < 0 && errno != EINTR)
            return;
        if (buf_append(said, piece, len < room ? len : room) != 0)
            continue; /* it must be read, or the process would wait for ever */
    }
}

static int end(processes *p, size_t place, error *err)
{
    pid_t pid = p->running[place];
    siginfo_t info;
    int status = 0;

    /* The group's number stays taken until the list no longer has it. */
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&p->lock);
    p->running[place] = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    pthread_mutex_unlock(&p->lock);
    if (processes_stopped(p))
        return error_set(err, E_BUSY, "stopped");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int process_run(processes *p, const command *c, buf *said, int *status, error *err)
{
    size_t place = 0;
    int fd[2];
    int rc;

    if (c->arguments->no_memory || c->arguments->count == 0)
        return error_set(err, E_NO_MEMORY, "out of memory for a program's arguments");
    if (pipe2(fd, O_CLOEXEC) != 0)
        return error_set(err, E_IO, "a pipe: %s", strerrordesc_np(errno));
    rc = begin(p, c, fd[1], &place, err);
    close(fd[1]);
    if (rc == 0) {
        read_all(fd[0], said);
        rc = end(p, place, err);
        if (rc >= 0) {
            *status = rc;
            rc = 0;
        }
    }
    close(fd[0]);
    return rc;
}
