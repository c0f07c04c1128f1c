/* Runs the conformance cases on one library of Extism's C ABI and prints what each observed, one
 * JSON object a line:
 *
 *   conformance LIBRARY [--list] [--case NAME]... [--verbose]
 *
 *   {"case": "group.name", "end": "ok", "seen": [["call rc", 0], ...]}
 *
 * "end" is "ok", "exit N", "signal N" or "timed out": each case has a process of its own, so a
 * library that crashes is a result like any other. compare.py holds two libraries' results against
 * each other. */

#include "case.h"
#include "groups.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CASE_SECONDS = 60 };

abi extism;

static int load_library(const char *path)
{
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (lib == NULL) {
        fprintf(stderr, "conformance: %s\n", dlerror());
        return -1;
    }
#define ABI_LOAD(result, name, parameters)                                                         \
    *(void **)&extism.name = dlsym(lib, "extism_" #name);                                          \
    if (extism.name == NULL) {                                                                     \
        fprintf(stderr, "conformance: extism_" #name " is missing\n");                             \
        return -1;                                                                                 \
    }
    ABI_FUNCTIONS(ABI_LOAD)
#undef ABI_LOAD
    return 0;
}

/* The child: its own directory, no core files, output that goes nowhere unless wanted. */
static void run_child(const char *library, const case_group *group, const test_case *c,
                      const char *dir, int fd, bool verbose)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    observe_to(fd);
    if (chdir(dir) != 0)
        _exit(97);
    if (!verbose) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    if (getenv("UBIQ_CACHE_DIR") == NULL)
        setenv("EXTISM_CACHE_CONFIG", "", 0); /* no cache but one of the caller's */
    unsetenv("EXTISM_ENABLE_WASI_OUTPUT");
    unsetenv("RUST_BACKTRACE"); /* upstream's errors would carry its own stack */
    if (load_library(library) != 0)
        _exit(97);
    case_owns_log = group->own_log;
    if (!case_owns_log)
        extism.log_custom("error");
    c->run();
    exit(0);
}

/* Copies what the child observes until it closes its end: false when the time was over first. */
static bool collect(int fd, FILE *into)
{
    double end = seconds_now() + CASE_SECONDS;
    char chunk[4096];

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        double left = end - seconds_now();
        ssize_t n;

        if (left <= 0)
            return false;
        if (poll(&p, 1, (int)(left * 1000) + 1) <= 0)
            continue;
        n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return true;
        fwrite(chunk, 1, (size_t)n, into);
    }
}

static int remove_entry(const char *path, const struct stat *s, int kind, struct FTW *where)
{
    (void)s;
    (void)kind;
    (void)where;
    return remove(path);
}

static void describe_end(char *text, size_t size, bool in_time, int status)
{
    if (!in_time)
        snprintf(text, size, "timed out");
    else if (WIFSIGNALED(status))
        snprintf(text, size, "signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        snprintf(text, size, "exit %d", WEXITSTATUS(status));
    else
        snprintf(text, size, "ok");
}

static int run_case(const char *library, const case_group *group, const test_case *c, bool verbose)
{
    char dir[] = "/tmp/conformance.XXXXXX";
    char *seen = NULL;
    size_t seen_len = 0;
    char end[32];
    int fds[2];
    int status = 0;
    bool in_time;
    FILE *f;
    pid_t pid;

    fflush(stdout);
    if (mkdtemp(dir) == NULL || pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0 ||
        (f = open_memstream(&seen, &seen_len)) == NULL) {
        perror("conformance");
        return -1;
    }
    if (pid == 0) {
        close(fds[0]);
        run_child(library, group, c, dir, fds[1], verbose);
    }
    close(fds[1]);
    in_time = collect(fds[0], f);
    if (!in_time)
        kill(pid, SIGKILL);
    close(fds[0]);
    waitpid(pid, &status, 0);
    fclose(f);
    describe_end(end, sizeof end, in_time, status);
    printf("{\"case\": \"%s.%s\", \"end\": \"%s\", \"seen\": [%s]}\n", group->name, c->name, end,
           seen_len > 0 ? seen + 1 : "");
    free(seen);
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* A wanted name is a case, or a group. */
static bool wanted(const char *group, const char *name, char **names, int count)
{
    char whole[256];

    if (count == 0)
        return true;
    snprintf(whole, sizeof whole, "%s.%s", group, name);
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], whole) == 0 || strcmp(names[i], group) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    char *names[argc];
    char path[PATH_MAX];
    const char *library = NULL;
    int count = 0;
    bool list = false;
    bool verbose = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0)
            list = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            verbose = true;
        else if (strcmp(argv[i], "--case") == 0 && i + 1 < argc)
            names[count++] = argv[++i];
        else if (argv[i][0] != '-' && library == NULL)
            library = argv[i];
        else
            return fprintf(stderr, "conformance: what is %s?\n", argv[i]), 2;
    }
    if (!list && (library == NULL || realpath(library, path) == NULL))
        return fprintf(stderr, "usage: conformance LIBRARY [--list] [--case NAME]...\n"), 2;
    for (const case_group *const *g = case_groups; *g != NULL; g++)
        for (const test_case *c = (*g)->cases; c->name != NULL; c++) {
            if (!wanted((*g)->name, c->name, names, count))
                continue;
            if (list)
                printf("%s.%s\n", (*g)->name, c->name);
            else if (run_case(path, *g, c, verbose) != 0)
                return 1;
        }
    return 0;
}
