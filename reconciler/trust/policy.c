/* policy.c - see policy.h.
 *
 * tenet.yml is read with the reader of all documents; of its findings only the
 * first error is kept, because compile reports them all.  It is read from the
 * commit by id, as bytes of a plain file: a link or a submodule in its place is
 * no policy. */
#include "reconciler/trust/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/yaml/node.h"

static const char settings_path[] = "tenet.yml";

/* A file that was read, and what it said; one of the two is null. */
struct settings {
    const struct tn_settings *settings;
    const char *why;
};
struct entry {
    const struct tn_signing_policy *policy;
    const char *why;
};

static enum tn_code
read_fd(int fd, const char *path, struct tn_text *out, struct tn_error *err)
{
    char buf[16 * 1024];
    for (;;) {
        ssize_t got = read(fd, buf, sizeof buf);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "reading %s", path);
        }
        if (got == 0) {
            return TN_OK;
        }
        if (out->n + (size_t) got > TN_SIGNERS_BYTES) {
            return tn_fail(err, TN_EINTENT, 0, "%s: more than %d bytes", path,
                           TN_SIGNERS_BYTES);
        }
        tn_text_addn(out, buf, (size_t) got);
    }
}

/* Whoever may write this file decides about everything. */
static enum tn_code
judge_outside(const char *path, const struct stat *st, struct tn_error *err)
{
    if (!S_ISREG(st->st_mode)) {
        return tn_fail(err, TN_EDENIED, 0, "%s is not a regular file", path);
    }
    if ((st->st_uid != 0 && st->st_uid != geteuid()) || (st->st_mode & 0022)) {
        return tn_fail(err, TN_EDENIED, 0,
                       "%s may be written by others than root and us (chmod "
                       "go-w, chown root)",
                       path);
    }
    return TN_OK;
}

enum tn_code
tn_policy_outside(const char *path, struct tn_arena *arena,
                  struct tn_allowed_signers *out, struct tn_digest *id,
                  struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    TN_CLEANUP(tn_cleanup_fd) int fd = -1;
    struct stat st;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0) {
        enum tn_code code = errno == ENOENT   ? TN_ENOENT
                            : errno == EACCES ? TN_EDENIED
                                              : TN_EINTERNAL;
        return tn_fail_sys(err, code, errno, "cannot read %s", path);
    }
    enum tn_code code = judge_outside(path, &st, err);
    if (!code) {
        code = read_fd(fd, path, &text, err);
    }
    if (!code) {
        code = tn_allowed_signers_parse(arena, path, tn_text_str(&text), text.n,
                                        out, err);
    }
    if (!code) {
        *id = tn_digest_of(tn_text_str(&text), text.n);
    }
    return code;
}

void
tn_policies_init(struct tn_policies *p, struct tn_commits *commits,
                 struct tn_arena *arena,
                 const struct tn_allowed_signers *outside,
                 const struct tn_digest *outside_id)
{
    *p = (struct tn_policies){
        .commits = commits, .arena = arena, .outside = outside};
    if (outside) {
        p->outside_id = *outside_id;
    }
    tn_map_init(&p->settings, arena, 16);
    tn_map_init(&p->policies, arena, 16);
}

static const char *
first_error(struct tn_arena *arena, const struct tn_diags *diags)
{
    for (size_t i = 0; i < diags->list.n; i++) {
        const struct tn_diag *d = &diags->list.items[i];
        if (d->severity == TN_ERROR) {
            return tn_arena_printf(arena, "%s:%u: %s", settings_path,
                                   d->at.line, d->message);
        }
    }
    return "tenet.yml cannot be read";
}

static void
decode(struct tn_policies *p, const char *bytes, size_t n, struct settings *out)
{
    const struct tn_node **docs = NULL;
    size_t n_docs = 0;
    struct tn_diags diags;
    struct tn_document doc;
    tn_diags_init(&diags, p->arena);
    if (!tn_yaml_parse(p->arena, settings_path, bytes, n, TN_YAML_STRICT,
                       &tn_yaml_limits_default, &docs, &n_docs, &diags)) {
        out->why = first_error(p->arena, &diags);
    } else if (n_docs != 1) {
        out->why = "tenet.yml: one document of kind Settings expected";
    } else if (!tn_document_decode(p->arena, settings_path, docs[0], &doc,
                                   &diags)) {
        out->why = first_error(p->arena, &diags);
    } else if (doc.kind != TN_KIND_SETTINGS) {
        out->why = "tenet.yml: one document of kind Settings expected";
    } else {
        out->settings = doc.as.settings;
    }
}

/* A file of the repository for reading; a refusal is said in '*why'. */
static enum tn_code
read_blob(struct tn_policies *p, const char *path,
          const struct tn_tree_item *item, size_t max, const char **bytes,
          size_t *n, const char **why, struct tn_error *err)
{
    struct tn_error said = {0};
    if (!item->mode) {
        *why = tn_arena_printf(p->arena, "%s: there is no such file", path);
        return TN_OK;
    }
    if (!tn_tree_item_is_file(item)) {
        *why = tn_arena_printf(p->arena, "%s: not a plain file", path);
        return TN_OK;
    }
    enum tn_code code =
        tn_commits_file(p->commits, &item->id, max, p->arena, bytes, n, &said);
    if (code == TN_EINTENT) {
        *why = tn_arena_printf(p->arena, "%s: more than %zu bytes", path, max);
        return TN_OK;
    }
    if (code && err) {
        *err = said;
    }
    return code;
}

static enum tn_code
settings_of(struct tn_policies *p, const struct tn_tree_item *item,
            const struct settings **out, struct tn_error *err)
{
    char hex[TN_OID_HEX];
    tn_oid_hex(&item->id, hex);
    struct settings *s = tn_map_get(&p->settings, hex);
    if (!s) {
        const char *bytes = NULL;
        size_t n = 0;
        s = tn_new(p->arena, struct settings);
        enum tn_code code =
            read_blob(p, settings_path, item, tn_yaml_limits_default.bytes,
                      &bytes, &n, &s->why, err);
        if (code) {
            return code;
        }
        if (!s->why) {
            decode(p, bytes, n, s);
        }
        /* What stands in for a file that is no file is not its content. */
        if (tn_tree_item_is_file(item)) {
            tn_map_put(&p->settings, tn_arena_strdup(p->arena, hex), s);
        }
    }
    *out = s;
    return TN_OK;
}

static void
name_policy(struct tn_signing_policy *policy, const struct tn_oid *signers,
            const struct tn_digest *outside)
{
    struct tn_digester d;
    tn_digester_init(&d);
    tn_digester_add(&d, &policy->enforced, sizeof policy->enforced);
    tn_digester_add(&d, signers->b, sizeof signers->b);
    tn_digester_add(&d, outside->b, sizeof outside->b);
    for (size_t i = 0; i < policy->n_scopes; i++) {
        const struct tn_signer_scope *s = &policy->scopes[i];
        tn_digester_add_str(&d, s->principal.v);
        tn_digester_add(&d, &s->paths.n, sizeof s->paths.n);
        for (size_t k = 0; k < s->paths.n; k++) {
            tn_digester_add_str(&d, s->paths.items[k].v);
        }
    }
    policy->id = tn_digester_end(&d);
}

static enum tn_code
build(struct tn_policies *p, const struct tn_settings *s, const char *path,
      const struct tn_tree_item *item, struct entry *out, struct tn_error *err)
{
    static const struct tn_oid nobody;
    struct tn_signing_policy *policy =
        tn_new(p->arena, struct tn_signing_policy);
    bool inside = s->signers_file.v || s->signers_scopes.n;
    policy->enforced = p->outside || inside;
    policy->scopes = s->signers_scopes.items;
    policy->n_scopes = s->signers_scopes.n;
    if (p->outside) {
        policy->signers = *p->outside;
    } else if (inside) {
        const char *bytes = NULL;
        size_t n = 0;
        struct tn_error said = {0};
        char text[TN_ERROR_TEXT];
        enum tn_code code = read_blob(p, path, item, TN_SIGNERS_BYTES, &bytes,
                                      &n, &out->why, err);
        if (code || out->why) {
            return code;
        }
        if (tn_allowed_signers_parse(p->arena, path, bytes, n, &policy->signers,
                                     &said)) {
            out->why = tn_arena_strdup(p->arena,
                                       tn_error_text(&said, text, sizeof text));
            return TN_OK;
        }
    }
    name_policy(policy, inside && !p->outside ? &item->id : &nobody,
                &p->outside_id);
    out->policy = policy;
    return TN_OK;
}

/* By the blobs of both files. */
static enum tn_code
policy_of(struct tn_policies *p, const struct tn_oid *tree,
          const struct tn_tree_item *settings_item, const struct tn_settings *s,
          const struct entry **out, struct tn_error *err)
{
    const char *path = s->signers_file.v ? s->signers_file.v : TN_SIGNERS_FILE;
    struct tn_tree_item item = {0};
    enum tn_code code = tn_commits_item(p->commits, tree, path, &item, err);
    if (code) {
        return code;
    }
    char a[TN_OID_HEX], b[TN_OID_HEX];
    const char *key =
        tn_arena_printf(p->arena, "%s %s %o", tn_oid_hex(&settings_item->id, a),
                        tn_oid_hex(&item.id, b), item.mode);
    struct entry *e = tn_map_get(&p->policies, key);
    if (!e) {
        e = tn_new(p->arena, struct entry);
        code = build(p, s, path, &item, e, err);
        if (code) {
            return code;
        }
        tn_map_put(&p->policies, key, e);
    }
    *out = e;
    return TN_OK;
}

enum tn_code
tn_policy_of(struct tn_policies *p, const struct tn_oid *tree,
             const struct tn_signing_policy **out, const char **why,
             struct tn_error *err)
{
    struct tn_tree_item item = {0};
    const struct settings *settings = NULL;
    const struct entry *e = NULL;
    enum tn_code code =
        tn_commits_item(p->commits, tree, settings_path, &item, err);
    if (!code) {
        code = settings_of(p, &item, &settings, err);
    }
    if (code) {
        return code;
    }
    if (settings->why) {
        *out = NULL;
        *why = settings->why;
        return TN_OK;
    }
    code = policy_of(p, tree, &item, settings->settings, &e, err);
    if (!code) {
        *out = e->policy;
        *why = e->why;
    }
    return code;
}

static bool
is_principal(const struct tn_allowed_signer *signer, const char *name)
{
    for (size_t i = 0; i < signer->n_principals; i++) {
        if (strcmp(signer->principals[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void
tn_policy_scope(const struct tn_signing_policy *policy,
                const struct tn_allowed_signer *signer, struct tn_arena *arena,
                const char *const **patterns, size_t *n, bool *all)
{
    TN_VEC(const char *) list = {0};
    *all = policy->n_scopes == 0;
    for (size_t i = 0; i < policy->n_scopes; i++) {
        const struct tn_signer_scope *s = &policy->scopes[i];
        for (size_t k = 0;
             is_principal(signer, s->principal.v) && k < s->paths.n; k++) {
            *tn_vec_push(arena, &list) = s->paths.items[k].v;
            *all |= strcmp(s->paths.items[k].v, "**") == 0;
        }
    }
    *patterns = list.items;
    *n = list.n;
}
