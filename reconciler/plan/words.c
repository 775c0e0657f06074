/* words.c - what is in a plan, in words: names of enums, and conflicts. */
#include "reconciler/plan/plan.h"

#include "model/base/text.h"

const char *
tn_change_action(const struct tn_change *change)
{
    static const char *const names[] = {
        [TN_OP_CREATE] = "create",
        [TN_OP_UPDATE] = "update",
        [TN_OP_REPLACE] = "replace",
        [TN_OP_DELETE] = "delete",
    };
    return change->half == TN_WHOLE ? names[change->op] : "replace";
}

const char *
tn_cause_name(enum tn_cause cause)
{
    static const char *const names[] = {
        [TN_CAUSE_NONE] = "none",
        [TN_CAUSE_INTENT] = "intent",
        [TN_CAUSE_DRIFT] = "drift",
        [TN_CAUSE_BOTH] = "both",
    };
    return names[cause];
}

const char *
tn_impact_name(enum tn_impact impact)
{
    static const char *const names[] = {
        [TN_IMPACT_NONE] = "none",
        [TN_IMPACT_BRIEF] = "brief",
        [TN_IMPACT_DISRUPTIVE] = "disruptive",
    };
    return names[impact];
}

static void
add_object(struct tn_text *out, const struct tn_resource *r)
{
    tn_text_add_escaped(out, r->kind);
    tn_text_addc(out, ' ');
    tn_text_add_escaped(out, r->name ? r->name : r->key);
}

static void
add_wanted(struct tn_text *out, const struct tn_resource *r)
{
    add_object(out, r);
    if (*r->scope) {
        tn_text_add(out, " of ");
        tn_text_add_escaped(out, r->scope);
    }
    if (r->origin.line) {
        tn_text_add(out, " (");
        tn_text_add_escaped(out, r->origin.path ? r->origin.path : "");
        tn_text_addf(out, ":%u)", r->origin.line);
    }
}

static void
add_blocker(struct tn_text *out, const struct tn_resource *r)
{
    if (r->owner == TN_FOREIGN) {
        tn_text_add(out, "the foreign ");
        add_object(out, r);
        return;
    }
    add_object(out, r);
    if (*r->scope) {
        tn_text_add(out, " of ");
        tn_text_add_escaped(out, r->scope);
    }
    tn_text_add(out, ", which is left as it is for now");
}

const char *
tn_conflict_text(struct tn_arena *arena, const struct tn_conflict *conflict)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    const struct tn_resource *want = conflict->want;
    add_wanted(&out, want);
    if (conflict->by_claim) {
        tn_text_add(&out, " needs ");
        tn_text_add_escaped(&out, want->claim);
        tn_text_add(&out, ", which is held by ");
        add_blocker(&out, conflict->blocker);
    } else {
        tn_text_add(&out, " cannot be made: ");
        add_blocker(&out, conflict->blocker);
        tn_text_add(&out, " is in its place");
    }
    if (conflict->blocker->owner == TN_FOREIGN || !conflict->by_claim) {
        tn_text_add(&out, "; it does not bear our mark and is never touched: "
                          "remove or rename it on the device, or ask for "
                          "another in Git");
    } else {
        tn_text_add(&out, "; solve that first");
    }
    return tn_arena_strdup(arena, tn_text_str(&out));
}
