/* kinds.c - see kinds.h. */
#include "drivers/ovsdb/openvswitch/kinds.h"

#include "model/base/attr.h"

#define UPDATE .change = TN_ATTR_UPDATE
#define REPLACE .change = TN_ATTR_REPLACE
#define KIND(flags_, rank_, table_, name_, columns_)                           \
    {                                                                          \
        .name = name_, .table = table_, .rank = rank_, .flags = flags_,        \
        .columns = columns_, .n_columns = TN_ARRAY_SIZE(columns_),             \
    }
#define SETTING(name_)                                                         \
    {                                                                          \
        "external_ids", name_, TN_OVS_TEXT, .set = true, UPDATE,               \
                                            .member = name_                    \
    }

static const struct tn_ovs_column settings_columns[] = {
    SETTING("ovn-bridge"),          SETTING("ovn-bridge-datapath-type"),
    SETTING("ovn-bridge-mappings"), SETTING("ovn-encap-ip"),
    SETTING("ovn-encap-type"),      SETTING("ovn-remote"),
    SETTING("system-id"),
};
const struct tn_ovs_kind tn_vs_settings =
    KIND(TN_OVS_SINGLE, 10, "Open_vSwitch", "settings", settings_columns);

static const struct tn_ovs_column bridge_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"datapath_type", "datapath", TN_OVS_TEXT, UPDATE},
    {"fail_mode", "fail-mode", TN_OVS_TEXT, .set = true, UPDATE},
    {"other_config", "config", TN_OVS_MAP, .set = true, UPDATE},
    {"controller", "controller", TN_OVS_REF, .set = true, UPDATE,
     .table = "Controller"},
    {"bridges", "database", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Open_vSwitch"},
};
const struct tn_ovs_kind tn_vs_integration = KIND(
    TN_OVS_NAMED | TN_OVS_SHARED, 20, "Bridge", "integration", bridge_columns);
const struct tn_ovs_kind tn_vs_bridge =
    KIND(TN_OVS_NAMED | TN_OVS_SHOWN, 30, "Bridge", "bridge", bridge_columns);

static const struct tn_ovs_column port_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"protected", "protected", TN_OVS_BOOLEAN, UPDATE},
    {"tag", "tag", TN_OVS_INTEGER, .set = true, UPDATE},
    {"trunks", "trunks", TN_OVS_INTEGER, .set = true, UPDATE},
    {"ports", "bridge", TN_OVS_HOLDER, .set = true, UPDATE, .table = "Bridge"},
};
const struct tn_ovs_kind tn_vs_port =
    KIND(TN_OVS_NAMED, 40, "Port", "port", port_columns);

static const struct tn_ovs_column interface_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"type", "type", TN_OVS_TEXT, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
    {"external_ids", "iface-id", TN_OVS_TEXT, .set = true, UPDATE,
     .member = "iface-id"},
    {"external_ids", "attached-mac", TN_OVS_TEXT, .set = true, UPDATE,
     .member = "attached-mac"},
    {"interfaces", "port", TN_OVS_HOLDER, .set = true, UPDATE, .table = "Port"},
};
const struct tn_ovs_kind tn_vs_interface =
    KIND(TN_OVS_NAMED, 50, "Interface", "interface", interface_columns);

const struct tn_ovs_kind *const tn_vs_kinds[TN_VS_KINDS] = {
    &tn_vs_settings, &tn_vs_integration, &tn_vs_bridge,
    &tn_vs_port,     &tn_vs_interface,
};
