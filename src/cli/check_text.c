#include "app/units.h"
#include "cli/check_report.h"

#include <string.h>

/* A list in one line, or what is to be said when it is empty. */
static int put_list(buf *out, const config_list *list, const char *none)
{
    int rc = list && list->count ? 0 : buf_append_str(out, none);

    for (size_t i = 0; list && i < list->count && rc == 0; i++) {
        rc = buf_append_str(out, i > 0 ? ", " : "");
        rc = rc ? rc : buf_append_str(out, list->item[i]);
    }
    return rc ? rc : buf_append_byte(out, '\n');
}

static int put_limits(buf *out, const config_limits *l)
{
    int rc = buf_append_str(out, "  limits       cpu ");

    rc = rc ? rc : units_put_duration(out, l->cpu_ms);
    rc = rc ? rc : buf_append_str(out, ", wall ");
    rc = rc ? rc : units_put_duration(out, l->wall_ms);
    rc = rc ? rc : buf_append_str(out, ", memory ");
    rc = rc ? rc : units_put_size(out, l->memory_bytes);
    rc = rc ? rc : buf_append_str(out, ", request ");
    rc = rc ? rc : units_put_size(out, l->request_bytes);
    rc = rc ? rc : buf_append_str(out, ", response ");
    rc = rc ? rc : units_put_size(out, l->response_bytes);
    rc = rc ? rc : buf_printf(out, ", http %u of ", l->http_requests);
    rc = rc ? rc : units_put_size(out, l->http_response_bytes);
    return rc ? rc : buf_append_byte(out, '\n');
}

static int put_methods(buf *out, const function *f)
{
    int rc = buf_append_str(out, "  methods      ");

    rc = rc ? rc : f->methods.given ? function_put_allow(f, out) : buf_append_str(out, "all");
    return rc ? rc : buf_append_byte(out, '\n');
}

/* A file's path within the project. */
static const char *within(const check_facts *c, const char *source)
{
    source += strlen(c->directory);
    return source + strspn(source, "/");
}

static int put_function(const check_facts *c, buf *out, const function *f)
{
    const config_function *own = app_function_config(c->app, f);
    int rc = buf_printf(out, "%s\n  source       %s\n", f->route ? f->route : f->name,
                        within(c, f->source));

    if (f->route) {
        rc = rc ? rc : put_methods(out, f);
        rc = rc ? rc : buf_append_str(out, "  middleware   ");
        rc = rc ? rc : put_list(out, app_middleware(c->app, f), "none");
    }
    rc = rc ? rc : buf_append_str(out, "  permissions  ");
    rc = rc ? rc : put_list(out, own ? &own->permissions : NULL, "none");
    rc = rc ? rc : put_limits(out, &f->limits);
    if (rc == 0 && f->reuse)
        rc = buf_append_str(out, "  instances    reuse\n");
    return rc ? rc : buf_append_byte(out, '\n');
}

static int put_triggers(buf *out, const config *c)
{
    size_t width = 0;
    int rc = c->trigger_count ? buf_append_str(out, "triggers\n") : 0;

    for (size_t i = 0; i < c->trigger_count; i++) {
        size_t len = strlen(c->triggers[i].pattern);

        width = len > width ? len : width;
    }
    for (size_t i = 0; i < c->trigger_count && rc == 0; i++)
        rc = buf_printf(out, "  %-*s  %s\n", (int)width, c->triggers[i].pattern,
                        c->triggers[i].function);
    return rc || c->trigger_count == 0 ? rc : buf_append_byte(out, '\n');
}

int check_put_text(const check_facts *c, buf *out)
{
    const config *conf = app_config(c->app);
    size_t count, files;
    const function *f = app_functions(c->app, &count);
    int rc =
        buf_printf(out, "%s%s%s in %s\n\n", conf->name ? conf->name : c->directory,
                   conf->version ? " " : "", conf->version ? conf->version : "", c->environment);

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = put_function(c, out, &f[i]);
    rc = rc ? rc : put_triggers(out, conf);
    public_files(app_public(c->app), &files);
    if (rc == 0 && files)
        rc = buf_printf(out, "public         %zu path%s\n", files, files == 1 ? "" : "s");
    return rc ? rc
              : buf_printf(out, "%zu function%s, nothing wrong\n", count, count == 1 ? "" : "s");
}
