/* work.h - one judgement in the making: what the rules look at.
 *
 * Private to reconciler/policy. */
#ifndef TN_POLICY_WORK_H
#define TN_POLICY_WORK_H

#include "model/base/map.h"
#include "model/reach/reach.h"
#include "reconciler/policy/judge.h"

/* The labels of one tree's documents, read when something is asked of them. */
struct tn_docs {
    struct tn_arena *arena;
    struct tn_source *source;
    struct tn_map files;   /* Path to what is in it. */
    struct tn_map folders; /* Path to a listing. */
};
void tn_docs_init(struct tn_docs *docs, struct tn_arena *arena,
                  struct tn_source *source);
/* Name and labels of the document of that kind and name in the file; null if it
 * is not there, or has no labels. */
const struct tn_meta *tn_docs_meta(struct tn_docs *docs, const char *path,
                                   enum tn_kind kind, const char *name);
/* The value of a label of metadata; null if it is not there. */
const char *tn_label_get(const struct tn_meta *meta, const char *key);

/* A VPC that the commit touches. */
struct tn_touch {
    const char *scope, *tenant;
    const struct tn_net_vpc *before, *after; /* Null: not there. */
    struct tn_docs *old;                     /* Of 'before'. */
};

struct tn_judgement {
    const struct tn_judge *in;
    struct tn_arena *arena;
    struct tn_findings *findings;
    struct tn_policies policies;
    struct tn_docs docs;             /* Of what is judged. */
    struct tn_docs *past_docs;       /* One per past. */
    TN_VEC(struct tn_touch) touched; /* By scope. */
    const char *const *tenants;      /* That something of is touched. */
    size_t n_tenants;
};

/* Something that a rule objects to. */
struct tn_objection {
    const char *message, *hint;
    struct tn_origin at;
    const char *tenant;  /* Null: everybody's. */
    const char *subject; /* "acme/web/front"; null: none. */
};
/* Makes it a finding of the rule, waived if somebody answers for it. */
void tn_judge_object(struct tn_judgement *j, const struct tn_policy_rule *rule,
                     const struct tn_objection *objection);

/* A finding about a policy itself: nothing waives it. */
void tn_judge_tell(const struct tn_judgement *j, enum tn_severity severity,
                   const char *name, const struct tn_origin *at,
                   const char *message);
/* One that denies, at the program or the document. */
void tn_judge_broken(const struct tn_judgement *j,
                     const struct tn_policy_rule *rule, const char *message);

/* Is the policy in order?  Waivers that do not count and scopes that are
 * nobody's are told; a program that does not compile, or fails an example of
 * its own, is broken: false. */
void tn_policy_look(const struct tn_judgement *j,
                    const struct tn_policy_rule *rule);
bool tn_policy_program_compile(const struct tn_judgement *j,
                               const struct tn_policy_rule *rule,
                               struct tn_jq *jq);
bool tn_policy_examples_hold(const struct tn_judgement *j,
                             const struct tn_policy_rule *rule,
                             struct tn_jq *jq);

/* Fills 'touched' and 'tenants'. */
enum tn_code tn_judge_touch(struct tn_judgement *j,
                            struct tn_error *err) TN_MUST_USE;
/* All VPCs of the network, as if each were touched. */
void tn_judge_touch_all(struct tn_judgement *j);

/* Is the VPC, or (null) the tenant as a whole, in the scope of the rule?
 * 'docs' are those the VPC is from. */
bool tn_policy_rule_covers(struct tn_judgement *j,
                           const struct tn_policy_rule *rule,
                           const char *tenant, const struct tn_net_vpc *vpc,
                           struct tn_docs *docs);
/* The rules: of one VPC, of one tenant, of the whole. */
void tn_policy_rule_open_ports(struct tn_judgement *j,
                               const struct tn_policy_rule *r,
                               const struct tn_touch *t);
void tn_policy_rule_ranges(struct tn_judgement *j,
                           const struct tn_policy_rule *r,
                           const struct tn_touch *t);
void tn_policy_rule_naming(struct tn_judgement *j,
                           const struct tn_policy_rule *r,
                           const struct tn_touch *t);
void tn_policy_rule_labels(struct tn_judgement *j,
                           const struct tn_policy_rule *r,
                           const struct tn_touch *t);
void tn_policy_rule_groups(struct tn_judgement *j,
                           const struct tn_policy_rule *r,
                           const struct tn_touch *t);
void tn_policy_rule_vpc_quotas(struct tn_judgement *j,
                               const struct tn_policy_rule *r,
                               const struct tn_touch *t);
void tn_policy_rule_tenant(struct tn_judgement *j,
                           const struct tn_policy_rule *r,
                           const struct tn_tenant_result *tenant);
void tn_policy_rule_budget(struct tn_judgement *j,
                           const struct tn_policy_rule *r);
void tn_policy_rule_freeze(struct tn_judgement *j,
                           const struct tn_policy_rule *r);
void tn_policy_rule_reach(struct tn_judgement *j,
                          const struct tn_policy_rule *r);
/* By the rule as it is now, and as it was: 'past' null is now. */
void tn_policy_rule_protected(struct tn_judgement *j,
                              const struct tn_policy_rule *r,
                              const struct tn_touch *t);

/* What jq programs see: one line of JSON, appended. */
void tn_input_vpc(struct tn_text *out, struct tn_judgement *j,
                  const struct tn_touch *t);
void tn_input_tenant(struct tn_text *out, struct tn_judgement *j,
                     const struct tn_tenant_result *tenant);

#endif
