/* policy.c - kind: Policy, what the operator allows tenants to ask for.
 *
 * The document says which rule it is and how strict.  What the rules mean, and
 * which parameters they take, is reconciler/policy's: a document may take its
 * rule from another one. */
#include "model/kinds/field.h"

#include <string.h>

enum { PROGRAM_MAX = 16384, PATTERN_MAX = 256 };

static bool
program_ok(const char *s, size_t n)
{
    return n > 0 && tn_form_prose.ok(s, n);
}

static const struct tn_form form_program = {
    .name = "a text",
    .pattern = "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f"
               "\\u2028-\\u202e\\u2066-\\u2069]+$",
    .rule = "text without control characters (tabs and line breaks are fine)",
    .max = PROGRAM_MAX,
    .ok = program_ok,
};

/* Names below a tenant, joined by slashes. */
static bool
subject_ok(const char *s, size_t n)
{
    bool start = true;
    for (size_t i = 0; i < n; i++) {
        bool word =
            (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
        if (!word && (start || (s[i] != '-' && s[i] != '/'))) {
            return false;
        }
        start = s[i] == '/';
    }
    return n > 0 && !start;
}

static const struct tn_form form_subject = {
    .name = "an object",
    .pattern = "^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*$",
    .rule = "a tenant, or names below it joined by '/': acme, acme/web, "
            "acme/web/front",
    .max = 255,
    .ok = subject_ok,
};

static bool
pattern_ok(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] < ' ' || s[i] > '~') {
            return false;
        }
    }
    return n > 0;
}

static const struct tn_form form_pattern = {
    .name = "a pattern",
    .pattern = "^[ -~]+$",
    .rule = "a POSIX extended regular expression in ASCII",
    .max = PATTERN_MAX,
    .ok = pattern_ok,
};

static const char *const severities[] = {
    [TN_POLICY_DENY] = "deny",
    [TN_POLICY_WARN] = "warn",
    [TN_POLICY_INFO] = "info",
};

static const char *const overs[] = {
    [TN_OVER_VPC] = "vpc",
    [TN_OVER_TENANT] = "tenant",
    [TN_OVER_PLAN] = "plan",
};

static const char *const builtins[TN_N_BUILTINS] = {
    [TN_BUILTIN_OPEN_PORTS] = "open-ports",
    [TN_BUILTIN_RESERVED_RANGES] = "reserved-ranges",
    [TN_BUILTIN_ALLOWED_RANGES] = "allowed-ranges",
    [TN_BUILTIN_NAMING] = "naming",
    [TN_BUILTIN_REQUIRED_LABELS] = "required-labels",
    [TN_BUILTIN_REQUIRED_GROUPS] = "required-groups",
    [TN_BUILTIN_QUOTAS] = "quotas",
    [TN_BUILTIN_DELETE_BUDGET] = "delete-budget",
    [TN_BUILTIN_PROTECTED] = "protected",
    [TN_BUILTIN_FREEZE] = "freeze",
    [TN_BUILTIN_REACH] = "reach",
};

static const char *const objects[] = {
    [TN_POLICY_OF_TENANT] = "tenant", [TN_POLICY_OF_VPC] = "vpc",
    [TN_POLICY_OF_SUBNET] = "subnet", [TN_POLICY_OF_PORT] = "port",
    [TN_POLICY_OF_GROUP] = "group",
};

static const char *const protocols[] = {
    [TN_PROTO_ANY] = "any",   [TN_PROTO_TCP] = "tcp",   [TN_PROTO_UDP] = "udp",
    [TN_PROTO_ICMP] = "icmp", [TN_PROTO_SCTP] = "sctp",
};

static const char *const verdicts[] = {
    [TN_POLICY_NEVER] = "never",
    [TN_POLICY_ALWAYS] = "always",
    [TN_POLICY_ONLY] = "only",
};

static const struct tn_field scope_fields[] = {
    {
        TN_ROW("environments", struct tn_policy, environments),
        .type = TN_FIELD_TEXT,
        .flags = TN_MANY | TN_DISTINCT,
        .min_items = 1,
        .max_items = 64,
        .form = &tn_form_host,
        .fallback = "(all)",
        .description = "Environments (folders below inventories/) in which "
                       "the policy counts.",
        .example = "[production]",
    },
    {
        TN_ROW("tenants", struct tn_policy, tenants),
        .type = TN_FIELD_TEXT,
        .flags = TN_MANY | TN_DISTINCT,
        .min_items = 1,
        .max_items = 1000,
        .form = &tn_form_label,
        .fallback = "(all)",
        .description = "Tenants for which it counts.",
        .example = "[acme]",
    },
    {
        TN_ROW("labels", struct tn_policy, labels),
        .type = TN_FIELD_LABELS,
        .max_items = 64,
        .fallback = "(any)",
        .description = "Labels that the VPC or its tenant must have for the "
                       "policy to count.",
        .example = "{tier: front}",
    },
};

static const struct tn_object scope = {
    .title = "PolicyScope",
    .description = "Where the policy counts. A scope that nothing is in is "
                   "told as a warning.",
    TN_FIELDS(scope_fields),
};

static const struct tn_field rule_fields[] = {
    {
        TN_ROW("use", struct tn_policy, use),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .description = "A policy that tenet ships, by its name: what is not "
                       "given here is taken from it.",
        .example = "no-world-open-ports",
    },
    {
        TN_ROW("builtin", struct tn_policy, builtin),
        .type = TN_FIELD_WORD,
        TN_WORDS(builtins),
        .description = "A rule of the program, with the parameters in 'with'.",
        .example = "open-ports",
    },
    {
        TN_ROW("jq", struct tn_policy, jq),
        .type = TN_FIELD_TEXT,
        .form = &form_program,
        .description = "A jq program. It is given one object as JSON at a time "
                       "and yields a text, or an object with 'message', for "
                       "each thing it objects to.",
        .example = "'.ports[] | select(.mac == null) | \"no MAC: \\(.name)\"'",
    },
};

static const struct tn_object rule = {
    .title = "PolicyRule",
    .description = "One of the three.",
    TN_FIELDS(rule_fields),
    .least = 1,
    .exclusive = true,
};

static const struct tn_field ends_fields[] = {
    {
        TN_ROW("tenant", struct tn_policy_ends, tenant),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .fallback = "(any)",
        .description = "Of this tenant.",
        .example = "acme",
    },
    {
        TN_ROW("vpc", struct tn_policy_ends, vpc),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .fallback = "(any)",
        .description = "In this VPC.",
        .example = "web",
    },
    {
        TN_ROW("subnet", struct tn_policy_ends, subnet),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .fallback = "(any)",
        .description = "In this subnet.",
        .example = "front",
    },
    {
        TN_ROW("group", struct tn_policy_ends, group),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .fallback = "(any)",
        .description = "With this security group.",
        .example = "app",
    },
    {
        TN_ROW("port", struct tn_policy_ends, port),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .fallback = "(any)",
        .description = "The port of this name.",
        .example = "web1",
    },
};

static const struct tn_object ends = {
    .title = "PolicyEnds",
    .description = "The ports that fit everything that is given.",
    TN_FIELDS(ends_fields),
    .size = sizeof(struct tn_policy_ends),
    .at = offsetof(struct tn_policy_ends, at),
    .least = 1,
};

static const struct tn_field with_fields[] = {
    {
        TN_ROW("ports", struct tn_policy, ports),
        .type = TN_FIELD_RANGE,
        .flags = TN_MANY | TN_OR_ONE | TN_DISTINCT,
        .min_items = 1,
        .max_items = 256,
        .description = "open-ports, reach: destination ports.",
        .example = "[22, 3389]",
    },
    {
        TN_ROW("widest", struct tn_policy, widest),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = 32,
        .fallback = "8",
        .description = "open-ports: a shorter IPv4 prefix of public addresses "
                       "counts as the world.",
        .example = "16",
    },
    {
        TN_ROW("widest6", struct tn_policy, widest6),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = 128,
        .fallback = "24",
        .description = "open-ports: the same for IPv6.",
        .example = "32",
    },
    {
        TN_ROW("prefixes", struct tn_policy, prefixes),
        .type = TN_FIELD_CIDR,
        .flags = TN_MANY | TN_DISTINCT,
        .min_items = 1,
        .max_items = 1024,
        .description = "reserved-ranges, allowed-ranges: the ranges.",
        .example = "[192.0.2.0/24, \"2001:db8::/32\"]",
    },
    {
        TN_ROW("kinds", struct tn_policy, kinds),
        .type = TN_FIELD_WORD,
        .flags = TN_MANY | TN_OR_ONE | TN_DISTINCT,
        TN_WORDS(objects),
        .min_items = 1,
        .max_items = 5,
        .fallback = "[vpc]",
        .description = "naming, required-labels: what is looked at. Subnets "
                       "have names and no labels.",
        .example = "[vpc, port]",
    },
    {
        TN_ROW("pattern", struct tn_policy, pattern),
        .type = TN_FIELD_TEXT,
        .form = &form_pattern,
        .description = "naming: a POSIX extended regular expression that the "
                       "whole name must match.",
        .example = "\"[a-z]+(-[a-z0-9]+)*\"",
    },
    {
        TN_ROW("keys", struct tn_policy, keys),
        .type = TN_FIELD_TEXT,
        .flags = TN_MANY | TN_OR_ONE | TN_DISTINCT,
        .min_items = 1,
        .max_items = 64,
        .form = &tn_form_label_key,
        .description = "required-labels: labels that must be there and not "
                       "empty. protected: objects that have one of these "
                       "labels are protected, unless its value is false.",
        .example = "[owner]",
    },
    {
        TN_ROW("objects", struct tn_policy, objects),
        .type = TN_FIELD_TEXT,
        .flags = TN_MANY | TN_DISTINCT,
        .min_items = 1,
        .max_items = 1000,
        .form = &form_subject,
        .description = "protected: tenants (acme), VPCs (acme/web), and "
                       "subnets or ports in them (acme/web/front) that no "
                       "plan removes.",
        .example = "[acme/web]",
    },
    {
        TN_ROW("vpcs", struct tn_policy, max_vpcs),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "quotas: VPCs of a tenant.",
        .example = "100",
    },
    {
        TN_ROW("subnetsPerVpc", struct tn_policy, max_subnets),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "quotas: subnets of a VPC.",
        .example = "64",
    },
    {
        TN_ROW("portsPerTenant", struct tn_policy, max_tenant_ports),
        .type = TN_FIELD_UINT,
        .max = 10000000,
        .fallback = "(unlimited)",
        .description = "quotas: ports of a tenant.",
        .example = "5000",
    },
    {
        TN_ROW("portsPerVpc", struct tn_policy, max_ports),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "quotas: ports of a VPC.",
        .example = "1000",
    },
    {
        TN_ROW("rulesPerGroup", struct tn_policy, max_rules),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "quotas: rules of a security group.",
        .example = "100",
    },
    {
        TN_ROW("maxDeletes", struct tn_policy, max_deletes),
        .type = TN_FIELD_UINT,
        .max = 10000000,
        .fallback = "(unlimited)",
        .description = "delete-budget: deletions on one device.",
        .example = "50",
    },
    {
        TN_ROW("maxDeletePercent", struct tn_policy, max_delete_percent),
        .type = TN_FIELD_UINT,
        .max = 100,
        .fallback = "(unlimited)",
        .description = "delete-budget: share of what a device holds; one with "
                       "fewer than 10 objects is exempt.",
        .example = "10",
    },
    {
        TN_ROW("maxDeletesPerTenant", struct tn_policy, max_deletes_per_tenant),
        .type = TN_FIELD_UINT,
        .max = 10000000,
        .fallback = "(unlimited)",
        .description = "delete-budget: deletions of one tenant.",
        .example = "20",
    },
    {
        TN_ROW("from", struct tn_policy, from),
        .type = TN_FIELD_OBJECT,
        .object = &ends,
        .description = "reach: the ports that ask.",
    },
    {
        TN_ROW("to", struct tn_policy, to),
        .type = TN_FIELD_OBJECT,
        .object = &ends,
        .description = "reach: the ports that are asked.",
    },
    {
        TN_ROW("protocol", struct tn_policy, protocol),
        .type = TN_FIELD_WORD,
        TN_WORDS(protocols),
        .fallback = "any",
        .description = "reach: the protocol.",
        .example = "tcp",
    },
    {
        TN_ROW("reach", struct tn_policy, reach),
        .type = TN_FIELD_WORD,
        TN_WORDS(verdicts),
        .fallback = "never",
        .description = "reach: 'never' (no packet of 'protocol' and 'ports' "
                       "gets from any of 'from' to any of 'to'), 'always' (all "
                       "of them do), 'only' (nobody but 'from' does, and of "
                       "'from' only what 'protocol' and 'ports' say).",
        .example = "only",
    },
};

static const struct tn_object with = {
    .title = "PolicyParameters",
    .description = "What the built-in rule is to know; each rule has its own.",
    TN_FIELDS(with_fields),
};

static const struct tn_field waiver_fields[] = {
    {
        TN_ROW("for", struct tn_policy_waiver, subject),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &form_subject,
        .description = "Whom the policy spares: a tenant (acme), a VPC "
                       "(acme/web), or something in it.",
        .example = "acme/web",
    },
    {
        TN_ROW("reason", struct tn_policy_waiver, reason),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_prose,
        .description = "Why; shown with what is waived.",
        .example = "Migration of the bastion, ticket 4711",
    },
    {
        TN_ROW("owner", struct tn_policy_waiver, owner),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_prose,
        .description = "Who answers for it.",
        .example = "team-web",
    },
    {
        TN_ROW("expires", struct tn_policy_waiver, expires),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_time,
        .description = "When it ends, in UTC. From then on it does not count "
                       "and is reported.",
        .example = "2026-12-31T00:00:00Z",
    },
};

/* Has it a letter or a digit?  Of other scripts all counts but what is blank or
 * not seen: no-break and zero-width spaces, fillers, marks of direction, tags.
 */
static bool
says_something(const char *text)
{
    static const char *const nothing[] = {
        "\xe2\x80", "\xe2\x81",     "\xe3\x80\x80", "\xe3\x85\xa4",
        "\xef\xbb", "\xef\xbe\xa0", "\xe1\x9a\x80", "\xe1\xa0\x8e",
        "\xe1\x85", "\xcd\x8f",     "\xf3\xa0",     "\xef\xb8",
    };
    for (const char *s = text; *s; s++) {
        unsigned char c = (unsigned char) *s;
        bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                    (c >= 'a' && c <= 'z') || c >= 0xc3;
        for (size_t i = 0; i < TN_ARRAY_SIZE(nothing) && c >= 0xc3; i++) {
            word = word && strncmp(s, nothing[i], strlen(nothing[i])) != 0;
        }
        if (word) {
            return true;
        }
    }
    return false;
}

static void
waiver_check(const struct tn_check *check, const void *object)
{
    const struct tn_policy_waiver *w = object;
    const struct tn_vtext *texts[] = {&w->reason, &w->owner};
    for (size_t i = 0; i < TN_ARRAY_SIZE(texts); i++) {
        const char *s = texts[i]->v;
        if (s && !says_something(s)) {
            tn_check_error(check, texts[i]->at,
                           "a waiver needs a reason and an owner");
        }
    }
}

static const struct tn_object waiver = {
    .title = "Waiver",
    .description = "An exception: someone answers for it, and it ends.",
    TN_FIELDS(waiver_fields),
    .size = sizeof(struct tn_policy_waiver),
    .at = offsetof(struct tn_policy_waiver, at),
    .check = waiver_check,
};

static const struct tn_field example_fields[] = {
    {
        TN_ROW("name", struct tn_policy_example, name),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_prose,
        .description = "What it shows.",
        .example = "ssh from anywhere",
    },
    {
        TN_ROW("before", struct tn_policy_example, before),
        .type = TN_FIELD_TEXT,
        .form = &form_program,
        .fallback = "(nothing was applied)",
        .description = "Documents of tenant 'example' as applied last.",
        .example = "\"apiVersion: tenet/v1\\nkind: Vpc\\n\"",
    },
    {
        TN_ROW("given", struct tn_policy_example, given),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &form_program,
        .description = "Documents of tenant 'example' as the commit has them: "
                       "YAML in a block. There are hosts hv1 and hv2.",
        .example = "\"apiVersion: tenet/v1\\nkind: Vpc\\n\"",
    },
    {
        TN_ROW("expect", struct tn_policy_example, expect),
        .type = TN_FIELD_TEXT,
        .flags = TN_MANY,
        .max_items = 64,
        .form = &tn_form_prose,
        .fallback = "(no finding)",
        .description = "Of each finding a part of its message, in any order.",
        .example = "[\"tcp port 22 is open to anybody\"]",
    },
};

static const struct tn_object example = {
    .title = "PolicyExample",
    .description = "What the policy says of an intent: run by 'tenet policy "
                   "test'.",
    TN_FIELDS(example_fields),
    .size = sizeof(struct tn_policy_example),
    .at = offsetof(struct tn_policy_example, at),
};

static const struct tn_field spec_fields[] = {
    {
        TN_ROW("description", struct tn_policy, description),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .description = "Why there is this policy.",
        .example = "Logins are reached by the bastion only.",
    },
    {
        TN_ROW("severity", struct tn_policy, severity),
        .type = TN_FIELD_WORD,
        TN_WORDS(severities),
        .fallback = "deny",
        .description = "'deny' stops the plan, 'warn' and 'info' are shown.",
        .example = "warn",
    },
    {
        TN_INLINE("scope"),
        .type = TN_FIELD_OBJECT,
        .object = &scope,
        .fallback = "(everything)",
        .description = "Where it counts.",
    },
    {
        TN_INLINE("rule"),
        .type = TN_FIELD_OBJECT,
        .flags = TN_REQUIRED,
        .object = &rule,
        .description = "What is judged, and how.",
    },
    {
        TN_INLINE("with"),
        .type = TN_FIELD_OBJECT,
        .object = &with,
        .description = "Parameters of a built-in rule.",
    },
    {
        TN_ROW("over", struct tn_policy, over),
        .type = TN_FIELD_WORD,
        TN_WORDS(overs),
        .fallback = "vpc",
        .description = "What a jq program is given at a time: each VPC, or "
                       "each tenant, that the commit touches, or the plan.",
        .example = "vpc",
    },
    {
        TN_ROW("message", struct tn_policy, message),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .description = "What to do instead: shown with each finding.",
        .example = "Go by the bastion",
    },
    {
        TN_ROW("waivers", struct tn_policy, waivers),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 1000,
        .object = &waiver,
        .description = "Exceptions.",
    },
    {
        TN_ROW("examples", struct tn_policy, examples),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 100,
        .object = &example,
        .description = "What it says of small intents. A jq program needs at "
                       "least one that it objects to, so that one that can "
                       "never object is noticed.",
    },
};

const char *
tn_builtin_word(enum tn_builtin builtin)
{
    return builtins[builtin];
}

const struct tn_kind_table tn_policy_table = {
    .kind = TN_KIND_POLICY,
    .name = "Policy",
    .slug = "policy",
    .where = "policies/*.yml",
    .sample = "no-open-logins",
    .description =
        "A rule that each plan is judged by. All documents of the folder "
        "`policies/` count; one that cannot be read, or whose examples fail, "
        "denies every plan. See [policies.md](../policies.md).",
    .spec =
        {
            .title = "PolicySpec",
            TN_FIELDS(spec_fields),
            .size = sizeof(struct tn_policy),
        },
};
