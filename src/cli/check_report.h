#ifndef UBIQ_CLI_CHECK_REPORT_H
#define UBIQ_CLI_CHECK_REPORT_H

#include "app/app.h"

/* What `ubiq check` has to say of a project. */
typedef struct check_facts {
    const char *directory;
    const char *environment;
    app *app; /* NULL: not even that */
    const problems *found;
} check_facts;

/* Appends what the project is, for people. As buf_append. */
int check_put_text(const check_facts *c, buf *out) MUST_CHECK;

/* Appends all of it as JSON, problems too. As buf_append. */
int check_put_json(const check_facts *c, buf *out) MUST_CHECK;

#endif
