/* world.c - settings, inventory and what follows from them.
 *
 * A host that only another environment has is not an error where this one is
 * compiled: the port belongs there.  So the other inventories are read too,
 * for the names of their hosts; what is wrong with them is found when they are
 * compiled themselves. */
#include "model/compile/world.h"

#include <stdio.h>
#include <string.h>

#include "model/base/text.h"
#include "model/compile/read.h"

enum { VNI_FROM = 4096, VNI_TO = (1 << 24) - 1, MOST_ENVIRONMENTS = 64 };

static const char mac_prefix_default[] = "02:74:6e";

struct environments {
    const char *names[MOST_ENVIRONMENTS];
    size_t n;
};

static enum tn_code
refuse(struct tn_diags *diags, struct tn_error *err, const char *path,
       const char *why)
{
    tn_diag(diags, TN_ERROR, (struct tn_origin){path, 0, 0}, "%s", why);
    return tn_fail(err, TN_EINTENT, 0, "%s: %s", path, why);
}

static enum tn_code
environments_list(struct tn_source *source, struct tn_arena *arena,
                  struct environments *out, struct tn_diags *diags,
                  struct tn_error *err)
{
    struct tn_entry *entries = NULL;
    size_t n = 0;
    enum tn_code code =
        source->ops->list(source, "inventories", arena, &entries, &n, err);
    if (code && code != TN_ENOENT) {
        return code;
    }
    for (size_t i = 0; i < n; i++) {
        if (entries[i].type == TN_ENTRY_DIR && out->n < MOST_ENVIRONMENTS) {
            out->names[out->n++] = entries[i].name;
        }
    }
    return out->n ? TN_OK
                  : refuse(diags, err, "inventories",
                           "there is no environment: no directory with a "
                           "hosts.yml");
}

static enum tn_code
environment_choose(const struct tn_compile_options *options,
                   const struct environments *all, struct tn_world *w,
                   struct tn_diags *diags, struct tn_error *err)
{
    const char *wanted = options->environment;
    if (!wanted) {
        wanted = w->settings->default_environment.v;
    }
    if (!wanted && all->n == 1) {
        wanted = all->names[0];
    }
    for (size_t i = 0; wanted && i < all->n; i++) {
        if (strcmp(all->names[i], wanted) == 0) {
            w->environment = all->names[i];
            return TN_OK;
        }
    }
    struct tn_origin at = {"inventories", 0, 0};
    if (!options->environment && w->settings->default_environment.v) {
        at = tn_at("tenet.yml", w->settings->default_environment.at);
    }
    struct tn_diag *d;
    if (wanted) {
        d = tn_diag(diags, TN_ERROR, at, "there is no environment '%s'",
                    wanted);
    } else {
        d = tn_diag(diags, TN_ERROR, at,
                    "there are %zu environments and none was chosen", all->n);
        d->hint = "set defaultEnvironment in tenet.yml";
    }
    const char *near = wanted ? tn_nearest(wanted, all->names, all->n) : NULL;
    if (near) {
        d->hint = tn_arena_printf(diags->arena, "did you mean '%s'?", near);
    }
    return tn_fail(err, TN_EINTENT, 0, "%s", d->message);
}

static void
hosts_index(struct tn_world *w, struct tn_arena *arena)
{
    const struct tn_inventory *inv = w->inventory;
    const char **names = tn_new_n(arena, const char *, inv->n_hosts);
    tn_map_init(&w->hosts, arena, inv->n_hosts);
    for (size_t i = 0; i < inv->n_hosts; i++) {
        names[i] = inv->hosts[i].raw.name;
        tn_map_put(&w->hosts, names[i], (void *) (uintptr_t) &inv->hosts[i]);
    }
    w->host_names = names;
}

static void
elsewhere_add(struct tn_world *w, const struct tn_inventory *inv,
              struct tn_digester *digester)
{
    for (size_t i = 0; i < inv->n_hosts + inv->n_refused; i++) {
        const char *name = i < inv->n_hosts ? inv->hosts[i].raw.name
                                            : inv->refused[i - inv->n_hosts];
        tn_digester_add_str(digester, name);
        tn_map_put(&w->elsewhere, name, (void *) (uintptr_t) inv->environment);
    }
}

static enum tn_code
inventory_load(struct tn_source *source, struct tn_arena *arena,
               struct tn_world *w, struct tn_diags *diags, struct tn_error *err)
{
    size_t before = diags->n_errors;
    enum tn_code code = tn_inventory_load(source, w->environment, arena,
                                          &w->inventory, diags, err);
    if (!code && diags->n_errors > before) {
        code = tn_fail(err, TN_EINTENT, 0, "inventories/%s has errors",
                       w->environment);
    }
    if (!code) {
        hosts_index(w, arena);
    }
    return code;
}

static enum tn_code
elsewhere_load(struct tn_source *source, const struct environments *all,
               struct tn_arena *arena, struct tn_world *w,
               struct tn_digester *digester, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    tn_map_init(&w->elsewhere, arena, 0);
    for (size_t i = 0; i < all->n && !code; i++) {
        const struct tn_inventory *other = NULL;
        struct tn_diags ignored;
        tn_diags_init(&ignored, arena);
        if (strcmp(all->names[i], w->environment) != 0) {
            code = tn_inventory_load(source, all->names[i], arena, &other,
                                     &ignored, err);
        }
        if (!code && other) {
            elsewhere_add(w, other, digester);
        }
    }
    return code;
}

static void
pools_set(struct tn_world *w)
{
    const struct tn_settings *s = w->settings;
    w->vni_from = s->vni.from.v ? (uint32_t) s->vni.from.v : VNI_FROM;
    w->vni_to = s->vni.to.v ? (uint32_t) s->vni.to.v : VNI_TO;
    const char *prefix = s->mac_prefix.v ? s->mac_prefix.v : mac_prefix_default;
    char whole[TN_MAC_TEXT + 16];
    struct tn_mac mac = {{0}};
    snprintf(whole, sizeof whole, "%.8s:00:00:00", prefix);
    if (!tn_mac_parse(whole, &mac)) {
        snprintf(whole, sizeof whole, "%s:00:00:00", mac_prefix_default);
        (void) !tn_mac_parse(whole, &mac);
    }
    w->mac_prefix = mac;
}

enum tn_code
tn_world_load(struct tn_source *source,
              const struct tn_compile_options *options, struct tn_arena *arena,
              struct tn_world *out, struct tn_diags *diags,
              struct tn_error *err)
{
    struct tn_oid id;
    struct environments all = {0};
    struct tn_digester digester;
    *out = (struct tn_world){.pins = options->pins, .n_pins = options->n_pins};
    enum tn_code code =
        tn_read_settings(source, arena, &out->settings, &id, diags, err);
    if (!code) {
        code = environments_list(source, arena, &all, diags, err);
    }
    if (!code) {
        code = environment_choose(options, &all, out, diags, err);
    }
    if (code) {
        return code;
    }
    pools_set(out);
    tn_digester_init(&digester);
    tn_digester_add(&digester, &id, sizeof id);
    code = inventory_load(source, arena, out, diags, err);
    if (!code) {
        tn_digester_add_str(&digester, out->environment);
        tn_digester_add(&digester, &out->inventory->digest,
                        sizeof out->inventory->digest);
        code = elsewhere_load(source, &all, arena, out, &digester, err);
    }
    if (!code) {
        code = tn_world_externals(arena, out, diags, err);
    }
    out->digest = tn_digester_end(&digester);
    return code;
}
