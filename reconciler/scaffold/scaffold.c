/* scaffold.c - see scaffold.h.  Nothing that exists is ever replaced: files are
 * created or it fails, and no symbolic link is followed below the directory. */
#include "reconciler/scaffold/scaffold.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/arena.h"
#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "model/kinds/field.h"

#define SCHEMA_PATH ".tenet/schema/document.json"

enum { NAME_MAX_LEN = 40 };

static void
cleanup_dir(DIR **d)
{
    if (*d) {
        closedir(*d);
    }
}

/* Fine if there is nothing in it but '.git'. */
static enum tn_code
dir_check(const char *path, struct tn_error *err)
{
    TN_CLEANUP(cleanup_dir) DIR *dir = opendir(path);
    const struct dirent *entry;
    if (!dir) {
        return tn_fail_sys(err, TN_EDENIED, errno, "%s", path);
    }
    while ((entry = readdir(dir))) {
        const char *n = entry->d_name;
        if (strcmp(n, ".") != 0 && strcmp(n, "..") != 0 &&
            strcmp(n, ".git") != 0) {
            return tn_fail(err, TN_EDENIED, 0,
                           "%s is not empty: it has '%.80s'; an intent "
                           "repository begins in a directory of its own",
                           path, n);
        }
    }
    return TN_OK;
}

/* The last part of the path as a name: "My Intent" is "my-intent". */
static void
name_make(const char *path, struct tn_text *out)
{
    const char *slash = strrchr(path, '/');
    for (const char *p = slash ? slash + 1 : path; *p && out->n < NAME_MAX_LEN;
         p++) {
        bool upper = *p >= 'A' && *p <= 'Z';
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
        if (upper || plain) {
            tn_text_addc(out, (char) (upper ? *p - 'A' + 'a' : *p));
        } else if (out->n && out->s[out->n - 1] != '-') {
            tn_text_addc(out, '-');
        }
    }
    while (out->n && out->s[out->n - 1] == '-') {
        out->s[--out->n] = '\0';
    }
    if (!tn_is_label(tn_text_str(out))) {
        tn_text_clear(out);
        tn_text_add(out, "intent");
    }
}

static enum tn_code
parents_make(int root, const char *path, struct tn_error *err)
{
    char part[256];
    for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int) (p - path), path);
        if (mkdirat(root, part, 0777) < 0 && errno != EEXIST) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "%s", part);
        }
    }
    return TN_OK;
}

static enum tn_code
file_write(int root, const char *path, const struct tn_text *text,
           struct tn_error *err)
{
    enum tn_code code = parents_make(root, path, err);
    if (code) {
        return code;
    }
    TN_CLEANUP(tn_cleanup_fd)
    int fd = openat(root, path,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        return tn_fail_sys(err, errno == EEXIST ? TN_EDENIED : TN_EINTERNAL,
                           errno, "%s", path);
    }
    for (size_t at = 0; at < text->n;) {
        ssize_t n = write(fd, text->s + at, text->n - at);
        if (n < 0 && errno != EINTR) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "%s", path);
        }
        at += n > 0 ? (size_t) n : 0;
    }
    return TN_OK;
}

/* The bytes with @NAME@ replaced. */
static void
fill(struct tn_text *out, const struct tn_scaffold_file *file, const char *name)
{
    static const char mark[] = "@NAME@";
    const char *p = (const char *) file->bytes, *end = p + file->n;
    const char *at;
    while ((at = memmem(p, (size_t) (end - p), mark, sizeof mark - 1))) {
        tn_text_addn(out, p, (size_t) (at - p));
        tn_text_add(out, name);
        p = at + sizeof mark - 1;
    }
    tn_text_addn(out, p, (size_t) (end - p));
}

static enum tn_code
schema_write(int root, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_free) char *json = tn_kind_schema_json(TN_N_KINDS);
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_text_add(&text, json);
    tn_text_addc(&text, '\n');
    return file_write(root, SCHEMA_PATH, &text, err);
}

static enum tn_code
files_write(int root, const char *forge, const char *name,
            struct tn_text *written, struct tn_error *err)
{
    enum tn_code code = schema_write(root, err);
    tn_text_add(written, SCHEMA_PATH "\n");
    for (const struct tn_scaffold_file *f = tn_scaffold_files; f->path && !code;
         f++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
        if (f->forge && !tn_streq(f->forge, forge)) {
            continue;
        }
        fill(&text, f, name);
        code = file_write(root, f->path, &text, err);
        tn_text_addf(written, "%s\n", f->path);
    }
    return code;
}

static enum tn_code
forge_check(const char *forge, struct tn_error *err)
{
    if (!forge || strcmp(forge, "none") == 0) {
        return TN_OK;
    }
    for (const struct tn_scaffold_file *f = tn_scaffold_files; f->path; f++) {
        if (tn_streq(f->forge, forge)) {
            return TN_OK;
        }
    }
    return tn_fail(err, TN_EINTENT, 0,
                   "there is no pipeline for '%.80s': gitlab, github, gitea or "
                   "none",
                   forge);
}

enum tn_code
tn_scaffold_write(const struct tn_scaffold *scaffold, struct tn_text *written,
                  struct tn_text *name, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_free) char *real = NULL;
    enum tn_code code = forge_check(scaffold->forge, err);
    if (!code && scaffold->name && !tn_is_label(scaffold->name)) {
        code = tn_fail(err, TN_EINTENT, 0,
                       "'%.80s' is no name: lower-case letters, digits and '-'",
                       scaffold->name);
    }
    code = code ? code : tn_dirs_make(scaffold->dir, 0777, err);
    code = code ? code : dir_check(scaffold->dir, err);
    if (code) {
        return code;
    }
    TN_CLEANUP(tn_cleanup_fd)
    int root = open(scaffold->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    real = realpath(scaffold->dir, NULL);
    if (root < 0 || !real) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "%s", scaffold->dir);
    }
    if (scaffold->name) {
        tn_text_add(name, scaffold->name);
    } else {
        name_make(real, name);
    }
    return files_write(root, scaffold->forge, tn_text_str(name), written, err);
}
