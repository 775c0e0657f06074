/* load.c - a snapshot from the status ref, made fit to be planned against.
 *
 * Reads through a source, as everything that is read from Git: names are
 * judged, sizes bounded, nothing is checked out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/snapshot/fingerprint.h"
#include "reconciler/snapshot/snapshot.h"
#include "reconciler/status/entry.h"

enum { DEPTH = 2 };

struct loader {
    struct tn_source *source;
    struct tn_arena *arena;
    size_t skip; /* Bytes of the paths that lead to the folder. */
    size_t n_bytes;
    TN_VEC(struct tn_status_file) files;
};

static enum tn_code
file_load(struct loader *l, const char *path, const struct tn_oid *id,
          struct tn_error *err)
{
    struct tn_status_file *file = tn_vec_push(l->arena, &l->files);
    *file = (struct tn_status_file){.path = path + l->skip};
    if (l->files.n > TN_SNAPSHOT_FILES || l->n_bytes > TN_SNAPSHOT_BYTES) {
        return tn_fail(err, TN_EINTENT, 0, "snapshot: too much to be read");
    }
    enum tn_code code =
        l->source->ops->read(l->source, path, id, TN_SNAPSHOT_FILE_BYTES,
                             l->arena, &file->bytes, &file->n, err);
    l->n_bytes += code ? 0 : file->n;
    return code;
}

static enum tn_code
folder_load(struct loader *l, const char *path, unsigned depth,
            struct tn_error *err)
{
    struct tn_entry *entries = NULL;
    size_t n = 0;
    enum tn_code code =
        l->source->ops->list(l->source, path, l->arena, &entries, &n, err);
    for (size_t i = 0; !code && i < n; i++) {
        const char *below =
            tn_arena_printf(l->arena, "%s/%s", path, entries[i].name);
        if (entries[i].type == TN_ENTRY_DIR && depth < DEPTH) {
            code = folder_load(l, below, depth + 1, err);
        } else if (entries[i].type == TN_ENTRY_FILE) {
            code = file_load(l, below, &entries[i].id, err);
        } else {
            code = tn_fail(err, TN_EINTENT, 0,
                           "snapshot: %s: nothing of this type belongs here",
                           below);
        }
    }
    return code;
}

enum tn_code
tn_snapshot_load(struct tn_source *status, const char *device,
                 struct tn_arena *arena, struct tn_snapshot *out,
                 struct tn_error *err)
{
    struct loader l = {.source = status, .arena = arena};
    struct tn_snapshot snapshot = {0};
    const char *folder = tn_arena_printf(arena, "snapshots/%s",
                                         tn_entry_component(arena, device));
    l.skip = strlen(folder) + 1;
    enum tn_code code = folder_load(&l, folder, 0, err);
    if (code == TN_ENOENT) {
        return tn_fail(err, TN_ENOENT, 0,
                       "the status ref has no snapshot of %s", device);
    }
    if (!code) {
        code =
            tn_snapshot_decode(arena, l.files.items, l.files.n, &snapshot, err);
    }
    if (!code && strcmp(snapshot.meta.device, device) != 0) {
        code = tn_fail(err, TN_EINTENT, 0,
                       "the snapshot in %s says that it is of another device",
                       folder);
    }
    if (!code) {
        *out = snapshot;
    }
    return code;
}

/* The value of that attribute in a state, null if there is none. */
static const char *
known_value(const struct tn_state *state, const char *key, const char *attr)
{
    const struct tn_resource *r = state ? tn_state_get(state, key) : NULL;
    return r ? tn_resource_attr(r, attr) : NULL;
}

static void
attr_reveal(struct tn_attr *a, const char *key_of,
            const char *const candidates[2], const struct tn_digest *key,
            struct tn_snapshot_secrets *out)
{
    char buf[TN_SNAPSHOT_FINGERPRINT];
    if (!key || a->value[0] == '\0') {
        const char *guess = candidates[0] ? candidates[0] : candidates[1];
        a->value = guess ? guess : a->value;
        out->n_not_compared++;
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (candidates[i] &&
            strcmp(tn_snapshot_fingerprint(key, key_of, a->name, candidates[i],
                                           buf),
                   a->value) == 0) {
            a->value = candidates[i];
            out->n_equal++;
            return;
        }
    }
    out->n_other++;
}

void
tn_snapshot_reveal(struct tn_arena *arena, struct tn_snapshot *snapshot,
                   const struct tn_state *want, const struct tn_state *last,
                   const struct tn_digest *key, struct tn_snapshot_secrets *out)
{
    *out = (struct tn_snapshot_secrets){0};
    if (snapshot->n_secrets == 0) {
        return;
    }
    struct tn_state *state = snapshot->state;
    struct tn_resource *items = tn_new_n(arena, struct tn_resource, state->n);
    for (size_t i = 0; i < state->n; i++) {
        struct tn_resource *r = &items[i];
        *r = state->items[i];
        struct tn_attr *attrs = tn_new_n(arena, struct tn_attr, r->n_attrs);
        for (size_t k = 0; k < r->n_attrs; k++) {
            attrs[k] = r->attrs[k];
            if (attrs[k].secret) {
                const char *const candidates[2] = {
                    known_value(want, r->key, attrs[k].name),
                    known_value(last, r->key, attrs[k].name)};
                attr_reveal(&attrs[k], r->key, candidates, key, out);
            }
        }
        r->attrs = attrs;
    }
    state->items = items;
}

const struct tn_state *
tn_snapshot_overlay(struct tn_arena *arena, const struct tn_state *before,
                    const struct tn_state *now, const char *const *scopes,
                    size_t n_scopes)
{
    struct tn_state *out = tn_new(arena, struct tn_state);
    struct tn_resource *items =
        tn_new_n(arena, struct tn_resource, before->n + now->n);
    size_t i = 0, k = 0;
    while (i < before->n || k < now->n) {
        const struct tn_resource *b = i < before->n ? &before->items[i] : NULL;
        const struct tn_resource *a = k < now->n ? &now->items[k] : NULL;
        int c = !b ? 1 : !a ? -1 : strcmp(b->key, a->key);
        if (b && c <= 0 && !tn_texts_has(scopes, n_scopes, b->scope)) {
            items[out->n++] = *b;
        } else if (a && c >= 0 && tn_texts_has(scopes, n_scopes, a->scope)) {
            items[out->n++] = *a;
        }
        i += c <= 0;
        k += c >= 0;
    }
    out->device = before->device;
    out->items = items;
    return out;
}

const char *
tn_snapshot_age(int64_t observed, int64_t now, char buf[TN_SNAPSHOT_AGE])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    int64_t age = now > observed ? now - observed : 0;
    size_t u = 0;
    while (u < TN_ARRAY_SIZE(units) - 1 && age < units[u].seconds) {
        u++;
    }
    long long n = (long long) (age / units[u].seconds);
    snprintf(buf, TN_SNAPSHOT_AGE, "%lld %s%s", n, units[u].name,
             n == 1 ? "" : "s");
    return buf;
}
