/* daemon.c - kind: Daemon, the file of 'tenet run' on one machine: where the
 * intent comes from, whom it tells, and how careful it is.
 *
 * It is no part of the intent: who may commit must not be able to say which
 * host key or which signer is to be believed. */
#include "model/kinds/field.h"

static const struct tn_field source_fields[] = {
    {
        TN_ROW("url", struct tn_daemon, source.url),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_url,
        .flags = TN_REQUIRED,
        .description = "A repository: a path, file://, https:// or ssh:// "
                       "(git@host:path). Never with a password in it.",
        .example = "https://git.example.org/net/intent.git",
    },
    {
        TN_ROW("branch", struct tn_daemon, source.branch),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_url,
        .fallback = "main",
        .description = "The branch or tag that is followed, as a full name or "
                       "the short name of a branch.",
        .example = "main",
    },
    {
        TN_ROW("interval", struct tn_daemon, source.interval),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = 86400,
        .fallback = "60",
        .description = "Seconds between two looks at the remote; a tenth of it "
                       "is added or taken at random.",
        .example = "60",
    },
    {
        TN_ROW("timeout", struct tn_daemon, source.timeout),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = 3600,
        .fallback = "60",
        .description = "Seconds that a transfer may take without end.",
        .example = "60",
    },
    {
        TN_ROW("sshKey", struct tn_daemon, source.ssh_key),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .description = "Private key for ssh.",
        .example = "/etc/tenet/ssh_key",
    },
    {
        TN_ROW("knownHosts", struct tn_daemon, source.known_hosts),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .description = "Host keys that are believed (known_hosts of OpenSSH).",
        .example = "/etc/tenet/known_hosts",
    },
    {
        TN_ROW("caFile", struct tn_daemon, source.ca_file),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .description = "Certificates of authorities that are believed besides "
                       "the system's.",
        .example = "/etc/tenet/ca.pem",
    },
    {
        TN_ROW("username", struct tn_daemon, source.username),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_url,
        .description = "User for https.",
        .example = "tenet",
    },
    {
        TN_ROW("tokenFile", struct tn_daemon, source.token_file),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .description = "File with the password or token for https; the "
                       "variable TENET_GIT_TOKEN stands in for it.",
        .example = "/etc/tenet/token",
    },
};

static const struct tn_object source = {
    .title = "Source",
    .description = "Where the intent is read from.",
    TN_FIELDS(source_fields),
};

static const struct tn_field trust_fields[] = {
    {
        TN_ROW("allowedSigners", struct tn_daemon, trust.allowed_signers),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .description = "Keys whose signatures count (allowed_signers of "
                       "OpenSSH), outside of the repository.",
        .example = "/etc/tenet/allowed_signers",
    },
    {
        TN_ROW("root", struct tn_daemon, trust.root),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .description = "Commit that is believed without looking; what follows "
                       "it must be signed.",
        .example = "4be1c0de4be1c0de4be1c0de4be1c0de4be1c0de",
    },
};

static const struct tn_object trust = {
    .title = "Trust",
    .description = "Whose commits are applied.",
    TN_FIELDS(trust_fields),
};

static const struct tn_field http_fields[] = {
    {
        TN_ROW("listen", struct tn_daemon, http.listen),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_url,
        .fallback = "(no listener)",
        .description = "Address and port, or the path of a socket.",
        .example = "127.0.0.1:9433",
    },
    {
        TN_ROW("webhookSecretFile", struct tn_daemon, http.webhook_secret_file),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .description = "Secret of the push webhook; without it there is none.",
        .example = "/etc/tenet/webhook_secret",
    },
    {
        TN_ROW("webhookRepository", struct tn_daemon, http.webhook_repository),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_url,
        .fallback = "(any)",
        .description = "Full name of the repository whose pushes count.",
        .example = "net/intent",
    },
};

static const struct tn_object http = {
    .title = "Http",
    .description = "The listener: /metrics, /healthz, /readyz and the webhook.",
    TN_FIELDS(http_fields),
};

static const struct tn_field status_fields[] = {
    {
        TN_ROW("signingKey", struct tn_daemon, status.signing_key),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .description = "Private Ed25519 key (OpenSSH format, no passphrase) "
                       "that signs status commits.",
        .example = "/etc/tenet/id_ed25519",
    },
    {
        TN_ROW("push", struct tn_daemon, status.push),
        .type = TN_FIELD_BOOL,
        .fallback = "true",
        .description = "Send status commits to the remote.",
        .example = "true",
    },
};

static const struct tn_object status = {
    .title = "Status",
    .description = "The status ref.",
    TN_FIELDS(status_fields),
};

static const char *const first_words[] = {"observe", "heal"};

static const struct tn_field loop_fields[] = {
    {
        TN_ROW("firstContact", struct tn_daemon, loop.first_contact),
        .type = TN_FIELD_WORD,
        TN_WORDS(first_words),
        .fallback = "observe",
        .description = "What to do with a device to which tenet never applied "
                       "anything: only look, or apply.",
        .example = "heal",
    },
    {
        TN_ROW("audit", struct tn_daemon, loop.audit),
        .type = TN_FIELD_UINT,
        .min = 5,
        .max = 86400,
        .fallback = "300",
        .description = "Seconds between two full looks at a device, whatever "
                       "its events say.",
        .example = "300",
    },
    {
        TN_ROW("probeWindow", struct tn_daemon, loop.probe_window),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = 3600,
        .fallback = "10",
        .description = "Seconds after a commit is applied within which the "
                       "probes of tenet.yml that passed before it must pass "
                       "again; else it is taken back.",
        .example = "10",
    },
};

static const struct tn_object loop = {
    .title = "Loop",
    .description = "How devices are treated.",
    TN_FIELDS(loop_fields),
};

static const struct tn_field hook_fields[] = {
    {
        TN_ROW("url", struct tn_out_hook, url),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_url,
        .flags = TN_REQUIRED,
        .description = "Where to post.",
        .example = "https://chat.example.org/hook",
    },
    {
        TN_ROW("secretFile", struct tn_out_hook, secret_file),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .description = "Key of the signature over each body.",
        .example = "/etc/tenet/hook_secret",
    },
};

static const struct tn_object hook = {
    .title = "Webhook",
    .description = "Receives every alert as JSON, signed.",
    TN_FIELDS(hook_fields),
    .size = sizeof(struct tn_out_hook),
    .at = offsetof(struct tn_out_hook, at),
    .key = "url",
};

static const char *const forge_words[] = {"github", "gitlab", "gitea"};

static const struct tn_field forge_fields[] = {
    {
        TN_ROW("kind", struct tn_daemon, forge.kind),
        .type = TN_FIELD_WORD,
        .flags = TN_REQUIRED,
        TN_WORDS(forge_words),
        .description = "Its manner of speaking.",
        .example = "gitlab",
    },
    {
        TN_ROW("api", struct tn_daemon, forge.api),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_url,
        .flags = TN_REQUIRED,
        .description = "Base address of its API.",
        .example = "https://gitlab.example.org/api/v4",
    },
    {
        TN_ROW("repository", struct tn_daemon, forge.repository),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_url,
        .flags = TN_REQUIRED,
        .description = "Full name of the repository.",
        .example = "net/intent",
    },
    {
        TN_ROW("tokenFile", struct tn_daemon, forge.token_file),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .flags = TN_REQUIRED,
        .description = "File with the token.",
        .example = "/etc/tenet/forge_token",
    },
    {
        TN_ROW("context", struct tn_daemon, forge.context),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .fallback = "tenet",
        .description = "Name of the status.",
        .example = "tenet",
    },
};

static const struct tn_object forge = {
    .title = "Forge",
    .description = "The forge that shows a status beside each commit.",
    TN_FIELDS(forge_fields),
};

static const struct tn_field spec_fields[] = {
    {
        TN_INLINE("source"),
        .type = TN_FIELD_OBJECT,
        .flags = TN_REQUIRED,
        .object = &source,
        .description = "Where the intent is read from.",
    },
    {
        TN_ROW("environment", struct tn_daemon, environment),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_host,
        .fallback = "(the repository's default)",
        .description = "The folder below inventories/ that is meant.",
        .example = "production",
    },
    {
        TN_ROW("host", struct tn_daemon, host),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_host,
        .fallback = "(all devices)",
        .description =
            "Only this host's device: for an agent on each hypervisor.",
        .example = "hv1",
    },
    {
        TN_INLINE("trust"),
        .type = TN_FIELD_OBJECT,
        .object = &trust,
        .description = "Whose commits are applied.",
    },
    {
        TN_INLINE("http"),
        .type = TN_FIELD_OBJECT,
        .object = &http,
        .description = "The listener.",
    },
    {
        TN_INLINE("status"),
        .type = TN_FIELD_OBJECT,
        .object = &status,
        .description = "The status ref.",
    },
    {
        TN_INLINE("loop"),
        .type = TN_FIELD_OBJECT,
        .object = &loop,
        .description = "How devices are treated.",
    },
    {
        TN_ROW("alertmanagers", struct tn_daemon, alertmanagers),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_url,
        .flags = TN_MANY | TN_DISTINCT,
        .max_items = 16,
        .description =
            "Base addresses of Alertmanagers; each gets every alert.",
        .example = "[http://127.0.0.1:9093]",
    },
    {
        TN_ROW("webhooks", struct tn_daemon, webhooks),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 16,
        .object = &hook,
        .description = "Receivers of alerts besides Alertmanager.",
    },
    {
        TN_INLINE("forge"),
        .type = TN_FIELD_OBJECT,
        .object = &forge,
        .description = "The forge that shows a status beside each commit.",
    },
    {
        TN_ROW("control", struct tn_daemon, control),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_path,
        .fallback = "/run/tenet/control.sock",
        .description = "Socket for 'tenet ctl'.",
        .example = "/run/tenet/control.sock",
    },
};

const struct tn_kind_table tn_daemon_table = {
    .kind = TN_KIND_DAEMON,
    .name = "Daemon",
    .slug = "daemon",
    .where = "/etc/tenet/daemon.yml",
    .sample = "noc",
    .description =
        "How `tenet run` works on one machine. The file belongs to whoever "
        "runs the service and is no part of the intent repository: who may "
        "commit there cannot say which host keys or signers are believed.",
    .spec =
        {
            .title = "DaemonSpec",
            TN_FIELDS(spec_fields),
            .size = sizeof(struct tn_daemon),
        },
};
