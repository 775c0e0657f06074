/* render.h - from a device's slice of the network to kernel objects. */
#ifndef TN_KERNEL_RENDER_H
#define TN_KERNEL_RENDER_H

#include "drivers/driver.h"
#include "drivers/kernel/object.h"
#include "drivers/kernel/virtual.h"
#include "model/base/map.h"

/* What the parts of rendering share. */
struct tn_k_render {
    const struct tn_device *device;
    struct tn_arena *arena;
    struct tn_diags *diags;
    struct tn_k_list list;
    struct tn_map far_ends; /* "netns/interface" to the port that has it. */
    const bool *usable;     /* By index of device->vpcs. */
};

/* One VPC while it is rendered. */
struct tn_k_render_vpc {
    struct tn_k_render *r;
    const struct tn_net_vpc *vpc;
    const char *ns;
    const char *netns_key;
};

/* What the entries for remote ports hang on. */
struct tn_k_render_subnet {
    const char *tunnel; /* Its description. */
    const char *bridge, *vxlan;
    const char *bridge_key, *vxlan_key;
};

/* render_port.c: the ports of one subnet, local and remote.  'names' gets the
 * interface of each local port. */
void tn_k_render_ports(struct tn_k_render_vpc *v,
                       const struct tn_net_subnet *subnet,
                       const struct tn_k_render_subnet *on, const char **names);
/* Virtual addresses whose holder is known. */
void tn_k_render_held(struct tn_k_render_vpc *v,
                      const struct tn_k_render_subnet *on,
                      const struct tn_k_virtual *virtual);

/* render_peer.c: this side of the VPC's peerings.  'names' gets the link of
 * each that is realised here. */
void tn_k_render_peerings(struct tn_k_render_vpc *v, const char **names);

/* An object's common part. */
static inline struct tn_k_object
tn_k_object_of(const struct tn_k_render_vpc *v, enum tn_k_kind kind)
{
    return (struct tn_k_object){kind, v->ns, v->vpc->scope, v->netns_key};
}

/* The driver's member. */
enum tn_code tn_k_render(const struct tn_device *device, struct tn_arena *arena,
                         const struct tn_state **out, struct tn_diags *diags,
                         struct tn_error *err) TN_MUST_USE;

#endif
