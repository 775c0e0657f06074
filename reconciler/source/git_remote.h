/* git_remote.h - what the files of remote.h share. */
#ifndef TN_SOURCE_GIT_REMOTE_H
#define TN_SOURCE_GIT_REMOTE_H

#include <stdbool.h>

#include "reconciler/source/git.h"
#include "reconciler/source/remote.h"
#include "reconciler/source/remote_url.h"

/* Everything that the child needs, as texts: it may be another program. */
enum tn_transfer_text {
    TN_XFER_OP, /* "fetch", "extra", "push". */
    TN_XFER_URL,
    TN_XFER_MIRROR, /* Push: where the commits are. */
    TN_XFER_BRANCH, /* Full name; empty: what HEAD names. */
    TN_XFER_EXTRA,  /* TN_REMOTE_MAX_EXTRA of them. */
    TN_XFER_REF = TN_XFER_EXTRA + TN_REMOTE_MAX_EXTRA, /* Push. */
    TN_XFER_ID,
    TN_XFER_EXPECTED,
    TN_XFER_SSH_KEY,
    TN_XFER_KNOWN_HOSTS,
    TN_XFER_CA,
    TN_XFER_USER,
    TN_XFER_TOKEN_FILE,
    TN_XFER_PROXY,
    TN_XFER_MAX_BYTES,
    TN_N_XFER,
};

/* One transfer; the texts are borrowed, null is "". */
struct tn_transfer {
    const char *text[TN_N_XFER];
};

/* What the child says when it ends well. */
struct tn_transfer_reply {
    uint64_t n_bytes;
    char branch[256]; /* Full name. */
};

/* Does the transfer, in this process, and returns what became of it.
 * 'progress' is called with the bytes moved so far. */
enum tn_code tn_transfer_run(const struct tn_transfer *transfer,
                             void (*progress)(void *ctx, uint64_t bytes),
                             void *ctx, struct tn_transfer_reply *reply,
                             struct tn_error *err) TN_MUST_USE;

/* How a child is to be watched. */
struct tn_child {
    const char *helper; /* Null: fork. */
    unsigned timeout_ms;
    int cancel_fd; /* Readable: stop. */
    const char *name;
    uint64_t caps; /* What the child keeps of our capabilities. */
};

/* Does the transfer in a child, which is gone when this returns. */
enum tn_code tn_child_run(const struct tn_child *child,
                          const struct tn_transfer *transfer,
                          struct tn_transfer_reply *reply,
                          struct tn_error *err) TN_MUST_USE;

/* The directory of a mirror, locked: made, opened or made anew. */
struct tn_mirror {
    char *dir;
    int lock;
    struct tn_git_repo *repo;
    bool fresh;    /* Nothing was fetched yet. */
    bool repaired; /* It was damaged. */
};

enum tn_code tn_mirror_open(const char *dir, const char *url,
                            struct tn_mirror *out,
                            struct tn_error *err) TN_MUST_USE;
void tn_mirror_close(struct tn_mirror *mirror);
/* Opens it anew: whoever keeps it open keeps packs that others have merged and
 * removed, open and in memory.  If that fails it stays as it is. */
void tn_mirror_renew(struct tn_mirror *mirror);
/* Throws it away and makes an empty one. */
enum tn_code tn_mirror_reset(struct tn_mirror *mirror, const char *url,
                             struct tn_error *err) TN_MUST_USE;
/* Nothing is missing in what its refs name. */
bool tn_mirror_is_whole(const struct tn_mirror *mirror, const char *url);
/* Removes what a killed writer left: locks of refs, unfinished packs. */
void tn_mirror_sweep(const struct tn_mirror *mirror);
/* Merges packs and loose objects when there are too many of them; drops
 * nothing. */
enum tn_code tn_mirror_pack(struct tn_git_repo *repo,
                            struct tn_error *err) TN_MUST_USE;

/* Moves 'ref' of the repository at 'path' from 'expected' to 'id' by
 * compare-and-swap, after copying there what it lacks from 'from'. */
enum tn_code tn_local_push(struct tn_git_repo *from, const char *path,
                           const char *ref, const char *id,
                           const char *expected,
                           struct tn_error *err) TN_MUST_USE;

/* Waits for the refs of a local repository; 'ref' null: of HEAD. */
struct tn_ref_watch;
struct tn_ref_watch *tn_ref_watch_new(const struct tn_git_repo *repo,
                                      const char *ref);
void tn_ref_watch_free(struct tn_ref_watch *watch);
int tn_ref_watch_fd(const struct tn_ref_watch *watch);
bool tn_ref_watch_take(struct tn_ref_watch *watch);

#endif
