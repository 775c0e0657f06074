/* content.h - what a document says, however it is written. */
#ifndef TN_POLICY_CONTENT_H
#define TN_POLICY_CONTENT_H

#include "model/base/digest.h"
#include "model/yaml/node.h"

/* Equal for trees that say the same: comments, places, the order of keys,
 * quotes and styles do not count; the order of lists does, and null is no
 * text. */
struct tn_digest tn_content_digest(const struct tn_node *node);

#endif
