/* ask.c - one question: places to packets, and packets to an answer.
 *
 * A place that is a prefix is divided into stretches of addresses that behave
 * alike; one packet of each is traced. */
#include "model/reach/engine.h"

#include <string.h>

/* Some addresses, and of the sender the port that uses them. */
struct span {
    const struct tn_net_port *port;
    struct tn_addr first, last;
};

struct asking {
    struct tn_reach *reach;
    const struct tn_reach_question *q;
    struct tn_cuts *cuts;
    TN_VEC(struct span) from;
    TN_VEC(struct span) to;
    TN_VEC(struct tn_reach_part) parts;
    size_t asked;
};

static void
cuts_make(struct asking *a)
{
    const struct tn_net_vpc *vpc = a->q->from.vpc;
    const struct tn_net_vpc **list = tn_new_n(
        a->reach->arena, const struct tn_net_vpc *, vpc->n_peerings + 1);
    list[0] = vpc;
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        list[i + 1] = vpc->peerings[i].peer;
    }
    a->cuts = tn_cuts_new(a->reach->arena, list, vpc->n_peerings + 1, true);
}

/* The ports that may send from 'a'. */
static void
from_ports(struct asking *a, const struct tn_addr *first,
           const struct tn_addr *last)
{
    const struct tn_net_vpc *vpc = a->q->from.vpc;
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            const struct tn_net_port *p = &vpc->subnets[i].ports[k];
            if (tn_port_owns(p, first) || tn_port_may_use(vpc, p, first)) {
                *tn_vec_push(a->reach->arena, &a->from) =
                    (struct span){p, *first, *last};
            }
        }
    }
}

static void
divide(struct asking *a, const struct tn_cidr *prefix, bool sender)
{
    struct tn_addr at = prefix->addr, last = tn_cidr_last(prefix), end;
    do {
        end = tn_cuts_end(a->cuts, &at, &last);
        if (!sender) {
            *tn_vec_push(a->reach->arena, &a->to) =
                (struct span){NULL, at, end};
        } else if (a->q->from.port) {
            *tn_vec_push(a->reach->arena, &a->from) =
                (struct span){a->q->from.port, at, end};
        } else {
            from_ports(a, &at, &end);
        }
    } while (tn_addr_cmp(&end, &last) != 0 && tn_addr_add(&end, 1, &at));
}

static void
own(struct asking *a, const struct tn_net_port *port, bool sender)
{
    const struct tn_addr *of[2] = {&port->address, &port->address6};
    for (size_t i = 0; i < TN_ARRAY_SIZE(of); i++) {
        struct span span = {port, *of[i], *of[i]};
        if (tn_addr_present(of[i]) && sender) {
            *tn_vec_push(a->reach->arena, &a->from) = span;
        } else if (tn_addr_present(of[i])) {
            *tn_vec_push(a->reach->arena, &a->to) = span;
        }
    }
}

static void
expand(struct asking *a, const struct tn_reach_place *place, bool sender)
{
    if (tn_addr_present(&place->prefix.addr)) {
        divide(a, &place->prefix, sender);
    } else {
        own(a, place->port, sender);
    }
}

static bool
same_steps(const struct tn_reach_part *a, const struct tn_reach_part *b)
{
    if (a->n_steps != b->n_steps) {
        return false;
    }
    for (size_t i = 0; i < a->n_steps; i++) {
        const struct tn_reach_step *x = &a->steps[i], *y = &b->steps[i];
        if (x->role != y->role || x->passes != y->passes ||
            x->at.path != y->at.path || x->at.line != y->at.line) {
            return false;
        }
    }
    return true;
}

/* Joins what follows on the former part and is like it. */
static void
part_add(struct asking *a, const struct tn_reach_part *part)
{
    struct tn_addr next;
    if (a->parts.n) {
        struct tn_reach_part *l = &a->parts.items[a->parts.n - 1];
        if (tn_addr_cmp(&l->from_first, &part->from_first) == 0 &&
            tn_addr_add(&l->to_last, 1, &next) &&
            tn_addr_cmp(&next, &part->to_first) == 0 &&
            l->verdict == part->verdict && l->to_port == part->to_port &&
            l->to_vpc == part->to_vpc && l->answered == part->answered &&
            tn_traffic_eq(l->traffic, part->traffic) && same_steps(l, part)) {
            l->to_last = part->to_last;
            return;
        }
    }
    *tn_vec_push(a->reach->arena, &a->parts) = *part;
}

static void
step_add(struct tn_arena *arena, struct tn_reach_part *part,
         struct tn_reach_step step)
{
    struct tn_reach_step *steps =
        tn_new_n(arena, struct tn_reach_step, part->n_steps + 1);
    if (part->n_steps) {
        memcpy(steps, part->steps, part->n_steps * sizeof *steps);
    }
    steps[part->n_steps++] = step;
    part->steps = steps;
}

/* It may be somebody else who has the address there. */
static void
check_end(struct asking *a, struct tn_reach_part *part)
{
    const struct tn_reach_place *to = &a->q->to;
    const struct tn_net_port *port = part->to_port;
    const struct tn_net_vpc *vpc = part->to_vpc;
    if (!vpc || ((!to->port || !port || to->port == port) &&
                 (!to->vpc || to->vpc == vpc))) {
        return;
    }
    struct tn_arena *arena = a->reach->arena;
    step_add(
        arena, part,
        (struct tn_reach_step){
            .role = TN_REACH_HOLDER,
            .text = tn_arena_printf(arena, "there the address is %s%s of %s",
                                    port ? "port " : "a gateway",
                                    port ? port->name : "", vpc->scope),
            .at = port ? port->origin : vpc->origin,
        });
    part->verdict = TN_REACH_NO;
    part->traffic = &tn_traffic_none;
    part->answered = false;
}

/* The asked VPC is another one and 'to' does not lead there from the sender's,
 * where the address is somebody else's.  One without a route is traced. */
static bool
is_elsewhere(struct asking *a, const struct span *from, const struct span *to)
{
    const struct tn_net_vpc *vpc = a->q->from.vpc, *asked = a->q->to.vpc;
    struct tn_arena *arena = a->reach->arena;
    struct tn_hop hop = tn_hop_find(vpc, &to->first);
    char text[TN_ADDR_TEXT];
    if (!asked || asked == vpc || hop.kind == TN_HOP_NONE ||
        (hop.kind == TN_HOP_PEER && hop.peering->peer == asked)) {
        return false;
    }
    struct tn_reach_step step = {.role = TN_REACH_ROUTE};
    tn_addr_format(&to->first, text);
    if (hop.kind == TN_HOP_PEER) {
        step.at = hop.peering->origin;
        step.text = tn_arena_printf(
            arena, "in %s the address %s is that of peer %s, and not of %s",
            vpc->scope, text, hop.peering->peer->scope, asked->scope);
    } else {
        step.at =
            hop.kind == TN_HOP_STATIC ? hop.route->origin : hop.subnet->origin;
        step.text = tn_arena_printf(
            arena,
            "in %s the address %s is that of its own %s %s, and not of %s",
            vpc->scope, text,
            hop.kind == TN_HOP_STATIC ? "route by subnet" : "subnet",
            hop.subnet->name, asked->scope);
    }
    struct tn_reach_part part = {
        .traffic = &tn_traffic_none,
        .from_first = from->first,
        .from_last = from->last,
        .to_first = to->first,
        .to_last = to->last,
    };
    step_add(arena, &part, step);
    part_add(a, &part);
    return true;
}

static void
trace(struct asking *a, const struct span *from, const struct span *to)
{
    struct tn_reach_part part;
    struct tn_reach_trace t = {
        .arena = a->reach->arena,
        .vpc = a->q->from.vpc,
        .port = from->port,
        .from = from->first,
        .to = to->first,
        .holder = a->q->to.port,
        .traffic = a->q->traffic,
    };
    if (from->first.family != to->first.family || is_elsewhere(a, from, to)) {
        return;
    }
    tn_reach_trace(&t, &part);
    check_end(a, &part);
    part.from_last = from->last;
    part.to_last = to->last;
    part_add(a, &part);
}

/* Two VPCs without a peering: no address leads from one to the other. */
static bool
is_separate(const struct asking *a)
{
    const struct tn_net_vpc *from = a->q->from.vpc, *to = a->q->to.vpc;
    if (!to || to == from || a->from.n == 0) {
        return false;
    }
    for (size_t i = 0; i < from->n_peerings; i++) {
        if (from->peerings[i].peer == to) {
            return false;
        }
    }
    return true;
}

/* No packet to follow: a "no" with the reason. */
static void
nothing(struct asking *a)
{
    struct tn_reach_part part = {.traffic = &tn_traffic_none};
    const char *why = "the two ends have no address of one family";
    if (a->from.n == 0) {
        why = "no port may send from there";
    } else if (is_separate(a)) {
        why = tn_arena_printf(a->reach->arena,
                              "%s and %s do not peer: they are separate, "
                              "whatever their addresses",
                              a->q->from.vpc->scope, a->q->to.vpc->scope);
    }
    part.from_first = part.from_last =
        a->from.n ? a->from.items[0].first : (struct tn_addr){0};
    part.to_first = part.to_last =
        a->to.n ? a->to.items[0].first : (struct tn_addr){0};
    step_add(a->reach->arena, &part,
             (struct tn_reach_step){
                 .role = is_separate(a) ? TN_REACH_ROUTE : TN_REACH_SOURCE,
                 .text = why,
                 .at = a->q->from.port ? a->q->from.port->origin
                                       : a->q->from.vpc->origin,
             });
    *tn_vec_push(a->reach->arena, &a->parts) = part;
}

void
tn_reach_ask(struct tn_reach *reach, const struct tn_reach_question *question,
             struct tn_reach_answer *answer)
{
    struct asking a = {.reach = reach, .q = question};
    cuts_make(&a);
    expand(&a, &question->from, true);
    expand(&a, &question->to, false);
    bool separate = is_separate(&a);
    for (size_t i = 0; i < a.from.n && !separate; i++) {
        for (size_t k = 0; k < a.to.n && a.asked < TN_REACH_PARTS; k++) {
            a.asked++;
            trace(&a, &a.from.items[i], &a.to.items[k]);
        }
    }
    if (a.parts.n == 0) {
        nothing(&a);
    }
    *answer = (struct tn_reach_answer){
        .verdict = TN_REACH_NO,
        .whole = true,
        .cut = !separate && a.asked < a.from.n * a.to.n,
        .parts = a.parts.items,
        .n_parts = a.parts.n,
    };
    for (size_t i = 0; i < a.parts.n; i++) {
        enum tn_reach_verdict v = a.parts.items[i].verdict;
        answer->whole = answer->whole && v == a.parts.items[0].verdict;
        answer->verdict = v > answer->verdict ? v : answer->verdict;
    }
}
