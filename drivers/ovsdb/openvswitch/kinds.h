/* kinds.h - the kinds of objects in an Open_vSwitch database that are ours.
 * Private to the driver.
 *
 * Source: ovs-vswitchd.conf.db(5); for the settings ovn-controller(8). */
#ifndef TN_OPENVSWITCH_KINDS_H
#define TN_OPENVSWITCH_KINDS_H

#include "drivers/ovsdb/row.h"

extern const struct tn_ovs_kind tn_vs_settings; /* For ovn-controller. */
extern const struct tn_ovs_kind tn_vs_bridge;   /* A subnet without OVN. */
extern const struct tn_ovs_kind tn_vs_port;     /* With its interface. */

enum { TN_VS_KINDS = 3 };
extern const struct tn_ovs_kind *const tn_vs_kinds[TN_VS_KINDS];

#endif
