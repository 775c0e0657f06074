/* claims.c - hosts beside each other: what no two of them may share, which
 * hypervisors make up a cloud, and which can have ports of one VPC.
 *
 * Two devices must not share a tunnel endpoint, nor the namespace or the
 * database that stands for the machine: each would undo what the other does.
 * Hosts come by name, so that the later one is to blame.  A host that is
 * refused keeps what it claimed, so that one mistake is not told as two. */
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

struct claims {
    struct tn_inv *inv;
    struct tn_map by; /* "VARIABLE VALUE" to the name of a host. */
};

/* The socket that Open vSwitch makes on each machine. */
static const char *const own_sockets[] = {
    "unix:/run/openvswitch/db.sock",
    "unix:/var/run/openvswitch/db.sock",
};

static struct tn_origin
var_at(const struct tn_inventory_host *host, const char *variable)
{
    const struct tn_var *var = tn_inventory_var(host, variable);

    return var ? tn_at(var->path, var->value->at) : host->at;
}

/* True if nobody had it.  'among' narrows down whom it is compared with. */
static bool
claim(struct claims *c, const struct tn_host *host, const char *variable,
      const char *value, const char *among)
{
    const struct tn_inventory_host *raw = &host->raw;
    const char *key =
        tn_arena_printf(c->inv->arena, "%s %s %s", variable, value, among);
    const char *other = tn_map_get(&c->by, key);

    if (!other) {
        tn_map_put(&c->by, key, (void *) (uintptr_t) raw->name);
    }
    if (!other || strcmp(other, raw->name) == 0) {
        return true;
    }
    tn_diag(c->inv->diags, TN_ERROR, var_at(raw, variable),
            "%s %s of host '%s' is that of host '%s' already", variable, value,
            raw->name, other);
    return false;
}

static bool
is_own_socket(const char *remote)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(own_sockets); i++) {
        if (strcmp(own_sockets[i], remote) == 0) {
            return true;
        }
    }
    return false;
}

static bool
claim_remotes(struct claims *c, const struct tn_host *host,
              const char *variable, const char *remotes)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text one = {0};
    bool ok = true;

    while (remotes && ok) {
        remotes = tn_inv_remote_next(remotes, &one);
        ok = is_own_socket(tn_text_str(&one)) ||
             claim(c, host, variable, tn_text_str(&one), "");
    }
    return ok;
}

/* A manager serves several hosts only if each has a project of its own. */
static bool
claim_managers(struct claims *c, const struct tn_host *host, const char *urls)
{
    const char *project = host->config.nsx_project;
    bool ok = true;

    while (urls && *urls && ok) {
        size_t n = strcspn(urls, ",");
        ok = claim(c, host, "tenet_nsx_url",
                   tn_arena_strndup(c->inv->arena, urls, n),
                   project ? project : "");
        urls += n + (urls[n] == ',');
    }
    return ok;
}

static bool
claim_all(struct claims *c, const struct tn_host *host)
{
    const struct tn_host_config *config = &host->config;
    char text[TN_ADDR_TEXT];
    bool ok = true;

    if (!config->driver) {
        return true;
    }
    if (tn_addr_present(&config->underlay)) {
        ok &= claim(c, host, "tenet_underlay_address",
                    tn_addr_format(&config->underlay, text), "");
    }
    if (config->kernel_netns && strcmp(config->driver, "kernel") == 0) {
        ok &= claim(c, host, "tenet_kernel_netns", config->kernel_netns, "");
    }
    if (config->ovs_system_id && config->ovn) {
        ok &= claim(c, host, "tenet_ovs_system_id", config->ovs_system_id,
                    config->ovn);
    }
    ok &= claim_remotes(c, host, "tenet_ovsdb_remote", config->ovsdb_remote);
    ok &=
        claim_remotes(c, host, "tenet_ovn_southbound", config->ovn_southbound);
    ok &= claim_managers(c, host, config->nsx_url);
    return ok;
}

static int
cmp_name(const void *name, const void *host)
{
    return strcmp(name, ((const struct tn_host *) host)->raw.name);
}

static struct tn_host *
find(struct tn_host *hosts, size_t n, const char *name)
{
    return n ? bsearch(name, hosts, n, sizeof *hosts, cmp_name) : NULL;
}

/* The variable by which a host belongs to a cloud, and the cloud's driver. */
static const char *
cloud_of(const struct tn_host_config *config, const char **var,
         const char **driver)
{
    bool nsx = config->nsx != NULL;
    *var = nsx ? "tenet_nsx" : "tenet_ovn";
    *driver = nsx ? "nsx" : "ovn";
    return nsx ? config->nsx : config->ovn;
}

/* False if a host's variable names no cloud.  One that is not whole was refused
 * already. */
static bool
check_cloud(struct tn_inv *inv, const struct tn_host *host,
            struct tn_host *hosts, size_t n, const struct tn_map *refused)
{
    const char *var, *driver, *name = cloud_of(&host->config, &var, &driver);
    const char *near;
    const struct tn_host *cloud = name ? find(hosts, n, name) : NULL;
    TN_VEC(const char *) names = {0};
    struct tn_diag *d;

    if (!name || (cloud && tn_streq(cloud->config.driver, driver)) ||
        tn_map_get(refused, name)) {
        return true;
    }
    d = tn_diag(inv->diags, TN_ERROR, var_at(&host->raw, var),
                cloud ? "%s of host '%s' must name a host with "
                        "tenet_driver %s: '%s' has not"
                      : "%s of host '%s' must name a host with "
                        "tenet_driver %s: there is no host '%s'",
                var, host->raw.name, driver, name);
    for (size_t i = 0; i < n; i++) {
        if (tn_streq(hosts[i].config.driver, driver)) {
            *tn_vec_push(inv->arena, &names) = hosts[i].raw.name;
        }
    }
    near = tn_nearest(name, names.items, names.n);
    d->hint =
        near ? tn_arena_printf(inv->arena, "did you mean '%s'?", near) : NULL;
    return false;
}

bool
tn_host_is_anybodys(const struct tn_host *host)
{
    return tn_streq(host->config.driver, "memory");
}

bool
tn_hosts_join(const struct tn_host *a, const struct tn_host *b)
{
    return a == b || tn_host_is_anybodys(a) || tn_host_is_anybodys(b) ||
           a->cloud == b || b->cloud == a ||
           (tn_streq(a->config.driver, b->config.driver) &&
            !tn_streq(a->config.driver, "nsx") && a->cloud == b->cloud);
}

const char *
tn_host_engine(const struct tn_host *host)
{
    return host->cloud ? host->cloud->config.driver : host->config.driver;
}

size_t
tn_inv_claims(struct tn_inv *inv, struct tn_host *hosts, size_t n,
              struct tn_inv_names *refused)
{
    bool *bad = tn_new_n(inv->arena, bool, n);
    struct claims claims = {.inv = inv};
    struct tn_map gone;
    size_t kept = 0;

    tn_map_init(&claims.by, inv->arena, n);
    tn_map_init(&gone, inv->arena, refused->list.n);
    for (size_t i = 0; i < refused->list.n; i++) {
        tn_map_put(&gone, refused->list.items[i], inv);
    }
    for (size_t i = 0; i < n; i++) {
        bad[i] = !claim_all(&claims, &hosts[i]);
        bad[i] = !check_cloud(inv, &hosts[i], hosts, n, &gone) || bad[i];
    }
    for (size_t i = 0; i < n; i++) {
        if (bad[i]) {
            *tn_vec_push(inv->arena, &refused->list) = hosts[i].raw.name;
        } else {
            hosts[kept++] = hosts[i];
        }
    }
    for (size_t i = 0; i < kept; i++) {
        const char *var, *driver;
        const char *cloud = cloud_of(&hosts[i].config, &var, &driver);

        hosts[i].cloud = cloud ? find(hosts, kept, cloud) : NULL;
    }
    return kept;
}
