/* table.c - all kinds, the envelope that they share, and lookups in tables. */
#include "model/kinds/field.h"

#include <string.h>

static const char *const api_versions[] = {TN_API_VERSION};

static const char *const kind_names[TN_N_KINDS] = {
    [TN_KIND_SETTINGS] = "Settings",
    [TN_KIND_TENANT] = "Tenant",
    [TN_KIND_VPC] = "Vpc",
    [TN_KIND_PORT] = "Port",
    [TN_KIND_SECURITY_GROUP] = "SecurityGroup",
    [TN_KIND_PEERING] = "Peering",
    [TN_KIND_DAEMON] = "Daemon",
    [TN_KIND_POLICY] = "Policy",
};

static const struct tn_kind_table *const tables[TN_N_KINDS] = {
    [TN_KIND_SETTINGS] = &tn_settings_table,
    [TN_KIND_TENANT] = &tn_tenant_table,
    [TN_KIND_VPC] = &tn_vpc_table,
    [TN_KIND_PORT] = &tn_port_table,
    [TN_KIND_SECURITY_GROUP] = &tn_security_group_table,
    [TN_KIND_PEERING] = &tn_peering_table,
    [TN_KIND_DAEMON] = &tn_daemon_table,
    [TN_KIND_POLICY] = &tn_policy_table,
};

static const struct tn_field metadata_fields[] = {
    {
        TN_ROW("name", struct tn_meta, name),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_label,
        .description = "Name of the object, unique among those of its kind in "
                       "its tenant.",
        .example = "web",
    },
    {
        TN_ROW("tenant", struct tn_meta, tenant),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .fallback = "(the folder's)",
        .description = "The tenant, for the reader: it must equal the folder "
                       "below tenants/ that the file is in.",
        .example = "acme",
    },
    {
        TN_ROW("labels", struct tn_meta, labels),
        .type = TN_FIELD_LABELS,
        .max_items = 64,
        .fallback = "(none)",
        .description = "Words to find objects by; they do not change what "
                       "devices hold.",
        .example = "{tier: front, owner: team-web}",
    },
};

const struct tn_object tn_metadata = {
    .title = "Metadata",
    .description = "What the object is called.",
    TN_FIELDS(metadata_fields),
    .size = sizeof(struct tn_meta),
};

static const struct tn_field envelope_fields[TN_ENVELOPE_FIELDS] = {
    [TN_ENVELOPE_API_VERSION] =
        {
            TN_INLINE("apiVersion"),
            .type = TN_FIELD_WORD,
            .flags = TN_REQUIRED,
            TN_WORDS(api_versions),
            .description = "Version of the document's format.",
            .example = TN_API_VERSION,
        },
    [TN_ENVELOPE_KIND] =
        {
            TN_INLINE("kind"),
            .type = TN_FIELD_WORD,
            .flags = TN_REQUIRED,
            TN_WORDS(kind_names),
            .description = "What the document describes.",
        },
    [TN_ENVELOPE_METADATA] =
        {
            TN_INLINE("metadata"),
            .type = TN_FIELD_OBJECT,
            .flags = TN_REQUIRED,
            .object = &tn_metadata,
            .description = "What the object is called.",
        },
    [TN_ENVELOPE_SPEC] =
        {
            TN_INLINE("spec"),
            .type = TN_FIELD_OBJECT,
            .description = "What is wanted.",
        },
};

const struct tn_object tn_envelope = {
    .title = "Document",
    TN_FIELDS(envelope_fields),
};

const struct tn_kind_table *
tn_kind_table(enum tn_kind kind)
{
    return tables[kind];
}

const char *
tn_kind_name(enum tn_kind kind)
{
    return kind_names[kind];
}

const char *
tn_kind_slug(enum tn_kind kind)
{
    return tables[kind]->slug;
}

bool
tn_kind_parse(const char *name, enum tn_kind *out)
{
    for (unsigned i = 0; i < TN_N_KINDS; i++) {
        if (strcmp(name, tables[i]->name) == 0 ||
            strcmp(name, tables[i]->slug) == 0) {
            *out = (enum tn_kind) i;
            return true;
        }
    }
    return false;
}

size_t
tn_field_size(const struct tn_field *field)
{
    switch (field->type) {
    case TN_FIELD_TEXT:
        return sizeof(struct tn_vtext);
    case TN_FIELD_UINT:
        return sizeof(struct tn_vuint);
    case TN_FIELD_BOOL:
        return sizeof(struct tn_vbool);
    case TN_FIELD_ADDR:
        return sizeof(struct tn_vaddr);
    case TN_FIELD_CIDR:
        return sizeof(struct tn_vcidr);
    case TN_FIELD_MAC:
        return sizeof(struct tn_vmac);
    case TN_FIELD_WORD:
        return sizeof(struct tn_venum);
    case TN_FIELD_RANGE:
        return sizeof(struct tn_vrange);
    case TN_FIELD_OBJECT:
        return field->object->size;
    case TN_FIELD_LABELS:
        return sizeof(struct tn_meta_label);
    }
    return 0;
}

const struct tn_field *
tn_field_find(const struct tn_object *object, const char *name, uint32_t hint)
{
    uint32_t n = object->n_fields;
    for (uint32_t k = 0, i = hint; k < n; k++, i++) {
        if (i >= n) {
            i = 0;
        }
        const struct tn_field *f = &object->fields[i];
        if (f->name[0] == name[0] && strcmp(f->name, name) == 0) {
            return f;
        }
    }
    return NULL;
}
