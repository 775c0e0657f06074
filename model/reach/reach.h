/* reach.h - who can talk to whom, computed on the compiled network.
 *
 * Exact and without sampling: addresses are divided where some prefix of the
 * network begins or ends, ports where some rule does, and one packet of each
 * part stands for all of it.  Pure: reads a network, asks no device.  What is
 * modelled, and what is not, is docs/reach.md; it follows docs/kernel.md.
 *
 * Everything given back lives in the arena of 'struct tn_reach', and points
 * into the networks, which must outlive it.  One thread at a time. */
#ifndef TN_REACH_REACH_H
#define TN_REACH_REACH_H

#include "model/compile/network.h"
#include "model/reach/traffic.h"

/* An engine over one network.  New in 'arena'; costs nothing by itself. */
struct tn_reach;
struct tn_reach *tn_reach_new(struct tn_arena *arena,
                              const struct tn_network *network);
const struct tn_network *tn_reach_network(const struct tn_reach *reach);

/* Null if there is none of that name. */
const struct tn_net_vpc *tn_reach_vpc(const struct tn_reach *reach,
                                      const char *tenant, const char *vpc);
const struct tn_net_port *tn_reach_port(const struct tn_reach *reach,
                                        const char *tenant, const char *port,
                                        const struct tn_net_vpc **vpc);

/* ---- one question ------------------------------------------------------- */

/* Where packets come from or go to: a port, or a prefix as seen in a VPC, or
 * both (the port uses, or is reached at, that address). */
struct tn_reach_place {
    const struct tn_net_vpc *vpc;   /* Of 'to': null is that of 'from'. */
    const struct tn_net_port *port; /* Null: whoever has the address. */
    struct tn_cidr prefix; /* Family TN_AF_NONE: the port's own addresses. */
};

/* "TENANT/PORT", "TENANT/VPC/ADDRESS[/LENGTH]", or "ADDRESS[/LENGTH]" in the
 * VPC 'seen_from' (null: of the only port that has it).  TN_ENOENT, TN_EINTENT
 * with a message that says what was wrong. */
enum tn_code tn_reach_place_parse(const struct tn_reach *reach,
                                  const char *text,
                                  const struct tn_net_vpc *seen_from,
                                  struct tn_reach_place *out,
                                  struct tn_error *err) TN_MUST_USE;

enum tn_reach_verdict {
    TN_REACH_NO,      /* Nothing arrives. */
    TN_REACH_ONE_WAY, /* It arrives, but no answer finds its way back. */
    TN_REACH_YES,     /* It arrives, and is answered. */
};
/* "no", "one-way", "yes". */
const char *tn_reach_verdict_word(enum tn_reach_verdict verdict);

/* What decided, in the order in which a packet meets it. */
enum tn_reach_role {
    TN_REACH_SOURCE,  /* May the port use this source address? */
    TN_REACH_EGRESS,  /* The groups of the sender. */
    TN_REACH_ROUTE,   /* Subnet, static route, or none. */
    TN_REACH_EXPORT,  /* The source must be exported to the peer ... */
    TN_REACH_IMPORT,  /* ... and the destination by the peer to us. */
    TN_REACH_HOLDER,  /* Who has the address. */
    TN_REACH_INGRESS, /* The groups of the receiver. */
    TN_REACH_RETURN,  /* The way of answers; established flows pass rules. */
};
const char *tn_reach_role_word(enum tn_reach_role role);

struct tn_reach_step {
    enum tn_reach_role role;
    bool passes;
    const char *text;    /* One sentence, no trailing dot. */
    struct tn_origin at; /* The line that says so; path null: a default. */
};

/* The addresses of one answer; 'first' to 'last' behave alike. */
struct tn_reach_part {
    struct tn_addr from_first, from_last, to_first, to_last;
    const struct tn_net_vpc *to_vpc;   /* Where it ends; null: nowhere. */
    const struct tn_net_port *to_port; /* Who gets it; null: nobody, or the
                                          gateway. */
    enum tn_reach_verdict verdict;     /* Of the traffic asked for. */
    const struct tn_traffic *traffic;  /* All that passes on this way. */
    bool answered;                     /* What passes is answered. */
    const struct tn_reach_step *steps;
    size_t n_steps;
};

struct tn_reach_question {
    struct tn_reach_place from, to; /* 'from' has a port or an address that a
                                       port may use. */
    const struct tn_traffic *traffic;
};

enum { TN_REACH_PARTS = 50000 }; /* More is not asked. */

struct tn_reach_answer {
    enum tn_reach_verdict verdict; /* The best of the parts. */
    bool whole;                    /* All parts say the same. */
    bool cut;                      /* There was more to ask. */
    const struct tn_reach_part *parts;
    size_t n_parts;
};

/* Traffic passes if all of what is asked for does.  Two ends without a common
 * family, or an end that is nobody's, are a "no" with the reason. */
void tn_reach_ask(struct tn_reach *reach,
                  const struct tn_reach_question *question,
                  struct tn_reach_answer *answer);

/* ---- all of a VPC ------------------------------------------------------- */

enum tn_reach_end_kind {
    TN_REACH_OWN,     /* A port's own address. */
    TN_REACH_BEHIND,  /* A network that a static route puts behind a port. */
    TN_REACH_ALLOWED, /* Another source that a port may use. */
};

/* Some addresses of one port that nothing in the network tells apart. */
struct tn_reach_end {
    const struct tn_net_vpc *vpc;
    const struct tn_net_subnet *subnet;
    const struct tn_net_port *port;
    enum tn_reach_end_kind kind;
    struct tn_addr first, last;
};

/* Ends that differ in nothing that rules or routes ask for. */
struct tn_reach_class {
    const char *label; /* "acme/web group app+mon subnet front" */
    const struct tn_reach_end *const *ends;
    size_t n_ends;
    size_t n_ports;
};

struct tn_reach_cell {
    uint32_t from, to;                /* Numbers of classes. */
    bool answered;                    /* Else one way only. */
    const struct tn_traffic *traffic; /* Never nothing. */
};

struct tn_reach_matrix {
    const struct tn_reach_class *classes;
    size_t n_classes;
    const struct tn_reach_cell *cells; /* By from, to. */
    size_t n_cells;
};

/* Between the ends of one VPC: of a class with itself, between any two of its
 * ends that are not of one port. */
void tn_reach_matrix(struct tn_reach *reach, const struct tn_net_vpc *vpc,
                     struct tn_reach_matrix *out);
/* From the ends of one VPC to those of another (or the same). */
void tn_reach_matrix_between(struct tn_reach *reach,
                             const struct tn_net_vpc *from,
                             const struct tn_net_vpc *to,
                             struct tn_reach_matrix *out);

/* ---- what a commit changes ---------------------------------------------- */

/* A VPC whose compiled content differs. */
struct tn_reach_touched {
    const struct tn_net_vpc *before, *after; /* Null: not there. */
};
struct tn_reach_changes {
    const struct tn_network *before, *after; /* 'before' may be null: all new */
    const struct tn_reach_touched *items;    /* By scope. */
    size_t n;
    size_t n_vpcs; /* Compared. */
};
/* One walk over both networks; equal VPCs are done with here. */
void tn_reach_changes_find(struct tn_arena *arena,
                           const struct tn_network *before,
                           const struct tn_network *after,
                           struct tn_reach_changes *out);

/* "acme/web group app -> acme/db group db: tcp 5432". */
struct tn_reach_difference {
    const char *tenant;   /* Of the sender. */
    const char *from;     /* "acme/web group app" */
    const char *to;       /* "acme/db group db" */
    const char *from_vpc; /* "acme/web" */
    const char *to_vpc;
    const struct tn_traffic *traffic;
    bool widens;                     /* Became reachable; else unreachable. */
    bool crosses;                    /* Between tenants. */
    bool whole;                      /* Of all ends with these labels. */
    size_t n_from_ports, n_to_ports; /* That are concerned. */
    size_t n_pairs;                  /* Of ends. */
    const char *example;             /* "acme/web1 -> acme/db1" */
    /* The lines that now allow it, or did until now: peerings, egress, ingress;
     * where the other side has no such line, those that stand against it. */
    const struct tn_origin *origins;
    size_t n_origins;
};

struct tn_reach_diff {
    const struct tn_reach_difference *items; /* By tenant, from, to; what
                                                widens first. */
    size_t n;
    size_t n_widen, n_narrow;
    size_t n_vpcs, n_touched; /* Compared; different. */
    size_t n_flows;           /* Pairs of VPCs that were computed. */
};

/* One-way traffic counts: what arrives, arrives.  VPCs that 'after' holds back
 * are left out: they stay as they are.  Cost follows the VPCs that changed and
 * those that they peer with.  New in 'arena'. */
void tn_reach_diff_of(struct tn_arena *arena,
                      const struct tn_reach_changes *changes,
                      struct tn_reach_diff *out);
/* The same from the two networks. */
void tn_reach_diff(struct tn_arena *arena, const struct tn_network *before,
                   const struct tn_network *after, struct tn_reach_diff *out);

/* ---- isolation ---------------------------------------------------------- */

struct tn_reach_violation {
    const char *rule;          /* "vni-shared", "peering-one-sided", ... */
    const char *message;       /* One sentence. */
    const char *packet;        /* A counter-example: "from acme/a1 (10.0.0.5) to
                                  10.1.0.7 arrives at beta/b1"; null: none. */
    const char *tenant;        /* Whose line it is; null: everybody's. */
    struct tn_origin at, also; /* The lines; 'also' may be none. */
};

struct tn_reach_isolation {
    const struct tn_reach_violation *items;
    size_t n;
    size_t n_vpcs, n_devices, n_peerings; /* Looked at. */
};

/* Checks what isolation rests on, on the network and on what each device is
 * given of it: see docs/reach.md for the list and why it suffices.
 * 'changes' (may be null: all is checked) says that its 'before' was proven;
 * then checks of single VPCs are made for those that changed only. */
void tn_reach_isolation(struct tn_arena *arena,
                        const struct tn_network *network,
                        const struct tn_reach_changes *changes,
                        struct tn_reach_isolation *out);

/* ---- assertions --------------------------------------------------------- */

/* Which ports: all that fit everything that is given.  'match' (may be null)
 * is for what the network does not know, labels for instance. */
struct tn_reach_selector {
    const char *tenant, *vpc, *subnet, *group, *port; /* Null: any. */
    bool (*match)(const struct tn_net_vpc *vpc,
                  const struct tn_net_subnet *subnet,
                  const struct tn_net_port *port, void *user);
    void *user;
};

enum tn_reach_claim {
    TN_REACH_NEVER,  /* Nothing of 'traffic' gets from 'from' to 'to'. */
    TN_REACH_ONLY,   /* Of 'traffic', 'to' gets only what is from 'from'. */
    TN_REACH_ALWAYS, /* All of 'traffic' gets from 'from' to 'to', answered. */
};

struct tn_reach_assertion {
    enum tn_reach_claim claim;
    struct tn_reach_selector from, to;
    const struct tn_traffic *traffic;
};

enum { TN_REACH_BREACHES = 1000 }; /* More are not looked for. */

/* A pair of classes that breaks it, with one of its pairs of ports. */
struct tn_reach_breach {
    const struct tn_reach_end *from, *to;
    const struct tn_traffic *traffic; /* That should not, or should, pass. */
    size_t n_pairs;
    const struct tn_reach_step *steps; /* Of the example. */
    size_t n_steps;
};

struct tn_reach_outcome {
    const struct tn_reach_breach *items; /* At most TN_REACH_BREACHES. */
    size_t n;
    size_t n_from, n_to; /* Ports that the selectors fit. */
};

/* Only pairs of ports that share a VPC or whose VPCs peer are computed; others
 * never reach one another (ALWAYS: each such pair of VPCs is a breach). */
void tn_reach_assert(struct tn_reach *reach,
                     const struct tn_reach_assertion *assertion,
                     struct tn_reach_outcome *out);

#endif
