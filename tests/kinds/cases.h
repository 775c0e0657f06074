/* cases.h - small documents, good and bad, with what must be said of them.
 *
 * Shared by the decoder's test and by the program that hands the same rows to
 * a JSON Schema validator.  '^' in 'yaml' is not part of the document: it
 * marks where the finding must stand. */
#ifndef TN_TESTS_KINDS_CASES_H
#define TN_TESTS_KINDS_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/text.h"
#include "model/yaml/node.h"

/* Whether JSON Schema can say what is wrong. */
enum tn_case_schema { SCHEMA_REFUSES, SCHEMA_SILENT };

struct tn_case {
    const char *yaml;
    const char *message; /* Part of it; null: the document is good. */
    const char *hint;    /* Part of it; null: none is asked for. */
    enum tn_case_schema schema;
};

extern const struct tn_case tn_bad_cases[];
extern const size_t tn_n_bad_cases;
extern const struct tn_case tn_good_cases[];
extern const size_t tn_n_good_cases;

/* The document without the mark, and where the mark was (line 0: none). */
struct tn_pos tn_case_yaml(const struct tn_case *c, struct tn_text *out);

#endif
