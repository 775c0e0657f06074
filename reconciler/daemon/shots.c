/* shots.c - see shots.h. */
#include "reconciler/daemon/shots.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"

struct tn_shot {
    struct tn_shot *next;
    struct tn_arena *arena; /* Of the folder and of this. */
    const struct tn_status_folder *folder;
    bool sent;
};

void
tn_shots_done(struct tn_shots *shots)
{
    for (struct tn_shot *s = shots->first, *next = NULL; s; s = next) {
        next = s->next;
        tn_arena_free(s->arena);
    }
    shots->first = NULL;
}

void
tn_shots_add(struct tn_shots *shots, struct tn_arena *arena,
             const struct tn_status_folder *folder)
{
    struct tn_shot *shot = tn_new(arena, struct tn_shot);
    *shot = (struct tn_shot){.arena = arena, .folder = folder};
    if (!folder->part) {
        tn_shots_done(shots); /* It says all that they say. */
    }
    struct tn_shot **end = &shots->first;
    while (*end) {
        end = &(*end)->next;
    }
    *end = shot;
}

struct merge {
    struct tn_arena *arena;
    struct tn_map by_path; /* Index into 'files' + 1. */
    TN_VEC(struct tn_status_file) files;
};

static void
file_put(struct merge *m, const struct tn_status_file *from)
{
    size_t at = (size_t) (uintptr_t) tn_map_get(&m->by_path, from->path);
    const char *path = tn_arena_strdup(m->arena, from->path);
    struct tn_status_file *to =
        at ? &m->files.items[at - 1] : tn_vec_push(m->arena, &m->files);
    if (!at) {
        tn_map_put(&m->by_path, path, (void *) (uintptr_t) m->files.n);
    }
    *to = *from;
    to->path = path;
    if (from->bytes) {
        to->bytes = tn_arena_strndup(m->arena, from->bytes, from->n);
    }
}

bool
tn_shots_send(struct tn_shots *shots, struct tn_arena *arena,
              struct tn_status_folder *out)
{
    struct merge m = {.arena = arena};
    if (!shots->first) {
        return false;
    }
    tn_map_init(&m.by_path, arena, shots->first->folder->n_files);
    for (struct tn_shot *s = shots->first; s; s = s->next) {
        for (size_t i = 0; i < s->folder->n_files; i++) {
            file_put(&m, &s->folder->files[i]);
        }
        s->sent = true;
    }
    *out = (struct tn_status_folder){
        .path = tn_arena_strdup(arena, shots->first->folder->path),
        .files = m.files.items,
        .n_files = m.files.n,
        .part = shots->first->folder->part,
    };
    return true;
}

void
tn_shots_sent(struct tn_shots *shots, bool arrived)
{
    for (struct tn_shot **p = &shots->first; *p;) {
        struct tn_shot *s = *p;
        if (arrived && s->sent) {
            *p = s->next;
            tn_arena_free(s->arena);
        } else {
            s->sent = false;
            p = &s->next;
        }
    }
}
