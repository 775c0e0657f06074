/* object.h - objects of the NSX policy API as resources.
 *
 * A kind says which objects of the API are one kind of our resources, and which
 * of their fields are ours to compare and write; kinds.c has the tables.  From
 * them object.c makes resources of what is wanted and of what was read, and the
 * JSON of what is to be written.
 *
 * Fields.  Only what a kind names is compared; all else that an object holds
 * (server defaults, what others set) is kept as it was read, since NSX replaces
 * whole objects.  Values are compared in a canonical spelling: defaults left
 * out, prefixes without host bits where the table says so, sets sorted, objects
 * with sorted keys and only the members that their shape names.
 *
 * Marks.  An object is ours if its tags have
 *     tenet/instance   settings.meta.name of the repository
 *     tenet/key        the resource's key
 * beside which stands tenet/scope.  Other tags belong to others, are not
 * compared and are kept; of the 30 that NSX allows, we use at most 26. */
#ifndef TN_NSX_OBJECT_H
#define TN_NSX_OBJECT_H

#include <stdbool.h>

#include "drivers/resource.h"
#include "model/base/arena.h"
#include "model/base/attr.h"

#define TN_NSX_TAG_INSTANCE "tenet/instance"
#define TN_NSX_TAG_KEY "tenet/key"
#define TN_NSX_TAG_SCOPE "tenet/scope"

enum { TN_NSX_TAGS_MAX = 26, TN_NSX_ID_MAX = 255 };

enum tn_nsx_type {
    TN_NSX_TEXT,
    TN_NSX_NUMBER,  /* Written as a number, read as one or as a text. */
    TN_NSX_NUMERAL, /* The same, written as a text: ports, local_as_num. */
    TN_NSX_BOOLEAN,
    TN_NSX_ADDRESS,  /* One spelling of an address. */
    TN_NSX_PREFIX,   /* ADDRESS/LEN, host bits kept (gateway_address). */
    TN_NSX_NETWORK,  /* The same without host bits. */
    TN_NSX_SET,      /* Of texts; order says nothing, empty is absent.  What
                        is an address or a prefix is spelled as one. */
    TN_NSX_SEQUENCE, /* Of texts; order counts. */
    TN_NSX_OBJECT,   /* 'shape'. */
    TN_NSX_OBJECTS,  /* A list of such, order says nothing. */
    TN_NSX_ORDERED,  /* A list of such, order counts. */
    TN_NSX_LABELS,   /* Tags of one scope, as a set of their values: our own
                        words in the object's tags. 'name' is the scope. */
};

struct tn_nsx_shape;

#define TN_NSX_ANY "*"

struct tn_nsx_field {
    const char *name; /* In the API; "advanced_config.connectivity" is one. */
    const char *attr; /* As plans show it. */
    enum tn_nsx_type type;
    uint8_t change; /* enum tn_attr_change: immutable ones TN_ATTR_REPLACE. */
    const char *fallback; /* What the server fills in: equal to absence.  A
                             text, of lists the one element, or JSON that
                             begins with '[' or '{'.  TN_NSX_ANY: whatever it
                             is, it is only compared where it is wanted. */
    const struct tn_nsx_shape *shape;
    bool secret; /* Written and never compared: the server does not tell. */
    bool claim;  /* No two objects of the kind have the same values in all
                    fields of which this is said. */
};

struct tn_nsx_shape {
    const struct tn_nsx_field *fields;
    size_t n;
};

enum tn_nsx_kind_flags {
    TN_NSX_SHOWN = 1u << 0,    /* Foreign objects are told of. */
    TN_NSX_WITHIN = 1u << 1,   /* Foreign objects inside ours are told of. */
    TN_NSX_REALISED = 1u << 2, /* Its realisation is awaited. */
    TN_NSX_TIERS = 1u << 3,    /* Is there only without VPCs of NSX, */
    TN_NSX_VPCS = 1u << 4,     /* or only with them. */
    TN_NSX_LOCAL = 1u << 5,    /* Claims hold inside of what it stands in. */
};

struct tn_nsx_kind {
    const char *name;       /* Of resources: "segment". */
    const char *type;       /* resource_type: "Segment". */
    const char *collection; /* Last word before the id: "segments". */
    uint16_t rank;
    unsigned flags;
    const struct tn_nsx_field *fields;
    size_t n_fields;
};

/* 'native' of a resource. */
struct tn_nsx_object {
    const struct tn_nsx_kind *kind;
    const char *path;          /* "/infra/segments/lab_acme_web_front" */
    const char *body;          /* As it was read, JSON text; null: wanted. */
    long long revision;        /* _revision; -1: not known. */
    long long modified;        /* _last_modified_time; 0: not known. */
    const char *const *values; /* One per field of the kind, canonical JSON;
                                  null: absent. */
};

struct tn_nsx_texts {
    const char **items;
    size_t n, cap;
};

/* A resource in the making.  Line and parent are set in 'r'. */
struct tn_nsx_draft {
    struct tn_arena *arena;
    struct tn_resource r;
    const struct tn_nsx_kind *kind;
    const char *path;
    const char **values;
    struct tn_nsx_texts *lists; /* What was added, by field. */
};

/* Key: SCOPE/KIND, or SCOPE/KIND/NAME; without a scope KIND/NAME.  'name' may
 * be null.  'path' is where the object is to be. */
void tn_nsx_draft_begin(struct tn_nsx_draft *d, struct tn_arena *arena,
                        const struct tn_nsx_kind *kind, const char *scope,
                        const char *name, const char *path);
/* Sets a field of the kind, by its attr, to a text, number, boolean, address
 * or prefix ... */
void tn_nsx_draft_set(struct tn_nsx_draft *d, const char *attr,
                      const char *value);
/* ... adds to a set, a sequence or labels ... */
void tn_nsx_draft_add(struct tn_nsx_draft *d, const char *attr,
                      const char *value);
/* ... or sets any field to JSON, which is made canonical. */
void tn_nsx_draft_json(struct tn_nsx_draft *d, const char *attr,
                       const char *json);
/* The finished resource.  Its owner is TN_OURS. */
struct tn_resource tn_nsx_draft_end(struct tn_nsx_draft *d);

#endif
