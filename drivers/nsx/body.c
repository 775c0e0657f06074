/* body.c - objects as the API has them: read into resources, and written.
 *
 * NSX replaces whole objects.  So what is written is what was read, but for
 * what only the server says, with our fields laid over it; tags of others stay
 * where they are. */
#include <stdlib.h>
#include <string.h>

#include "drivers/nsx/canon.h"
#include "drivers/nsx/part.h"

enum { TAGS_OF_NSX = 30, TAG_LONGEST = 256 };

const char *
tn_nsx_path_id(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *
tn_nsx_tag(const json_t *object, const char *scope)
{
    const json_t *tags = json_object_get(object, "tags"), *tag;
    size_t i;
    json_array_foreach(tags, i, tag)
    {
        const char *s = json_string_value(json_object_get(tag, "scope"));
        if (tn_streq(s, scope)) {
            return json_string_value(json_object_get(tag, "tag"));
        }
    }
    return NULL;
}

/* ---- reading ---- */

static json_t *
labels_of(const json_t *object, const char *scope)
{
    const json_t *tags = json_object_get(object, "tags"), *tag;
    json_t *out = json_array();
    size_t i;
    json_array_foreach(tags, i, tag)
    {
        const char *s = json_string_value(json_object_get(tag, "scope"));
        if (tn_streq(s, scope)) {
            json_array_append(out, json_object_get(tag, "tag"));
        }
    }
    return out;
}

/* Without what is told of as objects of its own. */
static const char *
body_text(struct tn_arena *arena, const json_t *json)
{
    json_t *body = json_copy((json_t *) (uintptr_t) json);
    json_object_del(body, "children");
    json_object_del(body, "rules");
    const char *out = tn_nsx_canon_text(arena, body);
    json_decref(body);
    return out;
}

static const char *
ids_of(struct tn_arena *arena, const char *path, const json_t *json)
{
    const char *id = json_string_value(json_object_get(json, "unique_id"));
    return id ? tn_arena_printf(arena, "%s %s", path, id) : path;
}

/* So that it differs from what is wanted, whatever else does. */
static void
mark_add(struct tn_arena *arena, struct tn_resource *r)
{
    struct tn_attr *attrs = tn_new_n(arena, struct tn_attr, r->n_attrs + 1);
    size_t n = 0;
    while (n < r->n_attrs && strcmp(r->attrs[n].name, "mark") < 0) {
        attrs[n] = r->attrs[n];
        n++;
    }
    attrs[n] = (struct tn_attr){.name = "mark", .value = "lost"};
    for (; n < r->n_attrs; n++) {
        attrs[n + 1] = r->attrs[n];
    }
    r->attrs = attrs;
    r->n_attrs++;
}

struct tn_resource
tn_nsx_resource(struct tn_arena *arena, const struct tn_nsx_found *found)
{
    struct tn_nsx_draft d;
    const struct tn_nsx_kind *kind = found->kind;
    const json_t *revision = json_object_get(found->json, "_revision");
    const char *path = tn_arena_strdup(arena, found->path);
    tn_nsx_draft_begin(&d, arena, kind, found->scope, found->name, path);
    for (size_t i = 0; i < kind->n_fields; i++) {
        const struct tn_nsx_field *f = &kind->fields[i];
        bool unasked = tn_streq(f->fallback, TN_NSX_ANY) &&
                       !(found->want && found->want->values[i]);
        if (unasked || f->secret) {
            continue;
        }
        json_t *labels =
            f->type == TN_NSX_LABELS ? labels_of(found->json, f->name) : NULL;
        tn_nsx_draft_value(
            &d, i, labels ? labels : tn_nsx_member(found->json, f->name));
        json_decref(labels);
    }
    struct tn_resource out = tn_nsx_draft_end(&d);
    struct tn_nsx_object *native = (struct tn_nsx_object *) out.native;
    native->body = body_text(arena, found->json);
    native->revision = json_is_integer(revision)
                           ? (long long) json_integer_value(revision)
                           : -1;
    native->modified = (long long) json_integer_value(
        json_object_get(found->json, "_last_modified_time"));
    if (found->unmarked) {
        mark_add(arena, &out);
    }
    out.key = found->key;
    out.owner = found->owner;
    out.ids = ids_of(arena, path, found->json);
    return out;
}

/* ---- writing ---- */

/* What the server says of an object, besides all that begins with '_'. */
static const char *const said_by_server[] = {
    "path",           "parent_path", "relative_path",  "unique_id",
    "realization_id", "children",    "remote_path",    "marked_for_delete",
    "overridden",     "owner_id",    "origin_site_id", "rules",
};

static bool
is_field(const struct tn_nsx_kind *kind, const char *name)
{
    bool found = false;
    for (size_t i = 0; !found && i < kind->n_fields; i++) {
        found = strcmp(kind->fields[i].name, name) == 0;
    }
    return found;
}

static json_t *
stripped(const struct tn_nsx_object *object)
{
    json_t *out = object && object->body
                      ? json_loads(object->body, JSON_DECODE_ANY, NULL)
                      : NULL;
    const char *name;
    json_t *value;
    void *next;
    if (!json_is_object(out)) {
        json_decref(out);
        return json_object();
    }
    json_object_foreach_safe(out, next, name, value)
    {
        if (*name == '_') {
            json_object_del(out, name);
        }
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(said_by_server); i++) {
        if (!is_field(object->kind, said_by_server[i])) {
            json_object_del(out, said_by_server[i]);
        }
    }
    return out;
}

/* Tags that the driver writes, and nobody else. */
static bool
is_our_tag(const struct tn_nsx_kind *kind, const char *scope)
{
    bool ours = tn_streq(scope, TN_NSX_TAG_INSTANCE) ||
                tn_streq(scope, TN_NSX_TAG_KEY) ||
                tn_streq(scope, TN_NSX_TAG_SCOPE);
    for (size_t i = 0; !ours && i < kind->n_fields; i++) {
        ours = kind->fields[i].type == TN_NSX_LABELS &&
               tn_streq(scope, kind->fields[i].name);
    }
    return ours;
}

static void
tag_add(json_t *tags, const char *scope, const char *tag)
{
    json_array_append_new(tags,
                          json_pack("{s:s, s:s}", "scope", scope, "tag", tag));
}

static json_t *
our_tags(const struct tn_resource *r, const char *instance)
{
    const struct tn_nsx_object *native = r->native;
    json_t *tags = json_array();
    tag_add(tags, TN_NSX_TAG_INSTANCE, instance);
    tag_add(tags, TN_NSX_TAG_KEY, r->key);
    if (*r->scope) {
        tag_add(tags, TN_NSX_TAG_SCOPE, r->scope);
    }
    for (size_t i = 0; i < native->kind->n_fields; i++) {
        const struct tn_nsx_field *f = &native->kind->fields[i];
        json_t *labels = f->type == TN_NSX_LABELS && native->values[i]
                             ? json_loads(native->values[i], 0, NULL)
                             : NULL;
        const json_t *label;
        size_t k;
        json_array_foreach(labels, k, label)
        {
            tag_add(tags, f->name, json_string_value(label));
        }
        json_decref(labels);
    }
    return tags;
}

static enum tn_code
too_many(const struct tn_resource *r, size_t ours, size_t others,
         struct tn_error *err)
{
    enum tn_code code = TN_OK;
    if (ours > TN_NSX_TAGS_MAX) {
        code = tn_fail(err, TN_EUNSUPPORTED, 0,
                       "%s needs %zu tags, and at most %d are ours", r->key,
                       ours, TN_NSX_TAGS_MAX);
    } else if (ours + others > TAGS_OF_NSX) {
        code = tn_fail(err, TN_EUNSUPPORTED, 0,
                       "%s needs %zu tags, others have set %zu, and NSX holds "
                       "%d",
                       r->key, ours, others, TAGS_OF_NSX);
    } else if (strlen(r->key) > TAG_LONGEST) {
        code = tn_fail(err, TN_EUNSUPPORTED, 0,
                       "the key %s is longer than a tag of NSX may be (%d)",
                       r->key, TAG_LONGEST);
    }
    if (code) {
        tn_error_at(err, r->origin);
    }
    return code;
}

static enum tn_code
tags_write(json_t *body, const struct tn_resource *r, const char *instance,
           struct tn_error *err)
{
    const struct tn_nsx_object *native = r->native;
    const json_t *have = json_object_get(body, "tags"), *tag;
    json_t *tags = our_tags(r, instance);
    size_t i, ours = json_array_size(tags), others = 0;
    json_array_foreach(have, i, tag)
    {
        const char *scope = json_string_value(json_object_get(tag, "scope"));
        if (!is_our_tag(native->kind, scope)) {
            json_array_append(tags, (json_t *) (uintptr_t) tag);
            others++;
        }
    }
    json_object_set_new(body, "tags", tags);
    return too_many(r, ours, others, err);
}

static void
fields_write(json_t *body, const struct tn_nsx_object *native)
{
    for (size_t i = 0; i < native->kind->n_fields; i++) {
        const struct tn_nsx_field *f = &native->kind->fields[i];
        if (f->type == TN_NSX_LABELS) {
            continue;
        }
        json_t *want = native->values[i] ? json_loads(native->values[i],
                                                      JSON_DECODE_ANY, NULL)
                                         : NULL;
        tn_nsx_member_set(
            body, f->name,
            tn_nsx_canon_merge(f, tn_nsx_member(body, f->name), want));
        json_decref(want);
    }
}

static bool
has_entry(const json_t *entries, const char *id)
{
    const json_t *entry;
    bool found = false;
    size_t i;
    json_array_foreach(entries, i, entry)
    {
        const char *its = json_string_value(json_object_get(entry, "id"));
        found = found || tn_streq(its, id);
    }
    return found;
}

/* Entries of services are merged by their ids: one that is to go must be
 * deleted. */
static void
entries_drop(json_t *body, const json_t *had)
{
    const json_t *want = json_object_get(body, "service_entries"), *entry;
    json_t *children = json_array();
    size_t i;
    json_array_foreach(had, i, entry)
    {
        const char *id = json_string_value(json_object_get(entry, "id"));
        const char *type =
            json_string_value(json_object_get(entry, "resource_type"));
        if (id && type && !has_entry(want, id)) {
            json_array_append_new(
                children,
                json_pack("{s:s, s:b, s:{s:s, s:s}}", "resource_type",
                          "ChildServiceEntry", "marked_for_delete", 1,
                          "ServiceEntry", "resource_type", type, "id", id));
        }
    }
    if (json_array_size(children)) {
        json_object_set(body, "children", children);
    }
    json_decref(children);
}

enum tn_code
tn_nsx_body(const struct tn_resource *r, const struct tn_nsx_object *have,
            const char *instance, json_t **out, struct tn_error *err)
{
    const struct tn_nsx_object *native = r->native;
    json_t *body = stripped(have ? have : native);
    json_t *had = json_incref(json_object_get(body, "service_entries"));
    fields_write(body, native);
    if (have && strcmp(native->kind->type, "Service") == 0) {
        entries_drop(body, had);
    }
    json_decref(had);
    json_object_set_new(body, "resource_type", json_string(native->kind->type));
    json_object_set_new(body, "id", json_string(tn_nsx_path_id(native->path)));
    if (have && have->revision >= 0) {
        json_object_set_new(body, "_revision", json_integer(have->revision));
    }
    enum tn_code code = tags_write(body, r, instance, err);
    if (code) {
        json_decref(body);
        return code;
    }
    *out = body;
    return TN_OK;
}
