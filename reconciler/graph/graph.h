/* graph.h - the network as a picture.
 *
 *     tn_graph_build()   network, plan and what was applied last, to a graph
 *     tn_graph_dot()     the graph as DOT, the language of graphviz
 *     tn_graph_json()    the graph as JSON
 *     tn_graph_svg()     DOT to SVG, by graphviz as a child process
 *
 * What is shown is what a person can read.  Few ports: each is a row of its
 * VPC's card, with an edge to its host.  More: no edges, ports that nothing
 * happens to are counted by host.  Still more: a card is a tenant, a row a VPC.
 * What is about to change is always a row of its own.
 *
 * Building and printing are pure.  Equal inputs give equal texts. */
#ifndef TN_GRAPH_GRAPH_H
#define TN_GRAPH_GRAPH_H

#include "model/compile/network.h"
#include "reconciler/plan/plan.h"

/* What is about to happen to an object. */
enum tn_graph_state {
    TN_GRAPH_SAME,
    TN_GRAPH_NEW,     /* Will be created: a ghost, dashed. */
    TN_GRAPH_CHANGED, /* Will change. */
    TN_GRAPH_GONE,    /* Will be removed: a ghost, dashed. */
};

/* What all objects have.  Texts live in the arena of the graph or are borrowed
 * from what it was built of. */
struct tn_graph_head {
    const char *name;
    struct tn_origin at; /* Its line; of an object that goes, the former one. */
    enum tn_graph_state state;
    bool drift; /* Others changed it on a device. */
};

struct tn_graph_port {
    struct tn_graph_head head;
    const char *address; /* "10.1.0.11, fd00::b"; "" if it has none. */
    const char *mac;
    const char *host;
};

struct tn_graph_subnet {
    struct tn_graph_head head;
    const char *cidr; /* "10.1.0.0/24, fd00::/64" */
    uint32_t vni;
    TN_VEC(struct tn_graph_port) ports; /* By name. */
};

struct tn_graph_vpc {
    struct tn_graph_head head; /* name: without the tenant. */
    const char *scope, *tenant;
    TN_VEC(struct tn_graph_subnet) subnets; /* By name. */
    size_t n_ports;
    size_t n_marked; /* Of its subnets and ports, those not as they were. */
};

struct tn_graph_host {
    struct tn_graph_head head;
    const char *driver, *site, *underlay; /* "" if there is none. */
    const char *cloud;      /* The host that is the cloud it is of; null. */
    size_t n_vpcs, n_ports; /* Of a cloud: those on all its hypervisors. */
    size_t n_changes;
    const char *error; /* Why its device could not be read; null. */
};

struct tn_graph_peering {
    struct tn_graph_head head;
    const char *a, *b; /* Scopes; a < b. */
};

struct tn_graph {
    struct tn_arena *arena;
    const char *title;                /* "commit 1a2b3c4, environment lab" */
    bool planned;                     /* States are known. */
    TN_VEC(struct tn_graph_vpc) vpcs; /* By scope. */
    TN_VEC(struct tn_graph_host) hosts;
    TN_VEC(struct tn_graph_peering) peerings;
    size_t n_ports, n_subnets;
};

struct tn_graph_input {
    const struct tn_network *network;
    const struct tn_network *past; /* What was applied last; null: unknown. */
    const struct tn_plan *plan;    /* Null: nothing is said of changes. */
    const char *title;
    const char *tenant, *vpc, *host; /* Only these; null: all.  'vpc' is
                                        "tenant/name" or a name alone. */
};

/* New in 'arena'. */
struct tn_graph *
tn_graph_build(struct tn_arena *arena,
               const struct tn_graph_input *input) TN_RETURNS_NONNULL;

/* 'links' is what links begin with ("https://host/repo/blob/main/"); they go on
 * with PATH#Lline.  Null: PATH#Lline alone. */
void tn_graph_dot(struct tn_text *out, const struct tn_graph *graph,
                  const char *links);
void tn_graph_json(struct tn_text *out, const struct tn_graph *graph);

/* Lets graphviz draw 'dot'; TN_ENOENT if it is not installed, TN_EUNAVAILABLE
 * if it is not done after 'seconds'. */
enum tn_code tn_graph_svg(const struct tn_text *dot, unsigned seconds,
                          struct tn_text *out,
                          struct tn_error *err) TN_MUST_USE;

/* "same", "new", "changed", "gone" */
const char *tn_graph_state_name(enum tn_graph_state state);

#endif
