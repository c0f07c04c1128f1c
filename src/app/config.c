#include "app/config.h"

#include "app/limits.h"
#include "app/units.h"
#include "base/file.h"
#include "base/record.h"
#include "base/toml.h"

#include <stdio.h>
#include <stdlib.h>

static int read_list(record_reader *r, config_list *out)
{
    size_t path_len = r->path_len;
    int rc = json_enter(&r->json, JSON_ARRAY, &r->err);

    out->given = true;
    if (rc)
        return rc;
    for (size_t i = 0; (rc = json_next(&r->json, JSON_ARRAY, i, &r->err)) > 0; i++) {
        char **more = record_make_room(out->item, out->count, sizeof *out->item);

        if (!more)
            return record_no_memory(r);
        out->item = more;
        record_enter_element(r, i);
        rc = record_text(r, &out->item[out->count]);
        if (rc)
            return rc;
        out->count++;
        record_leave(r, path_len);
    }
    return rc;
}

/* [project] */

static int read_project_name(record_reader *r, void *into)
{
    return record_text(r, &((config *)into)->name);
}

static int read_version(record_reader *r, void *into)
{
    return record_text(r, &((config *)into)->version);
}

static int read_project(record_reader *r, void *into)
{
    static const record_shape shape = {
        .fields = {{"name", read_project_name}, {"version", read_version}},
        .count = 2,
        .only_object = true,
    };
    unsigned seen;

    return record_object(r, &shape, into, &seen);
}

/* [server] */

static int read_listen(record_reader *r, void *into)
{
    return record_text(r, &((config *)into)->listen);
}

static int read_workers(record_reader *r, void *into)
{
    uint64_t n;
    int rc = json_uint(&r->json, LIMIT_WORKERS, &n, &r->err);

    if (rc == 0)
        ((config *)into)->workers = (uint32_t)n;
    return rc;
}

static int read_server(record_reader *r, void *into)
{
    static const record_shape shape = {
        .fields = {{"listen", read_listen}, {"workers", read_workers}},
        .count = 2,
        .only_object = true,
    };
    unsigned seen;

    return record_object(r, &shape, into, &seen);
}

/* [limits] */

static int read_duration(record_reader *r, uint64_t max, uint64_t *out)
{
    char *text = NULL;
    int rc = record_text(r, &text);

    if (rc == 0)
        rc = units_read_duration(text, max, out, &r->err);
    free(text);
    return rc;
}

static int read_size(record_reader *r, uint64_t max, uint64_t *out)
{
    char *text = NULL;
    int rc = record_text(r, &text);

    if (rc == 0)
        rc = units_read_size(text, max, out, &r->err);
    free(text);
    return rc;
}

static int read_wall_time(record_reader *r, void *into)
{
    return read_duration(r, LIMIT_WALL_MS_MAX, &((config *)into)->wall_ms);
}

static int read_request(record_reader *r, void *into)
{
    return read_size(r, LIMIT_BODY_BYTES_MAX, &((config *)into)->request_bytes);
}

static int read_response(record_reader *r, void *into)
{
    return read_size(r, LIMIT_BODY_BYTES_MAX, &((config *)into)->response_bytes);
}

static int read_memory(record_reader *r, void *into)
{
    return read_size(r, LIMIT_MEMORY_BYTES_MAX, &((config *)into)->memory_bytes);
}

static int read_limits(record_reader *r, void *into)
{
    static const record_shape shape = {
        .fields = {{"wall_time", read_wall_time},
                   {"memory", read_memory},
                   {"request", read_request},
                   {"response", read_response}},
        .count = 4,
        .only_object = true,
    };
    unsigned seen;

    return record_object(r, &shape, into, &seen);
}

/* [functions."<name>"] */

static int read_entry(record_reader *r, void *into)
{
    return record_text(r, &((config_function *)into)->entry);
}

static int read_route(record_reader *r, void *into)
{
    return record_text(r, &((config_function *)into)->route);
}

/* What goes into a header of its own. */
static int read_content_type(record_reader *r, void *into)
{
    char **type = &((config_function *)into)->content_type;
    int rc = record_text(r, type);

    if (rc)
        return rc;
    for (const char *c = *type; *c; c++) {
        if (*c < ' ' || *c > '~')
            return error_set(&r->err, E_INVALID, "a media type is printable ASCII");
    }
    if (!**type || strlen(*type) > LIMIT_CONTENT_TYPE_BYTES)
        return error_set(&r->err, E_INVALID, "a media type has 1 to %d bytes",
                         LIMIT_CONTENT_TYPE_BYTES);
    return 0;
}

static bool is_method(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= LIMIT_METHOD_BYTES &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == len;
}

static int read_methods(record_reader *r, void *into)
{
    config_list *methods = &((config_function *)into)->methods;
    int rc = read_list(r, methods);

    if (rc)
        return rc;
    for (size_t i = 0; i < methods->count; i++) {
        if (!is_method(methods->item[i]))
            return error_set(&r->err, E_INVALID, "\"%s\" is not a method, such as \"GET\"",
                             methods->item[i]);
    }
    if (methods->count == 0 || methods->count > LIMIT_METHODS)
        return error_set(&r->err, E_INVALID, "a function takes 1 to %d methods", LIMIT_METHODS);
    return 0;
}

static int read_config(record_reader *r, void *into)
{
    return record_map(r, &((config_function *)into)->config);
}

static int read_allowed_hosts(record_reader *r, void *into)
{
    return read_list(r, &((config_function *)into)->allowed_hosts);
}

/* Says in the path which function is read: its name may have dots of its own. */
static void enter_function(record_reader *r, slice name)
{
    size_t room = sizeof r->path - r->path_len;
    size_t shown = slice_utf8_prefix(slice_of(name.data, name.len < 64 ? name.len : 64));
    int len = snprintf(r->path + r->path_len, room, ".\"%.*s\"", (int)shown,
                       shown ? (const char *)name.data : "");

    for (size_t i = r->path_len; i < sizeof r->path && r->path[i]; i++) {
        if ((unsigned char)r->path[i] < ' ' || r->path[i] == 0x7f)
            r->path[i] = '?';
    }
    r->path_len = len < 0 || (size_t)len >= room ? sizeof r->path - 1 : r->path_len + (size_t)len;
}

static int read_function(record_reader *r, config_function *f)
{
    static const record_shape shape = {
        .fields = {{"entry", read_entry},
                   {"route", read_route},
                   {"methods", read_methods},
                   {"content_type", read_content_type},
                   {"config", read_config},
                   {"allowed_hosts", read_allowed_hosts}},
        .count = 6,
        .only_object = true,
    };
    size_t path_len = r->path_len;
    unsigned seen;
    int rc;

    buf_clear(&r->text);
    rc = json_name(&r->json, &r->text, &r->err);
    if (rc)
        return rc;
    f->name = strndup(r->text.len ? (const char *)r->text.data : "", r->text.len);
    if (!f->name)
        return record_no_memory(r);
    enter_function(r, buf_slice(&r->text));
    rc = record_object(r, &shape, f, &seen);
    if (rc == 0)
        record_leave(r, path_len);
    return rc;
}

static int read_functions(record_reader *r, void *into)
{
    config *c = into;
    int rc = json_enter(&r->json, JSON_OBJECT, &r->err);

    if (rc)
        return rc;
    for (size_t i = 0; (rc = json_next(&r->json, JSON_OBJECT, i, &r->err)) > 0; i++) {
        config_function *more = record_make_room(c->functions, i, sizeof *c->functions);

        if (!more)
            return record_no_memory(r);
        c->functions = more;
        more[i] = (config_function){0};
        c->function_count++;
        rc = read_function(r, &more[i]);
        if (rc)
            return rc;
    }
    return rc;
}

static int read_json(config *out, slice json, const char *path, error *err)
{
    static const record_shape shape = {
        .fields = {{"project", read_project},
                   {"server", read_server},
                   {"limits", read_limits},
                   {"functions", read_functions}},
        .count = 4,
        .only_object = true,
    };
    record_reader r;
    unsigned seen;
    int rc;

    record_init(&r, json);
    rc = record_object(&r, &shape, out, &seen);
    if (rc)
        error_set(err, rc, "%s: %s%s%s", path, r.path, r.path[0] ? ": " : "", error_text(&r.err));
    record_deinit(&r);
    return rc;
}

int config_read(config *out, const char *path, error *err)
{
    buf text, json;
    int rc;

    *out = (config){
        .wall_ms = LIMIT_WALL_MS,
        .request_bytes = LIMIT_REQUEST_BYTES,
        .response_bytes = LIMIT_RESPONSE_BYTES,
        .memory_bytes = LIMIT_MEMORY_BYTES,
    };
    buf_init(&text, LIMIT_CONFIG_BYTES);
    /* Escaping makes a byte six at the most; names and punctuation stand in both texts. */
    buf_init(&json, LIMIT_CONFIG_BYTES * 6 + 64);
    rc = file_read(path, &text, err);
    if (rc == E_NOT_FOUND) {
        error_deinit(err);
        rc = 0;
        goto done;
    }
    if (rc)
        goto done;
    rc = toml_to_json(buf_slice(&text), &json, err);
    if (rc)
        error_prefix(err, "%s", path);
    else
        rc = read_json(out, buf_slice(&json), path, err);
    if (rc)
        config_deinit(out);
done:
    buf_deinit(&text);
    buf_deinit(&json);
    return rc;
}

void config_list_deinit(config_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->item[i]);
    free(l->item);
    *l = (config_list){0};
}

void config_deinit(config *c)
{
    for (size_t i = 0; i < c->function_count; i++) {
        config_function *f = &c->functions[i];

        free(f->name);
        free(f->entry);
        free(f->route);
        free(f->content_type);
        config_list_deinit(&f->methods);
        config_list_deinit(&f->allowed_hosts);
        strmap_deinit(&f->config);
    }
    free(c->functions);
    free(c->name);
    free(c->version);
    free(c->listen);
    *c = (config){0};
}
