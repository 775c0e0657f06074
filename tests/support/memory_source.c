/* memory_source.c - a tn_source over an array of files sorted by path.
 *
 * Sorted lazily, at the first question after a change, so that thousands of
 * files can be added in any order.  A directory is the run of files whose
 * paths start with its name: found by binary search, listed by one walk.
 * Copies made by dup() share nothing, which is simple and slow enough that a
 * benchmark should use a real source. */
#include "tests/support/memory_source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "model/base/cleanup.h"
#include "model/base/digest.h"
#include "model/base/text.h"

struct file {
    char *path;
    char *bytes; /* Null for an entry that is no plain file. */
    size_t n;
    uint64_t serial; /* Of two with one path the later one counts. */
};

struct memory_source {
    struct tn_source base; /* Must be first. */
    struct file *files;
    size_t n, cap;
    uint64_t serial;
    bool sorted;
    char *failing;
};

static struct memory_source *
self(struct tn_source *source)
{
    return (struct memory_source *) source;
}

static void *
must(void *p)
{
    if (!p) {
        perror("memory_source");
        abort();
    }
    return p;
}

static char *
copy_bytes(const void *bytes, size_t n)
{
    char *copy = must(malloc(n + 1));

    memcpy(copy, bytes, n);
    copy[n] = '\0';
    return copy;
}

static void
file_done(struct file *f)
{
    free(f->path);
    free(f->bytes);
    *f = (struct file){0};
}

static int
file_cmp(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    int c = strcmp(x->path, y->path);

    return c ? c : (x->serial > y->serial) - (x->serial < y->serial);
}

static void
sort(struct memory_source *m)
{
    size_t out = 0;

    if (m->sorted || m->n == 0) {
        return;
    }
    qsort(m->files, m->n, sizeof *m->files, file_cmp);
    for (size_t i = 0; i < m->n; i++) {
        if (i + 1 < m->n &&
            strcmp(m->files[i].path, m->files[i + 1].path) == 0) {
            file_done(&m->files[i]);
        } else {
            m->files[out++] = m->files[i];
        }
    }
    m->n = out;
    m->sorted = true;
}

/* The first file whose path is not below 'path'. */
static size_t
lower_bound(const struct memory_source *m, const char *path)
{
    size_t lo = 0, hi = m->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (strcmp(m->files[mid].path, path) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void
id_of(const struct file *f, struct tn_digester *d)
{
    tn_digester_add_str(d, f->path);
    tn_digester_add(d, &f->n, sizeof f->n);
    if (f->bytes) {
        tn_digester_add(d, f->bytes, f->n);
    }
}

static struct tn_oid
oid_of(const struct tn_digest *digest)
{
    struct tn_oid id = {{0}};

    memcpy(id.b, digest->b, 20);
    return id;
}

static int
entry_cmp(const void *a, const void *b)
{
    return strcmp(((const struct tn_entry *) a)->name,
                  ((const struct tn_entry *) b)->name);
}

/* One entry of a directory, from the files [i, end) that are in it. */
static struct tn_entry
entry_of(const struct memory_source *m, struct tn_arena *arena, size_t skip,
         size_t i, size_t *end)
{
    const char *rest = m->files[i].path + skip;
    const char *slash = strchr(rest, '/');
    size_t len = slash ? (size_t) (slash - rest) : strlen(rest);
    struct tn_entry e = {.name = tn_arena_strndup(arena, rest, len)};
    struct tn_digester d;
    struct tn_digest digest;

    if (!slash) {
        const struct file *f = &m->files[i];

        *end = i + 1;
        e.type = f->bytes ? TN_ENTRY_FILE : TN_ENTRY_OTHER;
        digest = tn_digest_of(f->bytes ? f->bytes : "", f->n);
        e.id = oid_of(&digest);
        return e;
    }
    tn_digester_init(&d);
    for (*end = i; *end < m->n && strncmp(m->files[*end].path, m->files[i].path,
                                          skip + len + 1) == 0;
         (*end)++) {
        id_of(&m->files[*end], &d);
    }
    digest = tn_digester_end(&d);
    e.type = TN_ENTRY_DIR;
    e.id = oid_of(&digest);
    return e;
}

static enum tn_code
check_failing(const struct memory_source *m, const char *path,
              struct tn_error *err)
{
    if (tn_streq(m->failing, path)) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "%s: made to fail", path);
    }
    return TN_OK;
}

static enum tn_code
memory_list(struct tn_source *source, const char *path, struct tn_arena *arena,
            struct tn_entry **out, size_t *n, struct tn_error *err)
{
    struct memory_source *m = self(source);
    enum tn_code code = check_failing(m, path, err);
    TN_CLEANUP(tn_cleanup_text) struct tn_text prefix = {0};
    TN_VEC(struct tn_entry) entries = {0};

    if (code) {
        return code;
    }
    sort(m);
    if (path[0]) {
        tn_text_addf(&prefix, "%s/", path);
    }
    for (size_t i = lower_bound(m, tn_text_str(&prefix)); i < m->n;) {
        if (strncmp(m->files[i].path, tn_text_str(&prefix), prefix.n) != 0) {
            break;
        }
        *tn_vec_push(arena, &entries) = entry_of(m, arena, prefix.n, i, &i);
    }
    if (entries.n == 0 && path[0]) {
        return tn_fail(err, TN_ENOENT, 0, "%s: no such directory", path);
    }
    if (entries.n) {
        qsort(entries.items, entries.n, sizeof *entries.items, entry_cmp);
    }
    *out = entries.items;
    *n = entries.n;
    return TN_OK;
}

static enum tn_code
memory_read(struct tn_source *source, const char *path, const struct tn_oid *id,
            size_t max, struct tn_arena *arena, const char **bytes, size_t *n,
            struct tn_error *err)
{
    struct memory_source *m = self(source);
    enum tn_code code = check_failing(m, path, err);
    size_t i;

    (void) id;
    if (code) {
        return code;
    }
    sort(m);
    i = lower_bound(m, path);
    if (i == m->n || strcmp(m->files[i].path, path) != 0 ||
        !m->files[i].bytes) {
        return tn_fail(err, TN_ENOENT, 0, "%s: no such file", path);
    }
    if (m->files[i].n > max) {
        return tn_fail(err, TN_EINTENT, 0, "%s: larger than %zu bytes", path,
                       max);
    }
    *bytes = tn_arena_strndup(arena, m->files[i].bytes, m->files[i].n);
    *n = m->files[i].n;
    return TN_OK;
}

static enum tn_code
memory_dup(struct tn_source *source, struct tn_source **out,
           struct tn_error *err)
{
    struct memory_source *m = self(source);
    struct memory_source *copy = self(tn_memory_source_new());

    (void) err;
    sort(m);
    copy->files = must(calloc(m->n + 1, sizeof *copy->files));
    copy->cap = m->n + 1;
    copy->sorted = true;
    for (; copy->n < m->n; copy->n++) {
        const struct file *from = &m->files[copy->n];
        struct file *to = &copy->files[copy->n];

        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): sort() keeps these. */
        to->path = must(strdup(from->path));
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        to->bytes = from->bytes ? copy_bytes(from->bytes, from->n) : NULL;
        to->n = from->n;
        to->serial = copy->serial++;
    }
    tn_memory_source_fail(&copy->base, m->failing);
    memcpy(copy->base.commit, source->commit, sizeof source->commit);
    *out = &copy->base;
    return TN_OK;
}

static void
memory_free(struct tn_source *source)
{
    struct memory_source *m = self(source);

    if (!m) {
        return;
    }
    for (size_t i = 0; i < m->n; i++) {
        file_done(&m->files[i]);
    }
    free(m->files);
    free(m->failing);
    free(m);
}

static void
add(struct tn_source *source, const char *path, char *bytes, size_t n)
{
    struct memory_source *m = self(source);

    if (m->n == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 64;
        m->files = must(realloc(m->files, m->cap * sizeof *m->files));
    }
    m->files[m->n++] = (struct file){must(strdup(path)), bytes, n, m->serial++};
    m->sorted = false;
}

static enum tn_code
add_file(struct tn_source *source, const char *path, const char *from,
         struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(from, "rbe");
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    char block[16384];
    size_t got;

    if (!f) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "%s", from);
    }
    while ((got = fread(block, 1, sizeof block, f)) > 0) {
        tn_text_addn(&text, block, got);
    }
    tn_memory_source_add_bytes(source, path, tn_text_str(&text), text.n);
    return TN_OK;
}

static void
cleanup_dir(DIR **dir)
{
    if (*dir) {
        closedir(*dir);
    }
}

/* ------------------------------------------------------------- public ---- */

struct tn_source *
tn_memory_source_new(void)
{
    static const struct tn_source_ops ops = {memory_list, memory_read,
                                             memory_dup, memory_free};
    struct memory_source *m = must(calloc(1, sizeof *m));

    m->base.ops = &ops;
    m->base.label = "memory";
    return &m->base;
}

void
tn_memory_source_add(struct tn_source *source, const char *path,
                     const char *text)
{
    tn_memory_source_add_bytes(source, path, text, strlen(text));
}

void
tn_memory_source_add_bytes(struct tn_source *source, const char *path,
                           const void *bytes, size_t n)
{
    add(source, path, copy_bytes(bytes, n), n);
}

void
tn_memory_source_add_other(struct tn_source *source, const char *path)
{
    add(source, path, NULL, 0);
}

void
tn_memory_source_remove(struct tn_source *source, const char *path)
{
    struct memory_source *m = self(source);
    size_t len = strlen(path), out = 0;

    for (size_t i = 0; i < m->n; i++) {
        const char *p = m->files[i].path;

        if (strncmp(p, path, len) == 0 && (p[len] == '\0' || p[len] == '/')) {
            file_done(&m->files[i]);
        } else {
            m->files[out++] = m->files[i];
        }
    }
    m->n = out;
}

enum tn_code
tn_memory_source_add_tree(struct tn_source *source, const char *path,
                          const char *from, struct tn_error *err)
{
    TN_CLEANUP(cleanup_dir) DIR *dir = opendir(from);
    const struct dirent *e;
    enum tn_code code = TN_OK;

    if (!dir) {
        return tn_fail_sys(err, TN_ENOENT, errno, "%s", from);
    }
    while (!code && (e = readdir(dir))) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text to = {0};
        TN_CLEANUP(tn_cleanup_text) struct tn_text at = {0};
        struct stat st;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        tn_text_addf(&to, "%s%s%s", path, path[0] ? "/" : "", e->d_name);
        tn_text_addf(&at, "%s/%s", from, e->d_name);
        if (lstat(at.s, &st) < 0) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "%s", at.s);
        }
        if (S_ISDIR(st.st_mode)) {
            code = tn_memory_source_add_tree(source, to.s, at.s, err);
        } else if (S_ISREG(st.st_mode)) {
            code = add_file(source, to.s, at.s, err);
        } else {
            tn_memory_source_add_other(source, to.s);
        }
    }
    return code;
}

void
tn_memory_source_fail(struct tn_source *source, const char *path)
{
    struct memory_source *m = self(source);

    free(m->failing);
    m->failing = path ? must(strdup(path)) : NULL;
}
