/* run.c - from a run to a judgement: what was applied before is what devices
 * hold by the status ref, compiled already if they were observed. */
#include "reconciler/policy/run.h"

#include <string.h>
#include <time.h>

#include "model/base/cleanup.h"
#include "reconciler/policy/judge.h"
#include "reconciler/source/source.h"

struct pasts {
    struct tn_arena *arena;
    TN_VEC(struct tn_judge_past) list;
    TN_VEC(const char *) commits;
    TN_VEC(struct tn_source *) opened;
};

static void
pasts_done(struct pasts *p)
{
    for (size_t i = 0; i < p->opened.n; i++) {
        p->opened.items[i]->ops->free(p->opened.items[i]);
    }
}

static const struct tn_network *
network_of(const struct tn_reconcile *run, const char *commit,
           struct tn_arena *arena)
{
    if (strcmp(commit, run->commit.id) == 0) {
        return run->network;
    }
    for (size_t i = 0; i < run->n_pasts; i++) {
        if (strcmp(run->pasts[i].commit, commit) == 0) {
            return run->pasts[i].network;
        }
    }
    return tn_reconcile_past(run, commit, arena);
}

static void
past_add(struct pasts *p, const struct tn_reconcile *run, const char *commit)
{
    struct tn_error ignored = {0};
    struct tn_source *source = NULL;
    for (size_t i = 0; i < p->commits.n; i++) {
        if (strcmp(p->commits.items[i], commit) == 0) {
            return;
        }
    }
    *tn_vec_push(p->arena, &p->commits) = commit;
    struct tn_judge_past *past = tn_vec_push(p->arena, &p->list);
    *past = (struct tn_judge_past){0};
    const struct tn_network *network = network_of(run, commit, p->arena);
    if (network &&
        !tn_source_open_commit(run->root, commit, &source, NULL, &ignored)) {
        *tn_vec_push(p->arena, &p->opened) = source;
        *past = (struct tn_judge_past){source, network};
    }
}

static void
pasts_find(struct pasts *p, const struct tn_policy_run *judged)
{
    const struct tn_reconcile *run = judged->run;
    const struct tn_reconcile *former = judged->former;
    if (former) {
        *tn_vec_push(p->arena, &p->list) =
            (struct tn_judge_past){former->source, former->network};
        return;
    }
    for (size_t i = 0; i < run->network->n_devices; i++) {
        const char *name = run->network->devices[i].name;
        const struct tn_status_device *s =
            tn_status_device_get(run->status, name);
        bool ours = !run->options.host || strcmp(run->options.host, name) == 0;
        if (ours && s && s->head.commit) {
            past_add(p, run, s->head.commit);
        }
    }
}

bool
tn_policy_wants_plan(const struct tn_reconcile *run)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_policies policies = {0};
    struct tn_error ignored = {0};
    if (tn_policies_load(run->source, arena, &policies, NULL, &ignored)) {
        return false; /* Judging will say so. */
    }
    for (size_t i = 0; i < policies.n; i++) {
        const struct tn_policy *p = policies.items[i].doc;
        bool budget =
            p->builtin.at.line && p->builtin.v == TN_BUILTIN_DELETE_BUDGET;
        if (budget || (p->jq.v && p->over.v == TN_OVER_PLAN)) {
            return true;
        }
    }
    return false;
}

void
tn_policy_run_judge(const struct tn_policy_run *judged,
                    struct tn_findings *findings)
{
    struct tn_error err = {0};
    const struct tn_reconcile *run = judged->run;
    TN_CLEANUP(pasts_done) struct pasts pasts = {.arena = findings->arena};
    pasts_find(&pasts, judged);
    struct tn_judge in = {
        .environment = run->network->inventory->environment,
        .source = run->source,
        .network = run->network,
        .pasts = pasts.list.items,
        .n_pasts = pasts.list.n,
        .plan = judged->plan,
        .allow_deletes = judged->allow_deletes,
        .now = (int64_t) time(NULL),
        .helper = judged->helper,
        .destroy = run->options.destroy,
    };
    if (tn_judge(&in, findings, &err)) {
        char text[TN_ERROR_TEXT];
        tn_finding_add(findings,
                       &(struct tn_finding){
                           .severity = TN_SEVERITY_DENY,
                           .rule = TN_RULE_BROKEN,
                           .message = tn_error_text(&err, text, sizeof text),
                       });
    }
}

size_t
tn_policy_run_check(const struct tn_reconcile *run, const char *helper,
                    struct tn_diags *diags)
{
    struct tn_findings findings = {.arena = diags->arena};
    struct tn_verdict found;
    struct tn_error err = {0};
    size_t n = 0;
    struct tn_judge in = {
        .environment = run->network->inventory->environment,
        .source = run->source,
        .network = run->network,
        .now = (int64_t) time(NULL),
        .helper = helper,
    };
    if (tn_policies_check(&in, &findings, &n, &err)) {
        char text[TN_ERROR_TEXT];
        tn_diag(diags, TN_ERROR, (struct tn_origin){"policies", 0, 0}, "%s",
                tn_error_text(&err, text, sizeof text));
    }
    tn_verdict_build(&findings, &found);
    for (size_t i = 0; i < found.n; i++) {
        const struct tn_finding *f = &found.items[i];
        bool error = f->severity == TN_SEVERITY_DENY;
        struct tn_diag *d =
            tn_diag(diags, error ? TN_ERROR : TN_WARNING, f->at, "%s%s%s",
                    error ? "" : f->rule, error ? "" : ": ", f->message);
        d->hint = f->hint;
    }
    return n;
}
