/* observe.c - what was read, as a state.
 *
 * Ours is what bears our mark.  Of the rest three things are told: what stands
 * where one of ours is to be (by the key of that one, so that the plan names
 * both), what stands inside of ours, and whole routers, segments and policies
 * of others.  What NSX made itself is told of only where it is in the way. */
#include <string.h>

#include "drivers/nsx/device.h"

struct reading {
    const struct tn_session *s;
    const struct tn_scope *scope;
    const struct tn_state *want;
    struct tn_arena *arena;
    struct tn_map wanted; /* Path -> what is wanted there. */
    TN_VEC(struct tn_resource) list;
};

/* Of a key SCOPE/KIND/NAME; what has no name is called as its scope is. */
static const char *
name_of(const char *key, const char *scope, const char *kind)
{
    const size_t n = strlen(scope), len = strlen(kind);
    const char *rest = key;
    if (n && strncmp(rest, scope, n) == 0 && rest[n] == '/') {
        rest += n + 1;
    }
    if (strncmp(rest, kind, len) == 0 && rest[len] == '/') {
        return rest + len + 1;
    }
    return rest > key && strcmp(rest, kind) == 0 ? scope : rest;
}

static struct tn_resource
resource(struct tn_arena *arena, const struct tn_nsx_seen *seen,
         const struct tn_nsx_object *want, enum tn_owner owner,
         const char *const names[3])
{
    const struct tn_nsx_found found = {
        .kind = seen->kind,
        .path = seen->path,
        .json = seen->json,
        .key = tn_arena_strdup(arena, names[0]),
        .name = tn_arena_strdup(arena, names[1]),
        .scope = tn_arena_strdup(arena, names[2]),
        .owner = owner,
        .unmarked = seen->unmarked,
        .want = want && want->kind == seen->kind ? want : NULL,
    };
    return tn_nsx_resource(arena, &found);
}

struct tn_resource
tn_nsx_seen_resource(struct tn_arena *arena, const struct tn_nsx_seen *seen,
                     const struct tn_nsx_object *want)
{
    const char *const names[] = {
        seen->key, name_of(seen->key, seen->scope, seen->kind->name),
        seen->scope};
    return resource(arena, seen, want, TN_OURS, names);
}

static bool
in_scope(const struct reading *r, const char *name)
{
    bool found = r->scope->n == 0;
    for (size_t i = 0; !found && i < r->scope->n; i++) {
        found = strcmp(r->scope->names[i], name) == 0;
    }
    return found;
}

/* The nearest of ours that it stands in; null: none. */
static const struct tn_nsx_seen *
holder(const struct reading *r, const char *path)
{
    const struct tn_nsx_seen *up = NULL;
    while (*path && (!up || !up->ours)) {
        path = tn_nsx_path_parent(r->arena, path);
        up = tn_nsx_view_at(r->s->view, path);
    }
    return up && up->ours ? up : NULL;
}

/* ---- ours ---- */

/* One that is where it should not be, or whose key another one has as well, is
 * ours, and nobody wants it. */
static bool
is_astray(const struct reading *r, const struct tn_nsx_seen *seen,
          const struct tn_resource *want)
{
    if (!want) {
        return tn_map_get(&r->s->view->by_key, seen->key) != seen;
    }
    return strcmp(((const struct tn_nsx_object *) want->native)->path,
                  seen->path) != 0;
}

static void
read_ours(struct reading *r, const struct tn_nsx_seen *seen)
{
    const struct tn_resource *want =
        r->want ? tn_state_get(r->want, seen->key) : NULL;
    const struct tn_nsx_seen *up = holder(r, seen->path);
    struct tn_resource res =
        tn_nsx_seen_resource(r->arena, seen, want ? want->native : NULL);
    if (is_astray(r, seen, want)) {
        res.key = tn_arena_printf(r->arena, "%s#%s", seen->key, seen->path);
    }
    res.parent = up ? tn_arena_strdup(r->arena, up->key) : NULL;
    *tn_vec_push(r->arena, &r->list) = res;
}

/* ---- others ---- */

static void
read_other(struct reading *r, const struct tn_nsx_seen *seen)
{
    const struct tn_resource *want = tn_map_get(&r->wanted, seen->path);
    const struct tn_nsx_seen *up = NULL;
    const char *shown =
        json_string_value(json_object_get(seen->json, "display_name"));
    const char *names[] = {NULL, shown ? shown : tn_nsx_path_id(seen->path),
                           ""};
    if (want && in_scope(r, want->scope)) {
        names[0] = want->key;
        names[1] = want->name;
        names[2] = want->scope;
    } else if (seen->system || want) {
        return;
    } else if ((up = holder(r, seen->path)) && in_scope(r, up->scope)) {
        names[0] =
            tn_arena_printf(r->arena, "%s/foreign/%s/%s", up->key,
                            seen->kind->collection, tn_nsx_path_id(seen->path));
        names[2] = up->scope;
    } else if (!up && seen->kind->flags & TN_NSX_SHOWN && in_scope(r, "")) {
        names[0] = tn_arena_printf(r->arena, "foreign%s", seen->path);
    } else {
        return;
    }
    *tn_vec_push(r->arena, &r->list) =
        resource(r->arena, seen, want ? want->native : NULL, TN_FOREIGN, names);
}

static void
read_all(struct reading *r)
{
    const struct tn_nsx_view *v = r->s->view;
    for (size_t i = 0; i < v->all.n; i++) {
        const struct tn_nsx_seen *seen = v->all.items[i];
        if (seen->gone || !seen->kind) {
            continue;
        }
        if (!seen->ours) {
            read_other(r, seen);
        } else if (in_scope(r, seen->scope)) {
            read_ours(r, seen);
        }
    }
}

enum tn_code
tn_nsx_observe(struct tn_session *s, const struct tn_scope *scope,
               const struct tn_state *want, struct tn_arena *arena,
               const struct tn_state **out, struct tn_error *err)
{
    struct reading r = {.s = s, .scope = scope, .want = want, .arena = arena};
    enum tn_code code = tn_nsx_view_read(s, false, err);
    if (code) {
        return tn_while(err, code, "device %s", s->name);
    }
    tn_map_init(&r.wanted, arena, want ? want->n : 0);
    for (size_t i = 0; want && i < want->n; i++) {
        const struct tn_nsx_object *native = want->items[i].native;
        (void) tn_map_put(&r.wanted, native->path,
                          (void *) (uintptr_t) &want->items[i]);
    }
    read_all(&r);
    code = tn_state_sort(r.list.items, r.list.n, err);
    if (code) {
        return tn_while(err, code, "device %s", s->name);
    }
    struct tn_state *state = tn_new(arena, struct tn_state);
    *state = (struct tn_state){tn_arena_strdup(arena, s->name), r.list.items,
                               r.list.n};
    *out = state;
    return TN_OK;
}
