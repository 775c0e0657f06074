/* status.c - the status as it stands on the ref: reading the tree, finding
 * entries.
 *
 * Reads through a source, so that what is true of intent is true here: names
 * are judged, sizes bounded, nothing is checked out.  A file that cannot be
 * understood is reported and otherwise treated as absent; a damaged status must
 * never stop a run.  Writing is git_status.c. */
#include "reconciler/status/status.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/source/source.h"
#include "reconciler/status/entry.h"
#include "reconciler/status/load.h"
#include "reconciler/status/memo.h"

enum { ENTRY_MAX = 1024 * 1024, PINS_MAX = 16 * 1024 * 1024 };

struct loader {
    struct tn_source *source;
    struct tn_arena *arena;
    struct tn_status_memo *memo; /* Null: none. */
    bool vpcs_too;
    struct tn_status_pins *shared;
    TN_VEC(struct tn_status_device) devices;
    TN_VEC(struct tn_status_tenant) tenants;
    TN_VEC(struct tn_status_vpc) vpcs;
    TN_VEC(struct tn_pin) pins;
    TN_VEC(struct tn_status_damage) damaged;
};

const char *
tn_condition_name(enum tn_condition_type type)
{
    static const char *const names[TN_N_CONDITIONS] = {
        [TN_COND_READY] = "Ready",
        [TN_COND_DRIFTED] = "Drifted",
        [TN_COND_DEGRADED] = "Degraded",
    };
    return names[type];
}

const char *
tn_condition_status_name(enum tn_condition_status status)
{
    static const char *const names[] = {
        [TN_COND_UNKNOWN] = "Unknown",
        [TN_COND_FALSE] = "False",
        [TN_COND_TRUE] = "True",
    };
    return names[status];
}

static void
damaged(struct loader *l, const char *path, const char *message)
{
    *tn_vec_push(l->arena, &l->damaged) = (struct tn_status_damage){
        .path = tn_arena_strdup(l->arena, path),
        .message = tn_arena_strdup(l->arena, message)};
}

static void
damaged_by(struct loader *l, const char *path, const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    damaged(l, path, tn_error_text(err, text, sizeof text));
}

static size_t
list(struct loader *l, const char *path, const struct tn_entry **out)
{
    struct tn_error err = {0};
    struct tn_entry *entries = NULL;
    size_t n = 0;
    enum tn_code code =
        l->source->ops->list(l->source, path, l->arena, &entries, &n, &err);
    if (code && code != TN_ENOENT) {
        damaged_by(l, path, &err);
    }
    *out = entries;
    return code ? 0 : n;
}

static const char *
read_file(struct loader *l, const char *path, const struct tn_oid *id,
          size_t max, size_t *n)
{
    struct tn_error err = {0};
    const char *bytes = NULL;
    if (l->source->ops->read(l->source, path, id, max, l->arena, &bytes, n,
                             &err)) {
        damaged_by(l, path, &err);
        return NULL;
    }
    return bytes;
}

static void
load_entry(struct loader *l, enum tn_status_kind kind, const char *path,
           const struct tn_oid *id)
{
    const struct tn_entry_form *form = &tn_entry_forms[kind];
    union {
        struct tn_status_device device;
        struct tn_status_tenant tenant;
        struct tn_status_vpc vpc;
    } entry;
    size_t n = 0;
    const char *why = NULL;
    const char *bytes = read_file(l, path, id, ENTRY_MAX, &n);
    if (!bytes) {
        return;
    }
    if (!tn_entry_parse(l->arena, form, path, bytes, n, &entry, &why)) {
        damaged(l, path, why);
        return;
    }
    switch (kind) {
    case TN_STATUS_DEVICE:
        *tn_vec_push(l->arena, &l->devices) = entry.device;
        break;
    case TN_STATUS_TENANT:
        *tn_vec_push(l->arena, &l->tenants) = entry.tenant;
        break;
    case TN_STATUS_VPC:
        *tn_vec_push(l->arena, &l->vpcs) = entry.vpc;
        break;
    case TN_N_STATUS_KINDS:
        break;
    }
}

static void
load_files(struct loader *l, enum tn_status_kind kind, const char *dir)
{
    const struct tn_entry *entries = NULL;
    size_t n = list(l, dir, &entries);
    for (size_t i = 0; i < n; i++) {
        const char *path =
            tn_arena_printf(l->arena, "%s/%s", dir, entries[i].name);
        if (entries[i].type == TN_ENTRY_FILE) {
            load_entry(l, kind, path, &entries[i].id);
        } else {
            damaged(l, path, "nothing of this type belongs here");
        }
    }
}

/* The VPCs of a tenant, in the memo; null if they cannot be kept. */
static const struct tn_status_memo_folder *
vpcs_learn(struct loader *l, const char *dir, const struct tn_oid *tree)
{
    const struct tn_entry_form *form = &tn_entry_forms[TN_STATUS_VPC];
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct loader own = {.source = l->source, .arena = arena};
    load_files(&own, TN_STATUS_VPC, dir);
    const struct tn_status_memo_folder found = {own.vpcs.items, own.vpcs.n};
    return own.damaged.n
               ? NULL
               : tn_status_memo_folder_put(l->memo, dir, tree, form, &found);
}

static void
load_vpcs_of(struct loader *l, const char *dir, const struct tn_oid *tree)
{
    const struct tn_status_memo_folder *known = NULL;
    if (l->memo) {
        known = tn_status_memo_folder(l->memo, dir, tree);
        known = known ? known : vpcs_learn(l, dir, tree);
    }
    const struct tn_status_vpc *vpcs = known ? known->items : NULL;
    for (size_t i = 0; known && i < known->n; i++) {
        *tn_vec_push(l->arena, &l->vpcs) = vpcs[i];
    }
    if (!known) {
        load_files(l, TN_STATUS_VPC, dir);
    }
}

static void
load_vpcs(struct loader *l)
{
    const struct tn_entry *entries = NULL;
    size_t n = list(l, "vpcs", &entries);
    for (size_t i = 0; i < n; i++) {
        const char *path =
            tn_arena_printf(l->arena, "vpcs/%s", entries[i].name);
        if (entries[i].type == TN_ENTRY_DIR) {
            load_vpcs_of(l, path, &entries[i].id);
        } else {
            damaged(l, path, "nothing of this type belongs here");
        }
    }
}

static bool
pins_read(struct loader *l, const char *path, const struct tn_entry *entry,
          const char *tenant, struct tn_arena *arena,
          const struct tn_pin **pins, size_t *n_pins)
{
    struct loader own = {.source = l->source, .arena = arena};
    struct tn_diags diags;
    size_t n = 0;
    const char *bytes = read_file(&own, path, &entry->id, PINS_MAX, &n);
    tn_diags_init(&diags, arena);
    if (bytes &&
        tn_lock_parse(arena, path, tenant, bytes, n, pins, n_pins, &diags)) {
        return true;
    }
    if (own.damaged.n) {
        damaged(l, path, own.damaged.items[0].message);
    } else {
        damaged(l, path,
                diags.list.n ? diags.list.items[0].message : "not a lock");
    }
    return false;
}

/* From the memo, which has read the file if need be: nothing of the YAML stays
 * behind. */
static void
pins_learn(struct loader *l, const char *path, const struct tn_entry *entry,
           const char *tenant, const struct tn_pin **pins, size_t *n)
{
    if (!tn_status_memo_get(l->memo, path, &entry->id, l->arena, pins, n)) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        if (pins_read(l, path, entry, tenant, arena, pins, n)) {
            tn_status_memo_put(l->memo, path, &entry->id, *pins, *n);
            (void) tn_status_memo_get(l->memo, path, &entry->id, l->arena, pins,
                                      n);
        }
    }
}

static void
load_pins_of(struct loader *l, const char *path, const struct tn_entry *entry)
{
    size_t len = strlen(entry->name), n = 0;
    const struct tn_pin *pins = NULL;
    char *tenant = tn_arena_strdup(l->arena, entry->name);
    if (len > 4 && strcmp(tenant + len - 4, ".yml") == 0) {
        tenant[len - 4] = '\0';
    }
    if (entry->type != TN_ENTRY_FILE || strlen(tenant) == len ||
        !tn_is_label(tenant)) {
        damaged(l, path, "nothing of this name belongs here");
        return;
    }
    if (l->memo) {
        pins_learn(l, path, entry, tenant, &pins, &n);
    } else if (!pins_read(l, path, entry, tenant, l->arena, &pins, &n)) {
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        *tn_vec_push(l->arena, &l->pins) = pins[i];
    }
}

static void
load_pins(struct loader *l)
{
    const struct tn_entry *entries = NULL;
    size_t n = list(l, "allocations", &entries);
    for (size_t i = 0; i < n; i++) {
        load_pins_of(
            l, tn_arena_printf(l->arena, "allocations/%s", entries[i].name),
            &entries[i]);
    }
}

/* The id of a folder at the top; zero if there is none. */
static struct tn_oid
tree_of(struct loader *l, const char *dir)
{
    const struct tn_entry *entries = NULL;
    size_t n = list(l, "", &entries);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(entries[i].name, dir) == 0) {
            return entries[i].id;
        }
    }
    return (struct tn_oid){0};
}

static int
by_device(const void *a, const void *b)
{
    return strcmp(((const struct tn_status_device *) a)->name,
                  ((const struct tn_status_device *) b)->name);
}

static int
by_tenant(const void *a, const void *b)
{
    return strcmp(((const struct tn_status_tenant *) a)->name,
                  ((const struct tn_status_tenant *) b)->name);
}

static int
by_vpc(const void *a, const void *b)
{
    const struct tn_status_vpc *x = a, *y = b;
    int d = strcmp(x->tenant, y->tenant);
    return d ? d : strcmp(x->name, y->name);
}

static int
by_pin(const void *a, const void *b)
{
    const struct tn_pin *x = a, *y = b;
    int d = strcmp(x->tenant, y->tenant);
    return d ? d : strcmp(x->object, y->object);
}

/* Files sort by "hv1.yml", entries by "hv1". */
static void
sort(void *items, size_t n, size_t size, int (*by)(const void *, const void *))
{
    const char *at = items;
    size_t i = 1;
    while (i < n && by(at + (i - 1) * size, at + i * size) <= 0) {
        i++;
    }
    if (i < n) {
        qsort(items, n, size, by);
    }
}

/* All pins, in an arena that may outlive this. */
static void
share_pins(struct loader *l)
{
    const struct tn_oid tree = tree_of(l, "allocations");
    l->shared = tn_status_memo_pins(l->memo, &tree);
    if (l->shared) {
        return;
    }
    struct tn_arena *arena = tn_arena_new();
    struct loader own = {.source = l->source, .arena = arena, .memo = l->memo};
    load_pins(&own);
    sort(own.pins.items, own.pins.n, sizeof *own.pins.items, by_pin);
    l->shared = tn_status_pins_new(arena, own.pins.items, own.pins.n);
    for (size_t i = 0; i < own.damaged.n; i++) {
        damaged(l, own.damaged.items[i].path, own.damaged.items[i].message);
    }
    if (own.damaged.n == 0) {
        tn_status_memo_pins_put(l->memo, &tree, l->shared);
    }
}

static void
pins_of(struct loader *l, struct tn_status *out)
{
    if (l->memo) {
        share_pins(l);
        out->shared = l->shared;
        out->pins = l->shared->pins;
        out->n_pins = l->shared->n;
    } else {
        load_pins(l);
        sort(l->pins.items, l->pins.n, sizeof *l->pins.items, by_pin);
        out->pins = l->pins.items;
        out->n_pins = l->pins.n;
    }
}

static void
status_read(struct loader *l, struct tn_status *out)
{
    load_files(l, TN_STATUS_DEVICE, "devices");
    load_files(l, TN_STATUS_TENANT, "tenants");
    if (l->vpcs_too) {
        load_vpcs(l);
    }
    pins_of(l, out);
    sort(l->devices.items, l->devices.n, sizeof *l->devices.items, by_device);
    sort(l->tenants.items, l->tenants.n, sizeof *l->tenants.items, by_tenant);
    sort(l->vpcs.items, l->vpcs.n, sizeof *l->vpcs.items, by_vpc);
    out->id = tn_arena_strdup(l->arena, l->source->commit);
    out->devices = l->devices.items;
    out->n_devices = l->devices.n;
    out->tenants = l->tenants.items;
    out->n_tenants = l->tenants.n;
    out->vpcs = l->vpcs.items;
    out->n_vpcs = l->vpcs.n;
    out->damaged = l->damaged.items;
    out->n_damaged = l->damaged.n;
}

void
tn_status_read(struct tn_source *source, struct tn_arena *arena,
               struct tn_status *out)
{
    struct loader l = {.source = source, .arena = arena, .vpcs_too = true};
    *out = (struct tn_status){0};
    status_read(&l, out);
}

static enum tn_code
status_load(const char *path, const char *ref, struct loader *l,
            const struct tn_status **out, struct tn_error *err)
{
    struct tn_status *status = tn_new(l->arena, struct tn_status);
    enum tn_code code = tn_status_open(path, ref, &l->source, err);
    if (code) {
        return code;
    }
    if (l->source) {
        status_read(l, status);
        l->source->ops->free(l->source);
    }
    *out = status;
    return TN_OK;
}

enum tn_code
tn_status_load(const char *path, const char *ref, struct tn_arena *arena,
               const struct tn_status **out, struct tn_error *err)
{
    struct loader l = {.arena = arena, .vpcs_too = true};
    return status_load(path, ref, &l, out, err);
}

enum tn_code
tn_status_load_again(const char *path, const char *ref,
                     struct tn_status_memo *memo, struct tn_arena *arena,
                     const struct tn_status **out, struct tn_error *err)
{
    struct loader l = {.arena = arena, .memo = memo};
    enum tn_code code = status_load(path, ref, &l, out, err);
    tn_status_memo_sweep(memo, false);
    return code;
}

enum tn_code
tn_status_load_lent(const char *path, const char *ref,
                    struct tn_status_memo *memo, struct tn_arena *arena,
                    const struct tn_status **out, struct tn_error *err)
{
    struct loader l = {.arena = arena, .memo = memo, .vpcs_too = true};
    enum tn_code code = status_load(path, ref, &l, out, err);
    tn_status_memo_sweep(memo, true);
    return code;
}

const struct tn_status_device *
tn_status_device_get(const struct tn_status *status, const char *name)
{
    struct tn_status_device key = {.name = name};
    return status->n_devices ? bsearch(&key, status->devices, status->n_devices,
                                       sizeof key, by_device)
                             : NULL;
}

const struct tn_status_vpc *
tn_status_vpc_get(const struct tn_status *status, const char *tenant,
                  const char *name)
{
    struct tn_status_vpc key = {.tenant = tenant, .name = name};
    return status->n_vpcs
               ? bsearch(&key, status->vpcs, status->n_vpcs, sizeof key, by_vpc)
               : NULL;
}

const struct tn_status_tenant *
tn_status_tenant_get(const struct tn_status *status, const char *name)
{
    struct tn_status_tenant key = {.name = name};
    return status->n_tenants ? bsearch(&key, status->tenants, status->n_tenants,
                                       sizeof key, by_tenant)
                             : NULL;
}
