/* peer.c - peerings: two offers that meet.
 *
 * A peering connects when both VPCs' tenants grant it and neither tenant has
 * failed.  What happens otherwise never cuts or redirects traffic that nobody
 * meant to change:
 *
 * - The other side did not grant (or does not exist: that looks the same from
 *   here): a warning, and no connection.
 * - The other side's tenant failed: nobody knows what it grants now, so the
 *   VPC on this side is held: what devices have of it stays.
 * - What the other side exports overlaps this VPC's own prefixes, or those of
 *   another peering of it, or is what a static route of it leads to.  Between
 *   VPCs of one tenant that is the tenant's error.  Between tenants, either
 *   could have caused it by an edit of its own, and neither may be able to fail
 *   the other that way: both are warned, and both VPCs are held until the
 *   overlap is gone.
 * - The hosts of the two VPCs have no engine in common that could connect
 *   them: the same. */
#include "model/compile/settle.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/text.h"

enum verdict {
    PEER_OPEN,     /* Not granted by the other side. */
    PEER_GRANTED,  /* By both. */
    PEER_HELD,     /* The other side's tenant failed. */
    PEER_CONFLICT, /* Prefixes overlap, or no engine connects them. */
};

/* An offer with its counterpart. */
struct side {
    struct tn_part *part;
    const struct tn_part_offer *offer;
    struct tn_part *peer;               /* Null: there is no such tenant. */
    const struct tn_part_offer *answer; /* Null: not granted. */
    enum verdict verdict;
};

struct peers {
    const struct tn_world *world;
    const struct tn_parts *parts;
    struct tn_arena *arena;
    struct tn_diags *diags;
    struct side *sides; /* By tenant, vpc, peer tenant, peer VPC. */
    size_t n;
    TN_VEC(const char *) held;
};

static const struct tn_part_offer *
offer_find(const struct tn_part *part, const char *vpc, const char *peer_tenant,
           const char *peer_vpc)
{
    size_t lo = 0, hi = part->n_offers;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct tn_part_offer *o = &part->offers[mid];
        int c = strcmp(o->vpc, vpc);
        if (c == 0) {
            c = strcmp(o->peer_tenant, peer_tenant);
        }
        if (c == 0) {
            c = strcmp(o->peer_vpc, peer_vpc);
        }
        if (c == 0) {
            return o;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

/* The index of the VPC in part->vpcs and part->net; n_vpcs if absent. */
static size_t
vpc_index(const struct tn_part *part, const char *name)
{
    size_t lo = 0, hi = part->n_vpcs;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(part->vpcs[mid].name, name);
        if (c == 0) {
            return mid;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return part->n_vpcs;
}

static void
sides_fill(struct peers *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->parts->n; i++) {
        n += p->parts->items[i]->n_offers;
    }
    p->sides = tn_new_n(p->arena, struct side, n);
    for (size_t i = 0; i < p->parts->n; i++) {
        struct tn_part *part = p->parts->items[i];
        for (size_t k = 0; k < part->n_offers; k++) {
            const struct tn_part_offer *o = &part->offers[k];
            if (strcmp(o->peer_tenant, part->tenant) == 0 &&
                strcmp(o->peer_vpc, o->vpc) == 0) {
                continue; /* An error of its own already. */
            }
            struct side *s = &p->sides[p->n++];
            *s = (struct side){.part = part, .offer = o};
            s->peer = tn_parts_get(p->parts, s->offer->peer_tenant);
            if (s->peer) {
                s->answer = offer_find(s->peer, s->offer->peer_vpc,
                                       part->tenant, s->offer->vpc);
            }
            s->verdict = s->answer ? PEER_GRANTED : PEER_OPEN;
        }
    }
}

static bool
same_vpc(const struct side *a, const struct side *b)
{
    return a->part == b->part && strcmp(a->offer->vpc, b->offer->vpc) == 0;
}

/* Finds what an import runs into; '*with' names it.  Of two prefixes the longer
 * counts, so that only one that is the same as a static route's is in its way.
 */
static const struct tn_cidr *
import_conflict(const struct peers *p, const struct side *s,
                const struct tn_cidr *import, const struct side **with)
{
    size_t v = vpc_index(s->part, s->offer->vpc);
    *with = NULL;
    if (v < s->part->n_vpcs) {
        const struct tn_part_vpc *vpc = &s->part->vpcs[v];
        for (size_t i = 0; i < vpc->n_cidrs; i++) {
            if (tn_cidr_overlap(&vpc->cidrs[i], import)) {
                return &vpc->cidrs[i];
            }
        }
        for (size_t i = 0; i < vpc->n_routes; i++) {
            if (tn_cidr_cmp(&vpc->routes[i], import) == 0) {
                return &vpc->routes[i];
            }
        }
    }
    size_t at = (size_t) (s - p->sides), first = at;
    while (first > 0 && same_vpc(&p->sides[first - 1], s)) {
        first--;
    }
    for (size_t i = first; i < p->n && same_vpc(&p->sides[i], s); i++) {
        const struct side *o = &p->sides[i];
        for (size_t k = 0; i != at && o->answer && k < o->answer->n_exports;
             k++) {
            if (tn_cidr_overlap(&o->answer->exports[k], import)) {
                *with = o;
                return &o->answer->exports[k];
            }
        }
    }
    return NULL;
}

/* True if 'c' is one of the static routes of the VPC, not of its prefixes. */
static bool
is_route(const struct side *s, const struct tn_cidr *c)
{
    const struct tn_part_vpc *vpc =
        &s->part->vpcs[vpc_index(s->part, s->offer->vpc)];
    for (size_t i = 0; i < vpc->n_routes; i++) {
        if (c == &vpc->routes[i]) {
            return true;
        }
    }
    return false;
}

static void
conflict_report(struct peers *p, struct side *s, const struct tn_cidr *import,
                const struct tn_cidr *other, const struct side *with)
{
    char a[TN_CIDR_TEXT], b[TN_CIDR_TEXT];
    bool own = s->peer == s->part && (!with || with->peer == s->part);
    TN_CLEANUP(tn_cleanup_text) struct tn_text what = {0};
    if (with) {
        tn_text_addf(&what, "what '%s/%s' exports", with->offer->peer_tenant,
                     with->offer->peer_vpc);
    } else {
        tn_text_addf(&what, "%s of VPC '%s' itself",
                     is_route(s, other) ? "a static route" : "a prefix",
                     s->offer->vpc);
    }
    struct tn_diag *d = tn_part_diag(
        s->part, p->diags, own ? TN_ERROR : TN_WARNING, s->offer->at,
        "%s, which '%s/%s' exports, overlaps %s, %s", tn_cidr_format(import, a),
        s->offer->peer_tenant, s->offer->peer_vpc, tn_cidr_format(other, b),
        tn_text_str(&what));
    if (!own) {
        d->hint = "both VPCs stay as they are until the overlap is gone";
    }
}

/* The host that tells what carries the VPC; null: anything does. */
static const struct tn_host *
host_of(const struct peers *p, const struct tn_part *part, const char *vpc)
{
    size_t v = vpc_index(part, vpc);
    const char *name = v < part->n_vpcs ? part->vpcs[v].host : NULL;
    return name ? tn_map_get(&p->world->hosts, name) : NULL;
}

static void
engines_check(struct peers *p, struct side *s)
{
    if (!s->answer) {
        return;
    }
    const struct tn_host *a = host_of(p, s->part, s->offer->vpc);
    const struct tn_host *b = host_of(p, s->peer, s->offer->peer_vpc);
    if (!a || !b || tn_hosts_join(a, b)) {
        return;
    }
    s->verdict = PEER_CONFLICT;
    if (s->peer == s->part) {
        tn_part_diag(s->part, p->diags, TN_ERROR, s->offer->at,
                     "VPC '%s' has ports on host '%s' (%s) and its peer '%s' "
                     "on host '%s' (%s): nothing connects the two",
                     s->offer->vpc, a->raw.name, tn_host_engine(a),
                     s->offer->peer_vpc, b->raw.name, tn_host_engine(b));
        return;
    }
    /* Where the other tenant's ports are is not for this one to know. */
    tn_part_diag(s->part, p->diags, TN_WARNING, s->offer->at,
                 "VPC '%s' has ports on host '%s' (%s), which nothing "
                 "connects with the hosts of '%s/%s' (%s)",
                 s->offer->vpc, a->raw.name, tn_host_engine(a),
                 s->offer->peer_tenant, s->offer->peer_vpc, tn_host_engine(b))
        ->hint = "both VPCs stay as they are until all their ports are on "
                 "hosts of one kind";
}

static void
conflicts_find(struct peers *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct side *s = &p->sides[i];
        engines_check(p, s);
        const struct side *with = NULL;
        const struct tn_cidr *other = NULL;
        for (size_t k = 0; s->answer && k < s->answer->n_exports && !other;
             k++) {
            const struct tn_cidr *import = &s->answer->exports[k];
            other = import_conflict(p, s, import, &with);
            if (other) {
                conflict_report(p, s, import, other, with);
                s->verdict = PEER_CONFLICT;
            }
        }
    }
}

static struct side *
counterpart(const struct peers *p, const struct side *s)
{
    size_t lo = 0, hi = p->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct side *o = &p->sides[mid];
        int c = strcmp(o->part->tenant, s->peer->tenant);
        if (c == 0 && o->offer == s->answer) {
            return &p->sides[mid];
        }
        if (c < 0 || (c == 0 && o->offer < s->answer)) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

static void
hold(struct peers *p, const char *tenant, const char *vpc)
{
    *tn_vec_push(p->arena, &p->held) =
        tn_arena_printf(p->arena, "%s/%s", tenant, vpc);
}

static void
verdicts_settle(struct peers *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct side *s = &p->sides[i];
        if (s->verdict == PEER_CONFLICT) {
            struct side *o = counterpart(p, s);
            if (o) {
                o->verdict = PEER_CONFLICT;
            }
        }
    }
    for (size_t i = 0; i < p->n; i++) {
        struct side *s = &p->sides[i];
        if (s->peer && s->peer->failed) {
            s->verdict = PEER_HELD;
        }
        if (s->part->failed) {
            hold(p, s->part->tenant, s->offer->vpc);
        } else if (s->verdict == PEER_HELD || s->verdict == PEER_CONFLICT) {
            hold(p, s->part->tenant, s->offer->vpc);
            hold(p, s->offer->peer_tenant, s->offer->peer_vpc);
        } else if (s->verdict == PEER_OPEN) {
            tn_part_diag(s->part, p->diags, TN_WARNING, s->offer->at,
                         "the peering with '%s/%s' is not granted by the "
                         "other side yet",
                         s->offer->peer_tenant, s->offer->peer_vpc);
        }
    }
}

static int
peering_cmp(const void *a, const void *b)
{
    const struct tn_net_peering *x = a, *y = b;
    return strcmp(x->peer->scope, y->peer->scope);
}

static void
vpc_connect(struct peers *p, const struct side *first, size_t n)
{
    struct tn_part *part = first->part;
    size_t v = vpc_index(part, first->offer->vpc), made = 0;
    if (part->failed || !part->net || v == part->n_vpcs) {
        return;
    }
    struct tn_net_vpc *vpc = &part->net[v];
    struct tn_net_peering *list = tn_new_n(p->arena, struct tn_net_peering, n);
    for (size_t i = 0; i < n; i++) {
        const struct side *s = &first[i];
        if (s->verdict != PEER_GRANTED || !s->peer || !s->peer->net) {
            continue;
        }
        size_t pv = vpc_index(s->peer, s->offer->peer_vpc);
        if (pv == s->peer->n_vpcs) {
            continue;
        }
        const struct tn_net_vpc *peer = &s->peer->net[pv];
        list[made++] = (struct tn_net_peering){
            .peer = peer,
            .exports = s->offer->exports,
            .n_exports = s->offer->n_exports,
            .imports = s->answer->exports,
            .n_imports = s->answer->n_exports,
            .first = strcmp(vpc->scope, peer->scope) < 0,
            .origin = s->offer->at,
        };
    }
    if (made > 1) {
        qsort(list, made, sizeof *list, peering_cmp);
    }
    vpc->peerings = list;
    vpc->n_peerings = made;
}

static void
connect_all(struct peers *p)
{
    for (size_t i = 0; i < p->n;) {
        size_t end = i + 1;
        while (end < p->n && same_vpc(&p->sides[i], &p->sides[end])) {
            end++;
        }
        vpc_connect(p, &p->sides[i], end - i);
        i = end;
    }
}

/* The VPCs of a failed tenant, as far as anybody can name them. */
static void
failed_hold(struct peers *p, const struct tn_part *part)
{
    for (size_t i = 0; i < part->n_vpcs; i++) {
        hold(p, part->tenant, part->vpcs[i].name);
    }
    for (size_t i = 0; i < part->n_other_pins; i++) {
        const char *object = part->other_pins[i].object;
        if (strncmp(object, "subnet/", 7) == 0) {
            const char *vpc = object + 7;
            hold(p, part->tenant,
                 tn_arena_strndup(p->arena, vpc, strcspn(vpc, "/")));
        }
    }
}

void
tn_settle_peerings(const struct tn_world *world, const struct tn_parts *parts,
                   struct tn_arena *arena, struct tn_diags *diags,
                   const char *const **held, size_t *n_held)
{
    struct peers p = {
        .world = world, .parts = parts, .arena = arena, .diags = diags};
    sides_fill(&p);
    conflicts_find(&p);
    verdicts_settle(&p);
    connect_all(&p);
    for (size_t i = 0; i < parts->n; i++) {
        if (parts->items[i]->failed) {
            failed_hold(&p, parts->items[i]);
        }
    }
    *n_held = tn_texts_unique(p.held.items, p.held.n);
    *held = p.held.items;
}
