/* cmd_rollback.c - 'tenet rollback': back to what was good, until the branch
 * moves on.
 *
 * Writes down what is quarantined and what is held, on disk and on the status
 * ref, takes the right to be confirmed from a change that still waits for it,
 * and then applies like any other run.  Where another tenet holds the state
 * directory, the daemon or an apply that waits to be confirmed, that one does
 * it. */
#include "reconciler/cli/command.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/confirm/pending.h"
#include "reconciler/confirm/rollback.h"
#include "reconciler/daemon/control.h"
#include "reconciler/status/state_dir.h"

struct rollback_run {
    const struct tn_cli *cli;
    struct tn_commit tip; /* What the branch stands at. */
    struct tn_commit to;  /* What is to be held. */
    const char *ref;      /* Status ref. */
    const char *dir;      /* State of the instance. */
    const struct tn_status *status;
    const char *environment;
    struct tn_rollback state;
    struct tn_rollback_word word;
};

static const char *
user_name(struct tn_arena *arena)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *pw = sudo && *sudo ? NULL : getpwuid(getuid());
    return tn_arena_strdup(arena, sudo && *sudo ? sudo
                                  : pw          ? pw->pw_name
                                                : "unknown");
}

/* The one given, else the only one that the status ref tells of. */
static enum tn_code
environment_find(struct rollback_run *r, struct tn_error *err)
{
    r->environment = r->cli->environment;
    for (size_t i = 0; !r->cli->environment && i < r->status->n_devices; i++) {
        const char *name = r->status->devices[i].environment;
        if (r->environment && !tn_streq(r->environment, name)) {
            return tn_fail(err, TN_EINTENT, 0,
                           "there are several environments; name one with "
                           "--environment");
        }
        r->environment = name;
    }
    return r->environment ? TN_OK
                          : tn_fail(err, TN_ENOENT, 0,
                                    "nothing was applied yet, so there is "
                                    "nothing to go back to");
}

static enum tn_code
run_open(struct rollback_run *r, struct tn_error *err)
{
    const struct tn_cli *cli = r->cli;
    const char *damage = NULL;
    enum tn_code code = tn_source_resolve(cli->repo, cli->rev, &r->tip, err);
    if (!code) {
        code = tn_reconcile_status_ref(cli->repo, cli->rev, cli->arena, &r->ref,
                                       err);
    }
    const char *instance = NULL;
    if (!code) {
        code = tn_reconcile_instance(cli->repo, cli->rev, cli->arena, &instance,
                                     err);
    }
    if (!code) {
        r->dir = tn_state_dir(cli->arena, cli->state_dir, instance);
        code = tn_status_load(cli->repo, r->ref, cli->arena, &r->status, err);
    }
    if (!code) {
        code = environment_find(r, err);
    }
    if (code) {
        return code;
    }
    tn_rollback_load(r->dir, cli->repo, r->ref, cli->arena, &r->state, &damage);
    if (damage) {
        fprintf(stderr, "tenet: %s\n", damage);
    }
    return TN_OK;
}

/* The commit to hold: the one named, else the last good one. */
static enum tn_code
choose(struct rollback_run *r, struct tn_error *err)
{
    const struct tn_cli *cli = r->cli;
    const char *to = cli->n_args
                         ? cli->args[0]
                         : tn_rollback_choose(&r->state, r->status,
                                              r->environment, r->tip.id);
    if (!to) {
        return tn_fail(err, TN_ENOENT, 0,
                       "no commit before %.12s is known to be good; name one: "
                       "'tenet rollback COMMIT'",
                       r->tip.id);
    }
    enum tn_code code = tn_source_resolve(cli->repo, to, &r->to, err);
    if (!code && strcmp(r->to.id, r->tip.id) == 0) {
        code = tn_fail(err, TN_EINTENT, 0,
                       "%.12s is what the branch stands at; 'tenet rollback "
                       "--resume' lets it be applied again",
                       r->to.id);
    }
    if (!code && tn_rollback_quarantined(&r->state, r->to.id)) {
        code = tn_fail(err, TN_EDENIED, 0,
                       "%.12s is quarantined (%s); 'tenet rollback --resume "
                       "%.12s' lets it go",
                       r->to.id,
                       tn_rollback_quarantined(&r->state, r->to.id)->reason,
                       r->to.id);
    }
    return code;
}

static enum tn_code
save(struct rollback_run *r, const char *message, struct tn_error *err)
{
    return tn_rollback_save(r->dir, r->cli->repo, r->ref, &r->state, message,
                            err);
}

static enum tn_code
go_back(struct rollback_run *r, struct tn_error *err)
{
    struct tn_arena *arena = r->cli->arena;
    enum tn_code code = choose(r, err);
    if (code) {
        return code;
    }
    tn_rollback_quarantine(arena, &r->state, r->tip.id, &r->word, &r->state);
    tn_rollback_set_pin(arena, &r->state, r->to.id, &r->word, &r->state);
    code = save(r,
                tn_arena_printf(arena, "Roll back %.12s to %.12s\n\n%s",
                                r->tip.id, r->to.id, r->word.reason),
                err);
    if (code) {
        return code;
    }
    fprintf(stderr,
            "Quarantined %.12s (%s).\nHolding %.12s (%s) until the branch "
            "moves on.\n",
            r->tip.id, r->tip.subject, r->to.id, r->to.subject);
    return TN_OK;
}

static enum tn_code
resume(struct rollback_run *r, struct tn_error *err)
{
    struct tn_arena *arena = r->cli->arena;
    const char *commit = NULL;
    if (r->cli->n_args) {
        enum tn_code code =
            tn_source_resolve(r->cli->repo, r->cli->args[0], &r->to, err);
        if (code) {
            return code;
        }
        commit = r->to.id;
        if (!tn_rollback_quarantined(&r->state, commit)) {
            return tn_fail(err, TN_ENOENT, 0, "%.12s is not quarantined",
                           commit);
        }
    }
    tn_rollback_release(arena, &r->state, commit, r->word.now, &r->state);
    r->to = r->tip;
    enum tn_code code =
        save(r, tn_arena_printf(arena, "Resume at %.12s", r->tip.id), err);
    if (!code) {
        fprintf(stderr, "%s may be applied again.\n",
                commit ? tn_arena_printf(arena, "%.12s", commit)
                       : "All quarantined commits");
    }
    return code;
}

/* True if there was one. */
static bool
pending_expire(const struct rollback_run *r)
{
    struct tn_error ignored = {0};
    return tn_pending_expire(r->dir, &ignored) == TN_OK;
}

/* Who holds the state directory applies. */
static enum tn_exit
apply(struct tn_cli *cli, const struct rollback_run *r, bool expired)
{
    struct tn_error err = {0};
    struct tn_state_lock *lock = NULL;
    TN_CLEANUP(tn_cleanup_free) char *answer = NULL;
    const char *socket = cli->control ? cli->control : TN_CONTROL_PATH;
    /* Applying beside the daemon would look like drift to it. */
    if (tn_control_ask(socket, "{\"command\":\"sync\"}", &answer, &err) ==
        TN_OK) {
        fprintf(stderr, "The daemon does it.\n");
        return TN_EXIT_OK;
    }
    if (tn_state_lock(r->dir, 0, &lock, &err) == TN_EUNAVAILABLE) {
        fprintf(stderr, "%s\n",
                expired ? "The apply that waits to be confirmed undoes it."
                        : "Another tenet is at work here and will do it.");
        return TN_EXIT_OK;
    }
    tn_state_unlock(lock);
    cli->rev = tn_arena_strdup(cli->arena, r->to.id);
    cli->n_args = 0;
    return tn_cmd_apply(cli);
}

enum tn_exit
tn_cmd_rollback(struct tn_cli *cli)
{
    struct tn_error err = {0};
    struct rollback_run r = {
        .cli = cli,
        .word = {.reason = cli->reason ? cli->reason : "rolled back by hand",
                 .who = user_name(cli->arena),
                 .now = (int64_t) time(NULL)},
    };
    if (!cli->state_dir) {
        fprintf(stderr, "tenet: no place for the state; give --state-dir\n");
        return TN_EXIT_ERROR;
    }
    enum tn_code code = run_open(&r, &err);
    if (!code) {
        code = cli->resume ? resume(&r, &err) : go_back(&r, &err);
    }
    if (code) {
        tn_report_error(cli, &err);
        return tn_report_exit(code);
    }
    return apply(cli, &r, !cli->resume && pending_expire(&r));
}
