/* render_service.c - what rules match besides addresses, as services.
 *
 * A service is named after what it matches, so that it never changes: another
 * match is another service.  Each VPC has its own ones.  NSX takes 15 ports in
 * one entry, where a range counts two; a service may have several entries.
 *
 * Of SCTP NSX knows the protocol, and not its ports. */
#include <stdlib.h>

#include "drivers/nsx/kinds.h"
#include "drivers/nsx/names.h"
#include "drivers/nsx/render_part.h"
#include "model/base/cleanup.h"

enum { ENTRY_PORTS = 15, NAME_MAX_SERVICE = 60, SCTP = 132 };

struct ports {
    struct tn_vrange *items;
    size_t n;
};

static int
range_cmp(const void *a, const void *b)
{
    const struct tn_vrange *x = a, *y = b;
    return x->first != y->first ? x->first - y->first : x->last - y->last;
}

/* Sorted, and what touches is one. */
static struct ports
ports_of(struct tn_arena *arena, const struct tn_net_rule *rule)
{
    struct ports p = {tn_new_n(arena, struct tn_vrange, rule->n_ports + 1), 0};
    struct tn_vrange *all =
        tn_new_n(arena, struct tn_vrange, rule->n_ports + 1);
    for (size_t i = 0; i < rule->n_ports; i++) {
        all[i] = rule->ports[i];
    }
    qsort(all, rule->n_ports, sizeof *all, range_cmp);
    for (size_t i = 0; i < rule->n_ports; i++) {
        struct tn_vrange *last = p.n ? &p.items[p.n - 1] : NULL;
        if (last && all[i].first <= last->last + 1) {
            last->last = all[i].last > last->last ? all[i].last : last->last;
        } else {
            p.items[p.n++] = all[i];
        }
    }
    return p;
}

static const char *
protocol_of(const struct tn_net_rule *rule, unsigned family)
{
    switch (rule->protocol) {
    case TN_PROTO_ANY:
        return "any";
    case TN_PROTO_TCP:
        return "tcp";
    case TN_PROTO_UDP:
        return "udp";
    case TN_PROTO_SCTP:
        return "sctp";
    case TN_PROTO_ICMP:
        return family == TN_AF_IPV4   ? "icmp4"
               : family == TN_AF_IPV6 ? "icmp6"
                                      : "icmp";
    }
    return "any";
}

const char *
tn_nsx_service_name(struct tn_arena *arena, const struct tn_net_rule *rule,
                    unsigned family)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct ports p = ports_of(arena, rule);
    tn_text_add(&t, protocol_of(rule, family));
    for (size_t i = 0; i < p.n; i++) {
        tn_text_addf(&t, "-%u", p.items[i].first);
        if (p.items[i].last != p.items[i].first) {
            tn_text_addf(&t, "to%u", p.items[i].last);
        }
    }
    return tn_nsx_short(arena, tn_arena_strndup(arena, tn_text_str(&t), t.n),
                        NAME_MAX_SERVICE);
}

const char *
tn_nsx_make_service(struct tn_nsx_render *r, const char *name,
                    const char *entries, struct tn_origin origin)
{
    const char *id = tn_nsx_own_id(r, name);
    const char *path = tn_arena_printf(r->arena, "%s/services/%s", r->base, id);
    struct tn_nsx_draft d;
    if (tn_map_put(&r->known, path, r)) {
        return path;
    }
    tn_nsx_draft_begin(&d, r->arena, &tn_nsx_service, r->vpc->scope, name,
                       path);
    tn_nsx_draft_set(&d, "name", tn_nsx_own_name(r, name));
    tn_nsx_draft_json(&d, "matches", entries);
    tn_nsx_add(r, &d, NULL, origin);
    return path;
}

/* ---- entries ---- */

static void
add_ports(struct tn_text *t, const char *protocol, const struct ports *p)
{
    size_t used = ENTRY_PORTS, entries = 0;
    for (size_t i = 0; i < p->n || entries == 0; i++) {
        bool range = p->n && p->items[i].first != p->items[i].last;
        size_t more = range ? 2 : 1;
        if (used + more > ENTRY_PORTS) {
            tn_text_addf(t,
                         "%s{\"resource_type\":\"L4PortSetServiceEntry\","
                         "\"id\":\"e%zu\",\"l4_protocol\":\"%s\","
                         "\"destination_ports\":[",
                         entries ? "]}," : "", entries + 1, protocol);
            entries++;
            used = 0;
        }
        if (p->n) {
            tn_text_addf(t, "%s\"%u", used ? "," : "", p->items[i].first);
            if (range) {
                tn_text_addf(t, "-%u", p->items[i].last);
            }
            tn_text_addc(t, '"');
        }
        used += more;
    }
    tn_text_add(t, "]}");
}

static void
add_icmp(struct tn_text *t, unsigned family)
{
    static const char *const names[] = {"ICMPv4", "ICMPv6"};
    const char *comma = "";
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        if (family != (i == 0 ? TN_AF_IPV6 : TN_AF_IPV4)) {
            tn_text_addf(t,
                         "%s{\"resource_type\":\"ICMPTypeServiceEntry\","
                         "\"id\":\"e%zu\",\"protocol\":\"%s\"}",
                         comma, i + 1, names[i]);
            comma = ",";
        }
    }
}

const char *
tn_nsx_service_of(struct tn_nsx_render *r, const struct tn_net_rule *rule,
                  unsigned family)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct ports p = ports_of(r->arena, rule);
    tn_text_add(&t, "[");
    switch (rule->protocol) {
    case TN_PROTO_ANY:
        return NULL;
    case TN_PROTO_TCP:
        add_ports(&t, "TCP", &p);
        break;
    case TN_PROTO_UDP:
        add_ports(&t, "UDP", &p);
        break;
    case TN_PROTO_SCTP:
        tn_text_addf(&t,
                     "{\"resource_type\":\"IPProtocolServiceEntry\","
                     "\"id\":\"e1\",\"protocol_number\":%d}",
                     SCTP);
        break;
    case TN_PROTO_ICMP:
        add_icmp(&t, family);
        break;
    }
    tn_text_add(&t, "]");
    return tn_nsx_make_service(r, tn_nsx_service_name(r->arena, rule, family),
                               tn_text_str(&t), rule->origin);
}
