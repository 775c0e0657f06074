/* peering.c - kind: Peering, one side's consent to connect two VPCs. */
#include "model/kinds/field.h"

static const struct tn_field peer_fields[] = {
    {
        TN_ROW("tenant", struct tn_peering, peer_tenant),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .fallback = "(the same tenant)",
        .description = "Tenant of the other VPC.",
        .example = "beta",
    },
    {
        TN_ROW("vpc", struct tn_peering, peer_vpc),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_label,
        .description = "The other VPC.",
        .example = "data",
    },
};

static const struct tn_object peer = {
    .title = "Peer",
    .description = "The VPC on the other side.",
    TN_FIELDS(peer_fields),
};

static const struct tn_field spec_fields[] = {
    {
        TN_ROW("description", struct tn_peering, description),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .description = "For people.",
        .example = "Orders go to the data platform",
    },
    {
        TN_ROW("vpc", struct tn_peering, vpc),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_label,
        .description = "Our VPC.",
        .example = "web",
    },
    {
        TN_INLINE("peer"),
        .type = TN_FIELD_OBJECT,
        .flags = TN_REQUIRED,
        .object = &peer,
        .description = "The VPC on the other side, which must grant the same "
                       "to ours.",
    },
    {
        TN_ROW("export", struct tn_peering, export),
        .type = TN_FIELD_CIDR,
        .flags = TN_REQUIRED | TN_MANY | TN_DISTINCT | TN_UNICAST,
        .min_items = 1,
        .max_items = 256,
        .description = "Prefixes of ours, inside our VPC's 'cidrs', that the "
                       "other side may reach.",
        .example = "[10.1.0.0/24]",
    },
};

const struct tn_kind_table tn_peering_table = {
    .kind = TN_KIND_PEERING,
    .name = "Peering",
    .slug = "peering",
    .where = "tenants/<tenant>/**/*.yml",
    .sample = "web-to-data",
    .description =
        "One half of a peering: the consent of one side. Two VPCs are "
        "connected only if each side has a Peering that names the other, and "
        "only for the prefixes that they export. There is no other way "
        "between two VPCs.",
    .of_tenant = true,
    .spec =
        {
            .title = "PeeringSpec",
            TN_FIELDS(spec_fields),
            .size = sizeof(struct tn_peering),
        },
};
