/* commit_wait.c - what refuses us now and will be gone in a moment.
 *
 * When a namespace loses its name and its last user, the kernel destroys it
 * some time later.  Until then its tunnels hold their VNIs, which nobody sees,
 * and the other ends of its pairs hold their names.  So a creation that was
 * refused because something exists is tried again for a while, if nothing is in
 * its way that will stay there. */
#include "drivers/kernel/commit.h"

#include <string.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 10, LONGEST_PAUSE_MS = 200, PATIENCE_MS = 5000 };

/* Is there a link of that name that will stay?  One of ours whose other end is
 * not where it should be is about to go. */
static bool
has_link(const struct tn_session *s, const char *ns, const char *link,
         const char *other_ns, const char *other_link)
{
    const struct tn_k_space *space = tn_k_space_seen(s, ns);
    const struct tn_k_seen_link *l =
        space ? tn_k_table_by_name(&space->table, link) : NULL;
    bool ours = l && l->group == TN_K_GROUP && l->type == TN_K_TYPE_VETH;
    return l && (!ours || tn_k_space_joins(s, l, other_ns, other_link));
}

/* The same for either end of a pair. */
static bool
has_pair(const struct tn_session *s, const char *ns, const char *link,
         const char *other_ns, const char *other_link)
{
    return has_link(s, ns, link, other_ns, other_link) ||
           has_link(s, other_ns, other_link, ns, link);
}

static bool
has_vni(const struct tn_session *s, const struct tn_k_vxlan *o)
{
    for (size_t i = 0; i < s->all.n; i++) {
        const struct tn_k_space *space = s->all.items[i];
        for (size_t k = 0; space->epoch == s->epoch && k < space->table.links.n;
             k++) {
            const struct tn_k_seen_link *l = &space->table.links.items[k];
            if (l->type == TN_K_TYPE_VXLAN && l->vni == o->vni &&
                l->port == o->port) {
                return true;
            }
        }
    }
    return false;
}

/* Is what may be in the way of that creation out of sight? */
static bool
is_unseen(const struct tn_session *s, const struct tn_k_object *o)
{
    if (o->kind == TN_K_OBJ_VXLAN) {
        const struct tn_k_vxlan *x = (const void *) o;
        const struct tn_k_space *space = tn_k_space_seen(s, o->ns);
        return !has_vni(s, x) &&
               !(space && tn_k_table_by_name(&space->table, x->link.name));
    }
    if (o->kind == TN_K_OBJ_PORT) {
        const struct tn_k_port *p = (const void *) o;
        return p->netns &&
               !has_pair(s, o->ns, p->link.name, p->netns, p->interface);
    }
    if (o->kind == TN_K_OBJ_PEERING) {
        const struct tn_k_peering *p = (const void *) o;
        return p->peer_ns &&
               !has_pair(s, o->ns, p->link.name, p->peer_ns, p->link.name);
    }
    return false;
}

static bool
may_vanish(const struct tn_k_commit *c, size_t i, size_t end)
{
    for (size_t at = i; at < end; at++) {
        const struct tn_resource *after = c->steps[at].after;
        if (c->outcomes[at] == TN_STEP_FAILED &&
            !(after && is_unseen(c->s, after->native))) {
            return false;
        }
    }
    return true;
}

bool
tn_k_commit_wait(const struct tn_k_commit *c, size_t i, size_t end,
                 struct tn_k_patience *patience)
{
    if (patience->waited_ms >= PATIENCE_MS || !may_vanish(c, i, end)) {
        return false;
    }
    long ms = patience->pause_ms ? 2 * patience->pause_ms : FIRST_PAUSE_MS;
    ms = ms < LONGEST_PAUSE_MS ? ms : LONGEST_PAUSE_MS;
    struct timespec t = {.tv_nsec = ms * 1000000L};
    nanosleep(&t, NULL);
    patience->pause_ms = ms;
    patience->waited_ms += ms;
    return true;
}
