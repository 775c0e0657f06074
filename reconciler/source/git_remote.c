/* git_remote.c - the handle of a remote: what its owner calls.
 *
 * Holds the options, the lock of the mirror and our view of it; everything that
 * can take long is asked of a child (git_remote_child.c).  What a fetch has
 * changed is read from the mirror's refs, before and after, so that it is right
 * also for a child that was killed half way. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <git2.h>

#include "model/base/arena.h"
#include "model/base/caps.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"
#include "reconciler/source/git_remote.h"

enum { TIMEOUT_MS = 30000, SWEEP_MS = 3600 * 1000 };

#define MAX_BYTES (UINT64_C(1) << 30)
#define TRACKING "refs/tenet/remote/"

struct tn_remote {
    struct tn_arena *arena;
    struct tn_remote_options o; /* Strings in 'arena'. */
    struct tn_url url;
    char branch[256]; /* Full name; empty: HEAD's. */
    int cancel_fd;
    struct tn_mirror mirror;      /* Unused in place. */
    struct tn_git_repo *in_place; /* Null with a mirror. */
    struct tn_ref_watch *watch;
    char repo_dir[4096];
    int64_t swept_ms; /* In place: when it was swept; 0: never. */
    /* What was reported last, the branch first; at the start what the mirror
     * has.  A child that was killed may have moved refs without a report. */
    char before[TN_REMOTE_MAX_EXTRA + 1][65];
};

static void
cleanup_reference(git_reference **r)
{
    git_reference_free(*r);
}

static void
cleanup_object(git_object **o)
{
    git_object_free(*o);
}

static git_repository *
handle_of(const struct tn_remote *r)
{
    return tn_git_handle(r->in_place ? r->in_place : r->mirror.repo);
}

const char *
tn_remote_tracking(char *buf, size_t size, const char *ref)
{
    snprintf(buf, size, TRACKING "%s",
             strncmp(ref, "refs/", 5) == 0 ? ref + 5 : ref);
    return buf;
}

static enum tn_code
check_ref(const char *ref, struct tn_error *err)
{
    int valid = 0;
    return git_reference_name_is_valid(&valid, ref) == 0 && valid &&
                   strncmp(ref, "refs/", 5) == 0 && strlen(ref) < 240
               ? TN_OK
               : tn_fail(err, TN_EDENIED, 0,
                         "'%s' is no name of a branch or tag", ref);
}

static const char *
keep(struct tn_remote *r, const char *s)
{
    return s && s[0] ? tn_arena_strdup(r->arena, s) : NULL;
}

static enum tn_code
copy_options(struct tn_remote *r, const struct tn_remote_options *o,
             struct tn_error *err)
{
    enum tn_code code = TN_OK;
    const char **extra = tn_new_n(r->arena, const char *, TN_REMOTE_MAX_EXTRA);
    r->o = *o;
    r->o.url = keep(r, o->url);
    r->o.mirror = keep(r, o->mirror);
    r->o.ssh_key = keep(r, o->ssh_key);
    r->o.ssh_known_hosts = keep(r, o->ssh_known_hosts);
    r->o.https_ca = keep(r, o->https_ca);
    r->o.https_user = keep(r, o->https_user);
    r->o.https_token_file = keep(r, o->https_token_file);
    r->o.proxy = keep(r, o->proxy);
    r->o.helper = keep(r, o->helper);
    r->o.extra_refs = extra;
    r->o.timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
    r->o.max_bytes = o->max_bytes ? o->max_bytes : MAX_BYTES;
    if (o->n_extra_refs > TN_REMOTE_MAX_EXTRA) {
        return tn_fail(err, TN_EINTERNAL, 0, "too many refs of a remote");
    }
    for (size_t i = 0; !code && i < o->n_extra_refs; i++) {
        extra[i] = tn_arena_strdup(r->arena, o->extra_refs[i]);
        code = check_ref(extra[i], err);
    }
    if (!code && o->branch && o->branch[0]) {
        snprintf(r->branch, sizeof r->branch, "%s%s",
                 strncmp(o->branch, "refs/", 5) == 0 ? "" : "refs/heads/",
                 o->branch);
        code = check_ref(r->branch, err);
    }
    for (size_t i = 0; !code && i < o->n_extra_refs; i++) {
        if (strcmp(extra[i], r->branch) == 0) {
            code =
                tn_fail(err, TN_EDENIED, 0,
                        "%s is watched: it cannot be written too", r->branch);
        }
    }
    return code;
}

/* The commit that a ref of our repository names; empty if there is none. */
static void
read_id(const struct tn_remote *r, const char *ref, char id[65])
{
    TN_CLEANUP(cleanup_reference) git_reference *found = NULL;
    TN_CLEANUP(cleanup_object) git_object *commit = NULL;
    id[0] = '\0';
    if (git_reference_lookup(&found, handle_of(r), ref) == 0 &&
        git_reference_peel(&commit, found, GIT_OBJECT_COMMIT) == 0) {
        git_oid_tostr(id, 65, git_object_id(commit));
    }
}

/* HEAD names what was fetched last, also where the branch has no name. */
static void
read_mirror(struct tn_remote *r)
{
    char name[512];
    read_id(r, r->branch[0] ? r->branch : "HEAD", r->before[0]);
    for (size_t i = 0; i < r->o.n_extra_refs; i++) {
        read_id(r, tn_remote_tracking(name, sizeof name, r->o.extra_refs[i]),
                r->before[i + 1]);
    }
}

static enum tn_code
open_repo(struct tn_remote *r, struct tn_error *err)
{
    enum tn_code code;
    if (r->o.mirror) {
        code = tn_mirror_open(r->o.mirror, r->url.shown, &r->mirror, err);
    } else if (r->url.kind != TN_URL_LOCAL) {
        code = tn_fail(err, TN_EINTERNAL, 0, "%s needs a mirror", r->url.shown);
    } else {
        code = tn_git_open(r->url.wire, &r->in_place, err);
    }
    if (code) {
        return code;
    }
    if (r->o.mirror) {
        read_mirror(r);
    }
    snprintf(r->repo_dir, sizeof r->repo_dir, "%s",
             git_repository_path(handle_of(r)));
    if (r->url.kind == TN_URL_LOCAL) {
        TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *there = NULL;
        code = r->in_place ? TN_OK : tn_git_open(r->url.wire, &there, NULL);
        if (!code) {
            r->watch = tn_ref_watch_new(r->in_place ? r->in_place : there,
                                        r->branch[0] ? r->branch : NULL);
        }
    }
    return TN_OK;
}

static enum tn_code
set_up(struct tn_remote *r, const struct tn_remote_options *options,
       struct tn_error *err)
{
    r->arena = tn_arena_new();
    r->mirror.lock = -1;
    r->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->cancel_fd < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "making an eventfd");
    }
    enum tn_code code = copy_options(r, options, err);
    if (!code) {
        code = tn_url_parse(r->o.url ? r->o.url : "", &r->url, err);
    }
    return code ? code : open_repo(r, err);
}

enum tn_code
tn_remote_open(const struct tn_remote_options *options, struct tn_remote **out,
               struct tn_error *err)
{
    struct tn_remote *r = calloc(1, sizeof *r);
    if (!r) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    enum tn_code code = set_up(r, options, err);
    if (code) {
        tn_remote_close(r);
        return code;
    }
    *out = r;
    return TN_OK;
}

void
tn_remote_close(struct tn_remote *r)
{
    if (r) {
        tn_ref_watch_free(r->watch);
        tn_git_close(r->in_place);
        tn_mirror_close(&r->mirror);
        if (r->cancel_fd >= 0) {
            close(r->cancel_fd);
        }
        tn_arena_free(r->arena);
        free(r);
    }
}

void
tn_remote_cancel(struct tn_remote *r)
{
    int saved = errno;
    uint64_t one = 1;
    if (write(r->cancel_fd, &one, sizeof one) < 0) {
        errno = saved; /* It is full: somebody did it before. */
    }
}

const char *
tn_remote_repo(const struct tn_remote *r)
{
    return r->repo_dir;
}

bool
tn_remote_is_in_place(const struct tn_remote *r)
{
    return r->in_place != NULL;
}

const char *
tn_remote_name(const struct tn_remote *r)
{
    return r->url.shown;
}

/* What became of a head, from its two ids. */
static void
judge(const struct tn_remote *r, struct tn_remote_head *head)
{
    git_oid id, before, base;
    head->changed = strcmp(head->id, head->before) != 0;
    if (!head->changed || !head->before[0] || !head->id[0] ||
        git_oid_fromstr(&id, head->id) < 0 ||
        git_oid_fromstr(&before, head->before) < 0) {
        return;
    }
    head->forced = git_graph_descendant_of(handle_of(r), &id, &before) != 1;
    head->unrelated =
        head->forced && git_merge_base(&base, handle_of(r), &id, &before) != 0;
}

static void
fill(struct tn_transfer *t, const struct tn_remote *r, const char *op,
     char max[24])
{
    snprintf(max, 24, "%llu", (unsigned long long) r->o.max_bytes);
    t->text[TN_XFER_OP] = op;
    t->text[TN_XFER_URL] = r->o.url;
    t->text[TN_XFER_MIRROR] = r->mirror.dir;
    t->text[TN_XFER_SSH_KEY] = r->o.ssh_key;
    t->text[TN_XFER_KNOWN_HOSTS] = r->o.ssh_known_hosts;
    t->text[TN_XFER_CA] = r->o.https_ca;
    t->text[TN_XFER_USER] = r->o.https_user;
    t->text[TN_XFER_TOKEN_FILE] = r->o.https_token_file;
    t->text[TN_XFER_PROXY] = r->o.proxy;
    t->text[TN_XFER_MAX_BYTES] = max;
}

static enum tn_code
run_child(struct tn_remote *r, struct tn_transfer *t,
          struct tn_transfer_reply *reply, struct tn_error *err)
{
    struct tn_child how = {.helper = r->o.helper,
                           .timeout_ms = r->o.timeout_ms,
                           .cancel_fd = r->cancel_fd,
                           .name = r->url.shown};
    if (r->url.kind == TN_URL_LOCAL) { /* It may be somebody else's. */
        how.caps = TN_CAP_BIT(CAP_DAC_OVERRIDE);
    }
    enum tn_code code = tn_child_run(&how, t, reply, err);
    if (code) {
        tn_mirror_sweep(&r->mirror);
    }
    return code;
}

/* A fetch; if the mirror turns out to be damaged, another into a new one. */
static enum tn_code
fetch_mirror(struct tn_remote *r, struct tn_transfer *t,
             struct tn_transfer_reply *reply, struct tn_error *err)
{
    enum tn_code code = run_child(r, t, reply, err);
    if (code != TN_EINTERNAL || tn_mirror_is_whole(&r->mirror, r->url.shown)) {
        return code;
    }
    code = tn_mirror_reset(&r->mirror, r->url.shown, err);
    if (!code) {
        r->mirror.repaired = true;
        code = run_child(r, t, reply, err);
    }
    return code;
}

static void
remember(struct tn_remote *r, struct tn_remote_head *head, size_t slot)
{
    memcpy(head->before, r->before[slot], sizeof head->before);
    memcpy(r->before[slot], head->id, sizeof head->id);
    judge(r, head);
}

/* Where an extra ref is remembered; 0 if it is not one of them. */
static size_t
slot_of(const struct tn_remote *r, const char *ref)
{
    for (size_t i = 0; i < r->o.n_extra_refs; i++) {
        if (strcmp(ref, r->o.extra_refs[i]) == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* What the mirror has of an extra ref, or the repository itself. */
static void
read_extra(struct tn_remote *r, const char *ref, struct tn_remote_head *head)
{
    char name[512];
    size_t slot = slot_of(r, ref);
    snprintf(head->ref, sizeof head->ref, "%s", ref);
    read_id(r, r->in_place ? ref : tn_remote_tracking(name, sizeof name, ref),
            head->id);
    if (slot > 0) {
        remember(r, head, slot);
    }
}

static enum tn_code
fetch_remote(struct tn_remote *r, struct tn_remote_heads *out,
             struct tn_error *err)
{
    struct tn_remote_heads h = {0};
    struct tn_transfer t = {0};
    struct tn_transfer_reply reply = {0};
    char max[24];
    fill(&t, r, "fetch", max);
    t.text[TN_XFER_BRANCH] = r->branch;
    for (size_t i = 0; i < r->o.n_extra_refs; i++) {
        t.text[TN_XFER_EXTRA + i] = r->o.extra_refs[i];
    }
    enum tn_code code = fetch_mirror(r, &t, &reply, err);
    if (code) {
        return code;
    }
    tn_mirror_renew(&r->mirror); /* The child may have packed it. */
    snprintf(h.branch.ref, sizeof h.branch.ref, "%s", reply.branch);
    read_id(r, reply.branch, h.branch.id);
    remember(r, &h.branch, 0);
    for (size_t i = 0; i < r->o.n_extra_refs; i++) {
        read_extra(r, r->o.extra_refs[i], &h.extra[i]);
    }
    h.n_bytes = reply.n_bytes;
    h.cloned = r->mirror.fresh;
    h.repaired = r->mirror.repaired;
    r->mirror.fresh = r->mirror.repaired = false;
    *out = h;
    return TN_OK;
}

/* In place, the name of the branch is looked up each time. */
static enum tn_code
read_branch(const struct tn_remote *r, struct tn_remote_head *head,
            struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *ref = NULL;
    TN_CLEANUP(cleanup_object) git_object *commit = NULL;
    int rc = r->branch[0] ? git_reference_lookup(&ref, handle_of(r), r->branch)
                          : git_repository_head(&ref, handle_of(r));
    if (rc == GIT_ENOTFOUND || rc == GIT_EUNBORNBRANCH) {
        return tn_fail(err, TN_ENOENT, 0, "%s has no %s", r->url.shown,
                       r->branch[0] ? r->branch : "commit yet");
    }
    rc = rc < 0 ? rc : git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT);
    if (rc == GIT_EPEEL || rc == GIT_EINVALIDSPEC) {
        return tn_fail(err, TN_EINTENT, 0, "%s of %s names no commit",
                       git_reference_name(ref), r->url.shown);
    }
    if (rc < 0) {
        enum tn_code code =
            tn_git_fail(err, rc, "reading the branch of %s", r->url.shown);
        if (code == TN_ENOENT) { /* A ref without its object is damage. */
            code = TN_EINTERNAL;
            err->code = code;
        }
        return code;
    }
    snprintf(head->ref, sizeof head->ref, "%s", git_reference_name(ref));
    git_oid_tostr(head->id, sizeof head->id, git_object_id(commit));
    return TN_OK;
}

static enum tn_code
fetch_in_place(struct tn_remote *r, struct tn_remote_heads *out,
               struct tn_error *err)
{
    struct tn_remote_heads h = {0};
    struct tn_error none = {0};
    int64_t now = tn_now_ms();
    if (r->swept_ms == 0 || now - r->swept_ms >= SWEEP_MS) {
        r->swept_ms = now;
        (void) tn_git_sweep(r->in_place);
    }
    enum tn_code code = read_branch(r, &h.branch, err ? err : &none);
    if (code) {
        return code;
    }
    remember(r, &h.branch, 0);
    for (size_t i = 0; i < r->o.n_extra_refs; i++) {
        read_extra(r, r->o.extra_refs[i], &h.extra[i]);
    }
    *out = h;
    return TN_OK;
}

enum tn_code
tn_remote_fetch(struct tn_remote *r, struct tn_remote_heads *out,
                struct tn_error *err)
{
    return r->in_place ? fetch_in_place(r, out, err)
                       : fetch_remote(r, out, err);
}

enum tn_code
tn_remote_fetch_extra(struct tn_remote *r, const char *name,
                      struct tn_remote_head *out, struct tn_error *err)
{
    struct tn_remote_head head = {0};
    struct tn_transfer t = {0};
    struct tn_transfer_reply reply;
    char max[24];
    enum tn_code code = check_ref(name, err);
    if (code) {
        return code;
    }
    if (r->in_place) {
        read_extra(r, name, &head);
        *out = head;
        return TN_OK;
    }
    fill(&t, r, "extra", max);
    t.text[TN_XFER_EXTRA] = name;
    code = run_child(r, &t, &reply, err);
    if (!code) {
        read_extra(r, name, &head);
        *out = head;
    }
    return code;
}

/* The remote has it: what we know of the remote follows. */
static enum tn_code
pushed(struct tn_remote *r, const char *ref, const char *id,
       struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *moved = NULL;
    char tracking[512];
    git_oid oid;
    int rc = git_oid_fromstr(&oid, id);
    rc = rc < 0 ? rc
                : git_reference_create(
                      &moved, handle_of(r),
                      tn_remote_tracking(tracking, sizeof tracking, ref), &oid,
                      1, "tenet: pushed");
    if (rc < 0) {
        return tn_git_fail(err, rc, "moving %s of the mirror", tracking);
    }
    size_t slot = slot_of(r, ref);
    if (slot > 0) {
        snprintf(r->before[slot], sizeof r->before[slot], "%s", id);
    }
    return TN_OK;
}

enum tn_code
tn_remote_push(struct tn_remote *r, const char *ref, const char *id,
               const char *expected, struct tn_error *err)
{
    struct tn_transfer t = {0};
    struct tn_transfer_reply reply;
    char max[24];
    enum tn_code code = check_ref(ref, err);
    if (code) {
        return code;
    }
    if (r->in_place) {
        return tn_local_push(r->in_place, r->repo_dir, ref, id, expected, err);
    }
    fill(&t, r, "push", max);
    t.text[TN_XFER_REF] = ref;
    t.text[TN_XFER_ID] = id;
    t.text[TN_XFER_EXPECTED] = expected;
    code = run_child(r, &t, &reply, err);
    return code ? code : pushed(r, ref, id, err);
}

enum tn_code
tn_remote_descends(struct tn_remote *r, const char *id, const char *ancestor,
                   bool *out, struct tn_error *err)
{
    git_oid from, to;
    int rc = git_oid_fromstr(&from, id);
    rc = rc < 0 ? rc : git_oid_fromstr(&to, ancestor);
    if (rc == 0) {
        rc = git_oid_equal(&from, &to)
                 ? 1
                 : git_graph_descendant_of(handle_of(r), &from, &to);
    }
    if (rc < 0) {
        return tn_git_fail(err, rc, "comparing %.12s and %.12s", id, ancestor);
    }
    *out = rc == 1;
    return TN_OK;
}

enum tn_code
tn_remote_reset(struct tn_remote *r, struct tn_error *err)
{
    enum tn_code code =
        r->in_place ? TN_OK : tn_mirror_reset(&r->mirror, r->url.shown, err);
    if (!code && !r->in_place) {
        r->mirror.repaired = true;
    }
    return code;
}

int
tn_remote_watch_fd(const struct tn_remote *r)
{
    return r->watch ? tn_ref_watch_fd(r->watch) : -1;
}

bool
tn_remote_watch_take(struct tn_remote *r)
{
    return r->watch && tn_ref_watch_take(r->watch);
}
