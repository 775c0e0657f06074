/* openvswitch.h - the driver for the Open_vSwitch database of a hypervisor.
 *
 * In a cloud of OVN: what the hypervisor's controller must know (who it is,
 * where the Southbound database is, how to tunnel), and the interfaces of its
 * ports. Without OVN: VPCs of one subnet, as a bridge with tunnels to the other
 * hypervisors. */
#ifndef TN_OPENVSWITCH_OPENVSWITCH_H
#define TN_OPENVSWITCH_OPENVSWITCH_H

#include "drivers/driver.h"

extern const struct tn_driver tn_driver_openvswitch;

#endif
