/* port.c - kind: Port, where something is plugged into a subnet. */
#include "model/kinds/field.h"

static const struct tn_field attach_fields[] = {
    {
        TN_ROW("netns", struct tn_attach, netns),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_netns,
        .fallback = "(none: an existing interface)",
        .description = "Network namespace on the host that gets the far end "
                       "of a veth pair.",
        .example = "web1",
    },
    {
        TN_ROW("interface", struct tn_attach, interface),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_interface,
        .fallback = "(eth0 with 'netns')",
        .description = "With 'netns', the name of the interface in there; "
                       "without it, an interface that exists on the host, as "
                       "the tap of a virtual machine.",
        .example = "eth0",
    },
    {
        TN_ROW("vif", struct tn_attach, vif),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_vif,
        .fallback = "(none)",
        .description = "On hosts of an NSX, and instead of the others: the "
                       "virtual interface, as vCenter or the hypervisor names "
                       "it to NSX (its external id).",
        .example = "5f4f6e2c-6b1d-4f6e-9c1d-2f3a4b5c6d7e",
    },
    {
        TN_ROW("defaultRoute", struct tn_attach, default_route),
        .type = TN_FIELD_BOOL,
        .fallback = "true",
        .description = "With 'netns': let its default route lead through this "
                       "port. Of several ports in one namespace one may.",
        .example = "true",
    },
};

static const struct tn_object attach = {
    .title = "Attach",
    .description = "What the port connects to on its host.",
    TN_FIELDS(attach_fields),
    .size = sizeof(struct tn_attach),
    .at = offsetof(struct tn_attach, at),
    .least = 1,
};

static const struct tn_field spec_fields[] = {
    {
        TN_ROW("description", struct tn_port, description),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .description = "For people.",
        .example = "First web server",
    },
    {
        TN_ROW("vpc", struct tn_port, vpc),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_label,
        .description = "The tenant's VPC that the port is in.",
        .example = "web",
    },
    {
        TN_ROW("subnet", struct tn_port, subnet),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_label,
        .description = "The subnet of that VPC.",
        .example = "front",
    },
    {
        TN_ROW("host", struct tn_port, host),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_host,
        .description = "The host of the inventory on which the port is.",
        .example = "hv1",
    },
    {
        TN_ROW("mac", struct tn_port, mac),
        .type = TN_FIELD_MAC,
        .fallback = "(pinned or derived)",
        .description = "MAC address of what is attached.",
        .example = "\"02:74:6e:00:00:01\"",
    },
    {
        TN_ROW("address", struct tn_port, address),
        .type = TN_FIELD_ADDR,
        .flags = TN_UNICAST,
        .fallback = "(pinned or derived)",
        .description = "Address in the subnet's 'cidr'.",
        .example = "10.1.0.10",
    },
    {
        TN_ROW("address6", struct tn_port, address6),
        .type = TN_FIELD_ADDR,
        .flags = TN_IPV6 | TN_UNICAST,
        .fallback = "(pinned or derived, if the subnet has 'cidr6')",
        .description = "Address in the subnet's 'cidr6'.",
        .example = "\"fd00:10:1::10\"",
    },
    {
        TN_ROW("allowedAddresses", struct tn_port, allowed_addresses),
        .type = TN_FIELD_CIDR,
        .flags = TN_MANY | TN_DISTINCT,
        .max_items = 256,
        .fallback = "(none)",
        .description = "Further source prefixes that the port may send from: "
                       "for routers and virtual addresses.",
        .example = "[10.1.0.100/32]",
    },
    {
        TN_ROW("securityGroups", struct tn_port, security_groups),
        .type = TN_FIELD_TEXT,
        .flags = TN_MANY | TN_DISTINCT,
        .max_items = 64,
        .form = &tn_form_label,
        .fallback = "(none: nothing in, everything out)",
        .description = "Security groups of the tenant that apply to the port.",
        .example = "[web, ssh]",
    },
    {
        TN_ROW("attach", struct tn_port, attach),
        .type = TN_FIELD_OBJECT,
        .flags = TN_REQUIRED,
        .object = &attach,
        .description = "What the port connects to on its host.",
    },
};

const struct tn_kind_table tn_port_table = {
    .kind = TN_KIND_PORT,
    .name = "Port",
    .slug = "port",
    .where = "tenants/<tenant>/**/*.yml",
    .sample = "web1",
    .description =
        "A port: the place where a machine, a container or a namespace is "
        "plugged into a subnet. Its name is unique in its tenant. Only the "
        "port's own addresses may send through it.",
    .of_tenant = true,
    .spec =
        {
            .title = "PortSpec",
            TN_FIELDS(spec_fields),
            .size = sizeof(struct tn_port),
        },
};
