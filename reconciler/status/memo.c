/* memo.c - see memo.h.  One arena a file, so that a file that changes leaves
 * nothing behind. */
#include "reconciler/status/memo.h"

#include <stdlib.h>
#include <string.h>

struct file {
    struct file *next;
    struct tn_arena *arena; /* Of this, too. */
    const char *path;
    struct tn_oid id;
    const struct tn_pin *pins;
    size_t n;
    bool used;
};

struct tn_status_memo {
    struct file *files;
};

struct tn_status_memo *
tn_status_memo_new(void)
{
    struct tn_status_memo *memo = calloc(1, sizeof *memo);
    if (!memo) {
        abort();
    }
    return memo;
}

static void
files_free(struct file *files)
{
    for (struct file *f = files, *next = NULL; f; f = next) {
        next = f->next;
        tn_arena_free(f->arena);
    }
}

void
tn_status_memo_free(struct tn_status_memo *memo)
{
    if (memo) {
        files_free(memo->files);
        free(memo);
    }
}

/* All of a file are of one tenant. */
static struct tn_pin *
pins_copy(struct tn_arena *arena, const struct tn_pin *pins, size_t n)
{
    struct tn_pin *out = tn_new_n(arena, struct tn_pin, n);
    const char *tenant = n ? tn_arena_strdup(arena, pins[0].tenant) : NULL;
    for (size_t i = 0; i < n; i++) {
        out[i] = pins[i];
        out[i].tenant = tenant;
        out[i].object = tn_arena_strdup(arena, pins[i].object);
    }
    return out;
}

/* Takes the file out of the list. */
static struct file *
file_take(struct tn_status_memo *memo, const char *path)
{
    for (struct file **f = &memo->files; *f; f = &(*f)->next) {
        struct file *it = *f;
        if (strcmp(it->path, path) == 0) {
            *f = it->next;
            it->next = NULL;
            return it;
        }
    }
    return NULL;
}

bool
tn_status_memo_get(struct tn_status_memo *memo, const char *path,
                   const struct tn_oid *id, struct tn_arena *arena,
                   const struct tn_pin **pins, size_t *n)
{
    struct file *f = memo->files;
    while (f && strcmp(f->path, path) != 0) {
        f = f->next;
    }
    if (!f || memcmp(&f->id, id, sizeof *id) != 0) {
        return false;
    }
    f->used = true;
    *pins = pins_copy(arena, f->pins, f->n);
    *n = f->n;
    return true;
}

void
tn_status_memo_put(struct tn_status_memo *memo, const char *path,
                   const struct tn_oid *id, const struct tn_pin *pins, size_t n)
{
    struct tn_arena *arena = tn_arena_new();
    struct file *f = tn_new(arena, struct file);
    files_free(file_take(memo, path));
    *f = (struct file){
        .next = memo->files,
        .arena = arena,
        .path = tn_arena_strdup(arena, path),
        .id = *id,
        .pins = pins_copy(arena, pins, n),
        .n = n,
        .used = true,
    };
    memo->files = f;
}

void
tn_status_memo_sweep(struct tn_status_memo *memo)
{
    for (struct file **f = &memo->files; *f;) {
        struct file *it = *f;
        if (it->used) {
            it->used = false;
            f = &it->next;
        } else {
            *f = it->next;
            tn_arena_free(it->arena);
        }
    }
}
