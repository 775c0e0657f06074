/* example.c - runs the examples of policies: small intents, judged for real.
 *
 * An example goes the way of a commit: its documents are compiled as those of
 * tenant 'example', devices are taken to hold what 'before' asks for, and a
 * plan is made.  Only the proof of isolation is left out, which is no policy's
 * matter. */
#include "reconciler/policy/example.h"

#include <string.h>

#include "drivers/memory/memory.h"
#include "model/base/time.h"
#include "model/compile/compile.h"
#include "reconciler/policy/judge.h"

/* Freezes and waivers of examples are judged at this moment. */
static const char example_moment[] = "2026-01-01T12:00:00Z";

static const char settings[] = "apiVersion: tenet/v1\n"
                               "kind: Settings\n"
                               "metadata: {name: example}\n"
                               "spec: {}\n";
/* One that is in force at the moment of examples. */
static const char frozen[] =
    "apiVersion: tenet/v1\n"
    "kind: Settings\n"
    "metadata: {name: example}\n"
    "spec:\n"
    "  freezes:\n"
    "    - {from: 2026-01-01T00:00:00Z, until: 2026-01-02T00:00:00Z,\n"
    "       reason: an example}\n";
static const char hosts[] = "all:\n"
                            "  vars: {tenet_driver: memory, tenet_site: dc1}\n"
                            "  hosts:\n"
                            "    hv1: {tenet_underlay_address: 192.0.2.1,\n"
                            "          tenet_memory_path: /nonexistent/hv1}\n"
                            "    hv2: {tenet_underlay_address: 192.0.2.2,\n"
                            "          tenet_memory_path: /nonexistent/hv2}\n";
static const char tenant[] = "apiVersion: tenet/v1\n"
                             "kind: Tenant\n"
                             "metadata: {name: example}\n"
                             "spec: {}\n";

struct intent {
    struct tn_source *source;
    const struct tn_network *network;
};

static void
intent_done(struct intent *i)
{
    if (i->source) {
        i->source->ops->free(i->source);
    }
}

static enum tn_code
intent_make(struct tn_arena *arena, const char *documents,
            const struct tn_policy_rule *rule, struct intent *out,
            struct tn_error *err)
{
    bool own = strstr(documents, "kind: Tenant\n") != NULL;
    bool freeze =
        rule->doc->builtin.at.line && rule->doc->builtin.v == TN_BUILTIN_FREEZE;
    const struct tn_example_file files[] = {
        {"inventories/example/hosts.yml", hosts},
        {"tenants/example/tenant.yml", own ? documents : tenant},
        {own ? "tenants/example/z.txt" : "tenants/example/vpcs.yml", documents},
        {"tenet.yml", freeze ? frozen : settings},
    };
    struct tn_compile_options o = {.threads = 1};
    struct tn_diags diags;
    tn_diags_init(&diags, arena);
    enum tn_code code =
        tn_example_source(files, TN_ARRAY_SIZE(files), &out->source, err);
    code = code ? code
                : tn_compile(out->source, &o, arena, &out->network, NULL,
                             &diags, err);
    for (size_t i = 0; i < diags.list.n; i++) {
        const struct tn_diag *d = &diags.list.items[i];
        if (d->severity == TN_ERROR) {
            return tn_fail(err, TN_EINTENT, 0, "its line %u: %s", d->at.line,
                           d->message);
        }
    }
    return code;
}

static enum tn_code
device_plan(struct tn_arena *arena, const struct tn_device *before,
            const struct tn_device *after, const struct tn_device_plan **out,
            struct tn_error *err)
{
    struct tn_plan_input in = {
        .device = after->name,
        .driver = tn_driver_memory.name,
        .caps = tn_driver_memory.caps,
    };
    struct tn_state nothing = {.device = after->name};
    struct tn_diags unheard;
    tn_diags_init(&unheard, arena);
    in.have = memcpy(tn_new(arena, struct tn_state), &nothing, sizeof nothing);
    enum tn_code code =
        tn_driver_memory.render(after, arena, &in.want, &unheard, err);
    if (!code && before) {
        code = tn_driver_memory.render(before, arena, &in.last, &unheard, err);
        in.have = in.last;
    }
    return code ? code : tn_plan_device(arena, &in, out, err);
}

static enum tn_code
plan_make(struct tn_arena *arena, const struct tn_network *before,
          const struct tn_network *after, const struct tn_plan **out,
          struct tn_error *err)
{
    const struct tn_device_plan **plans =
        tn_new_n(arena, const struct tn_device_plan *, after->n_devices);
    enum tn_code code = TN_OK;
    for (size_t i = 0; i < after->n_devices && !code; i++) {
        code = device_plan(arena, before ? &before->devices[i] : NULL,
                           &after->devices[i], &plans[i], err);
    }
    if (!code) {
        *out = tn_plan_build(arena, "", "example", plans, after->n_devices);
    }
    return code;
}

/* What was expected and not found, or found and not expected. */
static const char *
compare(struct tn_arena *arena, const struct tn_policy_example *example,
        const struct tn_verdict *verdict)
{
    bool *used = tn_new_n(arena, bool, verdict->n + 1);
    for (size_t k = 0; k < verdict->n; k++) {
        if (strcmp(verdict->items[k].rule, TN_RULE_BROKEN) == 0) {
            return verdict->items[k].message; /* No part of it counts. */
        }
    }
    for (size_t i = 0; i < example->expect.n; i++) {
        const char *part = example->expect.items[i].v;
        size_t k = 0;
        while (k < verdict->n &&
               (used[k] || !strstr(verdict->items[k].message, part))) {
            k++;
        }
        if (k == verdict->n) {
            return tn_arena_printf(arena, "it does not say '%s'%s%s", part,
                                   verdict->n ? ", but: " : "",
                                   verdict->n ? verdict->items[0].message : "");
        }
        used[k] = true;
    }
    for (size_t k = 0; k < verdict->n; k++) {
        if (!used[k]) {
            return tn_arena_printf(arena, "it says, which is not expected: %s",
                                   verdict->items[k].message);
        }
    }
    return NULL;
}

/* The rule without what belongs to the repository it is used in. */
static struct tn_policy_rule
bare(struct tn_arena *arena, const struct tn_policy_rule *rule)
{
    struct tn_policy_rule r = *rule;
    struct tn_policy *doc = tn_new(arena, struct tn_policy);
    *doc = *rule->doc;
    memset(&doc->environments, 0, sizeof doc->environments);
    memset(&doc->tenants, 0, sizeof doc->tenants);
    memset(&doc->labels, 0, sizeof doc->labels);
    memset(&doc->waivers, 0, sizeof doc->waivers);
    r.doc = doc;
    return r;
}

static enum tn_code
run(struct tn_arena *arena, const struct tn_policy_rule *rule,
    const struct tn_policy_example *example, const struct tn_example_how *how,
    struct tn_verdict *out, struct tn_error *err)
{
    TN_CLEANUP(intent_done) struct intent before = {0};
    TN_CLEANUP(intent_done) struct intent after = {0};
    struct tn_policy_rule alone = bare(arena, rule);
    struct tn_policies policies = {.items = &alone, .n = 1};
    struct tn_findings findings = {.arena = arena};
    struct tn_judge j = {
        .environment = "example",
        .helper = how->helper,
        .program = how->program,
        .policies = &policies,
        .no_examples = true,
    };
    enum tn_code code = intent_make(arena, example->given.v, rule, &after, err);
    if (!code && example->before.v) {
        code = intent_make(arena, example->before.v, rule, &before, err);
    }
    code = code ? code
                : plan_make(arena, before.network, after.network, &j.plan, err);
    if (code) {
        return code;
    }
    struct tn_judge_past past = {before.source, before.network};
    j.source = after.source;
    j.network = after.network;
    j.pasts = &past;
    j.n_pasts = before.network != NULL;
    (void) !tn_time_parse(example_moment, &j.now);
    code = tn_judge(&j, &findings, err);
    if (!code) {
        tn_verdict_build(&findings, out);
    }
    return code;
}

void
tn_example_run(struct tn_arena *arena, const struct tn_policy_rule *rule,
               const struct tn_policy_example *example,
               const struct tn_example_how *how, struct tn_example_result *out)
{
    struct tn_verdict verdict = {0};
    struct tn_error err = {0};
    *out = (struct tn_example_result){.rule = rule, .example = example};
    enum tn_code code = run(arena, rule, example, how, &verdict, &err);
    if (code) {
        char text[TN_ERROR_TEXT];
        out->why =
            tn_arena_strdup(arena, tn_error_text(&err, text, sizeof text));
    } else {
        out->why = compare(arena, example, &verdict);
    }
    out->passes = out->why == NULL;
}
