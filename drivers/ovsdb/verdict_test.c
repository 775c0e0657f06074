/* verdict_test.c - answers as servers give them (recorded), and nonsense. */
#include "drivers/ovsdb/verdict.h"

#include <criterion/criterion.h>

struct row {
    size_t n_ops;
    const char *result, *error;
    enum tn_ovsdb_verdict verdict;
    enum tn_code code;
    size_t op;
    bool nonsense;
    const char *says;
};

static const struct row rows[] = {
    {0, "[]", NULL, TN_TXN_DONE, TN_OK, 0, false, ""},
    {2, "[{\"uuid\":[\"uuid\",\"2e81feb6-f005-4684-840e-79c14fbba990\"]},{}]",
     NULL, TN_TXN_DONE, TN_OK, 0, false, ""},
    {2,
     "[{\"details\":\"\\\"where\\\" clause test failed\","
     "\"error\":\"timed out\"},null]",
     NULL, TN_TXN_RAN_INTO, TN_ESTALE, 0, false,
     "timed out: \"where\" clause test failed"},
    {1, "[{\"details\":\"aborted by request\",\"error\":\"aborted\"}]", NULL,
     TN_TXN_RAN_INTO, TN_ESTALE, 0, false, "aborted: aborted by request"},
    {2,
     "[{},{\"details\":\"Asserted lock x not held.\","
     "\"error\":\"not owner\"}]",
     NULL, TN_TXN_RAN_INTO, TN_ESTALE, 1, false,
     "not owner: Asserted lock x not held."},
    /* It could not be committed: one element more. */
    {2, "[{},{},{\"error\":\"constraint violation\",\"details\":\"twice\"}]",
     NULL, TN_TXN_REFUSED, TN_EDENIED, 2, false, "constraint violation: twice"},
    {1, "[{},{\"error\":\"referential integrity violation\"}]", NULL,
     TN_TXN_REFUSED, TN_ESTALE, 1, false, "referential integrity violation"},
    {1,
     "[{\"syntax\":\"{\\\"op\\\":\\\"frob\\\"}\",\"details\":\"No op\","
     "\"error\":\"syntax error\"}]",
     NULL, TN_TXN_REFUSED, TN_EUNSUPPORTED, 0, false,
     "syntax error: No op: {\"op\":\"frob\"}"},
    {1, "[{\"error\":\"permission error\"}]", NULL, TN_TXN_REFUSED, TN_EDENIED,
     0, false, "permission error"},
    {1, "[{},{\"error\":\"I/O error\"}]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE,
     1, false, "I/O error"},
    {1, "[{\"error\":\"what nobody knows\"}]", NULL, TN_TXN_UNKNOWN,
     TN_EUNAVAILABLE, 0, false, "what nobody knows"},
    {1, "[{\"error\":7}]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, false,
     "an error without a name"},
    /* Of the request as a whole. */
    {1, NULL, "\"canceled\"", TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, false,
     "canceled"},
    {1, NULL, "{\"error\":\"not leader\"}", TN_TXN_REFUSED, TN_EUNAVAILABLE, 0,
     false, "not leader"},
    {1, NULL, "{\"error\":\"unknown database\",\"details\":\"no Nope\"}",
     TN_TXN_REFUSED, TN_EUNAVAILABLE, 0, false, "unknown database: no Nope"},
    {1, NULL, "{\"error\":\"cluster error\"}", TN_TXN_UNKNOWN, TN_EUNAVAILABLE,
     0, false, "cluster error"},
    {1, NULL, "[]", TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, false,
     "an error without a name"},
    {1, NULL, NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, false,
     "the connection was lost before the answer"},
    /* No answer at all. */
    {1, "[]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
    {1, "[{},{}]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
    {1, "[{},{},{\"error\":\"aborted\"}]", NULL, TN_TXN_UNKNOWN,
     TN_EUNAVAILABLE, 0, true, NULL},
    {2, "[{},null]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
    {1, "{}", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
    {1, "[3]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
    {1, "[{}", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
    {1, "[{}]]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
    {1, "[{},]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
    {1, "[{\"uuid\":[\"uuid\",\"x\"]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0,
     true, NULL},
    {1, "[{\"uuid\":[\"uuid\"]}}]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0,
     true, NULL},
    {2, "[{} {}]", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
    {0, "\"yes\"", NULL, TN_TXN_UNKNOWN, TN_EUNAVAILABLE, 0, true, NULL},
};

Test(ovsdb_verdict, follows_from_the_answer)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        struct tn_scan result = {r->result, r->result};
        result.end += r->result ? strlen(r->result) : 0;
        json_t *error =
            r->error ? json_loads(r->error, JSON_DECODE_ANY, NULL) : NULL;
        struct tn_ovsdb_result out;
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        bool nonsense = false;
        cr_expect_eq(
            tn_ovsdb_judge(r->n_ops, result, error, &out, &nonsense, &err),
            r->code, "row %zu", i);
        cr_expect_eq(out.verdict, r->verdict, "row %zu", i);
        cr_expect_eq(out.op, r->op, "row %zu", i);
        cr_expect_eq(nonsense, r->nonsense, "row %zu", i);
        tn_error_text(&err, text, sizeof text);
        cr_expect(!r->says || strcmp(text, r->says) == 0, "row %zu: %s", i,
                  text);
        cr_expect_eq(out.last != NULL, r->code == TN_OK && r->n_ops > 0);
        cr_expect(!out.last || json_is_object(out.last));
        json_decref(out.last);
        json_decref(error);
    }
}
