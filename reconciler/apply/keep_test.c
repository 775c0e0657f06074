/* keep_test.c - commits with broken tenants, from real repositories. */
#include "reconciler/apply/keep.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/source/sandbox.h"
#include "reconciler/source/source.h"

#define V "apiVersion: tenet/v1\n"
#define HOSTS "all:\n  vars: {tenet_driver: memory}\n  hosts:\n"

static struct tn_sandbox box;
static struct tn_arena *arena;

/* One compile of a commit and all it left. */
struct done {
    char commit[65];
    struct tn_diags diags;
    struct tn_keep_job job;
    enum tn_code code;
};

static void
file_write(const char *path, const char *text)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text full = {0};
    tn_text_addf(&full, "%s/r/%s", box.dir, path);
    FILE *f = fopen(tn_text_str(&full), "we");
    cr_assert(f, "%s", tn_text_str(&full));
    fputs(text, f);
    fclose(f);
}

/* A VPC with a port on a host, which exports a prefix to the other tenant. */
static void
tenant_write(const char *tenant, const char *peer, const char *subnet,
             const char *exports)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0}, path = {0};
    unsigned net = tenant[0] == 'a' ? 1 : 2;
    tn_text_addf(&path, "tenants/%s/tenant.yml", tenant);
    tn_text_addf(&t,
                 V "kind: Tenant\nmetadata: {name: %s}\nspec: {}\n---\n" V
                   "kind: Vpc\nmetadata: {name: net}\nspec:\n"
                   "  cidrs: [10.%u.0.0/16]\n  subnets:\n"
                   "    - {name: front, cidr: 10.%u.1.0/24%s}\n---\n" V
                   "kind: Port\nmetadata: {name: p}\nspec: {vpc: net, "
                   "subnet: front, host: hv%u, attach: {interface: t%s}}\n",
                 tenant, net, net, subnet, net, tenant);
    tn_text_addf(&t,
                 "---\n" V "kind: Peering\nmetadata: {name: to-%s}\nspec:\n"
                 "  vpc: net\n  peer: {tenant: %s, vpc: net}\n"
                 "  export: [%s]\n",
                 peer, peer, exports);
    file_write(tn_text_str(&path), tn_text_str(&t));
}

static void
break_it(const char *tenant)
{
    tn_sandbox_sh(&box, "echo 'nonsense: [' >>r/tenants/%s/tenant.yml", tenant);
}

static const char *
commit(void)
{
    tn_sandbox_sh(&box, "cd r && git add -A && git commit -q --allow-empty "
                        "-m 'A commit'");
    TN_CLEANUP(tn_cleanup_free)
    char *id = tn_sandbox_out(&box, "git -C r rev-parse HEAD");
    return tn_arena_strdup(arena, id);
}

static void
setup(void)
{
    tn_sandbox_init(&box);
    arena = tn_arena_new();
    tn_sandbox_sh(&box, "git init -q -b main r && mkdir -p r/inventories/lab "
                        "r/tenants/acme r/tenants/beta");
    file_write("tenet.yml", V "kind: Settings\nmetadata: {name: lab}\nspec: "
                              "{pools: {vni: {from: 5000, to: 9999}}}\n");
    file_write("inventories/lab/hosts.yml",
               HOSTS "    hv1: {tenet_underlay_address: 192.0.2.1}\n"
                     "    hv2: {tenet_underlay_address: 192.0.2.2}\n");
    tenant_write("acme", "beta", "", "10.1.1.0/24");
    tenant_write("beta", "acme", "", "10.2.1.0/24");
}

static void
teardown(void)
{
    tn_arena_free(arena);
    tn_sandbox_done(&box);
}

TestSuite(keep, .init = setup, .fini = teardown);

static struct done *
compile(const struct tn_keep *keep)
{
    struct done *d = tn_new(arena, struct done);
    const char *repo = tn_arena_printf(arena, "%s/r", box.dir);
    struct tn_compile_options *o = tn_new(arena, struct tn_compile_options);
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    o->threads = 1;
    snprintf(d->commit, sizeof d->commit, "%s", commit());
    tn_diags_init(&d->diags, arena);
    d->job = (struct tn_keep_job){.repo = repo,
                                  .commit = d->commit,
                                  .options = o,
                                  .keep = keep,
                                  .arena = arena,
                                  .diags = &d->diags};
    cr_assert_eq(
        tn_source_open_commit(repo, d->commit, &d->job.source, NULL, &err),
        TN_OK);
    d->code = tn_keep_compile(&d->job, &err);
    cr_assert_eq(d->code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    d->job.source->ops->free(d->job.source);
    return d;
}

/* What the next commit goes by. */
static struct tn_keep *
after(const struct done *d)
{
    struct tn_keep *k = tn_new(arena, struct tn_keep);
    *k = (struct tn_keep){.commit = d->commit,
                          .tenants = d->job.kept,
                          .n_tenants = d->job.n_kept,
                          .pins = d->job.network->pins,
                          .n_pins = d->job.network->n_pins};
    return k;
}

static const struct tn_net_vpc *
vpc(const struct done *d, const char *scope)
{
    const struct tn_network *net = d->job.network;
    for (size_t i = 0; i < net->n_vpcs; i++) {
        if (strcmp(net->vpcs[i]->scope, scope) == 0) {
            return net->vpcs[i];
        }
    }
    return NULL;
}

static bool
is_failed(const struct done *d, const char *tenant)
{
    for (size_t i = 0; i < d->job.network->n_tenants; i++) {
        if (strcmp(d->job.network->tenants[i].name, tenant) == 0) {
            return d->job.network->tenants[i].failed;
        }
    }
    return false;
}

static const struct tn_kept *
kept(const struct done *d, const char *tenant)
{
    const struct tn_kept *k = tn_kept_get(d->job.kept, d->job.n_kept, tenant);
    cr_assert(k, "%s is not kept", tenant);
    return k;
}

static const char *
finding(const struct done *d, const char *tenant)
{
    for (size_t i = 0; i < d->diags.list.n; i++) {
        if (d->diags.list.items[i].severity == TN_ERROR &&
            tn_streq(d->diags.list.items[i].tenant, tenant)) {
            return d->diags.list.items[i].message;
        }
    }
    return "";
}

static uint32_t
vni(const struct done *d, const char *scope)
{
    const struct tn_net_vpc *v = vpc(d, scope);
    return v ? v->subnets[0].vni : 0;
}

Test(keep, nobody_is_broken)
{
    struct done *one = compile(NULL), *two = compile(after(one));
    cr_assert_eq(two->job.n_kept, 0, "%s", finding(two, "acme"));
    cr_assert_eq(two->diags.n_errors, 0);
    cr_assert(vpc(two, "acme/net")->n_peerings == 1);
}

Test(keep, held_where_nothing_is_known)
{
    static const struct tn_keep nothing;
    break_it("acme");
    const struct tn_keep *keeps[] = {NULL, &nothing};
    for (size_t i = 0; i < TN_ARRAY_SIZE(keeps); i++) {
        struct done *d = compile(keeps[i]);
        cr_assert(is_failed(d, "acme"));
        cr_assert_not(vpc(d, "acme/net"));
        cr_assert_not(kept(d, "acme")->in_force);
        cr_assert_not(kept(d, "acme")->good);
        cr_assert_str_eq(kept(d, "acme")->since, d->commit);
        cr_assert(tn_texts_has(d->job.network->held_scopes,
                               d->job.network->n_held, "beta/net"));
        cr_assert(d->diags.n_errors);
    }
}

Test(keep, the_last_good_folder_stands_in)
{
    struct done *good = compile(NULL);
    break_it("acme");
    tn_sandbox_sh(&box, "sed -i 's/front/back/' r/tenants/beta/tenant.yml");
    struct done *d = compile(after(good));
    cr_assert_not(is_failed(d, "acme"));
    cr_assert_eq(d->job.network->n_held, 0);
    cr_assert_str_eq(vpc(d, "beta/net")->subnets[0].name, "back");
    cr_assert_eq(vpc(d, "acme/net")->image, vpc(good, "acme/net")->image);
    cr_assert_eq(vni(d, "acme/net"), vni(good, "acme/net"));
    cr_assert_eq(vpc(d, "acme/net")->n_peerings, 1);
    cr_assert(kept(d, "acme")->in_force);
    cr_assert_str_eq(kept(d, "acme")->since, d->commit);
    cr_assert_str_eq(kept(d, "acme")->good, good->commit);
    cr_assert_neq(finding(d, "acme")[0], '\0');
    const char *text = tn_kept_text(kept(d, "acme"), arena);
    cr_assert_str_eq(
        text, tn_arena_printf(arena,
                              "documents broken since commit %.12s; healed to "
                              "commit %.12s",
                              d->commit, good->commit));
}

Test(keep, as_long_as_it_is_broken)
{
    struct done *good = compile(NULL);
    break_it("acme");
    struct done *first = compile(after(good)), *d = compile(after(first));
    d = compile(after(d));
    cr_assert(kept(d, "acme")->in_force);
    cr_assert_str_eq(kept(d, "acme")->since, first->commit);
    cr_assert_str_eq(kept(d, "acme")->good, good->commit);
    tenant_write("acme", "beta", "", "10.1.1.0/24");
    cr_assert_eq(compile(after(d))->job.n_kept, 0);
}

/* After a restart at the very commit. */
Test(keep, known_from_before)
{
    struct done *good = compile(NULL);
    break_it("acme");
    struct done *first = compile(after(good));
    struct tn_keep known = {.commit = first->commit,
                            .tenants = first->job.kept,
                            .n_tenants = first->job.n_kept};
    struct done *d = compile(&known);
    cr_assert(kept(d, "acme")->in_force);
    cr_assert_str_eq(kept(d, "acme")->good, good->commit);
}

/* What the tenant itself is known to have is not what others may take. */
Test(keep, what_it_holds_cannot_be_claimed)
{
    struct done *good = compile(NULL);
    TN_CLEANUP(tn_cleanup_text) struct tn_text claim = {0};
    tn_text_addf(&claim, ", vni: %u", vni(good, "acme/net"));
    break_it("acme");
    tenant_write("beta", "acme", tn_text_str(&claim), "10.2.1.0/24");
    struct done *d = compile(after(good));
    cr_assert(kept(d, "acme")->in_force);
    cr_assert(kept(d, "beta")->in_force);
    cr_assert(strstr(finding(d, "beta"), "in use by tenant 'acme'"), "%s",
              finding(d, "beta"));
    cr_assert_eq(vni(d, "acme/net"), vni(good, "acme/net"));
    cr_assert_eq(vni(d, "beta/net"), vni(good, "beta/net"));
    /* It waits, and gets it when it is free. */
    tn_sandbox_sh(&box, "rm -r r/tenants/acme");
    struct done *free = compile(after(d));
    cr_assert_eq(free->job.n_kept, 0);
    cr_assert_eq(vni(free, "beta/net"), vni(good, "acme/net"));
}

Test(keep, both_ends_of_a_peering_agree)
{
    struct done *good = compile(NULL);
    break_it("acme");
    tenant_write("beta", "acme", "", "10.2.1.128/25");
    struct done *d = compile(after(good));
    const struct tn_net_peering *a = vpc(d, "acme/net")->peerings;
    const struct tn_net_peering *b = vpc(d, "beta/net")->peerings;
    cr_assert_eq(a->n_imports, 1);
    cr_assert_eq(a->imports[0].len, 25);
    cr_assert_eq(b->exports[0].len, 25);
    cr_assert_eq(b->imports[0].len, 24);
    /* One that the other side takes back is gone for both. */
    tn_sandbox_sh(&box, "sed -i '/^kind: Peering/,$d; $d' "
                        "r/tenants/beta/tenant.yml && sed -i '$d' "
                        "r/tenants/beta/tenant.yml");
    d = compile(after(d));
    cr_assert_not(is_failed(d, "beta"));
    cr_assert_eq(vpc(d, "acme/net")->n_peerings, 0);
    cr_assert_eq(vpc(d, "beta/net")->n_peerings, 0);
}

/* With the inventory of now. */
Test(keep, hosts_change)
{
    struct done *good = compile(NULL);
    break_it("acme");
    file_write("inventories/lab/hosts.yml",
               HOSTS "    hv1: {tenet_underlay_address: 192.0.2.9}\n"
                     "    hv2: {tenet_underlay_address: 192.0.2.2}\n");
    struct done *d = compile(after(good));
    char text[TN_ADDR_TEXT];
    cr_assert(kept(d, "acme")->in_force);
    cr_assert_str_eq(
        tn_addr_format(
            &vpc(d, "acme/net")->subnets[0].ports[0].host->config.underlay,
            text),
        "192.0.2.9");
    /* A host that is gone: the tenant is held. */
    file_write("inventories/lab/hosts.yml",
               HOSTS "    hv2: {tenet_underlay_address: 192.0.2.2}\n");
    d = compile(after(d));
    cr_assert(is_failed(d, "acme"));
    cr_assert_not(kept(d, "acme")->in_force);
    cr_assert(strstr(kept(d, "acme")->why, "hv1"), "%s", kept(d, "acme")->why);
    cr_assert_str_eq(kept(d, "acme")->good, good->commit);
    /* And healed again when it is back. */
    file_write("inventories/lab/hosts.yml",
               HOSTS "    hv1: {tenet_underlay_address: 192.0.2.1}\n"
                     "    hv2: {tenet_underlay_address: 192.0.2.2}\n");
    d = compile(after(d));
    cr_assert(kept(d, "acme")->in_force);
}

Test(keep, a_folder_that_goes_is_gone)
{
    struct done *good = compile(NULL);
    break_it("acme");
    struct done *d = compile(after(good));
    tn_sandbox_sh(&box, "rm -r r/tenants/acme");
    d = compile(after(d));
    cr_assert_eq(d->job.n_kept, 0);
    cr_assert_not(vpc(d, "acme/net"));
    cr_assert_eq(d->job.network->n_held, 0);
}

Test(keep, a_tenant_that_was_never_whole)
{
    struct done *good = compile(NULL);
    tn_sandbox_sh(&box, "mkdir r/tenants/new && echo 'no: [' "
                        ">r/tenants/new/x.yml");
    break_it("acme");
    struct done *d = compile(after(good));
    cr_assert(kept(d, "acme")->in_force);
    cr_assert_not(kept(d, "new")->in_force);
    cr_assert_not(kept(d, "new")->good);
    d = compile(after(d));
    cr_assert_not(kept(d, "new")->good);
}

Test(keep, a_folder_that_is_something_else_now)
{
    struct done *good = compile(NULL);
    tn_sandbox_sh(&box, "cd r/tenants && rm -r acme && ln -s beta acme");
    struct done *d = compile(after(good));
    cr_assert(kept(d, "acme")->in_force);
    cr_assert_eq(vni(d, "acme/net"), vni(good, "acme/net"));
}

Test(keep, a_good_commit_that_cannot_be_read)
{
    static const char lost[] = "0123456789012345678901234567890123456789";
    struct tn_kept acme = {.tenant = "acme", .since = lost, .good = lost};
    struct tn_keep known = {.tenants = &acme, .n_tenants = 1};
    break_it("acme");
    struct done *d = compile(&known);
    cr_assert(is_failed(d, "acme"));
    cr_assert_not(kept(d, "acme")->in_force);
    cr_assert_str_eq(kept(d, "acme")->good, lost);
    cr_assert(kept(d, "acme")->why);
    cr_assert_not(is_failed(d, "beta"));
}
