/* scan.h - the judgement of raw bytes, before libyaml sees them.
 *
 * Private to model/yaml. */
#ifndef TN_YAML_SCAN_H
#define TN_YAML_SCAN_H

#include "model/yaml/node.h"

/* No limit on depth is ever larger than this. */
enum { TN_YAML_DEPTH_MAX = 256, TN_YAML_DIRECTIVES_MAX = 16 };

/* Why a file is refused, and where. */
struct tn_yaml_fault {
    struct tn_pos at;
    char message[120];
    const char *hint; /* Static text; null if none. */
};

/* What the scan saw of a file that it accepts. */
struct tn_yaml_shape {
    size_t depth;      /* Deepest nesting of indented and flow collections. */
    size_t directives; /* Lines that begin with '%'. */
};

/* True if the bytes may go to libyaml: not too large, UTF-8 without byte
 * order mark, no character that hides text from a reader (controls, line
 * breaks that only YAML knows, bidirectional overrides), and collections
 * nested no deeper than 'limits->depth'.  The cost is linear in 'n'.  'shape'
 * may be null. */
bool tn_yaml_scan(const char *bytes, size_t n,
                  const struct tn_yaml_limits *limits,
                  struct tn_yaml_shape *shape,
                  struct tn_yaml_fault *fault) TN_MUST_USE;

#endif
