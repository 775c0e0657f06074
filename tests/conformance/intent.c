/* intent.c - see intent.h.  Real documents through the real compiler, so that
 * the suite sees what a driver will see. */
#include "tests/conformance/intent.h"

#include <criterion/criterion.h>

#include "model/compile/compile.h"
#include "tests/support/memory_source.h"

#define V "apiVersion: tenet/v1\n"
#define DOC(kind, name)                                                        \
    "---\n" V "kind: " kind "\nmetadata: {name: " name "}\nspec:\n"

const char *const tn_conformance_netns[] = {
    "cf-web1", "cf-web2",  "cf-spare", "cf-router",
    "cf-db1",  "cf-shop1", "cf-shop2", NULL,
};

static const char tenant[] = V "kind: Tenant\nmetadata: {name: %s}\nspec: {}\n";

/* MTU, VNI, port of a rule. */
static const char acme_net[] = DOC(
    "Vpc",
    "web") "  cidrs: [10.1.0.0/16, \"fd00:1::/32\"]\n"
           "  subnets:\n"
           "    - {name: front, cidr: 10.1.0.0/24, cidr6: \"fd00:1::/64\",\n"
           "       mtu: %u, vni: %u}\n"
           "    - {name: back, cidr: 10.1.1.0/24}\n"
           "  routes:\n"
           "    - {to: 172.16.0.0/12, via: 10.1.1.9}\n" DOC(
               "Vpc",
               "db") "  cidrs: [10.2.0.0/16]\n"
                     "  subnets:\n"
                     "    - {name: main, cidr: 10.2.0.0/24}\n" DOC(
                         "SecurityGroup",
                         "web") "  rules:\n"
                                "    - {direction: ingress, protocol: tcp, "
                                "ports: [80, %u]}\n"
                                "    - {direction: ingress, remote: {group: "
                                "admin}}\n" DOC(
                                    "SecurityGroup",
                                    "admin") "  rules:\n"
                                             "    - {direction: egress, "
                                             "remote: {cidr: "
                                             "10.0.0.0/8}}\n" DOC(
                                                 "Peering",
                                                 "web-db") "  vpc: web\n"
                                                           "  peer: {vpc: db}\n"
                                                           "  export: "
                                                           "[10.1.1.0/"
                                                           "24]\n" DOC(
                                                               "Peering",
                                                               "db-web") "  "
                                                                         "vpc: "
                                                                         "db\n"
                                                                         "  "
                                                                         "peer:"
                                                                         " {"
                                                                         "vpc: "
                                                                         "web}"
                                                                         "\n"
                                                                         "  "
                                                                         "expor"
                                                                         "t: "
                                                                         "[10."
                                                                         "2.0."
                                                                         "0/"
                                                                         "24]"
                                                                         "\n";

static const char acme_ports[] = DOC(
    "Port",
    "web1") "  {vpc: web, subnet: front, host: hv1, securityGroups: [web],\n"
            "   allowedAddresses: [10.1.0.100/32, 10.1.0.101/32],\n"
            "   attach: {netns: cf-web1}}\n" DOC(
                "Port",
                "web2") "  {vpc: web, subnet: front, host: hv2, "
                        "securityGroups: [web, admin],\n"
                        "   allowedAddresses: [10.1.0.101/32],\n"
                        "   address: 10.1.0.20, attach: {netns: "
                        "cf-web2}}\n" DOC(
                            "Port",
                            "router") "  {vpc: web, subnet: back, host: hv1, "
                                      "address: 10.1.1.9,\n"
                                      "   mac: \"02:00:00:00:00:09\", attach: "
                                      "{netns: cf-router}}\n" DOC(
                                          "Port",
                                          "db1") "  {vpc: db, subnet: main, "
                                                 "host: hv1, attach: {netns: "
                                                 "cf-db1}}\n";

static const char acme_spare[] = DOC(
    "Port",
    "spare") "  {vpc: web, subnet: front, host: hv1, securityGroups: [admin],\n"
             "   attach: {netns: cf-spare}}\n";

static const char beta_net[] =
    DOC("Vpc",
        "shop") "  cidrs: [10.1.0.0/16]\n"
                "  subnets:\n"
                "    - {name: front, cidr: 10.1.0.0/24}\n" DOC(
                    "Port",
                    "shop1") "  {vpc: shop, subnet: front, host: hv1, attach: "
                             "{netns: cf-shop1}}\n" DOC(
                                 "Port", "shop2") "  {vpc: shop, "
                                                  "subnet: front, "
                                                  "host: hv2, "
                                                  "attach: {netns: "
                                                  "cf-shop2}}\n";

static void
add(struct tn_source *source, const char *path, struct tn_text *t)
{
    tn_memory_source_add(source, path, tn_text_str(t));
    tn_text_clear(t);
}

static void
add_hosts(struct tn_source *source, const struct tn_subject *subject,
          void *world, struct tn_text *t)
{
    static const char *const paths[] = {"inventories/lab/host_vars/hv1.yml",
                                        "inventories/lab/host_vars/hv2.yml"};
    tn_text_add(t, "all:\n  hosts:\n    hv1:\n    hv2:\n");
    if (subject->hosts) {
        subject->hosts(world, t);
    }
    add(source, "inventories/lab/hosts.yml", t);
    for (size_t i = 0; i < TN_ARRAY_SIZE(paths); i++) {
        tn_text_addf(t, "tenet_underlay_address: 192.0.2.%zu\n", i + 1);
        if (!subject->hosts) {
            tn_text_addf(t, "tenet_driver: %s\n", subject->driver->name);
        }
        subject->host_vars(world, i ? "hv2" : "hv1", t);
        add(source, paths[i], t);
    }
}

static void
add_tenants(struct tn_source *source, enum tn_variant variant,
            struct tn_text *t)
{
    bool updated = variant == TN_V_UPDATED;
    tn_text_addf(t, tenant, "acme");
    add(source, "tenants/acme/tenant.yml", t);
    tn_text_addf(t, tenant, "beta");
    add(source, "tenants/beta/tenant.yml", t);
    if (variant == TN_V_NOTHING) {
        return;
    }
    tn_text_addf(t, acme_net, updated ? 1300u : 1400u,
                 variant == TN_V_REPLACED ? 7001u : 7000u,
                 updated ? 8443u : 443u);
    add(source, "tenants/acme/net.yml", t);
    tn_text_add(t, acme_ports);
    if (variant != TN_V_SMALLER) {
        tn_text_add(t, acme_spare);
    }
    add(source, "tenants/acme/ports.yml", t);
    tn_text_add(t, beta_net);
    add(source, "tenants/beta/net.yml", t);
}

const struct tn_network *
tn_intent(struct tn_arena *arena, const struct tn_subject *subject, void *world,
          enum tn_variant variant, const char *instance)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    struct tn_source *source = tn_memory_source_new();
    struct tn_compile_options options = {.threads = 1};
    struct tn_error err = {0};
    struct tn_diags diags;
    const struct tn_network *network = NULL;
    char why[TN_ERROR_TEXT];
    tn_text_addf(&t, V "kind: Settings\nmetadata: {name: %s}\nspec: {}\n",
                 instance);
    add(source, "tenet.yml", &t);
    add_hosts(source, subject, world, &t);
    add_tenants(source, variant, &t);
    tn_diags_init(&diags, arena);
    enum tn_code code =
        tn_compile(source, &options, arena, &network, NULL, &diags, &err);
    cr_assert_eq(diags.n_errors, 0, "%s:%u: %s", diags.list.items[0].at.path,
                 diags.list.items[0].at.line, diags.list.items[0].message);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, why, sizeof why));
    source->ops->free(source);
    return network;
}
