#ifndef UBIQ_SERVER_TASK_H
#define UBIQ_SERVER_TASK_H

#include <stdbool.h>
#include <stddef.h>

/* What waits in a list of its worker's for its turn or for something else. Lives in what waits;
 * all-zero but for `run`: in no list. */
typedef struct task {
    struct task *next;
    struct task *prev;
    void (*run)(struct task *t);
} task;

/* Makes a list's head, which is a task that is never run, empty. */
static inline void task_list_init(task *head)
{
    head->next = head->prev = head;
}

static inline bool task_is_listed(const task *t)
{
    return t->next != NULL;
}

/* The first of a list, or NULL. */
static inline task *task_first(const task *head)
{
    return head->next != head ? head->next : NULL;
}

/* Takes it out of its list, if it is in one. */
static inline void task_remove(task *t)
{
    if (!t->next)
        return;
    t->next->prev = t->prev;
    t->prev->next = t->next;
    t->next = t->prev = NULL;
}

/* Puts it at the end of a list; nothing happens when it is in one. */
static inline void task_append(task *head, task *t)
{
    if (t->next)
        return;
    t->next = head;
    t->prev = head->prev;
    head->prev->next = t;
    head->prev = t;
}

#endif
