/* config.c - see config.h. */
#include "reconciler/daemon/config.h"

#include <errno.h>
#include <stdio.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "model/yaml/node.h"
#include "reconciler/source/remote_url.h"

enum { CONFIG_BYTES = 256 * 1024 };

static enum tn_code
file_read(const char *path, struct tn_arena *arena, const char **out, size_t *n,
          struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    if (!f) {
        return tn_fail_sys(err, errno == ENOENT ? TN_ENOENT : TN_EDENIED, errno,
                           "%s", path);
    }
    char *bytes = tn_arena_alloc(arena, CONFIG_BYTES + 1);
    *n = fread(bytes, 1, CONFIG_BYTES + 1, f);
    if (*n > CONFIG_BYTES) {
        return tn_fail(err, TN_EINTENT, 0, "%s is larger than %d bytes", path,
                       CONFIG_BYTES);
    }
    bytes[*n] = '\0';
    *out = bytes;
    return TN_OK;
}

/* Else it would be found wrong at every look, for ever. */
static bool
url_check(const char *path, const struct tn_daemon *d, struct tn_diags *diags)
{
    struct tn_url url;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    if (tn_url_parse(d->source.url.v, &url, &err) == TN_OK) {
        return true;
    }
    tn_diag(diags, TN_ERROR,
            (struct tn_origin){path, d->source.url.at.line,
                               d->source.url.at.column},
            "%s", tn_error_text(&err, text, sizeof text));
    return false;
}

enum tn_code
tn_daemon_config_load(const char *path, struct tn_arena *arena,
                      const struct tn_daemon **out, struct tn_diags *diags,
                      struct tn_error *err)
{
    const char *bytes = NULL;
    size_t n = 0, n_docs = 0;
    const struct tn_node **docs = NULL;
    struct tn_document doc;
    enum tn_code code = file_read(path, arena, &bytes, &n, err);
    if (code) {
        return code;
    }
    bool fine = tn_yaml_parse(arena, path, bytes, n, TN_YAML_STRICT,
                              &tn_yaml_limits_default, &docs, &n_docs, diags);
    if (fine && n_docs != 1) {
        tn_diag(diags, TN_ERROR, (struct tn_origin){path, 1, 1},
                "there must be one document, not %zu", n_docs);
        fine = false;
    }
    fine = fine && tn_document_decode(arena, path, docs[0], &doc, diags);
    if (fine && doc.kind != TN_KIND_DAEMON) {
        tn_diag(
            diags, TN_ERROR,
            (struct tn_origin){path, doc.meta->at.line, doc.meta->at.column},
            "this is a %s, not a Daemon", tn_kind_name(doc.kind));
        fine = false;
    }
    fine = fine && url_check(path, doc.as.daemon, diags);
    if (!fine) {
        return tn_fail(err, TN_EINTENT, 0, "%s cannot be used", path);
    }
    *out = doc.as.daemon;
    return TN_OK;
}

const struct tn_daemon *
tn_daemon_config_default(const char *repo, struct tn_arena *arena)
{
    struct tn_daemon *d = tn_new(arena, struct tn_daemon);
    d->meta.name.v = "tenet";
    d->source.url.v = tn_arena_strdup(arena, repo);
    return d;
}
