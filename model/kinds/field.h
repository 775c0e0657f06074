/* field.h - the table language in which each kind of document is written down
 * once: the decoder, the JSON Schema, the reference page, the seed document
 * and the packed form all read the same rows.
 *
 * A table is 'static const' data.  An object (struct tn_object) is a YAML map
 * with a fixed set of fields; it is decoded into a C struct, or into members
 * of the surrounding struct ('pools', 'remote': offset 0, no struct of their
 * own).  A field (struct tn_field) is one row. */
#ifndef TN_KINDS_FIELD_H
#define TN_KINDS_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/text.h"
#include "model/kinds/kinds.h"

/* What a field holds; the C type of the member is in the comment. */
enum tn_field_type {
    TN_FIELD_TEXT,   /* struct tn_vtext, judged by 'form' */
    TN_FIELD_UINT,   /* struct tn_vuint, 'min' to 'max' */
    TN_FIELD_BOOL,   /* struct tn_vbool */
    TN_FIELD_ADDR,   /* struct tn_vaddr */
    TN_FIELD_CIDR,   /* struct tn_vcidr */
    TN_FIELD_MAC,    /* struct tn_vmac: unicast, not zero */
    TN_FIELD_WORD,   /* struct tn_venum, one of 'words' */
    TN_FIELD_RANGE,  /* struct tn_vrange: 80 or "8000-8100" */
    TN_FIELD_OBJECT, /* The struct of 'object' */
    TN_FIELD_LABELS, /* TN_LIST(struct tn_meta_label): a map of text to text */
};

enum tn_field_flags {
    TN_REQUIRED = 1 << 0,
    TN_MANY = 1 << 1,     /* The member is a TN_LIST of the type. */
    TN_OR_ONE = 1 << 2,   /* With TN_MANY: a lone value is a list of one. */
    TN_DISTINCT = 1 << 3, /* With TN_MANY of scalars: none twice. */
    TN_IPV6 = 1 << 4,     /* Addresses and prefixes: IPv6 only. */
    TN_UNICAST = 1 << 5,  /* Not multicast, loopback, link-local or zero. */
};

/* The shape of a text.  'ok' decides and is what 'pattern' says in the
 * regular expressions of JSON Schema (ECMA 262), where they can say it. */
struct tn_form {
    const char *name;    /* "a name": completes "expected ...". */
    const char *pattern; /* Null: any text. */
    const char *rule;    /* For people: what is allowed. */
    uint32_t max;        /* Characters (code points). */
    bool (*ok)(const char *s, size_t n);
};

extern const struct tn_form tn_form_label;      /* RFC 1123 label */
extern const struct tn_form tn_form_host;       /* inventory name: host, site */
extern const struct tn_form tn_form_domain;     /* labels with dots */
extern const struct tn_form tn_form_prose;      /* descriptions */
extern const struct tn_form tn_form_interface;  /* a Linux interface name */
extern const struct tn_form tn_form_netns;      /* safe as a file name */
extern const struct tn_form tn_form_vif;        /* as NSX calls one */
extern const struct tn_form tn_form_branch;     /* refs/heads/... */
extern const struct tn_form tn_form_mac_prefix; /* 02:74:6e */
extern const struct tn_form tn_form_label_key;
extern const struct tn_form tn_form_label_value;
extern const struct tn_form tn_form_pair; /* tenant/name, both labels */
extern const struct tn_form tn_form_url;
extern const struct tn_form tn_form_path; /* absolute */
extern const struct tn_form tn_form_time; /* 2026-11-21T01:54:43Z */

struct tn_object;

struct tn_field {
    const char *name; /* As in YAML. */
    enum tn_field_type type;
    unsigned flags;
    uint32_t offset;               /* Of the member in the object's struct. */
    uint32_t n_words;              /* Of 'words'. */
    uint64_t min, max;             /* TN_FIELD_UINT: both inclusive. */
    uint32_t min_items, max_items; /* TN_MANY and TN_FIELD_LABELS. */
    const struct tn_form *form;
    const char *const *words; /* TN_FIELD_WORD: in the order of the enum. */
    const struct tn_object *object;
    const char *fallback;    /* The default as YAML, if it is a constant; a
                                sentence starts with '('. */
    const char *description; /* One or two full sentences. */
    const char *example;     /* YAML flow text: 10.0.0.0/8, [80, "90-99"].
                                Null for objects: theirs follow from fields. */
};

/* Where findings of a check go. */
struct tn_check {
    struct tn_diags *diags;
    const char *path;
};

struct tn_object {
    const char *title;       /* "Subnet": names the definition. */
    const char *description; /* May be null. */
    const struct tn_field *fields;
    uint32_t n_fields; /* At most 32. */
    uint32_t size;     /* Of the struct; 0 if it has none of its own. */
    uint32_t at;       /* Offset of its tn_pos, never first; 0 if none. */
    const char *key;   /* In lists of this: the field that tells them apart
                          and may not repeat; null if there is none. */
    uint32_t least;    /* So many of the fields must be given. */
    bool exclusive;    /* No two of the fields may be given. */
    /* Relations between fields, after all were read; may be null.  'object'
     * is the struct.  A field that was given but unreadable has its position
     * and a null text, family TN_AF_NONE or TN_WORD_BAD, so that nothing is
     * reported twice. */
    void (*check)(const struct tn_check *check, const void *object);
};

#define TN_WORD_BAD UINT32_MAX

/* Head of a row: the YAML name and the member.  TN_INLINE is for an object
 * whose fields are members of the surrounding struct. */
#define TN_ROW(yaml, type, member)                                             \
    .name = (yaml), .offset = offsetof(type, member)
#define TN_INLINE(yaml) .name = (yaml)
#define TN_FIELDS(rows) .fields = (rows), .n_fields = TN_ARRAY_SIZE(rows)
#define TN_WORDS(list) .words = (list), .n_words = TN_ARRAY_SIZE(list)

/* A kind: its envelope is common (tn_envelope), its 'spec' is its own. */
struct tn_kind_table {
    enum tn_kind kind;
    const char *name, *slug;
    const char *where;       /* Path of such files, for the reference page. */
    const char *description; /* A paragraph. */
    const char *sample;      /* metadata.name in examples. */
    bool of_tenant;          /* metadata.tenant makes sense. */
    struct tn_object spec;
};

/* The envelope has no storage; its fields in their order. */
enum tn_envelope_field {
    TN_ENVELOPE_API_VERSION,
    TN_ENVELOPE_KIND,
    TN_ENVELOPE_METADATA,
    TN_ENVELOPE_SPEC, /* Its object is the kind's. */
    TN_ENVELOPE_FIELDS,
};
extern const struct tn_object tn_envelope;
extern const struct tn_object tn_metadata;
#define TN_API_VERSION "tenet/v1"

const struct tn_kind_table *tn_kind_table(enum tn_kind kind) TN_RETURNS_NONNULL;
extern const struct tn_kind_table tn_settings_table, tn_tenant_table,
    tn_vpc_table, tn_port_table, tn_security_group_table, tn_peering_table,
    tn_daemon_table, tn_policy_table;

/* Parts of Settings with files of their own. */
extern const struct tn_object tn_signers_object, tn_external_object;
/* What holds between external networks. */
void tn_externals_check(const struct tn_check *check,
                        const struct tn_settings *settings);

/* Size of one value of the field in memory: of an item if TN_MANY. */
size_t tn_field_size(const struct tn_field *field);
/* The field, or null.  'hint' is where the search starts: the index after the
 * last one found makes reading in table order one comparison a key. */
const struct tn_field *tn_field_find(const struct tn_object *object,
                                     const char *name, uint32_t hint);

/* What tn_field rows with TN_MANY or TN_FIELD_LABELS point to: every TN_LIST
 * has this layout. */
struct tn_any_list {
    const void *items;
    size_t n;
    struct tn_pos at;
};

/* A finding in the file of the check; returned for its hint. */
struct tn_diag *tn_check_error(const struct tn_check *check, struct tn_pos at,
                               const char *fmt, ...)
    TN_PRINTF(3, 4) TN_RETURNS_NONNULL;
/* Sets the hint, copied to the arena of the findings. */
void tn_check_hint(const struct tn_check *check, struct tn_diag *diag,
                   const char *fmt, ...) TN_PRINTF(3, 4);

/* 's' made fit to stand in a message: cut, and without control characters.
 * Returns 'buf'. */
enum { TN_SHOWN = 72 };
const char *tn_shown(char buf[TN_SHOWN], const char *s);
/* What a person would call the node: "a list", "a number", "nothing". */
const char *tn_node_called(const struct tn_node *node);

/* Reads one scalar into 'out', the C value of the field's type; texts are
 * copied to 'arena'.  What is wrong goes to the findings; 'out' then has its
 * position and no value. */
void tn_scalar_decode(const struct tn_check *check, struct tn_arena *arena,
                      const struct tn_field *field, const struct tn_node *node,
                      void *out);
/* Reads a text of the form; null after a finding. */
const char *tn_text_decode(const struct tn_check *check, struct tn_arena *arena,
                           const struct tn_form *form, const char *what,
                           const struct tn_node *node);
/* Reports items of a list that repeat an earlier one.  'key' is the field
 * compared: the list's own, or the key of its objects. */
void tn_distinct_check(const struct tn_check *check, struct tn_arena *arena,
                       const struct tn_field *list, const struct tn_field *key,
                       const struct tn_any_list *items);

/* The JSON Schema (draft 2020-12) of one kind, or of all kinds as 'oneOf' if
 * 'kind' is TN_N_KINDS: indented text, malloc'ed, the caller frees. */
char *tn_kind_schema_json(enum tn_kind kind) TN_RETURNS_NONNULL;
/* The reference page of the kind: Markdown. */
void tn_kind_reference_print(enum tn_kind kind, struct tn_text *out);
/* A document of the kind with every field set; it decodes without findings. */
void tn_kind_seed_print(enum tn_kind kind, struct tn_text *out);

#endif
