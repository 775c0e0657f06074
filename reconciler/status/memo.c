/* memo.c - see memo.h.  One arena a file or folder, so that one that changes
 * leaves nothing behind. */
#include "reconciler/status/memo.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"

struct item {
    struct tn_arena *arena; /* Of this, too. */
    const char *path;
    struct tn_oid id;
    bool used;
    /* A file of pins, or */
    const struct tn_pin *pins;
    size_t n;
    /* a folder. */
    struct tn_status_memo_folder folder;
};

struct list {
    TN_VEC(struct item *) items; /* In 'arena'. */
    struct tn_map by_path;
    struct tn_arena *arena;
};

struct tn_status_memo {
    struct list files, folders;
    struct tn_oid tree; /* Of 'pins'. */
    struct tn_status_pins *pins;
};

static void
list_init(struct list *list)
{
    *list = (struct list){.arena = tn_arena_new()};
    tn_map_init(&list->by_path, list->arena, 0);
}

static void
list_done(struct list *list)
{
    for (size_t i = 0; i < list->items.n; i++) {
        tn_arena_free(list->items.items[i]->arena);
    }
    tn_arena_free(list->arena);
}

static void
list_add(struct list *list, struct item *item)
{
    *tn_vec_push(list->arena, &list->items) = item;
    tn_map_put(&list->by_path, item->path, item);
}

/* Takes what is not used; 'used' begins anew. */
static void
list_sweep(struct list *list)
{
    struct list old = *list;
    list_init(list);
    for (size_t i = 0; i < old.items.n; i++) {
        struct item *item = old.items.items[i];
        if (item->used) {
            item->used = false;
            list_add(list, item);
        } else {
            tn_arena_free(item->arena);
        }
    }
    tn_arena_free(old.arena);
}

/* What is there under that path becomes unused: it is another one now. */
static struct item *
item_get(struct list *list, const char *path, const struct tn_oid *id)
{
    struct item *item = tn_map_get(&list->by_path, path);
    if (!item) {
        return NULL;
    }
    item->used = memcmp(&item->id, id, sizeof *id) == 0;
    return item->used ? item : NULL;
}

static struct item *
item_put(struct list *list, const char *path, const struct tn_oid *id)
{
    struct tn_arena *arena = tn_arena_new();
    struct item *item = tn_new(arena, struct item);
    struct item *old = tn_map_get(&list->by_path, path);
    *item = (struct item){.arena = arena,
                          .path = tn_arena_strdup(arena, path),
                          .id = *id,
                          .used = true};
    if (old) {
        old->used = false;
    }
    list_add(list, item);
    return item;
}

struct tn_status_memo *
tn_status_memo_new(void)
{
    struct tn_status_memo *memo = calloc(1, sizeof *memo);
    if (!memo) {
        abort();
    }
    list_init(&memo->files);
    list_init(&memo->folders);
    return memo;
}

static void
pins_unref(struct tn_status_pins *pins)
{
    if (pins && atomic_fetch_sub(&pins->refs, 1) == 1) {
        tn_arena_free(pins->arena);
    }
}

void
tn_status_memo_free(struct tn_status_memo *memo)
{
    if (memo) {
        list_done(&memo->files);
        list_done(&memo->folders);
        pins_unref(memo->pins);
        free(memo);
    }
}

void
tn_status_done(const struct tn_status *status)
{
    if (status) {
        pins_unref(status->shared);
    }
}

struct tn_status_pins *
tn_status_pins_new(struct tn_arena *arena, const struct tn_pin *pins, size_t n)
{
    struct tn_status_pins *all = tn_new(arena, struct tn_status_pins);
    atomic_init(&all->refs, 1);
    all->arena = arena;
    all->pins = pins;
    all->n = n;
    return all;
}

struct tn_status_pins *
tn_status_memo_pins(struct tn_status_memo *memo, const struct tn_oid *tree)
{
    if (!memo->pins || memcmp(&memo->tree, tree, sizeof *tree) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < memo->files.items.n; i++) {
        memo->files.items.items[i]->used = true;
    }
    atomic_fetch_add(&memo->pins->refs, 1);
    return memo->pins;
}

void
tn_status_memo_pins_put(struct tn_status_memo *memo, const struct tn_oid *tree,
                        struct tn_status_pins *pins)
{
    pins_unref(memo->pins);
    atomic_fetch_add(&pins->refs, 1);
    memo->pins = pins;
    memo->tree = *tree;
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

bool
tn_status_memo_get(struct tn_status_memo *memo, const char *path,
                   const struct tn_oid *id, struct tn_arena *arena,
                   const struct tn_pin **pins, size_t *n)
{
    const struct item *file = item_get(&memo->files, path, id);
    if (!file) {
        return false;
    }
    *pins = pins_copy(arena, file->pins, file->n);
    *n = file->n;
    return true;
}

void
tn_status_memo_put(struct tn_status_memo *memo, const char *path,
                   const struct tn_oid *id, const struct tn_pin *pins, size_t n)
{
    struct item *file = item_put(&memo->files, path, id);
    file->pins = pins_copy(file->arena, pins, n);
    file->n = n;
}

const struct tn_status_memo_folder *
tn_status_memo_folder(struct tn_status_memo *memo, const char *path,
                      const struct tn_oid *tree)
{
    struct item *item = item_get(&memo->folders, path, tree);
    return item ? &item->folder : NULL;
}

static const char *
own(struct tn_arena *arena, const char *text)
{
    return text ? tn_arena_strdup(arena, text) : NULL;
}

static void
members_own(struct tn_arena *arena, const struct tn_entry_member *m,
            void *entry)
{
    for (; m->name; m++) {
        const char **text = (void *) ((char *) entry + m->offset);
        *text = own(arena, *text);
    }
}

static void
devices_own(struct tn_arena *arena, struct tn_status_vpc *vpc)
{
    const char **names = tn_new_n(arena, const char *, vpc->n_devices);
    for (size_t i = 0; i < vpc->n_devices; i++) {
        names[i] = own(arena, vpc->devices[i]);
    }
    vpc->devices = names;
}

void
tn_status_entry_own(struct tn_arena *arena, const struct tn_entry_form *form,
                    void *entry)
{
    struct tn_status_head *head = (void *) ((char *) entry + form->head);
    members_own(arena, form->names, entry);
    members_own(arena, form->texts, entry);
    head->commit = own(arena, head->commit);
    for (size_t i = 0; i < TN_N_CONDITIONS; i++) {
        head->conditions[i].reason = own(arena, head->conditions[i].reason);
        head->conditions[i].message = own(arena, head->conditions[i].message);
    }
    if (form->has_devices) {
        devices_own(arena, entry);
    }
}

const struct tn_status_memo_folder *
tn_status_memo_folder_put(struct tn_status_memo *memo, const char *path,
                          const struct tn_oid *tree,
                          const struct tn_entry_form *form,
                          const struct tn_status_memo_folder *items)
{
    struct item *item = item_put(&memo->folders, path, tree);
    char *copy = tn_arena_alloc(item->arena, items->n * form->size);
    if (items->n) {
        memcpy(copy, items->items, items->n * form->size);
    }
    for (size_t i = 0; i < items->n; i++) {
        tn_status_entry_own(item->arena, form, copy + i * form->size);
    }
    item->folder = (struct tn_status_memo_folder){copy, items->n};
    return &item->folder;
}

void
tn_status_memo_sweep(struct tn_status_memo *memo, bool folders)
{
    list_sweep(&memo->files);
    if (folders) {
        list_sweep(&memo->folders);
    }
}
