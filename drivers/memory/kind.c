/* kind.c - see kind.h.  Ranks follow the dependencies of render.c: whatever a
 * resource needs has a lower one. */
#include "drivers/memory/kind.h"

#include <string.h>

#include "model/base/attr.h"

static const char *const none[] = {NULL};
static const char *const of_vpc[] = {"encapsulation", NULL};
static const char *const of_subnet[] = {"cidr", "cidr6", "vni", NULL};
static const char *const of_port[] = {"interface", "netns", "subnet", NULL};

static const struct tn_mem_kind kinds[] = {
    {"vpc", 10, of_vpc},   {"group", 20, none}, {"subnet", 30, of_subnet},
    {"port", 40, of_port}, {"route", 50, none}, {"peering", 60, none},
};

const struct tn_mem_kind *
tn_mem_kind_get(const char *name)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

enum tn_attr_change
tn_mem_attr_change(const struct tn_mem_kind *kind, const char *attr)
{
    for (size_t i = 0; kind && kind->replaced[i]; i++) {
        if (strcmp(kind->replaced[i], attr) == 0) {
            return TN_ATTR_REPLACE;
        }
    }
    return TN_ATTR_UPDATE;
}
