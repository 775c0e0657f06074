/* attrs.c - from the driver's own objects to resources of the core.
 *
 * The only place where attributes get their text, for wanted and for observed
 * objects alike.  Called for each object of a state, so it composes by hand
 * (format.h) and shares constant texts.  Attributes are listed in the order of
 * their names, which the core relies on. */
#include "drivers/kernel/format.h"
#include "drivers/kernel/object.h"

#include <assert.h>
#include <stdlib.h>

#define UPDATE TN_ATTR_UPDATE
#define REPLACE TN_ATTR_REPLACE

static const char *const none = "none";

/* By bit of enum tn_k_option. */
static const char *const option_names[] = {
    "stp",
    "multicast-snooping",
    "vlan-filtering",
    "learning",
    "flood",
    "multicast-flood",
    "broadcast-flood",
    "neigh-suppress",
    "hairpin",
    "isolated",
    "guard",
    "locked",
    "vxlan-learning",
    "vxlan-proxy",
    "blocked",
};

int
tn_k_cmp_cidr(const void *a, const void *b)
{
    return tn_cidr_cmp(a, b);
}

int
tn_k_cmp_addr(const void *a, const void *b)
{
    return tn_addr_cmp(a, b);
}

int
tn_k_cmp_mac(const void *a, const void *b)
{
    return tn_mac_cmp(a, b);
}

static const char *
number(struct tn_arena *arena, uint64_t v)
{
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    tn_k_str_add_uint(&t, v);
    return tn_k_str_end(&t);
}

static const char *
mac_text(struct tn_arena *arena, const struct tn_mac *mac)
{
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    tn_k_str_add_mac(&t, mac);
    return tn_k_str_end(&t);
}

static const char *
macs_text(struct tn_arena *arena, const struct tn_mac *macs, size_t n)
{
    if (n == 0) {
        return none;
    }
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    for (size_t i = 0; i < n; i++) {
        tn_k_str_sep(&t, 0);
        tn_k_str_add_mac(&t, &macs[i]);
    }
    return tn_k_str_end(&t);
}

static const char *
addr_text(struct tn_arena *arena, const struct tn_addr *a)
{
    if (!tn_addr_present(a)) {
        return none;
    }
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    tn_k_str_add_addr(&t, a);
    return tn_k_str_end(&t);
}

static const char *
addrs_text(struct tn_arena *arena, const struct tn_addr *addrs, size_t n)
{
    if (n == 0) {
        return none;
    }
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    for (size_t i = 0; i < n; i++) {
        tn_k_str_sep(&t, 0);
        tn_k_str_add_addr(&t, &addrs[i]);
    }
    return tn_k_str_end(&t);
}

static const char *
cidrs_text(struct tn_arena *arena, const struct tn_cidr *cidrs, size_t n)
{
    if (n == 0) {
        return none;
    }
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    for (size_t i = 0; i < n; i++) {
        tn_k_str_sep(&t, 0);
        tn_k_str_add_cidr(&t, &cidrs[i]);
    }
    return tn_k_str_end(&t);
}

static const char *
options_text(struct tn_arena *arena, uint16_t options)
{
    switch ((int) options) {
    case TN_K_BRIDGE_OPTIONS:
        return none;
    case TN_K_PORT_OPTIONS:
        return "multicast-flood, broadcast-flood";
    case TN_K_VXLAN_OPTIONS:
        return "multicast-flood, broadcast-flood, neigh-suppress";
    default:
        break;
    }
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    for (size_t i = 0; i < TN_ARRAY_SIZE(option_names); i++) {
        if (options & (1u << i)) {
            tn_k_str_sep(&t, 0);
            tn_k_str_add(&t, option_names[i]);
        }
    }
    return tn_k_str_end(&t);
}

static const char *
state_text(bool up)
{
    return up ? "up" : "down";
}

static const char *
link_state(const struct tn_k_link *link)
{
    return link->leaving ? "leaving" : state_text(link->up);
}

const char *
tn_k_tunnel(struct tn_arena *arena, uint32_t vni, const struct tn_addr *local,
            uint16_t port)
{
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    tn_k_str_add(&t, "vni ");
    tn_k_str_add_uint(&t, vni);
    tn_k_str_add(&t, " from ");
    tn_k_str_add_addr(&t, local);
    tn_k_str_addc(&t, ':');
    tn_k_str_add_uint(&t, port);
    return tn_k_str_end(&t);
}

/* Starts "<scope>/<kind>"; the caller may add more. */
static void
key_start(struct tn_k_str *t, struct tn_arena *arena,
          const struct tn_k_object *o, const char *kind)
{
    tn_k_str_init(t, arena);
    tn_k_str_add(t, o->scope);
    tn_k_str_addc(t, '/');
    tn_k_str_add(t, kind);
}

static void
fill(struct tn_resource *r, const char *kind, enum tn_k_rank rank,
     const struct tn_attr *attrs, size_t n)
{
    r->kind = kind;
    r->rank = (uint16_t) rank;
    r->attrs = attrs;
    r->n_attrs = n;
}

/* Key "<scope>/<kind>/<name>", and the name within it. */
static void
fill_key(struct tn_resource *r, struct tn_arena *arena,
         const struct tn_k_object *o, const char *kind, const char *name)
{
    struct tn_k_str t;
    key_start(&t, arena, o, kind);
    tn_k_str_addc(&t, '/');
    size_t at = t.n;
    tn_k_str_add(&t, name);
    r->key = tn_k_str_end(&t);
    r->name = r->key + at;
}

static struct tn_attr *
attrs_copy(struct tn_arena *arena, const struct tn_attr *attrs, size_t size)
{
    struct tn_attr *copy = tn_arena_alloc(arena, size);
    memcpy(copy, attrs, size);
    return copy;
}

/* Attributes from a local array: 'a' must be one. */
#define FILL(r, arena, kind, rank, a)                                          \
    fill((r), (kind), (rank), attrs_copy((arena), (a), sizeof(a)),             \
         TN_ARRAY_SIZE(a))

static void
netns(struct tn_arena *arena, const struct tn_k_netns *o, struct tn_resource *r)
{
    const struct tn_attr a[] = {
        {"file", o->o.ns, REPLACE, false},
        {"sysctls", o->sysctls, UPDATE, false},
    };
    FILL(r, arena, "netns", TN_K_RANK_NETNS, a);
    struct tn_k_str t;
    key_start(&t, arena, &o->o, "netns");
    r->key = tn_k_str_end(&t);
    r->name = o->o.ns;
}

static void
stray(struct tn_arena *arena, const struct tn_k_stray *o, struct tn_resource *r)
{
    const struct tn_attr a[] = {{"file", o->o.ns, REPLACE, false}};
    FILL(r, arena, "stray-netns", TN_K_RANK_NETNS, a);
    fill_key(r, arena, &o->o, "stray-netns", o->o.ns);
}

static void
bridge(struct tn_arena *arena, const struct tn_k_bridge *o,
       struct tn_resource *r)
{
    const struct tn_attr a[] = {
        {"addresses", cidrs_text(arena, o->addrs, o->n_addrs), UPDATE, false},
        {"mac", mac_text(arena, &o->mac), UPDATE, false},
        {"mtu", number(arena, o->link.mtu), UPDATE, false},
        {"options", options_text(arena, o->link.options), UPDATE, false},
        {"state", link_state(&o->link), UPDATE, false},
    };
    FILL(r, arena, "bridge", TN_K_RANK_BRIDGE, a);
    fill_key(r, arena, &o->o, "bridge", o->link.name);
}

static void
vxlan(struct tn_arena *arena, const struct tn_k_vxlan *o, struct tn_resource *r)
{
    const struct tn_attr a[] = {
        {"flood", addrs_text(arena, o->flood, o->n_flood), UPDATE, false},
        {"master", o->link.master, UPDATE, false},
        {"mtu", number(arena, o->link.mtu), UPDATE, false},
        {"options", options_text(arena, o->link.options), UPDATE, false},
        {"state", link_state(&o->link), UPDATE, false},
        {"tunnel", o->tunnel, REPLACE, false},
    };
    FILL(r, arena, "vxlan", TN_K_RANK_VXLAN, a);
    fill_key(r, arena, &o->o, "vxlan", o->link.name);
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    tn_k_str_add(&t, "vni ");
    tn_k_str_add_uint(&t, o->vni);
    r->claim = tn_k_str_end(&t);
}

static void
port_tap(struct tn_arena *arena, const struct tn_k_port *o,
         struct tn_resource *r)
{
    const struct tn_attr a[] = {
        {"fdb", macs_text(arena, o->fdb, o->n_fdb), UPDATE, false},
        {"interface", o->interface, REPLACE, false},
        {"master", o->link.master, UPDATE, false},
        {"mtu", number(arena, o->link.mtu), UPDATE, false},
        {"options", options_text(arena, o->link.options), UPDATE, false},
        {"state", link_state(&o->link), UPDATE, false},
    };
    FILL(r, arena, "port", TN_K_RANK_TAP, a);
}

static void
port_veth(struct tn_arena *arena, const struct tn_k_port *o,
          struct tn_resource *r)
{
    bool same_mtu = o->far_mtu == o->link.mtu;
    const char *mtu = number(arena, o->link.mtu);
    const struct tn_attr a[] = {
        {"addresses", cidrs_text(arena, o->addrs, o->n_addrs), UPDATE, false},
        {"default-routes", addrs_text(arena, o->routers, o->n_routers), UPDATE,
         false},
        {"fdb", macs_text(arena, o->fdb, o->n_fdb), UPDATE, false},
        {"interface", o->interface, REPLACE, false},
        {"interface-mtu", same_mtu ? mtu : number(arena, o->far_mtu), UPDATE,
         false},
        {"interface-state", state_text(o->far_up), UPDATE, false},
        {"mac", mac_text(arena, &o->mac), UPDATE, false},
        {"master", o->link.master, UPDATE, false},
        {"mtu", mtu, UPDATE, false},
        {"netns", o->netns, REPLACE, false},
        {"options", options_text(arena, o->link.options), UPDATE, false},
        {"state", link_state(&o->link), UPDATE, false},
    };
    FILL(r, arena, "port", TN_K_RANK_PORT, a);
}

/* Two ports cannot share an interface: one that is to be plugged in elsewhere
 * leaves its old place first. */
static const char *
interface_claim(struct tn_arena *arena, const char *netns,
                const char *interface)
{
    if (!interface || strcmp(interface, "unknown") == 0 ||
        (netns && strcmp(netns, "unknown") == 0)) {
        return NULL;
    }
    struct tn_k_str t;
    tn_k_str_init(&t, arena);
    tn_k_str_add(&t, "interface ");
    tn_k_str_add(&t, netns ? netns : "");
    tn_k_str_addc(&t, '/');
    tn_k_str_add(&t, interface);
    return tn_k_str_end(&t);
}

static void
port(struct tn_arena *arena, const struct tn_k_port *o, struct tn_resource *r)
{
    r->claim = interface_claim(arena, o->netns, o->interface);
    if (o->netns) {
        port_veth(arena, o, r);
    } else {
        port_tap(arena, o, r);
    }
    fill_key(r, arena, &o->o, "port", o->link.name);
    if (o->full_name) {
        r->name = o->full_name;
    }
}

static void
peering(struct tn_arena *arena, const struct tn_k_peering *o,
        struct tn_resource *r)
{
    struct tn_cidr address = o->address;
    const struct tn_attr a[] = {
        {"addresses",
         cidrs_text(arena, &address, tn_addr_present(&address.addr)), UPDATE,
         false},
        {"mtu", number(arena, o->link.mtu), UPDATE, false},
        {"peer", o->peer_scope, REPLACE, false},
        {"routes", cidrs_text(arena, o->routes, o->n_routes), UPDATE, false},
        {"state", o->renamed ? "renamed" : link_state(&o->link), UPDATE, false},
    };
    FILL(r, arena, "peering",
         o->second ? TN_K_RANK_PEERING_END : TN_K_RANK_PEERING, a);
    fill_key(r, arena, &o->o, "peering", o->link.name);
}

static void
fdb(struct tn_arena *arena, const struct tn_k_fdb *o, struct tn_resource *r)
{
    const struct tn_attr a[] = {
        {"bridged", o->bridged ? "yes" : "no", UPDATE, false},
        {"tunnel", o->tunnel, REPLACE, false},
        {"vtep", o->bare ? "not ours" : addr_text(arena, &o->vtep), UPDATE,
         false},
    };
    FILL(r, arena, "fdb", TN_K_RANK_FDB, a);
    struct tn_k_str t;
    key_start(&t, arena, &o->o, "fdb/");
    tn_k_str_add(&t, o->vxlan);
    tn_k_str_addc(&t, '/');
    size_t at = t.n;
    tn_k_str_add_mac(&t, &o->mac);
    r->key = tn_k_str_end(&t);
    r->name = r->key + at;
}

static void
neighbour(struct tn_arena *arena, const struct tn_k_neighbour *o,
          struct tn_resource *r)
{
    const struct tn_attr a[] = {
        {"mac", mac_text(arena, &o->mac), UPDATE, false},
        {"state", o->permanent ? "permanent" : "temporary", UPDATE, false},
    };
    FILL(r, arena, "neighbour", TN_K_RANK_NEIGHBOUR, a);
    struct tn_k_str t;
    key_start(&t, arena, &o->o, "neighbour/");
    tn_k_str_add(&t, o->bridge);
    tn_k_str_addc(&t, '/');
    size_t at = t.n;
    tn_k_str_add_addr(&t, &o->addr);
    r->key = tn_k_str_end(&t);
    r->name = r->key + at;
}

static void
route(struct tn_arena *arena, const struct tn_k_route *o, struct tn_resource *r)
{
    const struct tn_attr a[] = {
        {"link", o->link, UPDATE, false},
        {"via", o->note ? o->note : addr_text(arena, &o->via), UPDATE, false},
    };
    FILL(r, arena, "route", TN_K_RANK_ROUTE, a);
    struct tn_k_str t;
    key_start(&t, arena, &o->o, "route/");
    size_t at = t.n;
    tn_k_str_add_cidr(&t, &o->to);
    if (o->metric) {
        tn_k_str_add(&t, " metric ");
        tn_k_str_add_uint(&t, o->metric);
    }
    if (o->tos) {
        tn_k_str_add(&t, " tos ");
        tn_k_str_add_uint(&t, o->tos);
    }
    if (o->table) {
        tn_k_str_add(&t, " table ");
        tn_k_str_add_uint(&t, o->table);
    }
    r->key = tn_k_str_end(&t);
    r->name = r->key + at;
}

static void
address(struct tn_arena *arena, const struct tn_k_address *o,
        struct tn_resource *r)
{
    const struct tn_attr a[] = {{"link", o->link, REPLACE, false}};
    FILL(r, arena, "address", TN_K_RANK_BRIDGE, a);
    struct tn_k_str t;
    key_start(&t, arena, &o->o, "address/");
    tn_k_str_add(&t, o->link);
    tn_k_str_addc(&t, '/');
    size_t at = t.n;
    tn_k_str_add_cidr(&t, &o->addr);
    r->key = tn_k_str_end(&t);
    r->name = r->key + at;
}

static void
other_link(struct tn_arena *arena, const struct tn_k_foreign *o,
           struct tn_resource *r)
{
    const struct tn_attr a[] = {
        {"mtu", number(arena, o->link.mtu), UPDATE, false},
        {"state", link_state(&o->link), UPDATE, false},
        {"type", o->type, REPLACE, false},
    };
    FILL(r, arena, "link", TN_K_RANK_BRIDGE, a);
    fill_key(r, arena, &o->o, o->key_kind, o->link.name);
    r->claim = interface_claim(arena, o->netns, o->interface);
    if (strcmp(o->link.master, none) != 0) {
        struct tn_k_str t;
        tn_k_str_init(&t, arena);
        tn_k_str_add(&t, o->link.name);
        tn_k_str_add(&t, " in bridge ");
        tn_k_str_add(&t, o->link.master);
        r->name = tn_k_str_end(&t);
    }
    if (o->vni) {
        struct tn_k_str t;
        tn_k_str_init(&t, arena);
        tn_k_str_add(&t, "vni ");
        tn_k_str_add_uint(&t, o->vni);
        r->claim = tn_k_str_end(&t);
    }
}

static void
rules(struct tn_arena *arena, const struct tn_k_rules *o, struct tn_resource *r)
{
    fill(r, "nft", TN_K_RANK_NFT, o->rules->attrs, o->rules->n_attrs);
    struct tn_k_str t;
    key_start(&t, arena, &o->o, "nft");
    r->key = tn_k_str_end(&t);
    r->name = "rules";
}

static void
table(struct tn_arena *arena, const struct tn_k_foreign_table *o,
      struct tn_resource *r)
{
    fill(r, "nft-table", TN_K_RANK_NFT, NULL, 0);
    fill_key(r, arena, &o->o, "nft-table", o->name);
}

static void
hook(struct tn_arena *arena, const struct tn_k_hook *o, struct tn_resource *r)
{
    fill(r, o->kind, TN_K_RANK_ROUTE, NULL, 0);
    fill_key(r, arena, &o->o, o->kind, o->name);
}

void
tn_k_resource(struct tn_arena *arena, const struct tn_k_object *object,
              struct tn_resource *out)
{
    const void *o = object;
    out->scope = object->scope;
    out->claim = NULL;
    out->parent = object->parent;
    out->native = object;
    switch (object->kind) {
    case TN_K_NETNS:
        netns(arena, o, out);
        break;
    case TN_K_NETNS_STRAY:
        stray(arena, o, out);
        break;
    case TN_K_OBJ_BRIDGE:
        bridge(arena, o, out);
        break;
    case TN_K_OBJ_VXLAN:
        vxlan(arena, o, out);
        break;
    case TN_K_OBJ_PORT:
        port(arena, o, out);
        break;
    case TN_K_OBJ_PEERING:
        peering(arena, o, out);
        break;
    case TN_K_OBJ_FDB:
        fdb(arena, o, out);
        break;
    case TN_K_OBJ_NEIGHBOUR:
        neighbour(arena, o, out);
        break;
    case TN_K_OBJ_ROUTE:
        route(arena, o, out);
        break;
    case TN_K_OBJ_LINK:
        other_link(arena, o, out);
        break;
    case TN_K_OBJ_ADDRESS:
        address(arena, o, out);
        break;
    case TN_K_OBJ_RULES:
        rules(arena, o, out);
        break;
    case TN_K_OBJ_TABLE:
        table(arena, o, out);
        break;
    case TN_K_OBJ_HOOK:
        hook(arena, o, out);
        break;
    }
}

const char *
tn_k_list_add(struct tn_k_list *list, const struct tn_k_object *object,
              enum tn_owner owner, struct tn_origin origin)
{
    struct tn_resource *r = tn_vec_push(list->arena, &list->items);
    r->owner = owner;
    r->origin = origin;
    tn_k_resource(list->arena, object, r);
    return r->key;
}
