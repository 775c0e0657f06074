/* render_part.h - what the files that render share. */
#ifndef TN_NSX_RENDER_PART_H
#define TN_NSX_RENDER_PART_H

#include "drivers/nsx/render.h"
#include "drivers/driver.h"
#include "drivers/nsx/kinds.h"
#include "model/base/map.h"

/* A VPC in the making. */
struct tn_nsx_render {
    const struct tn_device *device;
    const struct tn_net_vpc *vpc;
    struct tn_arena *arena;
    bool vpcs;          /* VPCs of NSX, and not Tier-1 gateways. */
    const char *base;   /* "/infra" */
    const char *domain; /* "/infra/domains/default" */
    const char *router; /* Path of the Tier-1, and its key. */
    const char *router_key;
    const char *closed; /* Path of the group of all ports, and of those with */
    const char *judged; /* rules for what leaves. */
    struct tn_map checked; /* Scope -> "" if it cannot be expressed. */
    struct tn_map known;   /* Key -> path, of services and rules. */
    TN_VEC(struct tn_resource) list;
};

/* What takes groups and policies with it: a VPC of NSX, by its key; else
 * null. */
static inline const char *
tn_nsx_holder(const struct tn_nsx_render *r)
{
    return r->vpcs ? r->router_key : NULL;
}

/* Ends the draft and appends it; returns its key.  'parent' may be null. */
const char *tn_nsx_add(struct tn_nsx_render *r, struct tn_nsx_draft *d,
                       const char *parent, struct tn_origin origin);

/* Of an object of this VPC: "lab_acme_web_front"; for people:
 * "lab/acme/web/front". */
const char *tn_nsx_own_id(const struct tn_nsx_render *r, const char *name);
const char *tn_nsx_own_name(const struct tn_nsx_render *r, const char *name);

/* The name of a resource, cut so that its key fits a tag. */
const char *tn_nsx_name(const struct tn_nsx_render *r,
                        const struct tn_nsx_kind *kind, const char *name);

static inline const char *
tn_nsx_addr(struct tn_arena *arena, const struct tn_addr *a)
{
    char text[TN_ADDR_TEXT];
    return tn_arena_strdup(arena, tn_addr_format(a, text));
}

static inline const char *
tn_nsx_cidr(struct tn_arena *arena, const struct tn_cidr *c)
{
    char text[TN_CIDR_TEXT];
    return tn_arena_strdup(arena, tn_cidr_format(c, text));
}

/* render_service.c: the path of the service that a rule asks for, which is made
 * if it is not there yet; null: anything.  'family' TN_AF_NONE: both. */
const char *tn_nsx_service_of(struct tn_nsx_render *r,
                              const struct tn_net_rule *rule, unsigned family);
/* What it is called: "tcp-80-8000to8100"; "any". */
const char *tn_nsx_service_name(struct tn_arena *arena,
                                const struct tn_net_rule *rule,
                                unsigned family);
/* A service by its name and entries, made once. */
const char *tn_nsx_make_service(struct tn_nsx_render *r, const char *name,
                                const char *entries, struct tn_origin origin);

/* render_rule.c: one rule of a policy. */
struct tn_nsx_rule_args {
    const struct tn_nsx_kind *kind;
    const char *policy, *path; /* Key and path of the policy. */
    const char *name;          /* Of the resource: "web/in_tcp-443_any". */
    const char *id;
    const char *action;
    bool leaves;
    unsigned family; /* TN_AF_NONE: both. */
    unsigned sequence;
    const char *const *remote; /* Addresses, prefixes or paths of groups; none:
                                  any. */
    size_t n_remote;
    const char *service; /* Path; null: any. */
    struct tn_origin origin;
};
void tn_nsx_add_rule(struct tn_nsx_render *r,
                     const struct tn_nsx_rule_args *rule);

struct tn_nsx_policy_args {
    const struct tn_nsx_kind *kind;
    const char *name;  /* Of the resource. */
    const char *id;    /* Last part of the id and of the name. */
    const char *scope; /* Path of the group that it judges. */
    unsigned sequence;
    struct tn_origin origin;
};
/* Returns its key; '*path' is set. */
const char *tn_nsx_add_policy(struct tn_nsx_render *r,
                              const struct tn_nsx_policy_args *policy,
                              const char **path);
/* A group of the ports that have the tag of this id.  Returns its path. */
const char *tn_nsx_add_tagged(struct tn_nsx_render *r,
                              const struct tn_nsx_kind *kind, const char *name,
                              const char *id, struct tn_origin origin);

/* render_guard.c: the groups and policies that close a VPC's ports. */
void tn_nsx_render_guards(struct tn_nsx_render *r);
/* render_group.c: security groups and what they let through. */
void tn_nsx_render_groups(struct tn_nsx_render *r);
/* Tags of a port's groups, added to its draft. */
void tn_nsx_port_groups(const struct tn_nsx_render *r, struct tn_nsx_draft *d,
                        const struct tn_net_port *port);
bool tn_nsx_is_judged(const struct tn_net_port *port);

/* render_vpc.c: a VPC of NSX with its subnets.  Sets 'router' and 'domain'. */
void tn_nsx_render_vpc(struct tn_nsx_render *r);
void tn_nsx_render_subnets(struct tn_nsx_render *r);
/* "" if it can be a subnet of a VPC of NSX, else why not. */
const char *tn_nsx_subnet_fits(const struct tn_net_subnet *s);

/* render.c: on a segment or a subnet, by its path and key. */
void tn_nsx_render_port(struct tn_nsx_render *r, const struct tn_net_port *port,
                        const char *path, const char *on);

/* render_peer.c: links and routes of the peerings. */
void tn_nsx_render_peerings(struct tn_nsx_render *r);
/* The numbers of the addresses of a VPC's peerings: no two may be equal. */
const unsigned *tn_nsx_peering_numbers(struct tn_arena *arena,
                                       const struct tn_net_vpc *vpc);

/* render_check.c: false if NSX cannot express it; findings go to 'diags', which
 * may be null.  What was found out stands in 'checked'. */
bool tn_nsx_check(struct tn_nsx_render *r, const struct tn_net_vpc *vpc,
                  struct tn_diags *diags);

enum {
    TN_NSX_RULE_ID_MAX = 58, /* Keys are tags, and these have 256 letters. */
    TN_NSX_GROUP_TAGS = TN_NSX_TAGS_MAX - 3, /* Of a port: its groups. */
};

/* What closes ports, as parts of ids: "lab_acme_web__all". */
#define TN_NSX_ALL "_all"
#define TN_NSX_OUT "_out"

#endif
