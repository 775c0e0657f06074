/* reading.c - see reading.h. */
#include "reconciler/status/reading.h"

#include <string.h>

#include "model/base/time.h"

void
tn_reading_fault(struct tn_reading *r, const struct tn_node *node,
                 const char *what)
{
    if (!r->why) {
        r->why = tn_arena_printf(r->arena, "line %u: %s",
                                 node ? (unsigned) node->at.line : 1, what);
    }
}

const char *
tn_reading_text(struct tn_reading *r, const struct tn_node *map,
                const char *key)
{
    const struct tn_node *node = tn_node_get(map, key);
    if (!node || tn_node_is_null(node)) {
        return NULL;
    }
    if (node->type != TN_NODE_SCALAR) {
        tn_reading_fault(r, node, "text is expected");
        return NULL;
    }
    if (r->text_max && node->scalar.len > r->text_max) {
        tn_reading_fault(r, node, "the text is too long");
        return NULL;
    }
    return node->scalar.len ? node->scalar.text : NULL;
}

int64_t
tn_reading_time(struct tn_reading *r, const struct tn_node *map,
                const char *key)
{
    const char *s = tn_reading_text(r, map, key);
    int64_t t = 0;
    if (s && !tn_time_parse(s, &t)) {
        tn_reading_fault(r, tn_node_get(map, key),
                         "not a time like 2026-01-31T12:00:00Z");
    }
    return t;
}

const char *
tn_reading_commit(struct tn_reading *r, const struct tn_node *map,
                  const char *key)
{
    const char *s = tn_reading_text(r, map, key);
    size_t n = s ? strlen(s) : 0;
    if (s && ((n != 40 && n != 64) || strspn(s, "0123456789abcdef") != n)) {
        tn_reading_fault(r, tn_node_get(map, key), "not the id of a commit");
    }
    return s;
}
