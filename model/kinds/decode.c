/* decode.c - a YAML tree into the C struct of its kind, by the tables.
 *
 * One pass over the document's keys; each is looked up in its object's table,
 * starting behind the field found before, so that a document in the usual
 * order costs one comparison a key.  Everything that is wrong is reported,
 * with the place of the key (unknown fields), of the value (wrong types and
 * values) or of the object (what is missing).  Nothing here knows a kind: what
 * fields mean to each other is the 'check' of their table. */
#include "model/kinds/field.h"

#include <string.h>

struct decoder {
    struct tn_arena *arena;
    struct tn_check check;
};

static void object_decode(const struct decoder *d,
                          const struct tn_object *object,
                          const struct tn_node *node, void *base);

static void *
member(void *base, uint32_t offset)
{
    return (char *) base + offset;
}

static void
wrong_type(const struct decoder *d, const struct tn_node *node,
           const char *what)
{
    struct tn_diag *diag =
        tn_check_error(&d->check, node->at, "expected %s, found %s", what,
                       tn_node_called(node));
    if (tn_node_is_null(node)) {
        tn_check_hint(&d->check, diag, "give a value, or leave the field out");
    }
}

static void
unknown_field(const struct decoder *d, const struct tn_object *object,
              const struct tn_pair *pair)
{
    const char *names[32];
    char shown[TN_SHOWN];
    TN_CLEANUP(tn_cleanup_text) struct tn_text all = {0};
    for (uint32_t i = 0; i < object->n_fields; i++) {
        names[i] = object->fields[i].name;
        tn_text_addf(&all, "%s%s", i ? ", " : "", names[i]);
    }
    struct tn_diag *diag = tn_check_error(
        &d->check, pair->at, "unknown field '%s'", tn_shown(shown, pair->key));
    const char *near = tn_nearest(pair->key, names, object->n_fields);
    if (near) {
        tn_check_hint(&d->check, diag, "did you mean '%s'?", near);
    } else {
        tn_check_hint(&d->check, diag, "known here: %s", tn_text_str(&all));
    }
}

static void
missing_field(const struct decoder *d, const struct tn_field *field,
              struct tn_pos at)
{
    struct tn_diag *diag = tn_check_error(
        &d->check, at, "missing required field '%s'", field->name);
    if (field->example) {
        tn_check_hint(&d->check, diag, "for example: %s: %s", field->name,
                      field->example);
    }
}

/* How many of the fields may be given; 'given' has a bit for each that is. */
static void
number_check(const struct decoder *d, const struct tn_object *object,
             const struct tn_node *node, uint32_t given)
{
    bool none = object->least && given == 0;
    if (!none && !(object->exclusive && (given & (given - 1)))) {
        return;
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text names = {0};
    for (uint32_t i = 0; i < object->n_fields; i++) {
        tn_text_addf(&names, "%s'%s'", i ? " or " : "", object->fields[i].name);
    }
    if (none) {
        tn_check_error(&d->check, node->at, "needs %s", tn_text_str(&names));
    } else {
        tn_check_error(&d->check, node->map.pairs[node->map.n - 1].at,
                       "either %s, not both", tn_text_str(&names));
    }
}

static void
labels_decode(const struct decoder *d, const struct tn_field *field,
              const struct tn_node *node, struct tn_any_list *list)
{
    if (node->type != TN_NODE_MAP) {
        wrong_type(d, node, "a map");
        return;
    }
    if (node->map.n > field->max_items) {
        tn_check_error(&d->check, node->at,
                       "%zu labels are too many: at most "
                       "%u",
                       node->map.n, field->max_items);
        return;
    }
    struct tn_meta_label *labels =
        tn_new_n(d->arena, struct tn_meta_label, node->map.n);
    for (size_t i = 0; i < node->map.n; i++) {
        const struct tn_pair *pair = &node->map.pairs[i];
        struct tn_node key = {.type = TN_NODE_SCALAR,
                              .quoted = true,
                              .at = pair->at,
                              .scalar = {pair->key, strlen(pair->key)}};
        labels[i].key.at = pair->at;
        labels[i].key.v = tn_text_decode(&d->check, d->arena,
                                         &tn_form_label_key, "text", &key);
        labels[i].value.at = pair->value->at;
        labels[i].value.v = tn_text_decode(
            &d->check, d->arena, &tn_form_label_value, "text", pair->value);
    }
    list->items = labels;
    list->n = node->map.n;
}

static void
item_decode(const struct decoder *d, const struct tn_field *field,
            const struct tn_node *node, void *out)
{
    if (field->type == TN_FIELD_OBJECT) {
        object_decode(d, field->object, node, out);
    } else {
        tn_scalar_decode(&d->check, d->arena, field, node, out);
    }
}

static void
distinct_check(const struct decoder *d, const struct tn_field *field,
               const struct tn_any_list *list)
{
    if (field->flags & TN_DISTINCT) {
        tn_distinct_check(&d->check, d->arena, field, field, list);
    } else if (field->type == TN_FIELD_OBJECT && field->object->key) {
        const struct tn_field *key =
            tn_field_find(field->object, field->object->key, 0);
        tn_distinct_check(&d->check, d->arena, field, key, list);
    }
}

static void
list_decode(const struct decoder *d, const struct tn_field *field,
            const struct tn_node *node, struct tn_any_list *list)
{
    const struct tn_node *const one[] = {node};
    const struct tn_node *const *items = node->list.items;
    size_t n = node->list.n, size = tn_field_size(field);
    if ((field->flags & TN_OR_ONE) && node->type == TN_NODE_SCALAR) {
        items = one;
        n = 1;
    } else if (node->type != TN_NODE_LIST) {
        wrong_type(d, node, "a list");
        return;
    }
    if (n < field->min_items || n > field->max_items) {
        tn_check_error(&d->check, node->at,
                       n ? "'%s' has %zu entries, more than %u"
                         : "'%s' is empty",
                       field->name, n, field->max_items);
        return;
    }
    char *out = tn_arena_calloc(d->arena, n, size);
    for (size_t i = 0; i < n; i++) {
        item_decode(d, field, items[i], out + i * size);
    }
    list->items = out;
    list->n = n;
    distinct_check(d, field, list);
}

static void
field_decode(const struct decoder *d, const struct tn_field *field,
             const struct tn_node *node, void *base)
{
    void *out = member(base, field->offset);
    bool labels = field->type == TN_FIELD_LABELS;
    if (labels || (field->flags & TN_MANY)) {
        struct tn_any_list list = {.at = node->at};
        if (labels) {
            labels_decode(d, field, node, &list);
        } else {
            list_decode(d, field, node, &list);
        }
        memcpy(out, &list, sizeof list);
    } else {
        item_decode(d, field, node, out);
    }
}

static void
object_decode(const struct decoder *d, const struct tn_object *object,
              const struct tn_node *node, void *base)
{
    uint32_t seen = 0, next = 0;
    if (object->at) {
        memcpy(member(base, object->at), &node->at, sizeof node->at);
    }
    if (node->type != TN_NODE_MAP) {
        wrong_type(d, node, "a map");
        return;
    }
    for (size_t i = 0; i < node->map.n; i++) {
        const struct tn_pair *pair = &node->map.pairs[i];
        const struct tn_field *f = tn_field_find(object, pair->key, next);
        if (!f) {
            unknown_field(d, object, pair);
            continue;
        }
        uint32_t index = (uint32_t) (f - object->fields);
        seen |= 1u << index;
        next = index + 1;
        field_decode(d, f, pair->value, base);
    }
    for (uint32_t i = 0; i < object->n_fields; i++) {
        const struct tn_field *f = &object->fields[i];
        if ((f->flags & TN_REQUIRED) && !(seen & 1u << i)) {
            missing_field(d, f, node->at);
        }
    }
    if (object->least || object->exclusive) {
        number_check(d, object, node, seen);
    }
    if (object->check) {
        object->check(&d->check, base);
    }
}

/* The fields of the envelope, null where missing. */
struct envelope {
    const struct tn_node *value[TN_ENVELOPE_FIELDS];
};

/* A field of 'spec' or 'metadata' that was written one level too high. */
static bool
misplaced(const struct decoder *d, const struct tn_object *inner,
          const char *where, const struct tn_pair *pair)
{
    if (!tn_field_find(inner, pair->key, 0)) {
        return false;
    }
    struct tn_diag *diag =
        tn_check_error(&d->check, pair->at, "unknown field '%s'", pair->key);
    tn_check_hint(&d->check, diag, "it belongs under '%s'", where);
    return true;
}

static bool
kind_decode(const struct decoder *d, const struct tn_node *node,
            const struct tn_kind_table **out)
{
    struct tn_venum kind = {0};
    const struct tn_field *f = &tn_envelope.fields[TN_ENVELOPE_KIND];
    if (!node) {
        return false;
    }
    tn_scalar_decode(&d->check, d->arena, f, node, &kind);
    if (kind.v >= TN_N_KINDS) {
        return false;
    }
    *out = tn_kind_table((enum tn_kind) kind.v);
    return true;
}

static void
envelope_read(const struct tn_node *node, struct envelope *env)
{
    for (size_t i = 0; i < node->map.n; i++) {
        const struct tn_pair *pair = &node->map.pairs[i];
        const struct tn_field *f =
            tn_field_find(&tn_envelope, pair->key, (uint32_t) i);
        if (f) {
            env->value[f - tn_envelope.fields] = pair->value;
        }
    }
}

static void
envelope_check(const struct decoder *d, const struct tn_node *node,
               const struct envelope *env, const struct tn_kind_table *kind)
{
    for (size_t i = 0; i < node->map.n; i++) {
        const struct tn_pair *pair = &node->map.pairs[i];
        if (!tn_field_find(&tn_envelope, pair->key, (uint32_t) i) &&
            !(kind && misplaced(d, &kind->spec, "spec", pair)) &&
            !misplaced(d, &tn_metadata, "metadata", pair)) {
            unknown_field(d, &tn_envelope, pair);
        }
    }
    for (uint32_t i = 0; i < TN_ENVELOPE_FIELDS; i++) {
        const struct tn_field *f = &tn_envelope.fields[i];
        if (!env->value[i] && (f->flags & TN_REQUIRED)) {
            missing_field(d, f, node->at);
        }
    }
    if (env->value[TN_ENVELOPE_API_VERSION]) {
        struct tn_venum version = {0};
        tn_scalar_decode(&d->check, d->arena,
                         &tn_envelope.fields[TN_ENVELOPE_API_VERSION],
                         env->value[TN_ENVELOPE_API_VERSION], &version);
    }
}

static bool
spec_is_required(const struct tn_object *spec)
{
    for (uint32_t i = 0; i < spec->n_fields; i++) {
        if (spec->fields[i].flags & TN_REQUIRED) {
            return true;
        }
    }
    return false;
}

static void
metadata_decode(const struct decoder *d, const struct tn_kind_table *kind,
                const struct tn_node *node, struct tn_meta *meta)
{
    object_decode(d, &tn_metadata, node, meta);
    if (!kind->of_tenant && meta->tenant.at.line) {
        struct tn_diag *diag = tn_check_error(
            &d->check, meta->tenant.at, "%s belongs to no tenant", kind->name);
        tn_check_hint(&d->check, diag, "remove 'tenant'");
    }
}

static void *
body_decode(const struct decoder *d, const struct tn_kind_table *kind,
            const struct tn_node *node, const struct envelope *env)
{
    void *body = tn_arena_calloc(d->arena, 1, kind->spec.size);
    struct tn_meta *meta = body;
    meta->at = node->at;
    meta->path = d->check.path;
    if (env->value[TN_ENVELOPE_METADATA]) {
        metadata_decode(d, kind, env->value[TN_ENVELOPE_METADATA], meta);
    }
    if (env->value[TN_ENVELOPE_SPEC]) {
        object_decode(d, &kind->spec, env->value[TN_ENVELOPE_SPEC], body);
    } else if (spec_is_required(&kind->spec)) {
        missing_field(d, &tn_envelope.fields[TN_ENVELOPE_SPEC], node->at);
    }
    return body;
}

bool
tn_document_decode(struct tn_arena *arena, const char *path,
                   const struct tn_node *node, struct tn_document *out,
                   struct tn_diags *diags)
{
    const struct decoder d = {arena, {diags, path}};
    const struct tn_kind_table *kind = NULL;
    struct envelope env = {{NULL}};
    size_t errors = diags->n_errors;
    if (node->type != TN_NODE_MAP) {
        struct tn_diag *diag =
            tn_check_error(&d.check, node->at, "expected a document, found %s",
                           tn_node_called(node));
        tn_check_hint(&d.check, diag,
                      "a map with apiVersion, kind, metadata and spec");
        return false;
    }
    envelope_read(node, &env);
    bool known = kind_decode(&d, env.value[TN_ENVELOPE_KIND], &kind);
    envelope_check(&d, node, &env, kind);
    if (!known) {
        return false;
    }
    void *body = body_decode(&d, kind, node, &env);
    if (diags->n_errors != errors) {
        return false;
    }
    *out = (struct tn_document){
        .kind = kind->kind, .meta = body, .as = {.any = body}};
    return true;
}
