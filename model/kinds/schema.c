/* schema.c - the tables as JSON Schema (draft 2020-12), for editors and CI.
 *
 * Says all that one field can say by itself: names, types, bounds, patterns,
 * defaults, examples.  Relations between fields (a gateway inside its subnet)
 * are the decoder's alone; the schema never refuses what the decoder
 * accepts. */
#include "model/kinds/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define IPV4 OCTET "(\\." OCTET "){3}"
/* Loose: the characters; tools that know formats check the rest. */
#define IPV6 "(?=.*:.*:)[0-9A-Fa-f:.]+"
#define LEN4 "(3[0-2]|[12]?[0-9])"
#define LEN6 "(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
#define PORT                                                                   \
    "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|"   \
    "[1-9][0-9]{0,3})"

static json_t *object_schema(const struct tn_object *object);

/* Steals 'value'. */
static void
set(json_t *object, const char *key, json_t *value)
{
    if (!value || json_object_set_new(object, key, value) != 0) {
        fprintf(stderr, "tenet: out of memory (JSON)\n");
        abort();
    }
}

static json_t *
text_schema(const char *pattern, uint32_t max)
{
    json_t *s = json_object();
    set(s, "type", json_string("string"));
    if (pattern) {
        set(s, "pattern", json_string(pattern));
    }
    if (max) {
        set(s, "maxLength", json_integer(max));
    }
    return s;
}

static json_t *
uint_schema(uint64_t min, uint64_t max)
{
    json_t *s = json_object();
    set(s, "type", json_string("integer"));
    set(s, "minimum", json_integer((json_int_t) min));
    set(s, "maximum", json_integer((json_int_t) max));
    return s;
}

static json_t *
formatted(const char *pattern, const char *format)
{
    json_t *s = text_schema(pattern, 0);
    if (format) {
        set(s, "format", json_string(format));
    }
    return s;
}

/* Steals both. */
static json_t *
either(json_t *a, json_t *b)
{
    json_t *s = json_object(), *list = json_array();
    json_array_append_new(list, a);
    json_array_append_new(list, b);
    set(s, "anyOf", list);
    return s;
}

static json_t *
addr_schema(bool ipv6)
{
    json_t *six = formatted("^" IPV6 "$", "ipv6");
    return ipv6 ? six : either(formatted("^" IPV4 "$", "ipv4"), six);
}

static json_t *
cidr_schema(bool ipv6)
{
    json_t *six = formatted("^" IPV6 "/" LEN6 "$", NULL);
    return ipv6 ? six : either(formatted("^" IPV4 "/" LEN4 "$", NULL), six);
}

static json_t *
words_schema(const struct tn_field *f)
{
    json_t *s = json_object(), *words = json_array();
    for (uint32_t i = 0; i < f->n_words; i++) {
        json_array_append_new(words, json_string(f->words[i]));
    }
    set(s, "enum", words);
    return s;
}

static json_t *
labels_schema(const struct tn_field *f)
{
    json_t *s = json_object();
    set(s, "type", json_string("object"));
    set(s, "maxProperties", json_integer(f->max_items));
    set(s, "propertyNames",
        text_schema(tn_form_label_key.pattern, tn_form_label_key.max));
    set(s, "additionalProperties",
        text_schema(tn_form_label_value.pattern, tn_form_label_value.max));
    return s;
}

static json_t *
item_schema(const struct tn_field *f)
{
    switch (f->type) {
    case TN_FIELD_TEXT:
        return text_schema(f->form->pattern, f->form->max);
    case TN_FIELD_UINT:
        return uint_schema(f->min, f->max);
    case TN_FIELD_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case TN_FIELD_ADDR:
        return addr_schema(f->flags & TN_IPV6);
    case TN_FIELD_CIDR:
        return cidr_schema(f->flags & TN_IPV6);
    case TN_FIELD_MAC:
        return text_schema("^(?!00:00:00:00:00:00$)[0-9A-Fa-f][02468ACEace]"
                           "(:[0-9A-Fa-f]{2}){5}$",
                           0);
    case TN_FIELD_WORD:
        return words_schema(f);
    case TN_FIELD_RANGE:
        return either(uint_schema(1, 65535),
                      text_schema("^" PORT "-" PORT "$", 0));
    case TN_FIELD_OBJECT:
        return object_schema(f->object);
    case TN_FIELD_LABELS:
        return labels_schema(f);
    }
    return NULL;
}

static json_t *
list_schema(const struct tn_field *f)
{
    json_t *s = json_object();
    set(s, "type", json_string("array"));
    set(s, "items", item_schema(f));
    if (f->min_items) {
        set(s, "minItems", json_integer(f->min_items));
    }
    set(s, "maxItems", json_integer(f->max_items));
    if (f->flags & TN_DISTINCT) {
        set(s, "uniqueItems", json_true());
    }
    return f->flags & TN_OR_ONE ? either(item_schema(f), s) : s;
}

/* A scalar of the tables: examples and defaults are YAML. */
static json_t *
scalar_json(const struct tn_field *f, const struct tn_node *node)
{
    uint64_t v = 0;
    bool yes = false;
    if (f->type == TN_FIELD_BOOL && tn_node_bool(node, &yes)) {
        return json_boolean(yes);
    }
    bool number = f->type == TN_FIELD_UINT || f->type == TN_FIELD_RANGE;
    return number && tn_node_uint(node, &v) ? json_integer((json_int_t) v)
                                            : json_string(node->scalar.text);
}

static json_t *
node_json(const struct tn_field *f, const struct tn_node *node)
{
    if (node->type == TN_NODE_SCALAR) {
        return scalar_json(f, node);
    }
    if (node->type == TN_NODE_LIST) {
        json_t *list = json_array();
        for (size_t i = 0; i < node->list.n; i++) {
            json_array_append_new(list, node_json(f, node->list.items[i]));
        }
        return list;
    }
    json_t *map = json_object();
    for (size_t i = 0; i < node->map.n; i++) {
        const struct tn_pair *pair = &node->map.pairs[i];
        set(map, pair->key, node_json(f, pair->value));
    }
    return map;
}

static json_t *
yaml_json(const struct tn_field *f, const char *yaml)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_diags diags;
    const struct tn_node **docs = NULL;
    size_t n = 0;
    tn_diags_init(&diags, arena);
    if (!tn_yaml_parse(arena, f->name, yaml, strlen(yaml), TN_YAML_STRICT,
                       &tn_yaml_limits_default, &docs, &n, &diags) ||
        n != 1) {
        return json_string(yaml);
    }
    return node_json(f, docs[0]);
}

static json_t *
field_schema(const struct tn_field *f)
{
    json_t *s = f->flags & TN_MANY ? list_schema(f) : item_schema(f);
    bool sentence = f->fallback && f->fallback[0] == '(';
    if (sentence) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
        tn_text_addf(&text, "%s Default: %.*s.", f->description,
                     (int) strlen(f->fallback) - 2, f->fallback + 1);
        set(s, "description", json_string(tn_text_str(&text)));
    } else {
        set(s, "description", json_string(f->description));
    }
    if (f->fallback && !sentence) {
        set(s, "default", yaml_json(f, f->fallback));
    }
    if (f->example) {
        json_t *examples = json_array();
        json_array_append_new(examples, yaml_json(f, f->example));
        set(s, "examples", examples);
    }
    return s;
}

static json_t *
object_schema(const struct tn_object *object)
{
    json_t *s = json_object(), *required = json_array();
    json_t *properties = json_object();
    set(s, "type", json_string("object"));
    set(s, "title", json_string(object->title));
    if (object->description) {
        set(s, "description", json_string(object->description));
    }
    for (uint32_t i = 0; i < object->n_fields; i++) {
        const struct tn_field *f = &object->fields[i];
        set(properties, f->name, field_schema(f));
        if (f->flags & TN_REQUIRED) {
            json_array_append_new(required, json_string(f->name));
        }
    }
    set(s, "properties", properties);
    set(s, "required", required);
    if (object->least) {
        set(s, "minProperties", json_integer(object->least));
    }
    if (object->exclusive) {
        set(s, "maxProperties", json_integer(1));
    }
    set(s, "additionalProperties", json_false());
    return s;
}

static json_t *
constant(const char *value, const char *description)
{
    return json_pack("{s:s, s:s}", "const", value, "description", description);
}

static json_t *
document_schema(enum tn_kind kind)
{
    const struct tn_kind_table *t = tn_kind_table(kind);
    const struct tn_field *e = tn_envelope.fields;
    json_t *s = json_object(), *properties = json_object();
    json_t *required = json_pack("[s, s, s]", "apiVersion", "kind", "metadata");
    json_t *metadata = object_schema(&tn_metadata);
    json_t *spec = object_schema(&t->spec);
    if (!t->of_tenant) {
        json_object_del(json_object_get(metadata, "properties"), "tenant");
    }
    if (json_array_size(json_object_get(spec, "required")) > 0) {
        json_array_append_new(required, json_string("spec"));
    }
    set(properties, "apiVersion",
        constant(TN_API_VERSION, e[TN_ENVELOPE_API_VERSION].description));
    set(properties, "kind", constant(t->name, e[TN_ENVELOPE_KIND].description));
    set(properties, "metadata", metadata);
    set(properties, "spec", spec);
    set(s, "title", json_string(t->name));
    set(s, "description", json_string(t->description));
    set(s, "type", json_string("object"));
    set(s, "properties", properties);
    set(s, "required", required);
    set(s, "additionalProperties", json_false());
    return s;
}

static json_t *
any_schema(void)
{
    json_t *s = json_object(), *defs = json_object(), *refs = json_array();
    for (unsigned k = 0; k < TN_N_KINDS; k++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text ref = {0};
        const char *name = tn_kind_name((enum tn_kind) k);
        tn_text_addf(&ref, "#/$defs/%s", name);
        set(defs, name, document_schema((enum tn_kind) k));
        json_array_append_new(refs,
                              json_pack("{s:s}", "$ref", tn_text_str(&ref)));
    }
    set(s, "title", json_string("tenet document"));
    set(s, "description",
        json_string("Any document of a tenet intent repository."));
    set(s, "oneOf", refs);
    set(s, "$defs", defs);
    return s;
}

char *
tn_kind_schema_json(enum tn_kind kind)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text id = {0};
    bool any = kind == TN_N_KINDS;
    json_t *root = json_object();
    json_t *body = any ? any_schema() : document_schema(kind);
    tn_text_addf(&id, "urn:tenet:schema:v1:%s",
                 any ? "document" : tn_kind_slug(kind));
    set(root, "$schema",
        json_string("https://json-schema.org/draft/2020-12/schema"));
    set(root, "$id", json_string(tn_text_str(&id)));
    json_object_update(root, body);
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(body);
    json_decref(root);
    if (!text) {
        fprintf(stderr, "tenet: out of memory (JSON)\n");
        abort();
    }
    return text;
}
