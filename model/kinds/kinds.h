/* kinds.h - the documents of an intent repository as C values.
 *
 * One struct per kind, and one table per kind (kinds/<kind>.c) of fields with
 * name, type, bounds, default and description.  The table drives the decoder,
 * 'tenet schema' (JSON Schema), the kind's page in docs/kinds/, the seed
 * document that holds every field, and the packed form in the cache.  Whoever
 * adds a field adds a member here and a row there, and nothing else.
 *
 * Every value carries its position; a value whose 'at.line' is 0 was not
 * given ("absent" is not "zero").  Defaults that depend on other documents are
 * applied by compile, never here.  All pointers go to the arena of the
 * repository. */
#ifndef TN_KINDS_KINDS_H
#define TN_KINDS_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/diag.h"
#include "model/base/net.h"
#include "model/yaml/node.h"

/* Scalars with their place. */
struct tn_vtext {
    const char *v; /* Null if absent. */
    struct tn_pos at;
};
struct tn_vuint {
    uint64_t v;
    struct tn_pos at;
};
struct tn_vbool {
    bool v;
    struct tn_pos at;
};
struct tn_vaddr {
    struct tn_addr v;
    struct tn_pos at;
};
struct tn_vcidr {
    struct tn_cidr v;
    struct tn_pos at;
};
struct tn_vmac {
    struct tn_mac v;
    struct tn_pos at;
};
/* One of a fixed set of words; 'v' is the index in the field's word list. */
struct tn_venum {
    unsigned v;
    struct tn_pos at;
};
/* Port numbers "80" or "8000-8100". */
struct tn_vrange {
    uint16_t first, last;
    struct tn_pos at;
};

#define TN_LIST(type)                                                          \
    struct {                                                                   \
        const type *items;                                                     \
        size_t n;                                                              \
        struct tn_pos at;                                                      \
    }

struct tn_meta_label {
    struct tn_vtext key, value;
};

enum tn_kind {
    TN_KIND_SETTINGS, /* tenet.yml */
    TN_KIND_TENANT,   /* tenants/<tenant>/tenant.yml */
    TN_KIND_VPC,
    TN_KIND_PORT,
    TN_KIND_SECURITY_GROUP,
    TN_KIND_PEERING,
    TN_KIND_DAEMON, /* The service's own file, outside of the intent. */
    TN_KIND_POLICY, /* policies/<name>.yml */
    TN_N_KINDS,
};

/* The envelope: apiVersion, kind, metadata. */
struct tn_meta {
    struct tn_vtext name;
    struct tn_vtext tenant; /* Optional; must equal the path's tenant. */
    TN_LIST(struct tn_meta_label) labels;
    struct tn_pos at; /* Of the document. */
    const char *path;
};

/* kind: Settings.  The instance of tenet and what belongs to the operator. */
struct tn_range32 {
    struct tn_vuint from, to; /* Both inclusive. */
};

/* What tenet may do on its own with a device, a tenant or a VPC. */
enum tn_mode {
    TN_MODE_OBSERVE, /* Look and tell, change nothing. */
    TN_MODE_HEAL,    /* Follow Git, and undo what others change. */
    TN_MODE_HOLD,    /* Leave as it is, and keep saying so. */
};
struct tn_mode_entry {
    struct tn_vtext device, tenant, vpc; /* vpc: "tenant/vpc". */
    struct tn_venum mode;
    struct tn_vtext reason;
    struct tn_vtext until; /* A moment; absent: until removed. */
    struct tn_pos at;
};
/* While it lasts, drift is healed and new intent waits. */
struct tn_freeze {
    struct tn_vtext from, until, reason;
    struct tn_pos at;
};

/* Reached before a change, reached after it: else the change goes back. */
struct tn_probe_entry {
    struct tn_vtext name;
    struct tn_vtext from;    /* "tenant/port" */
    struct tn_vtext to_port; /* "tenant/port"; or */
    struct tn_vaddr to_address;
    struct tn_vuint tcp; /* Absent: an ICMP echo. */
    struct tn_pos at;
};

/* A VPC in an external network: the operator's word. */
struct tn_external_vpc {
    struct tn_vtext vpc;               /* "tenant/vpc" */
    struct tn_vaddr address, address6; /* Of its router there. */
    TN_LIST(struct tn_vcidr) prefixes; /* Of it, that are known there. */
    struct tn_pos at;
};
/* A network that is not ours, behind a bridge of some hypervisors. */
struct tn_external {
    struct tn_vtext name;
    struct tn_vcidr cidr, cidr6;
    struct tn_vaddr gateway, gateway6; /* Default: first addresses. */
    struct tn_vtext physical_network;  /* physicalNetwork: of the hypervisors'
                                          tenet_ovs_bridge_mappings. */
    struct tn_vuint vlan;              /* Absent: untagged. */
    TN_LIST(struct tn_vtext) chassis;  /* Hosts, the preferred one first. */
    TN_LIST(struct tn_external_vpc) vpcs;
    struct tn_pos at;
};

#define TN_SIGNERS_FILE ".tenet/allowed_signers"

/* The paths that one signer may change. */
struct tn_signer_scope {
    struct tn_vtext principal;
    TN_LIST(struct tn_vtext) paths; /* Patterns. */
    struct tn_pos at;
};

struct tn_settings {
    struct tn_meta meta;         /* meta.name: the instance, part of all
                                    ownership marks. */
    struct tn_range32 vni;       /* pools.vni: default 4096-16777215. */
    struct tn_vtext mac_prefix;  /* pools.macPrefix: three octets, locally
                                    administered; default "02:74:6e". */
    struct tn_vtext status_ref;  /* statusRef: refs/heads/tenet/status. */
    struct tn_vuint max_deletes; /* budgets.maxDeletes: per device,
                                    default 100. */
    struct tn_vuint max_delete_percent;     /* budgets.maxDeletePercent: 30; a
                                               device with under 10 objects is
                                               exempt from the percentage. */
    struct tn_vuint max_deletes_per_tenant; /* budgets.maxDeletesPerTenant:
                                            default 100. */
    struct tn_vuint vxlan_port;             /* vxlanPort: 4789 (RFC 7348). */
    struct tn_vtext default_environment;    /* defaultEnvironment */
    TN_LIST(struct tn_mode_entry) modes;
    TN_LIST(struct tn_freeze) freezes;
    TN_LIST(struct tn_probe_entry) probes;
    TN_LIST(struct tn_external) external_networks; /* externalNetworks */
    /* Commits need a signature if one of the two is given. */
    struct tn_vtext signers_file; /* signers.file: TN_SIGNERS_FILE. */
    TN_LIST(struct tn_signer_scope) signers_scopes; /* Empty: no limits. */
};

/* kind: Tenant */
struct tn_quotas {
    struct tn_vuint vpcs, subnets, ports, security_groups, rules, peerings;
};
struct tn_tenant {
    struct tn_meta meta;
    struct tn_vtext description;
    struct tn_quotas quotas;                /* Absent: unlimited. */
    TN_LIST(struct tn_vcidr) allowed_cidrs; /* Of VPCs; absent: any. */
};

/* kind: Vpc */
enum tn_encapsulation { TN_ENCAP_VXLAN, TN_ENCAP_GENEVE, TN_ENCAP_GRE };
/* How workloads come by an IPv6 address. */
enum tn_ra {
    TN_RA_STATEFUL,  /* DHCPv6 gives them the address of their port. */
    TN_RA_STATELESS, /* From prefix and MAC; the rest by DHCPv6. */
    TN_RA_SLAAC,     /* From prefix and MAC; no DHCPv6. */
    TN_RA_NONE,      /* Not from the network. */
};
struct tn_dhcp {
    struct tn_vbool enabled;              /* Default true. */
    struct tn_vuint lease_time;           /* leaseTime, seconds: 3600. */
    TN_LIST(struct tn_vaddr) dns_servers; /* dnsServers: both families. */
    struct tn_vtext domain;               /* "web.example.org" */
    TN_LIST(struct tn_vaddr) ntp_servers; /* ntpServers: IPv4. */
    struct tn_venum ra;                   /* enum tn_ra */
    struct tn_pos at;                     /* Line 0: there is none. */
};
struct tn_subnet {
    struct tn_vtext name;
    struct tn_vcidr cidr;     /* IPv4 or IPv6. */
    struct tn_vcidr cidr6;    /* Optional second, IPv6: dual stack. */
    struct tn_vaddr gateway;  /* Default: first address of 'cidr'. */
    struct tn_vaddr gateway6; /* Default: first address of 'cidr6'. */
    struct tn_vuint mtu;      /* Default: what the underlay carries. */
    struct tn_vuint vni;      /* Default: pinned or derived. */
    struct tn_dhcp dhcp;      /* Default: none. */
    struct tn_pos at;
};
struct tn_route {
    struct tn_vcidr to;
    struct tn_vaddr via; /* An address inside one of the VPC's subnets. */
    struct tn_pos at;
};
struct tn_vpc {
    struct tn_meta meta;
    struct tn_vtext description;
    TN_LIST(struct tn_vcidr) cidrs; /* Subnets lie inside. */
    struct tn_venum encapsulation;  /* Default vxlan. */
    TN_LIST(struct tn_vtext) sites; /* Ports may be there only; absent: any. */
    TN_LIST(struct tn_subnet) subnets;
    TN_LIST(struct tn_route) routes;
    struct tn_vtext external_network; /* externalNetwork; default: none. */
};

/* kind: Port */
struct tn_attach {
    struct tn_vtext netns;     /* With it: a veth pair, the far end there. */
    struct tn_vtext interface; /* Far end's name (default eth0); without
                                  'netns': an existing interface (a tap). */
    struct tn_vtext vif; /* Instead of both: what NSX calls the interface. */
    struct tn_vbool default_route; /* With 'netns': defaultRoute, default
                                      true. */
    struct tn_pos at;
};
struct tn_port {
    struct tn_meta meta;
    struct tn_vtext description;
    struct tn_vtext vpc, subnet, host;
    struct tn_vmac mac;       /* Default: pinned or derived. */
    struct tn_vaddr address;  /* In 'cidr'; default: pinned or derived. */
    struct tn_vaddr address6; /* In 'cidr6'. */
    TN_LIST(struct tn_vcidr)
    allowed_addresses; /* Further sources it may use:
         routers, virtual addresses. */
    TN_LIST(struct tn_vtext) security_groups;
    struct tn_attach attach;
};

/* kind: SecurityGroup */
enum tn_direction { TN_INGRESS, TN_EGRESS };
enum tn_protocol {
    TN_PROTO_ANY,
    TN_PROTO_TCP,
    TN_PROTO_UDP,
    TN_PROTO_ICMP, /* ICMP for IPv4, ICMPv6 for IPv6. */
    TN_PROTO_SCTP,
};
struct tn_rule {
    struct tn_venum direction;
    struct tn_venum protocol;        /* Default any. */
    TN_LIST(struct tn_vrange) ports; /* Destination; tcp, udp, sctp only. */
    struct tn_vcidr remote_cidr;     /* At most one of the two; */
    struct tn_vtext remote_group;    /* neither: anybody. */
    struct tn_vtext description;
    struct tn_pos at;
};
struct tn_security_group {
    struct tn_meta meta;
    struct tn_vtext description;
    TN_LIST(struct tn_rule) rules;
};

/* kind: Peering.  Each side grants; only a pair of them connects. */
struct tn_peering {
    struct tn_meta meta;
    struct tn_vtext description;
    struct tn_vtext vpc;         /* Ours. */
    struct tn_vtext peer_tenant; /* peer.tenant; default: our tenant. */
    struct tn_vtext peer_vpc;    /* peer.vpc */
    TN_LIST(struct tn_vcidr)
    export; /* Prefixes of ours that the peer may
               reach; inside our VPC's cidrs. */
};

/* kind: Daemon.  How 'tenet run' works on one machine. */
enum tn_first_contact { TN_FIRST_OBSERVE, TN_FIRST_HEAL };
enum tn_daemon_forge {
    TN_DAEMON_GITHUB,
    TN_DAEMON_GITLAB,
    TN_DAEMON_GITEA,
};
struct tn_out_hook {
    struct tn_vtext url, secret_file;
    struct tn_pos at;
};
struct tn_daemon {
    struct tn_meta meta;
    struct {
        struct tn_vtext url, branch, ssh_key, known_hosts, ca_file, username,
            token_file;
        struct tn_vuint interval, timeout; /* Seconds. */
    } source;
    struct tn_vtext environment, host;
    struct {
        struct tn_vtext allowed_signers, root;
    } trust;
    struct {
        struct tn_vtext listen, webhook_secret_file, webhook_repository;
    } http;
    struct {
        struct tn_vtext signing_key;
        struct tn_vbool push; /* Default true. */
    } status;
    struct {
        struct tn_venum first_contact; /* Default observe. */
        struct tn_vuint audit;         /* Seconds, default 300. */
        struct tn_vuint probe_window;  /* Seconds, default 10. */
    } loop;
    TN_LIST(struct tn_vtext) alertmanagers;
    TN_LIST(struct tn_out_hook) webhooks;
    struct {
        struct tn_venum kind;
        struct tn_vtext api, repository, token_file, context;
    } forge;
    struct tn_vtext control; /* Default /run/tenet/control.sock. */
};

/* kind: Policy.  What reconciler/policy judges plans by. */
enum tn_policy_severity { TN_POLICY_DENY, TN_POLICY_WARN, TN_POLICY_INFO };
enum tn_policy_over { TN_OVER_VPC, TN_OVER_TENANT, TN_OVER_PLAN };
enum tn_policy_of {
    TN_POLICY_OF_TENANT,
    TN_POLICY_OF_VPC,
    TN_POLICY_OF_SUBNET,
    TN_POLICY_OF_PORT,
    TN_POLICY_OF_GROUP,
};
enum tn_policy_reach { TN_POLICY_NEVER, TN_POLICY_ALWAYS, TN_POLICY_ONLY };
enum tn_builtin {
    TN_BUILTIN_OPEN_PORTS,
    TN_BUILTIN_RESERVED_RANGES,
    TN_BUILTIN_ALLOWED_RANGES,
    TN_BUILTIN_NAMING,
    TN_BUILTIN_REQUIRED_LABELS,
    TN_BUILTIN_REQUIRED_GROUPS,
    TN_BUILTIN_QUOTAS,
    TN_BUILTIN_DELETE_BUDGET,
    TN_BUILTIN_PROTECTED,
    TN_BUILTIN_FREEZE,
    TN_BUILTIN_REACH,
    TN_N_BUILTINS,
};
struct tn_policy_waiver {
    struct tn_vtext subject; /* for: "acme", "acme/web", ... */
    struct tn_vtext reason, owner, expires;
    struct tn_pos at;
};
/* Documents of a tenant, as YAML in a text. */
struct tn_policy_example {
    struct tn_vtext name, before, given;
    TN_LIST(struct tn_vtext) expect; /* Parts of messages. */
    struct tn_pos at;
};
/* Ports: those that fit everything that is given. */
struct tn_policy_ends {
    struct tn_vtext tenant, vpc, subnet, group, port;
    struct tn_pos at;
};
struct tn_policy {
    struct tn_meta meta;
    struct tn_vtext description;
    struct tn_venum severity; /* Default deny. */
    TN_LIST(struct tn_vtext) environments;
    TN_LIST(struct tn_vtext) tenants;
    TN_LIST(struct tn_meta_label) labels;
    struct tn_venum builtin; /* Exactly one of the three is given. */
    struct tn_vtext jq, use;
    struct tn_venum over; /* Of jq; default vpc. */
    struct tn_vtext message;
    TN_LIST(struct tn_policy_waiver) waivers;
    TN_LIST(struct tn_policy_example) examples;
    /* with: what the built-in rules take. */
    TN_LIST(struct tn_vrange) ports;
    struct tn_vuint widest, widest6; /* 8, 24 */
    TN_LIST(struct tn_vcidr) prefixes;
    TN_LIST(struct tn_venum) kinds; /* enum tn_policy_of */
    struct tn_vtext pattern;
    TN_LIST(struct tn_vtext) keys;
    TN_LIST(struct tn_vtext) objects;
    struct tn_vuint max_vpcs, max_subnets, max_tenant_ports, max_ports,
        max_rules;
    struct tn_vuint max_deletes, max_delete_percent, max_deletes_per_tenant;
    struct tn_policy_ends from, to;
    struct tn_venum protocol, reach; /* Default any, never. */
};

/* One decoded document: 'kind' says which member of 'as' is set. */
struct tn_document {
    enum tn_kind kind;
    const struct tn_meta *meta;
    union {
        const struct tn_settings *settings;
        const struct tn_tenant *tenant;
        const struct tn_vpc *vpc;
        const struct tn_port *port;
        const struct tn_security_group *security_group;
        const struct tn_peering *peering;
        const struct tn_daemon *daemon;
        const struct tn_policy *policy;
        const void *any;
    } as;
};

/* "Vpc", "SecurityGroup": as written in 'kind:'. */
const char *tn_kind_name(enum tn_kind kind);
/* "vpc", "security-group": for the command line and file names. */
const char *tn_kind_slug(enum tn_kind kind);
/* By either of the two; false if there is no such kind. */
bool tn_kind_parse(const char *name, enum tn_kind *out) TN_MUST_USE;

/* "open-ports": as written in a policy. */
const char *tn_builtin_word(enum tn_builtin builtin);

/* Decodes one YAML document.  All that is wrong with it goes to 'diags':
 * unknown fields with a suggestion, wrong types, missing required fields, bad
 * values, unknown kind or apiVersion.  True if there was no error: '*out' is
 * set and lives in 'arena'.  'path' is borrowed.  Looks at one document only;
 * what needs others is model/compile's. */
bool tn_document_decode(struct tn_arena *arena, const char *path,
                        const struct tn_node *node, struct tn_document *out,
                        struct tn_diags *diags) TN_MUST_USE;

#endif
