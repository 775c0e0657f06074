/* resource.h - what a device holds, or should hold: sorted plain data.
 *
 * Both sides of a diff are a 'struct tn_state': an array of resources sorted by
 * key.  The core compares attributes as text and never looks inside 'native';
 * the driver reads 'native' and never has to parse its own text. */
#ifndef TN_DRIVERS_RESOURCE_H
#define TN_DRIVERS_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/digest.h"
#include "model/base/error.h"
#include "model/base/text.h"

enum tn_owner {
    TN_OURS,    /* Bears our mark (instance), or is wanted. */
    TN_FOREIGN, /* Observed without our mark: shown, never touched. */
};

/* How a difference in an attribute is brought about. */
enum tn_attr_change {
    TN_ATTR_UPDATE,  /* In place. */
    TN_ATTR_REPLACE, /* Only by deleting and creating the resource. */
};

/* A set of values is written as one attribute, its values sorted and joined
 * by ", ". */
struct tn_attr {
    const char *name;  /* Static text of the driver. */
    const char *value; /* Never null. */
    uint8_t change;    /* enum tn_attr_change */
    bool secret;       /* Printed as a fingerprint only. */
};

struct tn_resource {
    const char *key;   /* Unique in the device; sorts with strcmp.  Begins
                          with the scope, then the kind. */
    const char *kind;  /* Static text: "bridge", "route", ... */
    const char *name;  /* For people and 'tenet blame': "b-front". */
    const char *scope; /* "tenant/vpc"; "" for the device itself. */
    enum tn_owner owner;
    uint16_t rank;      /* Creation goes by rising, deletion by falling rank;
                           whatever a resource needs has a lower one. */
    const char *claim;  /* Something only one resource of the device can hold
                           ("vni 5000"); null: nothing.  A deletion that frees
                           a claim comes before the creation that wants it. */
    const char *parent; /* Key of the resource that takes this one with it when
                           it is deleted (an FDB entry: its link; a link: its
                           namespace); null: none.  When the parent must be
                           replaced, so is this one. */
    const struct tn_attr *attrs; /* Sorted by name. */
    size_t n_attrs;
    struct tn_origin origin; /* The line that asked for it; none if observed. */
    const void *native;      /* The driver's own form; same arena. */
    const char *ids; /* What only the device calls it, separated by spaces: the
                        uuids of its rows, its path; never compared.  Of what is
                        wanted as far as that is known.  Null: nothing. */
};

struct tn_state {
    const char *device;
    const struct tn_resource *items; /* Sorted by key. */
    size_t n;
};

/* Sorts by key and checks that keys are unique: TN_EINTERNAL names the one that
 * is not. */
enum tn_code tn_state_sort(struct tn_resource *items, size_t n,
                           struct tn_error *err) TN_MUST_USE;

/* Null if there is none. */
const struct tn_resource *tn_state_get(const struct tn_state *state,
                                       const char *key);

/* Value of an attribute, null if absent. */
const char *tn_resource_attr(const struct tn_resource *r, const char *name);

/* True if kind and all attributes are equal. */
bool tn_resource_same(const struct tn_resource *a, const struct tn_resource *b);

/* Names key, kind and attributes: the precondition and the target of a change
 * in a saved plan. */
struct tn_digest tn_resource_digest(const struct tn_resource *r);

#endif
