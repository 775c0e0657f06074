/* cmd_apply.c - 'tenet apply' and 'tenet destroy': carry a plan out.
 *
 *     lock -> unfinished runs? -> plan -> budgets -> ask -> apply -> record
 *
 * The lock is taken before the devices are looked at, so that two applies
 * cannot plan against each other's half-way state.  A run that was
 * interrupted earlier needs no undoing: the plan starts from what the devices
 * hold now; but it is said what that run had intended and what became of it. */
#include "reconciler/cli/command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/apply/trial.h"
#include "reconciler/cli/reviewing.h"
#include "reconciler/confirm/pending.h"
#include "reconciler/plan/print.h"
#include "reconciler/policy/print.h"
#include "reconciler/status/state_dir.h"

struct session {
    struct tn_cli *cli;
    struct tn_state_lock *lock;
    const char *dir; /* Of the instance's state. */
    bool undoing;    /* What was left unconfirmed goes with this run. */
    const struct tn_journal_past *unfinished;
    size_t n_unfinished;
    struct tn_arena *arena;
};

static void
session_done(struct session *s)
{
    tn_state_unlock(s->lock);
}

static void
unfinished_print(const struct session *s)
{
    for (size_t i = 0; i < s->n_unfinished; i++) {
        const struct tn_journal_past *p = &s->unfinished[i];
        size_t steps = 0, done = 0;
        for (size_t k = 0; k < p->n_devices; k++) {
            steps += p->devices[k].n_steps;
            for (size_t j = 0; j < p->devices[k].n_steps; j++) {
                done += p->devices[k].steps[j].outcome == TN_JOURNAL_DONE;
            }
        }
        if (p->damaged) {
            fprintf(stderr,
                    "tenet: the journal of run %s is damaged; all "
                    "devices are observed anew\n",
                    p->run.id);
        } else if (p->went) {
            fprintf(stderr,
                    "tenet: run %s (commit %.7s) was interrupted: %zu "
                    "steps on %zu devices were intended, %zu are known "
                    "to be done; this run finishes the rest\n",
                    p->run.id, p->run.commit, steps, p->n_devices, done);
        }
    }
}

static void
unfinished_close(const struct session *s)
{
    for (size_t i = 0; i < s->n_unfinished; i++) {
        struct tn_error err = {0};
        if (tn_journal_finish(s->lock, &s->unfinished[i], "superseded", &err)) {
            tn_report_error(s->cli, &err);
        }
    }
}

static bool
confirmed(const struct tn_cli *cli, const char *question)
{
    if (cli->yes) {
        return true;
    }
    if (!isatty(STDIN_FILENO)) {
        fprintf(stderr, "tenet: not applied: no terminal to ask on; give "
                        "--yes\n");
        return false;
    }
    char answer[16] = "";
    fprintf(stderr, "\n%s Only 'yes' is taken as yes: ", question);
    if (!fgets(answer, sizeof answer, stdin)) {
        return false;
    }
    return strcmp(answer, "yes\n") == 0;
}

static enum tn_exit
saved_select(const struct tn_cli *cli, struct tn_reconcile *run,
             const struct tn_saved *saved)
{
    struct tn_error err = {0};
    struct tn_saved_result result = {0};
    enum tn_code code = tn_reconcile_select(run, saved, &result, &err);
    for (size_t i = 0; code && i < result.n; i++) {
        if (result.items[i].text) {
            fprintf(stderr, "tenet: stale: %s\n", result.items[i].text);
        }
    }
    if (code) {
        tn_report_error(cli, &err);
        fprintf(stderr, "    hint: nothing was changed; plan again and review "
                        "what is new\n");
        return tn_report_exit(code);
    }
    if (result.n_done) {
        fprintf(stderr, "tenet: %zu of %zu planned changes are done already\n",
                result.n_done, result.n);
    }
    return TN_EXIT_OK;
}

static void
device_print(struct tn_text *t, const struct tn_device_run *d, bool color)
{
    bool fine = d->end == TN_DEVICE_VERIFIED || d->end == TN_DEVICE_UNTOUCHED;
    char buf[TN_ERROR_TEXT + 256];
    const char *on = !color         ? ""
                     : !fine        ? "\033[1;31m"
                     : d->n_waiting ? "\033[33m"
                                    : "\033[32m";
    tn_text_addf(
        t, "  %s%-12s%s %s", on, d->device->name, color ? "\033[0m" : "",
        fine && d->n_waiting ? "applied in part" : tn_device_end_name(d->end));
    if (d->plan->n_changes) {
        tn_text_addf(t, ", %zu of %zu steps done", d->n_done,
                     d->plan->n_changes);
    }
    tn_text_addc(t, '\n');
    if (!fine) {
        tn_text_add(t, "      ");
        tn_text_add(t, tn_error_text(&d->failure, buf, sizeof buf));
        tn_text_addc(t, '\n');
    }
    if (d->n_waiting) {
        tn_text_addf(t, "      waiting: %s\n",
                     tn_error_text(&d->waits_for, buf, sizeof buf));
    }
    if (d->n_differ) {
        tn_text_addf(t,
                     "      %zu objects beside the plan are not as wanted "
                     "now; plan again\n",
                     d->n_differ);
    }
    if (d->undo_failure.code) {
        tn_text_add(t, "      and: ");
        tn_text_add(t, tn_error_text(&d->undo_failure, buf, sizeof buf));
        tn_text_addc(t, '\n');
    }
}

static void
device_json(struct tn_text *t, const struct tn_device_run *d)
{
    char buf[TN_ERROR_TEXT + 256];
    tn_text_add(t, "{\"device\": \"");
    tn_text_add_escaped(t, d->device->name);
    tn_text_addf(t, "\", \"end\": \"%s\", \"done\": %zu, \"steps\": %zu",
                 tn_device_end_name(d->end), d->n_done, d->plan->n_changes);
    if (d->failure.code) {
        tn_text_addf(t, ", \"class\": \"%s\", \"error\": \"",
                     tn_code_name(d->failure.code));
        tn_text_add_escaped(t, tn_error_text(&d->failure, buf, sizeof buf));
        tn_text_addc(t, '"');
    }
    if (d->n_waiting) {
        tn_text_addf(t, ", \"waiting\": %zu, \"waits_for\": \"", d->n_waiting);
        tn_text_add_escaped(t, tn_error_text(&d->waits_for, buf, sizeof buf));
        tn_text_addc(t, '"');
    }
    if (d->n_differ) {
        tn_text_addf(t, ", \"differ\": %zu", d->n_differ);
    }
    if (d->undo_failure.code) {
        tn_text_add(t, ", \"rollback_error\": \"");
        tn_text_add_escaped(t,
                            tn_error_text(&d->undo_failure, buf, sizeof buf));
        tn_text_addc(t, '"');
    }
    tn_text_addc(t, '}');
}

static void
result_print(const struct tn_cli *cli, const struct tn_reconcile *run,
             const struct tn_status_result *status)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    if (cli->json) {
        tn_text_addf(&t,
                     "{\"format_version\": \"1.0\", \"commit\": \"%s\", "
                     "\"environment\": \"%s\", \"devices\": [",
                     run->commit.id, run->network->inventory->environment);
        for (size_t i = 0; i < run->n_devices; i++) {
            tn_text_add(&t, i ? ",\n  " : "\n  ");
            device_json(&t, &run->devices[i]);
        }
        tn_text_addf(&t, "],\n  \"status_commit\": \"%s\"", status->id);
        tn_report_findings_json(&t, &run->diags);
        tn_text_add(&t, "}\n");
    } else {
        tn_text_addc(&t, '\n');
        for (size_t i = 0; i < run->n_devices; i++) {
            device_print(&t, &run->devices[i], cli->color_out);
        }
        if (status->changed) {
            tn_text_addf(&t, "Status committed to %s (%.7s).\n",
                         run->status_ref, status->id);
        }
    }
    (void) tn_report_out(&t);
}

static enum tn_exit
exit_of(const struct tn_reconcile *run, enum tn_code code)
{
    if (code == TN_EUNAVAILABLE && run->plan->n_unreachable) {
        return TN_EXIT_UNREACHABLE;
    }
    if (code || run->plan->n_conflicts || run->diags.n_errors) {
        return TN_EXIT_PARTIAL;
    }
    for (size_t i = 0; i < run->n_devices; i++) {
        if (run->devices[i].n_waiting || run->devices[i].n_differ) {
            return TN_EXIT_PARTIAL;
        }
    }
    return TN_EXIT_OK;
}

/* Waits for the proof, if one was asked for, and undoes what has none. */
static enum tn_code
prove(struct tn_trial *trial, struct tn_error *err)
{
    bool kept = false;
    const char *why = NULL;
    fprintf(stderr, "Applied %.12s; waiting for %s.\n", trial->run->commit.id,
            trial->person ? "'tenet confirm'" : "the probes");
    enum tn_code code = tn_trial_judge(trial, &kept, &why, err);
    if (code || !kept) {
        char text[TN_ERROR_TEXT];
        if (code) {
            why = tn_arena_strdup(trial->run->arena,
                                  tn_error_text(err, text, sizeof text));
        }
        fprintf(stderr, "tenet: %.12s is undone: %s\n", trial->run->commit.id,
                why);
        code = tn_trial_undo(trial, why, err);
        return code ? code
                    : tn_fail(err, TN_EDENIED, 0, "%.12s was undone: %s",
                              trial->run->commit.id, why);
    }
    fprintf(stderr, "%s: %.12s stays.\n", why, trial->run->commit.id);
    return TN_OK;
}

static enum tn_code
apply_on_trial(const struct session *s, struct tn_reconcile *run,
               struct tn_trial *trial, struct tn_error *err)
{
    struct tn_error late = {0};
    bool on_trial = trial->window_ms != 0;
    enum tn_code code = on_trial ? tn_trial_begin(trial, err) : TN_OK;
    if (code) {
        return code;
    }
    code = tn_reconcile_apply(run, s->lock, err);
    if (!code && on_trial) {
        code = prove(trial, err);
    }
    bool over = on_trial || (s->undoing && !code);
    enum tn_code end = over ? tn_trial_recovered(s->dir, &late) : TN_OK;
    if (!code && !end && !run->options.destroy && !run->options.host) {
        end = tn_trial_good(s->dir, run, &late);
    }
    if (end && !code) {
        *err = late;
        code = end;
    }
    return code;
}

static enum tn_exit
carry_out(const struct session *s, struct tn_reconcile *run,
          struct tn_trial *trial)
{
    struct tn_error err = {0}, status_err = {0};
    struct tn_status_result status = {0};
    enum tn_code code = apply_on_trial(s, run, trial, &err);
    enum tn_code recorded = tn_reconcile_record(run, &status, &status_err);
    if (!code) {
        unfinished_close(s);
    }
    result_print(s->cli, run, &status);
    if (code) {
        tn_report_error(s->cli, &err);
    }
    if (recorded) {
        tn_report_error(s->cli, &status_err);
    }
    enum tn_exit exit = exit_of(run, code);
    return exit == TN_EXIT_OK && recorded ? TN_EXIT_PARTIAL : exit;
}

static size_t
changes_count(const struct tn_plan *plan)
{
    return plan->counts.add + plan->counts.change + plan->counts.replace +
           plan->counts.destroy;
}

/* Says what policies find. */
static bool
policies_allow(const struct tn_cli *cli, const struct tn_reconcile *run)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    struct tn_findings findings = {.arena = run->arena};
    struct tn_verdict verdict;
    tn_reviewing_policies(cli, run, &findings);
    tn_verdict_build(&findings, &verdict);
    tn_verdict_print_text(&t, &verdict, cli->color_err);
    fputs(tn_text_str(&t), stderr);
    return tn_verdict_allows(&verdict);
}

static enum tn_exit
plan_and_apply(const struct session *s, struct tn_reconcile *run,
               const struct tn_saved *saved)
{
    const struct tn_cli *cli = s->cli;
    struct tn_error err = {0};
    if (cli->probe && run->network->settings->probes.n == 0) {
        fprintf(stderr, "tenet: --probe: tenet.yml has no probes to prove it "
                        "by; nothing was changed\n");
        return TN_EXIT_ERROR;
    }
    enum tn_code code = tn_reconcile_observe(run, &err);
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    enum tn_exit exit = saved ? saved_select(cli, run, saved) : TN_EXIT_OK;
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    tn_report_findings(cli, &run->diags);
    if (!cli->json) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        struct tn_print_options o = {
            .color = cli->color_out,
            .verbose = cli->verbose,
        };
        tn_plan_print_text(&t, run->plan, &o);
        (void) tn_report_out(&t);
    }
    bool over = !run->options.destroy && tn_command_over_budget(cli, run);
    /* Nothing stands in the way of going back. */
    if ((!policies_allow(cli, run) && !s->undoing) || over) {
        fprintf(stderr, "tenet: nothing was changed\n");
        return TN_EXIT_DENIED;
    }
    const char *question =
        run->options.destroy ? "Remove all of this?" : "Apply these changes?";
    if (changes_count(run->plan) && !confirmed(cli, question)) {
        return TN_EXIT_ERROR;
    }
    struct tn_trial trial = {
        .dir = s->dir,
        .run = run,
        .person = cli->confirm != NULL,
        .who = getenv("SUDO_USER") ? getenv("SUDO_USER") : getenv("USER"),
    };
    const char *window = cli->confirm ? cli->confirm : cli->probe;
    if (window && changes_count(run->plan) &&
        !tn_pending_parse_window(window, &trial.window_ms)) {
        fprintf(stderr, "tenet: '%s' is no time such as 90s or 5m\n", window);
        return TN_EXIT_ERROR;
    }
    exit = carry_out(s, run, &trial);
    tn_command_stats(cli, run);
    return exit;
}

static unsigned
wait_ms(const struct tn_cli *cli)
{
    long s = cli->lock_wait ? strtol(cli->lock_wait, NULL, 10) : 0;
    return s > 0 && s < 86400 ? (unsigned) s * 1000 : 0;
}

/* The state directory is one per instance of tenet. */
static enum tn_exit
state_open(struct session *s, const struct tn_reconcile *run)
{
    struct tn_error err = {0};
    const char *base = s->cli->state_dir;
    if (!base) {
        fprintf(stderr, "tenet: no place for the journal; give --state-dir\n");
        return TN_EXIT_ERROR;
    }
    const char *undoing = NULL;
    s->dir = tn_state_dir(s->arena, base, run->network->settings->meta.name.v);
    enum tn_code code = tn_state_lock(s->dir, wait_ms(s->cli), &s->lock, &err);
    if (!code) {
        code = tn_trial_recover(s->dir, run->root, run->status_ref, s->arena,
                                &undoing, &err);
    }
    if (undoing) {
        s->undoing = true;
        fprintf(stderr, "tenet: %s; it is undone first\n", undoing);
    }
    if (!code) {
        code = tn_journal_unfinished(s->lock, s->arena, &s->unfinished,
                                     &s->n_unfinished, &err);
    }
    if (code) {
        tn_report_error(s->cli, &err);
        return tn_report_exit(code);
    }
    unfinished_print(s);
    return TN_EXIT_OK;
}

/* While the branch stands at a commit that is quarantined, another one is
 * applied: opens that in place of '*run'. */
static enum tn_exit
target_open(const struct session *s, enum tn_run_mode mode,
            struct tn_reconcile **run)
{
    struct tn_cli *cli = s->cli;
    struct tn_error err = {0};
    const char *commit = NULL, *why = NULL;
    enum tn_code code = tn_trial_target(
        s->dir, (*run)->root, (*run)->status_ref, (*run)->commit.id,
        (*run)->network->inventory->environment, s->arena, &commit, &why, &err);
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    if (!commit) {
        return TN_EXIT_OK;
    }
    fprintf(stderr, "tenet: %s; applying %.12s instead\n", why, commit);
    tn_reconcile_free(TN_TAKE(*run));
    cli->rev = commit;
    return tn_command_open(cli, mode, run);
}

static enum tn_exit
apply_run(struct tn_cli *cli, enum tn_run_mode mode,
          const struct tn_saved *saved)
{
    TN_CLEANUP(session_done)
    struct session s = {.cli = cli, .arena = cli->arena};
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    enum tn_exit exit = tn_command_open(cli, mode, &run);
    if (exit == TN_EXIT_OK) {
        exit = state_open(&s, run);
    }
    if (exit == TN_EXIT_OK && mode == TN_RUN_NORMAL && !cli->rev &&
        !cli->worktree) {
        exit = target_open(&s, mode, &run);
    }
    return exit == TN_EXIT_OK ? plan_and_apply(&s, run, saved) : exit;
}

enum tn_exit
tn_cmd_apply(struct tn_cli *cli)
{
    if (cli->n_args == 0) {
        return apply_run(cli, TN_RUN_NORMAL, NULL);
    }
    struct tn_error err = {0};
    const struct tn_saved *saved = NULL;
    enum tn_code code = tn_saved_read(cli->arena, cli->args[0], &saved, &err);
    if (code) {
        tn_report_error(cli, &err);
        return TN_EXIT_ERROR;
    }
    if (cli->rev || cli->worktree || cli->environment) {
        fprintf(stderr, "tenet: a saved plan names its commit and environment; "
                        "--rev, --worktree and --environment do not go with "
                        "it\n");
        return TN_EXIT_ERROR;
    }
    cli->rev = saved->commit;
    cli->environment = saved->environment;
    return apply_run(cli, TN_RUN_NORMAL, saved);
}

enum tn_exit
tn_cmd_destroy(struct tn_cli *cli)
{
    return apply_run(cli, TN_RUN_DESTROY, NULL);
}
