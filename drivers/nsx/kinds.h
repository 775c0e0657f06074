/* kinds.h - the kinds of objects of the policy API that are ours.
 *
 * Source: the published models of NSX 3.2 to 9.1; docs/nsx.md says what becomes
 * of intent. */
#ifndef TN_NSX_KINDS_H
#define TN_NSX_KINDS_H

#include "drivers/nsx/object.h"

/* The scope of the tags that say which groups a port is in. */
#define TN_NSX_TAG_GROUP "tenet/group"

extern const struct tn_nsx_kind tn_nsx_router;  /* A VPC: a Tier-1. */
extern const struct tn_nsx_kind tn_nsx_segment; /* A subnet, */
extern const struct tn_nsx_kind tn_nsx_profile; /* and who may send what. */
extern const struct tn_nsx_kind tn_nsx_port;
extern const struct tn_nsx_kind tn_nsx_guard;   /* Ports that are closed, */
extern const struct tn_nsx_kind tn_nsx_closing; /* in one policy and */
extern const struct tn_nsx_kind tn_nsx_filter;  /* its rules. */
extern const struct tn_nsx_kind tn_nsx_group;   /* Ports of a security group. */
extern const struct tn_nsx_kind tn_nsx_members; /* Their addresses. */
extern const struct tn_nsx_kind tn_nsx_service; /* Protocol and ports. */
extern const struct tn_nsx_kind tn_nsx_policy;  /* Of a security group, */
extern const struct tn_nsx_kind tn_nsx_rule;    /* what it lets through. */
extern const struct tn_nsx_kind tn_nsx_edge;    /* Of routers that peer, */
extern const struct tn_nsx_kind tn_nsx_transit; /* what is between them, */
extern const struct tn_nsx_kind tn_nsx_link;    /* and each one's end of it. */
extern const struct tn_nsx_kind tn_nsx_route;   /* Static, or of a peering. */
/* In VPCs of NSX (tenet_nsx_vpc), instead of routers, segments and ports: */
extern const struct tn_nsx_kind tn_nsx_vpc;
extern const struct tn_nsx_kind tn_nsx_subnet;
extern const struct tn_nsx_kind tn_nsx_vport;

enum { TN_NSX_KINDS = 19 };
extern const struct tn_nsx_kind *const tn_nsx_kinds[TN_NSX_KINDS];

/* For tn_driver.guards. */
extern const char *const tn_nsx_guards[];

#endif
