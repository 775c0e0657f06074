/* ovn.h - the driver for OVN: the Northbound database of a cloud.
 *
 * A VPC becomes a logical router, its subnets become logical switches on it,
 * its ports ports of these; security groups become port groups with ACLs, and
 * a peering becomes a link between two routers.  What northd and the
 * controllers of the hypervisors make of it is theirs. */
#ifndef TN_OVN_OVN_H
#define TN_OVN_OVN_H

#include "drivers/driver.h"

extern const struct tn_driver tn_driver_ovn;

#endif
