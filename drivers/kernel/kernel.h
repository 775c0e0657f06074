/* kernel.h - the driver for the Linux kernel of a host: namespaces, bridges,
 * tunnels, ports, routes and packet rules. */
#ifndef TN_KERNEL_KERNEL_H
#define TN_KERNEL_KERNEL_H

#include "drivers/driver.h"

extern const struct tn_driver tn_driver_kernel;

#endif
