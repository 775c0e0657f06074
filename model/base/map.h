/* map.h - text to pointer, in an arena: for looking things up by name.
 *
 * Open addressing, no removal.  Iterate the array the values live in, never
 * the map: its order means nothing.  Keys are borrowed and must outlive it. */
#ifndef TN_BASE_MAP_H
#define TN_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"

struct tn_map_slot {
    const char *key;
    void *value;
    uint64_t hash;
};

struct tn_map {
    struct tn_arena *arena; /* Borrowed. */
    struct tn_map_slot *slots;
    size_t n, cap;
};

/* 'expected' sizes the first table; 0 is fine. */
void tn_map_init(struct tn_map *map, struct tn_arena *arena, size_t expected);
/* Null if absent. */
void *tn_map_get(const struct tn_map *map, const char *key);
/* Sets and returns the former value, null if there was none. */
void *tn_map_put(struct tn_map *map, const char *key, void *value);

#endif
