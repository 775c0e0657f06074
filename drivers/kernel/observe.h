/* observe.h - what the parts of observation share. */
#ifndef TN_KERNEL_OBSERVE_H
#define TN_KERNEL_OBSERVE_H

#include "drivers/kernel/nft.h"
#include "drivers/kernel/session.h"

/* A namespace that an observation reads. */
struct tn_k_visit {
    struct tn_k_space *space;
    const char *name; /* Of a VPC, or of who knows what: caller's arena. */
    enum tn_k_depth depth;
    const char *scope; /* Of a VPC; else null. */
    const char *sysctls;
    struct tn_nft_observed rules;
    bool there, ours; /* It exists; it bears our mark, or has only lost it. */
    enum tn_code code;
    const struct tn_error *err; /* If 'code' is one; it is large. */
};

struct tn_k_watch {
    struct tn_session *s;
    const struct tn_scope *scope;
    const struct tn_state *want; /* May be null. */
    struct tn_k_list list;       /* What was found; in the caller's arena. */
    TN_VEC(const struct tn_k_peering *) bare; /* Ends without alias. */
    const char *const *names;                 /* Of all namespaces. */
    size_t n_names;
    TN_VEC(struct tn_k_visit) visits; /* In the session's arena of tables. */
    struct tn_map visited;            /* By name. */
    bool ahead;                       /* Read tables only; make nothing. */
};

/* One VPC's namespace being turned into resources, by one of several threads:
 * 'w' is the thread's own, and reads the session only.  Everything that goes
 * into the result is copied to the list's arena: tables live in the session. */
struct tn_k_watch_vpc {
    struct tn_k_watch *w;
    const struct tn_k_space *space;
    const char *ns, *scope; /* In the caller's arena. */
    const char *netns_key;
    const char **keys;    /* Of resources, by rank of their links. */
    const char **names;   /* Of links, by rank; in the caller's arena. */
    const char **tunnels; /* Of tunnel devices, by rank; else null. */
    bool *ends;           /* Ends of peerings, by rank. */
};

/* observe_read.c: an epoch in which all that matters is read: a new one, or
 * that of what was read ahead. */
enum tn_code tn_k_watch_read(struct tn_k_watch *w,
                             struct tn_error *err) TN_MUST_USE;

/* observe_link.c: bridges, tunnels, ports, links to other VPCs, and others. */
void tn_k_watch_links(struct tn_k_watch_vpc *v);
/* observe_port.c: an interface with the role of a port. */
void tn_k_watch_port(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l);
/* Is it, under whatever name, the interface of a machine that was moved in? */
bool tn_k_watch_moved_in(const struct tn_k_watch_vpc *v,
                         const struct tn_k_seen_link *l);
/* Where the far end of a port's link of another name is; null: it has none. */
void tn_k_watch_far_name(struct tn_k_watch_vpc *v,
                         const struct tn_k_seen_link *l, const char **netns,
                         const char **interface);
/* The namespace that the alias of a port names, new in 'arena'; or null. */
const char *tn_k_watch_alias_netns(struct tn_arena *arena, const char *mark,
                                   const char *alias);
/* observe_entry.c: addresses of others, forwarding entries, neighbours,
 * routes. */
void tn_k_watch_entries(struct tn_k_watch_vpc *v);

static inline struct tn_k_object
tn_k_watch_object(const struct tn_k_watch_vpc *v, enum tn_k_kind kind)
{
    return (struct tn_k_object){kind, v->ns, v->scope, v->netns_key};
}

static inline const char *
tn_k_watch_add(struct tn_k_watch *w, const struct tn_k_object *o, bool ours)
{
    return tn_k_list_add(&w->list, o, ours ? TN_OURS : TN_FOREIGN,
                         (struct tn_origin){0});
}

static inline bool
tn_k_link_ours(const struct tn_k_seen_link *l)
{
    return l->group == TN_K_GROUP || l->link.leaving;
}

/* The addresses of ours on a link, new in the caller's arena. */
const struct tn_cidr *tn_k_watch_addrs(struct tn_k_watch *w,
                                       const struct tn_k_table *t,
                                       const struct tn_k_seen_link *l,
                                       size_t *n);

/* What a link has in common with rendered ones. */
struct tn_k_link tn_k_watch_link(const struct tn_k_watch_vpc *v,
                                 const struct tn_k_seen_link *l);

#endif
