/* dump.c - the cases and the seeds as JSON lines, for schema_test.py.
 *
 * One object a line: {"yaml", "kind" (slug or null), "good", "refuses" (the
 * schema should), "value"}.  'value' is the document by YAML 1.2's core
 * schema, as an editor's language server would hand it to a validator. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "model/kinds/field.h"
#include "tests/kinds/cases.h"

static json_t *
scalar_json(const struct tn_node *node)
{
    const char *text = node->scalar.text;
    const char *called = tn_node_called(node);
    if (strcmp(called, "nothing") == 0) {
        return json_null();
    }
    if (strcmp(called, "true or false") == 0) {
        return json_boolean(text[0] == 't' || text[0] == 'T');
    }
    if (strcmp(called, "a number") != 0) {
        return json_string(text);
    }
    bool octal = text[0] == '0' && text[1] == 'o';
    char *end = NULL;
    long long v = octal ? strtoll(text + 2, &end, 8)
                        : strtoll(text, &end, text[1] == 'x' ? 16 : 10);
    if (*end == '\0' && v != LLONG_MAX && v != LLONG_MIN) {
        return json_integer(v);
    }
    return json_real(strstr(text, "nf") ? 1e300 : strtod(text, NULL));
}

static json_t *
node_json(const struct tn_node *node)
{
    if (node->type == TN_NODE_SCALAR) {
        return scalar_json(node);
    }
    if (node->type == TN_NODE_LIST) {
        json_t *list = json_array();
        for (size_t i = 0; i < node->list.n; i++) {
            json_array_append_new(list, node_json(node->list.items[i]));
        }
        return list;
    }
    json_t *map = json_object();
    for (size_t i = 0; i < node->map.n; i++) {
        json_object_set_new(map, node->map.pairs[i].key,
                            node_json(node->map.pairs[i].value));
    }
    return map;
}

static const char *
slug_of(const struct tn_node *doc)
{
    const struct tn_node *kind = tn_node_get(doc, "kind");
    enum tn_kind k = TN_N_KINDS;
    return kind && kind->type == TN_NODE_SCALAR &&
                   tn_kind_parse(kind->scalar.text, &k)
               ? tn_kind_slug(k)
               : NULL;
}

static bool
dump(const char *yaml, bool good, bool refuses)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_node **docs = NULL;
    struct tn_diags diags;
    size_t n = 0;
    tn_diags_init(&diags, arena);
    if (!tn_yaml_parse(arena, "t.yml", yaml, strlen(yaml), TN_YAML_STRICT,
                       &tn_yaml_limits_default, &docs, &n, &diags)) {
        fprintf(stderr, "not YAML: %s\n", yaml);
        return false;
    }
    json_t *line = json_pack("{s:s, s:s?, s:b, s:b, s:o}", "yaml", yaml, "kind",
                             slug_of(docs[0]), "good", good, "refuses", refuses,
                             "value", node_json(docs[0]));
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
    return true;
}

static bool
dump_case(const struct tn_case *c)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text yaml = {0};
    tn_case_yaml(c, &yaml);
    return dump(tn_text_str(&yaml), !c->message,
                c->message && c->schema == SCHEMA_REFUSES);
}

int
main(void)
{
    bool ok = true;
    for (size_t i = 0; i < tn_n_bad_cases; i++) {
        ok = dump_case(&tn_bad_cases[i]) && ok;
    }
    for (size_t i = 0; i < tn_n_good_cases; i++) {
        ok = dump_case(&tn_good_cases[i]) && ok;
    }
    for (unsigned k = 0; k < TN_N_KINDS; k++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text seed = {0};
        tn_kind_seed_print((enum tn_kind) k, &seed);
        ok = dump(tn_text_str(&seed), true, false) && ok;
    }
    return ok ? 0 : 1;
}
