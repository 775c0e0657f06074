/* reach_bench.c - what reachability costs, beside what it could cost.
 *
 *   reach_bench matrix          one VPC of 1,000 ports and 200 rules
 *   reach_bench diff REPO A B   what commit B changes against commit A
 *
 * Prints figures as "name value" lines for reach.sh, which makes ratios. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/compile/compile.h"
#include "model/reach/reach.h"
#include "reconciler/source/source.h"

enum { PORTS = 1000, GROUPS = 20, RULES = 10, SAMPLES = 400, RUNS = 5 };

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* ---- one VPC ----------------------------------------------------------------
 */

static void
groups_make(struct tn_arena *arena, struct tn_net_vpc *vpc, bool varied)
{
    struct tn_net_group *groups = tn_new_n(arena, struct tn_net_group, GROUPS);
    for (unsigned g = 0; g < GROUPS; g++) {
        struct tn_net_rule *rules = tn_new_n(arena, struct tn_net_rule, RULES);
        for (unsigned r = 0; r < RULES; r++) {
            struct tn_vrange *range = tn_new(arena, struct tn_vrange);
            unsigned first = 1000 * g + 100 * r;
            *range = (struct tn_vrange){
                (uint16_t) first, (uint16_t) (first + r), {0}};
            rules[r] = (struct tn_net_rule){
                .direction = r == 9 ? TN_EGRESS : TN_INGRESS,
                .protocol = r % 2 ? TN_PROTO_TCP : TN_PROTO_UDP,
                .ports = range,
                .n_ports = 1,
            };
            if (r == 9) { /* All but little may leave. */
                rules[r].protocol = TN_PROTO_ANY;
                rules[r].n_ports = 0;
            } else if (r % 3 == 0) {
                rules[r].remote_group = &groups[(g + r) % GROUPS];
            } else if (r % 3 == 1) {
                rules[r].remote = (struct tn_cidr){
                    {TN_AF_IPV4, {10, 0, (uint8_t) (g % 4), 0}}, 24};
                if (varied) { /* Single ports, each a class of its own. */
                    rules[r].remote.addr.b[3] = (uint8_t) (g * RULES + r);
                    rules[r].remote.len = 32;
                }
            }
        }
        groups[g] = (struct tn_net_group){
            .name = tn_arena_printf(arena, "g%02u", g),
            .rules = rules,
            .n_rules = RULES,
            .has_egress = true,
        };
    }
    vpc->groups = groups;
    vpc->n_groups = GROUPS;
}

static void
members_make(struct tn_arena *arena, const struct tn_net_vpc *vpc)
{
    for (unsigned g = 0; g < GROUPS; g++) {
        struct tn_net_group *group =
            (struct tn_net_group *) (uintptr_t) &vpc->groups[g];
        struct tn_addr *list = tn_new_n(arena, struct tn_addr, PORTS);
        for (size_t s = 0; s < vpc->n_subnets; s++) {
            for (size_t p = 0; p < vpc->subnets[s].n_ports; p++) {
                const struct tn_net_port *port = &vpc->subnets[s].ports[p];
                for (size_t i = 0; i < port->n_groups; i++) {
                    if (port->groups[i] == group) {
                        list[group->n_members++] = port->address;
                    }
                }
            }
        }
        group->members = list;
    }
}

static const struct tn_network *
vpc_make(struct tn_arena *arena, bool varied)
{
    struct tn_network *net = tn_new(arena, struct tn_network);
    struct tn_net_vpc *vpc = tn_new(arena, struct tn_net_vpc);
    struct tn_host *host = tn_new(arena, struct tn_host);
    struct tn_net_subnet *subnets = tn_new_n(arena, struct tn_net_subnet, 5);
    const struct tn_net_vpc **list =
        tn_new_n(arena, const struct tn_net_vpc *, 1);
    *vpc = (struct tn_net_vpc){.scope = "acme/web",
                               .tenant = "acme",
                               .name = "web",
                               .subnets = subnets,
                               .n_subnets = 5};
    host->raw.name = "hv1";
    groups_make(arena, vpc, varied);
    for (unsigned s = 0; s < 5; s++) {
        struct tn_net_port *ports =
            tn_new_n(arena, struct tn_net_port, PORTS / 5);
        subnets[s] = (struct tn_net_subnet){
            .name = tn_arena_printf(arena, "s%u", s),
            .cidr = {{TN_AF_IPV4, {10, 0, (uint8_t) s}}, 24},
            .gateway = {TN_AF_IPV4, {10, 0, (uint8_t) s, 1}},
            .ports = ports,
            .n_ports = PORTS / 5,
        };
        for (unsigned p = 0; p < PORTS / 5; p++) {
            const struct tn_net_group **in =
                tn_new_n(arena, const struct tn_net_group *, 2);
            in[0] = &vpc->groups[p % (GROUPS - 1)];
            in[1] = &vpc->groups[GROUPS - 1];
            ports[p] = (struct tn_net_port){
                .name = tn_arena_printf(arena, "p%u-%03u", s, p),
                .host = host,
                .address = {TN_AF_IPV4,
                            {10, 0, (uint8_t) s, (uint8_t) (p + 10)}},
                .groups = in,
                .n_groups = p % 3 ? 1 : 2,
            };
        }
    }
    members_make(arena, vpc);
    list[0] = vpc;
    net->vpcs = list;
    net->n_vpcs = 1;
    return net;
}

/* ---- the plain loop
 * ----------------------------------------------------------- */

static bool
accepts(const struct tn_net_port *port, enum tn_direction direction,
        const struct tn_addr *remote, enum tn_protocol protocol, unsigned dport)
{
    for (size_t i = 0; i < port->n_groups; i++) {
        const struct tn_net_group *g = port->groups[i];
        for (size_t k = 0; k < g->n_rules; k++) {
            const struct tn_net_rule *r = &g->rules[k];
            bool fits =
                r->direction == direction &&
                (r->protocol == TN_PROTO_ANY ||
                 (r->protocol == protocol && dport >= r->ports[0].first &&
                  dport <= r->ports[0].last));
            if (fits && tn_addr_present(&r->remote.addr)) {
                fits = tn_cidr_contains(&r->remote, remote);
            } else if (fits && r->remote_group) {
                fits = false;
                for (size_t m = 0; m < r->remote_group->n_members && !fits;
                     m++) {
                    fits =
                        tn_addr_cmp(&r->remote_group->members[m], remote) == 0;
                }
            }
            if (fits) {
                return true;
            }
        }
    }
    return false;
}

/* All ports of TCP and UDP between two ports; how many pass. */
static size_t
plain_pair(const struct tn_net_port *a, const struct tn_net_port *b)
{
    static const enum tn_protocol protocols[] = {TN_PROTO_TCP, TN_PROTO_UDP};
    size_t n = 0;
    for (size_t i = 0; i < TN_ARRAY_SIZE(protocols); i++) {
        for (unsigned port = 0; port <= UINT16_MAX; port++) {
            n += accepts(a, TN_EGRESS, &b->address, protocols[i], port) &&
                 accepts(b, TN_INGRESS, &a->address, protocols[i], port);
        }
    }
    return n;
}

static size_t
count_set(const struct tn_traffic *t)
{
    size_t n = 0;
    for (size_t w = TN_PORTED_TCP; w <= TN_PORTED_UDP; w++) {
        for (uint32_t i = 0; i < t->n[w]; i++) {
            n += (size_t) t->spans[w][i].last - t->spans[w][i].first + 1;
        }
    }
    return n;
}

static size_t
matrix_pair(const struct tn_reach_matrix *m, const struct tn_net_port *a,
            const struct tn_net_port *b)
{
    uint32_t from = 0, to = 0;
    for (uint32_t i = 0; i < m->n_classes; i++) {
        for (size_t k = 0; k < m->classes[i].n_ends; k++) {
            from = m->classes[i].ends[k]->port == a ? i : from;
            to = m->classes[i].ends[k]->port == b ? i : to;
        }
    }
    for (size_t i = 0; i < m->n_cells; i++) {
        if (m->cells[i].from == from && m->cells[i].to == to) {
            return count_set(m->cells[i].traffic);
        }
    }
    return 0;
}

static const struct tn_net_port *
some_port(const struct tn_net_vpc *vpc, unsigned *seed)
{
    unsigned n = (unsigned) rand_r(seed) % PORTS;
    return &vpc->subnets[n % 5].ports[n / 5];
}

static int
matrix(const char *name, bool varied)
{
    double best = 1e9, plain = 0;
    unsigned seed = 1;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_network *net = vpc_make(arena, varied);
    struct tn_reach_matrix m = {0};
    for (int i = 0; i < RUNS; i++) {
        double start = now();
        struct tn_reach *reach = tn_reach_new(arena, net);
        tn_reach_matrix(reach, net->vpcs[0], &m);
        best = now() - start < best ? now() - start : best;
    }
    for (int i = 0; i < SAMPLES; i++) {
        const struct tn_net_port *a = some_port(net->vpcs[0], &seed);
        const struct tn_net_port *b = some_port(net->vpcs[0], &seed);
        double start = now();
        size_t n = a == b ? 0 : plain_pair(a, b);
        plain += now() - start;
        if (a != b && n != matrix_pair(&m, a, b)) {
            fprintf(stderr, "%s -> %s: %zu, the matrix has %zu\n", a->name,
                    b->name, n, matrix_pair(&m, a, b));
            return 1;
        }
    }
    plain *= (double) PORTS * (PORTS - 1) / SAMPLES;
    printf("%s_seconds %.4f\n%s_classes %zu\n%s_plain_seconds %.0f\n", name,
           best, name, m.n_classes, name, plain);
    return 0;
}

/* ---- a change
 * ------------------------------------------------------------------- */

static const struct tn_network *
load(struct tn_arena *arena, const char *repo, const char *rev,
     const char *cache)
{
    struct tn_source *source = NULL;
    struct tn_diags diags;
    struct tn_error err = {0};
    struct tn_compile_options options = {.cache_dir = cache};
    const struct tn_network *net = NULL;
    char buf[TN_ERROR_TEXT];
    tn_diags_init(&diags, arena);
    if (tn_source_open_commit(repo, rev, &source, NULL, &err) ||
        tn_compile(source, &options, arena, &net, NULL, &diags, &err)) {
        fprintf(stderr, "%s\n", tn_error_text(&err, buf, sizeof buf));
        exit(1);
    }
    source->ops->free(source);
    return net;
}

/* "Nobody reaches anybody by SCTP", asked of all VPCs. */
static size_t
claims(const struct tn_network *net)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_reach_assertion a = {
        .claim = TN_REACH_NEVER,
        .traffic = tn_traffic_of(arena, TN_PROTO_SCTP, NULL, 0),
    };
    struct tn_reach_outcome out;
    tn_reach_assert(tn_reach_new(arena, net), &a, &out);
    return out.n;
}

static void
diff(const struct tn_network *before, const struct tn_network *after)
{
    double best[4] = {1e9, 1e9, 1e9, 1e9};
    struct tn_reach_diff d = {0};
    struct tn_reach_isolation iso = {0};
    for (int i = 0; i < RUNS; i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct tn_reach_changes changes;
        double at[5] = {now()};
        tn_reach_changes_find(arena, before, after, &changes);
        at[1] = now();
        tn_reach_diff_of(arena, &changes, &d);
        at[2] = now();
        tn_reach_isolation(arena, after, &changes, &iso);
        at[3] = now();
        tn_reach_isolation(arena, after, NULL, &iso);
        at[4] = now();
        for (int k = 0; k < 4; k++) {
            double t = at[k + 1] - at[k];
            best[k] = t < best[k] ? t : best[k];
        }
    }
    double start = now();
    size_t breaches = claims(after);
    printf("assertion_seconds %.4f\nbreaches %zu\n", now() - start, breaches);
    printf("changes_seconds %.4f\ndiff_seconds %.4f\nisolation_seconds %.4f\n"
           "isolation_all_seconds %.4f\nvpcs %zu\ntouched %zu\n"
           "differences %zu\nviolations %zu\n",
           best[0], best[1], best[2], best[3], d.n_vpcs, d.n_touched, d.n,
           iso.n);
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "matrix") == 0) {
        return matrix("matrix", false) || matrix("varied", true);
    }
    if (argc == 6 && strcmp(argv[1], "diff") == 0) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct tn_error err = {0};
        if (tn_git_init(&err)) {
            return 1;
        }
        const struct tn_network *a = load(arena, argv[2], argv[3], argv[5]);
        diff(a, load(arena, argv[2], argv[4], argv[5]));
        tn_git_done();
        return 0;
    }
    fprintf(stderr, "usage: reach_bench matrix | diff REPO A B CACHE\n");
    return 2;
}
