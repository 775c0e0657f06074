/* parse_test.c - documents to trees: what is read, refused, and where. */
#include <stdlib.h>
#include <time.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "model/yaml/node.h"

struct run {
    struct tn_arena *arena;
    struct tn_diags diags;
    const struct tn_node **docs;
    size_t n;
    bool ok;
    struct tn_text text; /* The trees, or the findings. */
};

static void
run_done(struct run *r)
{
    tn_arena_free(r->arena);
    tn_text_done(&r->text);
}

static void
parse(struct run *r, const char *bytes, size_t n, enum tn_yaml_profile profile,
      const struct tn_yaml_limits *limits)
{
    *r = (struct run){.arena = tn_arena_new()};
    tn_diags_init(&r->diags, r->arena);
    r->ok = tn_yaml_parse(r->arena, "f.yml", bytes, n, profile, limits,
                          &r->docs, &r->n, &r->diags);
    cr_assert_eq(r->ok, r->diags.n_errors == 0);
}

static void
print_node(struct tn_text *out, const struct tn_node *node)
{
    if (node->tag) {
        tn_text_addf(out, "%s ", node->tag);
    }
    switch (node->type) {
    case TN_NODE_SCALAR:
        cr_assert_eq(strlen(node->scalar.text), node->scalar.len);
        tn_text_addf(out, node->quoted ? "'%s'" : "%s", node->scalar.text);
        break;
    case TN_NODE_LIST:
        tn_text_add(out, "[");
        for (size_t i = 0; i < node->list.n; i++) {
            tn_text_add(out, i ? ", " : "");
            print_node(out, node->list.items[i]);
        }
        tn_text_add(out, "]");
        break;
    case TN_NODE_MAP:
        tn_text_add(out, "{");
        for (size_t i = 0; i < node->map.n; i++) {
            const struct tn_pair *p = &node->map.pairs[i];
            tn_text_addf(out, p->quoted ? "%s'%s': " : "%s%s: ", i ? ", " : "",
                         p->key);
            print_node(out, p->value);
        }
        tn_text_add(out, "}");
        break;
    }
}

static const char *
print_docs(struct run *r)
{
    tn_text_clear(&r->text);
    for (size_t i = 0; i < r->n; i++) {
        tn_text_add(&r->text, i ? " | " : "");
        print_node(&r->text, r->docs[i]);
    }
    return tn_text_str(&r->text);
}

static const char *
print_diags(struct run *r)
{
    tn_text_clear(&r->text);
    for (size_t i = 0; i < r->diags.list.n; i++) {
        const struct tn_diag *d = &r->diags.list.items[i];
        tn_text_addf(&r->text, "%s%u:%u: %s%s", i ? "; " : "", d->at.line,
                     d->at.column,
                     d->severity == TN_WARNING ? "(warning) " : "", d->message);
    }
    return tn_text_str(&r->text);
}

static const struct row {
    const char *yaml, *expect;
} trees[] = {
    {"", ""},
    {"# nothing\n", ""},
    {"---\n...\n---\n", ""},
    {"~\n", "~"},
    {"a: 1\nb: [x, 'y', \"z\"]\nc: {d: }\n",
     "{a: 1, b: [x, 'y', 'z'], c: {d: }}"},
    {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a: 'x\ny\n', b: 'x y'}"},
    {"- a\n- - b\n  - c\n- d: e\n  f: g\n", "[a, [b, c], {d: e, f: g}]"},
    {"a: no\nb: 0x10\nc: 012\n", "{a: no, b: 0x10, c: 012}"},
    {"---\na: 1\n---\n# empty\n---\nb: 2\n...\n", "{a: 1} | {b: 2}"},
    {"a:\n- b\n-\n  c: d\n", "{a: [b, {c: d}]}"},
    {"? a\n: b\n'c': d\n", "{a: b, 'c': d}"},
    {"a: \"\\u00e9\\t\"\n", "{a: '\xc3\xa9\t'}"},
    {"{}", "{}"},
    {"[]", "[]"},
    {"a: !x\n", NULL},
    {"'<<': a\n", "{'<<': a}"},
    {"a: '&x *y !z'\n", "{a: '&x *y !z'}"},
};

Test(yaml, reads_trees)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(trees); i++) {
        TN_CLEANUP(run_done) struct run r;
        parse(&r, trees[i].yaml, strlen(trees[i].yaml), TN_YAML_STRICT,
              &tn_yaml_limits_default);
        cr_assert_eq(r.ok, trees[i].expect != NULL, "%s: %s", trees[i].yaml,
                     print_diags(&r));
        if (trees[i].expect) {
            cr_assert_str_eq(print_docs(&r), trees[i].expect);
        }
    }
}

Test(yaml, knows_positions)
{
    static const char yaml[] = "a: 1\nlist:\n  - x\n  - {k: v}\n\xc3\xa9: z\n";
    TN_CLEANUP(run_done) struct run r;
    parse(&r, yaml, sizeof yaml - 1, TN_YAML_STRICT, &tn_yaml_limits_default);
    cr_assert(r.ok);
    const struct tn_node *map = r.docs[0];
    cr_assert(map->at.line == 1 && map->at.column == 1);
    const struct tn_pair *p = map->map.pairs;
    cr_assert(p[0].value->at.line == 1 && p[0].value->at.column == 4);
    cr_assert(p[1].at.line == 2 && p[1].at.column == 1);
    cr_assert(p[1].value->at.line == 3 && p[1].value->at.column == 3);
    const struct tn_node *flow = p[1].value->list.items[1];
    cr_assert(flow->at.line == 4 && flow->at.column == 5);
    cr_assert_eq(flow->map.pairs[0].value->at.column, 9);
    cr_assert_eq(p[2].value->at.column, 4, "columns count characters");
}

static const struct row strict_refuses[] = {
    {"a: &x 1\n", "1:4: anchors are not allowed here"},
    {"a: *x\n", "1:4: aliases are not allowed here"},
    {"a: &x 1\nb: *x\nc: !t 3\n",
     "1:4: anchors are not allowed here; 2:4: aliases are not allowed here; "
     "3:4: tags are not allowed here"},
    {"a: !!str 1\n", "1:4: tags are not allowed here"},
    {"a: ! 1\n", "1:4: tags are not allowed here"},
    {"a: !!python/object:x {}\n", "1:4: tags are not allowed here"},
    {"- &x [a]\n", "1:3: anchors are not allowed here"},
    {"&x a: b\n", "1:1: anchors are not allowed here"},
    {"<<: {a: 1}\n", "1:1: merge keys ('<<') are not allowed here"},
    {"a: 1\nb: 2\na: 3\n", "3:1: duplicate key 'a', first given on line 1"},
    {"a: 1\n'a': 3\n", "2:1: duplicate key 'a', first given on line 1"},
    {"a: 1\na: 2\na: 3\n", "2:1: duplicate key 'a', first given on line 1; "
                           "3:1: duplicate key 'a', first given on line 1"},
    {"x: {b: 1, b: 2}\n", "1:11: duplicate key 'b', first given on line 1"},
    {"[a]: b\n", "1:1: a key must be text"},
    {"{a: b}: c\n", "1:1: a key must be text"},
    {"? - a\n: b\n", "1:3: a key must be text"},
    {"?\n: b\n", "1:2: an empty key"},
    {"'': b\n", "1:1: an empty key"},
    {"a: \"x\\0y\"\n", "1:4: the text contains a NUL character"},
    {"%YAML 1.1\n---\na: 1\n",
     "1:1: directives (%YAML, %TAG) are not allowed here"},
    {"%TAG ! tag:x:\n---\na: 1\n",
     "1:1: directives (%YAML, %TAG) are not allowed here"},
    {"a: 1\n  b: 2\n",
     "2:4: not valid YAML: mapping values are not allowed in this context"},
    {"a: [1, 2\nb: 3\n", "2:2: not valid YAML: did not find expected ',' or "
                         "']' while parsing a flow sequence that begins on "
                         "line 1"},
    {"a:\n\t- b\n", "2:1: not valid YAML: a tab cannot indent"},
    {"a: 'x\n", "2:1: not valid YAML: found unexpected end of stream while "
                "scanning a quoted scalar that begins on line 1"},
    {"a: @x\n", "1:4: not valid YAML: found character that cannot start any "
                "token while scanning for the next token"},
    {"a: 1\n]\n", "2:1: not valid YAML: did not find expected key while "
                  "parsing a block mapping that begins on line 1"},
};

Test(yaml, refuses_in_tenant_documents)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(strict_refuses); i++) {
        const struct row *row = &strict_refuses[i];
        TN_CLEANUP(run_done) struct run r;
        parse(&r, row->yaml, strlen(row->yaml), TN_YAML_STRICT,
              &tn_yaml_limits_default);
        cr_assert(!r.ok, "%s", row->yaml);
        cr_assert_str_eq(print_diags(&r), row->expect);
    }
}

Test(yaml, keeps_the_whole_documents)
{
    static const char yaml[] = "a: 1\n---\nb: 1\nb: 2\n---\nc: 3\n---\n]\n";
    TN_CLEANUP(run_done) struct run r;
    parse(&r, yaml, sizeof yaml - 1, TN_YAML_STRICT, &tn_yaml_limits_default);
    cr_assert(!r.ok);
    cr_assert_eq(r.diags.n_errors, 2);
    cr_assert_str_eq(print_docs(&r), "{a: 1} | {c: 3}");
}

static const struct row inventories[] = {
    {"a: &x {b: 1}\nc: *x\n", "{a: {b: 1}, c: {b: 1}}"},
    {"a: &x 1\nb: [*x, *x]\n", "{a: 1, b: [1, 1]}"},
    {"&k a: 1\nb: *k\n", "{a: 1, b: a}"},
    {"b: &k x\n*k : 1\n", "{b: x, x: 1}"},
    {"a: !vault |\n  $ANSIBLE_VAULT;1.1\n  61\nb: !unsafe '{{ x }}'\n",
     "{a: !vault '$ANSIBLE_VAULT;1.1\n61\n', b: !unsafe '{{ x }}'}"},
    {"a: !!str 1\nb: ! 2\nc: !!map {}\nd: !!seq []\n",
     "{a: '1', b: '2', c: {}, d: []}"},
    {"%YAML 1.1\n---\na: 1\n", "{a: 1}"},
    /* What CSafeLoader says of the same text. */
    {"<<: {a: 1}\na: 2\n<<: {a: 3, c: 4}\n", "{a: 2, c: 4}"},
    {"<<: [{a: 1}, {a: 2, b: 3}]\n", "{a: 1, b: 3}"},
    {"x: &x {a: 1, b: 2}\ny: &y\n  <<: *x\n  b: 3\nz: {<<: [*y, *x], c: 4}\n",
     "{x: {a: 1, b: 2}, y: {a: 1, b: 3}, z: {a: 1, b: 3, c: 4}}"},
    {"'<<': {a: 1}\n", "{'<<': {a: 1}}"},
    {"!!str <<: {a: 1}\n", "{'<<': {a: 1}}"},
    {"<<: {}\n", "{}"},
    {"a: 1\na: 2\n", "{a: 2}"},
    {"1: a\n'1': b\n", "{1: a, '1': b}"},
    {"a: 1\n'a': 2\n", "{a: 2}"},
};

Test(yaml, reads_inventories)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(inventories); i++) {
        const struct row *row = &inventories[i];
        TN_CLEANUP(run_done) struct run r;
        parse(&r, row->yaml, strlen(row->yaml), TN_YAML_INVENTORY,
              &tn_yaml_limits_default);
        cr_assert(r.ok, "%s: %s", row->yaml, print_diags(&r));
        cr_assert_str_eq(print_docs(&r), row->expect);
    }
}

static const struct row inventory_findings[] = {
    {"a: 1\na: 2\n", "2:1: (warning) duplicate key 'a', first given on line 1: "
                     "the last one is used"},
    {"a: &x [*x]\n", "1:8: alias 'x' stands inside of what it names"},
    {"a: &x {<<: *x}\n", "1:12: alias 'x' stands inside of what it names; "
                         "1:8: '<<' merges a map or a list of maps"},
    {"a: *x\n", "1:4: this begins with '*' and names no anchor: quote it"},
    {"a: &x 1\n---\nb: *x\n",
     "3:4: this begins with '*' and names no anchor: quote it"},
    {"a: &x 1\nb: &x 2\n", "2:4: duplicate anchor 'x', first given on line 1"},
    {"a: !!python/object:os.system {}\n",
     "1:4: this begins with '!' and is no known tag: quote it"},
    {"<<: 3\n", "1:1: '<<' merges a map or a list of maps"},
    {"<<: [{a: 1}, 3]\n", "1:1: '<<' merges a map or a list of maps"},
};

Test(yaml, judges_inventories)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(inventory_findings); i++) {
        const struct row *row = &inventory_findings[i];
        TN_CLEANUP(run_done) struct run r;
        parse(&r, row->yaml, strlen(row->yaml), TN_YAML_INVENTORY,
              &tn_yaml_limits_default);
        cr_assert_str_eq(print_diags(&r), row->expect);
    }
}

/* The 414-byte bomb of the reliability study: a walk of it never ends. */
Test(yaml, refuses_an_alias_bomb)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_add(&t, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++) {
        tn_text_addf(&t, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++) {
            tn_text_addf(&t, "*a%d%s", i - 1, k < 8 ? "," : "]\n");
        }
    }
    TN_CLEANUP(run_done) struct run r;
    parse(&r, t.s, t.n, TN_YAML_INVENTORY, &tn_yaml_limits_default);
    cr_assert(!r.ok);
    cr_assert_not_null(strstr(print_diags(&r), "more than 100000 values"));
}

/* Aliases must not build what could not be written. */
Test(yaml, bounds_depth_through_aliases)
{
    struct tn_yaml_limits limits = tn_yaml_limits_default;
    limits.depth = 4;
    static const char at_limit[] = "- &a [[x]]\n- [*a]\n";
    static const char past[] = "- &a [[x]]\n- [[*a]]\n";
    TN_CLEANUP(run_done) struct run r, s;
    parse(&r, at_limit, sizeof at_limit - 1, TN_YAML_INVENTORY, &limits);
    cr_assert(r.ok, "%s", print_diags(&r));
    parse(&s, past, sizeof past - 1, TN_YAML_INVENTORY, &limits);
    cr_assert_str_eq(print_diags(&s), "2:5: nested deeper than 4 levels");
}

/* Each limit: as much is fine, one more is not. */
static const struct bound {
    const char *before, *repeat, *after;
    size_t at_limit;
    const char *message;
} bounds[] = {
    {"", "[", "", 0, NULL},
    {"a: '", "x", "'\n", 64,
     "1:4: the text has 65 bytes, more than the 64 "
     "allowed"},
    {"", "k", ": v\n", 16,
     "1:1: the key has 17 bytes, more than the 16 "
     "allowed"},
    {"", "- v\n", "", 49, "50:3: more than 50 values in one file"},
    {"", "--- v\n", "", 7, "8:1: more than 7 documents in one file"},
    {"a: [", "[", "", 0, NULL},
};

Test(yaml, limits_hold_exactly)
{
    struct tn_yaml_limits limits = {.bytes = 1000,
                                    .depth = 5,
                                    .nodes = 50,
                                    .key = 16,
                                    .scalar = 64,
                                    .docs = 7};
    for (size_t i = 0; i < TN_ARRAY_SIZE(bounds); i++) {
        const struct bound *b = &bounds[i];
        for (size_t more = 0; more < 2 && b->message; more++) {
            TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
            tn_text_add(&t, b->before);
            for (size_t k = 0; k < b->at_limit + more; k++) {
                tn_text_add(&t, b->repeat);
            }
            tn_text_add(&t, b->after);
            TN_CLEANUP(run_done) struct run r;
            parse(&r, t.s, t.n, TN_YAML_STRICT, &limits);
            cr_assert_str_eq(print_diags(&r), more ? b->message : "");
        }
    }
}

Test(yaml, depth_holds_exactly)
{
    static const char *const nests[][3] = {
        {"[", "x", "]"}, {"{a: ", "x", "}"}, {"- ", "x", ""}, {"? ", "x", ""}};
    for (size_t i = 0; i < TN_ARRAY_SIZE(nests); i++) {
        for (size_t levels = 32; levels <= 33; levels++) {
            TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
            for (size_t k = 0; k < levels; k++) {
                tn_text_add(&t, nests[i][0]);
            }
            tn_text_add(&t, nests[i][1]);
            for (size_t k = 0; k < levels; k++) {
                tn_text_add(&t, nests[i][2]);
            }
            TN_CLEANUP(run_done) struct run r;
            parse(&r, t.s, t.n, TN_YAML_STRICT, &tn_yaml_limits_default);
            bool deep = strstr(print_diags(&r), "nested deeper") != NULL;
            cr_assert_eq(deep, levels == 33, "%s", print_diags(&r));
        }
    }
    /* A sequence at its map's own column is a level that only events show. */
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (int k = 0; k < 17; k++) {
        tn_text_addf(&t, "%*sa:\n%*s- \n", k, "", k, "");
    }
    TN_CLEANUP(run_done) struct run r;
    parse(&r, t.s, t.n, TN_YAML_STRICT, &tn_yaml_limits_default);
    cr_assert(!r.ok);
}

Test(yaml, many_keys)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (int i = 0; i < 1000; i++) {
        tn_text_addf(&t, "k%d: v\n", (i * 7919) % 1000);
    }
    TN_CLEANUP(run_done) struct run r, s;
    parse(&r, t.s, t.n, TN_YAML_STRICT, &tn_yaml_limits_default);
    cr_assert(r.ok);
    cr_assert_eq(r.docs[0]->map.n, 1000);
    cr_assert_str_eq(r.docs[0]->map.pairs[1].key, "k919");
    tn_text_add(&t, "k7: again\n'k7': more\n");
    parse(&s, t.s, t.n, TN_YAML_STRICT, &tn_yaml_limits_default);
    cr_assert_str_eq(print_diags(&s),
                     "1001:1: duplicate key 'k7', first given on line 754; "
                     "1002:1: duplicate key 'k7', first given on line 754");
}

Test(yaml, stops_after_many_findings)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (int i = 0; i < 10000; i++) {
        tn_text_add(&t, "- *x\n");
    }
    TN_CLEANUP(run_done) struct run r;
    parse(&r, t.s, t.n, TN_YAML_STRICT, &tn_yaml_limits_default);
    cr_assert_eq(r.diags.list.n, 51);
    cr_assert_str_eq(r.diags.list.items[50].message,
                     "too many errors, the rest of the file is not read");
}

/* Files that make a naive loader slow: none may take seconds. */
static const char *const hostile[] = {
    "[",       "{a: ",    "- ",           "? ",           "a: [",   "&a ",
    "!t ",     "*a ",     "%TAG !a! b\n", "- &a\n",       "k: v\n", "---\n",
    "--- a\n", "'a' ",    "[a, ",         "a,",           "\"",     "{",
    "- |\n",   "- !<x> ", ": ",           "x: &x [*x]\n", "[]: ",   "[?",
    "<<: ",    "[[a],",
};

Test(yaml, hostile_files_are_quick)
{
    size_t n = tn_yaml_limits_default.bytes;
    TN_CLEANUP(tn_cleanup_free) char *bytes = malloc(n);
    for (size_t i = 0; i < 2 * TN_ARRAY_SIZE(hostile); i++) {
        const char *unit = hostile[i / 2];
        size_t len = strlen(unit);
        for (size_t k = 0; k < n; k++) {
            bytes[k] = unit[k % len];
        }
        struct timespec a, b;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        TN_CLEANUP(run_done) struct run r;
        parse(&r, bytes, n, i % 2 ? TN_YAML_STRICT : TN_YAML_INVENTORY,
              &tn_yaml_limits_default);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        double s = (double) (b.tv_sec - a.tv_sec) +
                   (double) (b.tv_nsec - a.tv_nsec) / 1e9;
        cr_assert_lt(s, 3.0, "%s: %f s", unit, s);
        cr_assert_lt(tn_arena_size(r.arena), (size_t) 64 << 20);
    }
}
