/* kind.h - what the memory driver knows of its kinds.  Private to it. */
#ifndef TN_MEMORY_KIND_H
#define TN_MEMORY_KIND_H

#include <stdint.h>

#include "drivers/resource.h"

/* A kind's fixed properties. */
struct tn_mem_kind {
    const char *name;
    uint16_t rank;
    const char *const *replaced; /* Attributes that cannot change in place;
                                    ends with null. */
};

/* Null if it is none of ours. */
const struct tn_mem_kind *tn_mem_kind_get(const char *name);

/* How 'attr' of that kind changes; 'kind' may be null. */
enum tn_attr_change tn_mem_attr_change(const struct tn_mem_kind *kind,
                                       const char *attr);

#endif
