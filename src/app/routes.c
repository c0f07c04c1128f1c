#include "app/routes.h"

#include "app/route_text.h"
#include "app/url_path.h"

#include <stdlib.h>
#include <string.h>

/* Routes without parameters are found by one look into a hash table, whole. The others are a tree of
 * segments; its edges are one hash table too. Both use open addressing, and at most half of their
 * places are taken. */

#define NO_NODE 0 /* the root is nobody's child */

typedef struct node {
    uint32_t param; /* the child by any text, or NO_NODE */
    slice param_name;
    function *param_owner; /* whose route has named it first */
    function *here;        /* whose route ends here */
    function *rest;        /* whose route goes on with [...rest] */
    slice rest_name;
} node;

typedef struct edge {
    uint32_t from;
    uint32_t to; /* NO_NODE: a free place */
    slice text;
} edge;

struct routes {
    size_t static_mask;
    function **statics;
    size_t edge_mask;
    edge *edges;
    node *nodes;
    uint32_t node_count; /* 1 when there is only the root */
};

/* Where this route stands, or the free place where it belongs. */
static function **static_place(const routes *r, slice route)
{
    size_t at = slice_hash(route, 0) & r->static_mask;

    while (r->statics[at] && !slice_equal_str(route, r->statics[at]->route))
        at = (at + 1) & r->static_mask;
    return &r->statics[at];
}

static edge *edge_place(const routes *r, uint32_t from, slice text)
{
    size_t at = slice_hash(text, from * UINT64_C(0x9e3779b97f4a7c15)) & r->edge_mask;

    while (r->edges[at].to != NO_NODE &&
           (r->edges[at].from != from || !slice_equal(text, r->edges[at].text)))
        at = (at + 1) & r->edge_mask;
    return &r->edges[at];
}

static void same_route(const function *f, const function *other, problems *found)
{
    problems_add(found, f->source, 0, "its route %s is that of %s too", f->route, other->source);
}

static void other_name(const function *f, slice name, const function *other, slice theirs,
                       problems *found)
{
    problems_add(found, f->source, 0,
                 "its route %s calls \"%.*s\" what the route %s of %s calls \"%.*s\"", f->route,
                 (int)name.len, (const char *)name.data, other->route, other->source,
                 (int)theirs.len, (const char *)theirs.data);
}

/* The child that a segment leads to, made if it is not there. */
static uint32_t child(routes *r, uint32_t from, const route_segment *s, function *f,
                      problems *found)
{
    node *n = &r->nodes[from];
    edge *e;

    if (s->kind == SEGMENT_PARAM) {
        if (n->param == NO_NODE) {
            n->param = r->node_count++;
            n->param_name = s->text;
            n->param_owner = f;
        } else if (!slice_equal(n->param_name, s->text)) {
            other_name(f, s->text, n->param_owner, n->param_name, found);
        }
        return n->param;
    }
    e = edge_place(r, from, s->text);
    if (e->to == NO_NODE)
        *e = (edge){.from = from, .to = r->node_count++, .text = s->text};
    return e->to;
}

static void add_to_tree(routes *r, function *f, problems *found)
{
    slice rest = slice_str(f->route);
    uint32_t at = 0;
    function **place = NULL;
    route_segment s;

    while (route_next(&rest, &s)) {
        if (s.kind == SEGMENT_REST) {
            place = &r->nodes[at].rest;
            if (*place && !slice_equal(r->nodes[at].rest_name, s.text)) {
                other_name(f, s.text, *place, r->nodes[at].rest_name, found);
                return;
            }
            r->nodes[at].rest_name = s.text;
        } else {
            at = child(r, at, &s, f, found);
        }
    }
    place = place ? place : &r->nodes[at].here;
    if (*place)
        same_route(f, *place, found);
    *place = f;
}

static void add_static(routes *r, function *f, problems *found)
{
    function **place = static_place(r, slice_str(f->route));

    if (strcmp(f->route, "/healthz") == 0)
        problems_add(found, f->source, 0, "the route /healthz is the server's own");
    if (*place)
        same_route(f, *place, found);
    *place = f;
}

static size_t twice_as_many(size_t count)
{
    size_t places = 16;

    while (places < count * 2)
        places *= 2;
    return places;
}

static int allocate(routes *r, const function *functions, size_t count)
{
    size_t segments = 0, places;

    for (size_t i = 0; i < count; i++) {
        if (!functions[i].route || !route_has_params(functions[i].route))
            continue;
        for (const char *c = functions[i].route; *c; c++)
            segments += *c == '/';
    }
    places = twice_as_many(count);
    r->static_mask = places - 1;
    r->statics = calloc(places, sizeof *r->statics);
    places = twice_as_many(segments);
    r->edge_mask = places - 1;
    r->edges = calloc(places, sizeof *r->edges);
    r->nodes = calloc(segments + 1, sizeof *r->nodes);
    r->node_count = 1;
    return r->statics && r->edges && r->nodes ? 0 : E_NO_MEMORY;
}

int routes_create(routes **out, function *functions, size_t count, problems *found, error *err)
{
    routes *r = calloc(1, sizeof *r);

    *out = NULL;
    if (!r || allocate(r, functions, count)) {
        routes_destroy(r);
        return error_set(err, E_NO_MEMORY, "out of memory for %zu routes", count);
    }
    for (size_t i = 0; i < count; i++) {
        function *f = &functions[i];

        if (!f->route)
            continue;
        if (route_has_params(f->route))
            add_to_tree(r, f, found);
        else
            add_static(r, f, found);
    }
    *out = r;
    return 0;
}

static void take_param(route_match *m, slice name, slice value)
{
    m->param[m->count++] = (route_param){.name = name, .value = value};
}

/* Whether what is left of a path can be the value of [...rest]. */
static bool is_rest(slice rest)
{
    return rest.data[rest.len - 1] != '/' && !memmem(rest.data, rest.len, "//", 2);
}

/* Looks on from a node; what is left of the path begins with a slash or is empty. A node is come to by
 * one way only, so none is looked at twice. */
static function *walk(const routes *r, const node *n, slice rest, route_match *m)
{
    size_t count = m->count;
    const uint8_t *slash;
    function *f = NULL;
    slice segment, behind;
    uint32_t next;

    if (rest.len == 0)
        return n->here;
    rest = slice_of(rest.data + 1, rest.len - 1);
    slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
    segment = slice_of(rest.data, slash ? (size_t)(slash - rest.data) : rest.len);
    behind = slice_of(rest.data + segment.len, rest.len - segment.len);
    if (segment.len == 0)
        return NULL;
    next = edge_place(r, (uint32_t)(n - r->nodes), segment)->to;
    if (next != NO_NODE)
        f = walk(r, &r->nodes[next], behind, m);
    if (!f && n->param != NO_NODE) {
        take_param(m, n->param_name, segment);
        f = walk(r, &r->nodes[n->param], behind, m);
        if (!f)
            m->count = count;
    }
    if (!f && n->rest && is_rest(rest)) {
        take_param(m, n->rest_name, rest);
        f = n->rest;
    }
    return f;
}

function *routes_find(const routes *r, slice path, route_match *m)
{
    function *f;

    m->count = 0;
    if (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    f = *static_place(r, path);
    if (f || path.len > sizeof m->plain || !url_path_plain(path, m->plain, &path))
        return f;
    if (path.data == m->plain)
        f = *static_place(r, path);
    if (f || r->node_count == 1 || path.len == 0 || path.data[0] != '/')
        return f;
    return walk(r, &r->nodes[0], path.len == 1 ? slice_of(NULL, 0) : path, m);
}

function *routes_find_static(const routes *r, slice path)
{
    if (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return *static_place(r, path);
}

void routes_destroy(routes *r)
{
    if (!r)
        return;
    free(r->statics);
    free(r->edges);
    free(r->nodes);
    free(r);
}
