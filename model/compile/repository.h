/* repository.h - the shape of an intent repository: which files there are.
 *
 * Knows names, types and counts, never contents.  Content of a repository is
 * hostile: what is not a plain file or directory is refused, names and counts
 * are bounded before anything is read. */
#ifndef TN_COMPILE_REPOSITORY_H
#define TN_COMPILE_REPOSITORY_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/diag.h"
#include "model/source.h"

enum {
    TN_REPO_TENANT_FILES = 20000, /* A tenant's documents. */
    TN_REPO_FILES = 100000,       /* All tenants' documents. */
    TN_REPO_DEPTH = 16,           /* Directories below tenants/<tenant>. */
};
#define TN_REPO_TENANT_BYTES ((size_t) 256 << 20)

/* A directory of tenants/. */
struct tn_repo_tenant {
    const char *name;    /* Printable, whatever the entry is called. */
    const char *path;    /* "tenants/<name>" */
    struct tn_oid id;    /* Not known for a working tree. */
    const char *refused; /* Why it cannot be read; null if it can. */
};

/* A document file, or the tenant's lock. */
struct tn_repo_file {
    const char *path;
    struct tn_oid id;
};

struct tn_repo_files {
    struct tn_repo_file *items; /* By path. */
    size_t n;
    struct tn_repo_file lock; /* path null: there is none. */
};

/* The tenants, by name.  TN_EINTENT with a finding for everybody if there is
 * not one.  New in 'arena'. */
enum tn_code tn_repo_tenants(struct tn_source *source, struct tn_arena *arena,
                             struct tn_repo_tenant **out, size_t *n,
                             struct tn_diags *diags,
                             struct tn_error *err) TN_MUST_USE;

/* The files of a tenant; what is wrong with them goes to 'diags', and what is
 * right is listed even then.  New in 'arena'. */
enum tn_code tn_repo_walk(struct tn_source *source,
                          const struct tn_repo_tenant *tenant,
                          struct tn_arena *arena, struct tn_repo_files *out,
                          struct tn_diags *diags,
                          struct tn_error *err) TN_MUST_USE;

/* The entry 'name' of the directory 'path'; TN_ENOENT without a message. */
enum tn_code tn_repo_entry(struct tn_source *source, const char *path,
                           const char *name, struct tn_arena *arena,
                           struct tn_entry *out,
                           struct tn_error *err) TN_MUST_USE;

#endif
