/* probe_test.c - what is told when a kernel lacks something. */
#include "drivers/kernel/probe.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct {
    unsigned missing;
    const char *says, *also;
} rows[] = {
    {TN_K_CAN_FILTER_BRIDGED, "load the module br_netfilter", "security"},
    {TN_K_CAN_BRIDGE, "lacks bridges (module bridge)", ""},
    {TN_K_CAN_VXLAN, "module vxlan", ""},
    {TN_K_CAN_VETH, "module veth", ""},
    {TN_K_CAN_NFT_INET, "family inet", "nf_tables"},
    {TN_K_CAN_NFT_BRIDGE, "family bridge", "CONFIG_NF_TABLES_BRIDGE"},
    {TN_K_CAN_CONNTRACK, "connection tracking", "nft_ct"},
    {TN_K_CAN_ALL, "br_netfilter", "nft_ct"},
};

Test(probe, all_that_is_missing_is_named)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_error err = {0};
        cr_expect(tn_k_probe_verdict(rows[i].missing, &err) == TN_EUNSUPPORTED);
        cr_expect(strstr(err.text, rows[i].says) &&
                      strstr(err.text, rows[i].also),
                  "%zu: %s", i, err.text);
    }
    cr_expect(tn_k_probe_verdict(0, NULL) == TN_OK);
}
