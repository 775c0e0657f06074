/* names.h - what the objects of a VPC are called in the kernel.
 *
 * Pure and stable: the same object has the same name on every host and in
 * every run.  An interface name holds 15 characters: a prefix of two ("b-",
 * "x-", "p-") and the object's name, which is cut and completed with '_' and a
 * hash when it is longer than 13; '_' is not allowed in names of the intent,
 * so that a completed name never equals a whole one. */
#ifndef TN_KERNEL_NAMES_H
#define TN_KERNEL_NAMES_H

#include "model/base/arena.h"
#include "model/compile/network.h"

enum { TN_K_IFNAME = 16 };

/* Link group ("tn") and the protocol number of addresses, routes and
 * neighbours: our mark in the kernel. */
enum { TN_K_GROUP = 0x746e, TN_K_PROTOCOL = 0x54 };

/* Links that are being deleted are in a group whose upper half is our mark, the
 * lower half is of the run: what a crash leaves is still ours, and no later
 * deletion takes it along. */
#define TN_K_GROUP_LEAVING ((uint32_t) TN_K_GROUP << 16)

/* The prefixes of interface names. */
#define TN_K_BRIDGE 'b'
#define TN_K_VXLAN 'x'
#define TN_K_PORT 'p'
#define TN_K_LINK 'l'

/* "b-front"; returns 'out'. */
const char *tn_k_ifname(char prefix, const char *label, char out[TN_K_IFNAME]);

/* The link between two VPCs, named by both scopes in any order; both ends have
 * the same name.  Returns 'out'. */
const char *tn_k_link_name(const char *scope, const char *peer_scope,
                           char out[TN_K_IFNAME]);

/* "tn.acme.web", in labs "hv1.tn.acme.web": the file in /run/netns.  'scope'
 * is "tenant/vpc".  New in 'arena'. */
const char *tn_k_netns_name(struct tn_arena *arena,
                            const struct tn_device *device, const char *scope);

/* The reverse: the scope of a namespace of this device, new in 'arena', or
 * null if 'name' is not one. */
const char *tn_k_netns_scope(struct tn_arena *arena,
                             const struct tn_device *device, const char *name);

#endif
