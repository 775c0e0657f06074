/* parts.h - what the files of this folder share; no other folder includes it.
 *
 * The way of an inventory:
 *
 *     file.c      one file to one map of nodes (YAML, or JSON by json_read.c)
 *     hosts.c     hosts.yml into groups, hosts and inline variables, with the
 *                 patterns of pattern.c and the graph of groups.c
 *     vars.c      group_vars/ and host_vars/ into layers
 *     merge.c     layers into the variables of a host
 *     layers.c    the same layers, unmerged, for 'tenet explain'
 *     config.c    tenet_ variables into struct tn_host_config
 *     remote.c    where databases are, in one spelling
 *     claims.c    what no two hosts may share, and clouds with their members
 *
 * scalar.c and json.c know how Ansible types and prints values. */
#ifndef TN_INVENTORY_PARTS_H
#define TN_INVENTORY_PARTS_H

#include "model/base/map.h"
#include "model/base/text.h"
#include "model/inventory/inventory.h"

/* Bounds of one environment, beside those of a file. */
enum {
    TN_INV_HOSTS_MAX = 100000,
    TN_INV_WORK_MAX = 32000000, /* Edges followed and variables merged. */
    TN_INV_DIR_DEPTH = 16,
    TN_INV_FILE_MAX = 8 * 1024 * 1024,
};

/* ---------------------------------------------------------- scalar.c ---- */

/* YAML 1.1 as PyYAML resolves it. */
enum tn_scalar_type {
    TN_SCALAR_TEXT,
    TN_SCALAR_NULL,
    TN_SCALAR_BOOL,
    TN_SCALAR_INT,
    TN_SCALAR_FLOAT,
    TN_SCALAR_TIME,
    TN_SCALAR_SPECIAL, /* '=' and '<<': have no value. */
};

/* The type of a plain scalar. */
enum tn_scalar_type tn_scalar_type(const char *text);

/* Adds the value as Ansible prints it: an integer in decimal, a float as
 * Python's repr, a date in ISO form; without quotes.  False if it has none:
 * "2021-13-45", "0x_". */
bool tn_scalar_format(enum tn_scalar_type type, const char *text,
                      struct tn_text *out) TN_MUST_USE;

/* Adds a double as Python's repr does. */
void tn_scalar_format_double(double value, struct tn_text *out);

/* True for a value that is not a map and not a list, and its type. */
bool tn_node_scalar_type(const struct tn_node *node, enum tn_scalar_type *out);

/* True if the key is text, not a number, null, ... */
bool tn_pair_is_text(const struct tn_pair *pair);

/* What Python calls false: null, no, 0, "", an empty list or map. */
bool tn_node_is_falsy(const struct tn_node *node);

/* -------------------------------------------------------- json_read.c ---- */

/* JSON as nodes, with positions.  Null if the bytes are not JSON: then they
 * may be YAML.  Duplicate keys: the last one wins.  Floats are spelled so that
 * YAML 1.1 reads them as such. */
const struct tn_node *tn_json_read(struct tn_arena *arena, const char *bytes,
                                   size_t n,
                                   const struct tn_yaml_limits *limits);

/* ------------------------------------------------------------ groups.c ---- */

/* Variables of one layer, or merged ones: sorted by name, each name once. */
struct tn_layer {
    const struct tn_var *vars;
    size_t n;
    uint32_t span; /* Above every 'order'. */
};

/* Variables as they are set one by one; a later one of a name wins. */
struct tn_var_list {
    TN_VEC(struct tn_var) set;
};

struct tn_inv_group;

struct tn_inv_edge {
    struct tn_inv_group *parent;
    struct tn_origin at; /* Where the child is listed. */
};

struct tn_inv_group {
    const char *name;
    const char *layer_name; /* "group NAME" */
    int64_t priority;       /* ansible_group_priority of the hosts file. */
    uint32_t depth;         /* Longest way from "all". */
    uint32_t index;         /* In the order of appearance. */
    uint32_t mark;          /* Scratch of graph walks. */
    TN_VEC(struct tn_inv_edge) parents;
    struct tn_var_list inline_vars;
    struct tn_layer in_hosts, in_files;
    bool files_read;
    bool broken; /* A file of its variables was refused. */
};

struct tn_inv_member {
    const char *name;
    const char *layer_name; /* "host NAME" */
    struct tn_origin at;
    TN_VEC(struct tn_inv_group *) groups; /* It is listed in. */
    struct tn_var_list inline_vars;
    bool broken; /* An inline variable was refused. */
};

/* A set of groups that hosts share, and what they inherit from it. */
struct tn_inv_chain {
    struct tn_inv_group **groups; /* By precedence, "all" first. */
    const char **names;
    size_t n;
    struct tn_layer merged;
    bool read, broken;
};

struct tn_inv_dir {
    struct tn_entry *entries; /* In the byte order of names. */
    size_t n;
};

/* All that one tn_inventory_load has at hand. */
struct tn_inv {
    struct tn_source *source;
    const char *dir; /* inventories/<environment> */
    struct tn_arena *arena;
    struct tn_diags *diags;
    struct tn_error *err;
    struct tn_digester digester;
    struct tn_map group_by_name, host_by_name, chain_by_key, dir_by_path;
    TN_VEC(struct tn_inv_group *) groups;
    TN_VEC(struct tn_inv_member *) hosts;
    struct tn_inv_group *all, *ungrouped;
    uint32_t mark; /* Last used by a walk over the groups. */
    size_t work;   /* Against TN_INV_WORK_MAX. */
    bool broken;   /* A hosts file was refused: no host is sure. */
};

/* Starts with the groups "all" and "ungrouped". */
void tn_inv_groups_init(struct tn_inv *inv);
/* Found or new. */
struct tn_inv_group *tn_inv_group(struct tn_inv *inv, const char *name);
/* Found or new; null past TN_INV_HOSTS_MAX. */
struct tn_inv_member *tn_inv_member(struct tn_inv *inv, const char *name,
                                    struct tn_origin at, bool *is_new);
void tn_inv_add_child(struct tn_inv *inv, struct tn_inv_group *parent,
                      struct tn_inv_group *child, struct tn_origin at);
void tn_inv_add_member(struct tn_inv *inv, struct tn_inv_group *group,
                       struct tn_inv_member *host);
/* After all files: parents for the parentless, depths, "ungrouped".  False if
 * the groups form a cycle. */
bool tn_inv_reconcile(struct tn_inv *inv) TN_MUST_USE;
/* The groups of a host, shared with others that are listed in the same. */
struct tn_inv_chain *tn_inv_chain(struct tn_inv *inv,
                                  const struct tn_inv_member *host);

/* ----------------------------------------------------------- pattern.c ---- */

/* 'web[01:10]:22' as Ansible expands it. */
struct tn_pattern {
    TN_VEC(const char *) names;
    const char *port; /* Canonical decimal text; null if none. */
};

/* Null, or what is wrong with it, in 'arena'.  At most 'max' names. */
const char *tn_pattern_expand(struct tn_arena *arena, const char *text,
                              size_t max, struct tn_pattern *out);

/* -------------------------------------------------------------- file.c ---- */

/* Reads and judges one file: '*root' is its map, null if it is empty or was
 * refused (then a finding was added and '*ok' is false). */
enum tn_code tn_inv_read_map(struct tn_inv *inv, const char *path,
                             const struct tn_entry *entry,
                             const struct tn_node **root, bool *ok) TN_MUST_USE;

/* True if the value is encrypted: kept and printed as it is, never read. */
bool tn_inv_is_vault(const struct tn_node *node);

/* True if the value is one that we can read and print; else findings. */
bool tn_inv_check_value(struct tn_inv *inv, const char *path,
                        const struct tn_node *value) TN_MUST_USE;

/* The entries of a directory, read once; no entries if there is none. */
enum tn_code tn_inv_list(struct tn_inv *inv, const char *path,
                         const struct tn_inv_dir **out) TN_MUST_USE;
const struct tn_entry *tn_inv_entry(const struct tn_inv_dir *dir,
                                    const char *name);

/* ".yml", ".yaml", ".json", ...: as os.path.splitext; "" if none. */
const char *tn_inv_extension(const char *name);
/* ".yml", ".yaml" or ".json". */
bool tn_inv_is_yaml_extension(const char *extension);

/* ------------------------------------------------------------- hosts.c ---- */

/* Reads hosts.yml, or all inventory files of the directory. */
enum tn_code tn_inv_read_hosts(struct tn_inv *inv) TN_MUST_USE;

/* -------------------------------------------------------------- vars.c ---- */

/* Adds a variable; inventory_hostname and its like are dropped. */
void tn_inv_set_var(struct tn_inv *inv, struct tn_var_list *list,
                    struct tn_var var);
struct tn_layer tn_inv_layer(struct tn_inv *inv,
                             const struct tn_var_list *list);

/* Every assignment of group_vars/NAME or host_vars/NAME, in the order in which
 * they count; '*ok' is false if some file was refused. */
enum tn_code tn_inv_collect_vars(struct tn_inv *inv, const char *folder,
                                 const char *name, const char *layer_name,
                                 struct tn_var_list *out, bool *ok) TN_MUST_USE;
/* Reads the variables of group_vars/NAME or host_vars/NAME. */
enum tn_code tn_inv_read_vars(struct tn_inv *inv, const char *folder,
                              const char *name, const char *layer_name,
                              struct tn_layer *out, bool *ok) TN_MUST_USE;

/* --------------------------------------------------------- inventory.c ---- */

/* For an inventory that has 'source', 'arena', 'diags' and 'err' only. */
void tn_inv_init(struct tn_inv *inv, const char *environment);
/* Groups and hosts of the environment, no variables of files yet.  '*found' is
 * false (and a finding added) if there is no such environment. */
enum tn_code tn_inv_read_graph(struct tn_inv *inv, const char *environment,
                               bool *found) TN_MUST_USE;

/* ------------------------------------------------------------- merge.c ---- */

/* What 'over' says wins. */
struct tn_layer tn_inv_merge(struct tn_inv *inv, struct tn_layer under,
                             struct tn_layer over);

/* The variables of a host; '*ok' is false if some layer of it was refused. */
enum tn_code tn_inv_merge_host(struct tn_inv *inv, struct tn_inv_member *host,
                               struct tn_inventory_host *out,
                               bool *ok) TN_MUST_USE;

/* ------------------------------------------------------------ config.c ---- */

/* Judges the tenet_ variables among 'vars', each where it is defined. */
void tn_inv_check_tenet_vars(struct tn_inv *inv, const struct tn_layer *vars);

/* Reads the configuration of a host from its merged variables.  False if it
 * is not whole; what is wrong with single variables was said already. */
bool tn_inv_config(struct tn_inv *inv, const struct tn_inventory_host *host,
                   struct tn_host_config *out) TN_MUST_USE;

/* ------------------------------------------------------------ remote.c ---- */

/* Adds the remotes of 'text', comma separated, in their one spelling.  False if
 * they are not well formed. */
bool tn_inv_remotes(const char *text, struct tn_text *out) TN_MUST_USE;

/* The first of several remotes to 'out'; returns the others, null if there are
 * none. */
const char *tn_inv_remote_next(const char *remotes, struct tn_text *out);

/* ------------------------------------------------------------ claims.c ---- */

/* Of hosts that are whole by themselves, by name: which stay so beside each
 * other.  'refused' are the names of those that are not whole, in any order,
 * and grows.  Keeps the good ones in 'hosts', sets their clouds, and returns
 * how many they are. */
struct tn_inv_names {
    TN_VEC(const char *) list;
};
size_t tn_inv_claims(struct tn_inv *inv, struct tn_host *hosts, size_t n,
                     struct tn_inv_names *refused) TN_MUST_USE;

#endif
