/* render_test.c - what the network of kernel_lab.h becomes on its hosts.
 *
 * The golden files hold every resource but the packet rules, which have goldens
 * of their own.  TN_UPDATE_GOLDENS=1 writes them anew; read the difference. */
#include "drivers/kernel/kernel_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/kernel/kernel.h"
#include "model/base/text.h"

#define GOLDEN "drivers/kernel/render_golden/"

static const struct tn_state *
render(struct tn_arena *arena, const struct tn_device *device,
       struct tn_diags *diags)
{
    const struct tn_state *state = NULL;
    struct tn_error err = {0};
    tn_diags_init(diags, arena);
    cr_assert(tn_driver_kernel.render(device, arena, &state, diags, &err) ==
              TN_OK);
    return state;
}

static void
print(const struct tn_state *state, struct tn_text *out)
{
    for (size_t i = 0; i < state->n; i++) {
        const struct tn_resource *r = &state->items[i];
        tn_text_addf(out, "%s\n    %s %s, rank %u, line %u:%u", r->key, r->kind,
                     r->name, r->rank, r->origin.line, r->origin.column);
        tn_text_addf(out, "%s%s%s%s\n", r->claim ? ", claims " : "",
                     r->claim ? r->claim : "", r->parent ? ", on " : "",
                     r->parent ? r->parent : "");
        for (size_t k = 0; k < r->n_attrs && strcmp(r->kind, "nft") != 0; k++) {
            tn_text_addf(
                out, "    %s: %s%s\n", r->attrs[k].name, r->attrs[k].value,
                r->attrs[k].change == TN_ATTR_REPLACE ? " (replace)" : "");
        }
    }
}

static void
compare(const char *path, const char *text)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text want = {0};
    char line[1024];
    if (getenv("TN_UPDATE_GOLDENS")) {
        FILE *f = fopen(path, "w");
        cr_assert_not_null(f);
        fputs(text, f);
        fclose(f);
    }
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f, "%s", path);
    while (fgets(line, sizeof line, f)) {
        tn_text_add(&want, line);
    }
    fclose(f);
    cr_expect_str_eq(text, tn_text_str(&want), "differs from %s", path);
}

Test(render, goldens)
{
    static const struct {
        const char *path;
        int host;
        struct tn_k_lab_change change;
    } rows[] = {{GOLDEN "hv1.txt", 0, {0}},
                {GOLDEN "hv2.txt", 1, {0}},
                {GOLDEN "virtual.txt", 0, {.with_virtual = true}}};
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
        struct tn_diags diags;
        print(render(arena,
                     tn_k_lab_device(arena, rows[i].host, &rows[i].change),
                     &diags),
              &text);
        cr_assert(diags.n_errors == 0);
        compare(rows[i].path, tn_text_str(&text));
    }
}

/* A copy of the lab's device whose VPC 'i' may be changed. */
static struct tn_device *
changeable(struct tn_arena *arena, size_t i, struct tn_net_vpc **vpc)
{
    const struct tn_device *lab = tn_k_lab_device(arena, 0, NULL);
    struct tn_device *d = tn_new(arena, struct tn_device);
    const struct tn_net_vpc **vpcs =
        tn_new_n(arena, const struct tn_net_vpc *, lab->n_vpcs);
    *d = *lab;
    memcpy(vpcs, lab->vpcs, lab->n_vpcs * sizeof *vpcs);
    *vpc = tn_new(arena, struct tn_net_vpc);
    **vpc = *lab->vpcs[i];
    vpcs[i] = *vpc;
    d->vpcs = vpcs;
    return d;
}

static size_t
count_scope(const struct tn_state *state, const char *scope)
{
    size_t n = 0;
    for (size_t i = 0; i < state->n; i++) {
        n += strcmp(state->items[i].scope, scope) == 0;
    }
    return n;
}

Test(render, only_vxlan)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_diags diags;
    struct tn_net_vpc *vpc = NULL;
    const struct tn_device *d = changeable(arena, 0, &vpc);
    vpc->encapsulation = TN_ENCAP_GENEVE;
    const struct tn_state *state = render(arena, d, &diags);
    cr_assert(diags.n_errors == 1);
    cr_assert_str_eq(diags.list.items[0].tenant, "acme");
    cr_assert(diags.list.items[0].at.line == 1);
    cr_assert(count_scope(state, "acme/lab") == 0);
    /* The others are there, without links to it. */
    cr_assert(count_scope(state, "acme/web") > 0);
    cr_assert(count_scope(state, "corp/web") > 0);
    for (size_t i = 0; i < state->n; i++) {
        cr_assert_str_neq(state->items[i].kind, "peering");
    }
}

Test(render, no_dhcp)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    static const struct tn_net_dhcp dhcp = {.lease_time = 60,
                                            .origin = {"x.yml", 9, 13}};
    struct tn_diags diags;
    struct tn_net_vpc *vpc = NULL;
    const struct tn_device *d = changeable(arena, 0, &vpc);
    struct tn_net_subnet *s =
        tn_new_n(arena, struct tn_net_subnet, vpc->n_subnets);
    memcpy(s, vpc->subnets, vpc->n_subnets * sizeof *s);
    s[0].dhcp = &dhcp;
    vpc->subnets = s;
    const struct tn_state *state = render(arena, d, &diags);
    cr_assert(diags.n_errors == 1);
    cr_expect(strstr(diags.list.items[0].message, "cannot serve DHCP"));
    cr_expect_eq(diags.list.items[0].at.line, 9);
    cr_expect_eq(count_scope(state, "acme/lab"), 0);
    cr_expect(count_scope(state, "acme/web") > 0);
}

static const struct {
    const char *netns, *interface, *said;
} attachments[] = {
    {"web1", "sixteen-letters-", "longer than 15"},
    {"hv1.tn.acme.web", "eth0", "one of a VPC"},
    {"x1", "eth0", "port web1 already"},
};

Test(render, attachments)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(attachments); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct tn_diags diags;
        struct tn_net_vpc *vpc = NULL;
        const struct tn_device *d = changeable(arena, 1, &vpc);
        struct tn_net_subnet *s = tn_new_n(arena, struct tn_net_subnet, 2);
        struct tn_net_port *p = tn_new_n(arena, struct tn_net_port, 2);
        memcpy(s, vpc->subnets, 2 * sizeof *s);
        memcpy(p, s[1].ports, s[1].n_ports * sizeof *p);
        p[0].netns = attachments[i].netns;
        p[0].interface = attachments[i].interface;
        s[1].ports = p;
        vpc->subnets = s;
        render(arena, d, &diags);
        cr_assert(diags.n_errors == 1, "%zu: %zu", i, diags.n_errors);
        cr_assert(strstr(diags.list.items[0].message, attachments[i].said),
                  "%s", diags.list.items[0].message);
    }
}
