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
#include "drivers/kernel/threads.h"

/* What a tunnel adds to a frame, by family of the underlay: outer IP, UDP,
 * VXLAN, inner Ethernet. */
enum { OVERHEAD_IPV4 = 20 + 8 + 8 + 14, OVERHEAD_IPV6 = 40 + 8 + 8 + 14 };

static void
add_netns(struct tn_k_watch_vpc *v, const char *sysctls, bool ours)
{
    struct tn_k_netns *o = tn_new(v->w->list.arena, struct tn_k_netns);
    o->o = tn_k_watch_object(v, TN_K_NETNS);
    o->sysctls = sysctls;
    v->netns_key = tn_k_watch_add(v->w, &o->o, ours);
}

static void
add_rules(struct tn_k_watch_vpc *v, const struct tn_nft_observed *seen)
{
    struct tn_arena *arena = v->w->list.arena;
    if (seen->present) {
        struct tn_k_rules *o = tn_new(arena, struct tn_k_rules);
        o->o = tn_k_watch_object(v, TN_K_OBJ_RULES);
        o->rules = seen->rules;
        tn_k_watch_add(v->w, &o->o, true);
    }
    for (size_t i = 0; i < seen->n_foreign; i++) {
        struct tn_k_foreign_table *o = tn_new(arena, struct tn_k_foreign_table);
        o->o = tn_k_watch_object(v, TN_K_OBJ_TABLE);
        o->name = seen->foreign[i];
        tn_k_watch_add(v->w, &o->o, false);
    }
}

static const char *
also(struct tn_arena *arena, const char *text, const char *kind,
     const char *name, const char *what)
{
    bool first = text == tn_k_sysctls_wanted();
    return tn_arena_printf(arena, "%s%s%s%s%s", first ? "" : text,
                           first ? "" : ", ", kind, name, what);
}

/* What differs from what is wanted in the namespace as a whole. */
static const char *
settings(const struct tn_k_watch_vpc *v, const struct tn_k_visit *visit)
{
    const struct tn_k_table *t = &v->space->table;
    struct tn_arena *arena = v->w->list.arena;
    const char *text = visit->sysctls;
    for (size_t i = 0; i < t->links.n; i++) {
        const struct tn_k_seen_link *l = t->by_name[i];
        if (tn_k_has_settings(l, v->w->s->mark)) {
            text =
                tn_k_link_sysctls_add(arena, text, l->link.name, &l->settings);
        }
    }
    for (int i = 0; i < TN_K_BASE_RULES; i++) {
        if (tn_k_lacks_rule(t, (enum tn_k_base_rule) i)) {
            text =
                also(arena, text, "rule/", tn_k_base_rules[i].name, "=missing");
        }
    }
    return v->space->proved ? also(arena, text, "lo/alias", "", "=lost") : text;
}

static void
watch_vpc(struct tn_k_watch *w, const struct tn_k_visit *visit)
{
    struct tn_k_watch_vpc v = {.w = w,
                               .ns = visit->name,
                               .scope = visit->scope,
                               .space = visit->space};
    if (!visit->ours) {
        add_netns(&v, "not known", false);
        return;
    }
    add_netns(&v, settings(&v, visit), true);
    add_rules(&v, &visit->rules);
    tn_k_watch_links(&v);
    tn_k_watch_entries(&v);
}

static int
cmp_resource(const void *a, const void *b)
{
    const struct tn_resource *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static void
sort_list(struct tn_k_list *list)
{
    struct tn_resource *items = list->items.items;
    size_t i = 1;
    while (i < list->items.n && strcmp(items[i - 1].key, items[i].key) <= 0) {
        i++;
    }
    if (i < list->items.n) {
        qsort(items, list->items.n, sizeof *items, cmp_resource);
    }
}

/* As many resources as a namespace can give. */
static size_t
most_of(const struct tn_k_table *t)
{
    enum { BESIDE = 16 };
    return t->links.n + t->addrs.n + t->routes.n + t->neighs.n + t->fdb.n +
           BESIDE;
}

static void
append(struct tn_k_list *list, const struct tn_k_list *more)
{
    for (size_t i = 0; i < more->items.n; i++) {
        *tn_vec_push(list->arena, &list->items) = more->items.items[i];
    }
}

/* VPCs being turned into resources, each into a list of its own. */
struct parts {
    const struct tn_k_visit **visits;
    struct tn_k_watch *watches;
    struct tn_arena *arenas[TN_K_WORKERS];
};

static void
part_do(void *ctx, size_t worker, size_t i)
{
    struct parts *parts = ctx;
    if (!parts->arenas[worker]) {
        parts->arenas[worker] = tn_arena_new();
    }
    struct tn_k_list *list = &parts->watches[i].list;
    list->arena = parts->arenas[worker];
    if (parts->visits[i]->space) {
        tn_vec_reserve(list->arena, &list->items,
                       most_of(&parts->visits[i]->space->table));
    }
    watch_vpc(&parts->watches[i], parts->visits[i]);
    sort_list(&parts->watches[i].list);
}

static void
watch_vpcs(struct tn_k_watch *w)
{
    struct tn_arena *arena = w->s->seen;
    struct parts parts = {
        .visits = tn_new_n(arena, const struct tn_k_visit *, w->visits.n),
        .watches = tn_new_n(arena, struct tn_k_watch, w->visits.n)};
    size_t n = 0;
    for (size_t i = 0; i < w->visits.n; i++) {
        if (w->visits.items[i].scope && w->visits.items[i].there) {
            parts.visits[n] = &w->visits.items[i];
            parts.watches[n++] = (struct tn_k_watch){
                .s = w->s, .scope = w->scope, .want = w->want};
        }
    }
    tn_k_each(n, part_do, &parts);
    size_t total = w->list.items.n;
    for (size_t i = 0; i < n; i++) {
        total += parts.watches[i].list.items.n;
    }
    if (n > 1) {
        tn_vec_reserve(w->list.arena, &w->list.items, total);
    }
    for (size_t i = 0; i < n; i++) {
        const struct tn_k_watch *part = &parts.watches[i];
        if (n == 1 && w->list.items.n == 0) {
            w->list.items.items = part->list.items.items;
            w->list.items.n = part->list.items.n;
            w->list.items.cap = part->list.items.cap;
        } else {
            append(&w->list, &part->list);
        }
        for (size_t k = 0; k < part->bare.n; k++) {
            *tn_vec_push(arena, &w->bare) = part->bare.items[k];
        }
    }
    for (size_t i = 0; i < TN_K_WORKERS; i++) {
        if (parts.arenas[i]) {
            tn_arena_adopt(w->list.arena, parts.arenas[i]);
        }
    }
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
static void
watch_stray(struct tn_k_watch *w, const struct tn_k_visit *visit)
{
    const struct tn_k_space *space = visit->space;
    if (!tn_k_space_marked(space, w->s->ports_mark) ||
        has_our_links(&space->table)) {
        return;
    }
    const char *scope = tn_k_space_alias(space) + strlen(w->s->ports_mark);
    struct tn_k_stray *o = tn_new(w->list.arena, struct tn_k_stray);
    o->o = (struct tn_k_object){TN_K_NETNS_STRAY, visit->name,
                                tn_arena_strdup(w->list.arena, scope), NULL};
    tn_k_watch_add(w, &o->o, true);
}

/* Namespaces that are wanted or that a port leads to were read deeper. */
static void
watch_strays(struct tn_k_watch *w)
{
    for (size_t i = 0; i < w->visits.n; i++) {
        const struct tn_k_visit *v = &w->visits.items[i];
        if (v->depth == TN_K_LINKS && v->there) {
            watch_stray(w, v);
        }
    }
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

/* Where the inventory says what to tunnel from, or at least names the host. */
static struct tn_origin
underlay_origin(const struct tn_host *host)
{
    for (size_t i = 0; i < host->config.n_options; i++) {
        const struct tn_var *var = &host->config.options[i];
        if (strcmp(var->name, "tenet_underlay_address") == 0) {
            return (struct tn_origin){var->path, var->value->at.line,
                                      var->value->at.column};
        }
    }
    return host->raw.at;
}

static enum tn_code
no_underlay(const struct tn_k_watch *w, struct tn_error *err)
{
    const struct tn_device *device = w->s->device;
    const char *ns = w->s->underlay->name;
    char addr[TN_ADDR_TEXT];
    enum tn_code code =
        tn_fail(err, TN_EUNAVAILABLE, 0,
                "no interface of host %s%s%s has the address %s to tunnel from",
                device->name, ns[0] ? ", namespace " : "", ns,
                tn_addr_format(&device->host->config.underlay, addr));
    tn_error_at(err, underlay_origin(device->host));
    return code;
}

/* A tunnel from an address that the host does not have would silently carry
 * nothing, and one whose frames the underlay cannot carry only the small ones:
 * the first such is an error at its line. */
static enum tn_code
check_tunnels(const struct tn_k_watch *w, const struct tn_k_seen_link *under,
              struct tn_error *err)
{
    for (size_t i = 0; i < w->want->n; i++) {
        const struct tn_resource *r = &w->want->items[i];
        const struct tn_k_object *o = r->native;
        if (o->kind != TN_K_OBJ_VXLAN) {
            continue;
        }
        if (!under) {
            return no_underlay(w, err);
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
    if (!tn_k_space_seen(w->s, w->s->underlay->name)) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "the underlay is gone");
    }
    const struct tn_k_table *t = &w->s->underlay->table;
    for (size_t i = 0; w->want && i < t->links.n; i++) {
        watch_obstacle(w, &t->links.items[i]);
    }
    return w->want ? check_tunnels(w, underlay_link(w), err) : TN_OK;
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
    enum tn_code code = tn_k_watch_read(w, err);
    if (code == TN_OK) {
        code = watch_underlay(w, err);
    }
    if (code != TN_OK) {
        return code;
    }
    watch_vpcs(w);
    if (!(w->scope && w->scope->names)) {
        watch_bare_ends(w);
        watch_strays(w);
    }
    sort_list(&w->list);
    drop_equal_keys(&w->list);
    return TN_OK;
}

enum tn_code
tn_k_observe(struct tn_session *session, const struct tn_scope *scope,
             const struct tn_state *want, struct tn_arena *arena,
             const struct tn_state **out, struct tn_error *err)
{
    struct tn_k_watch w = {
        .s = session, .scope = scope, .want = want, .list = {.arena = arena}};
    enum tn_code code = tn_k_excursion(watch_all, &w, err);
    if (code != TN_OK) {
        return code;
    }
    struct tn_state *state = tn_new(arena, struct tn_state);
    *state = (struct tn_state){session->device->name, w.list.items.items,
                               w.list.items.n};
    *out = state;
    return TN_OK;
}
