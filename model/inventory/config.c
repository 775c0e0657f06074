/* config.c - the variables that tenet reads from an inventory.
 *
 * What there is stands in variables.c; decoder and suggestions come from it.
 * Variables are judged where they are defined, once, though many hosts may
 * inherit them; a host is whole if what it ends up with is.
 *
 * The prefix tenet_ is ours: an unknown name there is an error, not somebody
 * else's variable. */
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/seal.h"
#include "model/inventory/parts.h"
#include "model/inventory/variables.h"

static const char prefix[] = "tenet_";
static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

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

        if (at[n] != ':' || !is_name(at, n, TN_VAR_NAME_MAX) ||
            !is_name(at + n + 1, m, TN_VAR_INTERFACE_MAX)) {
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

/* "/infra/tier-0s/t0": names after slashes, none of them "." or "..". */
static bool
is_policy_path(const char *s)
{
    const char *at = s;
    while (*at == '/') {
        size_t n = strcspn(at + 1, "/");
        if (!is_name(at + 1, n, TN_VAR_NAME_MAX)) {
            return false;
        }
        at += n + 1;
    }
    return at > s && !*at;
}

/* "https://HOST[:PORT]", several with commas between, none twice. */
static bool
is_urls(const char *s)
{
    static const char scheme[] = "https://";
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    for (const char *at = s;; at++) {
        size_t n = strcspn(at, ","), less = sizeof scheme - 1;
        if (n <= less || n > less + TN_VAR_NAME_MAX ||
            strncmp(at, scheme, less) != 0 ||
            strspn(at + less, letters) < n - less) {
            return false;
        }
        for (const char *p = s; p < at; p += strcspn(p, ",") + 1) {
            if (strncmp(p, at, n) == 0 && p[n] == ',') {
                return false;
            }
        }
        at += n;
        if (!*at) {
            return true;
        }
    }
}

static bool
is_choice(const struct tn_known_var *k, const char *s)
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
read_value(const struct tn_known_var *k, const struct tn_node *node,
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
        return is_name(out->s, out->n, TN_VAR_NETNS_MAX);
    case VAR_SYSTEM_ID:
        return is_name(out->s, out->n, TN_VAR_NAME_MAX);
    case VAR_BRIDGE:
        return is_name(out->s, out->n, TN_VAR_INTERFACE_MAX);
    case VAR_MAPPINGS:
        return is_mappings(out->s);
    case VAR_REMOTES:
        return read_remotes(out);
    case VAR_POLICY_PATH:
        return is_policy_path(out->s);
    case VAR_URLS:
        return is_urls(out->s);
    case VAR_SEALED:
        return tn_seal_is(out->s);
    case VAR_HOST: /* Which there are is known later. */
    case VAR_PATH:
    case VAR_WORDS:
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
    const char **names = tn_new_n(inv->arena, const char *, tn_n_known_vars);
    const char *near;
    struct tn_diag *d =
        tn_diag(inv->diags, TN_ERROR, tn_at(var->path, var->value->at),
                "there is no variable '%s'", var->name);

    for (size_t i = 0; i < tn_n_known_vars; i++) {
        names[i] = tn_known_vars[i].name;
    }
    near = tn_nearest(var->name, names, tn_n_known_vars);
    d->hint =
        near ? tn_arena_printf(inv->arena, "did you mean '%s'?", near) : NULL;
}

static void
check_var(struct tn_inv *inv, const struct tn_var *var)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text value = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text expected = {0};
    const struct tn_known_var *k = tn_known_var(var->name);
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
                    tn_known_var_type(k, &expected));
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
        const struct tn_known_var *k =
            is_tenet(var->name) ? tn_known_var(var->name) : NULL;
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

const char *
tn_host_option(const struct tn_host_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_options; i++) {
        if (strcmp(config->options[i].name, name) == 0) {
            return config->options[i].value->scalar.text;
        }
    }
    return NULL;
}

const char *
tn_host_setting(const struct tn_host_config *config, const char *name)
{
    const char *given = tn_host_option(config, name);

    return given ? given : tn_known_var(name)->fallback;
}

/* What only the drivers of Open vSwitch and OVN read. */
static void
read_ovsdb(const struct tn_inventory_host *host, struct tn_host_config *out)
{
    const char *remote = tn_host_option(out, "tenet_ovsdb_remote");

    if (tn_streq(out->driver, "ovn")) {
        out->ovsdb_remote = remote ? remote : TN_OVN_SOCKET;
        out->ovn_southbound = tn_host_option(out, "tenet_ovn_southbound");
        out->ovn_encapsulation =
            tn_host_setting(out, "tenet_ovn_encapsulation");
        out->ovn_wait = tn_host_setting(out, "tenet_ovn_wait");
    } else if (tn_streq(out->driver, "openvswitch")) {
        const char *id = tn_host_option(out, "tenet_ovs_system_id");

        out->ovsdb_remote = remote ? remote : TN_OVS_SOCKET;
        out->ovn = tn_host_option(out, "tenet_ovn");
        out->ovs_system_id = id ? id : host->name;
        out->ovs_datapath = tn_host_setting(out, "tenet_ovs_datapath");
        out->ovs_bridge = tn_host_setting(out, "tenet_ovs_bridge");
        out->ovs_bridge_mappings =
            tn_host_option(out, "tenet_ovs_bridge_mappings");
    }
}

/* What only the driver nsx reads; and the hosts without a driver that belong to
 * one with it. */
static void
read_nsx(struct tn_host_config *out)
{
    if (!out->driver) {
        out->nsx = tn_host_option(out, "tenet_nsx");
    } else if (tn_streq(out->driver, "nsx")) {
        out->nsx_url = tn_host_option(out, "tenet_nsx_url");
        out->nsx_project = tn_host_option(out, "tenet_nsx_project");
    }
}

/* False if something is missing without which the driver is nowhere. */
static bool
check_nsx(struct tn_inv *inv, const struct tn_inventory_host *host,
          const struct tn_host_config *out)
{
    static const char *const password[] = {"tenet_nsx_url", "tenet_nsx_user",
                                           NULL};
    static const char *const certificate[] = {
        "tenet_nsx_url", "tenet_nsx_certificate", "tenet_nsx_key", NULL};
    const char *const *needed;
    bool ok = true;
    const char *login = tn_host_setting(out, "tenet_nsx_auth");
    if (!tn_streq(out->driver, "nsx")) {
        return true;
    }
    needed = tn_streq(login, "certificate") ? certificate : password;
    for (size_t i = 0; needed[i]; i++) {
        if (!tn_host_option(out, needed[i])) {
            tn_diag(inv->diags, TN_ERROR, host->at,
                    "host '%s' has tenet_driver nsx with tenet_nsx_auth %s "
                    "and needs %s",
                    host->name, login, needed[i]);
            ok = false;
        }
    }
    if (needed == password &&
        !tn_host_option(out, "tenet_nsx_password") ==
            !tn_host_option(out, "tenet_nsx_password_file")) {
        tn_diag(inv->diags, TN_ERROR, host->at,
                "host '%s' has tenet_driver nsx with tenet_nsx_auth %s and "
                "needs one of tenet_nsx_password and tenet_nsx_password_file",
                host->name, login);
        ok = false;
    }
    if (tn_streq(tn_host_option(out, "tenet_nsx_vpc"), "true") &&
        !tn_host_option(out, "tenet_nsx_project")) {
        tn_diag(inv->diags, TN_ERROR, host->at,
                "host '%s' has tenet_nsx_vpc and needs a tenet_nsx_project",
                host->name);
        ok = false;
    }
    return ok;
}

bool
tn_inv_config(struct tn_inv *inv, const struct tn_inventory_host *host,
              struct tn_host_config *out)
{
    bool ok = read_options(inv, host, out);
    const char *mtu = tn_host_option(out, "tenet_underlay_mtu");
    const char *address = tn_host_option(out, "tenet_underlay_address");
    bool tunnels;

    out->driver = tn_host_option(out, "tenet_driver");
    out->site = tn_host_option(out, "tenet_site");
    out->kernel_netns = tn_host_option(out, "tenet_kernel_netns");
    out->underlay_mtu =
        mtu ? (uint32_t) strtoul(mtu, NULL, 10) : (uint32_t) TN_VAR_MTU_DEFAULT;
    if (address && !read_address(address, &out->underlay)) {
        ok = false;
    }
    read_ovsdb(host, out);
    read_nsx(out);
    ok = check_nsx(inv, host, out) && ok;
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
