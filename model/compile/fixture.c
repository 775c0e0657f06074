/* fixture.c - see fixture.h. */
#include "model/compile/fixture.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/support/memory_source.h"

struct file {
    const char *path, *text;
};

static const struct file files[] = {
    {"tenet.yml", "apiVersion: tenet/v1\n"
                  "kind: Settings\n"
                  "metadata: {name: lab}\n"
                  "spec:\n"
                  "  pools: {vni: {from: 5000, to: 9999}}\n"
                  "  defaultEnvironment: lab\n"},
    {"inventories/lab/hosts.yml",
     "all:\n"
     "  vars: {tenet_driver: memory, tenet_underlay_mtu: 1500}\n"
     "  hosts:\n"
     "    hv1: {tenet_underlay_address: 192.0.2.1, tenet_site: dc1}\n"
     "    hv2: {tenet_underlay_address: 192.0.2.2, tenet_site: dc1}\n"
     "    hv3: {tenet_underlay_address: 192.0.2.3, tenet_site: dc2}\n"
     "    hv6: {tenet_underlay_address: \"2001:db8::6\", tenet_site: dc1}\n"
     "    bastion: {tenet_driver: null}\n"},
    {"inventories/other/hosts.yml",
     "all:\n"
     "  vars: {tenet_driver: memory}\n"
     "  hosts:\n"
     "    far1: {tenet_underlay_address: 192.0.2.1}\n"},
    {"tenants/acme/tenant.yml",
     "apiVersion: tenet/v1\n"
     "kind: Tenant\n"
     "metadata: {name: acme}\n"
     "spec:\n"
     "  quotas: {vpcs: 3, subnets: 6, ports: 6, securityGroups: 4, rules: 6,\n"
     "           peerings: 3}\n"
     "  allowedCidrs: [10.0.0.0/8, \"fd00::/8\", 192.168.0.0/16]\n"},
    {"tenants/acme/web.yml",
     "apiVersion: tenet/v1\n"
     "kind: Vpc\n"
     "metadata: {name: web}\n"
     "spec:\n"
     "  cidrs: [10.1.0.0/16, \"fd00:1::/32\"]\n"
     "  subnets:\n"
     "    - {name: front, cidr: 10.1.0.0/24, cidr6: \"fd00:1::/64\"}\n"
     "    - {name: back, cidr: 10.1.1.0/24}\n"
     "  routes:\n"
     "    - {to: 172.16.0.0/12, via: 10.1.1.9}\n"
     "---\n"
     "apiVersion: tenet/v1\n"
     "kind: SecurityGroup\n"
     "metadata: {name: web}\n"
     "spec:\n"
     "  rules:\n"
     "    - {direction: ingress, protocol: tcp, ports: [80, 443]}\n"
     "    - {direction: ingress, remote: {group: admin}}\n"
     "---\n"
     "apiVersion: tenet/v1\n"
     "kind: SecurityGroup\n"
     "metadata: {name: admin}\n"
     "spec:\n"
     "  rules:\n"
     "    - {direction: egress, remote: {cidr: 10.0.0.0/8}}\n"},
    {"tenants/acme/ports.yml",
     "apiVersion: tenet/v1\n"
     "kind: Port\n"
     "metadata: {name: web1}\n"
     "spec: {vpc: web, subnet: front, host: hv1, securityGroups: [web],\n"
     "       attach: {netns: web1}}\n"
     "---\n"
     "apiVersion: tenet/v1\n"
     "kind: Port\n"
     "metadata: {name: web2}\n"
     "spec: {vpc: web, subnet: front, host: hv2, securityGroups: [web, "
     "admin],\n"
     "       address: 10.1.0.20, attach: {netns: web2}}\n"
     "---\n"
     "apiVersion: tenet/v1\n"
     "kind: Port\n"
     "metadata: {name: router}\n"
     "spec: {vpc: web, subnet: back, host: hv2, address: 10.1.1.9,\n"
     "       mac: \"02:00:00:00:00:09\", attach: {interface: tap0}}\n"},
    {"tenants/beta/tenant.yml", "apiVersion: tenet/v1\n"
                                "kind: Tenant\n"
                                "metadata: {name: beta}\n"
                                "spec: {}\n"},
    {"tenants/beta/net.yml",
     "apiVersion: tenet/v1\n"
     "kind: Vpc\n"
     "metadata: {name: shop}\n"
     "spec:\n"
     "  cidrs: [10.1.0.0/16, 10.77.0.0/16]\n"
     "  subnets:\n"
     "    - {name: front, cidr: 10.1.0.0/24}\n"
     "---\n"
     "apiVersion: tenet/v1\n"
     "kind: Port\n"
     "metadata: {name: web1}\n"
     "spec: {vpc: shop, subnet: front, host: hv1, attach: {netns: beta1}}\n"},
};

void
tn_fixture_add(struct tn_fixture *f, const char *path, const char *text)
{
    tn_memory_source_add(f->source, path, text);
}

void
tn_fixture_init(struct tn_fixture *f)
{
    *f = (struct tn_fixture){.source = tn_memory_source_new()};
    for (size_t i = 0; i < TN_ARRAY_SIZE(files); i++) {
        tn_fixture_add(f, files[i].path, files[i].text);
    }
    f->options.threads = 1;
}

static void
result_drop(struct tn_fixture *f)
{
    tn_arena_free(f->arena);
    tn_text_done(&f->text);
    tn_text_done(&f->findings);
    f->arena = NULL;
    f->network = NULL;
}

void
tn_fixture_done(struct tn_fixture *f)
{
    result_drop(f);
    f->source->ops->free(f->source);
}

void
tn_fixture_compile(struct tn_fixture *f)
{
    result_drop(f);
    f->arena = tn_arena_new();
    f->err = (struct tn_error){0};
    tn_diags_init(&f->diags, f->arena);
    f->code = tn_compile(f->source, &f->options, f->arena, &f->network,
                         &f->stats, &f->diags, &f->err);
    if (f->network) {
        tn_network_print(&f->text, f->network);
    }
    for (size_t i = 0; i < f->diags.list.n; i++) {
        const struct tn_diag *d = &f->diags.list.items[i];
        tn_text_addf(&f->findings, "%s:%u:%u: %s%s%s%s%s\n",
                     d->at.path ? d->at.path : "-", d->at.line, d->at.column,
                     d->severity == TN_WARNING ? "warning: " : "", d->message,
                     d->hint ? " (" : "", d->hint ? d->hint : "",
                     d->hint ? ")" : "");
    }
}

const struct tn_net_vpc *
tn_fixture_vpc(const struct tn_fixture *f, const char *scope)
{
    for (size_t i = 0; f->network && i < f->network->n_vpcs; i++) {
        if (strcmp(f->network->vpcs[i]->scope, scope) == 0) {
            return f->network->vpcs[i];
        }
    }
    return NULL;
}

const struct tn_tenant_result *
tn_fixture_tenant(const struct tn_fixture *f, const char *name)
{
    for (size_t i = 0; f->network && i < f->network->n_tenants; i++) {
        if (strcmp(f->network->tenants[i].name, name) == 0) {
            return &f->network->tenants[i];
        }
    }
    return NULL;
}

const struct tn_net_port *
tn_fixture_port(const struct tn_fixture *f, const char *scope, const char *port)
{
    const struct tn_net_vpc *vpc = tn_fixture_vpc(f, scope);
    for (size_t i = 0; vpc && i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            if (strcmp(vpc->subnets[i].ports[k].name, port) == 0) {
                return &vpc->subnets[i].ports[k];
            }
        }
    }
    return NULL;
}

uint32_t
tn_fixture_vni(const struct tn_fixture *f, const char *scope,
               const char *subnet)
{
    const struct tn_net_vpc *vpc = tn_fixture_vpc(f, scope);
    for (size_t i = 0; vpc && i < vpc->n_subnets; i++) {
        if (strcmp(vpc->subnets[i].name, subnet) == 0) {
            return vpc->subnets[i].vni;
        }
    }
    return 0;
}

bool
tn_fixture_holds(const struct tn_fixture *f, const char *scope)
{
    for (size_t i = 0; f->network && i < f->network->n_held; i++) {
        if (strcmp(f->network->held_scopes[i], scope) == 0) {
            return true;
        }
    }
    return false;
}

void
tn_fixture_expect(const struct tn_fixture *f, const char *findings)
{
    cr_expect_str_eq(tn_text_str(&f->findings), findings);
}

char *
tn_fixture_print_tenant(const struct tn_fixture *f, const char *tenant)
{
    struct tn_text out = {0};
    for (size_t i = 0; f->network && i < f->network->n_vpcs; i++) {
        if (strcmp(f->network->vpcs[i]->tenant, tenant) == 0) {
            tn_net_vpc_print(&out, f->network->vpcs[i]);
        }
    }
    return tn_text_take(&out);
}
