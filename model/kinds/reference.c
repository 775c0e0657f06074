/* reference.c - the tables as a page for people, in Markdown.
 *
 * One table of fields for each object of the kind, from the outside in, and
 * the seed document as the example. */
#include "model/kinds/field.h"

#include <ctype.h>
#include <string.h>

static void
form_print(struct tn_text *out, const struct tn_form *form)
{
    tn_text_addf(out, "%s: %s", form->name, form->rule);
    if (!strstr(form->rule, "at most")) {
        tn_text_addf(out, ", at most %u characters", (unsigned) form->max);
    }
}

static void
words_print(struct tn_text *out, const struct tn_field *f)
{
    for (uint32_t i = 0; i < f->n_words; i++) {
        tn_text_addf(out, "%s`%s`", i ? ", " : "", f->words[i]);
    }
}

static void
link_print(struct tn_text *out, const char *title)
{
    tn_text_addf(out, "[%s](#", title);
    for (const char *p = title; *p; p++) {
        tn_text_addc(out, (char) tolower((unsigned char) *p));
    }
    tn_text_add(out, ")");
}

static void
type_print(struct tn_text *out, const struct tn_field *f)
{
    switch (f->type) {
    case TN_FIELD_TEXT:
        form_print(out, f->form);
        break;
    case TN_FIELD_UINT:
        tn_text_addf(out, "number, %llu to %llu", (unsigned long long) f->min,
                     (unsigned long long) f->max);
        break;
    case TN_FIELD_BOOL:
        tn_text_add(out, "true or false");
        break;
    case TN_FIELD_ADDR:
        tn_text_add(out, f->flags & TN_IPV6 ? "IPv6 address" : "IP address");
        break;
    case TN_FIELD_CIDR:
        tn_text_add(out, f->flags & TN_IPV6 ? "IPv6 prefix" : "prefix");
        break;
    case TN_FIELD_MAC:
        tn_text_add(out, "MAC address");
        break;
    case TN_FIELD_WORD:
        words_print(out, f);
        break;
    case TN_FIELD_RANGE:
        tn_text_add(out, "port number, or range as \"8000-8100\"");
        break;
    case TN_FIELD_OBJECT:
        link_print(out, f->object->title);
        break;
    case TN_FIELD_LABELS:
        tn_text_addf(out, "map of text to text, at most %u entries",
                     f->max_items);
        break;
    }
}

static void
list_print(struct tn_text *out, const struct tn_field *f)
{
    if (f->flags & TN_OR_ONE) {
        tn_text_add(out, "one or a list of ");
    } else {
        tn_text_add(out, "list of ");
    }
    if (f->min_items) {
        tn_text_addf(out, "%u to %u: ", f->min_items, f->max_items);
    } else {
        tn_text_addf(out, "at most %u: ", f->max_items);
    }
}

static void
default_print(struct tn_text *out, const struct tn_field *f)
{
    const char *s = f->fallback;
    if (f->flags & TN_REQUIRED) {
        tn_text_add(out, "**required**");
    } else if (s && s[0] == '(') {
        tn_text_addn(out, s + 1, strlen(s) - 2);
    } else if (s) {
        tn_text_addf(out, "`%s`", s);
    }
}

static void
row_print(struct tn_text *out, const struct tn_field *f)
{
    tn_text_addf(out, "| `%s` | ", f->name);
    if (f->flags & TN_MANY) {
        list_print(out, f);
    }
    type_print(out, f);
    tn_text_add(out, " | ");
    default_print(out, f);
    tn_text_addf(out, " | %s |\n", f->description);
}

static void
object_print(struct tn_text *out, const struct tn_object *object,
             const char *path, bool without_tenant)
{
    tn_text_addf(out, "\n## %s\n\n`%s`", object->title, path);
    if (object->description) {
        tn_text_addf(out, ": %s", object->description);
    }
    if (object->key) {
        tn_text_addf(out, " No two entries of a list have the same `%s`.",
                     object->key);
    }
    if (object->exclusive) {
        tn_text_add(out, " Exactly one of the fields is given.");
    } else if (object->least) {
        tn_text_add(out, " At least one of the fields is given.");
    }
    tn_text_add(out, "\n\n| field | type | default | meaning |\n"
                     "|---|---|---|---|\n");
    for (uint32_t i = 0; i < object->n_fields; i++) {
        const struct tn_field *f = &object->fields[i];
        if (!without_tenant || strcmp(f->name, "tenant") != 0) {
            row_print(out, f);
        }
    }
    for (uint32_t i = 0; i < object->n_fields; i++) {
        const struct tn_field *f = &object->fields[i];
        if (f->type == TN_FIELD_OBJECT) {
            TN_CLEANUP(tn_cleanup_text) struct tn_text inner = {0};
            tn_text_addf(&inner, "%s.%s%s", path, f->name,
                         f->flags & TN_MANY ? "[]" : "");
            object_print(out, f->object, tn_text_str(&inner), false);
        }
    }
}

void
tn_kind_reference_print(enum tn_kind kind, struct tn_text *out)
{
    const struct tn_kind_table *t = tn_kind_table(kind);
    tn_text_addf(out,
                 "# %s\n\n<!-- Generated from model/kinds by the target "
                 "tn_generate_docs: do not edit. -->\n\n%s\n\nFile: `%s`\n",
                 t->name, t->description, t->where);
    tn_text_add(out, "\nA document with every field:\n\n```yaml\n");
    tn_kind_seed_print(kind, out);
    tn_text_add(out, "```\n");
    object_print(out, &tn_metadata, "metadata", !t->of_tenant);
    object_print(out, &t->spec, "spec", false);
}
