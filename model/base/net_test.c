/* net_test.c - addresses, prefixes, MACs: reading, printing, arithmetic. */
#include "model/base/net.h"

#include <string.h>

#include <criterion/criterion.h>

static const struct text_row {
    const char *in, *out; /* Null: refused. */
} addresses[] = {
    {"10.0.0.1", "10.0.0.1"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"::", "::"},
    {"::1", "::1"},
    {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"fe80::1", "fe80::1"},
    {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
    {"", NULL},
    {"10.0.0", NULL},
    {"10.0.0.256", NULL},
    {"010.0.0.1", NULL},
    {"10.0.0.1 ", NULL},
    {" 10.0.0.1", NULL},
    {"10.0.0.1.2", NULL},
    {"0x0a.0.0.1", NULL},
    {"10.1", NULL},
    {"1:2:3", NULL},
    {":::", NULL},
    {"1::2::3", NULL},
    {"12345::", NULL},
    {"fe80::1%eth0", NULL},
    {"[::1]", NULL},
};

Test(net, addresses)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(addresses); i++) {
        struct tn_addr a = {0};
        char buf[TN_ADDR_TEXT];
        bool ok = tn_addr_parse(addresses[i].in, &a);
        cr_assert_eq(ok, addresses[i].out != NULL, "%s", addresses[i].in);
        cr_assert_eq(tn_addr_present(&a), ok);
        if (ok) {
            cr_assert_str_eq(tn_addr_format(&a, buf), addresses[i].out);
        }
    }
}

static const struct cidr_row {
    const char *in;
    enum tn_cidr_error error;
    const char *out;
} cidrs[] = {
    {"10.0.0.0/8", TN_CIDR_OK, "10.0.0.0/8"},
    {"0.0.0.0/0", TN_CIDR_OK, "0.0.0.0/0"},
    {"10.0.0.1/32", TN_CIDR_OK, "10.0.0.1/32"},
    {"10.0.0.1/31", TN_CIDR_HOST_BITS, "10.0.0.0/31"},
    {"10.1.2.3/12", TN_CIDR_HOST_BITS, "10.0.0.0/12"},
    {"::/0", TN_CIDR_OK, "::/0"},
    {"fd00::/48", TN_CIDR_OK, "fd00::/48"},
    {"fd00::1/127", TN_CIDR_HOST_BITS, "fd00::/127"},
    {"fd00::1/128", TN_CIDR_OK, "fd00::1/128"},
    {"10.0.0.0", TN_CIDR_SYNTAX, NULL},
    {"10.0.0.0/", TN_CIDR_SYNTAX, NULL},
    {"10.0.0.0/33", TN_CIDR_SYNTAX, NULL},
    {"10.0.0.0/08", TN_CIDR_SYNTAX, NULL},
    {"10.0.0.0/8 ", TN_CIDR_SYNTAX, NULL},
    {"10.0.0.0/+8", TN_CIDR_SYNTAX, NULL},
    {"10.0.0.0/-8", TN_CIDR_SYNTAX, NULL},
    {"10.0.0.0/8/8", TN_CIDR_SYNTAX, NULL},
    {"10.0.0.0/255.0.0.0", TN_CIDR_SYNTAX, NULL},
    {"/8", TN_CIDR_SYNTAX, NULL},
    {"::/129", TN_CIDR_SYNTAX, NULL},
    {"::/99999999999", TN_CIDR_SYNTAX, NULL},
    {"0000000000000000000000000000000000000000000000000000000000::/8",
     TN_CIDR_SYNTAX, NULL},
};

Test(net, prefixes)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(cidrs); i++) {
        struct tn_cidr c = {0};
        char buf[TN_CIDR_TEXT];
        cr_assert_eq(tn_cidr_parse(cidrs[i].in, &c), cidrs[i].error, "%s",
                     cidrs[i].in);
        cr_assert_str_eq(tn_cidr_format(&c, buf),
                         cidrs[i].out ? cidrs[i].out : "");
    }
}

static struct tn_cidr
cidr(const char *s)
{
    struct tn_cidr c = {0};
    cr_assert_eq(tn_cidr_parse(s, &c), TN_CIDR_OK, "%s", s);
    return c;
}

static struct tn_addr
addr(const char *s)
{
    struct tn_addr a = {0};
    cr_assert(tn_addr_parse(s, &a), "%s", s);
    return a;
}

static const struct relation {
    const char *a, *b;
    bool within, overlap;
} relations[] = {
    {"10.0.0.0/8", "10.0.0.0/8", true, true},
    {"10.1.0.0/16", "10.0.0.0/8", true, true},
    {"10.0.0.0/8", "10.1.0.0/16", false, true},
    {"10.0.0.0/9", "10.128.0.0/9", false, false},
    {"10.0.0.0/8", "0.0.0.0/0", true, true},
    {"::/0", "0.0.0.0/0", false, false},
    {"fd00::/48", "fd00::/47", true, true},
    {"fd00:0:1::/48", "fd00:0:2::/47", false, false},
    {"10.0.0.4/30", "10.0.0.0/29", true, true},
    {"10.0.0.8/30", "10.0.0.0/29", false, false},
};

Test(net, relations_of_prefixes)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(relations); i++) {
        struct tn_cidr a = cidr(relations[i].a), b = cidr(relations[i].b);
        cr_assert_eq(tn_cidr_within(&a, &b), relations[i].within, "row %zu", i);
        cr_assert_eq(tn_cidr_overlap(&a, &b), relations[i].overlap, "row %zu",
                     i);
        cr_assert_eq(tn_cidr_overlap(&b, &a), relations[i].overlap, "row %zu",
                     i);
    }
    struct tn_cidr none = {0}, all = cidr("::/0");
    struct tn_addr nobody = {0};
    cr_assert(!tn_cidr_overlap(&none, &none), "absent prefixes do not meet");
    cr_assert(!tn_cidr_overlap(&none, &all));
    cr_assert(!tn_cidr_contains(&none, &nobody));
}

static const struct extent {
    const char *cidr, *last;
    uint64_t count;
} extents[] = {
    {"10.0.0.0/24", "10.0.0.255", 256},
    {"10.0.0.0/32", "10.0.0.0", 1},
    {"10.0.0.0/31", "10.0.0.1", 2},
    {"10.0.0.0/22", "10.0.3.255", 1024},
    {"0.0.0.0/0", "255.255.255.255", (uint64_t) 1 << 32},
    {"fd00::/64", "fd00::ffff:ffff:ffff:ffff", UINT64_MAX},
    {"fd00::/65", "fd00::7fff:ffff:ffff:ffff", (uint64_t) 1 << 63},
    {"fd00::/126", "fd00::3", 4},
    {"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UINT64_MAX},
};

Test(net, extent_of_prefixes)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(extents); i++) {
        struct tn_cidr c = cidr(extents[i].cidr);
        struct tn_addr last = tn_cidr_last(&c);
        char buf[TN_ADDR_TEXT];
        cr_assert_str_eq(tn_addr_format(&last, buf), extents[i].last);
        cr_assert_eq(tn_cidr_count(&c), extents[i].count);
        cr_assert(tn_cidr_contains(&c, &last) && tn_cidr_contains(&c, &c.addr));
    }
}

static const struct sum {
    const char *a;
    uint64_t offset;
    const char *out; /* Null: past the end. */
} sums[] = {
    {"10.0.0.0", 0, "10.0.0.0"},
    {"10.0.0.255", 1, "10.0.1.0"},
    {"10.0.0.0", 0x10203, "10.1.2.3"},
    {"255.255.255.255", 1, NULL},
    {"0.0.0.0", 0xffffffff, "255.255.255.255"},
    {"0.0.0.0", (uint64_t) 1 << 32, NULL},
    {"0.0.0.1", UINT64_MAX, NULL},
    {"::", UINT64_MAX, "::ffff:ffff:ffff:ffff"},
    {"::1", UINT64_MAX, "0:0:0:1::"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, NULL},
};

Test(net, addition)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(sums); i++) {
        struct tn_addr a = addr(sums[i].a), out = {0};
        char buf[TN_ADDR_TEXT];
        cr_assert_eq(tn_addr_add(&a, sums[i].offset, &out), sums[i].out != NULL,
                     "row %zu", i);
        cr_assert_str_eq(tn_addr_format(&out, buf),
                         sums[i].out ? sums[i].out : "");
    }
}

Test(net, order)
{
    static const char *const sorted[] = {
        "0.0.0.0/0",  "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24",
        "11.0.0.0/8", "::/0",       "fd00::/16",   "fd00::/48"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(sorted); i++) {
        for (size_t k = 0; k < TN_ARRAY_SIZE(sorted); k++) {
            struct tn_cidr a = cidr(sorted[i]), b = cidr(sorted[k]);
            int c = tn_cidr_cmp(&a, &b);
            cr_assert_eq((c > 0) - (c < 0), (i > k) - (i < k));
        }
    }
}

Test(net, kinds_of_addresses)
{
    struct tn_addr v4 = addr("224.0.0.1"), v6 = addr("ff02::1"),
                   edge = addr("239.255.255.255"), no4 = addr("240.0.0.1"),
                   no6 = addr("fe80::1");
    cr_assert(tn_addr_is_multicast(&v4) && tn_addr_is_multicast(&v6) &&
              tn_addr_is_multicast(&edge));
    cr_assert(!tn_addr_is_multicast(&no4) && !tn_addr_is_multicast(&no6));
    struct tn_cidr host4 = tn_cidr_of_addr(&v4), host6 = tn_cidr_of_addr(&v6);
    cr_assert_eq(host4.len, 32);
    cr_assert_eq(host6.len, 128);
    cr_assert_eq(tn_addr_size(&v4), 4);
    cr_assert_eq(tn_addr_bits(&v6), 128);
}

static const struct text_row macs[] = {
    {"02:74:6e:00:00:01", "02:74:6e:00:00:01"},
    {"FF:Ff:fF:ff:ff:ff", "ff:ff:ff:ff:ff:ff"},
    {"02-74-6e-00-00-01", NULL},
    {"02:74:6e:00:00", NULL},
    {"02:74:6e:00:00:01:02", NULL},
    {"02:74:6e:00:00:0g", NULL},
    {"2:74:6e:00:00:001", NULL},
    {"0274.6e00.0001", NULL},
    {"", NULL},
};

Test(net, macs)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(macs); i++) {
        struct tn_mac m = {0};
        char buf[TN_MAC_TEXT];
        cr_assert_eq(tn_mac_parse(macs[i].in, &m), macs[i].out != NULL, "%s",
                     macs[i].in);
        cr_assert_str_eq(tn_mac_format(&m, buf),
                         macs[i].out ? macs[i].out : "00:00:00:00:00:00");
        cr_assert_eq(tn_mac_is_zero(&m), macs[i].out == NULL);
    }
    struct tn_mac group = {{1, 0, 0x5e, 0, 0, 1}}, own = {{2, 0, 0, 0, 0, 1}};
    cr_assert(tn_mac_is_multicast(&group) && !tn_mac_is_multicast(&own));
    cr_assert_lt(tn_mac_cmp(&group, &own), 0);
}
