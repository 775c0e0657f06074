/* commit.c - steps into atomic requests, one after the other.
 *
 * Before an intent is sent it is compared with what was read last; of what is
 * written the server compares as well (enforce_revision_check), of what is
 * deleted or created it cannot, so that there the reading must be fresh.
 *
 * After an answer that leaves doubt (lost, stale, absent, there already) all is
 * read again: what is in effect is done, what is as it was goes out once more,
 * and all else was somebody else's hand.  What is not gone yet is waited for;
 * the others go first.  A refusal that does not say what it is about is found
 * by halves. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drivers/nsx/canon.h"
#include "drivers/nsx/chunk.h"
#include "drivers/nsx/device.h"
#include "drivers/nsx/realise.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

enum {
    REREADS = 4,
    FRESH_S = 5,     /* How old a reading may be when something is created. */
    PATIENCE_S = 60, /* For what is not gone yet, if no wait is set. */
    PAUSE_MS = 200,  /* The first one; they grow. */
    PAUSE_MOST_MS = 5000,
};

struct tn_stage {
    struct tn_session *session;
    const struct tn_step *steps;
    size_t n;
};

struct run {
    struct tn_session *s;
    struct tn_arena *arena;
    struct tn_nsx_intent *intents;
    size_t n, n_steps;
    int64_t deadline; /* Of patience: so long after the last that was done. */
    size_t failed;    /* Step. */
    struct tn_error *late, *err;
    bool waits;
};

/* A part of the intents. */
struct part {
    struct tn_nsx_intent *of;
    size_t n;
    unsigned rereads, pause_ms;
};

static enum tn_code
fail_at(struct run *run, const struct tn_nsx_intent *i, enum tn_code code)
{
    run->failed = i->step;
    tn_error_at(run->err, i->r->origin);
    return code;
}

/* Purging takes its time after a deletion, however much was sent before. */
static void
have_patience(struct run *run)
{
    unsigned wait_s = run->s->settings.wait_s;
    int64_t s = wait_s ? wait_s : PATIENCE_S;
    run->deadline = tn_now_ns() + s * 1000000000;
}

static void
wait_for(struct run *run, struct tn_nsx_intent *i, const char *what)
{
    i->fate = TN_NSX_WAITS;
    if (!run->waits) {
        run->waits = true;
        (void) !tn_fail(run->late, TN_EUNAVAILABLE, 0, "%s waits: %s",
                        i->r->key, what);
        tn_error_at(run->late, i->r->origin);
    }
}

/* ---- what is known of an intent ---- */

/* Index of the first that was seen at that path or behind it. */
static size_t
first_seen(const struct tn_nsx_view *v, const char *path)
{
    size_t low = 0, high = v->all.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (tn_nsx_path_cmp(v->all.items[mid]->path, path) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* What stands in it that is not ours; null: nothing. */
static const struct tn_nsx_seen *
stranger_in(const struct tn_nsx_view *v, const char *path)
{
    for (size_t i = first_seen(v, path); i < v->all.n; i++) {
        const struct tn_nsx_seen *seen = v->all.items[i];
        bool within = tn_nsx_path_within(seen->path, path);
        if (!within && strcmp(seen->path, path) != 0) {
            return NULL;
        }
        if (within && !seen->ours && !seen->system && !seen->gone) {
            return seen;
        }
    }
    return NULL;
}

/* Is what was seen just that? */
static bool
is_just(struct run *run, const struct tn_nsx_seen *seen,
        const struct tn_resource *r, const struct tn_resource **as)
{
    if (!seen->ours || !seen->kind) {
        return false;
    }
    struct tn_resource *now = tn_new(run->arena, struct tn_resource);
    *now = tn_nsx_seen_resource(run->arena, seen, r->native);
    *as = now;
    const char *hash = strchr(r->key, '#'); /* One that is astray. */
    size_t n = hash ? (size_t) (hash - r->key) : strlen(r->key);
    return strncmp(seen->key, r->key, n) == 0 && !seen->key[n] &&
           tn_resource_same(now, r);
}

static enum tn_code
stale(struct run *run, const struct tn_nsx_intent *i, const char *how)
{
    enum tn_code code =
        tn_fail(run->err, TN_ESTALE, 0, "%s %s meanwhile", i->r->key, how);
    return fail_at(run, i, code);
}

static enum tn_code
judge_deletion(struct run *run, struct tn_nsx_intent *i)
{
    const char *path = tn_nsx_intent_path(i);
    const struct tn_nsx_seen *seen = tn_nsx_view_at(run->s->view, path);
    const struct tn_resource *now = NULL;
    if (!seen) {
        i->fate = TN_NSX_SETTLED;
        return TN_OK;
    }
    if (!is_just(run, seen, i->before, &now)) {
        return stale(run, i, "was changed");
    }
    i->have = now->native;
    const struct tn_nsx_seen *other = stranger_in(run->s->view, path);
    if (other) {
        const char *name =
            json_string_value(json_object_get(other->json, "display_name"));
        wait_for(run, i,
                 tn_arena_printf(
                     run->arena, "'%s' (%s) stands in it and is not ours",
                     name ? name : tn_nsx_path_id(other->path), other->path));
    }
    return TN_OK;
}

static enum tn_code
judge_writing(struct run *run, struct tn_nsx_intent *i)
{
    const struct tn_nsx_seen *seen =
        tn_nsx_view_at(run->s->view, tn_nsx_intent_path(i));
    const struct tn_resource *now = NULL;
    i->have = NULL;
    if (seen && is_just(run, seen, i->r, &now)) {
        i->fate = TN_NSX_SETTLED;
        return TN_OK;
    }
    if (!i->before) {
        return seen ? stale(run, i, "has appeared") : TN_OK;
    }
    if (!seen) {
        return stale(run, i, "was deleted");
    }
    if (!is_just(run, seen, i->before, &now)) {
        return stale(run, i, "was changed");
    }
    i->have = now->native;
    return TN_OK;
}

/* Does it need something that waits? */
static bool
must_wait(const struct run *run, const struct tn_nsx_intent *i)
{
    bool found = false;
    for (size_t k = 0; run->waits && !found && k < run->n; k++) {
        const struct tn_nsx_intent *o = &run->intents[k];
        found =
            o->fate == TN_NSX_WAITS && o != i &&
            (tn_nsx_needs(i, o) || (o->gone && i->gone &&
                                    tn_nsx_path_within(tn_nsx_intent_path(o),
                                                       tn_nsx_intent_path(i))));
    }
    return found;
}

/* Sorts out what need not, or may not, be sent; counts what is left. */
static enum tn_code
judge(struct run *run, struct part *p, size_t *todo)
{
    enum tn_code code = TN_OK;
    *todo = 0;
    for (size_t k = 0; !code && k < p->n; k++) {
        struct tn_nsx_intent *i = &p->of[k];
        if (i->fate == TN_NSX_TODO) {
            code = i->gone ? judge_deletion(run, i) : judge_writing(run, i);
        }
    }
    for (size_t k = 0; !code && k < p->n; k++) {
        struct tn_nsx_intent *i = &p->of[k];
        if (i->fate == TN_NSX_TODO && must_wait(run, i)) {
            i->fate = TN_NSX_WAITS;
        }
        *todo += i->fate == TN_NSX_TODO;
    }
    return code;
}

/* ---- one request ---- */

static enum tn_code
nodes_of(struct run *run, const struct part *p, struct tn_nsx_node *nodes,
         size_t *n)
{
    enum tn_code code = TN_OK;
    for (size_t k = 0; !code && k < p->n; k++) {
        const struct tn_nsx_intent *i = &p->of[k];
        const struct tn_nsx_object *native = i->r->native;
        json_t *body = NULL;
        if (i->fate != TN_NSX_TODO) {
            continue;
        }
        if (!i->gone) {
            code =
                tn_nsx_body(i->r, i->have, run->s->instance, &body, run->err);
            if (code) {
                return fail_at(run, i, code);
            }
        }
        nodes[(*n)++] = (struct tn_nsx_node){
            .path = native->path,
            .type = native->kind->type,
            .body = body,
            .revision = i->have ? i->have->revision : -1,
        };
    }
    return code;
}

static const struct tn_nsx_intent *
first_todo(const struct part *p)
{
    size_t k = 0;
    while (k + 1 < p->n && p->of[k].fate != TN_NSX_TODO) {
        k++;
    }
    return &p->of[k];
}

static enum tn_code
send(struct run *run, const struct part *p, struct tn_nsx_verdict *verdict)
{
    const char *root = run->s->settings.root;
    struct tn_nsx_node *nodes = tn_new_n(run->arena, struct tn_nsx_node, p->n);
    struct tn_nsx_reply reply = {0};
    json_t *tree = NULL;
    size_t n = 0;
    enum tn_code code = nodes_of(run, p, nodes, &n);
    if (code) {
        for (size_t i = 0; i < n; i++) {
            json_decref(nodes[i].body);
        }
        return code;
    }
    code = tn_nsx_tree(root, nodes, n, &tree, run->err);
    if (code) {
        return fail_at(run, first_todo(p), code);
    }
    TN_CLEANUP(tn_cleanup_free) char *text = json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    if (!text) {
        abort(); /* Out of memory. */
    }
    const struct tn_nsx_call call = {
        .method = "PATCH",
        .path = tn_arena_printf(run->arena, "%s?enforce_revision_check=true",
                                tn_nsx_root_url(run->arena, root)),
        .body = text,
        .n_body = strlen(text),
        .hasty = true,
    };
    code = tn_nsx_ask(run->s->nsx, &call, run->arena, &reply, run->err);
    *verdict = reply.verdict;
    return code ? fail_at(run, first_todo(p), code) : TN_OK;
}

static void
forget(struct tn_nsx_view *v, const char *path)
{
    for (size_t i = first_seen(v, path); i < v->all.n; i++) {
        struct tn_nsx_seen *seen = v->all.items[i];
        if (strcmp(seen->path, path) != 0 &&
            !tn_nsx_path_within(seen->path, path)) {
            return;
        }
        seen->gone = true;
    }
}

static void
settle(struct run *run, struct part *p)
{
    for (size_t k = 0; k < p->n; k++) {
        struct tn_nsx_intent *i = &p->of[k];
        if (i->fate == TN_NSX_TODO) {
            i->fate = TN_NSX_SETTLED;
            if (i->gone) {
                forget(run->s->view, tn_nsx_intent_path(i));
            }
        }
    }
}

static bool
deletes(const struct run *run)
{
    bool found = false;
    for (size_t i = 0; !found && i < run->n; i++) {
        found = run->intents[i].gone;
    }
    return found;
}

/* ---- what to do about a refusal ---- */

static enum tn_code
refuse(struct run *run, const struct tn_nsx_intent *i,
       const struct tn_nsx_verdict *v)
{
    return fail_at(run, i, tn_nsx_fail(run->err, v, i->r->key));
}

static const char *
said(struct run *run, const struct tn_nsx_verdict *v)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_add(&t, v->text);
    for (size_t i = 0; i < v->n_referrers; i++) {
        if (!strstr(v->text, v->referrers[i])) {
            tn_text_addf(&t, "%s%s", i ? ", " : " - ", v->referrers[i]);
        }
    }
    return tn_arena_strndup(run->arena, tn_text_str(&t), t.n);
}

static void
pause_for(struct part *p)
{
    p->pause_ms = p->pause_ms ? p->pause_ms + p->pause_ms / 2 : PAUSE_MS;
    if (p->pause_ms > PAUSE_MOST_MS) {
        p->pause_ms = PAUSE_MOST_MS;
    }
    const struct timespec t = {p->pause_ms / 1000,
                               (long) (p->pause_ms % 1000) * 1000000};
    (void) nanosleep(&t, NULL);
}

static size_t
count(const struct part *p, enum tn_nsx_fate fate)
{
    size_t n = 0;
    for (size_t k = 0; k < p->n; k++) {
        n += p->of[k].fate == fate;
    }
    return n;
}

/* The one that is refused now, and those that need it, are left for later;
 * true if others remain. */
static bool
put_off(struct part *p, size_t blamed)
{
    p->of[blamed].fate = TN_NSX_LATER;
    for (bool more = true; more;) {
        more = false;
        for (size_t k = 0; k < p->n; k++) {
            for (size_t o = 0; p->of[k].fate == TN_NSX_TODO && o < p->n; o++) {
                if (p->of[o].fate == TN_NSX_LATER &&
                    tn_nsx_needs(&p->of[k], &p->of[o])) {
                    p->of[k].fate = TN_NSX_LATER;
                    more = true;
                }
            }
        }
    }
    return count(p, TN_NSX_TODO) > 0;
}

static void
wake(struct part *p)
{
    for (size_t k = 0; k < p->n; k++) {
        if (p->of[k].fate == TN_NSX_LATER) {
            p->of[k].fate = TN_NSX_TODO;
        }
    }
}

/* Something is in the way that may go.  '*halves': it must first be found out
 * whose. */
static void
be_patient(struct run *run, struct part *p, const struct tn_nsx_verdict *v,
           bool *halves)
{
    size_t blamed = tn_nsx_blame(p->of, p->n, v->text);
    bool late = tn_now_ns() >= run->deadline;
    if (blamed == p->n && count(p, TN_NSX_TODO) == 1) {
        blamed = (size_t) (first_todo(p) - p->of);
    }
    if (blamed == p->n) {
        *halves = late;
        if (!late) {
            pause_for(p);
        }
    } else if (late) {
        wait_for(run, &p->of[blamed], said(run, v));
        wake(p);
    } else if (!put_off(p, blamed)) {
        wake(p);
        pause_for(p);
    }
}

static bool
is_nested(const struct part *p)
{
    return p->of[0].gone && tn_nsx_flat(p->of, p->n) < p->n;
}

static enum tn_code carry_out(struct run *run, struct tn_nsx_intent *of,
                              size_t n);

/* NOLINTNEXTLINE(misc-no-recursion): halves, and depths of paths. */
static enum tn_code
carry_out_parts(struct run *run, struct part *p, size_t first)
{
    enum tn_code code = TN_OK;
    wake(p);
    code = carry_out(run, p->of, first);
    return code ? code : carry_out(run, p->of + first, p->n - first);
}

/* What was refused for good: whose is it?  NOLINTNEXTLINE(misc-no-recursion) */
static enum tn_code
narrow(struct run *run, struct part *p, const struct tn_nsx_verdict *v)
{
    size_t blamed = tn_nsx_blame(p->of, p->n, v->text);
    if (blamed == p->n && count(p, TN_NSX_TODO) > 1) {
        return carry_out_parts(run, p, p->n / 2);
    }
    return refuse(run, blamed < p->n ? &p->of[blamed] : first_todo(p), v);
}

static enum tn_code
read_again(struct run *run, struct part *p)
{
    enum tn_code code = tn_nsx_view_read(run->s, deletes(run), run->err);
    p->rereads++;
    return code ? fail_at(run, first_todo(p), code) : TN_OK;
}

/* One answer.  '*end': nothing is left to be done here.
 * NOLINTNEXTLINE(misc-no-recursion) */
static enum tn_code
answered(struct run *run, struct part *p, const struct tn_nsx_verdict *v,
         bool *end)
{
    bool halves = false;
    switch (v->action) {
    case TN_NSX_DONE:
        settle(run, p);
        have_patience(run);
        return TN_OK;
    case TN_NSX_LOST:
    case TN_NSX_REREAD:
    case TN_NSX_EXISTS:
    case TN_NSX_ABSENT:
        if (p->rereads < REREADS &&
            !(v->action == TN_NSX_ABSENT && p->rereads)) {
            return read_again(run, p);
        }
        break;
    case TN_NSX_WAIT:
    case TN_NSX_REFERRED:
        *end = is_nested(p);
        if (*end) {
            run->s->leaves_first = true;
            return carry_out(run, p->of, p->n);
        }
        be_patient(run, p, v, &halves);
        if (halves) {
            *end = true;
            return carry_out_parts(run, p, p->n / 2);
        }
        return TN_OK;
    case TN_NSX_LOGIN:
    case TN_NSX_SLOWER:
    case TN_NSX_RETRY:
    case TN_NSX_ELSEWHERE:
        return refuse(run, first_todo(p), v);
    case TN_NSX_FAIL:
    case TN_NSX_DENIED:
    case TN_NSX_SMALLER:
        break;
    }
    *end = true;
    return narrow(run, p, v);
}

/* NOLINTNEXTLINE(misc-no-recursion): as above. */
static enum tn_code
carry_out(struct run *run, struct tn_nsx_intent *of, size_t n)
{
    struct part p = {.of = of, .n = n};
    enum tn_code code = TN_OK;
    bool end = n == 0;
    while (!code && !end) {
        struct tn_nsx_verdict v = {0};
        size_t todo = 0;
        code = judge(run, &p, &todo);
        if (!code && todo == 0) {
            end = count(&p, TN_NSX_LATER) == 0;
            if (!end) {
                pause_for(&p);
                wake(&p);
            }
            continue;
        }
        if (!code && run->s->leaves_first && is_nested(&p)) {
            return carry_out_parts(run, &p, tn_nsx_flat(of, n));
        }
        code = code ? code : send(run, &p, &v);
        code = code ? code : answered(run, &p, &v, &end);
    }
    return code;
}

/* ---- all of them ---- */

/* Deletions cannot be compared by the server, nor can creations. */
static bool
must_look(const struct run *run)
{
    const struct tn_nsx_view *v = run->s->view;
    return run->n > 0 &&
           (!v || deletes(run) ||
            tn_now_ns() - v->time_ns > (int64_t) FRESH_S * 1000000000);
}

static enum tn_code
carry_out_all(struct run *run)
{
    enum tn_code code = TN_OK;
    if (must_look(run)) {
        code = tn_nsx_view_read(run->s, deletes(run), run->err);
        run->failed = code ? 0 : run->failed;
    }
    for (size_t i = 0, end; !code && i < run->n; i = end) {
        end = tn_nsx_chunk_end(run->intents, run->n, i, run->s->settings.chunk);
        code = carry_out(run, run->intents + i, end - i);
    }
    return code;
}

/* A step is done when all of its intents are. */
static void
outcomes_write(const struct run *run, enum tn_outcome *outcomes)
{
    for (size_t i = 0; i < run->n_steps; i++) {
        outcomes[i] = TN_STEP_DONE;
    }
    for (size_t k = 0; k < run->n; k++) {
        const struct tn_nsx_intent *i = &run->intents[k];
        enum tn_outcome *o = &outcomes[i->step];
        if (i->fate == TN_NSX_WAITS) {
            *o = TN_STEP_WAITING;
        } else if (i->fate != TN_NSX_SETTLED && *o == TN_STEP_DONE) {
            *o = TN_STEP_PENDING;
        }
    }
}

enum tn_code
tn_nsx_stage(struct tn_session *session, const struct tn_step *steps, size_t n,
             struct tn_stage **out, struct tn_error *err)
{
    struct tn_stage *stage = calloc(1, sizeof *stage);
    if (!stage) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    *stage = (struct tn_stage){session, steps, n};
    *out = stage;
    return TN_OK;
}

enum tn_code
tn_nsx_commit(struct tn_stage *stage, enum tn_outcome *outcomes, size_t *failed,
              struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_error late = {0};
    struct tn_session *s = stage->session;
    struct run run = {
        .s = s,
        .arena = arena,
        .n_steps = stage->n,
        .failed = stage->n,
        .late = &late,
        .err = err,
    };
    have_patience(&run);
    run.intents = tn_nsx_intents(arena, stage->steps, stage->n, &run.n);
    enum tn_code code = carry_out_all(&run);
    outcomes_write(&run, outcomes);
    if (!code) {
        code = tn_nsx_realise(s, run.intents, run.n, outcomes, &run.failed,
                              &late, err);
    }
    if (code) {
        run.failed = run.failed < stage->n ? run.failed : 0;
        outcomes[run.failed] = TN_STEP_FAILED;
    } else if (late.code) {
        *err = late;
    }
    *failed = run.failed;
    tn_nsx_rollback(stage);
    return code;
}

void
tn_nsx_rollback(struct tn_stage *stage)
{
    free(stage);
}
