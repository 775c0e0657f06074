/* remote.h - a repository somewhere else, and our mirror of it.
 *
 * A mirror is a bare repository in the state directory, written by this module
 * alone (a lock keeps a second process out) and read by everybody through
 * source.h.  After a fetch it has
 *
 *     refs/heads/<branch>, refs/tags/<tag>   the watched ref, as the remote has
 *                                            it; HEAD names the branch
 *     refs/tenet/remote/<heads/...>          every extra ref, as the remote has
 *                                            it; the ref itself is ours to
 * write
 *
 * A local path may also be used in place, without a mirror: nothing is copied,
 * and a change of a ref can be waited for.
 *
 * The network is spoken to by a child process, which is killed when it is
 * late, when too much arrives, or when somebody wants to stop: nothing that a
 * remote does can block or crash the caller.  The child, killed at any moment,
 * leaves a mirror that works or is recognised as damaged and cloned anew.
 *
 * URLs: a path, file://, ssh://[user@]host[:port]/path, [user@]host:path,
 * https://[user@]host[:port]/path.  A password in a URL is refused.  Host keys
 * and certificates are always verified; redirects to another host are refused;
 * no proxy is used unless told to; no configuration of Git is read.
 *
 * Errors: TN_EUNAVAILABLE remote dead, slow, busy or interrupted, mirror in use
 * by another process; TN_EDENIED credentials, host key, certificate, refused
 * URL, push declined by a hook; TN_ENOENT no such repository or branch;
 * TN_ESTALE a push lost the race; TN_EINTENT what the ref names is no commit,
 * or the remote sends more than is allowed; TN_EINTERNAL the rest. */
#ifndef TN_SOURCE_REMOTE_H
#define TN_SOURCE_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/error.h"

struct tn_remote;

enum { TN_REMOTE_MAX_EXTRA = 4 };

/* Strings are copied; null is the default. */
struct tn_remote_options {
    const char *url;
    const char *branch; /* "main", or a full name "refs/heads/x",
                           "refs/tags/v1".  Null: what HEAD of the remote
                           names (in place: HEAD, wherever it is). */
    const char *mirror; /* Directory, made with mode 0700.  Null: 'url' is a
                           local path that is used in place. */
    const char *const *extra_refs; /* Full names, fetched along; may be missing
                                      at the remote. */
    size_t n_extra_refs;

    const char *ssh_key;         /* Private key file; null: the agent.  Its
                                    passphrase: $TENET_GIT_SSH_PASSPHRASE. */
    const char *ssh_known_hosts; /* Null: /etc/ssh/ssh_known_hosts. */
    const char *https_ca;   /* PEM file, trusted instead of the system's. */
    const char *https_user; /* Null: that of the URL, else "tenet". */
    const char *https_token_file; /* First line; null: $TENET_GIT_TOKEN. */
    const char *proxy;            /* "http://host:port"; null: none. */

    const char *helper;  /* Program whose main begins with tn_remote_main();
                            "/proc/self/exe" for the daemon.  Null: a plain fork,
                            which is for programs without threads. */
    unsigned timeout_ms; /* Longest wait without progress worth the name
                            (1 KiB/s); 0: 30 s. */
    uint64_t max_bytes;  /* Of one transfer; 0: 1 GiB. */
};

/* For the first line of main, before anything else: if this process was started
 * to be the helper, does its work and does not return. */
void tn_remote_main(int argc, char **argv);

/* Checks the options, makes or opens the mirror; does not speak to the remote.
 * One handle is used by one thread at a time. */
enum tn_code tn_remote_open(const struct tn_remote_options *options,
                            struct tn_remote **out,
                            struct tn_error *err) TN_MUST_USE;
/* Accepts null. */
void tn_remote_close(struct tn_remote *remote);

/* Ends what another thread does with 'remote', and all that it begins later,
 * with TN_EUNAVAILABLE, at once.  For any thread and for signal handlers. */
void tn_remote_cancel(struct tn_remote *remote);

/* Where the commits are: the mirror, or the repository used in place; for
 * source.h and status.h.  Borrowed. */
const char *tn_remote_repo(const struct tn_remote *remote);
/* Without a mirror: what is written to the repository is at the remote. */
bool tn_remote_is_in_place(const struct tn_remote *remote);
/* The URL as it may be shown.  Borrowed. */
const char *tn_remote_name(const struct tn_remote *remote);

/* One ref of the remote, by commit (tags are peeled). */
struct tn_remote_head {
    char ref[256];   /* At the remote. */
    char id[65];     /* Hexadecimal; empty: the remote has no such ref. */
    char before[65]; /* When last reported by this handle; at first, what the
                        mirror had when it was opened (a process that ended
                        before it could report may have fetched it: compare
                        'id' with what was applied).  Empty: not known. */
    bool changed;    /* 'id' is not 'before'. */
    bool forced;     /* 'before' is known and no ancestor of 'id': what was
                        there is dropped, not continued. */
    bool unrelated;  /* Forced, and nothing in common with it. */
};

struct tn_remote_heads {
    struct tn_remote_head branch;
    struct tn_remote_head extra[TN_REMOTE_MAX_EXTRA]; /* As in the options. */
    uint64_t n_bytes;                                 /* Received. */
    bool cloned; /* The mirror was new, or damaged and thrown away; of
                    the latter 'repaired' is set. */
    bool repaired;
};

/* Brings the mirror up to date.  The caller decides what a forced branch means;
 * commits that a ref no longer reaches stay in the mirror. */
enum tn_code tn_remote_fetch(struct tn_remote *remote,
                             struct tn_remote_heads *out,
                             struct tn_error *err) TN_MUST_USE;

/* The same for the one ref 'ref' (full name) alone, which need not be among the
 * extra refs, and may be missing. */
enum tn_code tn_remote_fetch_extra(struct tn_remote *remote, const char *ref,
                                   struct tn_remote_head *out,
                                   struct tn_error *err) TN_MUST_USE;

/* Moves 'ref' of the remote to the commit 'id' (of tn_remote_repo) if it is at
 * 'expected' (null or "": if it is missing); else TN_ESTALE and nothing has
 * moved.  Never forces: 'expected' has to be an ancestor of 'id'. */
enum tn_code tn_remote_push(struct tn_remote *remote, const char *ref,
                            const char *id, const char *expected,
                            struct tn_error *err) TN_MUST_USE;

/* Is 'ancestor' reached from 'id' (or the same)?  Both in hexadecimal. */
enum tn_code tn_remote_descends(struct tn_remote *remote, const char *id,
                                const char *ancestor, bool *out,
                                struct tn_error *err) TN_MUST_USE;

/* Throws the mirror away, with commits of ours that were not pushed; the next
 * fetch clones anew.  For callers that found damaged objects in it. */
enum tn_code tn_remote_reset(struct tn_remote *remote,
                             struct tn_error *err) TN_MUST_USE;

/* A descriptor that becomes readable when a ref of a local path may have moved;
 * -1 for other remotes.  Owned by 'remote'. */
int tn_remote_watch_fd(const struct tn_remote *remote);
/* Reads what is there to read: true if a fetch is worth it. */
bool tn_remote_watch_take(struct tn_remote *remote);

/* The name in the mirror of what the remote has as 'ref'; returns 'buf'. */
const char *tn_remote_tracking(char *buf, size_t size, const char *ref);

static inline void
tn_cleanup_remote(struct tn_remote **remote)
{
    tn_remote_close(*remote);
}

#endif
