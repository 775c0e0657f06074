/* variables.h - the variables of an inventory that tenet reads: their table.
 *
 * Private to this folder. */
#ifndef TN_INVENTORY_VARIABLES_H
#define TN_INVENTORY_VARIABLES_H

#include <stdint.h>

#include "model/base/text.h"

enum tn_var_type {
    VAR_CHOICE,  /* One of 'choices'. */
    VAR_LABEL,   /* RFC 1123. */
    VAR_ADDRESS, /* A unicast address. */
    VAR_UINT,    /* min..max */
    VAR_BOOL,
    VAR_NETNS,       /* A name under /run/netns. */
    VAR_PATH,        /* A file of the machine that tenet runs on. */
    VAR_HOST,        /* A host of the inventory. */
    VAR_REMOTES,     /* Where a database is: remote.c. */
    VAR_SYSTEM_ID,   /* The name of a chassis. */
    VAR_BRIDGE,      /* The name of an interface. */
    VAR_MAPPINGS,    /* Networks and the bridges that lead to them. */
    VAR_POLICY_PATH, /* "/infra/...": an object of NSX. */
    VAR_URLS,        /* "https://...", separated by commas. */
    VAR_SEALED,      /* A secret: base/seal.h. */
    VAR_WORDS,       /* Any text. */
};

struct tn_known_var {
    const char *name;
    enum tn_var_type type;
    const char *const *choices; /* Null-terminated. */
    uint32_t min, max;
    const char *fallback; /* As documented; null: none. */
    const char *help;
};

enum {
    TN_VAR_MTU_DEFAULT = 1500,
    TN_VAR_NAME_MAX = 253,
    TN_VAR_NETNS_MAX = 64,
    TN_VAR_INTERFACE_MAX = 15,
};

#define TN_OVS_SOCKET "unix:/var/run/openvswitch/db.sock"
#define TN_OVN_SOCKET "unix:/var/run/ovn/ovnnb_db.sock"

/* All of them, sorted by name. */
extern const struct tn_known_var tn_known_vars[];
extern const size_t tn_n_known_vars;

/* Null: there is none of that name. */
const struct tn_known_var *tn_known_var(const char *name);
/* What a value must be, in words; of 'out'. */
const char *tn_known_var_type(const struct tn_known_var *k,
                              struct tn_text *out);

#endif
