/* probe.h - what the running kernel must be able to do, found out before
 * anything is made. */
#ifndef TN_KERNEL_PROBE_H
#define TN_KERNEL_PROBE_H

#include "drivers/driver.h"

/* Bits, in the order in which they are told. */
enum tn_k_ability {
    TN_K_CAN_FILTER_BRIDGED = 1u << 0, /* br_netfilter */
    TN_K_CAN_BRIDGE = 1u << 1,
    TN_K_CAN_VXLAN = 1u << 2,
    TN_K_CAN_VETH = 1u << 3,
    TN_K_CAN_NFT_INET = 1u << 4,
    TN_K_CAN_NFT_BRIDGE = 1u << 5,
    TN_K_CAN_CONNTRACK = 1u << 6,
    TN_K_CAN_ALL = (1u << 7) - 1,
};

/* TN_EUNSUPPORTED if the kernel lacks something: the error names all that it
 * lacks and the modules to load.  What is not loaded by itself is looked for
 * each time, the rest is tried out in a namespace that nobody else sees; that
 * all is there is remembered in the cache directory until the next boot.
 * Without the rights to try, TN_OK. */
enum tn_code tn_k_probe(const struct tn_driver_env *env,
                        struct tn_error *err) TN_MUST_USE;

/* Pure: the error for 'missing', bits of enum tn_k_ability; TN_OK if 0. */
enum tn_code tn_k_probe_verdict(unsigned missing,
                                struct tn_error *err) TN_MUST_USE;

#endif
