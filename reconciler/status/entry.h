/* entry.h - one file of the status ref: a struct, its YAML, and how a new one
 * is laid over the one before.
 *
 * Devices, tenants and VPCs differ in a table of members only.  Everything
 * here is pure. */
#ifndef TN_STATUS_ENTRY_H
#define TN_STATUS_ENTRY_H

#include "model/base/text.h"
#include "model/base/time.h"
#include "reconciler/status/status.h"

enum tn_status_kind {
    TN_STATUS_DEVICE,
    TN_STATUS_TENANT,
    TN_STATUS_VPC,
    TN_N_STATUS_KINDS,
};

struct tn_entry_member {
    const char *name; /* Null ends a list. */
    size_t offset;
};

struct tn_entry_form {
    const char *kind; /* "DeviceStatus" */
    const char *dir;  /* "devices" */
    const char *list; /* Its name in JSON. */
    size_t size, head;
    struct tn_entry_member names[3];  /* metadata; the last is the file's. */
    struct tn_entry_member texts[3];  /* const char * */
    struct tn_entry_member counts[4]; /* uint64_t */
    bool has_devices;                 /* struct tn_status_vpc. */
};

extern const struct tn_entry_form tn_entry_forms[TN_N_STATUS_KINDS];

static inline const char *
tn_entry_text(const void *entry, size_t offset)
{
    return *(const char *const *) (const void *) ((const char *) entry +
                                                  offset);
}

static inline uint64_t
tn_entry_count(const void *entry, size_t offset)
{
    return *(const uint64_t *) (const void *) ((const char *) entry + offset);
}

static inline const struct tn_status_head *
tn_entry_head(const struct tn_entry_form *form, const void *entry)
{
    return (const void *) ((const char *) entry + form->head);
}

/* "vpcs/acme/web.yml": new in 'arena'.  Bytes of a name that are not letters,
 * digits, '-', '_' or '.' (nor a leading dot) become %XX. */
const char *tn_entry_path(struct tn_arena *arena,
                          const struct tn_entry_form *form, const void *entry);
/* A name as one component of a path, escaped in that way. */
const char *tn_entry_component(struct tn_arena *arena, const char *name);
/* The file of one name: "hv1.yml". */
const char *tn_entry_file(struct tn_arena *arena, const char *name);

/* The whole file. */
void tn_entry_print(struct tn_text *out, const struct tn_entry_form *form,
                    const void *entry);

/* Reads a file into 'out' (form->size bytes); strings are new in 'arena'.
 * False if it is no such file: '*why' says so in one sentence, new in
 * 'arena'.  Unknown members are those of a newer tenet and are left alone. */
bool tn_entry_parse(struct tn_arena *arena, const struct tn_entry_form *form,
                    const char *path, const char *bytes, size_t n, void *out,
                    const char **why) TN_MUST_USE;

/* Lays 'update' over 'former' (null: none) into 'out' as status.h says: texts
 * are cleaned and cut, 'since' and 'applied' decided.  False if nothing
 * changed in meaning. */
bool tn_entry_merge(struct tn_arena *arena, const struct tn_entry_form *form,
                    const void *former, const void *update, int64_t now,
                    void *out) TN_MUST_USE;

#endif
