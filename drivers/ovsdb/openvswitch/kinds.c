/* kinds.c - see kinds.h. */
#include "drivers/ovsdb/openvswitch/kinds.h"

#include "model/base/attr.h"

#define UPDATE .change = TN_ATTR_UPDATE
#define REPLACE .change = TN_ATTR_REPLACE
#define SETTING(name_)                                                         \
    {                                                                          \
        "external_ids", name_, TN_OVS_TEXT, .set = true, UPDATE,               \
                                            .member = (name_)                  \
    }

static const struct tn_ovs_column settings_columns[] = {
    SETTING("ovn-bridge"),          SETTING("ovn-bridge-datapath-type"),
    SETTING("ovn-bridge-mappings"), SETTING("ovn-encap-ip"),
    SETTING("ovn-encap-type"),      SETTING("ovn-remote"),
    SETTING("system-id"),
};
const struct tn_ovs_kind tn_vs_settings = TN_OVS_KIND(
    TN_OVS_SINGLE, 10, "Open_vSwitch", "settings", settings_columns);

static const struct tn_ovs_column bridge_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"datapath_type", "datapath", TN_OVS_TEXT, UPDATE},
    {"fail_mode", "fail-mode", TN_OVS_TEXT, .set = true, UPDATE},
    {"other_config", "config", TN_OVS_MAP, .set = true, UPDATE},
    {"bridges", "database", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Open_vSwitch"},
};
const struct tn_ovs_kind tn_vs_bridge = TN_OVS_KIND(
    TN_OVS_NAMED | TN_OVS_SHOWN, 30, "Bridge", "bridge", bridge_columns);

/* A port and its one interface are made and deleted together: a port without
 * any is no port. */
static const struct tn_ovs_column port_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"protected", "protected", TN_OVS_BOOLEAN, UPDATE},
    {"tag", "tag", TN_OVS_INTEGER, .set = true, UPDATE},
    {"trunks", "trunks", TN_OVS_INTEGER, .set = true, UPDATE},
    {"name", "interface", TN_OVS_TEXT, REPLACE, .child = true},
    {"type", "type", TN_OVS_TEXT, UPDATE, .child = true},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE, .child = true},
    {"external_ids", "iface-id", TN_OVS_TEXT, .set = true, UPDATE,
     .member = "iface-id", .child = true},
    {"external_ids", "attached-mac", TN_OVS_TEXT, .set = true, UPDATE,
     .member = "attached-mac", .child = true},
    {"ports", "bridge", TN_OVS_HOLDER, .set = true, UPDATE, .table = "Bridge",
     .anybody = true},
};
const struct tn_ovs_kind tn_vs_port = {
    .name = "port",
    .table = "Port",
    .child = "Interface",
    .child_column = "interfaces",
    .rank = 40,
    .flags = TN_OVS_NAMED,
    .columns = port_columns,
    .n_columns = TN_ARRAY_SIZE(port_columns),
};

const struct tn_ovs_kind *const tn_vs_kinds[TN_VS_KINDS] = {
    &tn_vs_settings,
    &tn_vs_bridge,
    &tn_vs_port,
};
