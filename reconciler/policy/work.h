/* work.h - one judgement in the making: what the rules look at.
 *
 * Private to reconciler/policy. */
#ifndef TN_POLICY_WORK_H
#define TN_POLICY_WORK_H

#include "model/base/digest.h"
#include "model/base/map.h"
#include "model/reach/reach.h"
#include "reconciler/policy/judge.h"

/* The documents of one tree, read when something is asked of them. */
struct tn_docs {
    struct tn_arena *arena;
    struct tn_source *source;
    struct tn_map files;   /* Path to what is in it. */
    struct tn_map folders; /* Path to a listing. */
};
void tn_docs_init(struct tn_docs *docs, struct tn_arena *arena,
                  struct tn_source *source);
/* What the document of that kind and name in the file says, as of
 * tn_content_digest(); null if it is not there. */
const struct tn_digest *tn_docs_content(struct tn_docs *docs, const char *path,
                                        enum tn_kind kind, const char *name);
/* Its name and labels; null also if it has none. */
const struct tn_meta *tn_docs_meta(struct tn_docs *docs, const char *path,
                                   enum tn_kind kind, const char *name);
/* The value of a label of metadata; null if it is not there. */
const char *tn_label_get(const struct tn_meta *meta, const char *key);

/* A commit that was applied, as it is compared with. */
struct tn_past {
    const struct tn_network *network; /* Null: it cannot be had any more. */
    struct tn_docs docs;
    struct tn_map files; /* Paths whose content differs from what is judged. */
};

/* A VPC that the commit touches, or that a new rule looks at. */
struct tn_touch {
    const char *scope, *tenant;
    const struct tn_net_vpc *before, *after; /* Null: not there. */
    struct tn_docs *old;                     /* Of 'before'. */
    /* As it was in each of the judgement's pasts; 'before' is the first that
     * there is. */
    const struct tn_net_vpc *const *was;
    bool whole;  /* All of it is to be judged. */
    bool labels; /* It is as it was but for the labels of its tenant. */
};

struct tn_judgement {
    const struct tn_judge *in;
    struct tn_arena *arena;
    struct tn_findings *findings;
    struct tn_policies policies;
    struct tn_docs docs;             /* Of what is judged. */
    struct tn_past *pasts;           /* As many as 'in' has. */
    TN_VEC(struct tn_touch) touched; /* By scope. */
    const char *const *tenants;      /* That something of is touched. */
    size_t n_tenants;
    bool whole; /* The rule is new: everything is to be judged. */
};

/* ---- what a commit changes: changed.c ------------------------------------ */

/* Does it differ from what was applied, in any of the pasts?  Places, comments
 * and the way it is written do not count, nor do VNIs.  True of everything if
 * the touch, or the judgement, is 'whole'.  What is asked about is of
 * 't->after'. */
bool tn_changed_vpc(struct tn_judgement *j, const struct tn_touch *t);
bool tn_changed_subnet(const struct tn_judgement *j, const struct tn_touch *t,
                       const struct tn_net_subnet *subnet);
bool tn_changed_port(struct tn_judgement *j, const struct tn_touch *t,
                     const struct tn_net_port *port);
/* May the port use a source that it might not use before? */
bool tn_changed_allowed(const struct tn_judgement *j, const struct tn_touch *t,
                        const struct tn_net_port *port,
                        const struct tn_cidr *allowed);
/* A group with its document and rules. */
bool tn_changed_group(struct tn_judgement *j, const struct tn_touch *t,
                      const struct tn_net_group *group);
/* A rule is also another one if its group got a port that it did not have. */
bool tn_changed_rule(const struct tn_judgement *j, const struct tn_touch *t,
                     const struct tn_net_group *group,
                     const struct tn_net_rule *rule);
bool tn_changed_route(const struct tn_judgement *j, const struct tn_touch *t,
                      const struct tn_net_route *route);
bool tn_changed_tenant(struct tn_judgement *j,
                       const struct tn_tenant_result *tenant);

/* Are they equal as far as policies see them, their documents apart?
 * 'same_world': of two networks with the same settings and inventory. */
bool tn_same_vpc(const struct tn_net_vpc *a, const struct tn_net_vpc *b,
                 bool same_world);
/* Has a document of the VPC changed? */
bool tn_changed_documents(struct tn_judgement *j, struct tn_past *past,
                          const struct tn_net_vpc *before,
                          const struct tn_net_vpc *after);
/* Ports and groups of that name; null if there is none. */
const struct tn_net_port *tn_vpc_port(const struct tn_net_vpc *vpc,
                                      const char *name);
const struct tn_net_group *tn_vpc_group(const struct tn_net_vpc *vpc,
                                        const char *name);
const struct tn_net_subnet *tn_vpc_subnet(const struct tn_net_vpc *vpc,
                                          const char *name);

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

/* Is the tenant in the scope of the rule, as it is or as it was in any past? */
bool tn_policy_rule_covers(struct tn_judgement *j,
                           const struct tn_policy_rule *rule,
                           const char *tenant);
/* Has the rule to look at the VPC?  '*view' is how: as a whole if the VPC came
 * into its scope. */
bool tn_policy_rule_looks(struct tn_judgement *j,
                          const struct tn_policy_rule *rule,
                          const struct tn_touch *t, struct tn_touch *view);
/* True if 'subject' (may be null) is 'object' or below it. */
bool tn_subject_is_below(const char *subject, const char *object);

/* The jq programs of a judgement: programs.c.  Some processes at a time, each
 * with one program after the other. */
struct tn_programs;
struct tn_programs *tn_programs_new(struct tn_judgement *j);
/* 'j' is the judgement, or one like it that looks at everything, and outlives
 * the programs.  The first ones begin to compile. */
void tn_programs_add(struct tn_programs *programs, struct tn_judgement *j,
                     const struct tn_policy_rule *rule);
/* Runs them all and ends their processes.  'work' is as of 'idle' of struct
 * tn_jq_crew. */
void tn_programs_judge(struct tn_programs *programs, bool (*work)(void *user),
                       void *user);

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
