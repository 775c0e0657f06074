/* example_source.c - a handful of files in memory as a tn_source: the intent
 * repository of an example. */
#include "reconciler/policy/example.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"

struct example_source {
    struct tn_source base; /* First. */
    struct tn_example_file files[TN_EXAMPLE_FILES];
    size_t n; /* By path. */
};

static struct tn_oid
id_of(const void *bytes, size_t n)
{
    struct tn_digest d = tn_digest_of(bytes, n);
    struct tn_oid id = {{0}};
    memcpy(id.b, d.b, 20);
    return id;
}

static enum tn_code
example_list(struct tn_source *source, const char *path, struct tn_arena *arena,
             struct tn_entry **out, size_t *n, struct tn_error *err)
{
    const struct example_source *s = (const struct example_source *) source;
    size_t skip = strlen(path);
    TN_VEC(struct tn_entry) list = {0};
    for (size_t i = 0; i < s->n; i++) {
        const char *p = s->files[i].path;
        if (strncmp(p, path, skip) != 0 || (skip && p[skip] != '/')) {
            continue;
        }
        const char *rest = p + skip + (skip > 0);
        const char *name = tn_arena_strndup(arena, rest, strcspn(rest, "/"));
        if (list.n && strcmp(list.items[list.n - 1].name, name) == 0) {
            continue;
        }
        *tn_vec_push(arena, &list) = (struct tn_entry){
            .name = name,
            .type = strchr(rest, '/') ? TN_ENTRY_DIR : TN_ENTRY_FILE,
            .id = strchr(rest, '/')
                      ? (struct tn_oid){{0}}
                      : id_of(s->files[i].text, strlen(s->files[i].text)),
        };
    }
    if (list.n == 0 && skip) {
        return tn_fail(err, TN_ENOENT, 0, "%s: no such directory", path);
    }
    *out = list.items;
    *n = list.n;
    return TN_OK;
}

static enum tn_code
example_read(struct tn_source *source, const char *path,
             const struct tn_oid *id, size_t max, struct tn_arena *arena,
             const char **bytes, size_t *n, struct tn_error *err)
{
    const struct example_source *s = (const struct example_source *) source;
    (void) id;
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->files[i].path, path) == 0) {
            *n = strlen(s->files[i].text);
            if (*n > max) {
                return tn_fail(err, TN_EINTENT, 0, "%s: too large", path);
            }
            *bytes = tn_arena_strndup(arena, s->files[i].text, *n);
            return TN_OK;
        }
    }
    return tn_fail(err, TN_ENOENT, 0, "%s: no such file", path);
}

static enum tn_code
example_dup(struct tn_source *source, struct tn_source **out,
            struct tn_error *err)
{
    struct example_source *copy = malloc(sizeof *copy);
    if (!copy) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    memcpy(copy, source, sizeof *copy);
    *out = &copy->base;
    return TN_OK;
}

static void
example_free(struct tn_source *source)
{
    free(source);
}

enum tn_code
tn_example_source(const struct tn_example_file *files, size_t n,
                  struct tn_source **out, struct tn_error *err)
{
    static const struct tn_source_ops ops = {example_list, example_read,
                                             example_dup, example_free};
    struct example_source *s = calloc(1, sizeof *s);
    if (!s) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    s->base.ops = &ops;
    s->base.label = "example";
    s->n = n < TN_EXAMPLE_FILES ? n : TN_EXAMPLE_FILES;
    memcpy(s->files, files, s->n * sizeof *files);
    *out = &s->base;
    return TN_OK;
}
