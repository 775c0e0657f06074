/* watch_plan.c - which namespaces concern a device.
 *
 * The underlay, one for each VPC, and those that ports lead to; in the last and
 * in the underlay only certain interfaces matter. */
#include "drivers/kernel/watch.h"

#include <stdlib.h>

static struct tn_k_watched *
space_add(struct tn_k_watch_plan *plan, const char *name)
{
    struct tn_k_watched *space =
        name[0] ? tn_map_get(&plan->by_name, name) : NULL;
    if (!space) {
        space = tn_new(plan->arena, struct tn_k_watched);
        space->name = tn_arena_strdup(plan->arena, name);
        space->nsid = -1;
        *tn_vec_push(plan->arena, &plan->all) = space;
        if (name[0]) {
            tn_map_put(&plan->by_name, space->name, space);
        }
    }
    return space;
}

static void
add_port(struct tn_k_watch_plan *plan, struct tn_k_watched *underlay,
         const char *scope, const struct tn_net_port *port)
{
    char name[TN_K_IFNAME];
    struct tn_k_watched *space =
        port->netns ? space_add(plan, port->netns) : underlay;
    *tn_vec_push(plan->arena, &space->ends) = (struct tn_k_end){
        .interface = tn_arena_strdup(plan->arena, port->interface),
        .scope = scope,
        .key = tn_arena_printf(plan->arena, "%s/port/%s", scope,
                               tn_k_ifname(TN_K_PORT, port->name, name)),
    };
}

static void
add_vpc(struct tn_k_watch_plan *plan, const struct tn_device *device,
        const struct tn_net_vpc *vpc, struct tn_k_watched *underlay)
{
    struct tn_k_watched *space =
        space_add(plan, tn_k_netns_name(plan->arena, device, vpc->scope));
    space->scope = tn_arena_strdup(plan->arena, vpc->scope);
    tn_map_put(&plan->quiet, space->scope, tn_new(plan->arena, bool));
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *subnet = &vpc->subnets[i];
        *tn_vec_push(plan->arena, &plan->vnis) = subnet->vni;
        for (size_t k = 0; k < subnet->n_ports; k++) {
            if (subnet->ports[k].host == device->host) {
                add_port(plan, underlay, space->scope, &subnet->ports[k]);
            }
        }
    }
}

static int
cmp_vni(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
    return (x > y) - (x < y);
}

void
tn_k_watch_plan_build(struct tn_k_watch_plan *plan,
                      const struct tn_device *device)
{
    const char *lab = device->host->config.kernel_netns;
    *plan = (struct tn_k_watch_plan){
        .arena = tn_arena_new(),
        .address = device->host->config.underlay,
        .vxlan_port = device->vxlan_port,
    };
    tn_map_init(&plan->by_name, plan->arena, 2 * device->n_vpcs);
    tn_map_init(&plan->quiet, plan->arena, device->n_vpcs + 1);
    tn_map_put(&plan->quiet, "", tn_new(plan->arena, bool));
    struct tn_k_watched *underlay = space_add(plan, lab ? lab : "");
    underlay->underlay = true;
    for (size_t i = 0; i < device->n_vpcs; i++) {
        add_vpc(plan, device, device->vpcs[i], underlay);
    }
    if (plan->vnis.n) {
        qsort(plan->vnis.items, plan->vnis.n, sizeof *plan->vnis.items,
              cmp_vni);
    }
}
