/* network.c - what is looked up in a network by name: see network.h. */
#include "model/compile/network.h"

#include <string.h>

const struct tn_net_vpc *
tn_network_vpc(const struct tn_network *network, const char *scope)
{
    size_t lo = 0, hi = network ? network->n_vpcs : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(network->vpcs[mid]->scope, scope);
        if (c == 0) {
            return network->vpcs[mid];
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

const struct tn_tenant_result *
tn_network_tenant(const struct tn_network *network, const char *name)
{
    size_t lo = 0, hi = network ? network->n_tenants : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(network->tenants[mid].name, name);
        if (c == 0) {
            return &network->tenants[mid];
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}
