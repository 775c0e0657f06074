/* security_group.c - kind: SecurityGroup, stateful rules for the ports that
 * name it. */
#include "model/kinds/field.h"

static const char *const directions[] = {
    [TN_INGRESS] = "ingress",
    [TN_EGRESS] = "egress",
};

static const char *const protocols[] = {
    [TN_PROTO_ANY] = "any",   [TN_PROTO_TCP] = "tcp",   [TN_PROTO_UDP] = "udp",
    [TN_PROTO_ICMP] = "icmp", [TN_PROTO_SCTP] = "sctp",
};

static const struct tn_field remote_fields[] = {
    {
        TN_ROW("cidr", struct tn_rule, remote_cidr),
        .type = TN_FIELD_CIDR,
        .description = "A prefix.",
        .example = "10.0.0.0/8",
    },
    {
        TN_ROW("group", struct tn_rule, remote_group),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .description = "The ports of this group of the tenant, in the same "
                       "VPC.",
        .example = "web",
    },
};

static const struct tn_object remote = {
    .title = "Remote",
    .description = "The other end: either 'cidr' or 'group'.",
    TN_FIELDS(remote_fields),
    .least = 1,
    .exclusive = true,
};

static const struct tn_field rule_fields[] = {
    {
        TN_ROW("direction", struct tn_rule, direction),
        .type = TN_FIELD_WORD,
        .flags = TN_REQUIRED,
        TN_WORDS(directions),
        .description = "Which way the connection is opened: to the port or "
                       "from it. Answers always pass.",
        .example = "ingress",
    },
    {
        TN_ROW("protocol", struct tn_rule, protocol),
        .type = TN_FIELD_WORD,
        TN_WORDS(protocols),
        .fallback = "any",
        .description = "The protocol; icmp is ICMPv6 where addresses are "
                       "IPv6.",
        .example = "tcp",
    },
    {
        TN_ROW("ports", struct tn_rule, ports),
        .type = TN_FIELD_RANGE,
        .flags = TN_MANY | TN_OR_ONE | TN_DISTINCT,
        .min_items = 1,
        .max_items = 256,
        .fallback = "(all)",
        .description = "Destination ports, with tcp, udp and sctp only: a "
                       "number, a range, or a list of them.",
        .example = "[443, \"8000-8100\"]",
    },
    {
        TN_INLINE("remote"),
        .type = TN_FIELD_OBJECT,
        .object = &remote,
        .fallback = "(anybody)",
        .description = "The other end of the connection.",
    },
    {
        TN_ROW("description", struct tn_rule, description),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .description = "For people.",
        .example = "HTTPS from the campus",
    },
};

static bool
has_ports(unsigned protocol)
{
    return protocol == TN_PROTO_TCP || protocol == TN_PROTO_UDP ||
           protocol == TN_PROTO_SCTP;
}

static void
rule_check(const struct tn_check *check, const void *object)
{
    const struct tn_rule *r = object;
    if (!r->ports.at.line || r->protocol.v == TN_WORD_BAD ||
        has_ports(r->protocol.v)) {
        return;
    }
    struct tn_diag *d = tn_check_error(
        check, r->ports.at, "protocol %s has no ports",
        r->protocol.at.line ? protocols[r->protocol.v] : "any (the default)");
    tn_check_hint(check, d,
                  "say 'protocol: tcp', udp or sctp, or remove "
                  "'ports'");
}

static const struct tn_object rule = {
    .title = "Rule",
    .description = "Lets connections through; there are no rules that refuse.",
    TN_FIELDS(rule_fields),
    .size = sizeof(struct tn_rule),
    .at = offsetof(struct tn_rule, at),
    .check = rule_check,
};

static const struct tn_field spec_fields[] = {
    {
        TN_ROW("description", struct tn_security_group, description),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .description = "For people.",
        .example = "Web servers",
    },
    {
        TN_ROW("rules", struct tn_security_group, rules),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 1024,
        .object = &rule,
        .description = "What may be opened. Without any ingress rule nothing "
                       "comes in; without any egress rule everything goes "
                       "out.",
    },
};

const struct tn_kind_table tn_security_group_table = {
    .kind = TN_KIND_SECURITY_GROUP,
    .name = "SecurityGroup",
    .slug = "security-group",
    .where = "tenants/<tenant>/**/*.yml",
    .sample = "web",
    .description =
        "A security group: stateful rules that apply to every port that names "
        "it. What no rule of any of the port's groups lets through is "
        "dropped, between subnets and inside one alike.",
    .of_tenant = true,
    .spec =
        {
            .title = "SecurityGroupSpec",
            TN_FIELDS(spec_fields),
            .size = sizeof(struct tn_security_group),
        },
};
