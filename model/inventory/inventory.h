/* inventory.h - hosts and their variables, by Ansible's rules.
 *
 * Reads inventories/<environment>/: hosts.yml (Ansible YAML inventory: groups,
 * children, hosts, vars), group_vars/ and host_vars/ (X.yml, X.yaml, X.json, X
 * without extension, or a directory X/ of such files).  For what it accepts,
 * the merged variables of a host equal what 'ansible-inventory --host' prints:
 * all < parent < child (depth, then ansible_group_priority, then name) < host;
 * inventory file < group_vars/ / host_vars/; later file names win; values
 * replace, never merge.  Host ranges (web[01:10]) expand.  What is not
 * modelled (Jinja2 templates in variables that tenet reads, executable or INI
 * inventories, inventory plugins, encrypted values in variables that tenet
 * reads) is refused with an error.  Other encrypted values stay as they are. */
#ifndef TN_INVENTORY_INVENTORY_H
#define TN_INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/diag.h"
#include "model/base/digest.h"
#include "model/base/net.h"
#include "model/source.h"
#include "model/yaml/node.h"

struct tn_var {
    const char *name;
    const struct tn_node *value;
    const char *path;  /* File that set it; position: value->at. */
    const char *layer; /* "group all", "group leafs", "host hv1", ... */
    uint32_t order;    /* Rank of its name's first appearance in the merge. */
};

struct tn_inventory_host {
    const char *name;
    struct tn_origin at;       /* Where it is first listed. */
    const struct tn_var *vars; /* Merged, sorted by name. */
    size_t n_vars;
    const char *const *groups; /* In the order of increasing precedence,
                                  "all" first. */
    size_t n_groups;
};

/* What tenet itself reads, from the variables prefixed tenet_.  A host without
 * tenet_driver is no device: 'driver' is null; with tenet_nsx, ports may be on
 * it all the same. */
struct tn_host_config {
    const char *driver;       /* tenet_driver: kernel, memory,
                                 nsx, openvswitch, ovn. */
    const char *site;         /* tenet_site; null if absent. */
    struct tn_addr underlay;  /* tenet_underlay_address: its VTEP. */
    uint32_t underlay_mtu;    /* tenet_underlay_mtu, default 1500. */
    const char *kernel_netns; /* tenet_kernel_netns: labs; null: own. */
    /* Of the drivers openvswitch and ovn, never null there: */
    const char *ovsdb_remote; /* tenet_ovsdb_remote, or the driver's default:
                                 comma separated unix:PATH, tcp:IP:PORT,
                                 ssl:IP:PORT, IPv6 in brackets. */
    /* Of openvswitch; but for 'ovn' and the mappings never null there: */
    const char *ovn;                 /* tenet_ovn: see tn_host.cloud. */
    const char *ovs_system_id;       /* Default: the host's name. */
    const char *ovs_datapath;        /* "system" or "netdev". */
    const char *ovs_bridge;          /* Default "br-int". */
    const char *ovs_bridge_mappings; /* "physnet1:br-ex,..." */
    /* Of ovn: */
    const char *ovn_southbound;    /* As ovsdb_remote; null: ovn-remote of the
                                      hypervisors is not ours to set. */
    const char *ovn_encapsulation; /* "geneve" or "vxlan", never null. */
    const char *ovn_wait; /* "hypervisors", "northd" or "none", never null. */
    /* Of nsx; what else its driver reads is in 'options': */
    const char *nsx_url;     /* tenet_nsx_url, never null. */
    const char *nsx_project; /* tenet_nsx_project; null: the default space. */
    /* Of hosts without driver: */
    const char *nsx;              /* tenet_nsx: see tn_host.cloud. */
    const struct tn_var *options; /* All tenet_* variables but null ones, for
                                     drivers, sorted by name.  Values are in
                                     canonical spelling: "true", "1500". */
    size_t n_options;
};

struct tn_host {
    struct tn_inventory_host raw;
    struct tn_host_config config;
    const struct tn_host *cloud; /* Of an openvswitch host with tenet_ovn: the
                                    host of driver ovn whose cloud it belongs
                                    to.  Of a host without driver and with
                                    tenet_nsx: that of driver nsx.  Null: it
                                    belongs to none. */
};

struct tn_inventory {
    const char *environment;
    const struct tn_host *hosts; /* Sorted by name. */
    size_t n_hosts;
    const char *const *refused; /* Hosts with findings, sorted by name: they
                                   exist, but are not in 'hosts'. */
    size_t n_refused;
    struct tn_digest digest; /* Of all that was read. */
};

/* Loads 'inventories/<environment>'.  Findings go to 'diags' (tenant null);
 * an I/O failure of the source is the returned code.  '*out' is new in
 * 'arena', set also when there were findings: hosts that are whole. */
enum tn_code tn_inventory_load(struct tn_source *source,
                               const char *environment, struct tn_arena *arena,
                               const struct tn_inventory **out,
                               struct tn_diags *diags,
                               struct tn_error *err) TN_MUST_USE;

/* What the host says of a tenet_ variable, in its canonical spelling; null:
 * nothing. */
const char *tn_host_option(const struct tn_host_config *config,
                           const char *name);
/* The same, or else the default that docs/host-variables.md has; null: there is
 * none.  'name' must be a variable of that page. */
const char *tn_host_setting(const struct tn_host_config *config,
                            const char *name);

/* Can one VPC have ports on both?  Kernel with kernel, Open vSwitch with its
 * like, members of a cloud with those of the same, and with its manager if that
 * is NSX; the memory driver with everything. */
bool tn_hosts_join(const struct tn_host *a, const struct tn_host *b);
/* True of the memory driver, which joins hosts that do not join each other. */
bool tn_host_is_anybodys(const struct tn_host *host);
/* "kernel", "nsx", "openvswitch", "ovn": what carries the packets of its ports.
 */
const char *tn_host_engine(const struct tn_host *host);

/* Null if there is no such host. */
const struct tn_host *tn_inventory_host_get(const struct tn_inventory *inv,
                                            const char *name);
/* Null if there is no such variable. */
const struct tn_var *tn_inventory_var(const struct tn_inventory_host *host,
                                      const char *name);

/* The host's variables as 'ansible-inventory --host NAME' prints them: JSON,
 * keys sorted, four spaces, a newline at the end.  malloc'ed, the caller
 * frees. */
char *tn_inventory_host_json(const struct tn_inventory_host *host);

/* A value as above, on one line.  malloc'ed, the caller frees. */
char *tn_inventory_value_json(const struct tn_node *value);

/* A group of a host, as it takes part in the order of precedence. */
struct tn_inventory_group {
    const char *name;
    uint32_t depth;   /* Longest way from "all". */
    int64_t priority; /* ansible_group_priority; 1 if it was not given. */
};

/* All that is said of one host, also what is overridden. */
struct tn_inventory_layers {
    const struct tn_inventory_group *groups; /* By rising precedence. */
    size_t n_groups;
    const struct tn_var *set; /* Every assignment, by rising precedence: of
                                 those of one name the last one wins. 'order'
                                 is its index. */
    size_t n;
};

/* The layers of 'host', read anew from 'inventories/<environment>', with
 * findings as tn_inventory_load() has them.  TN_ENOENT if there is no such
 * host.  '*out' is filled from 'arena'. */
enum tn_code tn_inventory_layers(struct tn_source *source,
                                 const char *environment, const char *host,
                                 struct tn_arena *arena,
                                 struct tn_inventory_layers *out,
                                 struct tn_diags *diags,
                                 struct tn_error *err) TN_MUST_USE;

/* The variables that tenet reads, as the page docs/host-variables.md.
 * malloc'ed, the caller frees. */
char *tn_inventory_variables_markdown(void);

#endif
