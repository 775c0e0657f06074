/* store.h - the memory driver's device: resources in a JSON file.  Private to
 * the driver. */
#ifndef TN_MEMORY_STORE_H
#define TN_MEMORY_STORE_H

#include <jansson.h>

#include "drivers/driver.h"

struct tn_mem_store {
    char *path;        /* Null: nothing but memory. */
    const char *owner; /* Our instance; borrowed. */
    json_t *root;      /* Owned; null: nothing was read. */
    json_t *resources; /* Of 'root'. */
    json_t *claims;    /* Owned: claim to key. */
    json_t *children;  /* Owned: key to an object of its children's keys. */
    int lock;          /* -1: not locked. */
};

/* 'path' may be null.  Reads the file; one that does not exist is an empty
 * device.  'owner' outlives the store. */
enum tn_code tn_mem_store_init(struct tn_mem_store *store, const char *path,
                               const char *owner,
                               struct tn_error *err) TN_MUST_USE;
void tn_mem_store_done(struct tn_mem_store *store);

/* Reads again what others may have written. */
enum tn_code tn_mem_store_read(struct tn_mem_store *store,
                               struct tn_error *err) TN_MUST_USE;
/* Forgets what was read, which may be large, until it is read again. */
void tn_mem_store_release(struct tn_mem_store *store);
/* Keeps other processes out until unlocked, and reads again. */
enum tn_code tn_mem_store_lock(struct tn_mem_store *store,
                               struct tn_error *err) TN_MUST_USE;
void tn_mem_store_unlock(struct tn_mem_store *store);
/* Replaces the file by what is in memory. */
enum tn_code tn_mem_store_write(struct tn_mem_store *store,
                                struct tn_error *err) TN_MUST_USE;

/* Text of a member; null if it is absent or no text. */
static inline const char *
tn_mem_member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Operations of the device's life so far. */
json_int_t tn_mem_store_operations(const struct tn_mem_store *store);
/* Counts one more and returns its number. */
json_int_t tn_mem_store_count(struct tn_mem_store *store);

/* All resources of 'scope', or of all scopes if it names none: new in 'arena',
 * sorted. */
enum tn_code tn_mem_store_observe(const struct tn_mem_store *store,
                                  const char *device,
                                  const struct tn_scope *scope,
                                  struct tn_arena *arena,
                                  const struct tn_state **out,
                                  struct tn_error *err) TN_MUST_USE;

/* apply.c: keeps 'claims' and 'children' true. */
void tn_mem_store_index(struct tn_mem_store *store);
void tn_mem_store_index_add(struct tn_mem_store *store, const char *key,
                            const json_t *resource);

/* Carries one step out in memory.  A refusal says why, with the class that the
 * driver contract asks for. */
enum tn_code tn_mem_store_apply(struct tn_mem_store *store,
                                const struct tn_step *step,
                                struct tn_error *err) TN_MUST_USE;

#endif
