/* reading.h - members of a YAML file of ours that anybody may have written.
 *
 * Nothing in it is believed: the first thing that is wrong is kept, and whoever
 * reads goes on as if the member were absent, and asks at the end. */
#ifndef TN_STATUS_READING_H
#define TN_STATUS_READING_H

#include "model/base/arena.h"
#include "model/yaml/node.h"

struct tn_reading {
    struct tn_arena *arena;
    size_t text_max; /* Longer texts are wrong; 0: no bound. */
    const char *why; /* The first fault, in one sentence; null: none. */
};

/* 'node' null: of the whole file. */
void tn_reading_fault(struct tn_reading *r, const struct tn_node *node,
                      const char *what);

/* The text under 'key', borrowed from the node; null if it is absent, empty or
 * wrong. */
const char *tn_reading_text(struct tn_reading *r, const struct tn_node *map,
                            const char *key);
/* A time such as 2026-01-31T12:00:00Z; 0 if absent. */
int64_t tn_reading_time(struct tn_reading *r, const struct tn_node *map,
                        const char *key);
/* The whole id of a commit under 'key'. */
const char *tn_reading_commit(struct tn_reading *r, const struct tn_node *map,
                              const char *key);

#endif
