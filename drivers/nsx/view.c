/* view.c - reading all there is, in a handful of requests.
 *
 * Objects of one family (a Tier-1 and its routes, a segment and its ports) come
 * by one hierarchical reading each, all at the same time.  Where one is refused
 * as too large its types are read one by one, and a type that alone is too
 * large by lists: one of its collection, or of that in each parent of ours.
 *
 * An answer that is no whole tree is an error, never a smaller world. */
#include <stdlib.h>
#include <string.h>

#include "drivers/nsx/device.h"
#include "drivers/nsx/known.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

enum { FAMILIES = 16 };

/* Types that are asked for together. */
struct family {
    const char *top;
    TN_VEC(const char *) types;
};

struct looking {
    struct tn_session *s;
    struct tn_arena *arena; /* Of what is only needed meanwhile. */
    struct tn_nsx_view *view;
    struct tn_nsx_leaves leaves;
    struct family families[FAMILIES];
    size_t n_families;
    bool deep;     /* Also what is of none of our kinds. */
    bool too_deep; /* That was refused. */
    struct tn_error *err;
};

/* ---- what to ask ---- */

static void
type_add(struct looking *l, struct family *f, const char *type)
{
    for (size_t i = 0; i < f->types.n; i++) {
        if (strcmp(f->types.items[i], type) == 0) {
            return;
        }
    }
    *tn_vec_push(l->arena, &f->types) = type;
}

/* The type and all that it may stand in. */
static void
chain_add(struct looking *l, struct family *f, const char *type)
{
    for (; type; type = tn_nsx_type_above(type)) {
        type_add(l, f, type);
    }
}

/* What many families stand in makes none of it. */
static bool
is_common(const char *type)
{
    static const char *const common[] = {"Domain", "Vpc", "Project", "Org"};
    bool found = false;
    for (size_t i = 0; i < TN_ARRAY_SIZE(common); i++) {
        found = found || strcmp(common[i], type) == 0;
    }
    return found;
}

static struct family *
family_of(struct looking *l, const char *type)
{
    const char *up = tn_nsx_type_above(type);
    while (up && !is_common(up)) {
        type = up;
        up = tn_nsx_type_above(type);
    }
    for (size_t i = 0; i < l->n_families; i++) {
        if (strcmp(l->families[i].top, type) == 0) {
            return &l->families[i];
        }
    }
    size_t i = l->n_families < FAMILIES ? l->n_families++ : FAMILIES - 1;
    l->families[i].top = type;
    return &l->families[i];
}

static void
families(struct looking *l)
{
    for (size_t i = 0; i < TN_NSX_KINDS; i++) {
        const char *type = tn_nsx_kinds[i]->type;
        bool vpcs = !*l->s->settings.root;
        if (tn_nsx_kinds[i]->flags & (vpcs ? TN_NSX_TIERS : TN_NSX_VPCS)) {
            continue;
        }
        struct family *f = family_of(l, type);
        chain_add(l, f, type);
        if (l->s->entries_apart && strcmp(type, "Service") == 0) {
            type_add(l, f, "ServiceEntry");
        }
    }
}

/* What others may have put in ours, besides what is of our kinds. */
static void
families_deepen(struct looking *l)
{
    static const char *const types[] = {
        "PolicyNatRule", "DhcpStaticBindingConfig",
        "SegmentDiscoveryProfileBindingMap", "SegmentQosProfileBindingMap"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(types); i++) {
        chain_add(l, family_of(l, types[i]), types[i]);
    }
}

static const char *
query(struct looking *l, struct family *f)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct tn_nsx_settings *o = &l->s->settings;
    if (!*o->root) {
        chain_add(l, f, "Vpc");
    }
    tn_text_add(&t, tn_nsx_root_url(l->arena, o->root));
    for (size_t i = 0; i < f->types.n; i++) {
        tn_text_addf(&t, "%s%s", i ? ";" : "?type_filter=", f->types.items[i]);
    }
    if (!*o->root) {
        tn_text_addf(&t, "&base_path=%s", o->project);
    }
    return tn_arena_strndup(l->arena, tn_text_str(&t), t.n);
}

/* ---- what is answered ---- */

/* Parses and keeps it; null: it is none. */
static json_t *
document(struct looking *l, const char *text, size_t n)
{
    json_t *json = json_loadb(text, n, 0, NULL);
    if (json) {
        *tn_vec_push(l->view->arena, &l->view->documents) = json;
    }
    return json;
}

static enum tn_code
take_tree(struct looking *l, const struct tn_nsx_reply *reply)
{
    const json_t *tree = document(l, reply->body, reply->n_body);
    if (!json_is_object(tree) ||
        !json_is_string(json_object_get(tree, "resource_type"))) {
        return tn_fail(l->err, TN_EUNAVAILABLE, reply->verdict.status,
                       "an answer of NSX is no tree of objects");
    }
    return tn_nsx_leaves_add(&l->leaves, l->s->settings.root, tree, l->err);
}

static enum tn_code
ask(struct looking *l, struct family *f, struct tn_nsx_reply *reply)
{
    const struct tn_nsx_call call = {
        .method = "GET", .path = query(l, f), .page = true};
    return tn_nsx_ask(l->s->nsx, &call, l->arena, reply, l->err);
}

static enum tn_code
refused(struct looking *l, const struct tn_nsx_verdict *v, const char *what)
{
    return tn_nsx_fail(l->err, v,
                       tn_arena_printf(l->arena, "reading %s", what));
}

/* ---- where that is too much ---- */

static enum tn_code
list(struct looking *l, const char *holder, const char *type)
{
    const char *url = tn_arena_printf(l->arena, "/policy/api/v1%s/%s", holder,
                                      tn_nsx_type_collection(type));
    const char *const *items = NULL;
    struct tn_nsx_reply no = {.verdict = {.action = TN_NSX_DONE}};
    size_t n = 0;
    enum tn_code code =
        tn_nsx_list(l->s->nsx, url, l->arena, &items, &n, &no, l->err);
    if (!code && no.verdict.action == TN_NSX_ABSENT) {
        return TN_OK; /* The holder went away meanwhile. */
    }
    if (!code && no.verdict.action != TN_NSX_DONE) {
        return refused(l, &no.verdict, url);
    }
    for (size_t i = 0; !code && i < n; i++) {
        const json_t *one = document(l, items[i], strlen(items[i]));
        if (!json_is_object(one)) {
            return tn_fail(l->err, TN_EUNAVAILABLE, 0,
                           "an element of %s is no object", url);
        }
        tn_nsx_leaf_add(&l->leaves, NULL, type, one);
    }
    return code;
}

static enum tn_code
list_within(struct looking *l, const char *type, const char *above)
{
    size_t n = l->leaves.all.n;
    enum tn_code code = TN_OK;
    for (size_t i = 0; !code && i < n; i++) {
        const struct tn_nsx_leaf *leaf = &l->leaves.all.items[i];
        const char *mark = tn_nsx_tag(leaf->json, TN_NSX_TAG_INSTANCE);
        if (tn_streq(leaf->type, above) && tn_streq(mark, l->s->instance)) {
            code = list(l, leaf->path, type);
        }
    }
    return code;
}

static enum tn_code
lists(struct looking *l, const char *type)
{
    const char *above = tn_nsx_type_above(type);
    const char *root = l->s->settings.root;
    if (tn_streq(above, "Domain")) {
        return list(l, tn_arena_printf(l->arena, "%s/domains/default", root),
                    type);
    }
    return above ? list_within(l, type, above) : list(l, root, type);
}

static enum tn_code
one_type(struct looking *l, const struct family *f, const char *type)
{
    struct family alone = {.top = type};
    struct tn_nsx_reply reply = {.verdict = {.action = TN_NSX_SMALLER}};
    chain_add(l, &alone, type);
    enum tn_code code =
        alone.types.n < f->types.n ? ask(l, &alone, &reply) : TN_OK;
    if (code) {
        return code;
    }
    return reply.verdict.action == TN_NSX_DONE ? take_tree(l, &reply)
                                               : lists(l, type);
}

static size_t
depth_of(const char *type)
{
    size_t depth = 0;
    while ((type = tn_nsx_type_above(type))) {
        depth++;
    }
    return depth;
}

/* What stands in others is looked for in those, which must be known. */
static enum tn_code
one_by_one(struct looking *l, const struct family *f)
{
    enum tn_code code = TN_OK;
    for (size_t depth = 0; !code && depth < TN_NSX_DEPTH; depth++) {
        for (size_t i = 0; !code && i < f->types.n; i++) {
            const char *type = f->types.items[i];
            if (depth_of(type) == depth && !is_common(type) &&
                strcmp(type, "ServiceEntry") != 0) {
                code = one_type(l, f, type);
            }
        }
    }
    return code;
}

/* ---- together ---- */

static enum tn_code
ask_families(struct looking *l)
{
    struct tn_nsx_call calls[FAMILIES] = {0};
    struct tn_nsx_reply replies[FAMILIES] = {0};
    for (size_t i = 0; i < l->n_families; i++) {
        calls[i] = (struct tn_nsx_call){
            .method = "GET", .page = true, .path = query(l, &l->families[i])};
    }
    enum tn_code code = tn_nsx_ask_all(l->s->nsx, calls, l->n_families,
                                       l->arena, replies, l->err);
    for (size_t i = 0; !code && i < l->n_families; i++) {
        const struct tn_nsx_verdict *v = &replies[i].verdict;
        if (v->action == TN_NSX_DONE) {
            code = take_tree(l, &replies[i]);
        } else if (v->action == TN_NSX_SMALLER) {
            code = one_by_one(l, &l->families[i]);
        } else {
            l->too_deep = l->deep && v->action == TN_NSX_FAIL;
            code = refused(l, v, l->families[i].top);
        }
    }
    return code;
}

/* The kind of ours whose word stands in the key; of what is not ours, the first
 * that tells of strangers. */
static const struct tn_nsx_kind *
kind_of(const struct tn_nsx_leaf *leaf, const char *scope, const char *key)
{
    const struct tn_nsx_kind *found = NULL;
    const char *parent = strrchr(leaf->path, '/');
    size_t n = scope ? strlen(scope) : 0;
    const char *word = key && n && strncmp(key, scope, n) == 0 && key[n] == '/'
                           ? key + n + 1
                           : key;
    for (size_t i = 0; parent && i < TN_NSX_KINDS; i++) {
        const struct tn_nsx_kind *kind = tn_nsx_kinds[i];
        size_t c = strlen(kind->collection), len = strlen(kind->name);
        bool fits = tn_streq(kind->type, leaf->type) &&
                    (size_t) (parent - leaf->path) > c &&
                    parent[-(ptrdiff_t) c - 1] == '/' &&
                    strncmp(parent - c, kind->collection, c) == 0;
        if (fits && word && strncmp(word, kind->name, len) == 0 &&
            (word[len] == '/' || !word[len])) {
            return kind;
        }
        bool tells = kind->flags & (TN_NSX_SHOWN | TN_NSX_WITHIN);
        if (fits && (!found || (tells && !(found->flags &
                                           (TN_NSX_SHOWN | TN_NSX_WITHIN))))) {
            found = kind;
        }
    }
    return found;
}

static void
see(struct looking *l, const struct tn_nsx_leaf *leaf)
{
    struct tn_nsx_view *v = l->view;
    const char *mark = tn_nsx_tag(leaf->json, TN_NSX_TAG_INSTANCE);
    const char *key = tn_nsx_tag(leaf->json, TN_NSX_TAG_KEY);
    const char *scope = tn_nsx_tag(leaf->json, TN_NSX_TAG_SCOPE);
    bool ours = tn_streq(mark, l->s->instance) && key;
    bool unmarked = !mark && tn_nsx_known(l->s, leaf, &key, &scope);
    if (unmarked) {
        ours = true;
        key = tn_arena_strdup(v->arena, key);
        scope = tn_arena_strdup(v->arena, scope);
    }
    const struct tn_nsx_kind *kind =
        kind_of(leaf, ours ? scope : NULL, ours ? key : NULL);
    if (!kind && !l->deep) {
        return;
    }
    ours = ours && kind;
    struct tn_nsx_seen *seen = tn_new(v->arena, struct tn_nsx_seen);
    *seen = (struct tn_nsx_seen){
        .kind = kind,
        .path = leaf->path,
        .json = leaf->json,
        .key = ours ? key : NULL,
        .scope = ours ? (scope ? scope : "") : NULL,
        .ours = ours,
        .unmarked = ours && unmarked,
        .system = json_is_true(json_object_get(leaf->json, "_system_owned")),
    };
    *tn_vec_push(v->arena, &v->all) = seen;
}

static int
seen_cmp(const void *a, const void *b)
{
    const struct tn_nsx_seen *const *x = a, *const *y = b;
    return tn_nsx_path_cmp((*x)->path, (*y)->path);
}

static void
view_fill(struct looking *l)
{
    struct tn_nsx_view *v = l->view;
    for (size_t i = 0; i < l->leaves.all.n; i++) {
        see(l, &l->leaves.all.items[i]);
    }
    if (v->all.n) {
        qsort(v->all.items, v->all.n, sizeof(struct tn_nsx_seen *), seen_cmp);
    }
    tn_map_init(&v->by_path, v->arena, v->all.n);
    tn_map_init(&v->by_key, v->arena, v->all.n);
    for (size_t i = 0; i < v->all.n; i++) {
        struct tn_nsx_seen *seen = v->all.items[i];
        (void) tn_map_put(&v->by_path, seen->path, seen);
        if (seen->ours && !tn_map_get(&v->by_key, seen->key)) {
            (void) tn_map_put(&v->by_key, seen->key, seen);
        }
    }
}

/* Some releases tell of a service's entries only if asked. */
static bool
entries_missing(const struct looking *l)
{
    for (size_t i = 0; i < l->leaves.all.n; i++) {
        const struct tn_nsx_leaf *leaf = &l->leaves.all.items[i];
        if (tn_streq(leaf->type, "Service") &&
            json_object_get(leaf->json, "service_entries")) {
            return false;
        }
    }
    return true;
}

static bool
has_service(const struct looking *l)
{
    bool found = false;
    for (size_t i = 0; !found && i < l->leaves.all.n; i++) {
        found = tn_streq(l->leaves.all.items[i].type, "Service");
    }
    return found;
}

/* What one look asks for, and what must be asked for in another. */
struct manner {
    bool deep, too_deep, again;
};

static enum tn_code
look(struct tn_session *s, struct tn_nsx_view *view, struct manner *m,
     struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct looking l = {
        .s = s, .arena = arena, .view = view, .deep = m->deep, .err = err};
    tn_nsx_leaves_init(&l.leaves, view->arena);
    families(&l);
    if (l.deep) {
        families_deepen(&l);
    }
    enum tn_code code = ask_families(&l);
    m->too_deep = l.too_deep;
    if (code) {
        return code;
    }
    m->again = !s->entries_apart && has_service(&l) && entries_missing(&l);
    view_fill(&l);
    tn_nsx_known_keep(s, view);
    return TN_OK;
}

static struct tn_nsx_view *
view_new(void)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_nsx_view *view = tn_new(arena, struct tn_nsx_view);
    view->arena = arena;
    view->time_ns = tn_now_ns();
    return view;
}

void
tn_nsx_view_free(struct tn_nsx_view *view)
{
    if (view) {
        for (size_t i = 0; i < view->documents.n; i++) {
            json_decref(view->documents.items[i]);
        }
        tn_arena_free(view->arena);
    }
}

enum tn_code
tn_nsx_view_read(struct tn_session *s, bool deep, struct tn_error *err)
{
    struct manner m = {.deep = deep && !s->shallow && *s->settings.root};
    struct tn_nsx_view *view = view_new();
    enum tn_code code = look(s, view, &m, err);
    if (m.too_deep || (!code && m.again)) {
        tn_nsx_view_free(view);
        view = view_new();
        s->shallow = s->shallow || m.too_deep;
        s->entries_apart = s->entries_apart || m.again;
        m.deep = m.deep && !m.too_deep;
        code = look(s, view, &m, err);
    }
    if (code) {
        tn_nsx_view_free(view);
        return code;
    }
    tn_nsx_view_free(s->view);
    s->view = view;
    return TN_OK;
}

struct tn_nsx_seen *
tn_nsx_view_at(const struct tn_nsx_view *view, const char *path)
{
    struct tn_nsx_seen *seen =
        view ? (struct tn_nsx_seen *) tn_map_get(&view->by_path, path) : NULL;
    return seen && !seen->gone ? seen : NULL;
}
