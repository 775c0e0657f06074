/* kernel_lab.c - see kernel_lab.h. */
#include "drivers/kernel/kernel_lab.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include <criterion/criterion.h>

#include "drivers/kernel/kernel.h"

struct port_row {
    const char *name;
    int host;
    unsigned char octet;
};

struct subnet_row {
    const char *name;
    unsigned char third; /* 10.1.THIRD.0/24 */
    uint32_t vni;
    bool dual;
    struct port_row ports[3];
};

struct vpc_row {
    const char *tenant, *name;
    struct subnet_row subnets[3];
};

static const struct vpc_row rows[] = {
    {"acme", "lab", {{"net", 9, 5001, true, {{"lab1", 1, 11}}}}},
    {"acme",
     "web",
     {{"back", 1, 5002, false, {{"db1", 1, 11}, {"db2", 0, 12}}},
      {"front", 0, 5003, true, {{"web1", 0, 11}, {"web2", 1, 12}}}}},
    {"corp", "web", {{"front", 0, 5004, true, {{"x1", 0, 11}, {"x2", 1, 13}}}}},
};
enum { LAB, WEB, CORP, N_VPCS };

static const char path[] = "lab.yml";

/* Vanishes with the mount namespace. */
#define CACHE_DIR "/mnt"

static struct tn_addr
addr4(unsigned char third, unsigned char fourth)
{
    return (struct tn_addr){TN_AF_IPV4, {10, 1, third, fourth}};
}

static struct tn_addr
addr6(unsigned char third, unsigned char last)
{
    return (struct tn_addr){TN_AF_IPV6, {0xfd, 0, 0, 1, 0, third, [15] = last}};
}

static struct tn_host *
host_new(struct tn_arena *arena, const char *name, const char *underlay)
{
    struct tn_host *h = tn_new(arena, struct tn_host);
    h->raw.name = name;
    h->config.driver = "kernel";
    h->config.underlay_mtu = 1500;
    h->config.kernel_netns = name;
    cr_assert(tn_addr_parse(underlay, &h->config.underlay));
    struct tn_node *value = tn_new(arena, struct tn_node);
    value->at = (struct tn_pos){7, 27};
    struct tn_var *option = tn_new(arena, struct tn_var);
    *option = (struct tn_var){
        .name = "tenet_underlay_address", .value = value, .path = "lab.yml"};
    h->config.options = option;
    h->config.n_options = 1;
    return h;
}

struct lab {
    struct tn_arena *arena;
    const struct tn_k_lab_change *change;
    const struct tn_host *hosts[2];
    const struct tn_net_group *const *groups;
};

static void
fill_allowed(const struct lab *lab, struct tn_net_port *out)
{
    static const struct {
        const char *port;
        struct tn_cidr allowed[3];
    } all[] = {
        {"web1",
         {{{TN_AF_IPV4, {10, 1, 0, 100}}, 32},
          {{TN_AF_IPV4, {172, 21}}, 16},
          {{TN_AF_IPV6, {0xfd, 0, 0, 1, [15] = 100}}, 128}}},
        {"web2",
         {{{TN_AF_IPV4, {10, 1, 0, 100}}, 32},
          {{TN_AF_IPV4, {172, 21}}, 16},
          {{TN_AF_IPV6, {0xfd, 0, 0, 1, [15] = 100}}, 128}}},
        {"db1",
         {{{TN_AF_IPV4, {10, 1, 1, 100}}, 32}, {{TN_AF_IPV4, {172, 20}}, 16}}},
        {"lab1", {{{TN_AF_IPV4, {10, 1, 9, 64}}, 28}}},
    };
    for (size_t i = 0; lab->change->with_virtual && i < TN_ARRAY_SIZE(all);
         i++) {
        for (size_t k = 0; tn_streq(all[i].port, out->name) && k < 3; k++) {
            out->allowed = all[i].allowed;
            out->n_allowed += tn_addr_present(&all[i].allowed[k].addr);
        }
    }
}

static void
fill_port(const struct lab *lab, const struct subnet_row *row,
          const struct port_row *p, struct tn_net_port *out)
{
    bool moved = tn_streq(lab->change->moved, p->name);
    bool tap = tn_streq(lab->change->tap, p->name);
    out->name = p->name;
    out->host = lab->hosts[moved ? !p->host : p->host];
    out->mac =
        (struct tn_mac){{2, 0x74, 0x6e, row->third, (unsigned char) row->vni,
                         (unsigned char) (p->octet + lab->change->mac_more)}};
    out->address = addr4(row->third, p->octet);
    if (row->dual) {
        out->address6 = addr6(row->third, p->octet);
    }
    out->groups = lab->groups;
    out->n_groups = 1;
    out->netns = tap     ? NULL
                 : moved ? tn_arena_printf(lab->arena, "%s-moved", p->name)
                         : p->name;
    out->interface = tap ? "tap0" : "eth0";
    out->default_route = true;
    out->origin = (struct tn_origin){path, row->vni, p->octet};
    fill_allowed(lab, out);
}

static void
fill_subnet(const struct lab *lab, const struct subnet_row *row,
            struct tn_net_subnet *out)
{
    struct tn_net_port *ports = tn_new_n(lab->arena, struct tn_net_port, 3);
    out->name = row->name;
    out->vni = row->vni + lab->change->vni_more;
    out->mtu = lab->change->mtu ? lab->change->mtu : 1450;
    out->cidr = (struct tn_cidr){addr4(row->third, 0), 24};
    out->gateway = addr4(row->third, 1);
    if (row->dual) {
        out->cidr6 = (struct tn_cidr){addr6(row->third, 0), 64};
        out->gateway6 = addr6(row->third, 1);
    }
    out->gateway_mac = (struct tn_mac){
        {2, 0x74, 0x6e, 0xff, lab->change->gateway_more, row->third}};
    out->origin = (struct tn_origin){path, row->vni, 1};
    for (size_t i = 0; i < 3 && row->ports[i].name; i++) {
        if (!tn_streq(lab->change->without, row->ports[i].name)) {
            fill_port(lab, row, &row->ports[i], &ports[out->n_ports++]);
        }
    }
    out->ports = ports;
}

static void
fill_vpc(const struct lab *lab, const struct vpc_row *row,
         struct tn_net_vpc *out)
{
    struct tn_net_subnet *subnets =
        tn_new_n(lab->arena, struct tn_net_subnet, 3);
    out->scope = tn_arena_printf(lab->arena, "%s/%s", row->tenant, row->name);
    out->tenant = row->tenant;
    out->name = row->name;
    for (size_t i = 0; i < 3 && row->subnets[i].name; i++) {
        fill_subnet(lab, &row->subnets[i], &subnets[out->n_subnets++]);
    }
    out->subnets = subnets;
    out->groups = lab->groups[0];
    out->n_groups = 1;
    out->origin = (struct tn_origin){path, 1, 1};
}

static void
peer(const struct lab *lab, struct tn_net_vpc *vpc,
     const struct tn_net_vpc *other, bool first)
{
    struct tn_net_peering *p = tn_new(lab->arena, struct tn_net_peering);
    struct tn_cidr *all[2];
    const struct tn_net_vpc *both[2] = {vpc, other};
    size_t n[2] = {0, 0};
    for (int side = 0; side < 2; side++) {
        all[side] = tn_new_n(lab->arena, struct tn_cidr, 8);
        for (size_t i = 0; i < both[side]->n_subnets; i++) {
            const struct tn_net_subnet *s = &both[side]->subnets[i];
            all[side][n[side]++] = s->cidr;
            if (tn_addr_present(&s->cidr6.addr)) {
                all[side][n[side]++] = s->cidr6;
            }
        }
    }
    *p = (struct tn_net_peering){other, all[0],          n[0], all[1], n[1],
                                 first, {path, 2, first}};
    vpc->peerings = p;
    vpc->n_peerings = 1;
}

static const struct tn_net_group *const *
open_group(struct tn_arena *arena)
{
    static const struct tn_net_rule anything = {.direction = TN_INGRESS,
                                                .protocol = TN_PROTO_ANY};
    struct tn_net_group *g = tn_new(arena, struct tn_net_group);
    const struct tn_net_group **groups =
        tn_new_n(arena, const struct tn_net_group *, 1);
    g->name = "open";
    g->rules = &anything;
    g->n_rules = 1;
    groups[0] = g;
    return groups;
}

static struct tn_device *
device_new(struct tn_arena *arena, const struct tn_host *host)
{
    struct tn_device *d = tn_new(arena, struct tn_device);
    d->name = host->raw.name;
    d->host = host;
    d->instance = "lab";
    d->vxlan_port = 4789;
    return d;
}

static void
fill_routes(const struct lab *lab, struct tn_net_vpc *vpc)
{
    const struct {
        unsigned char to;
        struct tn_addr via;
        const struct tn_net_subnet *subnet;
    } all[] = {{16, addr4(1, 11), &vpc->subnets[0]},
               {20, addr4(1, 100), &vpc->subnets[0]},
               {21, addr4(0, 100), &vpc->subnets[1]}};
    struct tn_net_route *routes = tn_new_n(lab->arena, struct tn_net_route, 3);
    for (size_t i = 0; i < TN_ARRAY_SIZE(all); i++) {
        routes[i] = (struct tn_net_route){{{TN_AF_IPV4, {172, all[i].to}}, 16},
                                          all[i].via,
                                          all[i].subnet,
                                          {path, 3, 1}};
    }
    vpc->routes = routes;
    vpc->n_routes = lab->change->with_virtual ? TN_ARRAY_SIZE(all) : 1;
}

const struct tn_device *
tn_k_lab_device(struct tn_arena *arena, int host,
                const struct tn_k_lab_change *change)
{
    static const struct tn_k_lab_change none;
    struct lab lab = {.arena = arena, .change = change ? change : &none};
    const char *first = lab.change->underlay;
    lab.hosts[0] = host_new(arena, "hv1", first ? first : "192.0.2.1");
    lab.hosts[1] = host_new(arena, "hv2", "192.0.2.2");
    lab.groups = open_group(arena);
    struct tn_net_vpc *vpcs = tn_new_n(arena, struct tn_net_vpc, N_VPCS);
    const struct tn_net_vpc **list =
        tn_new_n(arena, const struct tn_net_vpc *, N_VPCS);
    for (size_t i = 0; i < N_VPCS; i++) {
        fill_vpc(&lab, &rows[i], &vpcs[i]);
        list[i] = &vpcs[i];
    }
    if (!lab.change->unpeered) {
        peer(&lab, &vpcs[LAB], &vpcs[WEB], true);
        peer(&lab, &vpcs[WEB], &vpcs[LAB], false);
    }
    fill_routes(&lab, &vpcs[WEB]);
    struct tn_device *d = device_new(arena, lab.hosts[host]);
    d->vpcs = list;
    d->n_vpcs = lab.change->empty ? 0 : N_VPCS;
    return d;
}

static int run_shell(const char *fmt, va_list ap) TN_PRINTF(1, 0);

static int
run_shell(const char *fmt, va_list ap)
{
    char command[2048];
    vsnprintf(command, sizeof command, fmt, ap);
    return system(command);
}

bool
tn_k_lab_runs(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = run_shell(fmt, ap);
    va_end(ap);
    return rc == 0;
}

void
tn_k_lab_run(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = run_shell(fmt, ap);
    va_end(ap);
    cr_assert(rc == 0, "failed: %s", fmt);
}

void
tn_k_lab_hosts(void)
{
    cr_assert(unshare(CLONE_NEWNS) == 0);
    cr_assert(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    mkdir("/run/netns", 0755);
    cr_assert(mount("tmpfs", "/run/netns", "tmpfs", 0, NULL) == 0);
    cr_assert(mount("tmpfs", CACHE_DIR, "tmpfs", 0, NULL) == 0);
    tn_k_lab_run("ip netns add fabric && ip netns add hv1 && ip netns add hv2");
    tn_k_lab_run("ip -n fabric link add sw type bridge && "
                 "ip -n fabric link set sw up");
    for (int i = 1; i <= 2; i++) {
        tn_k_lab_run("ip -n fabric link add t%d type veth peer name eth0 "
                     "netns hv%d && ip -n fabric link set t%d master sw up && "
                     "ip -n hv%d link set lo up && "
                     "ip -n hv%d addr add 192.0.2.%d/24 dev eth0 && "
                     "ip -n hv%d link set eth0 up",
                     i, i, i, i, i, i, i);
    }
}

static int
cmp_step(const void *pa, const void *pb)
{
    const struct tn_step *a = pa, *b = pb;
    const struct tn_resource *x = a->after ? a->after : a->before;
    const struct tn_resource *y = b->after ? b->after : b->before;
    bool deletes = a->op == TN_OP_DELETE;
    if (deletes != (b->op == TN_OP_DELETE)) {
        return deletes ? 1 : -1;
    }
    if (x->rank != y->rank) {
        return (x->rank < y->rank) == !deletes ? -1 : 1;
    }
    if (a->op != b->op) {
        return a->op < b->op ? -1 : 1;
    }
    return strcmp(x->key, y->key);
}

static enum tn_op
op_for(const struct tn_resource *before, const struct tn_resource *after)
{
    if (before->n_attrs != after->n_attrs && strcmp(before->kind, "nft") != 0) {
        return TN_OP_REPLACE;
    }
    for (size_t i = 0; i < after->n_attrs; i++) {
        const struct tn_attr *a = &after->attrs[i];
        const char *had = tn_resource_attr(before, a->name);
        if (a->change == TN_ATTR_REPLACE && !tn_streq(had, a->value)) {
            return TN_OP_REPLACE;
        }
    }
    return TN_OP_UPDATE;
}

const struct tn_step *
tn_k_lab_diff(struct tn_arena *arena, const struct tn_state *want,
              const struct tn_state *have, size_t *n)
{
    struct tn_step *steps =
        tn_new_n(arena, struct tn_step, want->n + have->n + 1);
    size_t i = 0, j = 0;
    *n = 0;
    while (i < want->n || j < have->n) {
        const struct tn_resource *w = i < want->n ? &want->items[i] : NULL;
        const struct tn_resource *h = j < have->n ? &have->items[j] : NULL;
        int c = !w ? 1 : !h ? -1 : strcmp(w->key, h->key);
        i += c <= 0;
        j += c >= 0;
        if (c < 0) {
            steps[(*n)++] = (struct tn_step){TN_OP_CREATE, NULL, w};
        } else if (c > 0 && h->owner == TN_OURS) {
            steps[(*n)++] = (struct tn_step){TN_OP_DELETE, h, NULL};
        } else if (c == 0 && h->owner == TN_OURS && !tn_resource_same(w, h)) {
            steps[(*n)++] = (struct tn_step){op_for(h, w), h, w};
        }
    }
    qsort(steps, *n, sizeof *steps, cmp_step);
    return steps;
}

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void
explain(const struct tn_step *steps, size_t n)
{
    static const char *const ops[] = {"create", "update", "replace", "delete"};
    for (size_t i = 0; i < n && i < 20; i++) {
        const struct tn_resource *b = steps[i].before, *a = steps[i].after;
        fprintf(stderr, "%s %s\n", ops[steps[i].op], (a ? a : b)->key);
        for (size_t k = 0; a && b && k < a->n_attrs; k++) {
            const char *had = tn_resource_attr(b, a->attrs[k].name);
            if (!tn_streq(had, a->attrs[k].value)) {
                fprintf(stderr, "    %s: %s -> %s\n", a->attrs[k].name,
                        had ? had : "(absent)", a->attrs[k].value);
            }
        }
    }
}

struct tn_k_lab_result
tn_k_lab_apply(const struct tn_device *device)
{
    const struct tn_driver *driver = &tn_driver_kernel;
    struct tn_k_lab_result result = {0};
    struct tn_error *err = &result.error;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_session *session = NULL;
    const struct tn_state *want = NULL, *have = NULL;
    struct tn_stage *stage = NULL;
    struct tn_driver_env env = {CACHE_DIR};
    struct tn_diags diags;
    char text[TN_ERROR_TEXT];
    size_t n = 0;
    tn_diags_init(&diags, arena);
    double t0 = now();
    result.code = driver->render(device, arena, &want, &diags, err);
    cr_assert(result.code == TN_OK && diags.n_errors == 0, "%s",
              tn_error_text(err, text, sizeof text));
    result.code = driver->open(device, &env, &session, err);
    cr_assert(result.code == TN_OK, "%s",
              tn_error_text(err, text, sizeof text));
    double t1 = now();
    result.code = driver->observe(session, NULL, want, arena, &have, err);
    double t2 = now();
    if (result.code != TN_OK) {
        driver->close(session);
        return result;
    }
    for (size_t i = 0; i < have->n; i++) {
        result.n_foreign += have->items[i].owner == TN_FOREIGN;
    }
    const struct tn_step *steps = tn_k_lab_diff(arena, want, have, &n);
    for (size_t i = 0; i < n; i++) {
        result.n[steps[i].op]++;
    }
    enum tn_outcome *outcomes = tn_new_n(arena, enum tn_outcome, n + 1);
    cr_assert(driver->stage(session, steps, n, &stage, err) == TN_OK);
    double t3 = now();
    result.code = driver->commit(stage, outcomes, &result.failed, err);
    double t4 = now();
    for (size_t i = 0; i < n; i++) {
        result.n_waiting += outcomes[i] == TN_STEP_WAITING;
    }
    if (result.code == TN_OK) {
        struct tn_error late = {0};
        result.code = driver->observe(session, NULL, want, arena, &have, &late);
        cr_assert(result.code == TN_OK, "%s",
                  tn_error_text(&late, text, sizeof text));
        double t5 = now();
        steps = tn_k_lab_diff(arena, want, have, &n);
        explain(steps, n);
        cr_assert(n == result.n_waiting, "%zu differences remain", n);
        result.seconds[3] = t5 - t4;
    }
    result.seconds[0] = t1 - t0;
    result.seconds[1] = t2 - t1;
    result.seconds[2] = t4 - t3;
    driver->close(session);
    return result;
}

static const struct tn_state *
part_of(struct tn_arena *arena, const struct tn_state *state,
        const struct tn_scope *scope)
{
    struct tn_resource *items = tn_new_n(arena, struct tn_resource, state->n);
    struct tn_state *part = tn_new(arena, struct tn_state);
    *part = (struct tn_state){state->device, items, 0};
    for (size_t i = 0; i < state->n; i++) {
        if (tn_texts_has(scope->names, scope->n, state->items[i].scope)) {
            items[part->n++] = state->items[i];
        }
    }
    return part;
}

struct tn_k_lab_result
tn_k_lab_heal(struct tn_session *session, const struct tn_device *device,
              const struct tn_scope *scope)
{
    const struct tn_driver *driver = &tn_driver_kernel;
    struct tn_k_lab_result result = {0};
    struct tn_error *err = &result.error;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_state *want = NULL, *have = NULL;
    struct tn_stage *stage = NULL;
    struct tn_diags diags;
    size_t n = 0;
    tn_diags_init(&diags, arena);
    cr_assert(driver->render(device, arena, &want, &diags, err) == TN_OK);
    result.code = driver->observe(session, scope, want, arena, &have, err);
    if (result.code != TN_OK) {
        return result;
    }
    const struct tn_step *steps = tn_k_lab_diff(
        arena, part_of(arena, want, scope), part_of(arena, have, scope), &n);
    for (size_t i = 0; i < n; i++) {
        result.n[steps[i].op]++;
    }
    enum tn_outcome *outcomes = tn_new_n(arena, enum tn_outcome, n + 1);
    cr_assert(driver->stage(session, steps, n, &stage, err) == TN_OK);
    result.code = driver->commit(stage, outcomes, &result.failed, err);
    return result;
}
