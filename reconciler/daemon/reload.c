/* reload.c - see reload.h.
 *
 * Files that are only read when they are needed (keys of remotes, signers) are
 * looked at here as well: a daemon that was well is not to be led into refusing
 * every commit by a wrong path. */
#include "reconciler/daemon/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/crypt.h"
#include "reconciler/daemon/config.h"
#include "reconciler/trust/sign.h"

enum { SECRET_BYTES = 4096 };

void
tn_held_settings_free(struct tn_held_settings *held)
{
    tn_arena_free(held->arena);
    *held = (struct tn_held_settings){0};
}

enum tn_code
tn_settings_load(const struct tn_daemon_options *options,
                 struct tn_held_settings *out, struct tn_error *err)
{
    struct tn_diags diags;
    struct tn_held_settings held = {.arena = tn_arena_new()};
    enum tn_code code = TN_OK;
    tn_diags_init(&diags, held.arena);
    if (options->config_path) {
        code = tn_daemon_config_load(options->config_path, held.arena,
                                     &held.config, &diags, err);
    } else {
        held.config = tn_daemon_config_default(options->repo, held.arena);
    }
    for (size_t i = 0; i < diags.list.n; i++) {
        const struct tn_diag *d = &diags.list.items[i];
        fprintf(stderr, "%s:%u:%u: error: %s\n", d->at.path ? d->at.path : "",
                d->at.line, d->at.column, d->message);
    }
    if (code) {
        tn_held_settings_free(&held);
        return code;
    }
    *out = held;
    return TN_OK;
}

static enum tn_code
files_check(const struct tn_daemon *c, struct tn_error *err)
{
    const struct {
        const char *what, *path;
    } files[] = {
        {"source.sshKey", c->source.ssh_key.v},
        {"source.knownHosts", c->source.known_hosts.v},
        {"source.caFile", c->source.ca_file.v},
        {"source.tokenFile", c->source.token_file.v},
        {"trust.allowedSigners", c->trust.allowed_signers.v},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(files); i++) {
        TN_CLEANUP(tn_cleanup_fd)
        int fd = files[i].path ? open(files[i].path, O_RDONLY | O_CLOEXEC) : -1;
        if (files[i].path && fd < 0) {
            return tn_fail_sys(err, errno == ENOENT ? TN_ENOENT : TN_EDENIED,
                               errno, "%s: %s", files[i].what, files[i].path);
        }
    }
    return TN_OK;
}

static enum tn_code
secret_check(const char *what, const char *path, struct tn_error *err)
{
    struct tn_secret *secret = NULL;
    if (!path) {
        return TN_OK;
    }
    enum tn_code code = tn_secret_read(path, SECRET_BYTES, &secret, err);
    tn_secret_free(secret);
    return code ? tn_while(err, code, "%s", what) : TN_OK;
}

/* What is only read when somebody is to be told. */
static enum tn_code
secrets_check(const struct tn_daemon *c, struct tn_error *err)
{
    enum tn_code code =
        secret_check("forge.tokenFile", c->forge.token_file.v, err);
    for (size_t i = 0; !code && i < c->webhooks.n; i++) {
        code =
            secret_check("webhooks", c->webhooks.items[i].secret_file.v, err);
    }
    return code;
}

static enum tn_code
signer_check(const struct tn_daemon *c, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_signer) struct tn_signer *signer = NULL;
    return c->status.signing_key.v
               ? tn_signer_open(c->status.signing_key.v, &signer, err)
               : TN_OK;
}

static enum tn_code
tell_check(const struct tn_loop *l, const struct tn_daemon *c,
           struct tn_error *err)
{
    struct tn_tell *tell = NULL;
    struct tn_tell_options o = {
        .config = c, .metrics = l->metrics, .log = l->log};
    enum tn_code code = tn_tell_open(&o, &tell, err);
    if (!code) {
        tn_tell_close(tell, 0);
    }
    return code;
}

static const char *
control_path(const struct tn_daemon *c)
{
    return c->control.v ? c->control.v : TN_CONTROL_PATH;
}

static enum tn_code
control_check(const struct tn_loop *l, const struct tn_daemon *c,
              struct tn_error *err)
{
    struct tn_control *control = NULL;
    if (tn_streq(control_path(c), control_path(l->config))) {
        return TN_OK;
    }
    enum tn_code code = tn_control_open(control_path(c), tn_command_answer,
                                        NULL, &control, err);
    if (!code) {
        tn_control_close(control);
    }
    return code;
}

enum tn_code
tn_reload_check(const struct tn_loop *loop, const struct tn_daemon *next,
                struct tn_error *err)
{
    enum tn_code code = files_check(next, err);
    if (!code) {
        code = secrets_check(next, err);
    }
    if (!code) {
        code = signer_check(next, err);
    }
    if (!code) {
        code = tell_check(loop, next, err);
    }
    if (!code) {
        code = tn_serve_check(loop, next, err);
    }
    return code ? code : control_check(loop, next, err);
}
