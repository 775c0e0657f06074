/* reach_test.c - the engine against a second one, packet by packet, over random
 * networks: the matrix, single questions, differentials. */
#include "model/reach/reach.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/reach/random_network.h"

enum { NETWORKS = 12 };

static const uint16_t probed[] = {0,   21,  22,   23,   79,   80,   85,
                                  91,  99,  100,  149,  150,  200,  201,
                                  443, 444, 4999, 5000, 6000, 65535};

struct tally {
    size_t yes, no, one_way;
};

static struct tn_addr
between(const struct tn_reach_end *end, unsigned *seed)
{
    struct tn_addr a;
    if (!tn_addr_add(&end->first, (unsigned) rand_r(seed) % 64, &a) ||
        tn_addr_cmp(&a, &end->last) > 0) {
        return end->first;
    }
    return a;
}

static const struct tn_reach_cell *
cell_at(const struct tn_reach_matrix *m, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < m->n_cells; i++) {
        if (m->cells[i].from == from && m->cells[i].to == to) {
            return &m->cells[i];
        }
    }
    return NULL;
}

static bool
cell_has(const struct tn_reach_cell *cell, const struct tn_naive_packet *p)
{
    return cell && tn_traffic_has(cell->traffic, p->protocol, p->port);
}

/* All protocols, and ports at the edges of what rules have. */
static void
check_packets(const struct tn_reach_cell *cell, struct tn_naive_packet *p,
              struct tally *tally)
{
    for (unsigned proto = TN_PROTO_ANY; proto <= TN_PROTO_SCTP; proto++) {
        bool ported = proto != TN_PROTO_ANY && proto != TN_PROTO_ICMP;
        for (size_t i = 0; i < (ported ? TN_ARRAY_SIZE(probed) : 1); i++) {
            p->protocol = (enum tn_protocol) proto;
            p->port = probed[i];
            bool is = tn_naive_arrives(p), says = cell_has(cell, p);
            char a[TN_ADDR_TEXT], b[TN_ADDR_TEXT];
            cr_assert_eq(says, is, "%s %s -> %s %s %u/%u: %d, is %d",
                         p->from->name, tn_addr_format(&p->source, a),
                         p->to->name, tn_addr_format(&p->destination, b), proto,
                         p->port, says, is);
            *(is ? &tally->yes : &tally->no) += 1;
            if (is) {
                cr_assert_eq(cell->answered, tn_naive_answered(p));
                tally->one_way += !cell->answered;
            }
        }
    }
}

static void
check_asked(struct tn_reach *reach, const struct tn_naive_packet *p,
            const struct tn_reach_cell *cell)
{
    struct tn_reach_answer answer;
    struct tn_reach_question q = {
        .from = {p->vpc, p->from, tn_cidr_of_addr(&p->source)},
        .to = {p->to_vpc, p->to, tn_cidr_of_addr(&p->destination)},
        .traffic = cell ? cell->traffic : &tn_traffic_all,
    };
    tn_reach_ask(reach, &q, &answer);
    enum tn_reach_verdict wanted = !cell            ? TN_REACH_NO
                                   : cell->answered ? TN_REACH_YES
                                                    : TN_REACH_ONE_WAY;
    cr_assert_eq(answer.n_parts, 1);
    TN_CLEANUP(tn_cleanup_text) struct tn_text why = {0};
    for (size_t i = 0; i < answer.parts[0].n_steps; i++) {
        tn_text_addf(&why, "; %s", answer.parts[0].steps[i].text);
    }
    cr_assert_eq(answer.verdict, wanted, "%s -> %s: %d, not %d%s",
                 p->from->name, p->to->name, answer.verdict, wanted,
                 tn_text_str(&why));
    if (cell) {
        cr_assert(tn_traffic_eq(answer.parts[0].traffic, cell->traffic));
    }
}

static bool
asks_the_same(const struct tn_reach_end *x, const struct tn_reach_end *y)
{
    return x->port != y->port && x->first.family == y->first.family;
}

static void
check_between(struct tn_reach *reach, const struct tn_net_vpc *v,
              const struct tn_net_vpc *w, unsigned *seed, struct tally *tally)
{
    struct tn_reach_matrix m;
    tn_reach_matrix_between(reach, v, w, &m);
    for (uint32_t a = 0; a < m.n_classes; a++) {
        for (uint32_t b = 0; b < m.n_classes; b++) {
            const struct tn_reach_class *x = &m.classes[a];
            const struct tn_reach_class *y = &m.classes[b];
            if (x->ends[0]->vpc != v || y->ends[0]->vpc != w ||
                (v != w && b < a)) {
                continue;
            }
            const struct tn_reach_end *s =
                x->ends[(unsigned) rand_r(seed) % x->n_ends];
            const struct tn_reach_end *t =
                y->ends[(unsigned) rand_r(seed) % y->n_ends];
            const struct tn_reach_cell *cell = cell_at(&m, a, b);
            struct tn_naive_packet p = {
                .vpc = v,
                .to_vpc = w,
                .from = s->port,
                .to = t->port,
                .source = between(s, seed),
                .destination = between(t, seed),
            };
            if (asks_the_same(s, t)) {
                check_packets(cell, &p, tally);
                check_asked(reach, &p, cell);
            }
        }
    }
}

static void
check_network(unsigned seed, bool networks, struct tally *tally)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_network *net = tn_random_network(
        arena, &(struct tn_random_options){seed, 0, networks});
    struct tn_reach *reach = tn_reach_new(arena, net);
    unsigned at = seed;
    for (size_t i = 0; i < net->n_vpcs; i++) {
        for (size_t k = 0; k < net->n_vpcs; k++) {
            check_between(reach, net->vpcs[i], net->vpcs[k], &at, tally);
        }
    }
}

Test(reach, matrix_is_what_single_packets_say)
{
    struct tally tally = {0};
    for (unsigned seed = 1; seed <= NETWORKS; seed++) {
        check_network(seed, seed % 2, &tally);
    }
    cr_log_info("%zu arrive, %zu of them one way, %zu do not", tally.yes,
                tally.one_way, tally.no);
    cr_assert_gt(tally.yes, 20000);
    cr_assert_gt(tally.no, 20000);
    cr_assert_gt(tally.one_way, 100);
}

/* ---- differentials
 * ------------------------------------------------------------ */

static const struct tn_net_port *
port_named(const struct tn_net_vpc *vpc, const char *name)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            if (strcmp(vpc->subnets[i].ports[k].name, name) == 0) {
                return &vpc->subnets[i].ports[k];
            }
        }
    }
    return NULL;
}

static bool
arrives(const struct tn_network *net, size_t v, size_t w, const char *from,
        const char *to, struct tn_naive_packet p, bool six)
{
    p.vpc = net->vpcs[v];
    p.to_vpc = net->vpcs[w];
    p.from = port_named(p.vpc, from);
    p.to = port_named(p.to_vpc, to);
    if (!p.from || !p.to) {
        return false;
    }
    p.source = six ? p.from->address6 : p.from->address;
    p.destination = six ? p.to->address6 : p.to->address;
    return tn_addr_present(&p.source) && tn_addr_present(&p.destination) &&
           tn_naive_arrives(&p);
}

/* How many pairs of ends gained (or lost) one kind of packet. */
static size_t
count_naive(const struct tn_network *gone, const struct tn_network *come,
            struct tn_naive_packet p)
{
    size_t n = 0;
    char from[16], to[16];
    for (unsigned v = 0; v < gone->n_vpcs; v++) {
        for (unsigned w = 0; w < gone->n_vpcs; w++) {
            for (unsigned i = 0; i < 8 * 8 * 2; i++) {
                snprintf(from, sizeof from, "p%u%u%u", v, i / 4 % 2, i % 4);
                snprintf(to, sizeof to, "p%u%u%u", w, i / 32 % 2, i / 8 % 4);
                n += arrives(come, v, w, from, to, p, i / 64) &&
                     !arrives(gone, v, w, from, to, p, i / 64);
            }
        }
    }
    return n;
}

static size_t
count_diff(const struct tn_reach_diff *diff, bool widens,
           const struct tn_naive_packet *p)
{
    size_t n = 0;
    for (size_t i = 0; i < diff->n; i++) {
        if (diff->items[i].widens == widens &&
            tn_traffic_has(diff->items[i].traffic, p->protocol, p->port)) {
            n += diff->items[i].n_pairs;
        }
    }
    return n;
}

Test(reach, differential_counts_what_single_packets_do)
{
    size_t differences = 0, same = 0;
    for (unsigned seed = 1; seed <= NETWORKS; seed++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_network *a = tn_random_network(
            arena, &(struct tn_random_options){seed, 0, false});
        const struct tn_network *b = tn_random_network(
            arena, &(struct tn_random_options){seed, seed + 1000, false});
        struct tn_reach_diff diff;
        tn_reach_diff(arena, a, b, &diff);
        for (unsigned i = 0; i < 12; i++) {
            struct tn_naive_packet p = {
                .protocol = (enum tn_protocol)(i % 5),
                .port = probed[(seed + i) % TN_ARRAY_SIZE(probed)],
            };
            cr_assert_eq(count_diff(&diff, true, &p), count_naive(a, b, p),
                         "seed %u, protocol %u", seed, p.protocol);
            cr_assert_eq(count_diff(&diff, false, &p), count_naive(b, a, p),
                         "seed %u, protocol %u", seed, p.protocol);
        }
        differences += diff.n;
        tn_reach_diff(arena, a, a, &diff);
        same += diff.n + diff.n_touched;
    }
    cr_assert_gt(differences, 50);
    cr_assert_eq(same, 0);
}

/* With networks behind ports there are more ends than ports; what is lost one
 * way round is gained the other. */
Test(reach, differential_is_symmetric)
{
    size_t differences = 0;
    for (unsigned seed = 1; seed <= NETWORKS; seed++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_network *a = tn_random_network(
            arena, &(struct tn_random_options){seed, 0, true});
        const struct tn_network *b = tn_random_network(
            arena, &(struct tn_random_options){seed, seed + 2000, true});
        struct tn_reach_diff there, back, same;
        tn_reach_diff(arena, a, b, &there);
        tn_reach_diff(arena, b, a, &back);
        tn_reach_diff(arena, b, b, &same);
        cr_assert_eq(same.n, 0);
        for (unsigned i = 0; i < 5; i++) {
            struct tn_naive_packet p = {.protocol = (enum tn_protocol) i,
                                        .port = 80};
            cr_assert_eq(count_diff(&there, true, &p),
                         count_diff(&back, false, &p));
            cr_assert_eq(count_diff(&there, false, &p),
                         count_diff(&back, true, &p));
        }
        differences += there.n;
    }
    cr_assert_gt(differences, 50);
}

/* ---- assertions
 * ---------------------------------------------------------------- */

static bool
has_group(const struct tn_net_port *port, const char *group)
{
    for (size_t i = 0; i < port->n_groups; i++) {
        if (strcmp(port->groups[i]->name, group) == 0) {
            return true;
        }
    }
    return false;
}

/* Pairs of own addresses that TCP 80 passes between; 'only': from ports that
 * are not in group app, else from those that are; to group db. */
static size_t
count_claim(const struct tn_network *net, bool only)
{
    size_t n = 0;
    char from[16], to[16];
    struct tn_naive_packet p = {.protocol = TN_PROTO_TCP, .port = 80};
    for (unsigned v = 0; v < net->n_vpcs; v++) {
        for (unsigned w = 0; w < net->n_vpcs; w++) {
            for (unsigned i = 0; i < 8 * 8; i++) {
                snprintf(from, sizeof from, "p%u%u%u", v, i / 4 % 2, i % 4);
                snprintf(to, sizeof to, "p%u%u%u", w, i / 32 % 2, i / 8 % 4);
                const struct tn_net_port *x = port_named(net->vpcs[v], from);
                const struct tn_net_port *y = port_named(net->vpcs[w], to);
                if (x && y && has_group(x, "app") != only &&
                    has_group(y, "db")) {
                    n += arrives(net, v, w, from, to, p, false);
                    n += arrives(net, v, w, from, to, p, true);
                }
            }
        }
    }
    return n;
}

Test(reach, assertions_count_what_single_packets_do)
{
    static const enum tn_reach_claim claims[] = {TN_REACH_NEVER, TN_REACH_ONLY};
    size_t all = 0;
    for (unsigned seed = 1; seed <= 2 * NETWORKS; seed++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_network *net = tn_random_network(
            arena, &(struct tn_random_options){seed, 0, false});
        for (size_t c = 0; c < TN_ARRAY_SIZE(claims); c++) {
            struct tn_reach_assertion a = {
                .claim = claims[c],
                .from.group = "app",
                .to.group = "db",
                .traffic = tn_traffic_of(arena, TN_PROTO_TCP,
                                         &(struct tn_vrange){80, 80, {0}}, 1),
            };
            struct tn_reach_outcome out;
            size_t n = 0;
            tn_reach_assert(tn_reach_new(arena, net), &a, &out);
            for (size_t i = 0; i < out.n; i++) {
                n += out.items[i].n_pairs;
            }
            cr_assert_eq(n, count_claim(net, c == 1), "seed %u", seed);
            all += n;
        }
    }
    cr_assert_gt(all, 100);
}
