/* variables.c - see variables.h.  One table says of each variable its type, its
 * bounds, its default and what it is for; the page docs/host-variables.md comes
 * from it. */
#include "model/inventory/variables.h"

#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/inventory.h"

enum { MTU_MIN = 576, MTU_MAX = 65535 };

static const char *const drivers[] = {"kernel",      "memory", "nsx",
                                      "openvswitch", "ovn",    NULL};
static const char *const nsx_logins[] = {"session", "basic", "certificate",
                                         NULL};
static const char *const datapaths[] = {"system", "netdev", NULL};
static const char *const ovn_encapsulations[] = {"geneve", "vxlan", NULL};
static const char *const ovn_waits[] = {"hypervisors", "northd", "none", NULL};

const struct tn_known_var tn_known_vars[] = {
    {.name = "tenet_driver",
     .type = VAR_CHOICE,
     .choices = drivers,
     .help = "The driver that realises networks on this host. A host without "
             "it is no device: no port can be on it. `openvswitch` is the "
             "Open_vSwitch database of a hypervisor; `ovn` is the OVN "
             "Northbound database of a cloud, on which no port can be: ports "
             "are on the hypervisors whose `tenet_ovn` names it; `nsx` is the "
             "managers of an NSX."},
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
    {.name = "tenet_nsx",
     .type = VAR_HOST,
     .help = "Of a host without `tenet_driver`: the host with `tenet_driver: "
             "nsx` whose NSX carries the ports of this one, a transport node "
             "of it. Ports may also be on the host of the manager itself, "
             "where it does not matter on which node a machine runs."},
    {.name = "tenet_nsx_auth",
     .type = VAR_CHOICE,
     .choices = nsx_logins,
     .fallback = "session",
     .help = "With `nsx`: how tenet logs in: a session, the password with "
             "each request, or a client certificate (principal identity)."},
    {.name = "tenet_nsx_ca",
     .type = VAR_PATH,
     .help = "With `nsx`: a PEM file of the authorities that vouch for the "
             "managers. Without it, the machine's own."},
    {.name = "tenet_nsx_certificate",
     .type = VAR_PATH,
     .help = "With `nsx`: a PEM file of the client's certificate."},
    {.name = "tenet_nsx_chunk",
     .type = VAR_UINT,
     .min = 1,
     .max = 5000,
     .fallback = "500",
     .help = "With `nsx`: how many objects one request changes at most. Each "
             "takes effect entirely or not at all."},
    {.name = "tenet_nsx_edge_cluster",
     .type = VAR_POLICY_PATH,
     .help = "With `nsx`: the edge cluster for what a distributed router "
             "cannot do. Without it, peerings are refused."},
    {.name = "tenet_nsx_key",
     .type = VAR_PATH,
     .help = "With `nsx`: a PEM file of the key of `tenet_nsx_certificate`, "
             "for nobody but its owner to read."},
    {.name = "tenet_nsx_password",
     .type = VAR_SEALED,
     .help = "With `nsx`: the password, sealed by `tenet seal` for exactly the "
             "text of `tenet_nsx_url`. TENET_SEAL_KEY names the key that opens "
             "it, where tenet runs."},
    {.name = "tenet_nsx_password_file",
     .type = VAR_PATH,
     .help = "With `nsx`, instead: a file with the password, for nobody but "
             "its owner to read."},
    {.name = "tenet_nsx_poll",
     .type = VAR_UINT,
     .min = 1,
     .max = 86400,
     .fallback = "30",
     .help = "With `nsx`: how often, in seconds, `tenet run` looks for what "
             "others changed."},
    {.name = "tenet_nsx_project",
     .type = VAR_SYSTEM_ID,
     .help = "With `nsx`: the project of NSX 4 that everything is made in. "
             "Without it, the default space (`/infra`)."},
    {.name = "tenet_nsx_rate",
     .type = VAR_UINT,
     .min = 1,
     .max = 1000,
     .fallback = "80",
     .help = "With `nsx`: how many requests tenet makes in a second at most; "
             "NSX allows a user 100 unless it is set otherwise."},
    {.name = "tenet_nsx_spoofguard",
     .type = VAR_POLICY_PATH,
     .help = "With `nsx`: the SpoofGuard profile that segments are bound to, "
             "one that has port bindings on. Without it, which one holds for "
             "them is left to NSX."},
    {.name = "tenet_nsx_transport_zone",
     .type = VAR_POLICY_PATH,
     .help = "With `nsx`: the overlay transport zone of segments. Without it, "
             "NSX takes its default."},
    {.name = "tenet_nsx_url",
     .type = VAR_URLS,
     .help = "With `nsx`: where its managers are; the nodes of one cluster, "
             "the first that answers is used. Hosts of an environment name "
             "different ones, or different projects."},
    {.name = "tenet_nsx_user",
     .type = VAR_WORDS,
     .help = "With `nsx`: the user that logs in with a password."},
    {.name = "tenet_nsx_vpc",
     .type = VAR_BOOL,
     .fallback = "false",
     .help = "With `nsx` and `tenet_nsx_project`: whether VPCs become VPCs of "
             "NSX 4, with subnets of theirs, and not Tier-1 gateways with "
             "segments."},
    {.name = "tenet_nsx_wait",
     .type = VAR_UINT,
     .max = 3600,
     .fallback = "60",
     .help = "With `nsx`: how many seconds a change may take to be realised "
             "before it counts as waiting; 0: that is not asked."},
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
     .fallback = "`" TN_OVS_SOCKET "` with `openvswitch`, `" TN_OVN_SOCKET
                 "` with `ovn`",
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

const size_t tn_n_known_vars = TN_ARRAY_SIZE(tn_known_vars);

const struct tn_known_var *
tn_known_var(const char *name)
{
    for (size_t i = 0; i < tn_n_known_vars; i++) {
        if (strcmp(tn_known_vars[i].name, name) == 0) {
            return &tn_known_vars[i];
        }
    }
    return NULL;
}

const char *
tn_known_var_type(const struct tn_known_var *k, struct tn_text *out)
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
                     TN_VAR_NETNS_MAX);
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
                     TN_VAR_NAME_MAX);
        break;
    case VAR_BRIDGE:
        tn_text_addf(out,
                     "the name of a bridge: letters, digits, '.', '_' and "
                     "'-', at most %d",
                     TN_VAR_INTERFACE_MAX);
        break;
    case VAR_MAPPINGS:
        tn_text_add(out, "NETWORK:BRIDGE, or several with commas between");
        break;
    case VAR_POLICY_PATH:
        tn_text_add(out, "the path of an object of NSX, as /infra/tier-0s/t0");
        break;
    case VAR_URLS:
        tn_text_add(out, "https://HOST or https://HOST:PORT, or several with "
                         "commas between");
        break;
    case VAR_SEALED:
        tn_text_add(out, "what 'tenet seal' prints; secrets never stand in an "
                         "inventory as they are");
        break;
    case VAR_WORDS:
        tn_text_add(out, "a text");
        break;
    }
    return tn_text_str(out);
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
    for (size_t i = 0; i < tn_n_known_vars; i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text type = {0};

        tn_text_addf(&out, "\n## `%s`\n\n%s\n\n- Value: %s\n- Default: %s\n",
                     tn_known_vars[i].name, tn_known_vars[i].help,
                     tn_known_var_type(&tn_known_vars[i], &type),
                     tn_known_vars[i].fallback ? tn_known_vars[i].fallback
                                               : "none");
    }
    return tn_text_take(&out);
}
