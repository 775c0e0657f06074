/* ops.c - see ops.h.
 *
 * Strings come from intent and names, which are UTF-8; what JSON wants escaped
 * is rare in them.  Whether a comma is due is seen from the last byte: after an
 * opening bracket or a colon there is none. */
#include "drivers/ovsdb/ops.h"

#include <string.h>

#include "drivers/ovsdb/plain.h"

static int
append(const char *bytes, size_t n, void *text)
{
    tn_text_addn(text, bytes, n);
    return 0;
}

void
tn_ovs_ops_done(struct tn_ovs_ops *ops)
{
    tn_text_done(&ops->text);
}

bool
tn_ovs_ops_add(struct tn_ovs_ops *ops, json_t *op)
{
    tn_text_addc(&ops->text, ',');
    bool whole =
        op && json_dump_callback(op, append, &ops->text, JSON_COMPACT) == 0;
    json_decref(op);
    ops->n++;
    return whole;
}

static void
quote(struct tn_text *t, const char *s)
{
    size_t n = strlen(s);
    size_t plain = (size_t) (tn_plain_end(s, s + n, true) - s);
    tn_text_reserve(t, plain + 2);
    t->s[t->n] = '"';
    memcpy(t->s + t->n + 1, s, plain);
    t->n += plain + 1;
    if (plain < n) {
        tn_text_add_escaped(t, s + plain);
    }
    tn_text_addc(t, '"');
}

static void
comma(struct tn_text *t)
{
    char last = t->s[t->n - 1];
    if (last != '[' && last != '{' && last != ':') {
        tn_text_addc(t, ',');
    }
}

void
tn_ovs_insert_begin(struct tn_ovs_ops *ops, const char *table)
{
    tn_text_add(&ops->text, ",{\"op\":\"insert\",\"table\":");
    quote(&ops->text, table);
    tn_text_add(&ops->text, ",\"row\":{");
    ops->n++;
}

void
tn_ovs_insert_column(struct tn_ovs_ops *ops, const char *column)
{
    comma(&ops->text);
    quote(&ops->text, column);
    tn_text_addc(&ops->text, ':');
}

void
tn_ovs_insert_open(struct tn_ovs_ops *ops, const char *tag)
{
    tn_text_addc(&ops->text, '[');
    quote(&ops->text, tag);
    tn_text_add(&ops->text, ",[");
}

void
tn_ovs_insert_close(struct tn_ovs_ops *ops)
{
    tn_text_add(&ops->text, "]]");
}

void
tn_ovs_insert_end(struct tn_ovs_ops *ops, const char *name)
{
    tn_text_add(&ops->text, "},\"uuid-name\":");
    quote(&ops->text, name);
    tn_text_addc(&ops->text, '}');
}

void
tn_ovs_put_string(struct tn_ovs_ops *ops, const char *s)
{
    comma(&ops->text);
    quote(&ops->text, s);
}

void
tn_ovs_put_plain(struct tn_ovs_ops *ops, const char *json)
{
    comma(&ops->text);
    tn_text_add(&ops->text, json);
}

void
tn_ovs_put_ref(struct tn_ovs_ops *ops, const struct tn_ovs_ref *ref)
{
    comma(&ops->text);
    tn_text_add(&ops->text, ref->named ? "[\"named-uuid\"," : "[\"uuid\",");
    quote(&ops->text, ref->text);
    tn_text_addc(&ops->text, ']');
}

void
tn_ovs_put_pair(struct tn_ovs_ops *ops, const char *key, const char *value)
{
    comma(&ops->text);
    tn_text_addc(&ops->text, '[');
    quote(&ops->text, key);
    tn_text_addc(&ops->text, ',');
    quote(&ops->text, value);
    tn_text_addc(&ops->text, ']');
}
