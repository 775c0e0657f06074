/* commit.h - what the parts of a commit share.
 *
 * Steps are carried out in groups of equal operation and rank.  Within a group,
 * requests are collected in the lanes of the namespaces and sent together; a
 * refusal is traced back to its step. */
#ifndef TN_KERNEL_COMMIT_H
#define TN_KERNEL_COMMIT_H

#include "drivers/kernel/session.h"

struct tn_stage {
    struct tn_session *s;
    const struct tn_step *steps;
    size_t n;
};

struct tn_k_commit {
    struct tn_session *s;
    struct tn_arena *arena; /* Of this commit. */
    const struct tn_step *steps;
    size_t n;
    enum tn_outcome *outcomes;
    struct tn_map gone; /* "ns/link" and "ns" that the steps delete. */
    TN_VEC(struct tn_k_space *) waiting;
    TN_VEC(const char *) left; /* Namespaces whose ports were deleted. */
    size_t n_refused;          /* In the current group. */
    bool waits;                /* The step being emitted does. */
    size_t n_waiting;          /* In all groups. */
    struct tn_error waits_for; /* Of the first of them. */
    size_t first; /* The first of them, and what the kernel said. */
    struct tn_k_refusal refusal;
    struct tn_error early; /* Or what we said ourselves, before asking it. */
    bool exists;           /* One of them was EEXIST. */
    size_t chunk;          /* Links to delete at once; adapted. */
    uint32_t leaving;      /* Group of those. */
    TN_VEC(size_t) low;    /* Steps: bridges that are to come up. */
};

/* One step being turned into requests. */
struct tn_k_emit {
    struct tn_k_commit *c;
    size_t step;
};

/* commit.c */

/* The namespace, open and with its links known. */
enum tn_code tn_k_commit_space(struct tn_k_commit *c, const char *name,
                               struct tn_k_space **out,
                               struct tn_error *err) TN_MUST_USE;
/* Where requests for it are collected. */
struct tn_k_batch *tn_k_lane(struct tn_k_commit *c, struct tn_k_space *space,
                             int level);

/* commit_link.c: composing requests. */

/* A link request: RTM_NEWLINK for the link 'index', without end. */
enum tn_k_turn { TN_K_KEEP, TN_K_UP, TN_K_DOWN };
void tn_k_link_begin(const struct tn_k_emit *e, struct tn_k_batch *b,
                     uint32_t index, uint16_t flags, enum tn_k_turn turn);
/* The alias "<mark><text>"; the text is cut if it must be. */
void tn_k_put_alias(const struct tn_k_emit *e, struct tn_k_batch *b,
                    const char *text);
/* Brings a link from 'before' to 'after': bridge, options as a bridge's port,
 * MTU, state, and the mark if 'alias' is not null.  With 'before' null it was
 * just made, is port of its bridge already, and stays down: what is told to a
 * link that is up is announced to the whole kernel each time. */
struct tn_k_link_change {
    struct tn_k_space *space;
    int level;
    uint32_t index;
    const struct tn_k_link *before, *after;
    const char *alias;
    bool is_port; /* Has options of a bridge's port, not of a bridge. */
};
void tn_k_change_link(const struct tn_k_emit *e,
                      const struct tn_k_link_change *change);

/* Brings up a link that was just made. */
void tn_k_raise_link(const struct tn_k_emit *e, struct tn_k_space *space,
                     int level, uint32_t index);

/* A bridge comes up, and gets its addresses, by tn_k_raise_bridges() only: with
 * its tunnel as a port it has a carrier then, and need not gain it later. */
enum tn_code tn_k_create_bridge(const struct tn_k_emit *e,
                                const struct tn_k_bridge *o,
                                struct tn_error *err) TN_MUST_USE;
void tn_k_raise_bridges(struct tn_k_commit *c);
enum tn_code tn_k_update_bridge(const struct tn_k_emit *e,
                                const struct tn_k_bridge *was,
                                const struct tn_k_bridge *o,
                                struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_create_vxlan(const struct tn_k_emit *e,
                               const struct tn_k_vxlan *o,
                               struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_update_vxlan(const struct tn_k_emit *e,
                               const struct tn_k_vxlan *was,
                               const struct tn_k_vxlan *o,
                               struct tn_error *err) TN_MUST_USE;

/* commit_port.c */
enum tn_code tn_k_create_port(const struct tn_k_emit *e,
                              const struct tn_k_port *o,
                              struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_update_port(const struct tn_k_emit *e,
                              const struct tn_k_port *was,
                              const struct tn_k_port *o,
                              struct tn_error *err) TN_MUST_USE;
/* Gives an interface that we moved back to the underlay. */
enum tn_code tn_k_return_port(const struct tn_k_emit *e,
                              const struct tn_k_port *o,
                              struct tn_error *err) TN_MUST_USE;

/* commit_peer.c */
enum tn_code tn_k_create_peering(const struct tn_k_emit *e,
                                 const struct tn_k_peering *o,
                                 struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_update_peering(const struct tn_k_emit *e,
                                 const struct tn_k_peering *was,
                                 const struct tn_k_peering *o,
                                 struct tn_error *err) TN_MUST_USE;

enum tn_code tn_k_delete_peering(const struct tn_k_emit *e,
                                 const struct tn_k_peering *o,
                                 struct tn_error *err) TN_MUST_USE;

/* commit_entry.c: addresses, entries, neighbours, routes. */

struct tn_k_addr_target {
    struct tn_k_space *space;
    int level;
    uint32_t index;
};
/* Adds what is in 'after' only, then removes what is in 'before' only; both
 * sorted. */
void tn_k_change_addrs(const struct tn_k_emit *e,
                       const struct tn_k_addr_target *t,
                       const struct tn_cidr *before, size_t n_before,
                       const struct tn_cidr *after, size_t n_after);

struct tn_k_route_request {
    struct tn_k_space *space;
    int level;
    bool add;
    uint16_t flags; /* NLM_F_* */
    struct tn_cidr to;
    struct tn_addr via; /* None: not said. */
    uint32_t index;     /* 0: not said. */
    uint32_t metric;    /* 0: not said. */
};
void tn_k_put_route(const struct tn_k_emit *e,
                    const struct tn_k_route_request *r);

/* A forwarding entry: of a tunnel's own table with 'vtep', of the bridge's with
 * NTF_MASTER in 'flags'. */
struct tn_k_fdb_request {
    struct tn_k_space *space;
    int level;
    bool add;
    uint16_t nl_flags;
    uint8_t flags; /* NTF_* */
    uint32_t index;
    struct tn_mac mac;
    struct tn_addr vtep;
};
void tn_k_put_fdb(const struct tn_k_emit *e, const struct tn_k_fdb_request *r);

enum tn_code tn_k_set_fdb(const struct tn_k_emit *e, const struct tn_k_fdb *o,
                          bool add, struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_set_neighbour(const struct tn_k_emit *e,
                                const struct tn_k_neighbour *o, bool add,
                                struct tn_error *err) TN_MUST_USE;
/* Adds those of ours that the bridge had when it was observed. */
void tn_k_restore_neighbours(const struct tn_k_emit *e,
                             struct tn_k_space *space, const char *bridge);
enum tn_code tn_k_set_route(const struct tn_k_emit *e,
                            const struct tn_k_route *o, enum tn_op op,
                            struct tn_error *err) TN_MUST_USE;

/* commit_space.c: namespaces and what belongs to them as a whole. */
enum tn_code tn_k_create_netns(const struct tn_k_emit *e,
                               const struct tn_k_netns *o,
                               struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_update_netns(const struct tn_k_emit *e,
                               const struct tn_k_netns *o,
                               struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_delete_netns(struct tn_k_commit *c,
                               const struct tn_k_netns *o,
                               struct tn_error *err) TN_MUST_USE;
/* Some interface of others that keeps the namespace from being removed, among
 * the links that were read; or null. */
const char *tn_k_occupant(const struct tn_k_space *space);
/* Whether links that the following requests make in a namespace of a VPC are to
 * take part in IPv6.  A commit leaves it at "no". */
enum tn_code tn_k_new_links(struct tn_k_space *space, bool ipv6,
                            struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_set_rules(const struct tn_k_emit *e,
                            const struct tn_k_rules *o, bool add,
                            struct tn_error *err) TN_MUST_USE;
/* The namespace of a port: made, marked as ours, if there is none. */
enum tn_code tn_k_ports_space(const struct tn_k_emit *e, const char *name,
                              const char *scope, struct tn_k_space **out,
                              struct tn_error *err) TN_MUST_USE;
/* Removes it if we made it and nothing is left in it. */
enum tn_code tn_k_leave_ports_space(struct tn_k_commit *c, const char *name,
                                    struct tn_error *err) TN_MUST_USE;

/* commit_delete.c: links, many at a time. */
enum tn_code tn_k_doom_link(const struct tn_k_emit *e, const char *ns,
                            const char *link, struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_delete_doomed(struct tn_k_commit *c,
                                struct tn_error *err) TN_MUST_USE;

/* commit_wait.c: what the kernel is still about to destroy. */
struct tn_k_patience {
    long pause_ms, waited_ms; /* The last pause, all of them. */
};
/* Sleeps and returns true if the failed steps of the group, which were refused
 * because something exists, should be tried again: nothing of that was to be
 * seen when the group was judged. */
bool tn_k_commit_wait(const struct tn_k_commit *c, size_t i, size_t end,
                      struct tn_k_patience *patience);

/* Takes note of a refusal; a tn_k_refused for a struct tn_k_commit. */
void tn_k_commit_refused(void *ctx, const struct tn_k_refusal *refusal);

/* The driver's members. */
enum tn_code tn_k_stage(struct tn_session *session, const struct tn_step *steps,
                        size_t n, struct tn_stage **out,
                        struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_commit(struct tn_stage *stage, enum tn_outcome *outcomes,
                         size_t *failed, struct tn_error *err) TN_MUST_USE;
void tn_k_rollback(struct tn_stage *stage);

#endif
