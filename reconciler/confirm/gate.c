/* gate.c - see gate.h. */
#include "reconciler/confirm/gate.h"

void
tn_gate_decide(struct tn_arena *arena, const struct tn_probe_report *before,
               const struct tn_probe_report *after, size_t n, int64_t left_ms,
               struct tn_gate *out)
{
    TN_VEC(const char *) missing = {0};
    TN_VEC(const char *) reported = {0};
    TN_VEC(const char *) healed = {0};
    struct tn_gate gate = {.verdict = TN_GATE_PASS};
    for (size_t i = 0; i < n; i++) {
        bool was = before[i].result == TN_PROBE_PASSED;
        bool is = after[i].result == TN_PROBE_PASSED;
        gate.n_required += was;
        if (was && !is) {
            *tn_vec_push(arena, &missing) = after[i].name;
        } else if (!was && is) {
            *tn_vec_push(arena, &healed) = after[i].name;
        } else if (!was) {
            *tn_vec_push(arena, &reported) = after[i].name;
        }
    }
    if (missing.n) {
        gate.verdict = left_ms > 0 ? TN_GATE_WAIT : TN_GATE_FAIL;
    }
    gate.missing = missing.items;
    gate.n_missing = missing.n;
    gate.reported = reported.items;
    gate.n_reported = reported.n;
    gate.healed = healed.items;
    gate.n_healed = healed.n;
    *out = gate;
}

static const char *
reason_of(const struct tn_probe_report *after, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (after[i].name == name) {
            return after[i].reason;
        }
    }
    return NULL;
}

static void
add_names(struct tn_text *out, const char *title, const char *const *names,
          size_t n_names, const struct tn_probe_report *after, size_t n)
{
    for (size_t i = 0; i < n_names; i++) {
        const char *why = reason_of(after, n, names[i]);
        tn_text_addf(out, "%s%s", i ? ", " : title, names[i]);
        if (why) {
            tn_text_addf(out, " (%s)", why);
        }
    }
}

void
tn_gate_print(struct tn_text *out, const struct tn_gate *gate,
              const struct tn_probe_report *after, size_t n)
{
    tn_text_addf(out, "%zu of %zu probe%s %s that passed before",
                 gate->n_required - gate->n_missing, gate->n_required,
                 gate->n_required == 1 ? "" : "s",
                 gate->n_required == 1 ? "passes" : "pass");
    add_names(out, "; not: ", gate->missing, gate->n_missing, after, n);
    add_names(out, "; failed before and still: ", gate->reported,
              gate->n_reported, after, n);
    add_names(out, "; passes now: ", gate->healed, gate->n_healed, after, n);
}
