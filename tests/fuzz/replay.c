/* Runs a fuzzer's function on every file named on the command line, and on every file of a
 * directory named there, so that what a fuzzer found stays a plain test. */

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

#define INPUT_MAX (64UL * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t run_count;

static int run_file(const char *path)
{
    error err = {0};
    uint8_t *exact;
    buf input;
    int rc;

    buf_init(&input, INPUT_MAX);
    rc = file_read(path, &input, &err);
    if (rc) {
        fprintf(stderr, "%s\n", error_text(&err));
        goto done;
    }
    /* Memory of exactly this size, so that a sanitizer sees a read past its end. */
    exact = malloc(input.len ? input.len : 1);
    if (!exact) {
        rc = E_NO_MEMORY;
        goto done;
    }
    memcpy(exact, buf_slice(&input).len ? (const void *)input.data : "", input.len);
    fprintf(stderr, "%s\n", path); /* before the run: a crash is about the last one named */
    LLVMFuzzerTestOneInput(exact, input.len);
    free(exact);
    run_count++;
done:
    buf_deinit(&input);
    error_deinit(&err);
    return rc;
}

static int run_directory(const char *path)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    int rc = count < 0 ? E_IO : 0;
    char file[PATH_MAX];

    if (rc)
        perror(path);
    for (int i = 0; i < count; i++) {
        snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && run_file(file))
            rc = E_IO;
        free(names[i]);
    }
    free(names);
    return rc;
}

int main(int argc, char **argv)
{
    struct stat st;
    int rc = 0;

    for (int i = 1; i < argc; i++) {
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            rc |= run_directory(argv[i]);
        else
            rc |= run_file(argv[i]);
    }
    printf("%zu inputs\n", run_count);
    return rc || run_count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
