/* memory_test.c - faults, refusals, and files that are not ours.
 *
 * What the driver does right on a good day is the conformance suite's. */
#include "drivers/memory/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "drivers/memory/kind.h"
#include "model/base/cleanup.h"
#include "model/base/text.h"

enum { N_VARS = 6 };

/* A device made by hand, its options, and a file. */
struct rig {
    struct tn_arena *arena;
    struct tn_node nodes[N_VARS];
    struct tn_var vars[N_VARS];
    struct tn_host host;
    struct tn_device device;
    struct tn_session *session;
    char path[64];
};

static void
option_set(struct rig *r, const char *name, const char *value)
{
    size_t i = r->host.config.n_options++;
    r->nodes[i] = (struct tn_node){.type = TN_NODE_SCALAR,
                                   .scalar = {value, strlen(value)}};
    r->vars[i] = (struct tn_var){.name = name, .value = &r->nodes[i]};
}

static void
rig_init(struct rig *r)
{
    *r = (struct rig){.arena = tn_arena_new()};
    r->host.raw.name = "hv1";
    r->host.config.options = r->vars;
    r->device =
        (struct tn_device){.name = "hv1", .host = &r->host, .instance = "lab"};
    snprintf(r->path, sizeof r->path, "/tmp/tenet-memory-XXXXXX");
    int fd = mkstemp(r->path);
    cr_assert_geq(fd, 0);
    close(fd);
    unlink(r->path);
    option_set(r, "tenet_memory_path", r->path);
}

static void
rig_done(struct rig *r)
{
    char lock[80];
    tn_driver_memory.close(r->session);
    tn_arena_free(r->arena);
    snprintf(lock, sizeof lock, "%s.lock", r->path);
    unlink(lock);
    unlink(r->path);
}

static void
reopen(struct rig *r)
{
    struct tn_error err = {0};
    tn_driver_memory.close(r->session);
    r->session = NULL;
    cr_assert_eq(tn_driver_memory.open(&r->device, NULL, &r->session, &err),
                 TN_OK, "%s", err.text);
}

static const struct tn_state *
look(struct rig *r)
{
    const struct tn_state *s = NULL;
    struct tn_error err = {0};
    struct tn_scope all = {0};
    cr_assert_eq(
        tn_driver_memory.observe(r->session, &all, NULL, r->arena, &s, &err),
        TN_OK, "%s", err.text);
    return s;
}

static const struct tn_attr mtu_1500[] = {{"mtu", "1500", 0, false}};
static const struct tn_attr mtu_1400[] = {{"mtu", "1400", 0, false}};
static const struct tn_attr vni_7[] = {{"vni", "7", 1, false}};

static const struct tn_resource vpc = {.key = "a/b/vpc",
                                       .kind = "vpc",
                                       .name = "b",
                                       .scope = "a/b",
                                       .origin = {"v.yml", 3, 1}};
static const struct tn_resource one = {.key = "a/b/subnet/1",
                                       .kind = "subnet",
                                       .name = "1",
                                       .scope = "a/b",
                                       .parent = "a/b/vpc",
                                       .claim = "vni 7",
                                       .attrs = mtu_1500,
                                       .n_attrs = 1,
                                       .origin = {"s.yml", 9, 2}};
static const struct tn_resource one_less = {.key = "a/b/subnet/1",
                                            .kind = "subnet",
                                            .name = "1",
                                            .scope = "a/b",
                                            .parent = "a/b/vpc",
                                            .attrs = mtu_1400,
                                            .n_attrs = 1};
static const struct tn_resource one_vni = {.key = "a/b/subnet/1",
                                           .kind = "subnet",
                                           .name = "1",
                                           .scope = "a/b",
                                           .parent = "a/b/vpc",
                                           .attrs = vni_7,
                                           .n_attrs = 1};
static const struct tn_resource two = {.key = "a/b/subnet/2",
                                       .kind = "subnet",
                                       .name = "2",
                                       .scope = "a/b",
                                       .parent = "a/b/vpc",
                                       .claim = "vni 7"};

static const struct tn_step create[] = {{TN_OP_CREATE, NULL, &vpc},
                                        {TN_OP_CREATE, NULL, &one}};

/* How a commit ended, for one comparison: "ok", or class, step and text. */
static const char *
commit(struct rig *r, const struct tn_step *steps, size_t n)
{
    enum tn_outcome outcomes[8];
    size_t failed = 99;
    struct tn_stage *stage = NULL;
    struct tn_error err = {0};
    char why[TN_ERROR_TEXT];
    enum tn_code code =
        tn_driver_memory.stage(r->session, steps, n, &stage, &err);
    if (code == TN_OK) {
        code = tn_driver_memory.commit(stage, outcomes, &failed, &err);
    }
    return code ? tn_arena_printf(r->arena, "%s at %zu: %s", tn_code_name(code),
                                  failed, tn_error_text(&err, why, sizeof why))
                : "ok";
}

static const struct refusal {
    struct tn_step step; /* On a device that holds 'vpc' and 'one'. */
    const char *end;
} refusals[] = {
    {{TN_OP_CREATE, NULL, &two},
     "denied at 0: a/b/subnet/2: a/b/subnet/1 has vni 7 already"},
    {{TN_OP_CREATE, NULL, &one}, "ok"},
    {{TN_OP_CREATE, NULL, &one_less},
     "stale at 0: a/b/subnet/1: existence is not as observed"},
    {{TN_OP_UPDATE, &one, &one_less}, "ok"},
    {{TN_OP_UPDATE, &one_less, &one}, "ok"}, /* There already. */
    {{TN_OP_UPDATE, &one_less, &one_vni},
     "stale at 0: a/b/subnet/1: mtu is not as observed"},
    {{TN_OP_UPDATE, &one, &one_vni},
     "unsupported at 0: a/b/subnet/1: vni cannot change in place"},
    {{TN_OP_REPLACE, &one, &one_vni}, "ok"},
    {{TN_OP_UPDATE, &two, &two},
     "stale at 0: a/b/subnet/2: existence is not as observed"},
    {{TN_OP_DELETE, &one, NULL}, "ok"},
    {{TN_OP_DELETE, &two, NULL}, "ok"},
    {{TN_OP_DELETE, &one_less, NULL},
     "stale at 0: a/b/subnet/1: mtu is not as observed"},
    {{TN_OP_DELETE, &vpc, NULL}, "ok"},
};

Test(memory, refuses_what_a_device_would)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(refusals); i++) {
        struct rig r;
        rig_init(&r);
        reopen(&r);
        cr_assert_str_eq(commit(&r, create, 2), "ok");
        const char *end = commit(&r, &refusals[i].step, 1);
        const char *past_origin = strstr(end, "s.yml:9:2: ");
        TN_CLEANUP(tn_cleanup_text) struct tn_text plain = {0};
        tn_text_addn(&plain, end,
                     past_origin ? (size_t) (past_origin - end) : strlen(end));
        tn_text_add(&plain, past_origin ? past_origin + 11 : "");
        cr_assert_str_eq(tn_text_str(&plain), refusals[i].end);
        rig_done(&r);
    }
}

Test(memory, children_need_and_follow_their_parent)
{
    struct rig r;
    static const struct tn_step orphan = {TN_OP_CREATE, NULL, &one};
    static const struct tn_step gone = {TN_OP_DELETE, &vpc, NULL};
    rig_init(&r);
    reopen(&r);
    cr_assert_str_eq(commit(&r, &orphan, 1),
                     "stale at 0: s.yml:9:2: a/b/subnet/1: a/b/vpc is not "
                     "there");
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    cr_assert_str_eq(commit(&r, &gone, 1), "ok");
    cr_assert_eq(look(&r)->n, 0);
    /* Its claim is free again. */
    static const struct tn_step again[] = {{TN_OP_CREATE, NULL, &vpc},
                                           {TN_OP_CREATE, NULL, &two}};
    cr_assert_str_eq(commit(&r, again, 2), "ok");
    rig_done(&r);
}

static void
write_file(const struct rig *r, const char *text)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(r->path, "w");
    cr_assert(f && fputs(text, f) >= 0);
}

#define FILE_WITH(more, resources)                                             \
    "{\"format\": \"tenet-memory/1\", \"operations\": 0, " more                \
    "\"resources\": {" resources "}}"

Test(memory, leaves_what_is_foreign)
{
    static const struct tn_step steps[] = {
        {TN_OP_CREATE, NULL, &vpc},
        {TN_OP_DELETE, &vpc, NULL},
        {TN_OP_REPLACE, &vpc, &vpc},
        {TN_OP_UPDATE, &vpc, &vpc},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(steps); i++) {
        struct rig r;
        rig_init(&r);
        write_file(&r, FILE_WITH("", "\"a/b/vpc\": {\"kind\": \"vpc\", "
                                     "\"scope\": \"a/b\", \"owner\": \"x\", "
                                     "\"attrs\": {\"mtu\": \"9\"}}"));
        reopen(&r);
        cr_assert_str_eq(commit(&r, &steps[i], 1),
                         "denied at 0: v.yml:3:1: a/b/vpc is not ours");
        cr_assert_eq(look(&r)->items[0].owner, TN_FOREIGN);
        rig_done(&r);
    }
}

Test(memory, deletes_nothing_that_holds_what_is_foreign)
{
    struct rig r;
    static const struct tn_step gone = {TN_OP_DELETE, &vpc, NULL};
    rig_init(&r);
    write_file(&r, FILE_WITH("", "\"a/b/vpc\": {\"kind\": \"vpc\", \"scope\": "
                                 "\"a/b\", \"owner\": \"lab\"},"
                                 "\"m\": {\"kind\": \"x\", \"scope\": \"a/b\", "
                                 "\"owner\": \"lab\", \"parent\": \"a/b/vpc\"},"
                                 "\"z\": {\"kind\": \"x\", \"scope\": \"a/b\", "
                                 "\"owner\": \"by hand\", \"parent\": \"m\"}"));
    reopen(&r);
    cr_assert_str_eq(commit(&r, &gone, 1),
                     "denied at 0: v.yml:3:1: a/b/vpc holds z, not ours");
    cr_assert_eq(look(&r)->n, 3);
    rig_done(&r);
}

/* A circle of parents in a file written by hand must not hang. */
Test(memory, survives_a_circle_of_parents)
{
    struct rig r;
    static const struct tn_step gone = {TN_OP_DELETE, &vpc, NULL};
    rig_init(&r);
    write_file(&r, FILE_WITH("", "\"a/b/vpc\": {\"kind\": \"vpc\", \"scope\": "
                                 "\"a/b\", \"owner\": \"lab\", \"parent\": "
                                 "\"m\"},\"m\": {\"kind\": \"x\", \"scope\": "
                                 "\"a/b\", \"owner\": \"lab\", \"parent\": "
                                 "\"a/b/vpc\"}"));
    reopen(&r);
    cr_assert_str_eq(commit(&r, &gone, 1), "ok");
    cr_assert_eq(look(&r)->n, 0);
    rig_done(&r);
}

static const char *const not_ours[] = {
    "",
    "{}",
    "[]",
    "root:x:0:0:root:/root:/bin/bash\n",
    "{\"format\": \"tenet-memory/2\", \"resources\": {}}",
    "{\"format\": \"tenet-memory/1\", \"resources\": []}",
    FILE_WITH("", "\"a\": 3"),
    FILE_WITH("", "\"a\": {\"kind\": \"x\", \"scope\": \"s\"}"),
    FILE_WITH("", "\"a\": {\"kind\": \"x\", \"scope\": \"s\", \"owner\": "
                  "\"o\", \"attrs\": {\"mtu\": 3}}"),
    FILE_WITH("", "\"a\": {}, \"a\": {}"),
};

Test(memory, leaves_files_that_are_no_device)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(not_ours); i++) {
        struct rig r;
        struct tn_error err = {0};
        char back[512] = {0};
        rig_init(&r);
        write_file(&r, not_ours[i]);
        cr_assert_neq(tn_driver_memory.open(&r.device, NULL, &r.session, &err),
                      TN_OK, "row %zu", i);
        cr_assert_null(r.session);
        FILE *f = fopen(r.path, "r");
        size_t n = fread(back, 1, sizeof back - 1, f);
        fclose(f);
        cr_assert_eq(n, strlen(not_ours[i]));
        cr_assert_str_eq(back, not_ours[i]);
        rig_done(&r);
    }
}

Test(memory, without_a_file_a_device_lives_as_long_as_its_session)
{
    struct rig r;
    rig_init(&r);
    r.host.config.n_options = 0;
    reopen(&r);
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    cr_assert_eq(look(&r)->n, 2);
    reopen(&r);
    cr_assert_eq(look(&r)->n, 0);
    rig_done(&r);
}

Test(memory, sessions_share_the_file)
{
    struct rig r;
    rig_init(&r);
    reopen(&r);
    struct tn_session *first = TN_TAKE(r.session);
    reopen(&r);
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    struct tn_session *second = r.session;
    r.session = first;
    cr_assert_eq(look(&r)->n, 2);
    tn_driver_memory.close(second);
    rig_done(&r);
}

/* --- faults ----------------------------------------------------------------
 */

Test(memory, fails_once_at_the_nth_operation)
{
    struct rig r;
    rig_init(&r);
    option_set(&r, "tenet_memory_fail_at", "2");
    reopen(&r);
    cr_assert_str_eq(commit(&r, create, 2),
                     "unavailable at 1: s.yml:9:2: a/b/subnet/1: refused on "
                     "demand");
    cr_assert_eq(look(&r)->n, 1);
    reopen(&r);
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    cr_assert_eq(look(&r)->n, 2);
    rig_done(&r);
}

Test(memory, fails_as_often_as_the_file_says)
{
    struct rig r;
    rig_init(&r);
    write_file(&r, FILE_WITH("\"faults\": {\"fail_at\": 1, \"fail_count\": "
                             "2}, ",
                             ""));
    reopen(&r);
    for (int i = 0; i < 2; i++) {
        cr_assert_str_eq(commit(&r, create, 2),
                         "unavailable at 0: v.yml:3:1: a/b/vpc: refused on "
                         "demand");
    }
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    rig_done(&r);
}

/* The reply is lost after the operation took effect. */
Test(memory, drops_the_connection)
{
    struct rig r;
    struct tn_error err = {0};
    const struct tn_state *s = NULL;
    struct tn_scope all = {0};
    rig_init(&r);
    option_set(&r, "tenet_memory_drop_at", "1");
    reopen(&r);
    cr_assert_str_eq(commit(&r, create, 2),
                     "unavailable at 0: v.yml:3:1: hv1: connection lost");
    cr_assert_eq(
        tn_driver_memory.observe(r.session, &all, NULL, r.arena, &s, &err),
        TN_EUNAVAILABLE);
    cr_assert_str_eq(commit(&r, create, 2),
                     "unavailable at 99: hv1: connection lost");
    reopen(&r);
    cr_assert_eq(look(&r)->n, 1);
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    rig_done(&r);
}

Test(memory, interferes_once)
{
    struct rig r;
    static const struct tn_step update = {TN_OP_UPDATE, &one, &one_less};
    rig_init(&r);
    option_set(&r, "tenet_memory_interfere", "true");
    reopen(&r);
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    cr_assert_str_eq(commit(&r, &update, 1),
                     "stale at 0: a/b/subnet/1: by_hand is not as observed");
    const struct tn_state *s = look(&r);
    struct tn_step again = {TN_OP_UPDATE, tn_state_get(s, one.key), &one_less};
    cr_assert_str_eq(commit(&r, &again, 1), "ok");
    rig_done(&r);
}

Test(memory, interferes_where_the_file_says)
{
    struct rig r;
    rig_init(&r);
    write_file(&r, FILE_WITH("\"faults\": {\"interfere\": \"z\"}, ",
                             "\"z\": {\"kind\": \"x\", \"scope\": \"\", "
                             "\"owner\": \"o\", \"attrs\": {}}"));
    reopen(&r);
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    cr_assert_str_eq(tn_resource_attr(tn_state_get(look(&r), "z"), "by_hand"),
                     "yes");
    rig_done(&r);
}

Test(memory, atomic_is_all_or_nothing)
{
    struct rig r;
    rig_init(&r);
    option_set(&r, "tenet_memory_atomic", "yes");
    option_set(&r, "tenet_memory_fail_at", "2");
    reopen(&r);
    cr_assert_str_eq(commit(&r, create, 2),
                     "unavailable at 1: s.yml:9:2: a/b/subnet/1: refused on "
                     "demand");
    cr_assert_eq(look(&r)->n, 0);
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    cr_assert_eq(look(&r)->n, 2);
    rig_done(&r);
}

Test(memory, waits_before_a_commit)
{
    struct rig r;
    struct timespec a, b;
    rig_init(&r);
    option_set(&r, "tenet_memory_delay_ms", "60");
    reopen(&r);
    clock_gettime(CLOCK_MONOTONIC, &a);
    cr_assert_str_eq(commit(&r, create, 2), "ok");
    clock_gettime(CLOCK_MONOTONIC, &b);
    cr_assert_geq((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec,
                  60000000L);
    rig_done(&r);
}

/* Ten times the objects may not cost a hundred times as much. */
Test(memory, cost_grows_with_size)
{
    double cost[2] = {0};
    for (int k = 0; k < 2; k++) {
        struct rig r;
        size_t n = k ? 4000 : 400;
        rig_init(&r);
        reopen(&r);
        struct tn_resource *items = tn_new_n(r.arena, struct tn_resource, n);
        struct tn_step *steps = tn_new_n(r.arena, struct tn_step, n + 1);
        enum tn_outcome *outcomes = tn_new_n(r.arena, enum tn_outcome, n + 1);
        steps[0] = create[0];
        for (size_t i = 0; i < n; i++) {
            items[i] = two;
            items[i].key = tn_arena_printf(r.arena, "a/b/subnet/%zu", i);
            items[i].claim = items[i].key;
            steps[i + 1] = (struct tn_step){TN_OP_CREATE, NULL, &items[i]};
        }
        struct tn_stage *stage = NULL;
        struct tn_error err = {0};
        size_t failed = 0;
        clock_t start = clock();
        cr_assert_eq(
            tn_driver_memory.stage(r.session, steps, n + 1, &stage, &err),
            TN_OK);
        cr_assert_eq(tn_driver_memory.commit(stage, outcomes, &failed, &err),
                     TN_OK);
        static const struct tn_step gone = {TN_OP_DELETE, &vpc, NULL};
        cr_assert_str_eq(commit(&r, &gone, 1), "ok");
        cost[k] = (double) (clock() - start);
        rig_done(&r);
    }
    cr_assert_lt(cost[1], 40 * cost[0], "%f, %f", cost[0], cost[1]);
}

Test(memory, knows_its_kinds)
{
    cr_assert_null(tn_mem_kind_get("bridge"));
    const struct tn_mem_kind *subnet = tn_mem_kind_get("subnet");
    cr_assert_eq(tn_mem_attr_change(subnet, "vni"), TN_ATTR_REPLACE);
    cr_assert_eq(tn_mem_attr_change(subnet, "mtu"), TN_ATTR_UPDATE);
    cr_assert_eq(tn_mem_attr_change(NULL, "vni"), TN_ATTR_UPDATE);
}

Test(memory, dhcp_is_an_attribute)
{
    static const struct tn_addr servers[] = {
        {.family = TN_AF_IPV4, .b = {10, 0, 0, 53}},
        {.family = TN_AF_IPV4, .b = {10, 0, 0, 123}},
    };
    static const struct tn_net_dhcp dhcp = {
        .lease_time = 600,
        .dns_servers = &servers[0],
        .n_dns_servers = 1,
        .ntp_servers = &servers[1],
        .n_ntp_servers = 1,
        .domain = "x.org",
        .ra = TN_RA_NONE,
    };
    static const struct tn_net_subnet subnets[] = {
        {.name = "a", .vni = 1, .dhcp = &dhcp, .n_dhcp = 1},
        {.name = "b", .vni = 2},
    };
    static const struct tn_net_vpc served_vpc = {
        .scope = "t/v",
        .tenant = "t",
        .name = "v",
        .subnets = subnets,
        .n_subnets = 2,
    };
    static const struct tn_net_vpc *const vpcs[] = {&served_vpc};
    const struct tn_state *state = NULL;
    struct tn_error err = {0};
    struct tn_diags diags;
    struct rig r;
    rig_init(&r);
    tn_diags_init(&diags, r.arena);
    r.device.vpcs = vpcs;
    r.device.n_vpcs = 1;
    cr_assert_eq(
        tn_driver_memory.render(&r.device, r.arena, &state, &diags, &err),
        TN_OK);
    cr_assert_eq(state->n, 3);
    for (size_t i = 0; i < state->n; i++) {
        const char *text = tn_resource_attr(&state->items[i], "dhcp");
        bool served = strcmp(state->items[i].key, "t/v/subnet/a") == 0;
        cr_expect_eq(text != NULL, served, "%s", state->items[i].key);
        cr_expect(!text || strcmp(text, "lease 600, ra none, domain x.org, dns "
                                        "10.0.0.53, ntp 10.0.0.123") == 0,
                  "%s", text);
    }
    rig_done(&r);
}
