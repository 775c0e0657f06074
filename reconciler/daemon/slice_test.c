/* slice_test.c - where two networks differ on a device. */
#include <criterion/criterion.h>
#include <string.h>

#include "reconciler/daemon/slice.h"

enum { N = 4 };

/* a and b are peers, c is alone; d comes and goes and is a peer of c. */
struct world {
    struct tn_net_vpc vpcs[N];
    struct tn_net_peering peerings[N];
    struct tn_net_subnet subnets[N];
    const struct tn_net_vpc *list[N];
    struct tn_host host;
    struct tn_device device;
    struct tn_network network;
};

static void
world_make(struct world *w, size_t n)
{
    static const char *const scopes[N] = {"t/a", "t/b", "t/c", "t/d"};
    static const size_t peer[N] = {1, 0, 3, 2};
    *w = (struct world){0};
    for (size_t i = 0; i < N; i++) {
        w->subnets[i] = (struct tn_net_subnet){.vni = (uint32_t) i + 1};
        w->peerings[i] = (struct tn_net_peering){.peer = &w->vpcs[peer[i]]};
        w->vpcs[i] = (struct tn_net_vpc){.scope = scopes[i],
                                         .image = i + 100,
                                         .subnets = &w->subnets[i],
                                         .n_subnets = 1,
                                         .peerings = &w->peerings[i],
                                         .n_peerings = 1};
        w->list[i] = &w->vpcs[i];
    }
    w->device = (struct tn_device){
        .name = "hv1", .host = &w->host, .vpcs = w->list, .n_vpcs = n};
    w->network = (struct tn_network){.devices = &w->device, .n_devices = 1};
}

/* The scopes that differ, or "?". */
static const char *
changed(const struct world *a, const struct world *b, struct tn_arena *arena)
{
    struct tn_scope scope = {0};
    const char *out = "";
    if (!tn_slice_changed(&a->network, &b->network, "hv1", arena, &scope)) {
        return "?";
    }
    for (size_t i = 0; i < scope.n; i++) {
        out = tn_arena_printf(arena, "%s%s ", out, scope.names[i]);
    }
    return out;
}

Test(slice, says_where_two_networks_differ)
{
    struct tn_arena *arena = tn_arena_new();
    struct world a, b;
    const struct tn_tenant_result failed = {.name = "t", .failed = true};
    world_make(&a, 3);
    world_make(&b, 3);
    cr_expect_str_eq(changed(&a, &b, arena), "");
    b.vpcs[2].image = 7;
    cr_expect_str_eq(changed(&a, &b, arena), "t/c ");
    world_make(&b, 3);
    b.subnets[2].vni = 9;
    cr_expect_str_eq(changed(&a, &b, arena), "t/c ", "a number is not in it");
    world_make(&b, 3);
    b.vpcs[0].image = 7;
    cr_expect_str_eq(changed(&a, &b, arena), "t/a t/b ", "a peer sees it");
    world_make(&b, N);
    cr_expect_str_eq(changed(&a, &b, arena), "t/c t/d ", "one that comes");
    cr_expect_str_eq(changed(&b, &a, arena), "t/c t/d ", "and one that goes");
    world_make(&b, 3);
    a.vpcs[2].image = b.vpcs[2].image = 0;
    cr_expect_str_eq(changed(&a, &b, arena), "t/c ", "what is not known");
    world_make(&a, 3);
    b.network.world.b[0] = 1;
    cr_expect_str_eq(changed(&a, &b, arena), "?");
    world_make(&b, 3);
    b.network.tenants = &failed;
    b.network.n_tenants = 1;
    cr_expect_str_eq(changed(&a, &b, arena), "?");
    tn_arena_free(arena);
}

/* The cloud connects them: a member is not concerned by what a peer is. */
Test(slice, a_member_of_a_cloud_has_no_peers)
{
    struct tn_arena *arena = tn_arena_new();
    const struct tn_host cloud = {0};
    struct world a, b;
    world_make(&a, 1);
    world_make(&b, 1);
    b.vpcs[1].image = 7;
    cr_expect_str_eq(changed(&a, &b, arena), "t/a ");
    b.host.cloud = a.host.cloud = &cloud;
    cr_expect_str_eq(changed(&a, &b, arena), "");
    b.vpcs[0].image = 7;
    cr_expect_str_eq(changed(&a, &b, arena), "t/a ");
    world_make(&b, 0);
    b.host.cloud = &cloud;
    cr_expect_str_eq(changed(&a, &b, arena), "t/a ", "one that goes");
    tn_arena_free(arena);
}

Test(slice, a_device_in_part_has_the_peers)
{
    struct tn_arena *arena = tn_arena_new();
    const char *names[] = {"t/b", "t/x"};
    const struct tn_scope scope = {.names = names, .n = 2};
    struct world w;
    world_make(&w, 3);
    const struct tn_device *d = tn_slice_device(&w.device, &scope, arena);
    cr_assert_eq(d->n_vpcs, 2);
    cr_expect_str_eq(d->vpcs[0]->scope, "t/a");
    cr_expect_str_eq(d->vpcs[1]->scope, "t/b");
    cr_expect_str_eq(d->name, "hv1");
    cr_expect_eq(d->whole, &w.device);
    cr_expect_eq(tn_slice_device(d, &scope, arena)->whole, &w.device);
    tn_arena_free(arena);
}
