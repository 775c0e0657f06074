/* entry_parse.c - reading one status file back.
 *
 * The file may have been written by another version or edited by hand, so
 * nothing in it is believed: a wrong type or a commit that is no object id
 * makes the file damaged, which counts as absent. */
#include <string.h>

#include "reconciler/status/entry.h"
#include "reconciler/status/reading.h"

static void
get_condition(struct tn_reading *r, const struct tn_node *node,
              struct tn_status_head *head)
{
    const char *type = tn_reading_text(r, node, "type");
    const char *status = tn_reading_text(r, node, "status");
    if (!type || !status) {
        tn_reading_fault(r, node, "a condition has a type and a status");
        return;
    }
    for (unsigned i = 0; i < TN_N_CONDITIONS; i++) {
        if (strcmp(type, tn_condition_name(i)) != 0) {
            continue;
        }
        struct tn_condition *c = &head->conditions[i];
        for (unsigned s = TN_COND_UNKNOWN; s <= TN_COND_TRUE; s++) {
            if (strcmp(status, tn_condition_status_name(s)) == 0) {
                c->status = s;
                c->reason = tn_reading_text(r, node, "reason");
                c->message = tn_reading_text(r, node, "message");
                c->since = tn_reading_time(r, node, "since");
                return;
            }
        }
        tn_reading_fault(r, node, "the status is True, False or Unknown");
    }
}

static const struct tn_node *
get_typed(struct tn_reading *r, const struct tn_node *map, const char *key,
          enum tn_node_type type)
{
    const struct tn_node *node = tn_node_get(map, key);
    if (!node || node->type != type) {
        tn_reading_fault(r, node ? node : map,
                         type == TN_NODE_LIST ? "a list is expected"
                                              : "a map is expected");
        return NULL;
    }
    return node;
}

static void
get_devices(struct tn_reading *r, const struct tn_node *status,
            struct tn_status_vpc *vpc)
{
    const struct tn_node *list = get_typed(r, status, "devices", TN_NODE_LIST);
    if (!list) {
        return;
    }
    const char **names = tn_new_n(r->arena, const char *, list->list.n);
    for (size_t i = 0; i < list->list.n; i++) {
        const struct tn_node *item = list->list.items[i];
        if (item->type != TN_NODE_SCALAR) {
            tn_reading_fault(r, item, "the name of a device is expected");
            return;
        }
        names[i] = item->scalar.text;
    }
    vpc->devices = names;
    vpc->n_devices = list->list.n;
}

static void
get_status(struct tn_reading *r, const struct tn_entry_form *form,
           const struct tn_node *status, void *out)
{
    struct tn_status_head *head = (void *) ((char *) out + form->head);
    for (const struct tn_entry_member *m = form->texts; m->name; m++) {
        *(const char **) (void *) ((char *) out + m->offset) =
            tn_reading_text(r, status, m->name);
    }
    head->commit = tn_reading_commit(r, status, "commit");
    head->applied = tn_reading_time(r, status, "applied");
    const struct tn_node *list =
        get_typed(r, status, "conditions", TN_NODE_LIST);
    for (size_t i = 0; list && i < list->list.n; i++) {
        get_condition(r, list->list.items[i], head);
    }
    const struct tn_node *counts = get_typed(r, status, "counts", TN_NODE_MAP);
    for (const struct tn_entry_member *m = form->counts; m->name; m++) {
        const struct tn_node *node = tn_node_get(counts, m->name);
        uint64_t *count = (void *) ((char *) out + m->offset);
        if (node && !tn_node_uint(node, count)) {
            tn_reading_fault(r, node, "a number is expected");
        }
    }
    if (form->has_devices) {
        get_devices(r, status, out);
    }
}

static void
get_entry(struct tn_reading *r, const struct tn_entry_form *form,
          const char *path, const struct tn_node *doc, void *out)
{
    if (!tn_streq(tn_reading_text(r, doc, "apiVersion"), "tenet/v1") ||
        !tn_streq(tn_reading_text(r, doc, "kind"), form->kind)) {
        tn_reading_fault(r, doc,
                         "neither tenet/v1 nor the kind that belongs here");
        return;
    }
    const struct tn_node *names = get_typed(r, doc, "metadata", TN_NODE_MAP);
    for (const struct tn_entry_member *m = form->names; m->name; m++) {
        const char *name = tn_reading_text(r, names, m->name);
        if (!name) {
            tn_reading_fault(r, names, "a name is missing");
            return;
        }
        *(const char **) (void *) ((char *) out + m->offset) = name;
    }
    if (strcmp(tn_entry_path(r->arena, form, out), path) != 0) {
        tn_reading_fault(r, names, "the name is not that of the file");
        return;
    }
    const struct tn_node *status = get_typed(r, doc, "status", TN_NODE_MAP);
    if (status) {
        get_status(r, form, status, out);
    }
}

bool
tn_entry_parse(struct tn_arena *arena, const struct tn_entry_form *form,
               const char *path, const char *bytes, size_t n, void *out,
               const char **why)
{
    struct tn_diags diags;
    const struct tn_node **docs = NULL;
    size_t n_docs = 0;
    tn_diags_init(&diags, arena);
    if (!tn_yaml_parse(arena, path, bytes, n, TN_YAML_STRICT,
                       &tn_yaml_limits_default, &docs, &n_docs, &diags)) {
        *why = diags.list.n ? tn_arena_printf(arena, "line %u: %s",
                                              diags.list.items[0].at.line,
                                              diags.list.items[0].message)
                            : "not YAML";
        return false;
    }
    struct tn_reading r = {.arena = arena};
    void *entry = tn_arena_calloc(arena, 1, form->size);
    if (n_docs != 1) {
        tn_reading_fault(&r, NULL, "one document is expected");
    } else {
        get_entry(&r, form, path, docs[0], entry);
    }
    if (r.why) {
        *why = r.why;
        return false;
    }
    memcpy(out, entry, form->size);
    return true;
}
