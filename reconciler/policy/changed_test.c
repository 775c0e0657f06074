/* changed_test.c - what counts as changed: object by object, by what documents
 * say and not by where or how they say it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile/compile.h"
#include "reconciler/policy/judge.h"
#include "tests/support/memory_source.h"

#define DOC(kind, meta)                                                        \
    "apiVersion: tenet/v1\nkind: " kind "\nmetadata: " meta "\n"
#define WEB_VPC                                                                \
    DOC("Vpc", "{name: web}")                                                  \
    "spec: {cidrs: [10.1.0.0/16], "                                            \
    "subnets: [{name: wa, cidr: 10.1.1.0/24}]}\n"
#define WEB_GROUP                                                              \
    DOC("SecurityGroup", "{name: web}")                                        \
    "spec: {rules: ["                                                          \
    "{direction: ingress, protocol: tcp, ports: [22, 443]}]}\n"
#define WEB_PORT                                                               \
    DOC("Port", "{name: web1}")                                                \
    "spec: {vpc: web, subnet: wa, "                                            \
    "host: hv1, securityGroups: [web], attach: {netns: w1}}\n"
#define DB_VPC                                                                 \
    DOC("Vpc", "{name: db}")                                                   \
    "spec: {cidrs: [10.2.0.0/16], "                                            \
    "subnets: [{name: da, cidr: 10.2.1.0/24}]}\n"
#define DB_GROUP                                                               \
    DOC("SecurityGroup", "{name: db}")                                         \
    "spec: {rules: ["                                                          \
    "{direction: ingress, protocol: tcp, ports: 22}]}\n"
#define DB_PORT                                                                \
    DOC("Port", "{name: db1}")                                                 \
    "spec: {vpc: db, subnet: da, "                                             \
    "host: hv1, securityGroups: [db], attach: {netns: d1}}\n"
#define NEXT "---\n"
#define WEB WEB_VPC NEXT WEB_GROUP NEXT WEB_PORT
#define DB DB_VPC NEXT DB_GROUP NEXT DB_PORT
#define POLICY(name, spec) DOC("Policy", "{name: " name "}") "spec:\n" spec

#define EACH_JQ(list, what)                                                    \
    "      (" list " | select(.changed) | \"" what " \\(.name)\"),\n"
#define POLICIES                                                               \
    POLICY("names", "  rule: {builtin: naming}\n"                              \
                    "  with: {pattern: \"no\", kinds: [tenant, vpc, subnet, "  \
                    "port, group]}\n")                                         \
    NEXT POLICY(                                                               \
        "open",                                                                \
        "  rule: {builtin: open-ports}\n  with: {ports: "                      \
        "22}\n") NEXT POLICY("labels",                                         \
                             "  rule: {builtin: required-labels}\n"            \
                             "  with: {keys: [owner], kinds: [vpc, port]}\n")  \
        NEXT POLICY("ranges", "  rule: {builtin: reserved-ranges}\n"           \
                              "  with: {prefixes: [10.0.0.0/8]}\n")            \
            NEXT POLICY("sizes", "  rule: {builtin: quotas}\n"                 \
                                 "  with: {portsPerVpc: 0, vpcs: 0}\n")        \
                NEXT POLICY("groups", "  rule: {builtin: "                     \
                                      "required-groups}\n")                    \
                    NEXT POLICY(                                               \
                        "reach",                                               \
                        "  rule: {builtin: reach}\n  with: {from: {vpc: db},"  \
                        " to: {vpc: db}, protocol: udp, ports: 53, reach: "    \
                        "always}\n") NEXT POLICY("front",                      \
                                                 "  scope: {labels: {tier: "   \
                                                 "front}}\n"                   \
                                                 "  rule: {builtin: "          \
                                                 "open-ports}\n  with: "       \
                                                 "{ports: 22}\n")              \
                        NEXT POLICY(                                           \
                            "jq",                                              \
                            "  rule:\n    jq: |\n" EACH_JQ(".ports[]", "port") \
                                EACH_JQ(".subnets[]", "subnet") EACH_JQ(       \
                                    ".groups[]",                               \
                                    "group") "      (.groups[] | .name as $n " \
                                             "| "                              \
                                             ".rules[] | select(.changed) | "  \
                                             "\"rule of \\($n)\"),\n"          \
                                             "      (select(.changed) | "      \
                                             "\"VPC \\(.name)\")\n"            \
                                             "  examples:\n    - name: all "   \
                                             "of it\n      given: |\n"         \
                                             "        apiVersion: tenet/v1\n " \
                                             "       kind: Vpc\n"              \
                                             "        metadata: {name: web}\n" \
                                             "        spec: {cidrs: "          \
                                             "[10.1.0.0/16]}\n"                \
                                             "      expect: [VPC web]\n")

struct file {
    const char *path, *text; /* Null: not there. */
};

static const struct file base[] = {
    {"tenet.yml", DOC("Settings", "{name: test}") "spec: {}\n"},
    {"inventories/lab/hosts.yml",
     "all:\n  vars: {tenet_driver: memory}\n  hosts:\n"
     "    hv1: {tenet_underlay_address: 192.0.2.1, tenet_memory_path: /x}\n"
     "    hv2: {tenet_underlay_address: 192.0.2.2, tenet_memory_path: /y}\n"},
    {"policies/p.yml", POLICIES},
    {"tenants/acme/tenant.yml", DOC("Tenant", "{name: acme}") "spec: {}\n"},
    {"tenants/acme/all.yml", WEB NEXT DB},
    {"tenants/blue/tenant.yml", DOC("Tenant", "{name: blue}") "spec: {}\n"},
    {"tenants/blue/all.yml", WEB_VPC},
};

enum { CHANGES = 3, FOUND = 16 };

struct row {
    const char *name;
    struct file files[CHANGES];
    const char *found[FOUND]; /* "rule subject message", sorted. */
};

#define ALL "tenants/acme/all.yml"
#define TENANT "tenants/acme/tenant.yml"

static const struct row rows[] = {
    {"nothing", {{0}}, {0}},
    {"a comment, and what a document of its own says",
     {{ALL, "# all\n" WEB NEXT "# the database\n" DB}},
     {0}},
    {"other places, another order",
     {{ALL, DB_PORT NEXT WEB NEXT DB_GROUP NEXT "\n\n" DB_VPC}},
     {0}},
    {"another style",
     {{ALL, WEB NEXT DB_VPC NEXT DB_GROUP NEXT
       "kind: Port\nmetadata:\n  \"name\": 'db1'\n"
       "spec: {attach: {netns: \"d1\"}, subnet: da, host: hv1, vpc: db,\n"
       "  securityGroups:\n    [db]}\napiVersion: \"tenet/v1\"\n"}},
     {0}},
    {"a file is renamed",
     {{ALL, NULL}, {"tenants/acme/a/b.yml", WEB NEXT DB}},
     {0}},
    {"a document moves to another file",
     {{ALL, WEB NEXT DB_VPC NEXT DB_GROUP}, {"tenants/acme/db1.yml", DB_PORT}},
     {0}},
    {"a VPC moves to another file",
     {{ALL, WEB}, {"tenants/acme/db.yml", DB}},
     {0}},
    {"moved and changed",
     {{ALL, WEB NEXT DB_VPC NEXT DB_GROUP},
      {"tenants/acme/db1.yml",
       DOC("Port", "{name: db1}") "spec: {vpc: db, subnet: da, host: hv2, "
                                  "securityGroups: [db], attach: {netns: d1}}"
                                  "\n"}},
     {"jq acme/db port db1", "labels acme/db/db1 acme/db/db1 has no label",
      "names acme/db/db1 the name 'db1'"}},
    {"a label of one port",
     {{ALL,
       WEB NEXT DB_VPC NEXT DB_GROUP NEXT DOC(
           "Port",
           "{name: db1, labels: {a: b}}") "spec: {vpc: db, subnet: da, host: "
                                          "hv1, securityGroups: [db], "
                                          "attach: {netns: d1}}\n"}},
     {"jq acme/db port db1", "labels acme/db/db1 acme/db/db1 has no label",
      "names acme/db/db1 the name 'db1'"}},
    {"a rule beside the one that was accepted",
     {{ALL,
       WEB NEXT DB_VPC NEXT DB_PORT NEXT DOC(
           "SecurityGroup",
           "{name: db}") "spec: {rules: [{direction: ingress, protocol: tcp, "
                         "ports: 443}, "
                         "{direction: ingress, protocol: tcp, ports: 22}]}\n"}},
     {"jq acme/db group db", "jq acme/db rule of db",
      "names acme/db/db the name 'db'"}},
    {"the rule itself",
     {{ALL,
       WEB NEXT DB_VPC NEXT DB_PORT NEXT DOC(
           "SecurityGroup",
           "{name: db}") "spec: {rules: [{direction: ingress, protocol: tcp, "
                         "ports: [22, 80]}]}\n"}},
     {"jq acme/db group db", "jq acme/db rule of db",
      "names acme/db/db the name 'db'", "open acme/db/db tcp port 22 is open"}},
    {"a port joins a group that was accepted",
     {{ALL, WEB NEXT DB NEXT DOC(
                "Port",
                "{name: db2, labels: {owner: me}}") "spec: {vpc: db, subnet: "
                                                    "da, host: hv1, "
                                                    "securityGroups: [db], "
                                                    "attach: {netns: d2}}\n"}},
     {"jq acme/db port db2", "jq acme/db rule of db",
      "names acme/db/db2 the name 'db2'", "open acme/db/db tcp port 22 is open",
      "reach acme/db/db2 acme/db1 (acme/db) does not reach",
      "sizes acme/db acme/db has 2 ports"}},
    {"a label of a VPC",
     {{ALL,
       WEB NEXT DOC(
           "Vpc",
           "{name: db, labels: {owner: me}}") "spec: {cidrs: [10.2.0.0/16], "
                                              "subnets: [{name: da, cidr: "
                                              "10.2.1.0/24}]}\n" NEXT DB_GROUP
                                                  NEXT DB_PORT}},
     {"jq acme/db VPC db", "names acme/db the name 'db'"}},
    {"a subnet beside another",
     {{ALL,
       WEB NEXT DOC(
           "Vpc",
           "{name: db}") "spec: {cidrs: [10.2.0.0/16], subnets: [{name: da, "
                         "cidr: "
                         "10.2.1.0/24}, {name: dz, cidr: 10.2.2.0/24}]}\n" NEXT
                             DB_GROUP NEXT DB_PORT}},
     {"jq acme/db VPC db", "jq acme/db subnet dz",
      "labels acme/db acme/db has no label", "names acme/db the name 'db'",
      "names acme/db/dz the name 'dz'",
      "ranges acme/db/dz subnet 10.2.2.0/24 overlaps"}},
    {"less than there was",
     {{ALL, WEB NEXT DB_VPC NEXT DB_GROUP}},
     {"reach  no port fits 'from'", "reach  no port fits 'to'"}},
    {"another document of the file of its tenant",
     {{TENANT,
       DOC("Tenant", "{name: acme}") "spec: {}\n" NEXT DOC(
           "Vpc", "{name: none, labels: {owner: me}}") "spec: {cidrs: "
                                                       "[10.9.0.0/16]}\n"}},
     {"jq acme/none VPC none", "names acme/none the name 'none'",
      "sizes acme acme has 3 VPCs"}},
    {"a label of the tenant that no policy asks for",
     {{TENANT, DOC("Tenant", "{name: acme, labels: {a: b}}") "spec: {}\n"}},
     {"names acme the name 'acme'"}},
    {"a label of the tenant brings its VPCs into a scope",
     {{TENANT,
       DOC("Tenant", "{name: acme, labels: {tier: front}}") "spec: {}\n"}},
     {"front acme/db/db tcp port 22 is open",
      "front acme/web/web tcp port 22 is open", "names acme the name 'acme'"}},
    {"a label of a VPC brings it into a scope",
     {{ALL,
       WEB NEXT DOC(
           "Vpc",
           "{name: db, labels: {owner: me, tier: front}}") "spec: {cidrs: "
                                                           "[10.2.0.0/16], "
                                                           "subnets: [{name: "
                                                           "da, cidr: "
                                                           "10.2.1.0/"
                                                           "24}]}\n" NEXT
                                                               DB_GROUP NEXT
                                                                   DB_PORT}},
     {"front acme/db/db tcp port 22 is open", "jq acme/db VPC db",
      "names acme/db the name 'db'"}},
    {"policies that say the same elsewhere",
     {{"policies/p.yml", NULL}, {"policies/q.yml", "# Hear:\n" POLICIES}},
     {0}},
    {"one of the policies of a file",
     {{"policies/p.yml",
       POLICIES NEXT POLICY("more", "  rule: {builtin: quotas}\n  with: "
                                    "{subnetsPerVpc: 0}\n")}},
     {"more acme/db acme/db has 1 subnets",
      "more acme/web acme/web has 1 subnets",
      "more blue/web blue/web has 1 subnets"}},
};

static struct tn_source *
source_of(const struct file *files, size_t n, const struct file *changes)
{
    struct tn_source *s = tn_memory_source_new();
    for (size_t i = 0; i < n; i++) {
        tn_memory_source_add(s, files[i].path, files[i].text);
    }
    for (size_t i = 0; changes && i < CHANGES && changes[i].path; i++) {
        if (changes[i].text) {
            tn_memory_source_add(s, changes[i].path, changes[i].text);
        } else {
            tn_memory_source_remove(s, changes[i].path);
        }
    }
    return s;
}

static const struct tn_network *
compiled(struct tn_source *source, struct tn_arena *arena)
{
    struct tn_compile_options o = {.threads = 1};
    const struct tn_network *network = NULL;
    struct tn_diags diags;
    struct tn_error err = {0};
    tn_diags_init(&diags, arena);
    cr_assert_eq(tn_compile(source, &o, arena, &network, NULL, &diags, &err),
                 TN_OK);
    for (size_t i = 0; i < diags.list.n; i++) {
        cr_assert_neq(diags.list.items[i].severity, TN_ERROR, "%s:%u: %s",
                      diags.list.items[i].at.path, diags.list.items[i].at.line,
                      diags.list.items[i].message);
    }
    return network;
}

static int
text_cmp(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
expect(const struct row *r, struct tn_findings *findings)
{
    struct tn_verdict v;
    const char *said[200];
    tn_verdict_build(findings, &v);
    cr_assert_lt(v.n, TN_ARRAY_SIZE(said));
    for (size_t i = 0; i < v.n; i++) {
        said[i] = tn_arena_printf(findings->arena, "%s %s %s", v.items[i].rule,
                                  v.items[i].subject ? v.items[i].subject : "",
                                  v.items[i].message);
    }
    qsort(said, v.n, sizeof *said, text_cmp);
    size_t n = 0;
    while (n < FOUND && r->found[n]) {
        n++;
    }
    for (size_t i = 0; i < n || i < v.n; i++) {
        const char *want = i < n ? r->found[i] : "nothing";
        const char *got = i < v.n ? said[i] : "nothing";
        cr_expect_eq(strncmp(got, want, strlen(want)), 0, "%s: '%s', not '%s'",
                     r->name, got, want);
    }
}

/* Judges what 'after' makes of 'before'. */
static void
judge(const struct row *r, struct tn_source *before, struct tn_source *after)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_findings findings = {.arena = arena};
    struct tn_judge_past past = {before, compiled(before, arena)};
    struct tn_judge in = {.environment = "lab",
                          .source = after,
                          .network = compiled(after, arena),
                          .pasts = &past,
                          .n_pasts = 1};
    struct tn_error err = {0};
    cr_assert_eq(tn_judge(&in, &findings, &err), TN_OK);
    expect(r, &findings);
    tn_arena_free(arena);
}

Test(changed, rows)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_source *before = source_of(base, TN_ARRAY_SIZE(base), NULL);
        struct tn_source *after =
            source_of(base, TN_ARRAY_SIZE(base), rows[i].files);
        judge(&rows[i], before, after);
        before->ops->free(before);
        after->ops->free(after);
    }
}

/* A label of the tenant cannot be taken away in the commit that offends. */
Test(changed, a_scope_by_the_label_of_a_tenant)
{
    static const struct file front[CHANGES] = {
        {TENANT,
         DOC("Tenant", "{name: acme, labels: {tier: front}}") "spec: {}\n"}};
    static const struct row row = {
        "a new VPC, and the label of its tenant goes",
        {{"tenants/acme/new.yml",
          DOC("Vpc",
              "{name: nx, labels: {owner: me}}") "spec: {cidrs: [10.3.0.0/16], "
                                                 "subnets: [{name: na, cidr: "
                                                 "10.3.1.0/24}]}\n" NEXT DOC(
                                                     "SecurityGroup",
                                                     "{name: nx}") "spec: "
                                                                   "{rules: "
                                                                   "[{"
                                                                   "direction: "
                                                                   "ingress, "
                                                                   "protocol: "
                                                                   "tcp, "
                                                                   "ports: "
                                                                   "22}]}"
                                                                   "\n" NEXT DOC(
                                                                       "Port",
                                                                       "{name: "
                                                                       "nx1, "
                                                                       "labels:"
                                                                       " {"
                                                                       "owner: "
                                                                       "me}}") "spec: {vpc: nx, subnet: na, host: hv1, "
                                                                               "securityGroups: [nx], attach: {netns: n1}}\n"}},
        {"front acme/nx/nx tcp port 22 is open", "jq acme/nx VPC nx",
         "jq acme/nx group nx", "jq acme/nx port nx1", "jq acme/nx rule of nx",
         "jq acme/nx subnet na", "names acme the name 'acme'",
         "names acme/nx the name 'nx'", "names acme/nx/na the name 'na'",
         "names acme/nx/nx the name 'nx'", "names acme/nx/nx1 the name 'nx1'",
         "open acme/nx/nx tcp port 22 is open",
         "ranges acme/nx/na subnet 10.3.1.0/24", "sizes acme acme has 3 VPCs",
         "sizes acme/nx acme/nx has 1 ports"}};
    struct tn_source *before = source_of(base, TN_ARRAY_SIZE(base), front);
    struct tn_source *after = source_of(base, TN_ARRAY_SIZE(base), row.files);
    judge(&row, before, after);
    before->ops->free(before);
    after->ops->free(after);
}

#define KEEP                                                                   \
    POLICY("keep", "  rule: {builtin: protected}\n  with: {keys: [keep]}\n")
#define KEPT                                                                   \
    DOC("Vpc", "{name: db, labels: {keep: \"true\"}}")                         \
    "spec: {cidrs: [10.2.0.0/16]}\n"

/* Protection counts if any of the commits that were applied says so, the first
 * or the last, and one that cannot be read any more is none. */
Test(changed, one_of_several_pasts_protects)
{
    static const struct file gone[CHANGES] = {{"policies/p.yml", KEEP},
                                              {ALL, WEB}};
    static const struct file sides[][CHANGES] = {
        {{"policies/p.yml", KEEP}, {ALL, WEB NEXT KEPT}},
        {{"policies/p.yml", KEEP}, {ALL, WEB NEXT DB_VPC}}};
    for (size_t first = 0; first < 3; first++) {
        struct tn_arena *arena = tn_arena_new();
        struct tn_findings findings = {.arena = arena};
        struct tn_source *after = source_of(base, TN_ARRAY_SIZE(base), gone);
        struct tn_source *s[] = {
            source_of(base, TN_ARRAY_SIZE(base), sides[first == 1]),
            source_of(base, TN_ARRAY_SIZE(base), sides[first != 1])};
        struct tn_judge_past pasts[] = {{s[0], compiled(s[0], arena)},
                                        {s[1], compiled(s[1], arena)}};
        if (first == 2) { /* The one without the label is not there. */
            pasts[1] = pasts[0];
            pasts[0] = (struct tn_judge_past){NULL, NULL};
        }
        struct tn_judge in = {.environment = "lab",
                              .source = after,
                              .network = compiled(after, arena),
                              .pasts = pasts,
                              .n_pasts = 2};
        struct tn_error err = {0};
        size_t protects = 0;
        cr_assert_eq(tn_judge(&in, &findings, &err), TN_OK);
        for (size_t i = 0; i < findings.list.n; i++) {
            const struct tn_finding *f = &findings.list.items[i];
            protects += strcmp(f->rule, "keep") == 0 &&
                        f->severity == TN_SEVERITY_DENY &&
                        strstr(f->message, "VPC acme/db is protected");
        }
        cr_expect_gt(protects, 0, "%zu", first);
        after->ops->free(after);
        s[0]->ops->free(s[0]);
        s[1]->ops->free(s[1]);
        tn_arena_free(arena);
    }
}
