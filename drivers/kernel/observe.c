/* observe.c - what the kernel holds of a device.
 *
 * Goes through the namespaces by name, believes their marks, and reads each
 * with a handful of dumps.  The underlay is read only for what could be in the
 * way: a tunnel of somebody else with one of our VNIs, and an interface too
 * small for the frames that the subnets send through it. */
#include "drivers/kernel/observe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/kernel/sysctl.h"

/* What a tunnel adds to a frame, by family of the underlay: outer IP, UDP,
 * VXLAN, inner Ethernet. */
enum { OVERHEAD_IPV4 = 20 + 8 + 8 + 14, OVERHEAD_IPV6 = 40 + 8 + 8 + 14 };

static bool
in_scope(const struct tn_scope *scope, const char *name)
{
    if (!scope || !scope->names) {
        return true;
    }
    for (size_t i = 0; i < scope->n; i++) {
        if (strcmp(scope->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void
add_netns(struct tn_k_watch_vpc *v, const char *sysctls, bool ours)
{
    struct tn_k_netns *o = tn_new(v->w->list.arena, struct tn_k_netns);
    o->o = tn_k_watch_object(v, TN_K_NETNS);
    o->sysctls = sysctls;
    v->netns_key = tn_k_watch_add(v->w, &o->o, ours);
}

static const struct tn_nft_ruleset *
wanted_rules(const struct tn_k_watch *w, const char *scope)
{
    char key[160];
    snprintf(key, sizeof key, "%s/nft", scope);
    const struct tn_resource *r = w->want ? tn_state_get(w->want, key) : NULL;
    return r ? ((const struct tn_k_rules *) r->native)->rules : NULL;
}

static enum tn_code
watch_rules(struct tn_k_watch_vpc *v, struct tn_error *err)
{
    struct tn_arena *arena = v->w->list.arena;
    struct tn_nft_observed seen = {0};
    enum tn_code code =
        tn_nft_observe(v->w->s->nft, v->space->fd, wanted_rules(v->w, v->scope),
                       arena, &seen, err);
    if (code != TN_OK) {
        return tn_while(err, code, "namespace %s", v->ns);
    }
    if (seen.present) {
        struct tn_k_rules *o = tn_new(arena, struct tn_k_rules);
        o->o = tn_k_watch_object(v, TN_K_OBJ_RULES);
        o->rules = seen.rules;
        tn_k_watch_add(v->w, &o->o, true);
    }
    for (size_t i = 0; i < seen.n_foreign; i++) {
        struct tn_k_foreign_table *o = tn_new(arena, struct tn_k_foreign_table);
        o->o = tn_k_watch_object(v, TN_K_OBJ_TABLE);
        o->name = seen.foreign[i];
        tn_k_watch_add(v->w, &o->o, false);
    }
    return TN_OK;
}

static enum tn_code
watch_vpc(struct tn_k_watch *w, const char *name, const char *scope,
          struct tn_error *err)
{
    struct tn_k_watch_vpc v = {.w = w, .ns = name, .scope = scope};
    enum tn_code code = tn_k_space_get(w->s, name, &v.space, err);
    if (code == TN_ENOENT) {
        return TN_OK; /* It went away, or never was one. */
    }
    if (code == TN_OK) {
        code = tn_k_space_read(w->s, v.space, TN_K_VPC, err);
    }
    if (code != TN_OK) {
        return code;
    }
    if (!tn_k_space_marked(v.space, w->s->mark)) {
        add_netns(&v, "not known", false);
        return TN_OK;
    }
    const char *sysctls = NULL;
    code = tn_k_netns_enter(v.space->fd, err);
    if (code == TN_OK) {
        code = tn_k_sysctls_read(w->list.arena, &sysctls, err);
    }
    if (code == TN_OK) {
        add_netns(&v, sysctls, true);
        code = watch_rules(&v, err);
    }
    if (code == TN_OK) {
        code = tn_k_watch_links(&v, err);
    }
    if (code == TN_OK) {
        tn_k_watch_entries(&v);
    }
    return code;
}

static bool
has_our_links(const struct tn_k_table *t)
{
    for (size_t i = 0; i < t->links.n; i++) {
        if (tn_k_link_ours(&t->links.items[i])) {
            return true;
        }
    }
    return false;
}

/* A namespace that was made for ports and has none: a crash came before the
 * first one, or after the last. */
static enum tn_code
watch_stray(struct tn_k_watch *w, const char *name, struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = tn_k_space_get(w->s, name, &space, err);
    if (code == TN_ENOENT) {
        return TN_OK;
    }
    if (code == TN_OK) {
        code = tn_k_space_read(w->s, space, TN_K_LINKS, err);
    }
    if (code == TN_EUNAVAILABLE) {
        return TN_OK; /* Somebody is busy there: not one that was left. */
    }
    if (code != TN_OK || !tn_k_space_marked(space, w->s->ports_mark) ||
        has_our_links(&space->table)) {
        return code;
    }
    const char *scope = tn_k_space_alias(space) + strlen(w->s->ports_mark);
    struct tn_k_stray *o = tn_new(w->list.arena, struct tn_k_stray);
    o->o = (struct tn_k_object){TN_K_NETNS_STRAY, name,
                                tn_arena_strdup(w->list.arena, scope), NULL};
    tn_k_watch_add(w, &o->o, true);
    return TN_OK;
}

static enum tn_code
watch_strays(struct tn_k_watch *w, const char *const *names, size_t n,
             struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (size_t i = 0; code == TN_OK && i < n; i++) {
        const struct tn_k_space *space = tn_map_get(&w->s->spaces, names[i]);
        bool read = space && space->epoch == w->s->epoch;
        bool other_lab = strstr(names[i], ".tn.") != NULL;
        if (!read && !other_lab &&
            !tn_k_netns_scope(w->s->seen, w->s->device, names[i])) {
            code = watch_stray(w, names[i], err);
        }
    }
    return code;
}

/* The wanted tunnel with that VNI; null if none. */
static const struct tn_k_vxlan *
wanted_vxlan(const struct tn_k_watch *w, uint32_t vni)
{
    for (size_t i = 0; i < w->want->n; i++) {
        const struct tn_k_object *o = w->want->items[i].native;
        if (o->kind == TN_K_OBJ_VXLAN) {
            const struct tn_k_vxlan *x = w->want->items[i].native;
            if (x->vni == vni) {
                return x;
            }
        }
    }
    return NULL;
}

static void
watch_obstacle(struct tn_k_watch *w, const struct tn_k_seen_link *l)
{
    if (l->type != TN_K_TYPE_VXLAN || l->port != w->s->device->vxlan_port ||
        !wanted_vxlan(w, l->vni)) {
        return;
    }
    struct tn_k_foreign *o = tn_new(w->list.arena, struct tn_k_foreign);
    o->o = (struct tn_k_object){TN_K_OBJ_LINK, w->s->underlay->name, "", NULL};
    o->link = l->link;
    o->link.master = "none";
    o->key_kind = "link";
    o->type = "vxlan";
    o->vni = l->vni;
    tn_k_watch_add(w, &o->o, false);
}

/* The interface that has the address to tunnel from; null if none has it. */
static const struct tn_k_seen_link *
underlay_link(const struct tn_k_watch *w)
{
    const struct tn_k_table *t = &w->s->underlay->table;
    const struct tn_addr *local = &w->s->device->host->config.underlay;
    for (size_t i = 0; i < t->addrs.n; i++) {
        if (tn_addr_cmp(&t->addrs.items[i].addr.addr, local) == 0) {
            return t->by_name[t->addrs.items[i].rank];
        }
    }
    return NULL;
}

/* The first wanted tunnel whose frames the underlay cannot carry is an error
 * at its line. */
static enum tn_code
check_mtu(const struct tn_k_watch *w, const struct tn_k_seen_link *under,
          struct tn_error *err)
{
    for (size_t i = 0; under && i < w->want->n; i++) {
        const struct tn_resource *r = &w->want->items[i];
        const struct tn_k_object *o = r->native;
        if (o->kind != TN_K_OBJ_VXLAN) {
            continue;
        }
        const struct tn_k_vxlan *x = r->native;
        uint32_t overhead =
            x->local.family == TN_AF_IPV4 ? OVERHEAD_IPV4 : OVERHEAD_IPV6;
        if (x->link.mtu + overhead > under->link.mtu) {
            enum tn_code code = tn_fail(
                err, TN_EINTENT, 0,
                "an MTU of %u does not fit: interface %s of host %s carries "
                "%u bytes, of which a tunnel needs %u",
                x->link.mtu, under->link.name, w->s->device->name,
                under->link.mtu, overhead);
            tn_error_at(err, r->origin);
            return code;
        }
    }
    return TN_OK;
}

static enum tn_code
watch_underlay(struct tn_k_watch *w, struct tn_error *err)
{
    const char *name = w->s->underlay->name;
    enum tn_code code = tn_k_space_get(w->s, name, &w->s->underlay, err);
    if (code == TN_ENOENT) {
        return tn_while(err, TN_EUNAVAILABLE, "the underlay is gone");
    }
    if (code == TN_OK) {
        code = tn_k_space_read(w->s, w->s->underlay, TN_K_PORTS, err);
    }
    if (code != TN_OK || !w->want) {
        return code;
    }
    const struct tn_k_table *t = &w->s->underlay->table;
    for (size_t i = 0; i < t->links.n; i++) {
        watch_obstacle(w, &t->links.items[i]);
    }
    return check_mtu(w, underlay_link(w), err);
}

/* Two foreign things may look alike to us (routes of several types); one of
 * them is enough. */
static void
drop_equal_keys(struct tn_k_list *list)
{
    size_t kept = 0;
    struct tn_resource *items = list->items.items;
    for (size_t i = 0; i < list->items.n; i++) {
        if (kept && strcmp(items[kept - 1].key, items[i].key) == 0) {
            if (items[i].owner == TN_OURS) {
                items[kept - 1] = items[i];
            }
        } else {
            items[kept++] = items[i];
        }
    }
    list->items.n = kept;
}

static int
cmp_resource(const void *a, const void *b)
{
    const struct tn_resource *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* An end without alias is nothing yet, if the other end says that it is a link:
 * that side has made it.  If not, it is what a crash has left. */
static void
watch_bare_ends(struct tn_k_watch *w)
{
    size_t n = w->list.items.n;
    for (size_t i = 0; i < w->bare.n; i++) {
        const char *name = w->bare.items[i]->link.name;
        size_t k = 0;
        while (k < n && (strcmp(w->list.items.items[k].kind, "peering") != 0 ||
                         strcmp(w->list.items.items[k].name, name) != 0)) {
            k++;
        }
        if (k == n) {
            tn_k_watch_add(w, &w->bare.items[i]->o, true);
        }
    }
}

static enum tn_code
watch_all(void *ctx, struct tn_error *err)
{
    struct tn_k_watch *w = ctx;
    const char *const *names = NULL;
    size_t n = 0;
    tn_k_session_renew(w->s);
    enum tn_code code = watch_underlay(w, err);
    if (code == TN_OK) {
        code = tn_k_netns_list(w->list.arena, &names, &n, err);
    }
    for (size_t i = 0; code == TN_OK && i < n; i++) {
        const char *scope =
            tn_k_netns_scope(w->list.arena, w->s->device, names[i]);
        if (scope && in_scope(w->scope, scope)) {
            code = watch_vpc(w, names[i], scope, err);
        }
    }
    if (code == TN_OK && !(w->scope && w->scope->names)) {
        watch_bare_ends(w);
        code = watch_strays(w, names, n, err);
    }
    return code;
}

enum tn_code
tn_k_observe(struct tn_session *session, const struct tn_scope *scope,
             const struct tn_state *want, struct tn_arena *arena,
             const struct tn_state **out, struct tn_error *err)
{
    struct tn_k_watch w = {
        .s = session, .scope = scope, .want = want, .list = {.arena = arena}};
    enum tn_code code = tn_k_in_thread(watch_all, &w, err);
    if (code != TN_OK) {
        return code;
    }
    if (w.list.items.n) {
        qsort(w.list.items.items, w.list.items.n, sizeof *w.list.items.items,
              cmp_resource);
        drop_equal_keys(&w.list);
    }
    struct tn_state *state = tn_new(arena, struct tn_state);
    *state = (struct tn_state){session->device->name, w.list.items.items,
                               w.list.items.n};
    *out = state;
    return TN_OK;
}
