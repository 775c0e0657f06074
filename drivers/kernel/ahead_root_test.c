/* ahead_root_test.c - what is read ahead is used once, and never when late. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/kernel/kernel.h"
#include "drivers/kernel/kernel_lab.h"

enum { ALL_DIFFER = -1 };

/* One look at host 0: read ahead, damage done, then observed. */
struct look {
    bool applied; /* The network is there. */
    bool part;    /* Only acme/web is observed. */
    bool again;   /* Observed before the damage, too. */
    const char *damage;
    int differ; /* How many resources, at least. */
};

static const struct look looks[] = {
    {true, false, false, NULL, 0},
    {true, true, false, NULL, 0},
    {true, false, true, "ip -n hv1.tn.acme.web link del x-front", 1},
    {true, true, false, "ip -n hv1.tn.acme.web link del x-front", 1},
    {true, true, true, "ip -n hv1.tn.acme.web link del x-front", 1},
    {true, false, false, "ip netns del hv1.tn.acme.web", 1},
    {false, false, false, NULL, ALL_DIFFER},
    {false, false, true, NULL, ALL_DIFFER},
};

struct place {
    struct tn_arena *arena;
    const struct tn_device *device;
    const struct tn_state *want; /* All, or what acme/web has. */
    struct tn_session *session;
};

static void
want_set(struct place *p, bool part)
{
    struct tn_error err = {0};
    struct tn_diags diags;
    const struct tn_state *all = NULL;
    struct tn_state *want = tn_new(p->arena, struct tn_state);
    tn_diags_init(&diags, p->arena);
    cr_assert_eq(
        tn_driver_kernel.render(p->device, p->arena, &all, &diags, &err),
        TN_OK);
    struct tn_resource *items = tn_new_n(p->arena, struct tn_resource, all->n);
    for (size_t i = 0; i < all->n; i++) {
        if (!part || strcmp(all->items[i].scope, "acme/web") == 0) {
            items[want->n++] = all->items[i];
        }
    }
    want->device = all->device;
    want->items = items;
    p->want = want;
}

static int
differ(struct place *p, bool part)
{
    static const char *const names[] = {"acme/web"};
    struct tn_scope scope = {.names = part ? names : NULL, .n = part ? 1 : 0};
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    const struct tn_state *have = NULL;
    size_t n = 0;
    enum tn_code code = tn_driver_kernel.observe(p->session, &scope, p->want,
                                                 p->arena, &have, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    tn_k_lab_diff(p->arena, p->want, have, &n);
    return (int) n;
}

static void
look_at(const struct look *look)
{
    struct place p = {.arena = tn_arena_new()};
    struct tn_error err = {0};
    static const struct tn_driver_env env;
    p.device = tn_k_lab_device(p.arena, 0, NULL);
    if (look->applied) {
        cr_assert_eq(tn_k_lab_apply(p.device).code, TN_OK);
    }
    want_set(&p, look->part);
    cr_assert_eq(tn_driver_kernel.open(p.device, &env, &p.session, &err),
                 TN_OK);
    tn_driver_kernel.read_ahead(p.session);
    if (look->again) {
        differ(&p, look->part);
    }
    if (look->damage) {
        tn_k_lab_run("%s", look->damage);
    }
    int n = differ(&p, look->part);
    if (look->differ == ALL_DIFFER) {
        cr_expect_eq(n, (int) p.want->n);
    } else if (look->differ == 0) {
        cr_expect_eq(n, 0, "%d differ", n);
    } else {
        cr_expect_geq(n, look->differ, "after %s", look->damage);
    }
    tn_driver_kernel.close(p.session);
    tn_arena_free(p.arena);
}

Test(ahead, used_once)
{
    tn_k_lab_hosts();
    for (size_t i = TN_ARRAY_SIZE(looks); i-- > 0;) {
        look_at(&looks[i]);
    }
}

/* How many differ in acme/web, if it is said that 'key' changed. */
static int
differ_told(struct place *p, const char *key)
{
    static const char *const names[] = {"acme/web"};
    const char *const keys[] = {key};
    const struct tn_scope scope = {names, 1, keys, 1};
    struct tn_error err = {0};
    const struct tn_state *have = NULL;
    size_t n = 0;
    cr_assert_eq(tn_driver_kernel.observe(p->session, &scope, p->want, p->arena,
                                          &have, &err),
                 TN_OK);
    tn_k_lab_diff(p->arena, p->want, have, &n);
    return (int) n;
}

Test(ahead, settings_are_read_when_they_are_said_to_have_changed)
{
    tn_k_lab_hosts();
    struct place p = {.arena = tn_arena_new()};
    struct tn_error err = {0};
    static const struct tn_driver_env env;
    p.device = tn_k_lab_device(p.arena, 0, NULL);
    cr_assert_eq(tn_k_lab_apply(p.device).code, TN_OK);
    want_set(&p, true);
    cr_assert_eq(tn_driver_kernel.open(p.device, &env, &p.session, &err),
                 TN_OK);
    tn_k_lab_run("ip netns exec hv1.tn.acme.web "
                 "sysctl -q net.ipv4.ip_forward=0");
    cr_expect_eq(differ_told(&p, "acme/web/nft"), 1, "never read before");
    tn_k_lab_run("ip netns exec hv1.tn.acme.web "
                 "sysctl -q net.ipv4.ip_forward=1");
    cr_expect_eq(differ_told(&p, "acme/web/nft"), 0, "not as wanted before");
    tn_k_lab_run("ip netns exec hv1.tn.acme.web "
                 "sysctl -q net.ipv4.ip_forward=0");
    cr_expect_eq(differ_told(&p, "acme/web/netns"), 1, "said to have changed");
    cr_expect_eq(differ(&p, true), 1, "nothing is said");
    tn_driver_kernel.close(p.session);
    tn_arena_free(p.arena);
}

Test(ahead, closed_at_once)
{
    tn_k_lab_hosts();
    struct tn_arena *arena = tn_arena_new();
    const struct tn_device *device = tn_k_lab_device(arena, 0, NULL);
    static const struct tn_driver_env env;
    cr_assert_eq(tn_k_lab_apply(device).code, TN_OK);
    for (int i = 0; i < 20; i++) {
        struct tn_session *session = NULL;
        struct tn_error err = {0};
        cr_assert_eq(tn_driver_kernel.open(device, &env, &session, &err),
                     TN_OK);
        tn_driver_kernel.read_ahead(session);
        tn_driver_kernel.close(session);
    }
    tn_arena_free(arena);
}
