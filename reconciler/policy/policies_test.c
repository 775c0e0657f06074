/* policies_test.c - policies that try to pass by being unreadable: each is a
 * finding that denies and says where. */
#include "reconciler/policy/policies.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/memory_source.h"

#define P(name)                                                                \
    "apiVersion: tenet/v1\nkind: Policy\nmetadata: {name: " name "}\n"
#define EXAMPLE "  examples: [{name: a, given: \"x\", expect: [b]}]\n"

struct row {
    const char *text;
    const char *says; /* Null: it is fine. */
    unsigned line;
    size_t n; /* Policies read. */
};

static const struct row rows[] = {
    {P("a") "spec: {rule: {use: protected}}\n", NULL, 0, 1},
    {P("a") "spec: {rule: {use: vpc-size}, with: {portsPerVpc: 10}}\n", NULL, 0,
     1},
    {P("a") "spec:\n  rule: {jq: '\"no\"'}\n" EXAMPLE, NULL, 0, 1},
    {P("a") "spec: {rule: {builtin: freeze}}\n", NULL, 0, 1},
    {"", "the file holds no document", 1, 0},
    {"# nothing\n", "the file holds no document", 1, 0},
    {"a: [b\n", NULL /* libyaml's words */, 0, 0},
    {"- a\n", "expected a document", 1, 0},
    {"apiVersion: tenet/v1\nkind: Vpc\nmetadata: {name: a}\nspec: {cidrs: "
     "[10.0.0.0/8]}\n",
     "kind Vpc has no place in policies/", 1, 0},
    {P("a") "spec: {rule: {builtin: open-port}, with: {ports: 22}}\n",
     "open-port", 4, 0},
    {P("a") "spec: {rule: {}}\n", "", 4, 0},
    {P("a") "spec: {}\n", "missing", 4, 0},
    {P("a") "spec: {rule: {use: protected, builtin: freeze}}\n", "", 4, 0},
    {P("a") "spec: {rule: {use: nothing}}\n", "tenet ships no policy 'nothing'",
     4, 0},
    {P("a") "spec: {rule: {use: protected}, with: {ports: 22}}\n",
     "'ports' is no parameter of this rule", 4, 0},
    {P("a") "spec: {rule: {use: no-open-groups}, with: {ports: 22}}\n",
     "a jq program has no parameters", 4, 0},
    {P("a") "spec: {rule: {builtin: open-ports}}\n",
     "open-ports without parameters would object to nothing", 4, 0},
    {P("a") "spec: {rule: {builtin: open-ports}, with: {widest: 8}}\n",
     "open-ports needs 'with: {ports: ...}'", 4, 0},
    {P("a") "spec: {rule: {builtin: quotas}, with: {prefixes: [10.0.0.0/8]}}\n",
     "'prefixes' is no parameter of this rule", 4, 0},
    {P("a") "spec: {rule: {builtin: naming}, with: {pattern: \"(\"}}\n",
     "it is no regular expression", 4, 0},
    {P("a") "spec: {rule: {builtin: required-labels}, with: {keys: a, kinds: "
            "subnet}}\n",
     "subnets have no labels", 4, 0},
    {P("a") "spec: {severity: none, rule: {use: protected}}\n", "none", 4, 0},
    {P("a") "spec: {rule: {jq: '\"no\"'}}\n",
     "no example that the program objects to", 4, 0},
    {P("a") "spec: {rule: {jq: empty}, examples: [{name: a, given: x}]}\n",
     "no example that the program objects to", 4, 0},
    {P("a") "spec: {rule: {builtin: freeze}, over: plan}\n",
     "'over' is for jq programs only", 4, 0},
    /* Waivers. */
    {P("a") "spec:\n  rule: {use: protected}\n  waivers:\n    - {for: acme, "
            "reason: r, owner: o, expires: 2027-01-01T00:00:00Z}\n",
     NULL, 0, 1},
    {P("a") "spec:\n  rule: {use: protected}\n  waivers:\n    - {for: acme, "
            "reason: r, owner: o}\n",
     "expires", 7, 0},
    {P("a") "spec:\n  rule: {use: protected}\n  waivers:\n    - {for: acme, "
            "owner: o, expires: 2027-01-01T00:00:00Z}\n",
     "reason", 7, 0},
    {P("a") "spec:\n  rule: {use: protected}\n  waivers:\n    - {for: acme, "
            "reason: r, expires: 2027-01-01T00:00:00Z}\n",
     "owner", 7, 0},
    {P("a") "spec:\n  rule: {use: protected}\n  waivers:\n    - {for: acme, "
            "reason: \" \", owner: o, expires: 2027-01-01T00:00:00Z}\n",
     "a waiver needs a reason and an owner", 7, 0},
    {P("a") "spec:\n  rule: {use: protected}\n  waivers:\n    - {for: acme, "
            "reason: r, owner: \"\\u00a0\\u200b-\\u3000\\ufeff\", "
            "expires: 2027-01-01T00:00:00Z}\n",
     "a waiver needs a reason and an owner", 7, 0},
    {P("a") "spec:\n  rule: {use: protected}\n  waivers:\n    - {for: acme, "
            "reason: \"\\u6539\", owner: \"\\u00e9\", "
            "expires: 2027-01-01T00:00:00Z}\n",
     NULL, 0, 1},
    {P("a") "spec:\n  rule: {use: protected}\n  waivers:\n    - {for: acme, "
            "reason: r, owner: o, expires: never}\n",
     "", 7, 0},
    {P("a") "spec:\n  rule: {use: protected}\n  waivers:\n    - {for: \"*\", "
            "reason: r, owner: o, expires: 2027-01-01T00:00:00Z}\n",
     "", 7, 0},
    /* One that is broken does not take the others with it. */
    {P("a") "spec: {rule: {use: protected}}\n---\n" P("b") "spec: {}\n",
     "missing", 9, 1},
    {P("a") "spec: {rule: {use: protected}}\n---\n" P(
         "a") "spec: {rule: {use: protected}}\n",
     "there are two policies 'a'", 6, 1},
};

Test(policies, rows)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        struct tn_arena *arena = tn_arena_new();
        struct tn_findings findings = {.arena = arena};
        struct tn_policies p;
        tn_policies_parse(arena, "policies/a.yml", r->text, strlen(r->text), &p,
                          &findings);
        cr_expect_eq(p.n, r->n, "%s: %zu policies", r->text, p.n);
        bool broken = r->says || r->n == 0;
        cr_expect_eq(p.n_broken > 0, broken, "%s", r->text);
        cr_expect_eq(findings.list.n > 0, broken, "%s", r->text);
        if (findings.list.n && r->says) {
            const struct tn_finding *f = &findings.list.items[0];
            cr_expect_eq(f->severity, TN_SEVERITY_DENY);
            cr_expect_str_eq(f->rule, TN_RULE_BROKEN);
            cr_expect(strstr(f->message, r->says), "%s: %s", r->text,
                      f->message);
            cr_expect_eq(f->at.line, r->line, "%s: line %u: %s", r->text,
                         f->at.line, f->message);
        }
        tn_arena_free(arena);
    }
}

static size_t
load(struct tn_source *source, const char *says)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_findings findings = {.arena = arena};
    struct tn_policies p = {0};
    struct tn_error err = {0};
    cr_assert_eq(tn_policies_load(source, arena, &p, &findings, &err), TN_OK);
    size_t n = p.n;
    cr_expect_eq(findings.list.n > 0, says != NULL, "%s", says);
    if (findings.list.n && says) {
        cr_expect(strstr(findings.list.items[0].message, says), "%s",
                  findings.list.items[0].message);
    }
    tn_arena_free(arena);
    return n;
}

/* The folder itself. */
Test(policies, folder)
{
    static const char good[] = P("a") "spec: {rule: {use: protected}}\n";
    struct tn_source *s = tn_memory_source_new();
    tn_memory_source_add(s, "tenet.yml", "x");
    cr_expect_eq(load(s, NULL), 0);
    tn_memory_source_add(s, "policies/README.md", "x");
    tn_memory_source_add(s, "policies/.gitkeep", "");
    cr_expect_eq(load(s, NULL), 0);
    tn_memory_source_add(s, "policies/a.yml", good);
    cr_expect_eq(load(s, NULL), 1);
    tn_memory_source_add(s, "policies/b.yml.bak", good);
    cr_expect_eq(load(s, "not read"), 1);
    tn_memory_source_remove(s, "policies/b.yml.bak");
    tn_memory_source_add(s, "policies/deep/b.yml", good);
    cr_expect_eq(load(s, "not read from folders below"), 1);
    tn_memory_source_remove(s, "policies/deep");
    tn_memory_source_add_other(s, "policies/link.yml");
    cr_expect_eq(load(s, "neither a plain file"), 1);
    tn_memory_source_remove(s, "policies");
    tn_memory_source_add_other(s, "policies");
    cr_expect_eq(load(s, "it is no directory"), 0);
    tn_memory_source_remove(s, "policies");
    tn_memory_source_add(s, "policies", good);
    cr_expect_eq(load(s, "it is no directory"), 0);
    s->ops->free(s);
}

Test(policies, a_folder_that_cannot_be_read_is_no_empty_one)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_findings findings = {.arena = arena};
    struct tn_policies p = {0};
    struct tn_error err = {0};
    struct tn_source *s = tn_memory_source_new();
    tn_memory_source_add(s, "policies/a.yml", "x");
    tn_memory_source_fail(s, "policies");
    cr_expect_eq(tn_policies_load(s, arena, &p, &findings, &err),
                 TN_EUNAVAILABLE);
    tn_memory_source_fail(s, "policies/a.yml");
    cr_expect_eq(tn_policies_load(s, arena, &p, &findings, &err),
                 TN_EUNAVAILABLE);
    s->ops->free(s);
    tn_arena_free(arena);
}
