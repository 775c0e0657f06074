/* pending_file.c - the pending change on disk: one file whose name is the
 * state.
 *
 * Moving on is a rename within one directory, synced: it happens once or not at
 * all, and of two who try one finds the file gone.  The content is written
 * before the first device is touched and only its deadline changes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "reconciler/confirm/pending.h"

enum { FILE_MAX_BYTES = 4 * 1024 * 1024, DEVICES_MAX = 100000, POLL_MS = 1000 };

/* The names that the state can have. */
enum stage {
    STAGE_APPLYING,
    STAGE_PENDING,
    STAGE_REVERTING,
    STAGE_CONFIRMED,
    N_STAGES,
};

static const char *const stage_file[N_STAGES] = {
    [STAGE_APPLYING] = "applying.json",
    [STAGE_PENDING] = "pending.json",
    [STAGE_CONFIRMED] = "confirmed.json",
    [STAGE_REVERTING] = "reverting.json",
};

struct paths {
    char dir[PATH_MAX];
    char file[N_STAGES][PATH_MAX];
};

static void
cleanup_json(json_t **j)
{
    json_decref(*j);
}

static enum tn_code
paths_make(const char *state_dir, struct paths *p, struct tn_error *err)
{
    int n = snprintf(p->dir, sizeof p->dir, "%s/confirm", state_dir);
    bool fits = n > 0 && (size_t) n < sizeof p->dir;
    for (size_t i = 0; i < N_STAGES; i++) {
        n = snprintf(p->file[i], sizeof p->file[i], "%s/confirm/%s", state_dir,
                     stage_file[i]);
        fits = fits && n > 0 && (size_t) n < sizeof p->file[i];
    }
    return fits ? TN_OK
                : tn_fail(err, TN_EINTERNAL, 0,
                          "the path of the state directory is too long");
}

static enum tn_code
fail_at(struct tn_error *err, const char *path)
{
    bool denied = errno == EACCES || errno == EPERM || errno == EROFS;
    return tn_fail_sys(err, denied ? TN_EDENIED : TN_EINTERNAL, errno, "%s",
                       path);
}

static void
dir_sync(const struct paths *p)
{
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void) fsync(fd);
    }
}

/* '*moved' is false if there was no such file. */
static enum tn_code
stage_move(const struct paths *p, enum stage from, enum stage to, bool *moved,
           struct tn_error *err)
{
    *moved = false;
    if (rename(p->file[from], p->file[to])) {
        return errno == ENOENT ? TN_OK : fail_at(err, p->file[from]);
    }
    *moved = true;
    dir_sync(p);
    return TN_OK;
}

static bool
stage_is(const struct paths *p, enum stage stage)
{
    struct stat st;
    return stat(p->file[stage], &st) == 0;
}

static enum tn_code
pending_write(const struct paths *p, enum stage stage,
              const struct tn_pending *x, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    TN_CLEANUP(cleanup_json) json_t *j = json_object();
    json_t *devices = json_array();
    for (size_t i = 0; i < x->n_devices; i++) {
        json_t *d = json_object();
        json_object_set_new(d, "name", json_string(x->devices[i].name));
        if (x->devices[i].previous) {
            json_object_set_new(d, "previous",
                                json_string(x->devices[i].previous));
        }
        json_array_append_new(devices, d);
    }
    json_object_set_new(j, "format", json_integer(1));
    json_object_set_new(j, "commit", json_string(x->commit));
    json_object_set_new(j, "environment", json_string(x->environment));
    json_object_set_new(j, "who", json_string(x->who ? x->who : ""));
    json_object_set_new(j, "begun", json_integer(x->begun));
    json_object_set_new(j, "boot", json_string(x->boot_id));
    json_object_set_new(j, "deadline_ms", json_integer(x->deadline_ms));
    json_object_set_new(j, "window_ms",
                        json_integer((json_int_t) x->window_ms));
    json_object_set_new(j, "devices", devices);
    TN_CLEANUP(tn_cleanup_free) char *s = json_dumps(j, JSON_INDENT(2));
    if (!s) {
        return tn_fail(err, TN_EINTERNAL, 0,
                       "a name in the pending change is not UTF-8");
    }
    tn_text_add(&t, s);
    tn_text_addc(&t, '\n');
    return tn_file_replace(p->file[stage], &t, 0600, err);
}

static const char *
text(struct tn_arena *arena, const json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));
    return s ? tn_arena_strdup(arena, s) : NULL;
}

static bool
devices_read(struct tn_arena *arena, const json_t *j, struct tn_pending *out)
{
    const json_t *list = json_object_get(j, "devices");
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > DEVICES_MAX) {
        return false;
    }
    struct tn_pending_device *devices =
        tn_new_n(arena, struct tn_pending_device, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *d = json_array_get(list, i);
        devices[i].name = text(arena, d, "name");
        devices[i].previous = text(arena, d, "previous");
        if (!devices[i].name) {
            return false;
        }
    }
    out->devices = devices;
    out->n_devices = n;
    return true;
}

static bool
pending_parse(struct tn_arena *arena, const char *bytes, size_t n,
              struct tn_pending *out)
{
    json_error_t ignored;
    TN_CLEANUP(cleanup_json)
    json_t *j = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &ignored);
    const char *boot = json_string_value(json_object_get(j, "boot"));
    const json_t *deadline = json_object_get(j, "deadline_ms");
    const json_t *window = json_object_get(j, "window_ms");
    struct tn_pending p = {
        .commit = text(arena, j, "commit"),
        .environment = text(arena, j, "environment"),
        .who = text(arena, j, "who"),
        .begun = json_integer_value(json_object_get(j, "begun")),
        .window_ms = (uint64_t) json_integer_value(window),
        .deadline_ms = json_integer_value(deadline),
    };
    if (json_integer_value(json_object_get(j, "format")) != 1 || !p.commit ||
        !p.environment || !boot || strlen(boot) >= sizeof p.boot_id ||
        !json_is_integer(deadline) || !json_is_integer(window) ||
        p.window_ms > TN_PENDING_MAX_MS || !devices_read(arena, j, &p)) {
        return false;
    }
    memcpy(p.boot_id, boot, strlen(boot) + 1);
    *out = p;
    return true;
}

/* TN_ENOENT if the state is not that one. */
static enum tn_code
pending_read(const struct paths *p, enum stage stage, struct tn_arena *arena,
             struct tn_pending *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(p->file[stage], "re");
    struct stat st;
    if (!f) {
        return errno == ENOENT
                   ? tn_fail(err, TN_ENOENT, 0, "no change is pending")
                   : fail_at(err, p->file[stage]);
    }
    if (fstat(fileno(f), &st) || st.st_size > FILE_MAX_BYTES) {
        return tn_fail(err, TN_EINTERNAL, 0, "%s: not a file of ours",
                       p->file[stage]);
    }
    size_t size = (size_t) st.st_size;
    char *bytes = tn_arena_alloc(arena, size + 1);
    size_t n = fread(bytes, 1, size, f);
    if (!pending_parse(arena, bytes, n, out)) {
        return tn_fail(err, TN_EINTERNAL, 0,
                       "%s cannot be understood: an apply was not confirmed, "
                       "and what it changed has to be looked at; remove the "
                       "file afterwards",
                       p->file[stage]);
    }
    return TN_OK;
}

/* Left-overs of a change that is over go in the order of the stages: whatever a
 * crash leaves means the same as before. */
static enum tn_code
stages_remove(const struct paths *p, struct tn_error *err)
{
    for (size_t i = 0; i < N_STAGES; i++) {
        if (unlink(p->file[i]) && errno != ENOENT) {
            return fail_at(err, p->file[i]);
        }
    }
    dir_sync(p);
    return TN_OK;
}

enum tn_code
tn_pending_begin(const char *state_dir, const struct tn_pending *p,
                 const struct tn_pending_clock *now, struct tn_error *err)
{
    struct paths paths;
    struct tn_pending x = *p;
    enum tn_code code = paths_make(state_dir, &paths, err);
    if (!code) {
        code = tn_dirs_make(paths.dir, 0700, err);
    }
    if (code) {
        return code;
    }
    bool over = stage_is(&paths, STAGE_CONFIRMED);
    if (stage_is(&paths, STAGE_PENDING) || stage_is(&paths, STAGE_REVERTING) ||
        (stage_is(&paths, STAGE_APPLYING) && !over)) {
        return tn_fail(err, TN_EDENIED, 0,
                       "an earlier change still waits to be confirmed or "
                       "undone ('tenet confirm', 'tenet rollback')");
    }
    code = stages_remove(&paths, err);
    if (code) {
        return code;
    }
    x.begun = now->wall;
    x.deadline_ms = 0;
    memcpy(x.boot_id, now->boot_id, sizeof x.boot_id);
    return pending_write(&paths, STAGE_APPLYING, &x, err);
}

enum tn_code
tn_pending_start(const char *state_dir, const struct tn_pending_clock *now,
                 struct tn_error *err)
{
    struct paths paths;
    struct tn_pending p = {0};
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    enum tn_code code = paths_make(state_dir, &paths, err);
    if (!code) {
        code = pending_read(&paths, STAGE_APPLYING, arena, &p, err);
    }
    if (code) {
        return code;
    }
    p.deadline_ms = now->boot_ms + (int64_t) p.window_ms;
    memcpy(p.boot_id, now->boot_id, sizeof p.boot_id);
    code = pending_write(&paths, STAGE_PENDING, &p, err);
    if (!code && unlink(paths.file[STAGE_APPLYING])) {
        code = fail_at(err, paths.file[STAGE_APPLYING]);
    }
    if (!code) {
        dir_sync(&paths);
    }
    return code;
}

enum tn_code
tn_pending_confirm(const char *state_dir, const char *commit,
                   const struct tn_pending_clock *now, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct paths paths;
    struct tn_pending p = {0};
    int64_t left = 0;
    const char *why = NULL;
    bool moved = false;
    enum tn_code code = paths_make(state_dir, &paths, err);
    if (!code && stage_is(&paths, STAGE_REVERTING)) {
        return tn_fail(err, TN_ESTALE, 0,
                       "too late: the change is being undone");
    }
    if (!code) {
        code = pending_read(&paths, STAGE_PENDING, arena, &p, err);
    }
    if (code == TN_ENOENT && stage_is(&paths, STAGE_APPLYING)) {
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "the change is still being applied");
    }
    if (code) {
        return code;
    }
    if (commit && p.commit && strncmp(p.commit, commit, strlen(commit)) != 0) {
        return tn_fail(err, TN_ESTALE, 0,
                       "commit %.12s waits to be confirmed, not %s", p.commit,
                       commit);
    }
    if (tn_pending_judge(&p, now, &left, &why) == TN_PENDING_DUE) {
        return tn_fail(err, TN_ESTALE, 0, "too late: %s, and it will be undone",
                       why);
    }
    code = stage_move(&paths, STAGE_PENDING, STAGE_CONFIRMED, &moved, err);
    return code || moved ? code
                         : tn_fail(err, TN_ESTALE, 0,
                                   "too late: the change is being undone");
}

enum tn_code
tn_pending_expire(const char *state_dir, struct tn_error *err)
{
    struct paths paths;
    bool moved = false;
    enum tn_code code = paths_make(state_dir, &paths, err);
    if (!code) {
        code = stage_move(&paths, STAGE_PENDING, STAGE_REVERTING, &moved, err);
    }
    if (code || moved || stage_is(&paths, STAGE_REVERTING)) {
        return code;
    }
    if (stage_is(&paths, STAGE_CONFIRMED)) {
        return tn_fail(err, TN_ESTALE, 0, "it was confirmed just now");
    }
    code = stage_move(&paths, STAGE_APPLYING, STAGE_REVERTING, &moved, err);
    return code || moved ? code
                         : tn_fail(err, TN_ENOENT, 0, "no change is pending");
}

enum tn_code
tn_pending_finish(const char *state_dir, struct tn_error *err)
{
    struct paths paths;
    enum tn_code code = paths_make(state_dir, &paths, err);
    return code ? code : stages_remove(&paths, err);
}

enum tn_code
tn_pending_load(const char *state_dir, const struct tn_pending_clock *now,
                struct tn_arena *arena, struct tn_pending_state *out,
                struct tn_error *err)
{
    /* In the order in which a change goes through them, so that one that moves
     * on meanwhile is still found. */
    static const enum stage order[] = {STAGE_PENDING, STAGE_REVERTING,
                                       STAGE_CONFIRMED, STAGE_APPLYING};
    struct paths paths;
    struct tn_pending_state s = {.phase = TN_PENDING_NONE};
    enum tn_code code = paths_make(state_dir, &paths, err);
    if (code) {
        return code;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(order); i++) {
        code = pending_read(&paths, order[i], arena, &s.about, err);
        if (code == TN_ENOENT) {
            continue;
        }
        if (code) {
            return code;
        }
        switch (order[i]) {
        case STAGE_PENDING:
            s.phase = tn_pending_judge(&s.about, now, &s.left_ms, &s.why);
            break;
        case STAGE_REVERTING:
            s.phase = TN_PENDING_DUE;
            s.why = "undoing it was begun";
            break;
        case STAGE_CONFIRMED:
            s.phase = TN_PENDING_CONFIRMED;
            break;
        case STAGE_APPLYING:
        case N_STAGES:
            s.phase = TN_PENDING_APPLYING;
            break;
        }
        break;
    }
    *out = s;
    return TN_OK;
}

enum tn_code
tn_pending_wait(const char *state_dir, int stop_fd, struct tn_arena *arena,
                struct tn_pending_state *out, struct tn_error *err)
{
    struct paths paths;
    char events[4096];
    enum tn_code code = paths_make(state_dir, &paths, err);
    if (code) {
        return code;
    }
    TN_CLEANUP(tn_cleanup_fd) int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd >= 0) {
        (void) inotify_add_watch(fd, paths.dir, IN_MOVED_FROM | IN_DELETE);
    }
    struct pollfd polled[2] = {{fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
    for (;;) {
        struct tn_pending_clock now;
        tn_pending_clock_now(&now);
        code = tn_pending_load(state_dir, &now, arena, out, err);
        if (code || out->phase != TN_PENDING_OPEN) {
            return code;
        }
        int wait = out->left_ms < POLL_MS ? (int) out->left_ms : POLL_MS;
        int rc = poll(polled, 2, wait + 1);
        if (rc > 0 && polled[1].revents) {
            return TN_OK;
        }
        while (rc > 0 && polled[0].revents &&
               read(fd, events, sizeof events) > 0) {
        }
    }
}
