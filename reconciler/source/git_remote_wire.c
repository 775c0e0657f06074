/* git_remote_wire.c - who the remote is, who we are, and how far it got.
 *
 * The answers to what libgit2 asks while it is connected: is this the right
 * host key or certificate, which key or token to show, may there be more bytes,
 * is the ref still where a push expects it.  What a callback refuses is kept in
 * our own words; libgit2 would report it as an error of its own. */
#include "reconciler/source/git_remote_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "model/base/text.h"
#include "reconciler/source/name.h"

enum { HOSTS_MAX = 4 << 20 };

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"
#define SYSTEM_HOSTS "/etc/ssh/ssh_known_hosts"

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

enum tn_code
tn_wire_failed(struct tn_wire *w, int rc, const char *what,
               struct tn_error *err)
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

const char *
tn_wire_option(const struct tn_wire *w, enum tn_transfer_text which)
{
    return w->t->text[which][0] ? w->t->text[which] : NULL;
}

/* The first line of the token file, or the environment. */
static enum tn_code
load_secret(struct tn_wire *w, struct tn_error *err)
{
    const char *file = tn_wire_option(w, TN_XFER_TOKEN_FILE);
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
make_home(struct tn_wire *w, struct tn_error *err)
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
prepare_ssh(struct tn_wire *w, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    const char *key = tn_wire_option(w, TN_XFER_SSH_KEY);
    const char *file = tn_wire_option(w, TN_XFER_KNOWN_HOSTS);
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
enum tn_code
tn_wire_prepare(struct tn_wire *w, struct tn_error *err)
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
    const char *ca = tn_wire_option(w, TN_XFER_CA);
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
give_up(struct tn_wire *w, enum tn_code code, int rc)
{
    w->code = code;
    return rc;
}

static int
check_host_key(struct tn_wire *w, const git_cert_hostkey *key)
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
    struct tn_wire *w = payload;
    if (cert && cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
        return check_host_key(w, (const void *) cert);
    }
    if (valid == 1) {
        return 0;
    }
    return give_up(w,
                   tn_fail(&w->err, TN_EDENIED, 0,
                           "the certificate of %s is not one for it by a CA "
                           "in %s",
                           host,
                           tn_wire_option(w, TN_XFER_CA)
                               ? tn_wire_option(w, TN_XFER_CA)
                               : SYSTEM_CA),
                   GIT_ECERTIFICATE);
}

static int
key_credential(struct tn_wire *w, const char *user, git_credential **out)
{
    const char *file = tn_wire_option(w, TN_XFER_SSH_KEY);
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
token_credential(struct tn_wire *w, git_credential **out)
{
    const char *user = tn_wire_option(w, TN_XFER_USER);
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
    struct tn_wire *w = payload;
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
    struct tn_wire *w = payload;
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
    struct tn_wire *w = payload;
    (void) total;
    w->progress(w->progress_ctx, bytes + 4096 * (uint64_t) current);
    return 0;
}

static int
on_negotiation(const git_push_update **updates, size_t n, void *payload)
{
    struct tn_wire *w = payload;
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
    struct tn_wire *w = payload;
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

git_remote_callbacks
tn_wire_callbacks(struct tn_wire *w)
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

git_proxy_options
tn_wire_proxy(const struct tn_wire *w)
{
    git_proxy_options p;
    git_proxy_options_init(&p, GIT_PROXY_OPTIONS_VERSION);
    p.type = GIT_PROXY_NONE;
    if (tn_wire_option(w, TN_XFER_PROXY)) {
        p.type = GIT_PROXY_SPECIFIED;
        p.url = tn_wire_option(w, TN_XFER_PROXY);
    }
    return p;
}
