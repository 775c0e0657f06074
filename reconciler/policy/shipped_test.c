/* shipped_test.c - what tenet ships reads without a finding and passes its own
 * examples, and each policy objects to one of them. */
#include "reconciler/policy/judge.h"

#include <criterion/criterion.h>

Test(shipped, all_examples_pass)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_findings findings = {.arena = arena};
    struct tn_policies shipped;
    tn_policies_shipped(arena, &shipped, &findings);
    for (size_t i = 0; i < findings.list.n; i++) {
        const struct tn_finding *f = &findings.list.items[i];
        cr_expect(false, "%s:%u: %s", f->at.path, f->at.line, f->message);
    }
    cr_assert(shipped.n >= 10);
    for (size_t i = 0; i < shipped.n; i++) {
        const struct tn_policy_rule *r = &shipped.items[i];
        cr_expect(r->doc->description.v, "%s says no reason", r->name);
        cr_expect(r->doc->examples.n, "%s has no example", r->name);
        for (size_t k = 0; k < r->doc->examples.n; k++) {
            struct tn_example_result result;
            tn_example_run(arena, r, &r->doc->examples.items[k],
                           &(struct tn_example_how){0}, &result);
            cr_expect(result.passes, "%s: %s: %s", r->name,
                      result.example->name.v, result.why);
        }
    }
    tn_arena_free(arena);
}
