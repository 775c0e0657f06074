/* commit.c - carrying out steps.
 *
 * Steps come in the order in which they must happen: by rising rank what is
 * made or changed, by falling rank what is deleted.  Those of equal operation
 * and rank do not depend on each other and go to the kernel together.  After a
 * group with a refusal we stop.  What the kernel has done then is looked at
 * again: what is there already just as wanted counts as done.
 *
 * A step that deletes what lives in or on something that another step deletes
 * needs no request. */
#include "drivers/kernel/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/kernel/nft.h"

enum tn_code
tn_k_commit_space(struct tn_k_commit *c, const char *name,
                  struct tn_k_space **out, struct tn_error *err)
{
    enum tn_code code = tn_k_space_get(c->s, name, out, err);
    return code == TN_OK ? tn_k_space_read(c->s, *out, TN_K_LINKS, err) : code;
}

struct tn_k_batch *
tn_k_lane(struct tn_k_commit *c, struct tn_k_space *space, int level)
{
    if (!space->waiting) {
        space->waiting = true;
        *tn_vec_push(c->arena, &c->waiting) = space;
    }
    return &space->lanes[level];
}

void
tn_k_commit_refused(void *ctx, const struct tn_k_refusal *refusal)
{
    struct tn_k_commit *c = ctx;
    if (c->n_refused == 0 || refusal->step < c->first) {
        c->first = refusal->step;
        c->refusal = *refusal;
    }
    c->n_refused++;
    c->exists |= refusal->error == EEXIST;
    c->outcomes[refusal->step] = TN_STEP_FAILED;
}

static void
clear_lanes(struct tn_k_commit *c)
{
    for (size_t s = 0; s < c->waiting.n; s++) {
        struct tn_k_space *space = c->waiting.items[s];
        space->waiting = false;
        for (int level = 0; level < TN_K_LEVELS; level++) {
            space->lanes[level].n = space->lanes[level].n_sent = 0;
        }
    }
    c->waiting.n = 0;
}

/* Sends all that waits: level by level, then the deletions of links. */
static enum tn_code
flush(struct tn_k_commit *c, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (int level = 0; level < TN_K_LEVELS; level++) {
        for (size_t s = 0; code == TN_OK && s < c->waiting.n; s++) {
            struct tn_k_space *space = c->waiting.items[s];
            code = tn_k_batch_send(&space->lanes[level], &space->sock,
                                   tn_k_commit_refused, c, err);
        }
    }
    if (code == TN_OK) {
        code = tn_k_delete_doomed(c, err);
    }
    clear_lanes(c);
    return code;
}

static char *
gone_key(struct tn_arena *arena, const char *ns, const char *link)
{
    return tn_arena_printf(arena, "%s/%s", ns, link);
}

/* The link that deleting the object takes away; null if none. */
static const char *
link_of(const struct tn_k_object *o)
{
    switch (o->kind) {
    case TN_K_OBJ_BRIDGE:
        return ((const struct tn_k_bridge *) (const void *) o)->link.name;
    case TN_K_OBJ_VXLAN:
        return ((const struct tn_k_vxlan *) (const void *) o)->link.name;
    case TN_K_OBJ_PORT:
        return ((const struct tn_k_port *) (const void *) o)->link.name;
    case TN_K_OBJ_PEERING:
        return ((const struct tn_k_peering *) (const void *) o)->link.name;
    case TN_K_OBJ_LINK:
        return ((const struct tn_k_foreign *) (const void *) o)->link.name;
    case TN_K_NETNS:
    case TN_K_NETNS_STRAY:
    case TN_K_OBJ_FDB:
    case TN_K_OBJ_NEIGHBOUR:
    case TN_K_OBJ_ROUTE:
    case TN_K_OBJ_ADDRESS:
    case TN_K_OBJ_RULES:
    case TN_K_OBJ_TABLE:
    case TN_K_OBJ_HOOK:
        break;
    }
    return NULL;
}

/* The link that the object vanishes with; null if none. */
static const char *
carrier_of(const struct tn_k_object *o)
{
    if (o->kind == TN_K_OBJ_FDB) {
        return ((const struct tn_k_fdb *) (const void *) o)->vxlan;
    }
    if (o->kind == TN_K_OBJ_NEIGHBOUR) {
        return ((const struct tn_k_neighbour *) (const void *) o)->bridge;
    }
    return NULL;
}

/* A namespace that holds something of others stays, so what is ours in it goes
 * piece by piece. */
static bool
is_kept(const struct tn_k_commit *c, const char *ns)
{
    const struct tn_k_space *space = tn_k_space_seen(c->s, ns);
    return space && tn_k_occupant(space);
}

static void
note_gone(struct tn_k_commit *c)
{
    tn_map_init(&c->gone, c->arena, 0);
    for (size_t i = 0; i < c->n; i++) {
        if (c->steps[i].op != TN_OP_DELETE) {
            continue;
        }
        const struct tn_k_object *o = c->steps[i].before->native;
        const char *link = link_of(o);
        if (o->kind == TN_K_NETNS && !is_kept(c, o->ns)) {
            tn_map_put(&c->gone, o->ns, c);
        } else if (link) {
            tn_map_put(&c->gone, gone_key(c->arena, o->ns, link), c);
        }
    }
}

static bool
goes_anyway(struct tn_k_commit *c, const struct tn_k_object *o)
{
    if (o->kind == TN_K_OBJ_PEERING) {
        const struct tn_k_peering *p = (const void *) o;
        return p->second && p->peer_ns &&
               tn_map_get(&c->gone,
                          gone_key(c->arena, p->peer_ns, p->link.name));
    }
    if (o->kind == TN_K_OBJ_FDB || o->kind == TN_K_OBJ_NEIGHBOUR ||
        o->kind == TN_K_OBJ_ROUTE || o->kind == TN_K_OBJ_RULES) {
        const char *carrier = carrier_of(o);
        return tn_map_get(&c->gone, o->ns) ||
               (carrier &&
                tn_map_get(&c->gone, gone_key(c->arena, o->ns, carrier)));
    }
    return false;
}

static enum tn_code
unexpected(const struct tn_resource *r, struct tn_error *err)
{
    return tn_fail(err, TN_EDENIED, 0, "%s is not ours to change", r->key);
}

static enum tn_code
emit_create(const struct tn_k_emit *e, const struct tn_resource *r,
            enum tn_op op, struct tn_error *err)
{
    const struct tn_k_object *kind = r->native;
    const void *o = r->native;
    switch (kind->kind) {
    case TN_K_NETNS:
        return tn_k_create_netns(e, o, err);
    case TN_K_OBJ_BRIDGE:
        return tn_k_create_bridge(e, o, err);
    case TN_K_OBJ_VXLAN:
        return tn_k_create_vxlan(e, o, err);
    case TN_K_OBJ_PORT:
        return tn_k_create_port(e, o, err);
    case TN_K_OBJ_PEERING:
        return tn_k_create_peering(e, o, err);
    case TN_K_OBJ_FDB:
        return tn_k_set_fdb(e, o, true, err);
    case TN_K_OBJ_NEIGHBOUR:
        return tn_k_set_neighbour(e, o, true, err);
    case TN_K_OBJ_ROUTE:
        return tn_k_set_route(e, o, op, err);
    case TN_K_OBJ_RULES:
        return tn_k_set_rules(e, o, true, err);
    case TN_K_NETNS_STRAY: /* Undoing the removal of a leftover: let it be. */
        return TN_OK;
    case TN_K_OBJ_LINK:
    case TN_K_OBJ_ADDRESS:
    case TN_K_OBJ_TABLE:
    case TN_K_OBJ_HOOK:
        break;
    }
    return unexpected(r, err);
}

static enum tn_code
emit_update(const struct tn_k_emit *e, const struct tn_step *step,
            struct tn_error *err)
{
    const struct tn_k_object *kind = step->after->native;
    const void *was = step->before->native, *o = step->after->native;
    if (((const struct tn_k_object *) was)->kind != kind->kind) {
        return unexpected(step->before, err);
    }
    switch (kind->kind) {
    case TN_K_NETNS:
        return tn_k_update_netns(e, o, err);
    case TN_K_OBJ_BRIDGE:
        return tn_k_update_bridge(e, was, o, err);
    case TN_K_OBJ_VXLAN:
        return tn_k_update_vxlan(e, was, o, err);
    case TN_K_OBJ_PORT:
        return tn_k_update_port(e, was, o, err);
    case TN_K_OBJ_PEERING:
        return tn_k_update_peering(e, was, o, err);
    case TN_K_OBJ_FDB:
    case TN_K_OBJ_NEIGHBOUR:
    case TN_K_OBJ_ROUTE:
    case TN_K_OBJ_RULES:
    case TN_K_NETNS_STRAY:
    case TN_K_OBJ_LINK:
    case TN_K_OBJ_ADDRESS:
    case TN_K_OBJ_TABLE:
    case TN_K_OBJ_HOOK:
        break;
    }
    return emit_create(e, step->after, step->op, err);
}

static enum tn_code
delete_port(const struct tn_k_emit *e, const struct tn_k_port *o,
            struct tn_error *err)
{
    if (!o->netns) {
        return tn_k_return_port(e, o, err);
    }
    *tn_vec_push(e->c->arena, &e->c->left) = o->netns;
    return tn_k_doom_link(e, o->o.ns, o->link.name, err);
}

static enum tn_code
emit_delete(const struct tn_k_emit *e, const struct tn_resource *r,
            struct tn_error *err)
{
    const struct tn_k_object *kind = r->native;
    const void *o = r->native;
    if (goes_anyway(e->c, kind)) {
        return TN_OK;
    }
    switch (kind->kind) {
    case TN_K_NETNS:
        return tn_k_delete_netns(e->c, o, err);
    case TN_K_NETNS_STRAY:
        return tn_k_leave_ports_space(e->c, kind->ns, err);
    case TN_K_OBJ_PORT:
        return delete_port(e, o, err);
    case TN_K_OBJ_PEERING:
        return tn_k_delete_peering(e, o, err);
    case TN_K_OBJ_BRIDGE:
    case TN_K_OBJ_VXLAN:
    case TN_K_OBJ_LINK:
        return tn_k_doom_link(e, kind->ns, link_of(kind), err);
    case TN_K_OBJ_FDB:
        return tn_k_set_fdb(e, o, false, err);
    case TN_K_OBJ_NEIGHBOUR:
        return tn_k_set_neighbour(e, o, false, err);
    case TN_K_OBJ_ROUTE:
        return tn_k_set_route(e, o, TN_OP_DELETE, err);
    case TN_K_OBJ_RULES:
        return tn_k_set_rules(e, o, false, err);
    case TN_K_OBJ_ADDRESS:
    case TN_K_OBJ_TABLE:
    case TN_K_OBJ_HOOK:
        break;
    }
    return unexpected(r, err);
}

/* The two halves of a replacement are two passes over its group; what failed of
 * the second may be tried again. */
enum pass { PASS_OLD, PASS_NEW, PASS_AGAIN };

static enum tn_code
emit(const struct tn_k_emit *e, enum pass pass, struct tn_error *err)
{
    const struct tn_step *step = &e->c->steps[e->step];
    enum tn_code code = TN_OK;
    switch (step->op) {
    case TN_OP_CREATE:
        code = pass != PASS_OLD ? emit_create(e, step->after, step->op, err)
                                : TN_OK;
        break;
    case TN_OP_UPDATE:
        code = pass != PASS_OLD ? emit_update(e, step, err) : TN_OK;
        break;
    case TN_OP_REPLACE:
        code = pass != PASS_OLD ? emit_create(e, step->after, step->op, err)
                                : emit_delete(e, step->before, err);
        break;
    case TN_OP_DELETE:
        code = pass == PASS_OLD ? emit_delete(e, step->before, err) : TN_OK;
        break;
    }
    if (code == TN_ENOENT) {
        code = tn_while(err, TN_ESTALE, "it is gone since it was observed");
    }
    return code;
}

static const struct tn_resource *
subject(const struct tn_step *step)
{
    return step->after ? step->after : step->before;
}

/* Where the group of steps that begins at 'i' ends. */
static size_t
group_end(const struct tn_k_commit *c, size_t i)
{
    size_t end = i + 1;
    while (end < c->n && c->steps[end].op == c->steps[i].op &&
           subject(&c->steps[end])->rank == subject(&c->steps[i])->rank) {
        end++;
    }
    return end;
}

/* Replaced links keep the index that the map of names has; forget it. */
static enum tn_code
forget_links(struct tn_k_commit *c, size_t i, size_t end, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (; code == TN_OK && i < end; i++) {
        const struct tn_k_object *o = c->steps[i].before->native;
        struct tn_k_space *space = tn_map_get(&c->s->spaces, o->ns);
        if (link_of(o) && space && space->fd >= 0 &&
            tn_k_space_index(space, link_of(o))) {
            space->epoch = 0;
            code = tn_k_space_read(c->s, space, TN_K_LINKS, err);
        }
    }
    return code;
}

/* A step that failed before it was sent: what exists already is judged later,
 * what depends on a thing of others (a port whose interface is not there yet)
 * waits for it, anything else ends the commit. */
static enum tn_code
not_emitted(struct tn_k_commit *c, size_t at, enum tn_code code,
            struct tn_error *err)
{
    c->outcomes[at] = TN_STEP_FAILED;
    tn_error_at(err, subject(&c->steps[at])->origin);
    if (c->waits) {
        c->waits = false;
        c->outcomes[at] = TN_STEP_WAITING;
        if (c->n_waiting++ == 0) {
            c->waits_for = *err;
        }
        return TN_OK;
    }
    if (code == TN_ESTALE && c->steps[at].op == TN_OP_CREATE) {
        if (c->n_refused++ == 0) {
            c->first = at;
            c->early = *err;
        }
        c->exists = true;
        return TN_OK;
    }
    c->first = at;
    return code;
}

static enum tn_code
run_pass(struct tn_k_commit *c, size_t i, size_t end, enum pass pass,
         struct tn_error *err)
{
    enum tn_code code = TN_OK;
    struct tn_error local = {0};
    for (size_t at = i; code == TN_OK && at < end; at++) {
        struct tn_k_emit e = {c, at};
        if (c->outcomes[at] == TN_STEP_WAITING ||
            (pass == PASS_AGAIN && c->outcomes[at] != TN_STEP_FAILED)) {
            continue;
        }
        c->outcomes[at] = TN_STEP_DONE;
        code = emit(&e, pass, &local);
        if (code != TN_OK) {
            code = not_emitted(c, at, code, &local);
        }
    }
    /* What was emitted before a failure is sent all the same: it counts as
     * done. */
    struct tn_error late = {0};
    enum tn_code sent = flush(c, &late);
    if (err && (code != TN_OK || sent != TN_OK)) {
        *err = code != TN_OK ? local : late;
    }
    return code != TN_OK ? code : sent;
}

static enum tn_code
run_group(struct tn_k_commit *c, size_t i, size_t end, struct tn_error *err)
{
    enum tn_code code = run_pass(c, i, end, PASS_OLD, err);
    if (code == TN_OK && c->n_refused == 0 && c->steps[i].op == TN_OP_REPLACE) {
        code = forget_links(c, i, end, err);
    }
    if (code == TN_OK && c->n_refused == 0) {
        code = run_pass(c, i, end, PASS_NEW, err);
    }
    for (size_t k = 0; code == TN_OK && k < c->left.n; k++) {
        code = tn_k_leave_ports_space(c, c->left.items[k], err);
    }
    c->left.n = 0;
    return code;
}

/* The kernel said that something exists.  If all that was refused is there just
 * as wanted, and ours, nothing failed. */
static enum tn_code
judge_existing(struct tn_k_commit *c, size_t i, size_t end,
               struct tn_error *err)
{
    const struct tn_state *state = NULL;
    enum tn_code code = tn_k_observe(c->s, NULL, NULL, c->arena, &state, err);
    if (code != TN_OK) {
        return code;
    }
    c->n_refused = 0;
    for (size_t at = i; at < end; at++) {
        const struct tn_resource *after = c->steps[at].after;
        if (c->outcomes[at] != TN_STEP_FAILED || !after) {
            continue;
        }
        const struct tn_resource *have = tn_state_get(state, after->key);
        if (have && have->owner == TN_OURS && tn_resource_same(have, after)) {
            c->outcomes[at] = TN_STEP_DONE;
        } else if (c->n_refused++ == 0) {
            c->first = at;
        }
    }
    return TN_OK;
}

static enum tn_code
refused(const struct tn_k_commit *c, struct tn_error *err)
{
    const struct tn_resource *r = subject(&c->steps[c->first]);
    if (c->early.code != TN_OK) {
        if (err) {
            *err = c->early;
        }
        return c->early.code;
    }
    int error = c->exists ? EEXIST : c->refusal.error;
    bool words = c->refusal.text[0] != '\0' && error == c->refusal.error;
    enum tn_code code =
        tn_fail_sys(err, tn_k_code_of(error), error, "%s %s%s%s", r->kind,
                    r->name, words ? ": " : "", words ? c->refusal.text : "");
    tn_error_at(err, r->origin);
    return code;
}

static void
forget_refusals(struct tn_k_commit *c)
{
    c->n_refused = 0;
    c->exists = false;
    c->early = (struct tn_error){0};
}

static enum tn_code
run_and_judge(struct tn_k_commit *c, size_t i, size_t end, struct tn_error *err)
{
    struct tn_k_patience patience = {0};
    forget_refusals(c);
    enum tn_code code = run_group(c, i, end, err);
    while (code == TN_OK && c->n_refused && c->exists) {
        code = judge_existing(c, i, end, err);
        if (code != TN_OK || c->n_refused == 0 ||
            !tn_k_commit_wait(c, i, end, &patience)) {
            break;
        }
        forget_refusals(c);
        code = run_pass(c, i, end, PASS_AGAIN, err);
    }
    if (code == TN_OK && c->n_refused) {
        code = refused(c, err);
    }
    return code;
}

/* Brings up the bridges made before 'next', unless their tunnels come there. */
static enum tn_code
raise_bridges(struct tn_k_commit *c, size_t next, struct tn_error *err)
{
    if (c->low.n == 0 || (next < c->n && c->steps[next].op == TN_OP_CREATE &&
                          subject(&c->steps[next])->rank <= TN_K_RANK_VXLAN)) {
        return TN_OK;
    }
    forget_refusals(c);
    tn_k_raise_bridges(c);
    enum tn_code code = flush(c, err);
    return code == TN_OK && c->n_refused ? refused(c, err) : code;
}

/* If it fails, the next observation shows it. */
static void
settle(const struct tn_k_commit *c)
{
    struct tn_error ignored;
    for (size_t i = 0; i < c->s->all.n; i++) {
        struct tn_k_space *space = c->s->all.items[i];
        if (space->ipv6 && tn_k_new_links(space, false, &ignored) != TN_OK) {
            space->ipv6 = false;
        }
    }
}

static enum tn_code
run_all(struct tn_k_commit *c, struct tn_error *err)
{
    note_gone(c);
    for (size_t i = 0; i < c->n;) {
        size_t end = group_end(c, i);
        enum tn_code code = run_and_judge(c, i, end, err);
        if (code == TN_OK) {
            code = raise_bridges(c, end, err);
        }
        if (code != TN_OK) {
            return code;
        }
        i = end;
    }
    c->first = c->n;
    return TN_OK;
}

static enum tn_code
run(void *ctx, struct tn_error *err)
{
    enum tn_code code = run_all(ctx, err);
    settle(ctx);
    return code;
}

enum tn_code
tn_k_stage(struct tn_session *session, const struct tn_step *steps, size_t n,
           struct tn_stage **out, struct tn_error *err)
{
    struct tn_stage *stage = malloc(sizeof *stage);
    if (!stage) {
        return tn_fail(err, TN_EINTERNAL, ENOMEM, "out of memory");
    }
    *stage = (struct tn_stage){session, steps, n};
    *out = stage;
    return TN_OK;
}

void
tn_k_rollback(struct tn_stage *stage)
{
    free(stage);
}

enum tn_code
tn_k_commit(struct tn_stage *stage, enum tn_outcome *outcomes, size_t *failed,
            struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_k_commit c = {
        .s = stage->s,
        .arena = arena,
        .steps = stage->steps,
        .n = stage->n,
        .outcomes = outcomes,
        .leaving = TN_K_GROUP_LEAVING | ((uint32_t) getpid() & 0xffff),
        .first = stage->n,
    };
    free(stage);
    for (size_t i = 0; i < c.n; i++) {
        outcomes[i] = TN_STEP_PENDING;
    }
    enum tn_code code = tn_k_excursion(run, &c, err);
    *failed = c.first;
    if (code == TN_OK && c.n_waiting && err) {
        *err = c.waits_for;
    }
    return code;
}
