/* keep.c - see keep.h.
 *
 * Rounds: compile; lay the last good folder of each tenant that failed over the
 * tree; compile again, until nobody fails anew.  A round starts from nothing
 * but the tree, and only the last one's network stays in memory. */
#include "reconciler/apply/keep.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/source/overlay.h"
#include "reconciler/source/source.h"

/* A claim that is refused may make its tenant another that is kept, and so on.
 * Whoever fails after that many rounds is held. */
enum { ROUNDS_MAX = 6 };

struct round {
    struct tn_arena *arena;
    struct tn_diags diags;
    const struct tn_network *network;
};

struct keeper {
    struct tn_keep_job *job;
    struct tn_source *overlay; /* Null: none yet. */
    TN_VEC(struct tn_kept) kept;
};

const struct tn_kept *
tn_kept_get(const struct tn_kept *kept, size_t n, const char *tenant)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(kept[i].tenant, tenant) == 0) {
            return &kept[i];
        }
    }
    return NULL;
}

const char *
tn_kept_text(const struct tn_kept *kept, struct tn_arena *arena)
{
    const char *head = tn_arena_printf(
        arena, "documents broken since commit %.12s", kept->since);
    if (kept->in_force) {
        return tn_arena_printf(arena, "%s; healed to commit %.12s", head,
                               kept->good);
    }
    if (kept->good && kept->why) {
        return tn_arena_printf(
            arena, "%s; held, since what commit %.12s said does not fit: %s",
            head, kept->good, kept->why);
    }
    return tn_arena_printf(arena, "%s; held: no good commit is known", head);
}

/* ---- identifiers -------------------------------------------------------- */

static int
pin_cmp(const struct tn_pin *a, const struct tn_pin *b)
{
    int c = strcmp(a->tenant, b->tenant);
    return c ? c : strcmp(a->object, b->object);
}

/* What kept tenants used before counts as established, also if the status ref
 * does not say so yet.  Both are sorted. */
static void
pins_join(const struct keeper *k, struct tn_arena *arena,
          struct tn_compile_options *o)
{
    const struct tn_keep *keep = k->job->keep;
    TN_VEC(struct tn_pin) own = {0};
    for (size_t i = 0; i < keep->n_pins; i++) {
        const struct tn_pin *p = &keep->pins[i];
        if (tn_kept_get(k->kept.items, k->kept.n, p->tenant)) {
            struct tn_pin *copy = tn_vec_push(arena, &own);
            *copy = *p;
            copy->tenant = tn_arena_strdup(arena, p->tenant);
            copy->object = tn_arena_strdup(arena, p->object);
        }
    }
    struct tn_pin *all = tn_new_n(arena, struct tn_pin, o->n_pins + own.n);
    size_t i = 0, j = 0, n = 0;
    while (i < o->n_pins || j < own.n) {
        int c = i == o->n_pins ? 1
                : j == own.n   ? -1
                               : pin_cmp(&o->pins[i], &own.items[j]);
        all[n++] = c < 0 ? o->pins[i] : own.items[j];
        i += c <= 0;
        j += c >= 0;
    }
    o->pins = all;
    o->n_pins = n;
}

/* ---- rounds ------------------------------------------------------------- */

static enum tn_code
round_run(const struct keeper *k, struct round *r, struct tn_error *err)
{
    struct tn_keep_job *job = k->job;
    struct tn_compile_options options = *job->options;
    struct tn_compile_stats stats = {0};
    *r = (struct round){.arena = tn_arena_new()};
    tn_diags_init(&r->diags, r->arena);
    if (k->overlay && job->keep->n_pins) {
        pins_join(k, r->arena, &options);
    }
    enum tn_code code = tn_compile(job->source, &options, r->arena, &r->network,
                                   &stats, &r->diags, err);
    stats.n_files_parsed += job->stats.n_files_parsed;
    stats.n_bytes_parsed += job->stats.n_bytes_parsed;
    stats.n_vpcs_compiled += job->stats.n_vpcs_compiled;
    stats.cache_bytes += job->stats.cache_bytes;
    job->stats = stats;
    return code;
}

/* Copies the findings of one tenant, or of all that are not kept. */
static void
findings_take(struct keeper *k, const struct tn_diags *from, const char *tenant)
{
    struct tn_diags some = *from;
    struct tn_diag *items = tn_new_n(from->arena, struct tn_diag, from->list.n);
    some.list.items = items;
    some.list.n = some.n_errors = some.n_warnings = 0;
    for (size_t i = 0; i < from->list.n; i++) {
        const struct tn_diag *d = &from->list.items[i];
        bool take = tenant ? tn_streq(d->tenant, tenant)
                           : !d->tenant || !tn_kept_get(k->kept.items,
                                                        k->kept.n, d->tenant);
        if (take) {
            items[some.list.n++] = *d;
            some.n_errors += d->severity == TN_ERROR;
            some.n_warnings += d->severity != TN_ERROR;
        }
    }
    if (tenant) { /* Of the others is told when the last round is over. */
        some.n_dropped = some.failed.n = 0;
    } else {
        some.n_errors += from->n_dropped;
    }
    tn_diags_merge(k->job->diags, &some);
}

static struct tn_kept
kept_new(const struct tn_keep_job *job, const char *tenant)
{
    const struct tn_keep *keep = job->keep;
    struct tn_arena *arena = job->arena;
    const struct tn_kept *before =
        keep ? tn_kept_get(keep->tenants, keep->n_tenants, tenant) : NULL;
    const char *since = before && before->since ? before->since : job->commit;
    const char *good = before ? before->good : keep ? keep->commit : NULL;
    if (good && strcmp(good, job->commit) == 0) {
        good = NULL; /* It is what is broken. */
    }
    return (struct tn_kept){
        .tenant = tn_arena_strdup(arena, tenant),
        .since = tn_arena_strdup(arena, since),
        .good = good ? tn_arena_strdup(arena, good) : NULL,
    };
}

/* Lays the tenant's last good folder over the tree, or notes why not. */
static void
kept_lay(struct keeper *k, struct tn_kept *t)
{
    struct tn_keep_job *job = k->job;
    struct tn_error err = {0};
    enum tn_code code = TN_OK;
    struct tn_source *other =
        k->overlay ? tn_overlay_other(k->overlay, t->good) : NULL;
    if (!other) {
        code = tn_source_open_commit(job->repo, t->good, &other, NULL, &err);
    }
    if (!code && !k->overlay) {
        k->overlay = job->source = tn_overlay_new(job->source);
    }
    if (!code) {
        code = tn_overlay_put(k->overlay, "tenants", t->tenant, other, &err);
        if (code == TN_ENOENT) {
            t->good = NULL; /* It is new: it was never whole. */
            return;
        }
    }
    t->in_force = code == TN_OK;
    if (code) {
        char text[TN_ERROR_TEXT];
        t->why =
            tn_arena_strdup(job->arena, tn_error_text(&err, text, sizeof text));
    }
}

/* Notes who fails and was not known to; true if the tree is another now. */
static bool
broken_note(struct keeper *k, const struct round *r)
{
    const struct tn_network *net = r->network;
    bool laid = false;
    for (size_t i = 0; i < net->n_tenants; i++) {
        const char *name = net->tenants[i].name;
        if (!net->tenants[i].failed ||
            tn_kept_get(k->kept.items, k->kept.n, name)) {
            continue;
        }
        struct tn_kept t = kept_new(k->job, name);
        if (t.good) {
            kept_lay(k, &t);
        }
        laid = laid || t.in_force;
        if (k->job->keep) {
            findings_take(k, &r->diags, name);
        }
        *tn_vec_push(k->job->arena, &k->kept) = t;
    }
    return laid;
}

/* Why the tenant fails although its last good documents were compiled. */
static const char *
misfit(const struct keeper *k, const struct round *r, const char *tenant)
{
    for (size_t i = 0; i < r->diags.list.n; i++) {
        const struct tn_diag *d = &r->diags.list.items[i];
        if (d->severity == TN_ERROR && tn_streq(d->tenant, tenant)) {
            return tn_arena_printf(k->job->arena, "%s:%u:%u: %s",
                                   d->at.path ? d->at.path : "", d->at.line,
                                   d->at.column, d->message);
        }
    }
    return "it has errors, too";
}

static int
kept_cmp(const void *a, const void *b)
{
    const struct tn_kept *x = a, *y = b;
    return strcmp(x->tenant, y->tenant);
}

/* Takes over what the last round gave. */
static void
result_take(struct keeper *k, struct round *r)
{
    struct tn_keep_job *job = k->job;
    for (size_t i = 0; i < r->network->n_tenants; i++) {
        const struct tn_tenant_result *t = &r->network->tenants[i];
        for (size_t m = 0; t->failed && m < k->kept.n; m++) {
            struct tn_kept *kept = &k->kept.items[m];
            if (kept->in_force && strcmp(kept->tenant, t->name) == 0) {
                kept->in_force = false;
                kept->why = misfit(k, r, t->name);
            }
        }
    }
    if (job->keep && k->kept.n) {
        findings_take(k, &r->diags, NULL);
    } else {
        tn_diags_merge(job->diags, &r->diags);
    }
    if (k->kept.n > 1) {
        qsort(k->kept.items, k->kept.n, sizeof *k->kept.items, kept_cmp);
    }
    job->kept = k->kept.items;
    job->n_kept = k->kept.n;
    job->network = r->network;
    tn_arena_adopt(job->arena, TN_TAKE(r->arena));
}

enum tn_code
tn_keep_compile(struct tn_keep_job *job, struct tn_error *err)
{
    struct keeper k = {.job = job};
    struct round r;
    enum tn_code code = round_run(&k, &r, err);
    for (int i = 1; !code && broken_note(&k, &r) && i < ROUNDS_MAX; i++) {
        tn_arena_free(r.arena);
        code = round_run(&k, &r, err);
    }
    if (code) {
        tn_diags_merge(job->diags, &r.diags);
        tn_arena_free(r.arena);
    } else {
        result_take(&k, &r);
    }
    tn_diags_sort(job->diags);
    return code;
}
