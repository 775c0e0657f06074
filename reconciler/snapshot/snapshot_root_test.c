/* snapshot_root_test.c - a plan from the snapshot of a kernel against one from
 * the kernel itself: byte for byte, for the same intent and for others, with
 * drift and without. */
#include "reconciler/snapshot/snapshot.h"

#include <criterion/criterion.h>
#include <string.h>

#include "drivers/kernel/kernel.h"
#include "drivers/kernel/kernel_lab.h"
#include "reconciler/plan/print.h"

static struct tn_arena *arena;

static const struct tn_state *
render(const struct tn_device *device)
{
    struct tn_diags diags;
    struct tn_error err = {0};
    const struct tn_state *want = NULL;
    tn_diags_init(&diags, arena);
    cr_assert_eq(tn_driver_kernel.render(device, arena, &want, &diags, &err),
                 TN_OK);
    return want;
}

static const struct tn_state *
observe(const struct tn_device *device, const struct tn_state *want)
{
    static const struct tn_scope everything;
    struct tn_driver_env env = {0};
    struct tn_session *session = NULL;
    struct tn_error err = {0};
    const struct tn_state *have = NULL;
    char text[TN_ERROR_TEXT];
    cr_assert_eq(tn_driver_kernel.open(device, &env, &session, &err), TN_OK);
    cr_assert_eq(tn_driver_kernel.observe(session, &everything, want, arena,
                                          &have, &err),
                 TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    tn_driver_kernel.close(session);
    return have;
}

static const char *
plan_json(const struct tn_state *last, const struct tn_state *want,
          const struct tn_state *have, size_t *n_changes)
{
    struct tn_plan_input in = {
        .device = "hv1",
        .driver = "kernel",
        .caps = tn_driver_kernel.caps,
        .last = last,
        .want = want,
        .have = have,
    };
    struct tn_print_options o = {.verbose = true};
    struct tn_error err = {0};
    struct tn_text t = {0};
    const struct tn_device_plan *plan = NULL;
    cr_assert_eq(tn_plan_device(arena, &in, &plan, &err), TN_OK);
    const struct tn_plan *all = tn_plan_build(arena, "", "lab", &plan, 1);
    tn_plan_print_text(&t, all, &o);
    tn_plan_print_json(&t, all, &o);
    *n_changes = plan->n_changes;
    const char *copy = tn_arena_strdup(arena, tn_text_str(&t));
    tn_text_done(&t);
    return copy;
}

static void
say_difference(const char *a, const char *b, size_t drift, size_t change)
{
    size_t i = 0;
    while (a[i] && a[i] == b[i]) {
        i++;
    }
    size_t from = i > 200 ? i - 200 : 0;
    cr_assert(strcmp(a, b) == 0,
              "drift %zu, change %zu:\nonline:  %.400s\noffline: %.400s", drift,
              change, a + from, b + from);
}

static const char *const drifts[] = {
    "true",
    "ip -n hv1.tn.acme.web link set b-front mtu 1300",
    "ip -n web1 addr del 10.1.0.11/24 dev eth0; "
    "ip -n hv1.tn.acme.web route add 10.9.9.0/24 dev b-front",
    "ip netns exec hv1.tn.acme.web nft flush table inet tenet || "
    "ip netns exec hv1.tn.acme.web nft flush ruleset",
    "ip -n hv1.tn.acme.web link add mine type veth peer name mine2",
    "ip netns del hv1.tn.corp.web",
};

static const struct tn_k_lab_change changes[] = {
    {0},
    {.without = "web2"},
    {.vni_more = 7},
    {.mtu = 1400, .mac_more = 1, .gateway_more = 1},
    {.unpeered = true, .moved = "db2"},
    {.empty = true},
};

/* A namespace of ports that has lost its VPC is reported by the driver only
 * when no port of it is wanted either: of this pair the device tells more. */
static bool
differs_by_nature(size_t drift, size_t change)
{
    return strstr(drifts[drift], "netns del") && changes[change].empty;
}

Test(snapshot_root, plans_are_byte_equal, .timeout = 240)
{
    size_t n_compared = 0, n_changes_seen = 0;
    tn_k_lab_hosts();
    for (size_t d = 0; d < TN_ARRAY_SIZE(drifts); d++) {
        arena = tn_arena_new();
        const struct tn_device *device = tn_k_lab_device(arena, 0, NULL);
        struct tn_k_lab_result r = tn_k_lab_apply(device);
        cr_assert_eq(r.code, TN_OK);
        cr_assert(tn_k_lab_runs("%s", drifts[d]), "%s", drifts[d]);
        const struct tn_state *last = render(device);
        struct tn_snapshot_meta meta = {
            .device = "hv1", .driver = "kernel", .observed = 1};
        struct tn_status_folder folder;
        struct tn_error err = {0};
        const struct tn_state *seen = observe(device, last);
        tn_snapshot_encode(arena, seen, last, &meta, NULL, &folder);
        for (size_t c = 0; c < TN_ARRAY_SIZE(changes); c++) {
            if (differs_by_nature(d, c)) {
                continue;
            }
            const struct tn_device *next =
                tn_k_lab_device(arena, 0, &changes[c]);
            const struct tn_state *want = render(next);
            struct tn_snapshot s;
            size_t n_online = 0, n_offline = 0;
            cr_assert_eq(tn_snapshot_decode(arena, folder.files, folder.n_files,
                                            &s, &err),
                         TN_OK);
            const char *online =
                plan_json(last, want, observe(next, want), &n_online);
            const char *offline = plan_json(last, want, s.state, &n_offline);
            say_difference(online, offline, d, c);
            n_compared++;
            n_changes_seen += n_online;
        }
        tn_arena_free(arena);
    }
    cr_assert(n_changes_seen > n_compared);
}
