/* map.c - linear probing over a power of two, at most half full. */
#include "model/base/map.h"

#include <string.h>

#include "model/base/digest.h"

static void
table_new(struct tn_map *map, size_t cap)
{
    map->slots = tn_new_n(map->arena, struct tn_map_slot, cap);
    map->cap = cap;
}

void
tn_map_init(struct tn_map *map, struct tn_arena *arena, size_t expected)
{
    size_t cap = 16;
    while (cap < expected * 2) {
        cap *= 2;
    }
    *map = (struct tn_map){.arena = arena};
    table_new(map, cap);
}

static struct tn_map_slot *
slot_find(const struct tn_map *map, const char *key, uint64_t hash)
{
    for (size_t i = hash & (map->cap - 1);; i = (i + 1) & (map->cap - 1)) {
        struct tn_map_slot *s = &map->slots[i];
        if (!s->key || (s->hash == hash && strcmp(s->key, key) == 0)) {
            return s;
        }
    }
}

void *
tn_map_get(const struct tn_map *map, const char *key)
{
    if (map->cap == 0) {
        return NULL;
    }
    return slot_find(map, key, tn_hash64(key, strlen(key)))->value;
}

static void
table_grow(struct tn_map *map)
{
    struct tn_map old = *map;
    table_new(map, old.cap * 2);
    for (size_t i = 0; i < old.cap; i++) {
        if (old.slots[i].key) {
            *slot_find(map, old.slots[i].key, old.slots[i].hash) = old.slots[i];
        }
    }
}

void *
tn_map_put(struct tn_map *map, const char *key, void *value)
{
    if ((map->n + 1) * 2 > map->cap) {
        table_grow(map);
    }
    uint64_t hash = tn_hash64(key, strlen(key));
    struct tn_map_slot *s = slot_find(map, key, hash);
    void *former = s->value;
    if (!s->key) {
        map->n++;
    }
    *s = (struct tn_map_slot){key, value, hash};
    return former;
}
