/* kernel_lab.h - for tests of the driver: a small network, and hosts for it.
 *
 * The network has three VPCs: acme/web (subnets front, dual-stack, and back),
 * acme/lab, peered with it, and corp/web, which has the same addresses.
 *
 *     host   acme/web front  back    acme/lab net   corp/web front
 *     hv1    web1            db2                    x1
 *     hv2    web2            db1     lab1           x2
 *
 * Every port allows everything in.  Guests are namespaces of the ports' names;
 * a port's last octet is in kernel_lab.c. */
#ifndef TN_KERNEL_LAB_H
#define TN_KERNEL_LAB_H

#include "drivers/driver.h"

/* What to build instead; all zero: as above. */
struct tn_k_lab_change {
    const char *without;        /* A port to leave out... */
    const char *moved;          /* ... or to put on the other host. */
    const char *tap;            /* A port to be the interface "tap0". */
    uint32_t vni_more;          /* Added to every VNI. */
    uint32_t mtu;               /* Of all subnets; 0: 1450. */
    unsigned char mac_more;     /* Added to the last octet of ports' MACs. */
    unsigned char gateway_more; /* The same of gateways. */
    bool unpeered;              /* Without the peering. */
    bool with_virtual;          /* 10.1.0.100 and fd00:1::64 of web1 and web2,
                                   10.1.1.100 of db1 alone; 172.21.0.0/16 and
                                   172.20.0.0/16 behind them;
                                   10.1.9.64/28 of lab1. */
    bool empty;                 /* Hosts without any VPC. */
    const char *underlay;       /* Address of host 0; null: 192.0.2.1. */
};

/* Host 0 or 1; new in 'arena'. */
const struct tn_device *tn_k_lab_device(struct tn_arena *arena, int host,
                                        const struct tn_k_lab_change *change);

/* Makes namespaces hv1 and hv2, joined by an underlay, in a mount namespace of
 * this process: they vanish with it.  Root only. */
void tn_k_lab_hosts(void);

/* Runs a shell command; true if it succeeded. */
bool tn_k_lab_runs(const char *fmt, ...) TN_PRINTF(1, 2);
/* It must succeed. */
void tn_k_lab_run(const char *fmt, ...) TN_PRINTF(1, 2);

/* What an apply did, by operation. */
struct tn_k_lab_result {
    enum tn_code code;
    size_t n[4]; /* By enum tn_op. */
    size_t n_foreign, n_waiting, failed;
    struct tn_error error;
    double seconds[4]; /* Render, observe, commit, observe again. */
};

/* Renders, observes, diffs and commits; then observes again and asserts that
 * nothing differs but the steps that wait, unless the commit failed. */
struct tn_k_lab_result tn_k_lab_apply(const struct tn_device *device);

/* Observes those scopes only in a session that has observed everything, as is
 * done when events have told 'keys', and commits what differs.  Nothing is
 * asserted; 'n' is set. */
struct tn_k_lab_result tn_k_lab_heal(struct tn_session *session,
                                     const struct tn_device *device,
                                     const struct tn_scope *scope);

/* The steps that lead from 'have' to 'want', in the order of the driver's
 * contract; new in 'arena'. */
const struct tn_step *tn_k_lab_diff(struct tn_arena *arena,
                                    const struct tn_state *want,
                                    const struct tn_state *have, size_t *n);

#endif
