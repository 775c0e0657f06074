/* rollback_file.c - the quarantine as YAML, for people, other machines and us.
 *
 * The file may come from anybody who can push to the status ref: sizes and
 * counts are bounded, every member has its type. */
#include <stdlib.h>
#include <string.h>

#include "model/base/time.h"
#include "reconciler/confirm/rollback.h"
#include "reconciler/status/reading.h"

enum { TEXT_MAX = 1000, READ_MAX = 10000 };

static void
add_member(struct tn_text *out, const char *indent, const char *name,
           const char *value)
{
    if (value && *value) {
        tn_text_addf(out, "%s%s: \"", indent, name);
        tn_text_add_escaped(out, value);
        tn_text_add(out, "\"\n");
    }
}

static void
add_time(struct tn_text *out, const char *indent, const char *name, int64_t t)
{
    char buf[TN_TIME_TEXT];
    add_member(out, indent, name, tn_time_format(t, buf));
}

void
tn_rollback_print(struct tn_text *out, const struct tn_rollback *state)
{
    const struct tn_rollback_pin *pin = &state->pin;
    tn_text_add(out, "apiVersion: tenet/v1\nkind: Quarantine\n");
    if (pin->since) {
        tn_text_add(out, "pin:\n");
        add_member(out, "  ", "commit", pin->commit);
        add_member(out, "  ", "reason", pin->reason);
        add_member(out, "  ", "who", pin->who);
        add_time(out, "  ", "since", pin->since);
    }
    tn_text_add(out, state->n_entries ? "quarantined:\n" : "quarantined: []\n");
    for (size_t i = 0; i < state->n_entries; i++) {
        const struct tn_quarantine *q = &state->entries[i];
        add_member(out, "- ", "commit", q->commit);
        add_member(out, "  ", "reason", q->reason);
        add_member(out, "  ", "who", q->who);
        add_time(out, "  ", "since", q->since);
        add_time(out, "  ", "released", q->released);
    }
    tn_text_add(out, state->n_good ? "good:\n" : "good: []\n");
    for (size_t i = 0; i < state->n_good; i++) {
        const struct tn_good *g = &state->good[i];
        add_member(out, "- ", "commit", g->commit);
        add_member(out, "  ", "environment", g->environment);
        add_time(out, "  ", "since", g->since);
    }
}

/* An entry is about a commit. */
static const char *
get_commit(struct tn_reading *r, const struct tn_node *map)
{
    const char *s = tn_reading_commit(r, map, "commit");
    if (!s) {
        tn_reading_fault(r, map, "the whole id of a commit is expected");
    }
    return s;
}

static size_t
list_size(struct tn_reading *r, const struct tn_node *doc, const char *key,
          const struct tn_node **out)
{
    const struct tn_node *list = tn_node_get(doc, key);
    *out = list;
    if (!list || tn_node_is_null(list)) {
        return 0;
    }
    if (list->type != TN_NODE_LIST || list->list.n > READ_MAX) {
        tn_reading_fault(r, list, "a list is expected");
        return 0;
    }
    return list->list.n;
}

static void
get_pin(struct tn_reading *r, const struct tn_node *doc,
        struct tn_rollback_pin *out)
{
    const struct tn_node *map = tn_node_get(doc, "pin");
    if (!map || tn_node_is_null(map)) {
        return;
    }
    if (map->type != TN_NODE_MAP) {
        tn_reading_fault(r, map, "a map is expected");
        return;
    }
    out->commit = tn_reading_commit(r, map, "commit");
    out->reason = tn_reading_text(r, map, "reason");
    out->who = tn_reading_text(r, map, "who");
    out->since = tn_reading_time(r, map, "since");
}

static void
get_entries(struct tn_reading *r, const struct tn_node *doc,
            struct tn_rollback *out)
{
    const struct tn_node *list = NULL;
    size_t n = list_size(r, doc, "quarantined", &list);
    struct tn_quarantine *entries = tn_new_n(r->arena, struct tn_quarantine, n);
    for (size_t i = 0; i < n && !r->why; i++) {
        const struct tn_node *map = list->list.items[i];
        if (map->type != TN_NODE_MAP) {
            tn_reading_fault(r, map, "a map is expected");
            return;
        }
        entries[i] = (struct tn_quarantine){
            .commit = get_commit(r, map),
            .reason = tn_reading_text(r, map, "reason"),
            .who = tn_reading_text(r, map, "who"),
            .since = tn_reading_time(r, map, "since"),
            .released = tn_reading_time(r, map, "released"),
        };
    }
    out->entries = entries;
    out->n_entries = n;
}

static void
get_good(struct tn_reading *r, const struct tn_node *doc,
         struct tn_rollback *out)
{
    const struct tn_node *list = NULL;
    size_t n = list_size(r, doc, "good", &list);
    struct tn_good *good = tn_new_n(r->arena, struct tn_good, n);
    for (size_t i = 0; i < n && !r->why; i++) {
        const struct tn_node *map = list->list.items[i];
        if (map->type != TN_NODE_MAP) {
            tn_reading_fault(r, map, "a map is expected");
            return;
        }
        const char *environment = tn_reading_text(r, map, "environment");
        good[i] = (struct tn_good){
            .commit = get_commit(r, map),
            .environment = environment ? environment : "",
            .since = tn_reading_time(r, map, "since"),
        };
    }
    out->good = good;
    out->n_good = n;
}

bool
tn_rollback_parse(struct tn_arena *arena, const char *bytes, size_t n,
                  struct tn_rollback *out, const char **why)
{
    struct tn_diags diags;
    const struct tn_node **docs = NULL;
    size_t n_docs = 0;
    tn_diags_init(&diags, arena);
    if (!tn_yaml_parse(arena, TN_ROLLBACK_PATH, bytes, n, TN_YAML_STRICT,
                       &tn_yaml_limits_default, &docs, &n_docs, &diags)) {
        *why = diags.list.n ? tn_arena_printf(arena, "line %u: %s",
                                              diags.list.items[0].at.line,
                                              diags.list.items[0].message)
                            : "not YAML";
        return false;
    }
    struct tn_reading r = {.arena = arena, .text_max = TEXT_MAX};
    struct tn_rollback state = {0}, none = {0};
    if (n_docs != 1 || docs[0]->type != TN_NODE_MAP ||
        !tn_streq(tn_reading_text(&r, docs[0], "kind"), "Quarantine") ||
        !tn_streq(tn_reading_text(&r, docs[0], "apiVersion"), "tenet/v1")) {
        tn_reading_fault(&r, n_docs ? docs[0] : NULL,
                         "not a Quarantine of tenet/v1");
    } else {
        get_pin(&r, docs[0], &state.pin);
        get_entries(&r, docs[0], &state);
        get_good(&r, docs[0], &state);
    }
    if (r.why) {
        *why = r.why;
        return false;
    }
    /* Sorted, bounded, none twice: whatever order the file had. */
    tn_rollback_join(arena, &state, &none, out);
    return true;
}
