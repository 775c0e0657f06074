/* observe_read.c - reading all namespaces that an observation is about.
 *
 * Several threads read a namespace each, in two rounds: first the underlay, the
 * VPCs and, of the namespaces of ports, those that are wanted; then those that
 * ports say they lead to and were not read yet, and whatever else may be a
 * leftover of ours.  What was read belongs to the session, what is for the
 * result to the caller.  What is made of it, in which order, and
 * which of several errors is told does not depend on the threads.
 *
 * Reading ahead goes through the same rounds in a thread of its own, for the
 * tables only.  The observation goes through them again, and loads what is
 * missing: what could not be read ahead, it reads, and tells why it cannot. */
#include "drivers/kernel/observe.h"

#include <stdio.h>
#include <string.h>

#include "drivers/kernel/sysctl.h"
#include "drivers/kernel/threads.h"

/* So few namespaces, of one or two VPCs, are read before a thread has begun. */
enum { FEW = 4 };

/* A round: the visits from 'first' on.  Each worker has an arena for tables and
 * one for what goes into the result. */
struct round {
    struct tn_k_watch *w;
    size_t first;
    struct tn_arena *seen[TN_K_WORKERS], *out[TN_K_WORKERS];
};

static struct tn_k_visit *
visit_add(struct tn_k_watch *w, const char *name, enum tn_k_depth depth)
{
    struct tn_k_space *space = tn_k_space_slot(w->s, name);
    if (tn_map_get(&w->visited, space->name)) {
        return NULL;
    }
    tn_map_put(&w->visited, space->name, w);
    struct tn_k_visit *visit = tn_vec_push(w->s->seen, &w->visits);
    *visit = (struct tn_k_visit){.space = space, .name = name, .depth = depth};
    return visit;
}

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

static const struct tn_nft_ruleset *
wanted_rules(const struct tn_k_watch *w, const char *scope)
{
    char key[160];
    snprintf(key, sizeof key, "%s/nft", scope);
    const struct tn_resource *r = w->want ? tn_state_get(w->want, key) : NULL;
    return r ? ((const struct tn_k_rules *) r->native)->rules : NULL;
}

/* A setting is found by name among those of all namespaces: with a thousand of
 * them, reading all settings of one takes longer than the rest of it. */
static enum tn_code
read_settings(const struct tn_k_watch *w, struct tn_k_visit *v,
              struct tn_arena *arena, struct tn_error *err)
{
    char key[160];
    snprintf(key, sizeof key, "%s/netns", v->scope);
    const struct tn_scope *told = w->scope;
    if (v->space->tuned && told && told->keys &&
        !tn_texts_has(told->keys, told->n_keys, key)) {
        v->sysctls = tn_k_sysctls_wanted();
        return TN_OK;
    }
    enum tn_code code = tn_k_netns_enter(v->space->fd, err);
    if (code == TN_OK) {
        code = tn_k_sysctls_read(arena, &v->sysctls, err);
    }
    v->space->tuned = code == TN_OK && v->sysctls == tn_k_sysctls_wanted();
    return code;
}

/* What is not in tables: only of VPCs that are ours. */
static enum tn_code
read_vpc(const struct tn_k_watch *w, struct tn_k_visit *v,
         struct tn_arena *arena, struct tn_error *err)
{
    enum tn_code code = read_settings(w, v, arena, err);
    if (code == TN_OK) {
        code = tn_nft_observe(w->s->nft, v->space->fd,
                              wanted_rules(w, v->scope), arena, &v->rules, err);
    }
    return code == TN_OK ? TN_OK
                         : tn_while(err, code, "namespace %s", v->space->name);
}

static bool
was_read(const struct tn_k_watch *w, const struct tn_k_visit *v)
{
    return v->space->epoch == w->s->epoch && v->space->depth >= v->depth;
}

static void
visit_read(void *ctx, size_t worker, size_t i)
{
    struct round *round = ctx;
    const struct tn_k_watch *w = round->w;
    struct tn_k_visit *v = &round->w->visits.items[round->first + i];
    struct tn_error err = {0};
    if (!round->seen[worker]) {
        round->seen[worker] = tn_arena_new();
        round->out[worker] = tn_arena_new();
    }
    struct tn_arena *seen = round->seen[worker];
    if (!was_read(w, v)) {
        v->code = tn_k_space_open(w->s, v->space, &err);
        if (v->code == TN_OK) {
            v->code = tn_k_space_load(v->space, v->depth, seen, &err);
        }
    }
    v->there = v->code == TN_OK;
    if (v->there && v->scope) {
        v->space->proved = tn_k_space_lost_mark(v->space, w->s->mark);
    }
    v->ours = v->there &&
              (v->space->proved || tn_k_space_marked(v->space, w->s->mark));
    if (v->scope && v->ours && !w->ahead) {
        v->code = read_vpc(w, v, round->out[worker], &err);
    }
    if (v->code != TN_OK) {
        struct tn_error *kept = tn_new(seen, struct tn_error);
        *kept = err;
        v->err = kept;
    }
}

static enum tn_code
round_run(struct tn_k_watch *w, size_t first, struct tn_error *err)
{
    struct round round = {.w = w, .first = first};
    enum tn_code code = TN_OK;
    size_t n = w->visits.n - first;
    bool alone = n <= FEW && w->scope && w->scope->names;
    for (size_t i = 0; alone && i < n; i++) {
        visit_read(&round, 0, i);
    }
    if (!alone) {
        tn_k_each(n, visit_read, &round);
    }
    for (size_t i = 0; i < TN_K_WORKERS; i++) {
        if (round.seen[i]) {
            tn_arena_adopt(w->s->seen, round.seen[i]);
            tn_arena_adopt(w->list.arena, round.out[i]);
        }
    }
    for (size_t i = first; i < w->visits.n; i++) {
        struct tn_k_visit *v = &w->visits.items[i];
        if (v->there && !was_read(w, v)) {
            tn_k_space_keep(w->s, v->space, v->depth);
        }
        bool no_such = v->code == TN_ENOENT || v->code == TN_EINTENT;
        /* One in which nothing of ours is known to be, and which its owner
         * keeps changing, is looked through for leftovers another time. */
        bool busy = v->code == TN_EUNAVAILABLE && v->depth == TN_K_LINKS;
        if (code == TN_OK && v->code != TN_OK && !no_such && !busy) {
            code = v->code;
            if (err) {
                *err = *v->err;
            }
        }
    }
    return code;
}

/* Namespaces of ports that are wanted; some may not exist yet. */
static void
wanted_far_ends(struct tn_k_watch *w)
{
    for (size_t i = 0; w->want && i < w->want->n; i++) {
        const struct tn_k_port *o = w->want->items[i].native;
        if (o->o.kind == TN_K_OBJ_PORT && o->netns &&
            in_scope(w->scope, o->o.scope)) {
            visit_add(w, o->netns, TN_K_PORTS);
        }
    }
}

/* The same before anything is rendered. */
static void
local_far_ends(struct tn_k_watch *w, const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *subnet = &vpc->subnets[i];
        for (size_t k = 0; k < subnet->n_ports; k++) {
            const struct tn_net_port *port = &subnet->ports[k];
            if (port->netns && port->host == w->s->device->host) {
                visit_add(w, port->netns, TN_K_PORTS);
            }
        }
    }
}

static void
visit_vpc(struct tn_k_watch *w, const char *name, const char *scope)
{
    struct tn_k_visit *v = scope ? visit_add(w, name, TN_K_VPC) : NULL;
    if (v) {
        v->scope = scope;
    }
}

/* The VPCs: all that have a namespace, or those that are asked for. */
static enum tn_code
visit_vpcs(struct tn_k_watch *w, struct tn_error *err)
{
    struct tn_arena *arena = w->list.arena;
    const struct tn_device *device = w->s->device;
    bool whole = !(w->scope && w->scope->names);
    enum tn_code code =
        whole ? tn_k_netns_list(arena, &w->names, &w->n_names, err) : TN_OK;
    for (size_t i = 0; i < w->n_names; i++) {
        visit_vpc(w, w->names[i], tn_k_netns_scope(arena, device, w->names[i]));
    }
    for (size_t i = 0; !whole && i < w->scope->n; i++) {
        const char *scope = w->scope->names[i];
        if (strchr(scope, '/')) {
            visit_vpc(w, tn_k_netns_name(arena, device, scope),
                      tn_arena_strdup(arena, scope));
        }
    }
    return code;
}

static enum tn_code
first_round(struct tn_k_watch *w, struct tn_error *err)
{
    visit_add(w, w->s->underlay->name, TN_K_PORTS);
    enum tn_code code = visit_vpcs(w, err);
    if (code != TN_OK) {
        return code;
    }
    wanted_far_ends(w);
    for (size_t i = 0; w->ahead && i < w->s->device->n_vpcs; i++) {
        local_far_ends(w, w->s->device->vpcs[i]);
    }
    return round_run(w, 0, err);
}

static void
follow_ports(struct tn_k_watch *w, const struct tn_k_table *t)
{
    for (size_t i = 0; i < t->links.n; i++) {
        const struct tn_k_seen_link *l = t->by_name[i];
        const char *netns =
            l->type == TN_K_TYPE_VETH && l->link.name[0] == TN_K_PORT &&
                    l->link.name[1] == '-'
                ? tn_k_watch_alias_netns(w->s->seen, w->s->mark, l->alias)
                : NULL;
        if (netns && !tn_k_space_seen(w->s, netns)) {
            visit_add(w, netns, TN_K_PORTS);
        }
    }
}

static enum tn_code
second_round(struct tn_k_watch *w, struct tn_error *err)
{
    size_t first = w->visits.n;
    for (size_t i = 0; i < first; i++) {
        const struct tn_k_visit *v = &w->visits.items[i];
        if (v->scope && v->ours) {
            follow_ports(w, &v->space->table);
        }
    }
    bool all = !(w->scope && w->scope->names);
    for (size_t i = 0; all && i < w->n_names; i++) {
        bool other_lab = strstr(w->names[i], ".tn.") != NULL;
        if (!other_lab &&
            !tn_k_netns_scope(w->s->seen, w->s->device, w->names[i])) {
            visit_add(w, w->names[i], TN_K_LINKS);
        }
    }
    return round_run(w, first, err);
}

enum tn_code
tn_k_watch_read(struct tn_k_watch *w, struct tn_error *err)
{
    bool whole = !(w->scope && w->scope->names);
    if (!(tn_k_ahead_join(w->s) && whole)) {
        tn_k_session_renew(w->s);
    }
    tn_map_init(&w->visited, w->s->seen, 0);
    enum tn_code code = first_round(w, err);
    return code == TN_OK ? second_round(w, err) : code;
}

static void *
ahead_main(void *arg)
{
    struct tn_session *s = arg;
    struct tn_k_watch w = {.s = s, .list = {.arena = s->seen}, .ahead = true};
    struct tn_error untold = {0};
    tn_map_init(&w.visited, s->seen, 0);
    if (first_round(&w, &untold) == TN_OK) {
        (void) second_round(&w, &untold);
    }
    return NULL;
}

void
tn_k_read_ahead(struct tn_session *session)
{
    tn_k_session_renew(session);
    session->ahead =
        pthread_create(&session->reader, NULL, ahead_main, session) == 0;
}
