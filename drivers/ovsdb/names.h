/* names.h - names that the databases of hypervisors and of OVN must agree on,
 * and names made of more than their schemas allow. */
#ifndef TN_OVSDB_NAMES_H
#define TN_OVSDB_NAMES_H

#include "model/base/arena.h"
#include "model/base/net.h"

/* Of a port of OVN's, which is also the 'iface-id' of the interface behind it:
 * "prod/acme/web/web1". */
const char *tn_ovs_port_id(struct tn_arena *arena, const char *instance,
                           const char *scope, const char *port);

/* Of a port group or an address set, which stand in matches and hence are
 * letters, digits and '_' only: "tn_acme_web_db_1f0c92ab"; what makes it unique
 * is the hash. */
const char *tn_ovs_set_id(struct tn_arena *arena, const char *instance,
                          const char *key);

/* A locally administered address that follows from a text. */
struct tn_mac tn_ovs_mac(const char *text);
/* The link-local address that belongs to it (RFC 4291, appendix A). */
struct tn_addr tn_ovs_link_local(const struct tn_mac *mac);

#endif
