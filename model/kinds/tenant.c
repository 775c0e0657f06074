/* tenant.c - kind: Tenant, who owns what lies beside it in the folder. */
#include "model/kinds/field.h"

#define QUOTA(yaml, member, what, sample)                                      \
    {                                                                          \
        TN_ROW(yaml, struct tn_quotas, member),                                \
            .type = TN_FIELD_UINT, .max = 1000000, .fallback = "(unlimited)",  \
            .description = what, .example = sample,                            \
    }

static const struct tn_field quotas_fields[] = {
    QUOTA("vpcs", vpcs, "VPCs of the tenant.", "10"),
    QUOTA("subnets", subnets, "Subnets in all VPCs of the tenant.", "50"),
    QUOTA("ports", ports, "Ports of the tenant.", "1000"),
    QUOTA("securityGroups", security_groups, "Security groups of the tenant.",
          "20"),
    QUOTA("rules", rules, "Rules in all security groups of the tenant.", "200"),
    QUOTA("peerings", peerings, "Peerings that the tenant grants.", "5"),
};

static const struct tn_object quotas = {
    .title = "Quotas",
    .description = "The most objects that a tenant may declare.",
    TN_FIELDS(quotas_fields),
    .size = sizeof(struct tn_quotas),
};

static const struct tn_field spec_fields[] = {
    {
        TN_ROW("description", struct tn_tenant, description),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .description = "For people.",
        .example = "Web shop of the retail division",
    },
    {
        TN_ROW("quotas", struct tn_tenant, quotas),
        .type = TN_FIELD_OBJECT,
        .object = &quotas,
        .description = "The most objects that the tenant may declare; what is "
                       "not given is unlimited.",
    },
    {
        TN_ROW("allowedCidrs", struct tn_tenant, allowed_cidrs),
        .type = TN_FIELD_CIDR,
        .flags = TN_MANY | TN_DISTINCT,
        .max_items = 256,
        .fallback = "(any)",
        .description = "The prefixes inside which the tenant's VPCs must lie.",
        .example = "[10.0.0.0/8, \"fd00::/8\"]",
    },
};

const struct tn_kind_table tn_tenant_table = {
    .kind = TN_KIND_TENANT,
    .name = "Tenant",
    .slug = "tenant",
    .where = "tenants/<tenant>/tenant.yml",
    .sample = "acme",
    .description =
        "A tenant: the owner of everything in its folder. `metadata.name` "
        "equals the folder's name. What a tenant may use at all is said here, "
        "by the operator.",
    .of_tenant = true,
    .spec =
        {
            .title = "TenantSpec",
            TN_FIELDS(spec_fields),
            .size = sizeof(struct tn_tenant),
        },
};
