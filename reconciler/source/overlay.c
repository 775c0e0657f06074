/* overlay.c - see overlay.h.
 *
 * Paths are compared, nothing is read ahead: an overlay costs what the calls
 * cost that it passes on.  Directories keep the content ids that they have in
 * their own tree, so that caches know them. */
#include "reconciler/source/overlay.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"

struct patch {
    const char *parent, *name, *path; /* Of the directory: parent/name. */
    struct tn_oid id;
    size_t other;
};

struct overlay {
    struct tn_source source;
    struct tn_source *base;
    struct tn_arena *arena;
    TN_VEC(struct tn_source *) others;
    TN_VEC(struct patch) patches;
};

static struct overlay *
overlay_of(struct tn_source *source)
{
    return (struct overlay *) source;
}

/* Whose tree 'path' is in. */
static struct tn_source *
source_of(const struct overlay *o, const char *path)
{
    for (size_t i = 0; i < o->patches.n; i++) {
        const struct patch *p = &o->patches.items[i];
        size_t n = strlen(p->path);
        if (strncmp(path, p->path, n) == 0 &&
            (path[n] == '\0' || path[n] == '/')) {
            return o->others.items[p->other];
        }
    }
    return o->base;
}

static enum tn_code
overlay_list(struct tn_source *source, const char *path, struct tn_arena *arena,
             struct tn_entry **out, size_t *n, struct tn_error *err)
{
    const struct overlay *o = overlay_of(source);
    struct tn_source *from = source_of(o, path);
    enum tn_code code = from->ops->list(from, path, arena, out, n, err);
    for (size_t i = 0; !code && from == o->base && i < o->patches.n; i++) {
        const struct patch *p = &o->patches.items[i];
        for (size_t k = 0; strcmp(p->parent, path) == 0 && k < *n; k++) {
            if (strcmp((*out)[k].name, p->name) == 0) {
                (*out)[k].type = TN_ENTRY_DIR;
                (*out)[k].id = p->id;
            }
        }
    }
    return code;
}

static enum tn_code
overlay_read(struct tn_source *source, const char *path,
             const struct tn_oid *id, size_t max, struct tn_arena *arena,
             const char **bytes, size_t *n, struct tn_error *err)
{
    struct tn_source *from = source_of(overlay_of(source), path);
    return from->ops->read(from, path, id, max, arena, bytes, n, err);
}

static void
overlay_free(struct tn_source *source)
{
    if (!source) {
        return;
    }
    struct overlay *o = overlay_of(source);
    for (size_t i = 0; i < o->others.n; i++) {
        o->others.items[i]->ops->free(o->others.items[i]);
    }
    if (o->base) {
        o->base->ops->free(o->base);
    }
    tn_arena_free(o->arena);
    free(o);
}

static enum tn_code overlay_dup(struct tn_source *source,
                                struct tn_source **out, struct tn_error *err);

static const struct tn_source_ops overlay_ops = {
    .list = overlay_list,
    .read = overlay_read,
    .dup = overlay_dup,
    .free = overlay_free,
};

static struct overlay *
overlay_make(const struct tn_source *like)
{
    struct overlay *o = calloc(1, sizeof *o);
    if (!o) {
        abort();
    }
    o->arena = tn_arena_new();
    o->source = (struct tn_source){
        .ops = &overlay_ops,
        .label = tn_arena_strdup(o->arena, like->label),
    };
    memcpy(o->source.commit, like->commit, sizeof o->source.commit);
    return o;
}

static void
patch_add(struct overlay *o, const struct patch *p)
{
    *tn_vec_push(o->arena, &o->patches) = (struct patch){
        .parent = tn_arena_strdup(o->arena, p->parent),
        .name = tn_arena_strdup(o->arena, p->name),
        .path = tn_arena_printf(o->arena, "%s/%s", p->parent, p->name),
        .id = p->id,
        .other = p->other,
    };
}

static enum tn_code
overlay_dup(struct tn_source *source, struct tn_source **out,
            struct tn_error *err)
{
    const struct overlay *from = overlay_of(source);
    struct overlay *o = overlay_make(source);
    enum tn_code code = from->base->ops->dup(from->base, &o->base, err);
    for (size_t i = 0; !code && i < from->others.n; i++) {
        struct tn_source *other = from->others.items[i], *copy = NULL;
        code = other->ops->dup(other, &copy, err);
        if (!code) {
            *tn_vec_push(o->arena, &o->others) = copy;
        }
    }
    if (code) {
        overlay_free(&o->source);
        return code;
    }
    for (size_t i = 0; i < from->patches.n; i++) {
        patch_add(o, &from->patches.items[i]);
    }
    *out = &o->source;
    return TN_OK;
}

struct tn_source *
tn_overlay_new(struct tn_source *base)
{
    struct overlay *o = overlay_make(base);
    o->base = base;
    return &o->source;
}

struct tn_source *
tn_overlay_other(const struct tn_source *overlay, const char *commit)
{
    const struct overlay *o = (const struct overlay *) overlay;
    for (size_t i = 0; i < o->others.n; i++) {
        if (strcmp(o->others.items[i]->commit, commit) == 0) {
            return o->others.items[i];
        }
    }
    return NULL;
}

static size_t
other_take(struct overlay *o, struct tn_source *other)
{
    size_t i = 0;
    while (i < o->others.n && o->others.items[i] != other) {
        i++;
    }
    if (i == o->others.n) {
        *tn_vec_push(o->arena, &o->others) = other;
    }
    return i;
}

enum tn_code
tn_overlay_put(struct tn_source *overlay, const char *parent, const char *name,
               struct tn_source *other, struct tn_error *err)
{
    struct overlay *o = overlay_of(overlay);
    struct patch p = {.parent = parent, .name = name};
    struct tn_entry *entries = NULL;
    size_t n = 0;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    p.other = other_take(o, other);
    enum tn_code code =
        other->ops->list(other, parent, arena, &entries, &n, err);
    if (code) {
        return code;
    }
    for (size_t i = 0; i < n; i++) {
        if (entries[i].type == TN_ENTRY_DIR &&
            strcmp(entries[i].name, name) == 0) {
            p.id = entries[i].id;
            patch_add(o, &p);
            return TN_OK;
        }
    }
    return tn_fail(err, TN_ENOENT, 0, "%s has no directory %s/%s", other->label,
                   parent, name);
}
