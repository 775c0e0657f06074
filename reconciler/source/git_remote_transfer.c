/* git_remote_transfer.c - one fetch or one push, in the child process.
 *
 * Connects, looks at what the remote advertises, downloads what the mirror
 * lacks, and moves the mirror's refs once all is there and the branch is known
 * to be a commit with a tree.  A push compares what the remote advertises with
 * what is expected before anything is sent; the server compares again when it
 * moves the ref. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "model/base/text.h"
#include "reconciler/source/git_remote.h"
#include "reconciler/source/name.h"
#include "reconciler/source/remote_hosts.h"
#include "reconciler/source/source.h"

enum { SECRET_MAX = 4096, HOSTS_MAX = 4 << 20 };

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"
#define PUSHED "refs/tenet/pushed"
#define SYSTEM_HOSTS "/etc/ssh/ssh_known_hosts"

struct wire {
    const struct tn_transfer *t;
    const struct tn_git_repo *repo;
    git_repository *handle;
    git_remote *remote;
    struct tn_url url;
    struct tn_arena *arena;
    struct tn_host_keys keys;
    const char *hosts_file;
    char secret[SECRET_MAX];
    unsigned asked; /* For credentials, how often. */
    uint64_t max_bytes, n_bytes;
    git_oid expected;
    bool lost; /* A push found the ref elsewhere. */
    void (*progress)(void *ctx, uint64_t bytes);
    void *progress_ctx;
    enum tn_code code; /* What a callback found, before libgit2's own words. */
    struct tn_error err;
};

static void
cleanup_wire(struct wire *w)
{
    explicit_bzero(w->secret, sizeof w->secret);
    git_remote_free(w->remote);
    tn_arena_free(w->arena);
}

static void
cleanup_object(git_object **o)
{
    git_object_free(*o);
}

static void
cleanup_reference(git_reference **r)
{
    git_reference_free(*r);
}

static bool
mentions(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasestr(text, words[i])) {
            return true;
        }
    }
    return false;
}

/* What libgit2 reports of a network is mostly text. */
static enum tn_code
class_of(int rc)
{
    static const char *const denied[] = {
        "status code: 401", "status code: 403", "authenticat", "permission",
        "denied",           "certificate",      "redirect"};
    static const char *const missing[] = {"status code: 404", "not found",
                                          "does not appear to be a git",
                                          "no such file", "does not exist"};
    static const char *const full[] = {"no space left", "file too large"};
    const git_error *last = git_error_last();
    const char *text = last && last->message ? last->message : "";
    if (rc == GIT_EAUTH || rc == GIT_ECERTIFICATE || rc == GIT_EOWNER ||
        mentions(text, denied, TN_ARRAY_SIZE(denied))) {
        return TN_EDENIED;
    }
    if (mentions(text, full, TN_ARRAY_SIZE(full))) {
        return TN_EINTERNAL;
    }
    if (rc == GIT_ENOTFOUND ||
        mentions(text, missing, TN_ARRAY_SIZE(missing))) {
        return TN_ENOENT;
    }
    if (rc == GIT_ENONFASTFORWARD || rc == GIT_EMODIFIED) {
        return TN_ESTALE;
    }
    switch (last ? last->klass : GIT_ERROR_NONE) {
    case GIT_ERROR_ODB:
    case GIT_ERROR_ZLIB:
    case GIT_ERROR_INDEXER:
    case GIT_ERROR_NOMEMORY:
    case GIT_ERROR_REFERENCE:
    case GIT_ERROR_FILESYSTEM:
        return TN_EINTERNAL;
    default:
        return TN_EUNAVAILABLE;
    }
}

static enum tn_code
wire_failed(struct wire *w, int rc, const char *what, struct tn_error *err)
{
    const git_error *last = git_error_last();
    const char *why = last && last->message ? last->message : "unknown reason";
    char said[512];
    if (w->code) {
        *err = w->err;
        return tn_while(err, w->code, "%s %s", what, w->url.shown);
    }
    return tn_fail(err, class_of(rc), 0, "%s %s: %s", what, w->url.shown,
                   tn_clean(said, sizeof said, why, strlen(why)));
}

static const char *
option(const struct wire *w, enum tn_transfer_text which)
{
    return w->t->text[which][0] ? w->t->text[which] : NULL;
}

/* The first line of the token file, or the environment. */
static enum tn_code
load_secret(struct wire *w, struct tn_error *err)
{
    const char *file = option(w, TN_XFER_TOKEN_FILE);
    if (!file) {
        const char *env = getenv("TENET_GIT_TOKEN");
        snprintf(w->secret, sizeof w->secret, "%s", env ? env : "");
        return TN_OK;
    }
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(file, "re");
    if (!f) {
        return tn_fail(err, TN_EDENIED, 0, "the token file %s cannot be read",
                       file);
    }
    setvbuf(f, NULL, _IONBF, 0);
    if (!fgets(w->secret, sizeof w->secret, f)) {
        w->secret[0] = '\0';
    }
    w->secret[strcspn(w->secret, "\r\n")] = '\0';
    return w->secret[0] ? TN_OK
                        : tn_fail(err, TN_EDENIED, 0,
                                  "the token file %s is empty", file);
}

static enum tn_code
read_text(const char *path, struct tn_text *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    char buf[8192];
    if (!f) {
        return tn_fail(err, TN_EDENIED, 0,
                       "no host key can be checked: %s cannot be read", path);
    }
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;) {
        tn_text_addn(out, buf, n);
        if (out->n > HOSTS_MAX) {
            return tn_fail(err, TN_EDENIED, 0, "%s is too large", path);
        }
    }
    return TN_OK;
}

/* libgit2 looks into the known_hosts of $HOME to choose among the
 * kinds of keys that a server has.  It is given one with nothing but the keys
 * that are trusted for this host, under plain names. */
static enum tn_code
make_home(struct wire *w, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text hosts = {0};
    const char *dir =
        tn_arena_printf(w->arena, "%s/tenet/.ssh", w->t->text[TN_XFER_MIRROR]);
    for (size_t i = 0; i < w->keys.n; i++) {
        const struct tn_host_key *k = &w->keys.items[i];
        if (!k->revoked) {
            tn_text_addf(&hosts, w->url.port == 22 ? "%s" : "[%s]:%u",
                         w->url.host, w->url.port);
            tn_text_addf(&hosts, " %s %s\n", k->type, k->text);
        }
    }
    enum tn_code code = tn_dirs_make(dir, 0700, err);
    if (!code) {
        code = tn_file_replace(tn_arena_printf(w->arena, "%s/known_hosts", dir),
                               &hosts, 0600, err);
    }
    return code;
}

static enum tn_code
prepare_ssh(struct wire *w, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    const char *key = option(w, TN_XFER_SSH_KEY);
    const char *file = option(w, TN_XFER_KNOWN_HOSTS);
    if (key && access(key, R_OK) < 0) {
        return tn_fail(err, TN_EDENIED, 0, "the key file %s cannot be read",
                       key);
    }
    w->hosts_file = file ? file : SYSTEM_HOSTS;
    enum tn_code code = read_text(w->hosts_file, &text, err);
    if (!code) {
        w->keys = tn_host_keys_parse(tn_text_str(&text), w->url.host,
                                     w->url.port, w->arena);
        code = make_home(w, err);
    }
    return code;
}

/* No file of this machine or of a person decides how a remote is reached. */
static enum tn_code
prepare_network(struct wire *w, struct tn_error *err)
{
    const char *home =
        tn_arena_printf(w->arena, "%s/tenet", w->t->text[TN_XFER_MIRROR]);
    /* Where libgit2 1.5 looks for known_hosts; this process is ours alone. */
    int rc = setenv("HOME", home, 1);
    for (git_config_level_t level = GIT_CONFIG_LEVEL_PROGRAMDATA;
         rc == 0 && level <= GIT_CONFIG_LEVEL_GLOBAL; level++) {
        rc = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level,
                              level == GIT_CONFIG_LEVEL_GLOBAL ? home : "");
    }
    if (rc < 0) {
        return tn_git_fail(err, rc, "setting the paths of libgit2");
    }
    if (w->url.kind == TN_URL_SSH) {
        return prepare_ssh(w, err);
    }
    const char *ca = option(w, TN_XFER_CA);
    ca = ca ? ca : SYSTEM_CA;
    rc = git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, ca, NULL);
    if (rc < 0) {
        return tn_fail(err, TN_EDENIED, 0,
                       "no certificate can be checked: %s cannot be read as "
                       "a list of CAs",
                       ca);
    }
    return load_secret(w, err);
}

static int
give_up(struct wire *w, enum tn_code code, int rc)
{
    w->code = code;
    return rc;
}

static int
check_host_key(struct wire *w, const git_cert_hostkey *key)
{
    char print[TN_FINGERPRINT];
    if (!(key->type & GIT_CERT_SSH_SHA256) || !(key->type & GIT_CERT_SSH_RAW)) {
        return give_up(
            w, tn_fail(&w->err, TN_EDENIED, 0, "the host key cannot be read"),
            GIT_ECERTIFICATE);
    }
    tn_host_key_print(key->hash_sha256, print);
    enum tn_code code = tn_host_keys_check(
        &w->keys, (const uint8_t *) key->hostkey, key->hostkey_len, w->url.host,
        w->url.port, print, w->hosts_file, &w->err);
    return code ? give_up(w, code, GIT_ECERTIFICATE) : 0;
}

static int
on_certificate(git_cert *cert, int valid, const char *host, void *payload)
{
    struct wire *w = payload;
    if (cert && cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
        return check_host_key(w, (const void *) cert);
    }
    if (valid == 1) {
        return 0;
    }
    return give_up(
        w,
        tn_fail(&w->err, TN_EDENIED, 0,
                "the certificate of %s is not one for it by a CA "
                "in %s",
                host,
                option(w, TN_XFER_CA) ? option(w, TN_XFER_CA) : SYSTEM_CA),
        GIT_ECERTIFICATE);
}

static int
key_credential(struct wire *w, const char *user, git_credential **out)
{
    const char *file = option(w, TN_XFER_SSH_KEY);
    if (w->asked++ > 0) {
        return give_up(w,
                       tn_fail(&w->err, TN_EDENIED, 0,
                               "the server does not accept the key %s for "
                               "user %s",
                               file ? file : "of the agent", user),
                       GIT_EAUTH);
    }
    return file ? git_credential_ssh_key_new(out, user, NULL, file,
                                             getenv("TENET_GIT_SSH_PASSPHRASE"))
                : git_credential_ssh_key_from_agent(out, user);
}

static int
token_credential(struct wire *w, git_credential **out)
{
    const char *user = option(w, TN_XFER_USER);
    user = user ? user : w->url.user[0] ? w->url.user : "tenet";
    if (!w->secret[0]) {
        return give_up(w,
                       tn_fail(&w->err, TN_EDENIED, 401,
                               "the server wants a token: give one by file or "
                               "$TENET_GIT_TOKEN"),
                       GIT_EAUTH);
    }
    if (w->asked++ > 0) {
        return give_up(w,
                       tn_fail(&w->err, TN_EDENIED, 401,
                               "the server does not accept the token for user "
                               "%s",
                               user),
                       GIT_EAUTH);
    }
    return git_credential_userpass_plaintext_new(out, user, w->secret);
}

static int
on_credential(git_credential **out, const char *url, const char *user_from_url,
              unsigned allowed, void *payload)
{
    struct wire *w = payload;
    const char *user = w->url.user[0] ? w->url.user : "git";
    (void) url;
    (void) user_from_url;
    if (w->url.kind == TN_URL_SSH && allowed & GIT_CREDENTIAL_USERNAME) {
        return git_credential_username_new(out, user);
    }
    if (w->url.kind == TN_URL_SSH && allowed & GIT_CREDENTIAL_SSH_KEY) {
        return key_credential(w, user, out);
    }
    if (w->url.kind == TN_URL_HTTPS &&
        allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) {
        return token_credential(w, out);
    }
    return give_up(w,
                   tn_fail(&w->err, TN_EDENIED, 0,
                           "the server wants another way to log in than keys "
                           "and tokens"),
                   GIT_EAUTH);
}

static int
on_transfer(const git_indexer_progress *stats, void *payload)
{
    struct wire *w = payload;
    w->n_bytes = stats->received_bytes;
    /* Deltas are resolved when all has arrived: work of ours, that counts. */
    w->progress(w->progress_ctx, w->n_bytes + 64ULL * stats->indexed_deltas);
    if (w->max_bytes && w->n_bytes > w->max_bytes) {
        return give_up(w,
                       tn_fail(&w->err, TN_EINTENT, 0,
                               "more than %llu bytes are not accepted",
                               (unsigned long long) w->max_bytes),
                       GIT_EUSER);
    }
    return 0;
}

static int
on_push_progress(unsigned current, unsigned total, size_t bytes, void *payload)
{
    struct wire *w = payload;
    (void) total;
    w->progress(w->progress_ctx, bytes + 4096 * (uint64_t) current);
    return 0;
}

static int
on_negotiation(const git_push_update **updates, size_t n, void *payload)
{
    struct wire *w = payload;
    for (size_t i = 0; i < n; i++) {
        if (!git_oid_equal(&updates[i]->src, &w->expected)) {
            w->lost = true;
            return give_up(w,
                           tn_fail(&w->err, TN_ESTALE, 0,
                                   "%s was moved by somebody else",
                                   updates[i]->dst_refname),
                           GIT_EUSER);
        }
    }
    return 0;
}

static int
on_updated(const char *ref, const char *status, void *payload)
{
    static const char *const races[] = {
        "fetch first",    "non-fast-forward", "cannot lock ref",
        "failed to lock", "failed to update", "stale info",
        "already exists", "old value",        "incorrect old"};
    struct wire *w = payload;
    char said[256];
    if (!status) {
        return 0;
    }
    bool race = mentions(status, races, TN_ARRAY_SIZE(races));
    bool broken = strcasestr(status, "unpack") != NULL;
    tn_clean(said, sizeof said, status, strlen(status));
    return give_up(w,
                   tn_fail(&w->err,
                           race     ? TN_ESTALE
                           : broken ? TN_EUNAVAILABLE
                                    : TN_EDENIED,
                           0, "the server refuses %s: %s", ref, said),
                   GIT_EUSER);
}

static git_remote_callbacks
callbacks(struct wire *w)
{
    git_remote_callbacks c;
    git_remote_init_callbacks(&c, GIT_REMOTE_CALLBACKS_VERSION);
    c.payload = w;
    c.credentials = on_credential;
    c.certificate_check = on_certificate;
    c.transfer_progress = on_transfer;
    c.push_transfer_progress = on_push_progress;
    c.push_negotiation = on_negotiation;
    c.push_update_reference = on_updated;
    return c;
}

static git_proxy_options
proxy(const struct wire *w)
{
    git_proxy_options p;
    git_proxy_options_init(&p, GIT_PROXY_OPTIONS_VERSION);
    p.type = GIT_PROXY_NONE;
    if (option(w, TN_XFER_PROXY)) {
        p.type = GIT_PROXY_SPECIFIED;
        p.url = option(w, TN_XFER_PROXY);
    }
    return p;
}

static enum tn_code
connect_to(struct wire *w, git_direction direction, struct tn_error *err)
{
    if (w->url.kind == TN_URL_LOCAL) {
        TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *there = NULL;
        enum tn_code code = tn_git_open(w->url.wire, &there, err);
        if (code) {
            return code;
        }
    }
    git_remote_create_options create;
    git_remote_connect_options how;
    git_remote_create_options_init(&create, GIT_REMOTE_CREATE_OPTIONS_VERSION);
    create.repository = w->handle;
    create.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF |
                   GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    git_remote_connect_options_init(&how, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
    how.callbacks = callbacks(w);
    how.proxy_opts = proxy(w);
    how.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    int rc = git_remote_create_with_opts(&w->remote, w->url.wire, &create);
    if (rc == 0) {
        rc = git_remote_connect_ext(w->remote, direction, &how);
    }
    return rc < 0 ? wire_failed(w, rc, "connecting to", err) : TN_OK;
}

/* The advertised refs that concern us. */
struct wanted {
    const char *ref;
    char mirrored[512]; /* Its name in the mirror. */
    git_oid id;         /* Zero: the remote has none. */
};

static void
find_heads(const git_remote_head **heads, size_t n, struct wanted *want,
           size_t n_want)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n_want; k++) {
            if (want[k].ref && strcmp(heads[i]->name, want[k].ref) == 0) {
                git_oid_cpy(&want[k].id, &heads[i]->oid);
            }
        }
    }
}

static const char *
default_branch(struct wire *w, const git_remote_head **heads, size_t n)
{
    if (n > 0 && strcmp(heads[0]->name, "HEAD") == 0 &&
        heads[0]->symref_target) {
        return heads[0]->symref_target;
    }
    git_buf name = {0};
    const char *found = NULL;
    if (git_remote_default_branch(&name, w->remote) == 0) {
        found = tn_arena_strdup(w->arena, name.ptr);
    }
    git_buf_dispose(&name);
    return found;
}

static enum tn_code
download(struct wire *w, const struct wanted *want, size_t n,
         struct tn_error *err)
{
    git_fetch_options how;
    char *specs[TN_REMOTE_MAX_EXTRA + 1];
    git_strarray all = {specs, 0};
    for (size_t i = 0; i < n; i++) {
        if (!git_oid_is_zero(&want[i].id)) {
            specs[all.count++] = tn_arena_printf(w->arena, "+%s:%s",
                                                 want[i].ref, want[i].mirrored);
        }
    }
    if (all.count == 0) {
        return TN_OK;
    }
    git_fetch_options_init(&how, GIT_FETCH_OPTIONS_VERSION);
    how.callbacks = callbacks(w);
    how.proxy_opts = proxy(w);
    how.prune = GIT_FETCH_NO_PRUNE;
    how.update_fetchhead = 0;
    how.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    how.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    int rc = git_remote_download(w->remote, &all, &how);
    return rc < 0 ? wire_failed(w, rc, "fetching from", err) : TN_OK;
}

/* A commit with a tree, or something that leads to one. */
static enum tn_code
check_commit(struct wire *w, const struct wanted *want, struct tn_error *err)
{
    TN_CLEANUP(cleanup_object) git_object *object = NULL;
    TN_CLEANUP(cleanup_object) git_object *tree = NULL;
    int rc = git_object_lookup(&object, w->handle, &want->id, GIT_OBJECT_ANY);
    if (rc == 0) {
        rc = git_object_peel(&tree, object, GIT_OBJECT_TREE);
        if (rc == GIT_EPEEL || rc == GIT_EINVALIDSPEC ||
            (rc == 0 && git_object_type(object) == GIT_OBJECT_TREE)) {
            return tn_fail(err, TN_EINTENT, 0, "%s of %s names no commit",
                           want->ref, w->url.shown);
        }
    }
    if (rc == GIT_ENOTFOUND) {
        return tn_fail(err, TN_EINTERNAL, 0,
                       "%s was fetched, but not what it names", want->ref);
    }
    return rc < 0 ? tn_git_fail(err, rc, "reading %s", want->ref) : TN_OK;
}

static enum tn_code
move_ref(struct wire *w, const struct wanted *want, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *ref = NULL;
    git_oid now;
    int rc = git_reference_name_to_id(&now, w->handle, want->mirrored);
    if (git_oid_is_zero(&want->id)) {
        rc = rc == 0 ? git_reference_remove(w->handle, want->mirrored) : 0;
    } else if (rc < 0 || !git_oid_equal(&now, &want->id)) {
        rc = git_reference_create(&ref, w->handle, want->mirrored, &want->id, 1,
                                  "tenet: fetched");
    }
    return rc < 0
               ? tn_git_fail(err, rc, "moving %s of the mirror", want->mirrored)
               : TN_OK;
}

static enum tn_code
set_head(struct wire *w, const char *branch, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *head = NULL;
    int rc = git_reference_lookup(&head, w->handle, "HEAD");
    const char *target = rc == 0 ? git_reference_symbolic_target(head) : NULL;
    if (target && strcmp(target, branch) == 0) {
        return TN_OK;
    }
    git_reference_free(head);
    head = NULL;
    rc = git_reference_symbolic_create(&head, w->handle, "HEAD", branch, 1,
                                       "tenet: watched");
    return rc < 0 ? tn_git_fail(err, rc, "setting HEAD of the mirror") : TN_OK;
}

/* What to ask for: the branch first, unless only extras are. */
static enum tn_code
choose(struct wire *w, struct wanted *want, size_t *n, struct tn_error *err)
{
    const git_remote_head **heads = NULL;
    size_t n_heads = 0;
    int rc = git_remote_ls(&heads, &n_heads, w->remote);
    if (rc < 0) {
        return wire_failed(w, rc, "listing the refs of", err);
    }
    *n = 0;
    if (strcmp(w->t->text[TN_XFER_OP], "fetch") == 0) {
        const char *branch = option(w, TN_XFER_BRANCH);
        branch = branch ? branch : default_branch(w, heads, n_heads);
        if (!branch) {
            return tn_fail(err, TN_ENOENT, 0,
                           "%s has no default branch: it is empty, or a branch "
                           "must be named",
                           w->url.shown);
        }
        want[*n].ref = branch;
        snprintf(want[(*n)++].mirrored, sizeof want->mirrored, "%s", branch);
    }
    for (size_t i = 0; i < TN_REMOTE_MAX_EXTRA; i++) {
        const char *ref = option(w, (enum tn_transfer_text)(TN_XFER_EXTRA + i));
        if (ref) {
            want[*n].ref = ref;
            tn_remote_tracking(want[(*n)++].mirrored, sizeof want->mirrored,
                               ref);
        }
    }
    find_heads(heads, n_heads, want, *n);
    return TN_OK;
}

static enum tn_code
fetch(struct wire *w, struct tn_transfer_reply *reply, struct tn_error *err)
{
    struct wanted want[TN_REMOTE_MAX_EXTRA + 1] = {{0}};
    bool main = strcmp(w->t->text[TN_XFER_OP], "fetch") == 0;
    size_t n = 0;
    enum tn_code code = connect_to(w, GIT_DIRECTION_FETCH, err);
    if (!code) {
        code = choose(w, want, &n, err);
    }
    if (!code && main && git_oid_is_zero(&want[0].id)) {
        code = tn_fail(err, TN_ENOENT, 0, "%s has no %s", w->url.shown,
                       want[0].ref);
    }
    if (!code) {
        code = download(w, want, n, err);
    }
    for (size_t i = 0; !code && i < n; i++) {
        if (!git_oid_is_zero(&want[i].id)) {
            code = check_commit(w, &want[i], err);
        }
    }
    for (size_t i = 0; !code && i < n; i++) {
        code = move_ref(w, &want[i], err);
    }
    if (!code && main && want[0].ref) {
        code = set_head(w, want[0].ref, err);
        snprintf(reply->branch, sizeof reply->branch, "%s", want[0].ref);
    }
    git_remote_disconnect(w->remote);
    return code;
}

/* libgit2 pushes what has a name. */
static enum tn_code
name_it(struct wire *w, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *ref = NULL;
    git_oid id;
    int rc = git_oid_fromstr(&id, w->t->text[TN_XFER_ID]);
    rc = rc < 0 ? rc
                : git_reference_create(&ref, w->handle, PUSHED, &id, 1,
                                       "tenet: to push");
    return rc < 0 ? tn_git_fail(err, rc, "naming what is pushed") : TN_OK;
}

static enum tn_code
push(struct wire *w, struct tn_error *err)
{
    git_push_options how;
    char *spec =
        tn_arena_printf(w->arena, PUSHED ":%s", w->t->text[TN_XFER_REF]);
    git_strarray all = {&spec, 1};
    const char *expected = option(w, TN_XFER_EXPECTED);
    if (expected && git_oid_fromstr(&w->expected, expected) < 0) {
        return tn_fail(err, TN_EINTERNAL, 0, "'%s' is no commit id", expected);
    }
    if (w->url.kind == TN_URL_LOCAL) {
        return tn_local_push((struct tn_git_repo *) w->repo, w->url.wire,
                             w->t->text[TN_XFER_REF], w->t->text[TN_XFER_ID],
                             w->t->text[TN_XFER_EXPECTED], err);
    }
    enum tn_code code = name_it(w, err);
    code = code ? code : connect_to(w, GIT_DIRECTION_PUSH, err);
    if (code) {
        return code;
    }
    git_push_options_init(&how, GIT_PUSH_OPTIONS_VERSION);
    how.callbacks = callbacks(w);
    how.proxy_opts = proxy(w);
    how.pb_parallelism = 1;
    how.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    int rc = git_remote_upload(w->remote, &all, &how);
    if (rc < 0 || w->code) {
        code = wire_failed(w, rc, "pushing to", err);
    }
    git_remote_disconnect(w->remote);
    return code;
}

static enum tn_code
run(struct wire *w, struct tn_transfer_reply *reply, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    enum tn_code code = tn_url_parse(w->t->text[TN_XFER_URL], &w->url, err);
    if (!code && w->url.kind != TN_URL_LOCAL) {
        code = prepare_network(w, err);
    }
    if (!code) {
        code = tn_git_open(w->t->text[TN_XFER_MIRROR], &repo, err);
    }
    if (code) {
        return code;
    }
    w->repo = repo;
    w->handle = tn_git_handle(repo);
    if (strcmp(w->t->text[TN_XFER_OP], "push") == 0) {
        return push(w, err);
    }
    code = fetch(w, reply, err);
    reply->n_bytes = w->n_bytes;
    if (!code && tn_mirror_pack(repo, NULL)) {
        git_error_clear(); /* All is there; the next fetch tidies up. */
    }
    return code;
}

enum tn_code
tn_transfer_run(const struct tn_transfer *transfer,
                void (*progress)(void *ctx, uint64_t bytes), void *ctx,
                struct tn_transfer_reply *reply, struct tn_error *err)
{
    enum tn_code code = tn_git_init(err);
    if (code) {
        return code;
    }
    TN_CLEANUP(cleanup_wire)
    struct wire w = {
        .t = transfer,
        .arena = tn_arena_new(),
        .max_bytes = strtoull(transfer->text[TN_XFER_MAX_BYTES], NULL, 10),
        .progress = progress,
        .progress_ctx = ctx,
    };
    /* The process ends next: libgit2 is not shut down. */
    return run(&w, reply, err);
}
