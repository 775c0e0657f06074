/* build.c - from a network and a plan to a graph.
 *
 * Changes of a plan are about resources of devices; a graph shows objects of
 * the intent.  What joins them is the line that asked for both.  An object that
 * goes has its line in the commit that was applied last, and lines move: so
 * what goes is looked up in that network, and never in the new one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"
#include "reconciler/graph/graph.h"

/* What a plan does to the resources that one line asks for. */
struct mark {
    size_t n_create, n_other;
    bool drift;
};

struct build {
    const struct tn_graph_input *in;
    struct tn_arena *arena;
    struct tn_graph *graph;
    struct tn_map wanted, removed; /* By scope and place: struct mark. */
    struct tn_map hosts;           /* By name: index + 1 in graph->hosts. */
    struct tn_map past, present;   /* By scope and name: anything. */
    struct tn_map vpcs;            /* By scope: index + 1 in graph->vpcs. */
};

const char *
tn_graph_state_name(enum tn_graph_state state)
{
    switch (state) {
    case TN_GRAPH_SAME:
        return "same";
    case TN_GRAPH_NEW:
        return "new";
    case TN_GRAPH_CHANGED:
        return "changed";
    case TN_GRAPH_GONE:
        return "gone";
    }
    return "?";
}

/* ------------------------------------------------------------- marks ---- */

static const char *
place_key(struct tn_arena *arena, const char *scope, struct tn_origin at)
{
    return tn_arena_printf(arena, "%s %s:%u:%u", scope, at.path ? at.path : "",
                           at.line, at.column);
}

static void
change_mark(struct build *b, const struct tn_change *c)
{
    bool gone = !c->after && c->half == TN_WHOLE;
    bool drift = c->cause == TN_CAUSE_DRIFT || c->cause == TN_CAUSE_BOTH;
    struct tn_map *map = gone ? &b->removed : &b->wanted;
    const char *key = place_key(b->arena, c->scope, c->origin);
    struct mark *mark = tn_map_get(map, key);
    if (!mark) {
        mark = tn_new(b->arena, struct mark);
        tn_map_put(map, key, mark);
    }
    mark->drift = mark->drift || drift;
    if (c->op == TN_OP_CREATE && c->half == TN_WHOLE && !drift) {
        mark->n_create++;
    } else {
        mark->n_other++;
    }
}

static void
device_mark(struct build *b, const struct tn_device_plan *plan)
{
    size_t at = (size_t) (uintptr_t) tn_map_get(&b->hosts, plan->device);
    if (at) {
        struct tn_graph_host *host = &b->graph->hosts.items[at - 1];
        host->n_changes = plan->n_changes;
        host->head.drift = plan->counts.drift > 0;
        host->error = plan->code ? plan->error : NULL;
        host->head.state = plan->n_changes ? TN_GRAPH_CHANGED : TN_GRAPH_SAME;
    }
    for (size_t i = 0; i < plan->n_changes; i++) {
        change_mark(b, &plan->changes[i]);
    }
}

/* Kind, scope and name: what an object is called in both networks. */
static const char *
name_key(struct tn_arena *arena, char kind, const char *scope, const char *name)
{
    return tn_arena_printf(arena, "%c %s %s", kind, scope, name);
}

/* What the plan does to an object of the new network. */
static struct tn_graph_head
head_of(struct build *b, char kind, const char *scope, const char *name,
        struct tn_origin at)
{
    struct tn_graph_head head = {.name = name, .at = at};
    const struct mark *mark =
        b->in->plan ? tn_map_get(&b->wanted, place_key(b->arena, scope, at))
                    : NULL;
    tn_map_put(&b->present, name_key(b->arena, kind, scope, name), b);
    if (mark) {
        bool is_new =
            b->in->past
                ? !tn_map_get(&b->past, name_key(b->arena, kind, scope, name))
                : mark->n_other == 0;
        head.state = is_new ? TN_GRAPH_NEW : TN_GRAPH_CHANGED;
        head.drift = mark->drift;
    }
    return head;
}

/* ----------------------------------------------------------- objects ---- */

static bool
is_wanted(const struct build *b, const struct tn_net_vpc *vpc)
{
    const char *only = b->in->vpc;
    return (!b->in->tenant || strcmp(b->in->tenant, vpc->tenant) == 0) &&
           (!only || strcmp(only, vpc->scope) == 0 ||
            strcmp(only, vpc->name) == 0);
}

static bool
is_here(const struct build *b, const char *host)
{
    return !b->in->host || strcmp(b->in->host, host) == 0;
}

static const char *
two_texts(struct tn_arena *arena, const char *a, const char *b)
{
    return *a && *b ? tn_arena_printf(arena, "%s, %s", a, b)
                    : tn_arena_strdup(arena, *a ? a : b);
}

static const char *
addr_text(const struct tn_addr *a, char buf[TN_ADDR_TEXT])
{
    return tn_addr_present(a) ? tn_addr_format(a, buf) : "";
}

static const char *
cidr_text(const struct tn_cidr *c, char buf[TN_CIDR_TEXT])
{
    return tn_addr_present(&c->addr) ? tn_cidr_format(c, buf) : "";
}

static struct tn_graph_port
port_of(struct build *b, const struct tn_net_port *p, struct tn_graph_head head)
{
    char one[TN_ADDR_TEXT], two[TN_ADDR_TEXT], mac[TN_MAC_TEXT];
    return (struct tn_graph_port){
        .head = head,
        .address = two_texts(b->arena, addr_text(&p->address, one),
                             addr_text(&p->address6, two)),
        .mac = tn_arena_strdup(b->arena, tn_mac_format(&p->mac, mac)),
        .host = p->host->raw.name};
}

static struct tn_graph_subnet
subnet_of(struct build *b, const struct tn_net_subnet *s,
          struct tn_graph_head head)
{
    char one[TN_CIDR_TEXT], two[TN_CIDR_TEXT];
    return (struct tn_graph_subnet){
        .head = head,
        .cidr = two_texts(b->arena, cidr_text(&s->cidr, one),
                          cidr_text(&s->cidr6, two)),
        .vni = s->vni};
}

static void
subnet_add(struct build *b, struct tn_graph_vpc *out, const char *scope,
           const struct tn_net_subnet *s)
{
    struct tn_graph_subnet *subnet = tn_vec_push(b->arena, &out->subnets);
    *subnet = subnet_of(b, s, head_of(b, 's', scope, s->name, s->origin));
    for (size_t i = 0; i < s->n_ports; i++) {
        const struct tn_net_port *p = &s->ports[i];
        if (is_here(b, p->host->raw.name)) {
            *tn_vec_push(b->arena, &subnet->ports) =
                port_of(b, p, head_of(b, 'p', scope, p->name, p->origin));
        }
    }
}

/* With --host, a VPC without ports there is left out. */
static void
vpc_add(struct build *b, const struct tn_net_vpc *vpc)
{
    struct tn_graph_vpc out = {.scope = vpc->scope, .tenant = vpc->tenant};
    size_t n = 0;
    if (!is_wanted(b, vpc)) {
        return;
    }
    out.head = head_of(b, 'v', vpc->scope, vpc->name, vpc->origin);
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        subnet_add(b, &out, vpc->scope, &vpc->subnets[i]);
        n += out.subnets.items[i].ports.n;
    }
    if (n || !b->in->host) {
        *tn_vec_push(b->arena, &b->graph->vpcs) = out;
        tn_map_put(&b->vpcs, vpc->scope, (void *) (uintptr_t) b->graph->vpcs.n);
    }
}

static void
peerings_add(struct build *b, const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &vpc->peerings[i];
        if (p->first && (is_wanted(b, vpc) || is_wanted(b, p->peer))) {
            *tn_vec_push(b->arena,
                         &b->graph->peerings) = (struct tn_graph_peering){
                .head = head_of(b, 'l', vpc->scope, p->peer->scope, p->origin),
                .a = vpc->scope,
                .b = p->peer->scope};
        }
    }
}

static void
host_add(struct build *b, const struct tn_host *h)
{
    char underlay[TN_ADDR_TEXT];
    const struct tn_host_config *c = &h->config;
    if (!c->driver || !is_here(b, h->raw.name)) {
        return;
    }
    *tn_vec_push(b->arena, &b->graph->hosts) = (struct tn_graph_host){
        .head = {.name = h->raw.name, .at = h->raw.at},
        .driver = c->driver,
        .site = c->site ? c->site : "",
        .cloud = h->cloud ? h->cloud->raw.name : NULL,
        .underlay =
            tn_arena_strdup(b->arena, addr_text(&c->underlay, underlay))};
    tn_map_put(&b->hosts, h->raw.name, (void *) (uintptr_t) b->graph->hosts.n);
}

/* ------------------------------------------------------------ ghosts ---- */

/* True if the object is not wanted any more and the plan removes it. */
static bool
is_gone(struct build *b, char kind, const char *scope, const char *name,
        struct tn_origin at)
{
    return !tn_map_get(&b->present, name_key(b->arena, kind, scope, name)) &&
           tn_map_get(&b->removed, place_key(b->arena, scope, at));
}

static struct tn_graph_head
ghost(const char *name, struct tn_origin at)
{
    return (struct tn_graph_head){
        .name = name, .at = at, .state = TN_GRAPH_GONE};
}

static struct tn_graph_vpc *
vpc_find(struct build *b, const struct tn_net_vpc *was)
{
    size_t at = (size_t) (uintptr_t) tn_map_get(&b->vpcs, was->scope);
    if (at) {
        return &b->graph->vpcs.items[at - 1];
    }
    struct tn_graph_vpc *vpc = tn_vec_push(b->arena, &b->graph->vpcs);
    *vpc = (struct tn_graph_vpc){.head = ghost(was->name, was->origin),
                                 .scope = was->scope,
                                 .tenant = was->tenant};
    tn_map_put(&b->vpcs, was->scope, (void *) (uintptr_t) b->graph->vpcs.n);
    return vpc;
}

static struct tn_graph_subnet *
subnet_find(struct build *b, struct tn_graph_vpc *vpc,
            const struct tn_net_subnet *was)
{
    for (size_t i = 0; i < vpc->subnets.n; i++) {
        if (strcmp(vpc->subnets.items[i].head.name, was->name) == 0) {
            return &vpc->subnets.items[i];
        }
    }
    struct tn_graph_subnet *subnet = tn_vec_push(b->arena, &vpc->subnets);
    *subnet = subnet_of(b, was, ghost(was->name, was->origin));
    return subnet;
}

static void
subnet_ghosts(struct build *b, const struct tn_net_vpc *vpc,
              const struct tn_net_subnet *s)
{
    if (is_gone(b, 's', vpc->scope, s->name, s->origin)) {
        (void) subnet_find(b, vpc_find(b, vpc), s);
    }
    for (size_t i = 0; i < s->n_ports; i++) {
        const struct tn_net_port *p = &s->ports[i];
        if (is_here(b, p->host->raw.name) &&
            is_gone(b, 'p', vpc->scope, p->name, p->origin)) {
            struct tn_graph_subnet *in = subnet_find(b, vpc_find(b, vpc), s);
            *tn_vec_push(b->arena, &in->ports) =
                port_of(b, p, ghost(p->name, p->origin));
        }
    }
}

static void
ghosts_add(struct build *b)
{
    const struct tn_network *past = b->in->past;
    for (size_t i = 0; i < past->n_vpcs; i++) {
        const struct tn_net_vpc *vpc = past->vpcs[i];
        if (!is_wanted(b, vpc)) {
            continue;
        }
        if (is_gone(b, 'v', vpc->scope, vpc->name, vpc->origin)) {
            (void) vpc_find(b, vpc);
        }
        for (size_t k = 0; k < vpc->n_subnets; k++) {
            subnet_ghosts(b, vpc, &vpc->subnets[k]);
        }
        for (size_t k = 0; k < vpc->n_peerings; k++) {
            const struct tn_net_peering *p = &vpc->peerings[k];
            if (p->first &&
                is_gone(b, 'l', vpc->scope, p->peer->scope, p->origin)) {
                *tn_vec_push(b->arena, &b->graph->peerings) =
                    (struct tn_graph_peering){
                        .head = ghost(p->peer->scope, p->origin),
                        .a = vpc->scope,
                        .b = p->peer->scope};
            }
        }
    }
}

/* ------------------------------------------------------------- whole ---- */

static void
past_index(struct build *b)
{
    const struct tn_network *past = b->in->past;
    for (size_t i = 0; past && i < past->n_vpcs; i++) {
        const struct tn_net_vpc *v = past->vpcs[i];
        tn_map_put(&b->past, name_key(b->arena, 'v', v->scope, v->name), b);
        for (size_t k = 0; k < v->n_peerings; k++) {
            tn_map_put(
                &b->past,
                name_key(b->arena, 'l', v->scope, v->peerings[k].peer->scope),
                b);
        }
        for (size_t k = 0; k < v->n_subnets; k++) {
            const struct tn_net_subnet *s = &v->subnets[k];
            tn_map_put(&b->past, name_key(b->arena, 's', v->scope, s->name), b);
            for (size_t m = 0; m < s->n_ports; m++) {
                tn_map_put(&b->past,
                           name_key(b->arena, 'p', v->scope, s->ports[m].name),
                           b);
            }
        }
    }
}

static int
cmp_vpc(const void *a, const void *b)
{
    return strcmp(((const struct tn_graph_vpc *) a)->scope,
                  ((const struct tn_graph_vpc *) b)->scope);
}

static int
cmp_subnet(const void *a, const void *b)
{
    return strcmp(((const struct tn_graph_subnet *) a)->head.name,
                  ((const struct tn_graph_subnet *) b)->head.name);
}

static int
cmp_port(const void *a, const void *b)
{
    return strcmp(((const struct tn_graph_port *) a)->head.name,
                  ((const struct tn_graph_port *) b)->head.name);
}

static bool
is_marked(const struct tn_graph_head *head)
{
    return head->state != TN_GRAPH_SAME || head->drift;
}

static const struct tn_graph_host *
host_count(struct build *b, const char *host, struct tn_graph_vpc *vpc,
           struct tn_map *seen)
{
    size_t at = host ? (size_t) (uintptr_t) tn_map_get(&b->hosts, host) : 0;
    if (!at) {
        return NULL;
    }
    struct tn_graph_host *h = &b->graph->hosts.items[at - 1];
    h->n_ports++;
    h->n_vpcs += tn_map_put(seen, host, vpc) != vpc;
    return h;
}

static void
subnet_count(struct build *b, struct tn_graph_vpc *vpc,
             struct tn_graph_subnet *subnet, struct tn_map *seen)
{
    struct tn_graph *g = b->graph;
    if (subnet->ports.n) {
        qsort(subnet->ports.items, subnet->ports.n, sizeof *subnet->ports.items,
              cmp_port);
    }
    vpc->n_ports += subnet->ports.n;
    vpc->n_marked += is_marked(&subnet->head);
    g->n_subnets++;
    for (size_t i = 0; i < subnet->ports.n; i++) {
        const struct tn_graph_port *p = &subnet->ports.items[i];
        vpc->n_marked += is_marked(&p->head);
        const struct tn_graph_host *on = host_count(b, p->host, vpc, seen);
        if (on && on->cloud) { /* It is in there as well. */
            host_count(b, on->cloud, vpc, seen);
        }
    }
}

static void
finish(struct build *b)
{
    struct tn_graph *g = b->graph;
    struct tn_map seen; /* Host to the last VPC that was counted there. */
    tn_map_init(&seen, b->arena, g->hosts.n);
    if (g->vpcs.n) {
        qsort(g->vpcs.items, g->vpcs.n, sizeof *g->vpcs.items, cmp_vpc);
    }
    for (size_t i = 0; i < g->vpcs.n; i++) {
        struct tn_graph_vpc *vpc = &g->vpcs.items[i];
        if (vpc->subnets.n) {
            qsort(vpc->subnets.items, vpc->subnets.n,
                  sizeof *vpc->subnets.items, cmp_subnet);
        }
        for (size_t k = 0; k < vpc->subnets.n; k++) {
            subnet_count(b, vpc, &vpc->subnets.items[k], &seen);
        }
        g->n_ports += vpc->n_ports;
    }
}

struct tn_graph *
tn_graph_build(struct tn_arena *arena, const struct tn_graph_input *input)
{
    const struct tn_network *net = input->network;
    struct build b = {
        .in = input, .arena = arena, .graph = tn_new(arena, struct tn_graph)};
    b.graph->arena = arena;
    b.graph->title = input->title;
    b.graph->planned = input->plan != NULL;
    tn_map_init(&b.wanted, arena, 0);
    tn_map_init(&b.removed, arena, 0);
    tn_map_init(&b.hosts, arena, net->inventory->n_hosts);
    tn_map_init(&b.past, arena, 0);
    tn_map_init(&b.present, arena, 0);
    tn_map_init(&b.vpcs, arena, net->n_vpcs);
    for (size_t i = 0; i < net->inventory->n_hosts; i++) {
        host_add(&b, &net->inventory->hosts[i]);
    }
    past_index(&b);
    for (size_t i = 0; input->plan && i < input->plan->n_devices; i++) {
        device_mark(&b, input->plan->devices[i]);
    }
    for (size_t i = 0; i < net->n_vpcs; i++) {
        vpc_add(&b, net->vpcs[i]);
        peerings_add(&b, net->vpcs[i]);
    }
    if (input->plan && input->past) {
        ghosts_add(&b);
    }
    finish(&b);
    return b.graph;
}
