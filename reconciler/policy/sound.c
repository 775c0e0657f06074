/* sound.c - is a policy itself in order?
 *
 * What is asked of a policy before it is asked anything: that its program
 * compiles, that it says what its examples expect, that its waivers count and
 * its scope is somebody's.  A judgement asks on its way; 'tenet validate' asks
 * nothing else (tn_policies_check). */
#include "reconciler/policy/work.h"

#include <string.h>

#include "model/base/time.h"
#include "reconciler/policy/jq_program.h"

/* ---- findings about policies -------------------------------------------- */

void
tn_judge_tell(const struct tn_judgement *j, enum tn_severity severity,
              const char *name, const struct tn_origin *at, const char *message)
{
    tn_finding_add(j->findings, &(struct tn_finding){
                                    .severity = severity,
                                    .rule = name,
                                    .message = message,
                                    .at = *at,
                                    .law = *at,
                                });
}

static void
broken_at(const struct tn_judgement *j, const struct tn_policy_rule *rule,
          const struct tn_origin *at, const char *message)
{
    tn_finding_add(
        j->findings,
        &(struct tn_finding){
            .severity = TN_SEVERITY_DENY,
            .rule = TN_RULE_BROKEN,
            .message = tn_arena_printf(j->arena, "%s: %s", rule->name, message),
            .at = *at,
            .law = *at,
            .subject = rule->name,
        });
}

void
tn_judge_broken(const struct tn_judgement *j, const struct tn_policy_rule *rule,
                const char *message)
{
    broken_at(j, rule, rule->program.line ? &rule->program : &rule->law,
              message);
}

/* ---- waivers and scope -------------------------------------------------- */

static void
waivers_look(const struct tn_judgement *j, const struct tn_policy_rule *rule)
{
    for (size_t i = 0; i < rule->doc->waivers.n; i++) {
        const struct tn_policy_waiver *w = &rule->doc->waivers.items[i];
        struct tn_origin at = tn_at(rule->law.path, w->at);
        int64_t end;
        if (!tn_time_parse(w->expires.v, &end) || j->in->now >= end) {
            tn_judge_tell(j, TN_SEVERITY_WARN, rule->name, &at,
                          tn_arena_printf(j->arena,
                                          "the waiver for %s (%s) expired at "
                                          "%s: it does not count",
                                          w->subject.v, w->owner.v,
                                          w->expires.v));
        }
    }
}

static bool
environment_exists(const struct tn_judgement *j, const char *name)
{
    struct tn_entry *entries = NULL;
    struct tn_error ignored = {0};
    size_t n = 0;
    bool found = tn_streq(name, j->in->environment) || !j->in->source ||
                 j->in->source->ops->list(j->in->source, "inventories",
                                          j->arena, &entries, &n, &ignored);
    for (size_t i = 0; i < n && !found; i++) {
        found = strcmp(entries[i].name, name) == 0;
    }
    return found;
}

/* A scope that nobody can be in is a mistake somebody should hear of. */
static void
scope_look(const struct tn_judgement *j, const struct tn_policy_rule *rule)
{
    const struct tn_policy *p = rule->doc;
    for (size_t i = 0; i < p->environments.n; i++) {
        const struct tn_vtext *name = &p->environments.items[i];
        struct tn_origin at = tn_at(rule->law.path, name->at);
        if (!environment_exists(j, name->v)) {
            tn_judge_tell(j, TN_SEVERITY_WARN, rule->name, &at,
                          tn_arena_printf(j->arena,
                                          "its scope names environment '%s', "
                                          "which there is not",
                                          name->v));
        }
    }
    for (size_t i = 0; i < p->tenants.n; i++) {
        if (!tn_network_tenant(j->in->network, p->tenants.items[i].v)) {
            struct tn_origin at = tn_at(rule->law.path, p->tenants.items[i].at);
            tn_judge_tell(j, TN_SEVERITY_WARN, rule->name, &at,
                          tn_arena_printf(j->arena,
                                          "its scope names tenant '%s', which "
                                          "there is not",
                                          p->tenants.items[i].v));
        }
    }
}

void
tn_policy_look(const struct tn_judgement *j, const struct tn_policy_rule *rule)
{
    waivers_look(j, rule);
    scope_look(j, rule);
}

/* ---- programs ----------------------------------------------------------- */

/* A program that fails its own examples says nothing about anything. */
bool
tn_policy_examples_hold(const struct tn_judgement *j,
                        const struct tn_policy_rule *rule, struct tn_jq *jq)
{
    for (size_t i = 0; i < rule->doc->examples.n; i++) {
        struct tn_example_result result;
        tn_example_run(j->arena, rule, &rule->doc->examples.items[i],
                       &(struct tn_example_how){j->in->helper, jq}, &result);
        if (!result.passes) {
            tn_judge_broken(
                j, rule,
                tn_arena_printf(j->arena, "its example '%s' fails: %s",
                                result.example->name.v, result.why));
            return false;
        }
    }
    return true;
}

bool
tn_policy_program_compile(const struct tn_judgement *j,
                          const struct tn_policy_rule *rule, struct tn_jq *jq)
{
    struct tn_error err = {0};
    if (tn_jq_compile(jq, rule->doc->jq.v, &err)) {
        char text[TN_ERROR_TEXT];
        tn_judge_broken(
            j, rule,
            tn_arena_printf(j->arena, "the jq program: %s",
                            tn_error_text(&err, text, sizeof text)));
        return false;
    }
    return true;
}

/* ---- all of it, and nothing else ---------------------------------------- */

/* Shipped ones have passed theirs. */
static void
examples_try(const struct tn_judgement *j, const struct tn_policy_rule *rule)
{
    const struct tn_policy *p = rule->doc;
    for (size_t i = 0; i < p->examples.n && !rule->used; i++) {
        const struct tn_policy_example *e = &p->examples.items[i];
        struct tn_origin at = tn_at(rule->law.path, e->at);
        struct tn_example_result result;
        tn_example_run(j->arena, rule, e,
                       &(struct tn_example_how){j->in->helper, NULL}, &result);
        if (!result.passes) {
            broken_at(j, rule, &at,
                      tn_arena_printf(j->arena, "its example '%s' fails: %s",
                                      e->name.v, result.why));
        }
    }
}

enum tn_code
tn_policies_check(const struct tn_judge *in, struct tn_findings *findings,
                  size_t *n, struct tn_error *err)
{
    struct tn_judgement j = {
        .in = in, .arena = findings->arena, .findings = findings};
    struct tn_jq_options o = {in->helper, in->timeout_ms};
    enum tn_code code =
        tn_policies_load(in->source, j.arena, &j.policies, findings, err);
    if (code) {
        return code;
    }
    struct tn_jq *jq = tn_jq_new(j.arena, &o);
    for (size_t i = 0; i < j.policies.n; i++) {
        const struct tn_policy_rule *r = &j.policies.items[i];
        tn_policy_look(&j, r);
        if (!r->doc->jq.v || tn_policy_program_compile(&j, r, jq)) {
            examples_try(&j, r);
        }
    }
    tn_jq_close(jq);
    *n = j.policies.n;
    return TN_OK;
}
