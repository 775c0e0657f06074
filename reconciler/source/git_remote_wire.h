/* git_remote_wire.h - one connection to a remote, inside of the child: for the
 * files of the seam to libgit2 alone, whose types it shows. */
#ifndef TN_SOURCE_GIT_REMOTE_WIRE_H
#define TN_SOURCE_GIT_REMOTE_WIRE_H

#include <git2.h>

#include "model/base/arena.h"
#include "reconciler/source/git_remote.h"
#include "reconciler/source/remote_hosts.h"

enum { TN_SECRET_MAX = 4096 };

struct tn_wire {
    const struct tn_transfer *t;
    const struct tn_git_repo *repo;
    git_repository *handle;
    git_remote *remote;
    struct tn_url url;
    struct tn_arena *arena;
    struct tn_host_keys keys;
    const char *hosts_file;
    char secret[TN_SECRET_MAX];
    unsigned asked; /* For credentials, how often. */
    uint64_t max_bytes, n_bytes;
    git_oid expected;
    bool lost; /* A push found the ref elsewhere. */
    void (*progress)(void *ctx, uint64_t bytes);
    void *progress_ctx;
    enum tn_code code; /* What a callback found, before libgit2's own words. */
    struct tn_error err;
};

/* Null if it was not given. */
const char *tn_wire_option(const struct tn_wire *w,
                           enum tn_transfer_text which);

/* Keeps libgit2 from all files but those that the options name, and reads them:
 * known hosts, CAs, the token. */
enum tn_code tn_wire_prepare(struct tn_wire *w,
                             struct tn_error *err) TN_MUST_USE;

/* How libgit2 asks and reports; 'w' outlives them. */
git_remote_callbacks tn_wire_callbacks(struct tn_wire *w);
git_proxy_options tn_wire_proxy(const struct tn_wire *w);

/* What a callback found, or else what libgit2 says: "WHAT url: why". */
enum tn_code tn_wire_failed(struct tn_wire *w, int rc, const char *what,
                            struct tn_error *err) TN_MUST_USE;

#endif
