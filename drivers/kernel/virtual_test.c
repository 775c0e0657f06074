/* virtual_test.c - which addresses have a known holder, and which are sought.
 *
 * Subnet 10.0.0.0/24 and fd00::/64 with ports a, b and c: 10.0.0.11 and
 * fd00::11, 10.0.0.12, ... */
#include "drivers/kernel/virtual.h"

#include <string.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"

enum { N_PORTS = 3, N_ALLOWED = 3 };

static const struct row {
    const char *why;
    const char *allowed[N_PORTS][N_ALLOWED];
    const char *to, *via; /* A static route. */
    const char *found;
} rows[] = {
    {"nothing", {{NULL}}, NULL, NULL, ""},
    {"one may", {{"10.0.0.70/32"}}, NULL, NULL, "10.0.0.70=a"},
    {"both families",
     {{"10.0.0.70/32", "fd00::70/128"}},
     NULL,
     NULL,
     "10.0.0.70=a fd00::70=a"},
    {"two may",
     {{"10.0.0.70/32"}, {NULL}, {"10.0.0.70/32"}},
     NULL,
     NULL,
     "10.0.0.70/32? contested"},
    {"one may more", {{"10.0.0.64/28"}}, NULL, NULL, "10.0.0.64/28?"},
    {"inside of another's",
     {{"10.0.0.70/32", "10.0.0.8/32"}, {"10.0.0.64/28"}},
     NULL,
     NULL,
     "10.0.0.8=a 10.0.0.64/28? contested"},
    {"inside of one's own",
     {{"10.0.0.70/32", "10.0.0.64/28"}},
     NULL,
     NULL,
     "10.0.0.64/28?"},
    {"side by side",
     {{"10.0.0.64/28"}, {"10.0.0.80/28"}, {"10.0.0.96/32"}},
     NULL,
     NULL,
     "10.0.0.96=c 10.0.0.64/28? 10.0.0.80/28?"},
    {"somebody's own, and gateways",
     {{"10.0.0.12/32", "10.0.0.1/32", "fd00::1/128"}},
     NULL,
     NULL,
     ""},
    {"elsewhere", {{"10.0.1.70/32", "fd01::/64"}}, NULL, NULL, ""},
    {"anything", {{"0.0.0.0/0"}}, NULL, NULL, "10.0.0.0/24?"},
    {"anything beside one",
     {{"0.0.0.0/0"}, {"10.0.0.70/32"}},
     NULL,
     NULL,
     "10.0.0.0/24? contested"},
    {"a default route by one's own",
     {{"0.0.0.0/0"}, {"10.0.0.70/32"}},
     "0.0.0.0/0",
     "10.0.0.11",
     "10.0.0.70=b"},
    {"a default route by a virtual one",
     {{"0.0.0.0/0", "10.0.0.70/32"}, {"0.0.0.0/0", "10.0.0.70/32"}},
     "0.0.0.0/0",
     "10.0.0.70",
     "10.0.0.70/32? contested"},
    {"a default route by another",
     {{"0.0.0.0/0"}, {"10.0.0.70/32"}},
     "0.0.0.0/0",
     "10.0.0.12",
     "10.0.0.0/24? contested"},
};

static struct tn_cidr
cidr(const char *text)
{
    struct tn_cidr c;
    cr_assert(tn_cidr_parse(text, &c) == TN_CIDR_OK, "%s", text);
    return c;
}

static struct tn_addr
addr(const char *text)
{
    struct tn_addr a;
    cr_assert(tn_addr_parse(text, &a), "%s", text);
    return a;
}

static void
print(const struct tn_k_virtual *v, struct tn_text *out)
{
    char buf[TN_CIDR_TEXT];
    for (size_t i = 0; i < v->n_held; i++) {
        tn_text_addf(out, "%s%s=%s", out->n ? " " : "",
                     tn_addr_format(&v->held[i].addr, buf),
                     v->held[i].port->name);
    }
    for (size_t i = 0; i < v->n_sought; i++) {
        tn_text_addf(out, "%s%s?", out->n ? " " : "",
                     tn_cidr_format(&v->sought[i], buf));
    }
    tn_text_add(out, v->contested ? " contested" : "");
}

static void
find(struct tn_arena *arena, const struct row *row, struct tn_text *out)
{
    static const char *const names[] = {"a", "b", "c"};
    static const char *const own[] = {"10.0.0.11", "10.0.0.12", "10.0.0.13"};
    static const char *const own6[] = {"fd00::11", "fd00::12", "fd00::13"};
    struct tn_net_port ports[N_PORTS] = {{0}};
    struct tn_cidr allowed[N_PORTS][N_ALLOWED];
    for (size_t i = 0; i < N_PORTS; i++) {
        ports[i].name = names[i];
        ports[i].address = addr(own[i]);
        ports[i].address6 = addr(own6[i]);
        ports[i].allowed = allowed[i];
        for (size_t k = 0; k < N_ALLOWED && row->allowed[i][k]; k++) {
            allowed[i][ports[i].n_allowed++] = cidr(row->allowed[i][k]);
        }
    }
    const struct tn_net_subnet subnet = {.cidr = cidr("10.0.0.0/24"),
                                         .cidr6 = cidr("fd00::/64"),
                                         .gateway = addr("10.0.0.1"),
                                         .gateway6 = addr("fd00::1"),
                                         .ports = ports,
                                         .n_ports = N_PORTS};
    struct tn_net_route route = {.subnet = &subnet};
    struct tn_net_vpc vpc = {.subnets = &subnet, .n_subnets = 1};
    if (row->to) {
        route.to = cidr(row->to);
        route.via = addr(row->via);
        vpc.routes = &route;
        vpc.n_routes = 1;
    }
    struct tn_k_virtual found;
    tn_k_virtual_find(arena, &vpc, &subnet, &found);
    print(&found, out);
}

Test(virtual, rows)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
        find(arena, &rows[i], &text);
        cr_expect_str_eq(tn_text_str(&text), rows[i].found, "%s", rows[i].why);
    }
}
