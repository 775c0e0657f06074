/* parameters.h - is a policy's rule complete?
 *
 * Private to reconciler/policy. */
#ifndef TN_POLICY_PARAMETERS_H
#define TN_POLICY_PARAMETERS_H

#include "model/kinds/field.h"

/* Adds what is wrong with a policy whose 'use' is settled. */
void tn_policy_parameters_check(const struct tn_check *check,
                                const struct tn_policy *policy);

#endif
