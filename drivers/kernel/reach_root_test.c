/* reach_root_test.c - probes through a real network of two hosts. */
#include "drivers/kernel/reach.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "drivers/kernel/kernel.h"
#include "drivers/kernel/kernel_lab.h"

static const struct tn_device *
lab_up(struct tn_arena *arena)
{
    const struct tn_device *first = NULL;
    tn_k_lab_hosts();
    for (int host = 0; host < 2; host++) {
        const struct tn_device *d = tn_k_lab_device(arena, host, NULL);
        struct tn_k_lab_result r = tn_k_lab_apply(d);
        cr_assert_eq(r.code, TN_OK);
        first = first ? first : d;
    }
    return first;
}

static struct tn_probe
probe_from(const struct tn_device *device, const char *port, const char *to,
           uint16_t tcp)
{
    for (size_t v = 0; v < device->n_vpcs; v++) {
        const struct tn_net_vpc *vpc = device->vpcs[v];
        for (size_t s = 0; s < vpc->n_subnets; s++) {
            const struct tn_net_subnet *subnet = &vpc->subnets[s];
            for (size_t p = 0; p < subnet->n_ports; p++) {
                if (strcmp(subnet->ports[p].name, port) == 0) {
                    struct tn_probe probe = {
                        vpc, subnet,        &subnet->ports[p],
                        {0}, TN_PROBE_ICMP, tcp};
                    probe.protocol = tcp ? TN_PROBE_TCP : TN_PROBE_ICMP;
                    cr_assert(tn_addr_parse(to, &probe.to));
                    return probe;
                }
            }
        }
    }
    cr_assert(false, "no port %s", port);
    return (struct tn_probe){0};
}

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

Test(reach, who_answers_and_who_does_not)
{
    static const struct {
        const char *port, *to;
        uint16_t tcp;
        enum tn_probe_result result;
        const char *reason;
    } rows[] = {
        {"web1", "10.1.0.1", 0, TN_PROBE_PASSED, ""},  /* The gateway. */
        {"web1", "10.1.0.12", 0, TN_PROBE_PASSED, ""}, /* The other host. */
        {"web1", "fd00:1::c", 0, TN_PROBE_PASSED, ""}, /* IPv6. */
        {"web1", "10.1.1.11", 0, TN_PROBE_PASSED, ""}, /* Another subnet. */
        {"web1", "10.1.0.99", 0, TN_PROBE_FAILED, "no answer"},
        {"x1", "10.1.0.12", 0, TN_PROBE_FAILED, ""},   /* Another tenant. */
        {"web1", "10.1.0.12", 7, TN_PROBE_PASSED, ""}, /* Somebody listens. */
        {"web1", "10.1.0.12", 9, TN_PROBE_FAILED, "refused"},
        {"web1", "fd00:1::c", 7, TN_PROBE_PASSED, ""},
        {"db2", "fd00:1::c", 0, TN_PROBE_IMPOSSIBLE, "family"},
    };
    enum { N = TN_ARRAY_SIZE(rows), TIMEOUT_MS = 1500 };
    struct tn_arena *arena = tn_arena_new();
    const struct tn_device *device = lab_up(arena);
    struct tn_session *session = NULL;
    struct tn_error err = {0};
    struct tn_driver_env env = {0};
    struct tn_probe probes[N];
    struct tn_probe_outcome outcomes[N];
    tn_k_lab_run("ip netns exec web2 python3 -c \"import socket,time,os\n"
                 "s=socket.socket(socket.AF_INET6)\n"
                 "s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_V6ONLY,0)\n"
                 "s.bind(('::',7)); s.listen()\n"
                 "os.fork() and os._exit(0)\n"
                 "time.sleep(30)\" >/dev/null 2>&1");
    cr_assert_eq(tn_driver_kernel.open(device, &env, &session, &err), TN_OK);
    for (size_t i = 0; i < N; i++) {
        probes[i] = probe_from(device, rows[i].port, rows[i].to, rows[i].tcp);
    }
    double start = seconds();
    tn_driver_kernel.probe(session, probes, N, TIMEOUT_MS, outcomes);
    double took = seconds() - start;
    cr_assert(took < 2.5, "took %.3f s", took);
    for (size_t i = 0; i < N; i++) {
        cr_assert_eq(outcomes[i].result, rows[i].result, "row %zu: %d %s", i,
                     (int) outcomes[i].result, outcomes[i].reason);
        cr_assert(strstr(outcomes[i].reason, rows[i].reason), "row %zu: %s", i,
                  outcomes[i].reason);
        cr_assert((outcomes[i].rtt_us > 0) ==
                  (rows[i].result == TN_PROBE_PASSED));
    }
    /* All pass: no waiting for the deadline. */
    start = seconds();
    tn_driver_kernel.probe(session, probes, 4, 10000, outcomes);
    cr_assert(seconds() - start < 1.0);
    tn_driver_kernel.close(session);
    tn_arena_free(arena);
}

Test(reach, a_namespace_that_is_gone)
{
    struct tn_arena *arena = tn_arena_new();
    const struct tn_device *device = lab_up(arena);
    struct tn_session *session = NULL;
    struct tn_error err = {0};
    struct tn_driver_env env = {0};
    struct tn_probe_outcome outcome;
    struct tn_probe probe = probe_from(device, "web1", "10.1.0.1", 0);
    cr_assert_eq(tn_driver_kernel.open(device, &env, &session, &err), TN_OK);
    tn_k_lab_run("ip -n web1 link set eth0 down");
    tn_driver_kernel.probe(session, &probe, 1, 600, &outcome);
    cr_assert_eq(outcome.result, TN_PROBE_FAILED, "%s", outcome.reason);
    tn_k_lab_run("ip netns del web1");
    tn_driver_kernel.probe(session, &probe, 1, 600, &outcome);
    cr_assert_eq(outcome.result, TN_PROBE_IMPOSSIBLE);
    cr_assert(strstr(outcome.reason, "web1"), "%s", outcome.reason);
    tn_driver_kernel.close(session);
    tn_arena_free(arena);
}
