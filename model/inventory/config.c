/* config.c - the variables that tenet reads from an inventory.
 *
 * One table says of each: its type, its bounds, its default and what it is
 * for; decoder, suggestions and the page docs/host-variables.md come from it.
 * Variables are judged where they are defined, once, though many hosts may
 * inherit them; a host is whole if what it ends up with is.
 *
 * The prefix tenet_ is ours: an unknown name there is an error, not somebody
 * else's variable. */
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

enum var_type {
    VAR_CHOICE,  /* One of 'choices'. */
    VAR_LABEL,   /* RFC 1123. */
    VAR_ADDRESS, /* A unicast address. */
    VAR_UINT,    /* min..max */
    VAR_BOOL,
    VAR_NETNS,     /* A name under /run/netns. */
    VAR_PATH,      /* A file of the machine that tenet runs on. */
    VAR_HOST,      /* A host of the inventory. */
    VAR_REMOTES,   /* Where a database is: remote.c. */
    VAR_SYSTEM_ID, /* The name of a chassis. */
    VAR_BRIDGE,    /* The name of an interface. */
    VAR_MAPPINGS,  /* Networks and the bridges that lead to them. */
};

struct known_var {
    const char *name;
    enum var_type type;
    const char *const *choices; /* Null-terminated. */
    uint32_t min, max;
    const char *fallback; /* As documented; null: none. */
    const char *help;
};

enum {
    MTU_MIN = 576,
    MTU_MAX = 65535,
    MTU_DEFAULT = 1500,
    NETNS_MAX = 64,
    SYSTEM_ID_MAX = 253,
    INTERFACE_MAX = 15,
};

static const char prefix[] = "tenet_";
static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
static const char *const drivers[] = {"kernel", "memory", "openvswitch", "ovn",
                                      NULL};
static const char *const datapaths[] = {"system", "netdev", NULL};
static const char *const ovn_encapsulations[] = {"geneve", "vxlan", NULL};
static const char *const ovn_waits[] = {"hypervisors", "northd", "none", NULL};

#define OVS_SOCKET "unix:/var/run/openvswitch/db.sock"
#define OVN_SOCKET "unix:/var/run/ovn/ovnnb_db.sock"

/* Sorted by name. */
static const struct known_var known[] = {
    {.name = "tenet_driver",
     .type = VAR_CHOICE,
     .choices = drivers,
     .help = "The driver that realises networks on this host. A host without "
             "it is no device: no port can be on it. `openvswitch` is the "
             "Open_vSwitch database of a hypervisor; `ovn` is the OVN "
             "Northbound database of a cloud, on which no port can be: ports "
             "are on the hypervisors whose `tenet_ovn` names it."},
    {.name = "tenet_kernel_netns",
     .type = VAR_NETNS,
     .help = "For labs: the network namespace that stands for this host, as "
             "`ip netns` names it. Its VPC namespaces carry the name as a "
             "prefix. Without it, the driver acts in the namespace that tenet "
             "runs in."},
    {.name = "tenet_memory_atomic",
     .type = VAR_BOOL,
     .fallback = "false",
     .help = "Whether a commit of the memory driver takes effect entirely or "
             "not at all."},
    {.name = "tenet_memory_delay_ms",
     .type = VAR_UINT,
     .max = 600000,
     .fallback = "0",
     .help = "How long the memory driver waits before each commit."},
    {.name = "tenet_memory_drop_at",
     .type = VAR_UINT,
     .max = UINT32_MAX,
     .fallback = "0",
     .help = "The operation, counted from 1, at which the memory driver loses "
             "its connection; 0 is never."},
    {.name = "tenet_memory_fail_at",
     .type = VAR_UINT,
     .max = UINT32_MAX,
     .fallback = "0",
     .help = "The operation, counted from 1, that the memory driver refuses; "
             "0 is none."},
    {.name = "tenet_memory_interfere",
     .type = VAR_BOOL,
     .fallback = "false",
     .help = "Whether the memory driver changes an object behind tenet's "
             "back."},
    {.name = "tenet_memory_path",
     .type = VAR_PATH,
     .help = "The file in which the memory driver keeps the device between "
             "runs. Without it, the device is empty at each start."},
    {.name = "tenet_ovn",
     .type = VAR_HOST,
     .help = "With `openvswitch`: the host with `tenet_driver: ovn` of the "
             "same inventory to whose cloud this hypervisor belongs. Without "
             "it, its subnets are bridges and tunnels of its own. Other "
             "drivers pass over it, so that it may stand in `all`."},
    {.name = "tenet_ovn_encapsulation",
     .type = VAR_CHOICE,
     .choices = ovn_encapsulations,
     .fallback = "geneve",
     .help = "With `ovn`: how packets travel between the hypervisors of the "
             "cloud, whatever the `encapsulation` of a Vpc. With vxlan, OVN "
             "carries at most 4096 networks with 2048 ports each."},
    {.name = "tenet_ovn_southbound",
     .type = VAR_REMOTES,
     .help = "With `ovn`: where its hypervisors find the Southbound database "
             "(`ovn-remote`). No two clouds share one. Without it, the "
             "hypervisors' setting is left as it is."},
    {.name = "tenet_ovn_wait",
     .type = VAR_CHOICE,
     .choices = ovn_waits,
     .fallback = "hypervisors",
     .help = "With `ovn`: who must have followed before a change counts as "
             "applied: the hypervisors, only ovn-northd, or nobody but the "
             "Northbound database."},
    {.name = "tenet_ovs_bridge",
     .type = VAR_BRIDGE,
     .fallback = "br-int",
     .help = "With `openvswitch`: the integration bridge that ports are put "
             "into."},
    {.name = "tenet_ovs_bridge_mappings",
     .type = VAR_MAPPINGS,
     .help = "With `openvswitch`: physical networks and the bridges that lead "
             "to them (`ovn-bridge-mappings`)."},
    {.name = "tenet_ovs_datapath",
     .type = VAR_CHOICE,
     .choices = datapaths,
     .fallback = "system",
     .help = "With `openvswitch`: where packets are switched, in the kernel "
             "(system) or in ovs-vswitchd itself (netdev)."},
    {.name = "tenet_ovs_system_id",
     .type = VAR_SYSTEM_ID,
     .fallback = "the name of the host",
     .help = "With `openvswitch`: the name of the hypervisor as a chassis "
             "(`system-id`), unique in its cloud."},
    {.name = "tenet_ovsdb_remote",
     .type = VAR_REMOTES,
     .fallback =
         "`" OVS_SOCKET "` with `openvswitch`, `" OVN_SOCKET "` with `ovn`",
     .help = "Where the database is that the drivers `openvswitch` and `ovn` "
             "write to; the members of a cluster are separated by commas. No "
             "two hosts of an environment may have the same, except that "
             "Open vSwitch's own socket is each machine's own (`tenet run "
             "--host`). Keys and certificates for ssl never stand here: they "
             "are given to the program that uses them."},
    {.name = "tenet_site",
     .type = VAR_LABEL,
     .help = "The site this host is at, as in the `sites` of a Vpc."},
    {.name = "tenet_underlay_address",
     .type = VAR_ADDRESS,
     .help = "The address of the host's tunnel endpoint (VTEP), IPv4 or IPv6. "
             "No two hosts of an environment share one. The drivers `kernel` "
             "and `openvswitch` cannot do without it."},
    {.name = "tenet_underlay_mtu",
     .type = VAR_UINT,
     .min = MTU_MIN,
     .max = MTU_MAX,
     .fallback = "1500",
     .help = "The MTU of the underlay, from which that of tenant networks "
             "follows."},
};

static const char *
type_text(const struct known_var *k, struct tn_text *out)
{
    switch (k->type) {
    case VAR_CHOICE:
        for (size_t i = 0; k->choices[i]; i++) {
            tn_text_addf(out, "%s%s",
                         !i                  ? ""
                         : k->choices[i + 1] ? ", "
                                             : " or ",
                         k->choices[i]);
        }
        break;
    case VAR_LABEL:
        tn_text_add(out, "a name of lower-case letters, digits and '-', at "
                         "most 63");
        break;
    case VAR_ADDRESS:
        tn_text_add(out, "a unicast IPv4 or IPv6 address");
        break;
    case VAR_UINT:
        tn_text_addf(out, "a whole number from %u to %u", k->min, k->max);
        break;
    case VAR_BOOL:
        tn_text_add(out, "true or false");
        break;
    case VAR_NETNS:
        tn_text_addf(out,
                     "a name of letters, digits, '.', '_' and '-', at most %d",
                     NETNS_MAX);
        break;
    case VAR_PATH:
        tn_text_add(out, "a path");
        break;
    case VAR_HOST:
        tn_text_add(out, "the name of a host of the inventory");
        break;
    case VAR_REMOTES:
        tn_text_add(out, "unix:PATH, tcp:IP:PORT or ssl:IP:PORT (an IPv6 "
                         "address in brackets), or several with commas "
                         "between");
        break;
    case VAR_SYSTEM_ID:
        tn_text_addf(out,
                     "a name of letters, digits, '.', '_' and '-', at most %d",
                     SYSTEM_ID_MAX);
        break;
    case VAR_BRIDGE:
        tn_text_addf(out,
                     "the name of a bridge: letters, digits, '.', '_' and "
                     "'-', at most %d",
                     INTERFACE_MAX);
        break;
    case VAR_MAPPINGS:
        tn_text_add(out, "NETWORK:BRIDGE, or several with commas between");
        break;
    }
    return tn_text_str(out);
}

static const struct known_var *
find(const char *name)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(known); i++) {
        if (strcmp(known[i].name, name) == 0) {
            return &known[i];
        }
    }
    return NULL;
}

static bool
is_tenet(const char *name)
{
    return strncmp(name, prefix, sizeof prefix - 1) == 0;
}

static bool
read_address(const char *s, struct tn_addr *out)
{
    static const uint8_t zero[16];

    return tn_addr_parse(s, out) && !tn_addr_is_multicast(out) &&
           memcmp(out->b, zero, tn_addr_size(out)) != 0 &&
           !(out->family == TN_AF_IPV4 && out->b[0] == 255);
}

/* A name of 'n' bytes that is safe as the name of a file and as an option. */
static bool
is_name(const char *s, size_t n, size_t most)
{
    return n > 0 && n <= most && strspn(s, name_letters) >= n && s[0] != '.' &&
           s[0] != '-';
}

/* "physnet1:br-ex,physnet2:br-lab", no network twice. */
static bool
is_mappings(const char *s)
{
    for (const char *at = s;; at++) {
        size_t n = strcspn(at, ":,"), m = at[n] ? strcspn(at + n + 1, ",") : 0;

        if (at[n] != ':' || !is_name(at, n, SYSTEM_ID_MAX) ||
            !is_name(at + n + 1, m, INTERFACE_MAX)) {
            return false;
        }
        for (const char *p = s; p < at; p += strcspn(p, ",") + 1) {
            if (strncmp(p, at, n + 1) == 0) {
                return false;
            }
        }
        at += n + 1 + m;
        if (!*at) {
            return true;
        }
    }
}

/* Makes one spelling of remotes that mean the same. */
static bool
read_remotes(struct tn_text *value)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text given = *value;

    *value = (struct tn_text){0};
    return tn_inv_remotes(tn_text_str(&given), value);
}

static bool
is_choice(const struct known_var *k, const char *s)
{
    for (size_t i = 0; k->choices[i]; i++) {
        if (strcmp(k->choices[i], s) == 0) {
            return true;
        }
    }
    return false;
}

/* The value of a known variable in its canonical spelling; false if it is
 * none. */
static bool
read_value(const struct known_var *k, const struct tn_node *node,
           struct tn_text *out)
{
    enum tn_scalar_type type;
    struct tn_addr addr;
    char buf[TN_ADDR_TEXT], *end;

    if (node->tag || !tn_node_scalar_type(node, &type) ||
        !tn_scalar_format(type, node->scalar.text, out) || !out->s) {
        return false;
    }
    if (k->type == VAR_BOOL || k->type == VAR_UINT) {
        unsigned long long v = strtoull(out->s, &end, 10);

        return k->type == VAR_BOOL
                   ? type == TN_SCALAR_BOOL
                   : type == TN_SCALAR_INT && out->s[0] != '-' && v >= k->min &&
                         v <= k->max;
    }
    if (type != TN_SCALAR_TEXT) {
        return false;
    }
    switch (k->type) {
    case VAR_CHOICE:
        return is_choice(k, out->s);
    case VAR_LABEL:
        return tn_is_label(out->s);
    case VAR_ADDRESS:
        if (!read_address(out->s, &addr)) {
            return false;
        }
        tn_text_clear(out);
        tn_text_add(out, tn_addr_format(&addr, buf));
        return true;
    case VAR_NETNS:
        return is_name(out->s, out->n, NETNS_MAX);
    case VAR_SYSTEM_ID:
        return is_name(out->s, out->n, SYSTEM_ID_MAX);
    case VAR_BRIDGE:
        return is_name(out->s, out->n, INTERFACE_MAX);
    case VAR_MAPPINGS:
        return is_mappings(out->s);
    case VAR_REMOTES:
        return read_remotes(out);
    case VAR_HOST: /* Which there are is known later. */
    case VAR_PATH:
        return true; /* Not empty: seen above. */
    case VAR_UINT:
    case VAR_BOOL:
        break;
    }
    return false;
}

static bool
is_template(const struct tn_node *node)
{
    return node->type == TN_NODE_SCALAR &&
           (strstr(node->scalar.text, "{{") ||
            strstr(node->scalar.text, "{%") || strstr(node->scalar.text, "{#"));
}

static void
check_unknown(struct tn_inv *inv, const struct tn_var *var)
{
    const char *names[TN_ARRAY_SIZE(known)], *near;
    struct tn_diag *d =
        tn_diag(inv->diags, TN_ERROR, tn_at(var->path, var->value->at),
                "there is no variable '%s'", var->name);

    for (size_t i = 0; i < TN_ARRAY_SIZE(known); i++) {
        names[i] = known[i].name;
    }
    near = tn_nearest(var->name, names, TN_ARRAY_SIZE(names));
    d->hint =
        near ? tn_arena_printf(inv->arena, "did you mean '%s'?", near) : NULL;
}

static void
check_var(struct tn_inv *inv, const struct tn_var *var)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text value = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text expected = {0};
    const struct known_var *k = find(var->name);
    struct tn_origin at = tn_at(var->path, var->value->at);
    enum tn_scalar_type type;
    struct tn_diag *d;

    if (!k) {
        check_unknown(inv, var);
    } else if (tn_inv_is_vault(var->value)) {
        tn_diag(inv->diags, TN_ERROR, at,
                "%s: an encrypted value (!vault) cannot be read", var->name);
    } else if (is_template(var->value)) {
        tn_diag(inv->diags, TN_ERROR, at,
                "%s: templates are not evaluated here: write the value",
                var->name);
    } else if (!tn_node_is_null(var->value) &&
               !read_value(k, var->value, &value)) {
        d = tn_diag(inv->diags, TN_ERROR, at, "%s must be %s", var->name,
                    type_text(k, &expected));
        if (tn_node_scalar_type(var->value, &type) && !var->value->tag &&
            type != TN_SCALAR_TEXT && k->type != VAR_UINT &&
            k->type != VAR_BOOL) {
            d->hint = "YAML reads this as another type: quote it";
        } else if (var->value->type == TN_NODE_SCALAR && var->value->quoted &&
                   (k->type == VAR_UINT || k->type == VAR_BOOL)) {
            d->hint = "write it without quotes";
        }
    }
}

void
tn_inv_check_tenet_vars(struct tn_inv *inv, const struct tn_layer *vars)
{
    for (size_t i = 0; i < vars->n; i++) {
        if (is_tenet(vars->vars[i].name)) {
            check_var(inv, &vars->vars[i]);
        }
    }
}

/* The tenet_ variables, spelled canonically.  False if one is not whole. */
static bool
read_options(struct tn_inv *inv, const struct tn_inventory_host *host,
             struct tn_host_config *out)
{
    TN_VEC(struct tn_var) options = {0};
    bool ok = true;

    for (size_t i = 0; i < host->n_vars; i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text value = {0};
        const struct tn_var *var = &host->vars[i];
        const struct known_var *k =
            is_tenet(var->name) ? find(var->name) : NULL;
        struct tn_node *node;

        if (!is_tenet(var->name) || tn_node_is_null(var->value)) {
            ok = ok && (k || !is_tenet(var->name));
            continue;
        }
        if (!k || is_template(var->value) || tn_inv_is_vault(var->value) ||
            !read_value(k, var->value, &value)) {
            ok = false;
            continue;
        }
        node = tn_new(inv->arena, struct tn_node);
        node->at = var->value->at;
        node->scalar.text = tn_arena_strndup(inv->arena, value.s, value.n);
        node->scalar.len = value.n;
        node->quoted = k->type != VAR_UINT && k->type != VAR_BOOL;
        *tn_vec_push(inv->arena, &options) = *var;
        options.items[options.n - 1].value = node;
    }
    out->options = options.items;
    out->n_options = options.n;
    return ok;
}

static const char *
option(const struct tn_host_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_options; i++) {
        if (strcmp(config->options[i].name, name) == 0) {
            return config->options[i].value->scalar.text;
        }
    }
    return NULL;
}

static const char *
option_or_default(const struct tn_host_config *config, const char *name)
{
    const char *given = option(config, name);

    return given ? given : find(name)->fallback;
}

/* What only the drivers of Open vSwitch and OVN read. */
static void
read_ovsdb(const struct tn_inventory_host *host, struct tn_host_config *out)
{
    const char *remote = option(out, "tenet_ovsdb_remote");

    if (tn_streq(out->driver, "ovn")) {
        out->ovsdb_remote = remote ? remote : OVN_SOCKET;
        out->ovn_southbound = option(out, "tenet_ovn_southbound");
        out->ovn_encapsulation =
            option_or_default(out, "tenet_ovn_encapsulation");
        out->ovn_wait = option_or_default(out, "tenet_ovn_wait");
    } else if (tn_streq(out->driver, "openvswitch")) {
        const char *id = option(out, "tenet_ovs_system_id");

        out->ovsdb_remote = remote ? remote : OVS_SOCKET;
        out->ovn = option(out, "tenet_ovn");
        out->ovs_system_id = id ? id : host->name;
        out->ovs_datapath = option_or_default(out, "tenet_ovs_datapath");
        out->ovs_bridge = option_or_default(out, "tenet_ovs_bridge");
        out->ovs_bridge_mappings = option(out, "tenet_ovs_bridge_mappings");
    }
}

bool
tn_inv_config(struct tn_inv *inv, const struct tn_inventory_host *host,
              struct tn_host_config *out)
{
    bool ok = read_options(inv, host, out);
    const char *mtu = option(out, "tenet_underlay_mtu");
    const char *address = option(out, "tenet_underlay_address");
    bool tunnels;

    out->driver = option(out, "tenet_driver");
    out->site = option(out, "tenet_site");
    out->kernel_netns = option(out, "tenet_kernel_netns");
    out->underlay_mtu =
        mtu ? (uint32_t) strtoul(mtu, NULL, 10) : (uint32_t) MTU_DEFAULT;
    if (address && !read_address(address, &out->underlay)) {
        ok = false;
    }
    read_ovsdb(host, out);
    tunnels =
        tn_streq(out->driver, "kernel") || tn_streq(out->driver, "openvswitch");
    if (ok && tunnels && !address) {
        tn_diag(inv->diags, TN_ERROR, host->at,
                "host '%s' has tenet_driver %s and needs a "
                "tenet_underlay_address",
                host->name, out->driver);
        ok = false;
    }
    return ok;
}

char *
tn_inventory_variables_markdown(void)
{
    struct tn_text out = {0};

    tn_text_add(
        &out,
        "# Host variables\n\n"
        "What tenet reads from an inventory. The variables are flat and may "
        "stand wherever\nAnsible lets a variable stand: in `hosts.yml`, "
        "`group_vars/` or `host_vars/`. A value\nof `null` counts as absent. "
        "Templates (`{{ }}`) and encrypted values are refused in them.\n"
        "This page is written by the program.\n");
    for (size_t i = 0; i < TN_ARRAY_SIZE(known); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text type = {0};

        tn_text_addf(&out, "\n## `%s`\n\n%s\n\n- Value: %s\n- Default: %s\n",
                     known[i].name, known[i].help, type_text(&known[i], &type),
                     known[i].fallback ? known[i].fallback : "none");
    }
    return tn_text_take(&out);
}
