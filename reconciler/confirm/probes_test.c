/* probes_test.c - names of tenet.yml to ports, and reports of drivers. */
#include "reconciler/confirm/probes.h"

#include <criterion/criterion.h>
#include <string.h>

#include "model/compile/fixture.h"

static const char settings[] =
    V "kind: Settings\nmetadata: {name: demo}\nspec:\n  defaultEnvironment: "
      "lab\n  probes:\n"
      "  - {name: icmp, from: acme/w1, to: {port: acme/w2}}\n"
      "  - {name: tcp, from: acme/w2, to: {address: 10.9.0.1}, tcp: 443}\n"
      "  - {name: nobody, from: acme/nobody, to: {port: acme/w2}}\n"
      "  - {name: nowhere, from: acme/w1, to: {port: acme/nobody}}\n"
      "  - {name: family, from: acme/w1, to: {port: acme/six}}\n"
      "  - {name: tenant, from: beta/w1, to: {port: acme/w2}}\n";

static const char intent[] =
    VPC("net") "  cidrs: [10.9.0.0/16, \"fd09::/48\"]\n"
               "  subnets:\n  - {name: a, cidr: 10.9.0.0/24}\n"
               "  - {name: b, cidr: \"fd09::/64\"}\n" PORT(
                   "w1") "{vpc: net, subnet: a, host: hv1, attach: {netns: "
                         "w1}}\n" PORT("w2") "{vpc: net, subnet: a, host: "
                                             "hv2, attach: {netns: "
                                             "w2}}\n" PORT("six") "{vpc: "
                                                                  "net, "
                                                                  "subnet: "
                                                                  "b, "
                                                                  "host: "
                                                                  "hv2, "
                                                                  "attach: "
                                                                  "{netns: "
                                                                  "six}}\n";

/* The last octet of the target decides. */
static void
fake_probe(struct tn_session *session, const struct tn_probe *probes, size_t n,
           unsigned timeout_ms, struct tn_probe_outcome *outcomes)
{
    (void) session;
    (void) timeout_ms;
    for (size_t i = 0; i < n; i++) {
        outcomes[i] =
            (struct tn_probe_outcome){.result = TN_PROBE_PASSED, .rtt_us = 7};
        if (probes[i].protocol == TN_PROBE_TCP) {
            outcomes[i].result = TN_PROBE_FAILED;
            strcpy(outcomes[i].reason, "refused");
        }
    }
}

static const struct tn_driver fake = {.name = "fake", .probe = fake_probe};
static const struct tn_driver mute = {.name = "mute"};

Test(probes, names_lead_to_ports_and_reports_come_back_in_order)
{
    static const struct {
        const char *name, *device, *why;
        enum tn_probe_protocol protocol;
    } rows[] = {
        {"icmp", "hv1", NULL, TN_PROBE_ICMP},
        {"tcp", "hv2", NULL, TN_PROBE_TCP},
        {"nobody", NULL, "there is no port acme/nobody", 0},
        {"nowhere", NULL, "there is no port acme/nobody", 0},
        {"family", NULL, "acme/six has no address of a family that", 0},
        {"tenant", NULL, "there is no port beta/w1", 0},
    };
    enum { N = TN_ARRAY_SIZE(rows) };
    struct tn_fixture f;
    const struct tn_probe_plan *plans = NULL;
    size_t n = 0;
    tn_fixture_init(&f);
    tn_fixture_add(&f, "tenet.yml", settings);
    tn_fixture_add(&f, "tenants/acme/tenant.yml",
                   V "kind: Tenant\nmetadata: {name: acme}\nspec: {}\n");
    tn_fixture_add(&f, "tenants/acme/probed.yml", intent);
    tn_fixture_compile(&f);
    cr_assert(f.network, "%s", tn_text_str(&f.findings));
    cr_assert_str_eq(tn_text_str(&f.findings), "");
    tn_probes_plan(f.network->settings, f.network, f.arena, &plans, &n);
    cr_assert_eq(n, N);
    for (size_t i = 0; i < n; i++) {
        cr_assert_str_eq(plans[i].name, rows[i].name);
        cr_assert(tn_streq(plans[i].device, rows[i].device), "%s %s",
                  rows[i].name, plans[i].why ? plans[i].why : "");
        cr_assert((plans[i].why == NULL) == (rows[i].why == NULL));
        cr_assert(!rows[i].why || strstr(plans[i].why, rows[i].why), "%s",
                  plans[i].why);
        if (rows[i].device) {
            cr_assert_eq(plans[i].probe.protocol, rows[i].protocol);
        }
    }
    cr_assert_eq(plans[1].probe.port, 443);

    struct tn_session *open = (struct tn_session *) &f;
    struct tn_probe_device devices[] = {{"hv1", &fake, open},
                                        {"hv2", &fake, open}};
    const struct tn_probe_report *r = NULL;
    tn_probes_run(plans, n, devices, 2, 100, f.arena, &r);
    cr_assert_eq(r[0].result, TN_PROBE_PASSED);
    cr_assert_eq(r[0].rtt_us, 7);
    cr_assert_null(r[0].reason);
    cr_assert_eq(r[1].result, TN_PROBE_FAILED);
    cr_assert_str_eq(r[1].reason, "refused");
    cr_assert_eq(r[2].result, TN_PROBE_IMPOSSIBLE);
    cr_assert(r[2].reason);
    /* Not reached, and a driver that cannot. */
    devices[0].session = NULL;
    devices[1].driver = &mute;
    tn_probes_run(plans, n, devices, 2, 100, f.arena, &r);
    cr_assert_str_eq(r[0].reason, "its device is not reached");
    cr_assert_str_eq(r[1].reason, "its driver cannot probe");
    tn_probes_run(plans, n, NULL, 0, 100, f.arena, &r);
    cr_assert_eq(r[0].result, TN_PROBE_IMPOSSIBLE);
    tn_fixture_done(&f);
}
