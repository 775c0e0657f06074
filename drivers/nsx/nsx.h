/* nsx.h - VMware NSX as a device; see docs/nsx.md. */
#ifndef TN_NSX_NSX_H
#define TN_NSX_NSX_H

#include "drivers/driver.h"

extern const struct tn_driver tn_driver_nsx;

#endif
