/* tenant.c - kind: Tenant, who owns what lies beside it in the folder. */
#include "model/kinds/field.h"

static const struct tn_field quotas_fields[] = {
    {
        TN_ROW("vpcs", struct tn_quotas, vpcs),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "VPCs of the tenant.",
        .example = "10",
    },
    {
        TN_ROW("subnets", struct tn_quotas, subnets),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "Subnets in all VPCs of the tenant.",
        .example = "50",
    },
    {
        TN_ROW("ports", struct tn_quotas, ports),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "Ports of the tenant.",
        .example = "1000",
    },
    {
        TN_ROW("securityGroups", struct tn_quotas, security_groups),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "Security groups of the tenant.",
        .example = "20",
    },
    {
        TN_ROW("rules", struct tn_quotas, rules),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "Rules in all security groups of the tenant.",
        .example = "200",
    },
    {
        TN_ROW("peerings", struct tn_quotas, peerings),
        .type = TN_FIELD_UINT,
        .max = 1000000,
        .fallback = "(unlimited)",
        .description = "Peerings that the tenant grants.",
        .example = "5",
    },
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
