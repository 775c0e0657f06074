/* render_guard.c - what no rule lets in, or out.
 *
 * Every port of a VPC has the tag of "all", those whose groups have rules for
 * what leaves also that of "out".  Policies, in the order in which NSX asks
 * them; the first rule that matches decides:
 *
 *     first   what no port may ever send: answers of DHCP servers, router
 *             advertisements
 *     GROUP   what rules of a security group let through; nothing else
 *     out     of judged ports: exceptions, then nothing goes out
 *     all     exceptions, then nothing comes in, and all else goes out
 *
 * NSX's own rules for neighbour discovery and DHCP stand in its default
 * section, which is asked after all these; hence the exceptions. */
#include "drivers/nsx/kinds.h"
#include "drivers/nsx/names.h"
#include "drivers/nsx/render_part.h"
#include "model/base/cleanup.h"

enum { FIRST = 1000, OUT = 3000, ALL = 4000 };
enum { IN_RULE = 100 }; /* Addresses; NSX takes 128. */

static const char dhcp_answers[] =
    "[{\"resource_type\":\"L4PortSetServiceEntry\",\"id\":\"e1\","
    "\"l4_protocol\":\"UDP\",\"source_ports\":[\"67\"],"
    "\"destination_ports\":[\"68\"]},"
    "{\"resource_type\":\"L4PortSetServiceEntry\",\"id\":\"e2\","
    "\"l4_protocol\":\"UDP\",\"source_ports\":[\"547\"],"
    "\"destination_ports\":[\"546\"]}]";
static const char dhcp_requests[] =
    "[{\"resource_type\":\"L4PortSetServiceEntry\",\"id\":\"e1\","
    "\"l4_protocol\":\"UDP\",\"source_ports\":[\"68\"],"
    "\"destination_ports\":[\"67\"]},"
    "{\"resource_type\":\"L4PortSetServiceEntry\",\"id\":\"e2\","
    "\"l4_protocol\":\"UDP\",\"source_ports\":[\"546\"],"
    "\"destination_ports\":[\"547\"]}]";

/* Types of ICMPv6 (RFC 4861). */
enum { SOLICIT_ROUTER = 133, ADVERTISE_ROUTER, SOLICIT, ADVERTISE };
enum { ECHO = 8, ECHO6 = 128 };

static const char *
icmp(struct tn_nsx_render *r, const char *name, bool six,
     const unsigned types[3])
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (size_t i = 0; i < 3 && types[i]; i++) {
        tn_text_addf(&t,
                     "%s{\"resource_type\":\"ICMPTypeServiceEntry\","
                     "\"id\":\"e%zu\",\"protocol\":\"%s\",\"icmp_type\":%u}",
                     i ? "," : "[", i + 1, six ? "ICMPv6" : "ICMPv4", types[i]);
    }
    tn_text_add(&t, "]");
    return tn_nsx_make_service(r, name, tn_text_str(&t), r->vpc->origin);
}

/* What a VPC has. */
struct traits {
    bool six, dhcp;
    TN_VEC(const char *) gateways, gateways6;
};

static void
traits_of(const struct tn_nsx_render *r, struct traits *t)
{
    for (size_t i = 0; i < r->vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &r->vpc->subnets[i];
        const struct tn_addr *both[] = {&s->gateway, &s->gateway6};
        for (size_t k = 0; k < TN_ARRAY_SIZE(both); k++) {
            const char *text = tn_nsx_addr(r->arena, both[k]);
            if (both[k]->family == TN_AF_IPV4) {
                *tn_vec_push(r->arena, &t->gateways) = text;
            } else if (both[k]->family == TN_AF_IPV6) {
                *tn_vec_push(r->arena, &t->gateways6) = text;
            }
        }
        t->dhcp = t->dhcp || s->dhcp;
    }
    t->six = t->gateways6.n > 0;
}

/* One policy that closes. */
struct closing {
    struct tn_nsx_render *r;
    const char *name, *key, *path;
    unsigned last; /* Sequence of the last rule. */
};

static struct closing
begin(struct tn_nsx_render *r, const char *name, const char *scope,
      unsigned sequence)
{
    struct closing c = {.r = r, .name = name, .last = 0};
    const struct tn_nsx_policy_args args = {
        .kind = &tn_nsx_closing,
        .name = name,
        .id = tn_arena_printf(r->arena, "_%s", name),
        .scope = scope,
        .sequence = sequence,
        .origin = r->vpc->origin,
    };
    c.key = tn_nsx_add_policy(r, &args, &c.path);
    return c;
}

/* What all filters have; the rest is the caller's. */
static struct tn_nsx_rule_args
filter(struct closing *c, const char *id, const char *action)
{
    c->last += 10;
    return (struct tn_nsx_rule_args){
        .kind = &tn_nsx_filter,
        .policy = c->key,
        .path = c->path,
        .name = tn_arena_printf(c->r->arena, "%s/%s", c->name, id),
        .id = id,
        .action = action,
        .sequence = c->last,
        .origin = c->r->vpc->origin,
    };
}

static void
add_out(struct closing *c, const char *id, const char *action,
        const char *service)
{
    struct tn_nsx_rule_args rule = filter(c, id, action);
    rule.leaves = true;
    rule.service = service;
    tn_nsx_add_rule(c->r, &rule);
}

static void
add_in(struct closing *c, const char *id, const char *action,
       const char *service)
{
    struct tn_nsx_rule_args rule = filter(c, id, action);
    rule.service = service;
    tn_nsx_add_rule(c->r, &rule);
}

/* A gateway answers echo, whatever may leave. */
static void
add_echo(struct closing *c, const char *name, const char *const *list, size_t n,
         bool six)
{
    const unsigned types[3] = {six ? ECHO6 : ECHO};
    for (size_t i = 0; i < n; i += IN_RULE) {
        const char *id = i == 0 ? name
                                : tn_arena_printf(c->r->arena, "%s-%zu", name,
                                                  i / IN_RULE + 1);
        struct tn_nsx_rule_args rule = filter(c, id, "ALLOW");
        rule.leaves = true;
        rule.family = six ? TN_AF_IPV6 : TN_AF_IPV4;
        rule.service = icmp(c->r, six ? "echo6" : "echo4", six, types);
        rule.remote = list + i;
        rule.n_remote = n - i < IN_RULE ? n - i : IN_RULE;
        tn_nsx_add_rule(c->r, &rule);
    }
}

static const char *
dhcp(struct tn_nsx_render *r, bool answers)
{
    return tn_nsx_make_service(r, answers ? "dhcp-answers" : "dhcp-requests",
                               answers ? dhcp_answers : dhcp_requests,
                               r->vpc->origin);
}

static void
render_first(struct tn_nsx_render *r)
{
    const unsigned ra[3] = {ADVERTISE_ROUTER};
    struct closing c = begin(r, "first", r->closed, FIRST);
    add_out(&c, "no-dhcp-server", "DROP", dhcp(r, true));
    add_out(&c, "no-router", "DROP", icmp(r, "router", true, ra));
}

static void
render_out(struct tn_nsx_render *r, const struct traits *t)
{
    const unsigned types[3] = {SOLICIT_ROUTER, SOLICIT, ADVERTISE};
    struct closing c = begin(r, "out", r->judged, OUT);
    if (t->six) {
        add_out(&c, "neighbours", "ALLOW", icmp(r, "neighbours", true, types));
    }
    if (t->dhcp) {
        add_out(&c, "dhcp", "ALLOW", dhcp(r, false));
    }
    add_echo(&c, "gateway4", t->gateways.items, t->gateways.n, false);
    add_echo(&c, "gateway6", t->gateways6.items, t->gateways6.n, true);
    add_out(&c, "out", "DROP", NULL);
}

static void
render_all(struct tn_nsx_render *r, const struct traits *t)
{
    const unsigned types[3] = {ADVERTISE_ROUTER, SOLICIT, ADVERTISE};
    struct closing c = begin(r, "all", r->closed, ALL);
    if (t->six) {
        add_in(&c, "neighbours", "ALLOW",
               icmp(r, "neighbours-in", true, types));
    }
    if (t->dhcp) {
        add_in(&c, "dhcp", "ALLOW", dhcp(r, true));
    }
    add_in(&c, "in", "DROP", NULL);
    add_out(&c, "out", "ALLOW", NULL);
}

void
tn_nsx_render_guards(struct tn_nsx_render *r)
{
    struct traits t = {0};
    const struct tn_origin origin = r->vpc->origin;
    traits_of(r, &t);
    r->closed = tn_nsx_add_tagged(r, &tn_nsx_guard, "all", TN_NSX_ALL, origin);
    r->judged = tn_nsx_add_tagged(r, &tn_nsx_guard, "out", TN_NSX_OUT, origin);
    render_first(r);
    render_out(r, &t);
    render_all(r, &t);
}
