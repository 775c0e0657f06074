/* touch_test.c - after any edit, a compile from what an earlier one left gives
 * what a cold one gives, to the byte: network, pins and findings.
 *
 * A tenant of a dozen VPCs over twenty files is edited at random: documents
 * change, move between files, come and go; files break, are renamed and
 * repaired; values collide.  Most edits that break something are taken back,
 * so that the tenant is good most of the time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/compile/fixture.h"
#include "tests/support/memory_source.h"

enum {
    N_FILES = 20,
    N_VPCS = 12,
    N_GROUPS = 12,
    N_USED = 10, /* Of the groups, by ports. */
    N_PORTS = 40,
    N_PEERINGS = 8,
    N_DOCS = N_VPCS + N_GROUPS + N_PORTS + N_PEERINGS,
    EDITS = 400,
    NOWHERE = -1,
};

/* A document; what its numbers mean depends on the kind. */
struct doc {
    int file; /* NOWHERE: there is none. */
    int a, b, c, d, e;
};

struct state {
    struct doc docs[N_DOCS];
    int lines[N_FILES];   /* Comments at the top. */
    int suffix[N_FILES];  /* Part of the file's name. */
    bool broken[N_FILES]; /* Not YAML. */
    int tenant, lock;
};

struct random {
    uint64_t state;
};

static int
below(struct random *r, int n)
{
    r->state = r->state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int) ((r->state >> 33) % (uint64_t) n);
}

static void
vpc_print(struct tn_text *out, int i, const struct doc *d)
{
    tn_text_addf(out,
                 V "kind: Vpc\nmetadata: {name: v%d}\nspec:\n"
                   "  cidrs: [10.%d.0.0/16, 10.%d.0.0/16]\n  subnets:\n",
                 i, i, 100 + d->a);
    for (int k = 0; k < 1 + d->b; k++) {
        tn_text_addf(out, "  - {name: s%d, cidr: 10.%d.%d.0/%d", k, i, k,
                     d->c == 5 ? 29 : 24);
        if (k == 0 && d->d) {
            tn_text_addf(out, ", vni: %d", 6000 + d->d);
        }
        tn_text_addf(out, "%s}\n",
                     d->e == 3   ? ", mtu: 1400"
                     : d->e == 2 ? ", dhcp: {domain: x.org, dnsServers: "
                                   "[192.0.2.53]}"
                                 : "");
    }
}

static void
group_print(struct tn_text *out, int i, const struct doc *d)
{
    tn_text_addf(out,
                 V "kind: SecurityGroup\nmetadata: {name: g%d}\nspec:\n"
                   "  rules:\n"
                   "  - {direction: ingress, protocol: tcp, ports: [%d]}\n",
                 i, 80 + d->a);
    if (d->b < N_GROUPS) {
        tn_text_addf(out, "  - {direction: ingress, remote: {group: g%d}}\n",
                     d->b);
    }
}

static void
port_print(struct tn_text *out, int i, const struct doc *d)
{
    static const char *const hosts[] = {"hv1", "hv2", "hv3", "far1"};
    tn_text_addf(out,
                 V "kind: Port\nmetadata: {name: p%d}\nspec:\n"
                   "  {vpc: v%d, subnet: s%d, host: %s,\n"
                   "   securityGroups: [g%d], attach: {netns: n%d%s}",
                 i, d->a, d->b & 1, hosts[d->c & 3], d->d, d->e,
                 d->b & 2 ? ", defaultRoute: false, interface: eth1" : "");
    if (d->c & 4) {
        tn_text_addf(out, ", address: 10.%d.%d.%d", d->a, d->b & 1,
                     2 + d->e % 5);
    }
    tn_text_add(out, "}\n");
}

static void
peering_print(struct tn_text *out, int i, const struct doc *d)
{
    char peer[16];
    snprintf(peer, sizeof peer, "v%d", d->b);
    tn_text_addf(out,
                 V "kind: Peering\nmetadata: {name: q%d}\n"
                   "spec: {vpc: v%d, peer: {%svpc: %s}, export: "
                   "[10.%d.0.0/%d]}\n",
                 i, d->a, d->c == 0 ? "tenant: beta, " : "",
                 d->c == 0 ? "shop" : peer, d->a, 16 + d->d);
}

static void
doc_print(struct tn_text *out, int i, const struct doc *d)
{
    tn_text_add(out, "---\n");
    if (i < N_VPCS) {
        vpc_print(out, i, d);
    } else if ((i -= N_VPCS) < N_GROUPS) {
        group_print(out, i, d);
    } else if ((i -= N_GROUPS) < N_PORTS) {
        port_print(out, i, d);
    } else {
        peering_print(out, i - N_PORTS, d);
    }
}

static void
path_of(const struct state *s, int file, char path[64])
{
    snprintf(path, 64, "tenants/rand/%c/f%d-%d.yml", 'a' + file % 3, file,
             s->suffix[file]);
}

static void
files_put(struct tn_fixture *f, const struct state *s)
{
    char path[64];
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_memory_source_remove(f->source, "tenants/rand");
    tn_text_addf(&text,
                 V "kind: Tenant\nmetadata: {name: rand}\nspec:\n"
                   "  allowedCidrs: [10.0.0.0/8]\n  quotas: {ports: %d, "
                   "rules: %d}\n",
                 s->tenant == 1 ? 30 : 36, s->tenant == 2 ? 14 : 18);
    tn_fixture_add(f, "tenants/rand/tenant.yml", tn_text_str(&text));
    if (s->lock) {
        tn_text_clear(&text);
        tn_text_addf(&text,
                     V "kind: Lock\npins:\n  port/p1: {address: 10.1.0.%d}\n"
                       "  subnet/v2/s0: {vni: %d}\n",
                     s->lock + 40, 6000 + s->lock);
        tn_fixture_add(f, "tenants/rand/tenet.lock", tn_text_str(&text));
    }
    for (int i = 0; i < N_FILES; i++) {
        tn_text_clear(&text);
        for (int k = 0; k < s->lines[i]; k++) {
            tn_text_add(&text, "# a line\n");
        }
        for (int k = 0; k < N_DOCS; k++) {
            if (s->docs[k].file == i) {
                doc_print(&text, k, &s->docs[k]);
            }
        }
        if (text.n && !s->broken[i]) {
            path_of(s, i, path);
            tn_fixture_add(f, path, tn_text_str(&text));
        } else if (s->broken[i]) {
            path_of(s, i, path);
            tn_text_add(&text, "kind: [\n");
            tn_fixture_add(f, path, tn_text_str(&text));
        }
    }
}

static void
doc_roll(struct doc *d, int i, struct random *r)
{
    d->file = below(r, N_FILES);
    if (i < N_VPCS) {
        *d = (struct doc){d->file,
                          below(r, 90),
                          1 + below(r, 2),
                          0,
                          below(r, 3) ? 0 : 1 + below(r, 4),
                          below(r, 4)};
    } else if (i < N_VPCS + N_GROUPS) {
        *d = (struct doc){
            .file = d->file, .a = below(r, 100), .b = below(r, 3 * N_GROUPS)};
    } else if (i < N_VPCS + N_GROUPS + N_PORTS) {
        *d = (struct doc){
            d->file,          below(r, N_VPCS),
            below(r, 4),      below(r, 16) ? below(r, 4) : below(r, 8),
            below(r, N_USED), below(r, 400)};
    } else {
        *d = (struct doc){.file = d->file,
                          .a = below(r, N_VPCS),
                          .b = below(r, N_VPCS),
                          .c = below(r, 4),
                          .d = below(r, 3)};
    }
}

static void
state_roll(struct state *s, struct random *r)
{
    *s = (struct state){0};
    for (int i = 0; i < N_DOCS; i++) {
        doc_roll(&s->docs[i], i, r);
        if (i < N_VPCS) {
            s->docs[i].d = 0;
        } else if (i >= N_VPCS + N_GROUPS &&
                   (i >= N_VPCS + N_GROUPS + N_PORTS || i % 8 == 0)) {
            s->docs[i].file = NOWHERE;
        } else if (i >= N_VPCS + N_GROUPS) {
            s->docs[i].c &= 3;
            s->docs[i].e = i; /* No collisions to begin with. */
        }
    }
}

static void
doc_nudge(struct doc *d, int i, struct random *r)
{
    struct doc old = *d;
    doc_roll(d, i, r);
    switch (below(r, 8)) {
    case 0:
        d->file = NOWHERE;
        break;
    case 1: /* Moved. */
        old.file = d->file;
        *d = old;
        break;
    case 2:
    case 3: /* Changed, whole. */
        d->file = old.file == NOWHERE ? d->file : old.file;
        break;
    default: /* Changed in one number. */
        old.file = old.file == NOWHERE ? d->file : old.file;
        switch (below(r, 5)) {
        case 0:
            old.a = d->a;
            break;
        case 1:
            old.b = d->b;
            break;
        case 2:
            old.c = d->c;
            break;
        case 3:
            old.d = d->d;
            break;
        default:
            old.e = d->e;
            break;
        }
        *d = old;
    }
}

static void
state_edit(struct state *s, struct random *r)
{
    int file = below(r, N_FILES), doc = below(r, N_DOCS);
    switch (below(r, 24)) {
    case 0:
        s->lines[file] = below(r, 4);
        break;
    case 1:
        s->suffix[file] = below(r, 3);
        break;
    case 2:
        s->broken[file] = !s->broken[file];
        break;
    case 3:
        s->tenant = below(r, 3);
        break;
    case 4:
        s->lock = below(r, 4);
        break;
    default:
        doc_nudge(&s->docs[doc], doc, r);
    }
}

struct tally {
    uint64_t seed;
    int good, broken, warm;
    size_t compiled, vpcs; /* Of good ones that were touched. */
};

static void
expect_text(const struct tn_text *got, const struct tn_text *want,
            uint64_t seed, int step)
{
    const char *a = tn_text_str(got), *b = tn_text_str(want);
    size_t same = 0;
    while (a[same] && a[same] == b[same]) {
        same++;
    }
    if (a[same] || b[same]) {
        same -= same < 200 ? same : 200;
        cr_assert_fail("seed %llu, step %d: got\n%.600s\nwant\n%.600s",
                       (unsigned long long) seed, step, a + same, b + same);
    }
}

/* Compiles warm, at times for a verdict first, and compares. */
static void
step_check(struct tn_fixture *warm, const struct tn_fixture *cold, int step,
           struct tally *tally)
{
    bool failed = tn_fixture_tenant(cold, "rand")->failed;
    if (step % 3 == 0) {
        warm->options.verdict_only = true;
        tn_fixture_compile(warm);
        expect_text(&warm->findings, &cold->findings, tally->seed, step);
        warm->options.verdict_only = false;
    }
    tn_fixture_compile(warm);
    expect_text(&warm->findings, &cold->findings, tally->seed, step);
    expect_text(&warm->text, &cold->text, tally->seed, step);
    if (failed) {
        tally->broken++;
    } else if (step % 3) {
        tally->good++;
        tally->compiled += warm->stats.n_vpcs_compiled;
        tally->vpcs += warm->stats.n_vpcs;
    }
}

/* A tenant whose findings have hints that depend on the names of groups and
 * VPCs of the one that is edited. */
static void
other_tenant_put(struct tn_fixture *f)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_text_add(&text, V "kind: Tenant\nmetadata: {name: hint}\nspec: {}\n");
    tn_fixture_add(f, "tenants/hint/tenant.yml", tn_text_str(&text));
    tn_text_clear(&text);
    tn_text_add(&text, V "kind: SecurityGroup\nmetadata: {name: all}\nspec:\n"
                         "  rules:\n");
    for (int i = 0; i < N_GROUPS; i++) {
        tn_text_addf(&text, "  - {direction: ingress, remote: {group: g%d}}\n",
                     i);
    }
    for (int i = 0; i < N_VPCS; i++) {
        tn_text_addf(&text,
                     "---\n" V "kind: Peering\nmetadata: {name: q%d}\n"
                     "spec: {vpc: v%d, peer: {tenant: beta, vpc: shop}, "
                     "export: [10.0.0.0/16]}\n",
                     i, i);
    }
    tn_fixture_add(f, "tenants/hint/all.yml", tn_text_str(&text));
}

static void
edits_run(uint64_t seed, unsigned threads)
{
    char dir[] = "/tmp/tenet-touch-XXXXXX", command[64];
    struct random r = {seed};
    struct state state, good;
    struct tn_fixture warm, cold;
    struct tally tally = {.seed = seed};
    cr_assert(mkdtemp(dir));
    tn_fixture_init(&warm);
    tn_fixture_init(&cold);
    warm.options.cache_dir = dir;
    warm.options.threads = cold.options.threads = threads;
    other_tenant_put(&warm);
    other_tenant_put(&cold);
    state_roll(&state, &r);
    good = state;
    for (int step = 0; step < EDITS; step++) {
        for (int n = below(&r, 8) ? 1 : 3; step && n > 0; n--) {
            state_edit(&state, &r);
        }
        files_put(&warm, &state);
        files_put(&cold, &state);
        tn_fixture_compile(&cold);
        cr_assert_eq(cold.code, TN_OK);
        step_check(&warm, &cold, step, &tally);
        if (!tn_fixture_tenant(&cold, "rand")->failed) {
            good = state;
        } else if (below(&r, 3)) {
            state = good;
        }
    }
    /* The test means something: both happen, and little is compiled. */
    cr_expect(tally.good > EDITS / 8, "%d good", tally.good);
    cr_expect(tally.broken > EDITS / 16, "%d broken", tally.broken);
    cr_expect(tally.compiled * 2 < tally.vpcs, "%zu of %zu compiled",
              tally.compiled, tally.vpcs);
    tn_fixture_done(&warm);
    tn_fixture_done(&cold);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

Test(touch, random_edits, .timeout = 300)
{
    edits_run(1, 1);
}

Test(touch, more_random_edits, .timeout = 300)
{
    edits_run(3, 1);
}

Test(touch, random_edits_by_threads, .timeout = 300)
{
    edits_run(2, 3);
}
