/* pending.h - a change that is undone unless somebody says that it is good.
 *
 *     begin -> apply -> start -> (confirm | expire -> undo) -> finish
 *
 * The state is the name of a file in the state directory, and moves by rename,
 * so that of a confirmation and an expiry at the same instant exactly one wins,
 * also across kill -9 and power loss:
 *
 *     confirm/applying.json    an apply is at work, or died at it
 *     confirm/pending.json     applied, waiting
 *     confirm/confirmed.json   somebody confirmed it
 *     confirm/reverting.json   it is being undone
 *
 * The deadline is kept on the clock that no one sets (CLOCK_BOOTTIME, which
 * also counts suspend) together with the id of the boot.  Wall time is for
 * people only: a clock that jumps neither extends nor shortens the window.
 * After a reboot nobody can say that the change is good, and it is undone.
 *
 * Whoever applies holds the state lock (journal.h) from before begin() on;
 * confirming does not need it.  Errors: TN_EDENIED no permission, or read-only;
 * TN_ENOENT nothing is pending; TN_ESTALE too late, or it is another commit
 * that waits; TN_EINTERNAL disk full and other failures, or a file that cannot
 * be understood. */
#ifndef TN_CONFIRM_PENDING_H
#define TN_CONFIRM_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

/* Longest and shortest window. */
enum { TN_PENDING_MIN_MS = 1000, TN_PENDING_MAX_MS = 24 * 3600 * 1000 };

enum { TN_BOOT_ID = 40 };

/* What time it is, as far as a deadline is concerned. */
struct tn_pending_clock {
    char boot_id[TN_BOOT_ID]; /* Empty: unknown. */
    int64_t boot_ms;          /* CLOCK_BOOTTIME */
    int64_t wall;             /* Seconds since 1970 UTC. */
};
void tn_pending_clock_now(struct tn_pending_clock *out);

struct tn_pending_device {
    const char *name;
    const char *previous; /* The commit it held before; null: none known, so
                             going back means removing what was applied. */
};

struct tn_pending {
    const char *commit; /* Applied, hexadecimal. */
    const char *environment;
    const char *who;                         /* Who applied it: for people. */
    const struct tn_pending_device *devices; /* By name: those it touched. */
    size_t n_devices;
    uint64_t window_ms;
    int64_t begun; /* Wall clock: for people. */
    char boot_id[TN_BOOT_ID];
    int64_t deadline_ms; /* On the clock of that boot. */
};

enum tn_pending_phase {
    TN_PENDING_NONE,      /* Nothing is pending. */
    TN_PENDING_APPLYING,  /* An apply is at work.  Who holds the state lock and
                             is not it knows that it died: to be undone. */
    TN_PENDING_OPEN,      /* It may still be confirmed. */
    TN_PENDING_CONFIRMED, /* It was. */
    TN_PENDING_DUE,       /* It has to be undone: time is up, the machine was
                             started anew, or undoing it was interrupted. */
};

struct tn_pending_state {
    enum tn_pending_phase phase;
    int64_t left_ms;         /* TN_PENDING_OPEN: until the deadline. */
    const char *why;         /* TN_PENDING_DUE: in a few words. */
    struct tn_pending about; /* Not with TN_PENDING_NONE. */
};

/* Says what is going to be applied, before the first device is touched.  'p'
 * gives commit, environment, who, devices and window.  TN_EDENIED if another
 * change is pending or being undone. */
enum tn_code tn_pending_begin(const char *state_dir, const struct tn_pending *p,
                              const struct tn_pending_clock *now,
                              struct tn_error *err) TN_MUST_USE;
/* It is applied: the window starts. */
enum tn_code tn_pending_start(const char *state_dir,
                              const struct tn_pending_clock *now,
                              struct tn_error *err) TN_MUST_USE;

/* Confirms what is pending; 'commit' (may be null) is the start of the id that
 * the caller means. */
enum tn_code tn_pending_confirm(const char *state_dir, const char *commit,
                                const struct tn_pending_clock *now,
                                struct tn_error *err) TN_MUST_USE;

/* Takes the right to confirm away, so that undoing may begin; also when the
 * probes failed or the person at the terminal said no, long before the
 * deadline.  TN_ESTALE if it was confirmed in the last moment; TN_OK if it was
 * being undone already. */
enum tn_code tn_pending_expire(const char *state_dir,
                               struct tn_error *err) TN_MUST_USE;

/* Forgets the change: it is confirmed, or verified to be undone, or was never
 * applied. */
enum tn_code tn_pending_finish(const char *state_dir,
                               struct tn_error *err) TN_MUST_USE;

/* Where things stand: to be asked at the start of every run that may write, and
 * by whoever waits.  '*out' is new in 'arena'. */
enum tn_code tn_pending_load(const char *state_dir,
                             const struct tn_pending_clock *now,
                             struct tn_arena *arena,
                             struct tn_pending_state *out,
                             struct tn_error *err) TN_MUST_USE;

/* Waits until the phase is not TN_PENDING_OPEN any more: '*out' as load().
 * Wakes at once when a confirmation comes.  'stop_fd' (-1: none) ends the wait
 * when it becomes readable; the phase is then still open. */
enum tn_code tn_pending_wait(const char *state_dir, int stop_fd,
                             struct tn_arena *arena,
                             struct tn_pending_state *out,
                             struct tn_error *err) TN_MUST_USE;

/* Pure: phase and time left of a change that has not been confirmed. */
enum tn_pending_phase tn_pending_judge(const struct tn_pending *p,
                                       const struct tn_pending_clock *now,
                                       int64_t *left_ms, const char **why);

/* "120s", "2m", "1h30m", "500ms" to milliseconds. */
bool tn_pending_parse_window(const char *text, uint64_t *ms) TN_MUST_USE;

#endif
