/* decode_test.c - what the decoder says of documents, and where. */
#include "model/kinds/kinds.h"

#include <criterion/criterion.h>
#include <string.h>

#include "model/kinds/field.h"
#include "tests/kinds/cases.h"

struct decoded {
    struct tn_arena *arena;
    struct tn_diags diags;
    struct tn_document doc;
    bool ok;
};

static struct decoded
decode(const char *yaml)
{
    struct decoded d = {.arena = tn_arena_new()};
    const struct tn_node **docs = NULL;
    size_t n = 0;
    tn_diags_init(&d.diags, d.arena);
    cr_assert(tn_yaml_parse(d.arena, "t.yml", yaml, strlen(yaml),
                            TN_YAML_STRICT, &tn_yaml_limits_default, &docs, &n,
                            &d.diags),
              "not YAML: %s: %s", yaml,
              d.diags.list.n ? d.diags.list.items[0].message : "");
    cr_assert(n == 1, "%zu documents in: %s", n, yaml);
    d.ok = tn_document_decode(d.arena, "t.yml", docs[0], &d.doc, &d.diags);
    return d;
}

static void
check_bad(const struct tn_case *c)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text yaml = {0};
    struct tn_pos at = tn_case_yaml(c, &yaml);
    struct decoded d = decode(tn_text_str(&yaml));
    cr_expect(!d.ok, "accepted: %s", c->yaml);
    cr_expect(d.diags.n_errors == 1, "%zu findings: %s", d.diags.n_errors,
              c->yaml);
    const struct tn_diag *f = d.diags.list.items;
    for (size_t i = 1; i < d.diags.list.n; i++) {
        cr_expect(false, "also: %s", f[i].message);
    }
    if (d.diags.list.n > 0) {
        cr_expect(strstr(f->message, c->message), "'%s' for '%s': %s",
                  f->message, c->message, c->yaml);
        cr_expect(!c->hint || (f->hint && strstr(f->hint, c->hint)),
                  "hint '%s' for '%s': %s", f->hint ? f->hint : "", c->hint,
                  c->yaml);
        cr_expect(f->at.line == at.line && f->at.column == at.column,
                  "at %u:%u, not %u:%u: %s", f->at.line, f->at.column, at.line,
                  at.column, c->yaml);
        cr_expect_str_eq(f->at.path, "t.yml");
    }
    tn_arena_free(d.arena);
}

Test(decode, one_fault_one_finding_at_its_place)
{
    for (size_t i = 0; i < tn_n_bad_cases; i++) {
        check_bad(&tn_bad_cases[i]);
    }
    cr_assert(tn_n_bad_cases >= 200);
}

Test(decode, good_documents)
{
    for (size_t i = 0; i < tn_n_good_cases; i++) {
        struct decoded d = decode(tn_good_cases[i].yaml);
        cr_expect(d.ok && d.diags.list.n == 0, "'%s': %s",
                  d.diags.list.n ? d.diags.list.items[0].message : "",
                  tn_good_cases[i].yaml);
        tn_arena_free(d.arena);
    }
}

/* All findings of a document, in the order in which they are met. */
Test(decode, reports_everything)
{
    static const struct {
        uint32_t line, column;
        const char *message;
    } expected[] = {
        {4, 1, "unknown field 'cidrs'"},
        {3, 23, "found a number"},
        {6, 11, "has host bits set"},
        {6, 37, "lists 10.1.0.0/16 twice"},
        {7, 18, "'vxlam' is not a value"},
        {10, 7, "unknown field 'cdir'"},
        {9, 7, "missing required field 'cidr'"},
        {13, 16, "is the broadcast address"},
        {11, 13, "two entries with name 'a'"},
        {14, 11, "expected a list, found a map"},
    };
    struct decoded d =
        decode("apiVersion: tenet/v1\n"
               "kind: Vpc\n"
               "metadata: {name: web, tenant: 7}\n"
               "cidrs: [10.0.0.0/8]\n"
               "spec:\n"
               "  cidrs: [10.0.0.1/24, 10.1.0.0/16, 10.1.0.0/16]\n"
               "  encapsulation: vxlam\n"
               "  subnets:\n"
               "    - name: a\n"
               "      cdir: 10.1.0.0/24\n"
               "    - name: a\n"
               "      cidr: 10.1.0.0/24\n"
               "      gateway: 10.1.0.255\n"
               "  routes: {}\n");
    cr_assert(!d.ok);
    cr_assert_eq(d.diags.list.n, TN_ARRAY_SIZE(expected));
    for (size_t i = 0; i < TN_ARRAY_SIZE(expected); i++) {
        const struct tn_diag *f = &d.diags.list.items[i];
        cr_expect(strstr(f->message, expected[i].message) &&
                      f->at.line == expected[i].line,
                  "%zu: %u:%u %s", i, f->at.line, f->at.column, f->message);
    }
    tn_arena_free(d.arena);
}

Test(decode, values_of_a_vpc)
{
    struct decoded d = decode("apiVersion: tenet/v1\n"
                              "kind: Vpc\n"
                              "metadata:\n"
                              "  name: web\n"
                              "  labels: {tier: front}\n"
                              "spec:\n"
                              "  cidrs: [10.1.0.0/16]\n"
                              "  encapsulation: gre\n"
                              "  subnets:\n"
                              "    - name: front\n"
                              "      cidr: 10.1.2.0/24\n"
                              "      mtu: 1400\n");
    cr_assert(d.ok);
    cr_assert_eq(d.doc.kind, TN_KIND_VPC);
    const struct tn_vpc *v = d.doc.as.vpc;
    char text[TN_CIDR_TEXT];
    cr_assert_eq(&v->meta, d.doc.meta);
    cr_expect_str_eq(v->meta.name.v, "web");
    cr_expect(v->meta.name.at.line == 4 && v->meta.name.at.column == 9);
    cr_expect_str_eq(v->meta.path, "t.yml");
    cr_expect_eq(v->meta.at.line, 1);
    cr_expect_null(v->meta.tenant.v);
    cr_assert_eq(v->meta.labels.n, 1);
    cr_expect_str_eq(v->meta.labels.items[0].key.v, "tier");
    cr_expect_str_eq(v->meta.labels.items[0].value.v, "front");
    cr_assert_eq(v->cidrs.n, 1);
    cr_expect_eq(v->encapsulation.v, TN_ENCAP_GRE);
    cr_expect_eq(v->sites.at.line, 0);
    cr_assert_eq(v->subnets.n, 1);
    const struct tn_subnet *s = v->subnets.items;
    cr_expect_str_eq(tn_cidr_format(&s->cidr.v, text), "10.1.2.0/24");
    cr_expect(s->at.line == 10 && s->at.column == 7);
    cr_expect_eq(s->mtu.v, 1400);
    cr_expect_eq(s->vni.at.line, 0);
    cr_expect_eq(s->gateway.at.line, 0);
    tn_arena_free(d.arena);
}

Test(decode, values_of_rules)
{
    struct decoded d = decode(
        "apiVersion: tenet/v1\nkind: SecurityGroup\nmetadata: {name: web}\n"
        "spec:\n  rules:\n"
        "  - {direction: egress, protocol: udp, ports: 53}\n"
        "  - {direction: ingress, protocol: tcp, ports: [80, 90-99],\n"
        "     remote: {group: lb}}\n");
    cr_assert(d.ok);
    const struct tn_rule *r = d.doc.as.security_group->rules.items;
    cr_assert_eq(d.doc.as.security_group->rules.n, 2);
    cr_expect_eq(r[0].direction.v, TN_EGRESS);
    cr_expect_eq(r[0].protocol.v, TN_PROTO_UDP);
    cr_assert_eq(r[0].ports.n, 1);
    cr_expect(r[0].ports.items[0].first == 53 &&
              r[0].ports.items[0].last == 53);
    cr_expect_eq(r[0].remote_cidr.at.line, 0);
    cr_assert_eq(r[1].ports.n, 2);
    cr_expect(r[1].ports.items[1].first == 90 &&
              r[1].ports.items[1].last == 99);
    cr_expect_str_eq(r[1].remote_group.v, "lb");
    cr_expect(r[1].remote_group.at.line == 8);
    tn_arena_free(d.arena);
}

/* Texts live in the decoder's arena, not in that of the nodes. */
Test(decode, outlives_the_nodes)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text seed = {0};
    struct tn_arena *nodes = tn_arena_new(), *arena = tn_arena_new();
    const struct tn_node **docs = NULL;
    struct tn_diags diags;
    struct tn_document doc;
    size_t n = 0;
    tn_diags_init(&diags, arena);
    tn_kind_seed_print(TN_KIND_PORT, &seed);
    cr_assert(tn_yaml_parse(nodes, "t.yml", seed.s, seed.n, TN_YAML_STRICT,
                            &tn_yaml_limits_default, &docs, &n, &diags));
    cr_assert(tn_document_decode(arena, "t.yml", docs[0], &doc, &diags));
    tn_arena_free(nodes);
    cr_expect_str_eq(doc.as.port->attach.netns.v, "web1");
    cr_expect_str_eq(doc.as.port->security_groups.items[1].v, "ssh");
    cr_expect_str_eq(doc.meta->labels.items[0].key.v, "tier");
    tn_arena_free(arena);
}

Test(decode, many_subnets_with_one_name)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text yaml = {0};
    tn_text_add(&yaml, "apiVersion: tenet/v1\nkind: Vpc\nmetadata: {name: a}\n"
                       "spec:\n  cidrs: [10.0.0.0/8]\n  subnets:\n");
    for (unsigned i = 0; i < 200; i++) {
        tn_text_addf(&yaml, "  - {name: s%u, cidr: 10.0.%u.0/24}\n", i % 199,
                     i);
    }
    struct decoded d = decode(tn_text_str(&yaml));
    cr_assert_eq(d.diags.list.n, 1);
    cr_expect_eq(d.diags.list.items[0].at.line, 206);
    cr_expect_str_eq(d.diags.list.items[0].hint, "the first is at line 7");
    tn_arena_free(d.arena);
}

Test(kinds, names)
{
    for (unsigned k = 0; k < TN_N_KINDS; k++) {
        enum tn_kind kind = (enum tn_kind) k, found = TN_N_KINDS;
        cr_expect_eq(tn_kind_table(kind)->kind, kind);
        cr_expect_str_eq(tn_kind_name(kind), tn_kind_table(kind)->name);
        cr_expect(tn_kind_parse(tn_kind_name(kind), &found) && found == kind);
        found = TN_N_KINDS;
        cr_expect(tn_kind_parse(tn_kind_slug(kind), &found) && found == kind);
    }
    enum tn_kind kind = TN_KIND_VPC;
    cr_expect(!tn_kind_parse("", &kind));
    cr_expect(!tn_kind_parse("VPC", &kind));
}

static void
check_object(const struct tn_object *object)
{
    cr_expect(object->n_fields <= 32, "%s", object->title);
    cr_expect(!object->key || tn_field_find(object, object->key, 0));
    for (uint32_t i = 0; i < object->n_fields; i++) {
        const struct tn_field *f = &object->fields[i];
        cr_expect_eq(tn_field_find(object, f->name, (i + 1) % 32), f);
        cr_expect(f->description && f->description[0], "%s", f->name);
        cr_expect(!f->object == !!f->example, "%s", f->name);
        cr_expect(!(f->flags & TN_MANY) || f->max_items, "%s", f->name);
        cr_expect(!(f->flags & TN_REQUIRED) || !f->fallback, "%s", f->name);
        cr_expect((f->type == TN_FIELD_TEXT) == !!f->form, "%s", f->name);
        if (f->object) {
            cr_expect(f->object->size || !(f->flags & TN_MANY), "%s", f->name);
            check_object(f->object);
        }
    }
}

/* What the generators take for granted. */
Test(kinds, tables_are_complete)
{
    check_object(&tn_metadata);
    for (unsigned k = 0; k < TN_N_KINDS; k++) {
        check_object(&tn_kind_table((enum tn_kind) k)->spec);
    }
}

Test(kinds, seeds_decode_and_set_every_field)
{
    for (unsigned k = 0; k < TN_N_KINDS; k++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text seed = {0};
        tn_kind_seed_print((enum tn_kind) k, &seed);
        struct decoded d = decode(tn_text_str(&seed));
        cr_expect(d.ok, "%s", tn_text_str(&seed));
        cr_expect_eq(d.doc.kind, (enum tn_kind) k);
        tn_arena_free(d.arena);
    }
}
