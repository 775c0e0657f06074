/* seed.c - a document that holds every field of its kind, set to its example.
 *
 * For 'tenet schema --seed', for the reference pages and for tests: it decodes
 * without findings.  Where fields exclude each other, the list above them gets
 * one entry for each. */
#include "model/kinds/field.h"

#include <stdio.h>

static void object_seed(struct tn_text *out, const struct tn_object *object,
                        unsigned indent, uint32_t choice);

static void
line_start(struct tn_text *out, unsigned indent)
{
    for (unsigned i = 0; i < indent; i++) {
        tn_text_addc(out, ' ');
    }
}

/* How many entries it takes to show all fields of the object. */
static uint32_t
n_choices(const struct tn_object *object)
{
    uint32_t n = 1;
    for (uint32_t i = 0; i < object->n_fields; i++) {
        const struct tn_object *inner = object->fields[i].object;
        if (inner && inner->exclusive && inner->n_fields > n) {
            n = inner->n_fields;
        }
    }
    return n;
}

static void
list_seed(struct tn_text *out, const struct tn_object *object, unsigned indent)
{
    for (uint32_t i = 0; i < n_choices(object); i++) {
        size_t start = out->n;
        object_seed(out, object, indent + 2, i);
        out->s[start + indent] = '-';
    }
}

static void
field_seed(struct tn_text *out, const struct tn_field *f, unsigned indent,
           uint32_t choice)
{
    line_start(out, indent);
    if (f->type != TN_FIELD_OBJECT) {
        tn_text_addf(out, "%s: %s\n", f->name, f->example);
        return;
    }
    tn_text_addf(out, "%s:\n", f->name);
    if (f->flags & TN_MANY) {
        list_seed(out, f->object, indent + 2);
    } else {
        object_seed(out, f->object, indent + 2, choice);
    }
}

static void
object_seed(struct tn_text *out, const struct tn_object *object,
            unsigned indent, uint32_t choice)
{
    for (uint32_t i = 0; i < object->n_fields; i++) {
        if (!object->exclusive || i == choice) {
            field_seed(out, &object->fields[i], indent, choice);
        }
    }
}

void
tn_kind_seed_print(enum tn_kind kind, struct tn_text *out)
{
    const struct tn_kind_table *t = tn_kind_table(kind);
    tn_text_addf(out, "apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n",
                 TN_API_VERSION, t->name, t->sample);
    for (uint32_t i = 1; i < tn_metadata.n_fields; i++) {
        const struct tn_field *f = &tn_metadata.fields[i];
        if (t->of_tenant || f->offset != offsetof(struct tn_meta, tenant)) {
            field_seed(out, f, 2, 0);
        }
    }
    tn_text_add(out, "spec:\n");
    object_seed(out, &t->spec, 2, 0);
}
