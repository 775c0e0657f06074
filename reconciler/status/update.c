/* update.c - what an update changes in the status tree, as a list of files.
 *
 * Reads the former entry of each name that the update speaks of and no other,
 * so that the cost goes with the update and not with the cloud.  Writing the
 * files into Git is git_status.c. */
#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"
#include "reconciler/status/entry.h"
#include "reconciler/status/load.h"

enum { ENTRY_MAX = 1024 * 1024, PINS_MAX = 16 * 1024 * 1024 };

struct differ {
    struct tn_source *source; /* Null: no tree yet. */
    struct tn_arena *arena;
    const struct tn_status_update *update;
    int64_t now;
    struct tn_text text; /* Being printed. */
    struct tn_map put;   /* Paths that the update speaks of. */
    struct tn_status_edits edits;
};

/* The former bytes of a file; null if there is none that can be read. */
static const char *
former_bytes(struct differ *d, const char *path, size_t max, size_t *n)
{
    static const struct tn_oid unknown;
    const char *bytes = NULL;
    if (!d->source || d->source->ops->read(d->source, path, &unknown, max,
                                           d->arena, &bytes, n, NULL)) {
        return NULL;
    }
    return bytes;
}

static void
add_edit(struct differ *d, const char *path)
{
    *tn_vec_push(d->arena, &d->edits.list) = (struct tn_status_edit){
        .path = path,
        .bytes = tn_arena_strndup(d->arena, tn_text_str(&d->text), d->text.n),
        .n = d->text.n,
    };
}

static void
put_entry(struct differ *d, const struct tn_entry_form *form,
          const void *update)
{
    const char *path = tn_entry_path(d->arena, form, update);
    const char *why = NULL;
    size_t n = 0;
    void *former = tn_arena_calloc(d->arena, 2, form->size);
    void *merged = (char *) former + form->size;
    const char *bytes = former_bytes(d, path, ENTRY_MAX, &n);
    bool had =
        bytes && tn_entry_parse(d->arena, form, path, bytes, n, former, &why);
    tn_map_put(&d->put, path, merged);
    if (tn_entry_merge(d->arena, form, had ? former : NULL, update, d->now,
                       merged)) {
        tn_text_clear(&d->text);
        tn_entry_print(&d->text, form, merged);
        add_edit(d, path);
    }
}

/* Those of one tenant. */
static size_t
pins_of(const struct tn_status *status, const char *tenant,
        const struct tn_pin **out)
{
    size_t from = 0, end = status->n_pins;
    while (from < end) {
        size_t mid = from + (end - from) / 2;
        if (strcmp(status->pins[mid].tenant, tenant) < 0) {
            from = mid + 1;
        } else {
            end = mid;
        }
    }
    *out = status->pins + from;
    while (end < status->n_pins &&
           strcmp(status->pins[end].tenant, tenant) == 0) {
        end++;
    }
    return end - from;
}

static bool
same_pin(const struct tn_pin *a, const struct tn_pin *b)
{
    return a->vni == b->vni && tn_mac_cmp(&a->mac, &b->mac) == 0 &&
           tn_addr_cmp(&a->address, &b->address) == 0 &&
           tn_addr_cmp(&a->address6, &b->address6) == 0 &&
           strcmp(a->object, b->object) == 0;
}

/* The ref was read where it stands now, and they were the same. */
static bool
are_pins_there(const struct differ *d, const struct tn_pin *pins, size_t n)
{
    const struct tn_status *since = d->update->since;
    const struct tn_pin *old = NULL;
    if (!since || !since->id || !d->source ||
        strcmp(since->id, d->source->commit) != 0 ||
        pins_of(since, pins[0].tenant, &old) != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!same_pin(&old[i], &pins[i])) {
            return false;
        }
    }
    return true;
}

static void
put_pins(struct differ *d, const struct tn_pin *pins, size_t n)
{
    size_t len = 0;
    const char *path = tn_arena_printf(d->arena, "allocations/%s",
                                       tn_entry_file(d->arena, pins[0].tenant));
    tn_map_put(&d->put, path, d);
    if (are_pins_there(d, pins, n)) {
        return;
    }
    tn_text_clear(&d->text);
    tn_lock_print(&d->text, pins, n);
    const char *bytes = former_bytes(d, path, PINS_MAX, &len);
    if (!bytes || len != d->text.n ||
        memcmp(bytes, tn_text_str(&d->text), len) != 0) {
        add_edit(d, path);
    }
}

static void
put_all(struct differ *d)
{
    const struct tn_status_update *u = d->update;
    for (size_t i = 0; i < u->n_devices; i++) {
        put_entry(d, &tn_entry_forms[TN_STATUS_DEVICE], &u->devices[i]);
    }
    for (size_t i = 0; i < u->n_tenants; i++) {
        put_entry(d, &tn_entry_forms[TN_STATUS_TENANT], &u->tenants[i]);
    }
    for (size_t i = 0; i < u->n_vpcs; i++) {
        put_entry(d, &tn_entry_forms[TN_STATUS_VPC], &u->vpcs[i]);
    }
    for (size_t i = 0; i < u->n_pins;) {
        size_t end = i + 1;
        while (end < u->n_pins &&
               strcmp(u->pins[end].tenant, u->pins[i].tenant) == 0) {
            end++;
        }
        put_pins(d, &u->pins[i], end - i);
        i = end;
    }
}

/* Forgets the file 'dir/file' if there is one and nobody put it. */
static void
drop(struct differ *d, const char *dir, const char *file)
{
    struct tn_entry *entries = NULL;
    size_t n = 0;
    const char *path = tn_arena_printf(d->arena, "%s/%s", dir, file);
    if (!d->source || tn_map_get(&d->put, path) ||
        d->source->ops->list(d->source, dir, d->arena, &entries, &n, NULL)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(entries[i].name, file) == 0) {
            tn_map_put(&d->put, path, d);
            *tn_vec_push(d->arena, &d->edits.list) =
                (struct tn_status_edit){.path = path};
        }
    }
}

static const char *
vpc_dir(struct differ *d, const char *tenant)
{
    const char *file = tn_entry_file(d->arena, tenant);
    return tn_arena_printf(d->arena, "vpcs/%.*s", (int) (strlen(file) - 4),
                           file);
}

static void
drop_tenant(struct differ *d, const char *tenant)
{
    struct tn_entry *entries = NULL;
    size_t n = 0;
    const char *file = tn_entry_file(d->arena, tenant);
    const char *dir = vpc_dir(d, tenant);
    drop(d, "tenants", file);
    drop(d, "allocations", file);
    if (d->source &&
        !d->source->ops->list(d->source, dir, d->arena, &entries, &n, NULL)) {
        for (size_t i = 0; i < n; i++) {
            drop(d, dir, entries[i].name);
        }
    }
}

static void
drop_all(struct differ *d)
{
    const struct tn_status_update *u = d->update;
    for (size_t i = 0; i < u->n_drop_devices; i++) {
        drop(d, "devices", tn_entry_file(d->arena, u->drop_devices[i]));
    }
    for (size_t i = 0; i < u->n_drop_vpcs; i++) {
        const char *slash = strchr(u->drop_vpcs[i], '/');
        if (slash) {
            const char *tenant = tn_arena_strndup(
                d->arena, u->drop_vpcs[i], (size_t) (slash - u->drop_vpcs[i]));
            drop(d, vpc_dir(d, tenant), tn_entry_file(d->arena, slash + 1));
        }
    }
    for (size_t i = 0; i < u->n_drop_tenants; i++) {
        drop_tenant(d, u->drop_tenants[i]);
    }
    /* Without a pin there is no file to put, but there may be an old one. */
    for (size_t i = 0; i < u->n_tenants; i++) {
        if (!u->tenants[i].head.keep) {
            drop(d, "allocations", tn_entry_file(d->arena, u->tenants[i].name));
        }
    }
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const struct tn_status_edit *) a)->path,
                  ((const struct tn_status_edit *) b)->path);
}

static const char *
readme(void)
{
    return "# What tenet did\n"
           "\n"
           "This branch is written by tenet and by nobody else. It says what "
           "became of the\n"
           "intent in this repository; nothing here is intent, and changes "
           "made here are lost.\n"
           "\n"
           "- `devices/<device>.yml`: the commit that the device holds, its "
           "conditions, counts\n"
           "- `tenants/<tenant>.yml`, `vpcs/<tenant>/<vpc>.yml`: the same by "
           "tenant and VPC\n"
           "- `allocations/<tenant>.yml`: identifiers in use (VNI, MAC, "
           "address), so that\n"
           "  they stay what they are\n"
           "- `snapshots/<device>/`: what the device was seen to hold, for "
           "`tenet plan --offline`\n"
           "- `quarantine.yml`: commits that are not applied, and why\n"
           "\n"
           "Conditions: Ready (holds what the commit asks for, verified), "
           "Drifted (somebody\n"
           "else changed it since), Degraded (something could not be applied "
           "or reached).\n"
           "A commit is made when something changes in meaning. `tenet "
           "status` shows it all.\n"
           "If this branch is lost, the next apply writes it again.\n";
}

/* The page that explains the ref rides along with other changes only. */
static void
put_readme(struct differ *d)
{
    size_t n = 0;
    const char *bytes = former_bytes(d, "README.md", ENTRY_MAX, &n);
    if (d->edits.list.n > 0 && !(bytes && strcmp(bytes, readme()) == 0)) {
        tn_text_clear(&d->text);
        tn_text_add(&d->text, readme());
        add_edit(d, "README.md");
    }
}

/* Names become parts of paths. */
static enum tn_code
check_names(const struct tn_status_update *u, struct tn_error *err)
{
    const char *bad = NULL;
    for (size_t i = 0; i < u->n_devices; i++) {
        bad = u->devices[i].name[0] ? bad : "device";
    }
    for (size_t i = 0; i < u->n_tenants; i++) {
        bad = u->tenants[i].name[0] ? bad : "tenant";
    }
    for (size_t i = 0; i < u->n_vpcs; i++) {
        bad = u->vpcs[i].name[0] && u->vpcs[i].tenant[0] ? bad : "VPC";
    }
    return bad ? tn_fail(err, TN_EINTERNAL, 0, "status of a %s without a name",
                         bad)
               : TN_OK;
}

enum tn_code
tn_status_diff(struct tn_source *source, const struct tn_status_update *update,
               int64_t now, struct tn_arena *arena,
               const struct tn_status_edit **out, size_t *n,
               struct tn_error *err)
{
    struct differ d = {
        .source = source, .arena = arena, .update = update, .now = now};
    enum tn_code code = check_names(update, err);
    if (code) {
        return code;
    }
    tn_map_init(&d.put, arena, update->n_devices + update->n_vpcs);
    put_all(&d);
    drop_all(&d);
    code = tn_status_put_files(source, update, arena, &d.edits, err);
    put_readme(&d);
    tn_text_done(&d.text);
    if (code) {
        return code;
    }
    if (d.edits.list.n > 1) {
        qsort(d.edits.list.items, d.edits.list.n, sizeof *d.edits.list.items,
              by_path);
    }
    *out = d.edits.list.items;
    *n = d.edits.list.n;
    return TN_OK;
}
