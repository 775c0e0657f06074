/* intent.h - the intent that drivers are tried with, in variants. */
#ifndef TN_TESTS_CONFORMANCE_INTENT_H
#define TN_TESTS_CONFORMANCE_INTENT_H

#include "model/compile/network.h"
#include "tests/conformance/conformance.h"

enum tn_variant {
    TN_V_BASE,
    TN_V_UPDATED,  /* A subnet's MTU and a rule: can change in place. */
    TN_V_REPLACED, /* A subnet's VNI: must be made again. */
    TN_V_SMALLER,  /* One port is gone. */
    TN_V_NOTHING,  /* The tenants have nothing. */
    TN_N_VARIANTS,
};

/* Compiles a variant as 'instance': new in 'arena'. */
const struct tn_network *tn_intent(struct tn_arena *arena,
                                   const struct tn_subject *subject,
                                   void *world, enum tn_variant variant,
                                   const char *instance);

#endif
