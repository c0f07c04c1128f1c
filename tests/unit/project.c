#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <ftw.h>

#include "base/file.h"
#include "project.h"

void project_make(project *p)
{
    strcpy(p->path, "/tmp/ubiq-test-project-XXXXXX");
    assert_non_null(mkdtemp(p->path));
}

static void path_of(const project *p, const char *name, char path[1024])
{
    assert_true(snprintf(path, 1024, "%s/%s", p->path, name) < 1024);
}

static void make_parents(char *path)
{
    char *slash = strrchr(path, '/');

    *slash = '\0';
    assert_int_equal(file_make_dirs(path, NULL), 0);
    *slash = '/';
}

void project_write(const project *p, const char *name, slice content)
{
    char path[1024];

    path_of(p, name, path);
    make_parents(path);
    assert_int_equal(file_write_atomic(path, content, 0600, NULL), 0);
}

void project_write_text(const project *p, const char *name, const char *text)
{
    project_write(p, name, slice_str(text));
}

void project_link(const project *p, const char *name, const char *to)
{
    char path[1024], target[1024];

    path_of(p, name, path);
    make_parents(path);
    path_of(p, to, target);
    assert_int_equal(symlink(to[0] == '/' ? to : target, path), 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void project_remove(const project *p, const char *name)
{
    char path[1024];

    path_of(p, name, path);
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void project_assert_problems(const project *p, problems *found, const char *expected)
{
    const char *rest = expected;

    assert_false(found->no_memory);
    for (size_t i = 0; i < found->count; i++) {
        const struct problem *one = &found->item[i];
        size_t len = strcspn(rest, "\n");
        char text[2048];

        assert_memory_equal(one->file, p->path, strlen(p->path));
        snprintf(text, sizeof text, "%s:%u: %s", one->file + strlen(p->path) + 1, one->line,
                 one->text);
        if (len == 0 || strncmp(text, rest, len) != 0)
            fail_msg("problem %zu is\n%s\nand not\n%.*s", i, text, (int)len, rest);
        rest += len + (rest[len] == '\n');
    }
    if (*rest)
        fail_msg("missing: %s", rest);
    problems_deinit(found);
}

slice project_module(const char *const *exports, size_t count)
{
    /* A type (func (result i32)), a function of it, the exports, and (i32.const 0). */
    static const uint8_t start[] = {0, 'a',  's', 'm', 1,    0, 0, 0, 1, 5,
                                    1, 0x60, 0,   1,   0x7f, 3, 2, 1, 0};
    static const uint8_t end[] = {10, 6, 1, 4, 0, 0x41, 0, 0x0b};
    uint8_t *module = malloc(4096), *at = module;
    uint8_t *section;

    memcpy(at, start, sizeof start);
    at += sizeof start;
    *at++ = 7;
    section = at++;
    *at++ = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(exports[i]);

        *at++ = (uint8_t)len;
        memcpy(at, exports[i], len);
        at += len;
        *at++ = 0;
        *at++ = 0;
    }
    assert_true(at - section - 1 < 128);
    *section = (uint8_t)(at - section - 1);
    memcpy(at, end, sizeof end);
    at += sizeof end;
    return slice_of(module, (size_t)(at - module));
}
