/* cmd_ci.c - 'tenet ci': is this merge request allowed, and what does it do?
 *
 * What the pipeline's variables say is read first (pipeline.h), then two
 * commits: HEAD, and the one where it branched off.  Only what they want
 * differently is planned, against the snapshots on the status ref, and judged.
 * Everything that is printed or left as an artifact comes from that one plan.
 *
 * Where the log of a job obeys commands, what tenants wrote must not be one:
 * commands are stopped before the first line and allowed again after the
 * last. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/crypt.h"
#include "reconciler/cli/ci.h"
#include "reconciler/policy/run.h"
#include "reconciler/review/access.h"
#include "reconciler/review/compare.h"
#include "reconciler/snapshot/snapshot.h"

enum { DAY = 24 * 3600, WARN_AGE = 30 * DAY, NAMED = 5 };

struct ci {
    struct tn_cli *cli;
    struct tn_pipeline pipeline;
    struct tn_reconcile *head, *base; /* base null: none. */
    struct tn_commit base_commit;
    struct tn_compare compared;
    struct tn_reach_diff diff;
    struct tn_findings findings;
    TN_VEC(const char *) notes;
    int64_t max_age, warn_age; /* Seconds; negative: any. */
    char stop[48];             /* The word that allows commands again. */
};

static const char *
environment_get(void *ctx, const char *name)
{
    (void) ctx;
    return getenv(name);
}

/* "90m", "12h", "7d". */
static bool
age_parse(const char *text, int64_t *out)
{
    char *end = NULL;
    long long n = strtoll(text, &end, 10);
    static const char units[] = "smhd";
    static const int64_t seconds[] = {1, 60, 3600, DAY};
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (text[0] < '0' || text[0] > '9' || !unit || end[1] || n > 1000000) {
        fprintf(stderr, "tenet: '%s' is no duration such as 12h or 7d\n", text);
        return false;
    }
    *out = n * seconds[unit - units];
    return true;
}

static void
commands_stop(struct ci *ci)
{
    uint8_t dice[16];
    if (!ci->pipeline.commands) {
        return;
    }
    tn_random(dice, sizeof dice);
    int n = snprintf(ci->stop, sizeof ci->stop, "tenet-");
    for (size_t i = 0; i < sizeof dice; i++) {
        n += snprintf(ci->stop + n, sizeof ci->stop - (size_t) n, "%02x",
                      dice[i]);
    }
    printf("::stop-commands::%s\n", ci->stop);
    fflush(stdout);
}

/* Annotations are commands that are meant. */
static void
commands_allow(const struct ci *ci, const struct tn_review *review)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    if (!ci->stop[0]) {
        return;
    }
    tn_text_addf(&t, "::%s::\n", ci->stop);
    if (review) {
        tn_review_format_get("github")->print(&t, review);
    }
    fflush(stderr);
    (void) tn_report_out(&t);
}

static struct tn_reconcile_options
options_of(const struct ci *ci, const char *rev)
{
    return (struct tn_reconcile_options){
        .repo = ci->cli->repo,
        .rev = rev,
        .environment = ci->cli->environment,
        .cache_dir = tn_command_cache(ci->cli),
        .threads = (unsigned) ci->cli->threads,
        .offline = true,
    };
}

/* The commit where HEAD branched off; an empty id if nothing says from what. */
static enum tn_code
base_find(struct ci *ci, struct tn_error *err)
{
    const struct tn_cli *cli = ci->cli;
    const struct tn_pipeline *p = &ci->pipeline;
    const char *const *targets = cli->target ? &cli->target : p->targets;
    size_t n = cli->target ? 1 : p->n_targets;
    const char *head = cli->rev ? cli->rev : "HEAD";
    enum tn_code code = TN_OK;
    for (size_t i = 0; i < n; i++) {
        struct tn_error later = {0};
        enum tn_code c = tn_source_merge_base(cli->repo, head, targets[i],
                                              &ci->base_commit, &later);
        if (!c) {
            return TN_OK;
        }
        if (i == 0) {
            code = c;
            *err = later; /* The best target's reason is the best one. */
        }
    }
    if (code && p->depth) {
        code = tn_while(err, code, "nothing to compare with (%s)", p->depth);
    }
    return code;
}

static void
base_open(struct ci *ci)
{
    struct tn_error ignored = {0};
    struct tn_reconcile *base = NULL;
    if (!ci->base_commit.id[0]) {
        *tn_vec_push(ci->cli->arena, &ci->notes) =
            "no target branch is known: this is all that is pending";
        return;
    }
    struct tn_reconcile_options o = options_of(ci, ci->base_commit.id);
    if (tn_reconcile_open(&o, &base, &ignored) || !base->network) {
        tn_reconcile_free(base);
        ci->base_commit.id[0] = '\0';
        *tn_vec_push(ci->cli->arena, &ci->notes) =
            "the commit where this branched off is not valid: this is all that "
            "is pending";
        return;
    }
    ci->base = base;
}

static void
age_judge(struct ci *ci, const struct tn_basis *b, int64_t now)
{
    char age[TN_SNAPSHOT_AGE];
    int64_t old = b->seen && now > b->seen ? now - b->seen : 0;
    bool denied = ci->max_age >= 0 && (b->why || old > ci->max_age);
    bool warned = ci->warn_age >= 0 && !b->why && old > ci->warn_age;
    struct tn_arena *arena = ci->cli->arena;
    if (!denied && !warned) {
        return;
    }
    struct tn_finding f = {
        .severity = denied ? TN_SEVERITY_DENY : TN_SEVERITY_WARN,
        .rule = "snapshot-age",
        .message = b->why
                       ? tn_arena_printf(arena,
                                         "%s has no snapshot to plan "
                                         "against: %s",
                                         b->device, b->why)
                       : tn_arena_printf(
                             arena, "the snapshot of %s last differed %s ago",
                             b->device, tn_snapshot_age(b->seen, now, age)),
        .hint = "see whether 'tenet run' still publishes the status ref, and "
                "whether this clone has fetched it",
        .subject = b->device,
    };
    tn_finding_add(&ci->findings, &f);
}

/* What was planned against. */
static void
bases_note(struct ci *ci)
{
    const struct tn_basis *oldest = NULL;
    char age[TN_SNAPSHOT_AGE];
    size_t with = 0, without = 0;
    int64_t now = (int64_t) time(NULL);
    struct tn_arena *arena = ci->cli->arena;
    for (size_t i = 0; i < ci->compared.n_bases; i++) {
        const struct tn_basis *b = &ci->compared.bases[i];
        age_judge(ci, b, now);
        with += !b->why;
        without += b->why != NULL;
        if (!b->why && (!oldest || b->seen < oldest->seen)) {
            oldest = b;
        }
        if (b->why && without <= NAMED) {
            *tn_vec_push(arena, &ci->notes) = tn_arena_printf(
                arena, "%s has no snapshot (%s): taken to be as %s", b->device,
                b->why, ci->base ? "the target branch wants it" : "empty");
        }
        if (b->n_unknown) {
            *tn_vec_push(arena, &ci->notes) =
                tn_arena_printf(arena, "%s: %zu secrets were not compared",
                                b->device, b->n_unknown);
        }
    }
    if (without > NAMED) {
        *tn_vec_push(arena, &ci->notes) = tn_arena_printf(
            arena, "%zu more devices have no snapshot", without - NAMED);
    }
    if (with) {
        *tn_vec_push(arena, &ci->notes) = tn_arena_printf(
            arena,
            "planned against the snapshots of %zu device%s; the oldest (%s) "
            "last differed %s ago",
            with, with == 1 ? "" : "s", oldest->device,
            tn_snapshot_age(oldest->seen, now, age));
    }
}

static void
others_note(struct ci *ci)
{
    const struct tn_counts *c = &ci->compared.others;
    size_t n = c->add + c->change + c->replace + c->destroy;
    if (n) {
        *tn_vec_push(ci->cli->arena, &ci->notes) = tn_arena_printf(
            ci->cli->arena,
            "%zu other change%s pending, %zu of them for drift: not of this "
            "merge request, and not judged",
            n, n == 1 ? " is" : "s are", c->drift);
    }
}

static enum tn_exit
exit_of(const struct ci *ci, const struct tn_review *review)
{
    if (tn_review_invalid(review)) {
        return TN_EXIT_INVALID;
    }
    if (tn_review_denied(review)) {
        return TN_EXIT_DENIED;
    }
    const struct tn_counts *c = &review->plan->counts;
    bool changes = c->add + c->change + c->replace + c->destroy;
    return ci->cli->detailed_exitcode && changes ? TN_EXIT_CHANGES : TN_EXIT_OK;
}

/* Prints, leaves, tells. */
static enum tn_exit
conclude(struct ci *ci, struct tn_verdict *verdict)
{
    const struct tn_cli *cli = ci->cli;
    struct tn_review review;
    tn_reviewing_fill(cli, ci->head, verdict, &review);
    review.plan = ci->compared.plan;
    review.base = ci->base_commit.id;
    tn_review_access_of(cli->arena, &ci->diff, &review.access,
                        &review.n_access);
    review.notes = ci->notes.items;
    review.n_notes = ci->notes.n;
    review.artifact =
        ci->pipeline.artifacts_url
            ? ci->pipeline.artifacts_url
            : tn_arena_printf(cli->arena, "%s/%s",
                              cli->artifacts ? cli->artifacts : "tenet-ci",
                              review.environment);
    review.limit = ci->pipeline.found && ci->pipeline.forge == TN_FORGE_GITLAB
                       ? TN_REVIEW_LIMIT_GITLAB
                       : TN_REVIEW_LIMIT;
    tn_report_findings(cli, &ci->head->diags);
    bool fine = tn_reviewing_print(cli, &review);
    fine = tn_ci_tell(cli, &ci->pipeline, &review) && fine;
    fprintf(stderr, "tenet: %s: %s\n", review.environment,
            tn_review_summary(cli->arena, &review));
    commands_allow(ci, &review);
    enum tn_exit exit = exit_of(ci, &review);
    return exit == TN_EXIT_OK && !fine ? TN_EXIT_ERROR : exit;
}

/* Policies of the head, and what those of the base protect. */
static void
policies_judge(struct ci *ci)
{
    const struct tn_policy_run judged = {
        .run = ci->head,
        .former = ci->base,
        .plan = ci->compared.plan,
        .allow_deletes = (size_t) ci->cli->allow_deletes,
        .helper = TN_POLICY_HELPER,
    };
    tn_policy_run_judge(&judged, &ci->findings);
}

/* Of the whole network, and of what changes. */
static enum tn_code
judge(struct ci *ci, struct tn_error *err)
{
    enum tn_code code = tn_reconcile_observe(ci->head, err);
    if (code) {
        return code;
    }
    base_open(ci);
    tn_compare(ci->head, ci->base, &ci->compared);
    bases_note(ci);
    others_note(ci);
    tn_reviewing_budget(ci->cli, ci->head, ci->compared.plan, &ci->findings);
    policies_judge(ci);
    if (ci->base) {
        tn_reach_diff(ci->head->arena, ci->base->network, ci->head->network,
                      &ci->diff);
    }
    return TN_OK;
}

static enum tn_exit
work(struct ci *ci)
{
    struct tn_error err = {0};
    struct tn_verdict verdict = {0};
    enum tn_code code = base_find(ci, &err);
    if (!code) {
        struct tn_reconcile_options o = options_of(ci, ci->cli->rev);
        code = tn_reconcile_open(&o, &ci->head, &err);
        /* What is wrong with documents is a verdict, not a failure. */
        bool verdict_all_the_same =
            code == TN_EINTENT && ci->head->diags.n_errors;
        code = verdict_all_the_same ? TN_OK : code ? code : judge(ci, &err);
    }
    if (code) {
        tn_report_error(ci->cli, &err);
        commands_allow(ci, NULL);
        return tn_report_exit(code);
    }
    tn_verdict_build(&ci->findings, &verdict);
    enum tn_exit exit = conclude(ci, &verdict);
    tn_command_stats(ci->cli, ci->head);
    return exit;
}

enum tn_exit
tn_cmd_ci(struct tn_cli *cli)
{
    struct tn_error err = {0};
    struct ci ci = {
        .cli = cli,
        .findings = {.arena = cli->arena},
        .max_age = -1,
        .warn_age = WARN_AGE,
    };
    if ((cli->max_age && !age_parse(cli->max_age, &ci.max_age)) ||
        (cli->warn_age && !age_parse(cli->warn_age, &ci.warn_age))) {
        return TN_EXIT_ERROR;
    }
    if (tn_pipeline_recognise(cli->arena, cli->forge, environment_get, NULL,
                              &ci.pipeline, &err)) {
        tn_report_error(cli, &err);
        return TN_EXIT_ERROR;
    }
    commands_stop(&ci);
    enum tn_exit exit = work(&ci);
    tn_reconcile_free(ci.base);
    tn_reconcile_free(ci.head);
    return exit;
}
