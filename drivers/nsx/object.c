/* object.c - see object.h: resources in the making.
 *
 * What a plan shows is made of the canonical values, so that two objects are
 * equal when their attributes are. */
#include "drivers/nsx/object.h"

#include <assert.h>
#include <string.h>

#include "drivers/nsx/canon.h"
#include "drivers/nsx/part.h"
#include "drivers/nsx/tree.h"

static size_t
field_of(const struct tn_nsx_kind *kind, const char *attr)
{
    size_t i = 0;
    while (i < kind->n_fields && strcmp(kind->fields[i].attr, attr) != 0) {
        i++;
    }
    assert(i < kind->n_fields);
    return i;
}

static const char *
key_of(struct tn_arena *arena, const struct tn_nsx_kind *kind,
       const char *scope, const char *name)
{
    const char *slash = *scope ? "/" : "";
    return name ? tn_arena_printf(arena, "%s%s%s/%s", scope, slash, kind->name,
                                  name)
                : tn_arena_printf(arena, "%s%s%s", scope, slash, kind->name);
}

void
tn_nsx_draft_begin(struct tn_nsx_draft *d, struct tn_arena *arena,
                   const struct tn_nsx_kind *kind, const char *scope,
                   const char *name, const char *path)
{
    *d = (struct tn_nsx_draft){
        .arena = arena,
        .r = {.key = key_of(arena, kind, scope, name),
              .kind = kind->name,
              .name = name ? name : scope,
              .scope = scope,
              .owner = TN_OURS,
              .rank = kind->rank},
        .kind = kind,
        .path = path,
        .values = tn_new_n(arena, const char *, kind->n_fields),
        .lists = tn_new_n(arena, struct tn_nsx_texts, kind->n_fields),
    };
}

void
tn_nsx_draft_value(struct tn_nsx_draft *d, size_t field, const json_t *value)
{
    json_t *canonical = tn_nsx_canon(&d->kind->fields[field], value);
    d->values[field] = tn_nsx_canon_text(d->arena, canonical);
    json_decref(canonical);
}

void
tn_nsx_draft_set(struct tn_nsx_draft *d, const char *attr, const char *value)
{
    json_t *text = json_string(value);
    assert(text);
    tn_nsx_draft_value(d, field_of(d->kind, attr), text);
    json_decref(text);
}

void
tn_nsx_draft_add(struct tn_nsx_draft *d, const char *attr, const char *value)
{
    struct tn_nsx_texts *list = &d->lists[field_of(d->kind, attr)];
    *tn_vec_push(d->arena, list) = value;
}

void
tn_nsx_draft_json(struct tn_nsx_draft *d, const char *attr, const char *json)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert(value);
    tn_nsx_draft_value(d, field_of(d->kind, attr), value);
    json_decref(value);
}

static void
draft_list(struct tn_nsx_draft *d, size_t field)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->lists[field].n; i++) {
        json_array_append_new(list, json_string(d->lists[field].items[i]));
    }
    tn_nsx_draft_value(d, field, list);
    json_decref(list);
}

/* Inserts it by name; there are few. */
static void
attr_add(struct tn_attr *attrs, size_t n, const struct tn_attr *attr)
{
    for (; n > 0 && strcmp(attrs[n - 1].name, attr->name) > 0; n--) {
        attrs[n] = attrs[n - 1];
    }
    attrs[n] = *attr;
}

static const char *
shown(struct tn_arena *arena, const struct tn_nsx_field *f, const char *value)
{
    json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);
    const char *out = tn_nsx_canon_show(arena, f, json);
    json_decref(json);
    return out;
}

/* "segment /infra/tier-1s/a [...]"; null: it has not all that it takes. */
static const char *
claim_of(const struct tn_nsx_draft *d)
{
    const char *out = NULL, *what = d->kind->name;
    if (d->kind->flags & TN_NSX_LOCAL) {
        what = tn_arena_printf(d->arena, "%s of %s", what,
                               tn_nsx_path_parent(d->arena, d->path));
    }
    for (size_t i = 0; i < d->kind->n_fields; i++) {
        if (d->kind->fields[i].claim && !d->values[i]) {
            return NULL;
        }
        if (d->kind->fields[i].claim) {
            out = tn_arena_printf(d->arena, "%s %s", out ? out : what,
                                  d->values[i]);
        }
    }
    return out;
}

struct tn_resource
tn_nsx_draft_end(struct tn_nsx_draft *d)
{
    const struct tn_nsx_kind *kind = d->kind;
    struct tn_attr *attrs = tn_new_n(d->arena, struct tn_attr, kind->n_fields);
    size_t n = 0;
    for (size_t i = 0; i < kind->n_fields; i++) {
        const struct tn_nsx_field *f = &kind->fields[i];
        if (d->lists[i].n) {
            draft_list(d, i);
        }
        if (d->values[i] && !f->secret) {
            const struct tn_attr attr = {
                .name = f->attr,
                .value = shown(d->arena, f, d->values[i]),
                .change = f->change,
            };
            attr_add(attrs, n++, &attr);
        }
    }
    struct tn_nsx_object *native = tn_new(d->arena, struct tn_nsx_object);
    *native = (struct tn_nsx_object){
        .kind = kind, .path = d->path, .revision = -1, .values = d->values};
    d->r.attrs = attrs;
    d->r.claim = claim_of(d);
    d->r.n_attrs = n;
    d->r.native = native;
    return d->r;
}
