/* packed.c - see packed.h: questions to a row. */
#include "drivers/ovsdb/packed.h"

#include <stdint.h>
#include <stdlib.h>

#include "drivers/ovsdb/pack.h"
#include "drivers/ovsdb/value.h"
#include "model/base/text.h"

const char *
tn_ovsdb_row_uuid(const struct tn_ovsdb_row *row)
{
    return row->uuid;
}

/* The column's header in '*h'; null: the row has its default. */
static const char *
find(const struct tn_ovsdb_row *row, const char *column, struct tn_packed *h)
{
    const char *at = row ? row->data : "", *end = at + (row ? row->size : 0);
    while (at < end) {
        memcpy(h, at, sizeof *h);
        at += sizeof *h;
        if (strcmp(row->layout->columns[h->column].name, column) == 0) {
            return at;
        }
        at += h->size;
    }
    return NULL;
}

struct tn_ovsdb_texts
tn_ovsdb_get(const struct tn_ovsdb_row *row, const char *column)
{
    struct tn_packed h;
    const char *at = find(row, column, &h);
    return at ? (struct tn_ovsdb_texts){at, h.n}
              : (struct tn_ovsdb_texts){"", 0};
}

const char *
tn_ovsdb_get_text(const struct tn_ovsdb_row *row, const char *column)
{
    struct tn_ovsdb_texts t = tn_ovsdb_get(row, column);
    return t.n ? t.at : NULL;
}

long long
tn_ovsdb_get_number(const struct tn_ovsdb_row *row, const char *column)
{
    const char *text = tn_ovsdb_get_text(row, column);
    return text ? strtoll(text, NULL, 10) : 0;
}

const char *
tn_ovsdb_texts_key(struct tn_ovsdb_texts map, const char *key)
{
    for (size_t i = 0; i + 1 < map.n; i += 2) {
        const char *value = tn_ovsdb_text_after(map.at);
        if (strcmp(map.at, key) == 0) {
            return value;
        }
        map.at = tn_ovsdb_text_after(value);
    }
    return NULL;
}

const char *
tn_ovsdb_get_key(const struct tn_ovsdb_row *row, const char *column,
                 const char *key)
{
    return tn_ovsdb_texts_key(tn_ovsdb_get(row, column), key);
}

bool
tn_ovsdb_same(const struct tn_ovsdb_row *a, const struct tn_ovsdb_row *b,
              const char *column)
{
    struct tn_packed x, y;
    const char *of_a = find(a, column, &x), *of_b = find(b, column, &y);
    if (!of_a || !of_b) {
        return !of_a && !of_b;
    }
    return x.n == y.n && x.size == y.size && memcmp(of_a, of_b, x.size) == 0;
}

/* ---- as JSON ---- */

static json_t *
atom_json(enum tn_ovsdb_base base, const char *text)
{
    switch (base) {
    case TN_OVSDB_INTEGER:
        return json_integer(strtoll(text, NULL, 10));
    case TN_OVSDB_REAL:
        return json_real(strtod(text, NULL));
    case TN_OVSDB_BOOLEAN:
        return json_boolean(strcmp(text, "true") == 0);
    case TN_OVSDB_UUID:
        return tn_ovsdb_uuid(text);
    case TN_OVSDB_STRING:
    case TN_OVSDB_VOID:
        break;
    }
    return json_string(text);
}

static json_t *
texts_json(const struct tn_ovsdb_type *type, struct tn_ovsdb_texts t)
{
    bool map = tn_ovsdb_type_is_map(type);
    if (!map && t.n == 1) {
        return atom_json(type->key, t.at);
    }
    json_t *out = map ? tn_ovsdb_map() : tn_ovsdb_set();
    for (size_t i = 0; i < t.n; i += map ? 2 : 1) {
        json_t *key = atom_json(type->key, t.at);
        t.at = tn_ovsdb_text_after(t.at);
        if (map) {
            tn_ovsdb_map_add(out, key, atom_json(type->value, t.at));
            t.at = tn_ovsdb_text_after(t.at);
        } else {
            tn_ovsdb_set_add(out, key);
        }
    }
    return out;
}

static json_t *
default_json(const struct tn_ovsdb_type *type)
{
    struct tn_ovsdb_texts none = {"", 0};
    if (tn_ovsdb_type_is_map(type) || type->min == 0) {
        return texts_json(type, none);
    }
    return atom_json(type->key, type->key == TN_OVSDB_UUID
                                    ? "00000000-0000-0000-0000-000000000000"
                                    : "");
}

static void
set_column(json_t *object, const struct tn_ovsdb_column *c,
           const struct tn_ovsdb_row *row)
{
    struct tn_ovsdb_texts t = tn_ovsdb_get(row, c->name);
    json_object_set_new_nocheck(object, c->name,
                                t.n ? texts_json(&c->type, t)
                                    : default_json(&c->type));
}

json_t *
tn_ovsdb_row_json(const struct tn_ovsdb_row *row)
{
    json_t *out = json_object();
    for (size_t i = 0; i < row->layout->n; i++) {
        const struct tn_ovsdb_column *c = &row->layout->columns[i];
        if (tn_ovsdb_get(row, c->name).n) {
            set_column(out, c, row);
        }
    }
    return out;
}

json_t *
tn_ovsdb_row_former(const struct tn_ovsdb_row *was,
                    const struct tn_ovsdb_row *now)
{
    json_t *out = json_object();
    const struct tn_layout *layouts[] = {now->layout, was->layout};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < layouts[k]->n; i++) {
            const struct tn_ovsdb_column *c = &layouts[k]->columns[i];
            if (!tn_ovsdb_same(was, now, c->name)) {
                set_column(out, c, was);
            }
        }
    }
    return out;
}
