/* find.c - see find.h.  Matching is by whole words, never by parts of them. */
#include "reconciler/provenance/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- query ---- */

/* The mark in the external_ids of a row of OVSDB, as its tools print all of
 * them: {tenet-instance=lab, tenet-key="acme/web/router"}.  Null: there is
 * none. */
static const char *
mark(struct tn_arena *arena, const char *q)
{
    const char *key = strstr(q, "tenet-key=");
    if (!key) {
        return NULL;
    }
    key += strlen("tenet-key=");
    return *key == '"'
               ? tn_arena_strndup(arena, key + 1, strcspn(key + 1, "\""))
               : tn_arena_strndup(arena, key, strcspn(key, ",}"));
}

/* What tools of OVSDB put around a name: quotes; in matches "@", and "$" before
 * and "_ip4" behind the addresses of a port group. */
static const char *
unquoted(struct tn_arena *arena, const char *q)
{
    size_t n = strlen(q);
    bool set = q[0] == '$' && n > 5 && strncmp(q + n - 4, "_ip", 3) == 0;
    if (n > 2 && q[0] == '"' && q[n - 1] == '"') {
        return tn_arena_strndup(arena, q + 1, n - 2);
    }
    return set ? tn_arena_strndup(arena, q + 1, n - 5)
               : q + (*q == '@' && q[1]);
}

/* "b-front@if5:" is "b-front"; "tenet:lab:port/web1 in web/eth0", an alias, is
 * "port/web1"; "ports-of/acme/web" is "acme/web". */
static const char *
unframed(struct tn_arena *arena, const char *q)
{
    static const char *const ends[] = {" in ", " was ", "@"};
    size_t n;
    if (strncmp(q, "tenet:", 6) == 0 && strchr(q + 6, ':')) {
        q = strchr(q + 6, ':') + 1;
    }
    if (strncmp(q, "ports-of/", 9) == 0) {
        q += 9;
    }
    n = strlen(q);
    for (size_t i = 0; i < TN_ARRAY_SIZE(ends); i++) {
        const char *end = strstr(q, ends[i]);
        if (end && end > q && (*end == ' ' || end[-1] != ' ') &&
            (size_t) (end - q) < n) {
            n = (size_t) (end - q);
        }
    }
    if (n > 1 && q[n - 1] == ':' && !memchr(q, ':', n - 1)) {
        n--;
    }
    return tn_arena_strndup(arena, q, n);
}

/* A path of NSX's policy API, without what a browser or curl has before it; the
 * value of a condition, "tenet/group|lab_acme_web_db", is the group's id. */
static const char *
unrooted(const char *q)
{
    static const char api[] = "/policy/api/v1/", tag[] = "tenet/group|";
    const char *path = strstr(q, api);
    if (strncmp(q, tag, sizeof tag - 1) == 0) {
        return q + sizeof tag - 1;
    }
    return path && (path == q || strncmp(q, "https://", 8) == 0)
               ? path + sizeof api - 2
               : q;
}

static const char *
bare(struct tn_arena *arena, const char *q)
{
    const char *key = mark(arena, q);
    return key ? key : unrooted(unframed(arena, unquoted(arena, q)));
}

void
tn_find_init(struct tn_find *find)
{
    char *end = NULL;
    find->text = bare(find->arena, find->query);
    const char *number = find->text;
    if (strncmp(number, "vni ", 4) == 0 || strncmp(number, "vni:", 4) == 0) {
        number += 4;
    }
    find->number = strtoull(number, &end, 10);
    find->is_number = *number >= '0' && *number <= '9' && *end == '\0';
    find->is_addr = tn_addr_parse(find->text, &find->addr);
    find->is_mac = tn_mac_parse(find->text, &find->mac);
    find->is_cidr = strchr(find->text, '/') &&
                    tn_cidr_parse(find->text, &find->cidr) == TN_CIDR_OK;
    tn_map_init(&find->by_place, find->arena, 0);
}

/* ------------------------------------------------------------ result ---- */

static void
found(struct tn_find *find, struct tn_origin at, struct tn_match match)
{
    char key[64];
    snprintf(key, sizeof key, ":%u:%u", at.line, at.column);
    const char *place =
        tn_arena_printf(find->arena, "%s%s", at.path ? at.path : "", key);
    struct tn_match_line *line = tn_map_get(&find->by_place, place);
    if (!line) {
        line = tn_new(find->arena, struct tn_match_line);
        line->at = at;
        tn_map_put(&find->by_place, place, line);
        *tn_vec_push(find->arena, &find->lines) = line;
    }
    *tn_vec_push(find->arena, &line->matches) = match;
    find->n_named += !match.mentioned;
}

static int
cmp_line(const void *a, const void *b)
{
    const struct tn_match_line *x = *(struct tn_match_line *const *) a;
    const struct tn_match_line *y = *(struct tn_match_line *const *) b;
    int c = tn_strcmp0(x->at.path, y->at.path);
    if (c) {
        return c;
    }
    if (x->at.line != y->at.line) {
        return x->at.line < y->at.line ? -1 : 1;
    }
    return (x->at.column > y->at.column) - (x->at.column < y->at.column);
}

void
tn_find_finish(struct tn_find *find)
{
    size_t n = 0;
    for (size_t i = 0; i < find->lines.n; i++) {
        struct tn_match_line *line = find->lines.items[i];
        size_t kept = 0;
        for (size_t k = 0; k < line->matches.n; k++) {
            if (!line->matches.items[k].mentioned || !find->n_named) {
                line->matches.items[kept++] = line->matches.items[k];
            }
        }
        line->matches.n = kept;
        if (kept) {
            find->lines.items[n++] = line;
        }
    }
    find->lines.n = n;
    if (n) {
        qsort(find->lines.items, n, sizeof *find->lines.items, cmp_line);
    }
}

/* ----------------------------------------------------------- network ---- */

static bool
is(const struct tn_find *f, const char *s)
{
    return s && strcmp(f->text, s) == 0;
}

/* "PREFIX/NAME" */
static bool
is_below(const struct tn_find *f, const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    return name && strncmp(f->text, prefix, n) == 0 && f->text[n] == '/' &&
           strcmp(f->text + n + 1, name) == 0;
}

static bool
is_addr(const struct tn_find *f, const struct tn_addr *a)
{
    return f->is_addr && tn_addr_present(a) && tn_addr_cmp(&f->addr, a) == 0;
}

static bool
is_cidr(const struct tn_find *f, const struct tn_cidr *c)
{
    return f->is_cidr && tn_addr_present(&c->addr) &&
           tn_cidr_cmp(&f->cidr, c) == 0;
}

static bool
is_named(const struct tn_find *f, const struct tn_net_vpc *vpc,
         const char *name)
{
    return is(f, name) || is_below(f, vpc->scope, name) ||
           is_below(f, vpc->tenant, name);
}

static bool
is_mac(const struct tn_find *f, const struct tn_mac *mac)
{
    return f->is_mac && tn_mac_cmp(&f->mac, mac) == 0;
}

static bool
here(const struct tn_find *f, const struct tn_net_port *port)
{
    return !f->host || strcmp(port->host->raw.name, f->host) == 0;
}

static bool
is_port(const struct tn_find *f, const struct tn_net_vpc *vpc,
        const struct tn_net_port *p)
{
    bool it = is_named(f, vpc, p->name) || is_mac(f, &p->mac) ||
              is_addr(f, &p->address) || is_addr(f, &p->address6) ||
              is(f, p->netns) || (!p->netns && is(f, p->interface)) ||
              (p->netns && is_below(f, p->netns, p->interface));
    for (size_t i = 0; i < p->n_allowed && !it; i++) {
        it = is_cidr(f, &p->allowed[i]);
    }
    return it && here(f, p);
}

static void
subnet_find(struct tn_find *f, const struct tn_net_vpc *vpc,
            const struct tn_net_subnet *s)
{
    bool local = !f->host;
    for (size_t i = 0; i < s->n_ports; i++) {
        local = local || here(f, &s->ports[i]);
        if (is_port(f, vpc, &s->ports[i])) {
            found(f, s->ports[i].origin,
                  (struct tn_match){.kind = "port",
                                    .name = s->ports[i].name,
                                    .scope = vpc->scope});
        }
    }
    if (local && (is_named(f, vpc, s->name) || is_cidr(f, &s->cidr) ||
                  is_cidr(f, &s->cidr6) || is_addr(f, &s->gateway) ||
                  is_addr(f, &s->gateway6) || is_mac(f, &s->gateway_mac) ||
                  (f->is_number && f->number == s->vni))) {
        found(f, s->origin,
              (struct tn_match){
                  .kind = "subnet", .name = s->name, .scope = vpc->scope});
    }
}

static void
vpc_find(struct tn_find *f, const struct tn_net_vpc *vpc)
{
    if (is(f, vpc->scope) || is(f, vpc->name)) {
        found(f, vpc->origin,
              (struct tn_match){
                  .kind = "vpc", .name = vpc->name, .scope = vpc->scope});
    }
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        subnet_find(f, vpc, &vpc->subnets[i]);
    }
    for (size_t i = 0; i < vpc->n_groups; i++) {
        if (is_named(f, vpc, vpc->groups[i].name)) {
            found(f, vpc->groups[i].origin,
                  (struct tn_match){.kind = "security group",
                                    .name = vpc->groups[i].name,
                                    .scope = vpc->scope});
        }
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &vpc->peerings[i];
        if (is_below(f, "peering", p->peer->scope)) {
            found(f, p->origin,
                  (struct tn_match){.kind = "peering",
                                    .name = p->peer->scope,
                                    .scope = vpc->scope});
        }
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        if (is_cidr(f, &vpc->routes[i].to)) {
            found(f, vpc->routes[i].origin,
                  (struct tn_match){
                      .kind = "route", .name = f->text, .scope = vpc->scope});
        }
    }
}

/* The VPCs to look at: of a host, those that its device has. */
static const struct tn_net_vpc *const *
vpcs_of(const struct tn_find *f, const struct tn_network *network, size_t *n)
{
    for (size_t i = 0; f->host && i < network->n_devices; i++) {
        if (strcmp(network->devices[i].name, f->host) == 0) {
            *n = network->devices[i].n_vpcs;
            return network->devices[i].vpcs;
        }
    }
    *n = f->host ? 0 : network->n_vpcs;
    return network->vpcs;
}

void
tn_find_in_network(struct tn_find *f, const struct tn_network *network)
{
    for (size_t i = 0; i < network->n_tenants; i++) {
        const struct tn_tenant *t = network->tenants[i].tenant;
        if (t && !f->host && is(f, network->tenants[i].name)) {
            found(f, tn_at(t->meta.path, t->meta.at),
                  (struct tn_match){.kind = "tenant",
                                    .name = network->tenants[i].name,
                                    .scope = ""});
        }
    }
    for (size_t i = 0; i < network->inventory->n_hosts && !f->tenant; i++) {
        const struct tn_host *h = &network->inventory->hosts[i];
        if (is(f, h->raw.name) || is_addr(f, &h->config.underlay)) {
            found(f, h->raw.at,
                  (struct tn_match){
                      .kind = "host", .name = h->raw.name, .scope = ""});
        }
    }
    size_t n_vpcs = 0;
    const struct tn_net_vpc *const *vpcs = vpcs_of(f, network, &n_vpcs);
    for (size_t i = 0; i < n_vpcs; i++) {
        if (!f->tenant || strcmp(f->tenant, vpcs[i]->tenant) == 0) {
            vpc_find(f, vpcs[i]);
        }
    }
}

/* ---------------------------------------------------------- resource ---- */

/* The part of a key below its scope: "bridge/b-front". */
static const char *
below_scope(const struct tn_resource *r)
{
    size_t n = strlen(r->scope);
    bool starts = n && strncmp(r->key, r->scope, n) == 0 && r->key[n] == '/';
    return starts ? r->key + n + 1 : r->key;
}

static bool
is_word(const struct tn_find *f, const char *word)
{
    struct tn_addr addr;
    struct tn_mac mac;
    return is(f, word) ||
           (f->is_mac && tn_mac_parse(word, &mac) &&
            tn_mac_cmp(&mac, &f->mac) == 0) ||
           (f->is_addr && tn_addr_parse(word, &addr) &&
            tn_addr_cmp(&addr, &f->addr) == 0);
}

static bool
is_claim(const struct tn_find *f, const char *claim)
{
    char number[32];
    snprintf(number, sizeof number, "vni %llu", (unsigned long long) f->number);
    return claim &&
           (is(f, claim) || (f->is_number && strcmp(claim, number) == 0));
}

/* One of the names that only the device has for it; of a path also the end. */
static bool
is_id(const struct tn_find *f, const char *ids)
{
    size_t n = strlen(f->text);
    for (const char *at = ids; at && *at && n; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        bool ends = len >= n && memcmp(at + len - n, f->text, n) == 0;
        if (ends && (len == n || (*at == '/' && at[len - n - 1] == '/'))) {
            return true;
        }
        at += len;
    }
    return false;
}

/* What the device calls it, where that is no part of its key: a row of OVSDB,
 * an object of NSX. */
static bool
is_called(const struct tn_find *f, const struct tn_resource *r)
{
    static const char *const calls[] = {"name", "interface", "iface-id", "vif"};
    bool it = is_id(f, r->ids);
    for (size_t i = 0; i < TN_ARRAY_SIZE(calls) && !it; i++) {
        it = is(f, tn_resource_attr(r, calls[i]));
    }
    return it;
}

/* "peering/acme/web", an alias: a kind, and what an attribute says. */
static bool
is_kind_of(const struct tn_find *f, const struct tn_resource *r)
{
    for (size_t i = 0; i < r->n_attrs; i++) {
        if (!r->attrs[i].secret && is_below(f, r->kind, r->attrs[i].value)) {
            return true;
        }
    }
    return false;
}

static bool
is_resource(const struct tn_find *f, const struct tn_resource *r)
{
    const char *below = below_scope(r), *slash = strchr(below, '/');
    const char *own = slash ? slash + 1 : below; /* Without the kind. */
    const char *last = strrchr(below, '/');
    return is(f, r->key) || is_word(f, r->name) || is(f, below) || is(f, own) ||
           (last && is_word(f, last + 1)) || is_below(f, r->kind, r->name) ||
           is_below(f, r->scope, r->name) || is_below(f, r->scope, own) ||
           is_claim(f, r->claim) || is_kind_of(f, r) || is_called(f, r);
}

/* A whole word of an attribute; "10.1.0.11" also in "10.1.0.11/24". */
static bool
is_mentioned(const struct tn_find *f, const struct tn_resource *r)
{
    size_t n = strlen(f->text);
    for (size_t i = 0; i < r->n_attrs && n; i++) {
        const char *v = r->attrs[i].value;
        if (r->attrs[i].secret) {
            continue;
        }
        for (const char *p = v; (p = strstr(p, f->text)); p++) {
            if ((p == v || p[-1] == ' ') &&
                (p[n] == '\0' || strchr(f->is_addr ? " ,;/" : " ,;", p[n]))) {
                return true;
            }
        }
    }
    return false;
}

void
tn_find_in_state(struct tn_find *f, const char *device,
                 const struct tn_state *state)
{
    size_t n = f->tenant ? strlen(f->tenant) : 0;
    for (size_t i = 0; i < state->n; i++) {
        const struct tn_resource *r = &state->items[i];
        bool named;
        if (n && (strncmp(r->scope, f->tenant, n) != 0 || r->scope[n] != '/')) {
            continue;
        }
        named = is_resource(f, r);
        if (named || is_mentioned(f, r)) {
            found(f, r->origin,
                  (struct tn_match){.device = device,
                                    .kind = r->kind,
                                    .name = r->name,
                                    .scope = r->scope,
                                    .key = r->key,
                                    .mentioned = !named});
        }
    }
}
