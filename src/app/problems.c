#include "app/problems.h"

#include "app/limits.h"
#include "base/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void problems_add(problems *p, const char *file, unsigned line, const char *format, ...)
{
    struct problem made = {.line = line};
    struct problem *more;
    va_list args;

    if (p->count == LIMIT_PROBLEMS) {
        p->more++;
        return;
    }
    va_start(args, format);
    if (vasprintf(&made.text, format, args) < 0)
        made.text = NULL;
    va_end(args);
    made.file = strdup(file);
    more = record_make_room(p->item, p->count, sizeof *more);
    if (more)
        p->item = more;
    if (!more || !made.text || !made.file) {
        p->no_memory = true;
        free(made.text);
        free(made.file);
        return;
    }
    more[p->count++] = made;
}

static int compare(const void *a, const void *b)
{
    const struct problem *one = a, *other = b;
    int order = strcmp(one->file, other->file);

    if (order == 0)
        order = (one->line > other->line) - (one->line < other->line);
    return order ? order : strcmp(one->text, other->text);
}

void problems_sort(problems *p)
{
    if (p->count > 1)
        qsort(p->item, p->count, sizeof *p->item, compare);
}

int problems_conclude(const problems *p, error *err)
{
    const struct problem *first = p->item;
    char line[16] = "";
    char others[64] = "";

    if (p->no_memory)
        return error_set(err, E_NO_MEMORY, "out of memory while looking at a project");
    if (p->count == 0)
        return 0;
    if (first->line)
        snprintf(line, sizeof line, ":%u", first->line);
    if (p->count + p->more > 1)
        snprintf(others, sizeof others, " (and %zu more: see `ubiq check`)",
                 p->count + p->more - 1);
    return error_set(err, E_INVALID, "%s%s: %s%s", first->file, line, first->text, others);
}

void problems_deinit(problems *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->item[i].file);
        free(p->item[i].text);
    }
    free(p->item);
    *p = (problems){0};
}
