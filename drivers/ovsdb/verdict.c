/* verdict.c - see verdict.h.
 *
 * An error beside an operation, or after the last one, means that nothing at
 * all was changed (RFC 7047, 4.1.3), with two exceptions where the server
 * cannot know: it could not write what it had decided, and it stopped looking
 * after a transaction ("canceled") that its cluster may yet carry out. */
#include "drivers/ovsdb/verdict.h"

#include <string.h>

struct meaning {
    const char *error;
    enum tn_ovsdb_verdict verdict;
    enum tn_code code;
};

static const struct meaning meanings[] = {
    /* RFC 7047, 5.2 and 4.1.3 */
    {"timed out", TN_TXN_RAN_INTO, TN_ESTALE},
    {"aborted", TN_TXN_RAN_INTO, TN_ESTALE},
    {"not owner", TN_TXN_RAN_INTO, TN_ESTALE},
    {"referential integrity violation", TN_TXN_REFUSED, TN_ESTALE},
    {"constraint violation", TN_TXN_REFUSED, TN_EDENIED},
    {"domain error", TN_TXN_REFUSED, TN_EDENIED},
    {"range error", TN_TXN_REFUSED, TN_EDENIED},
    {"duplicate uuid-name", TN_TXN_REFUSED, TN_EINTERNAL},
    {"not supported", TN_TXN_REFUSED, TN_EUNSUPPORTED},
    {"resources exhausted", TN_TXN_REFUSED, TN_EUNAVAILABLE},
    {"I/O error", TN_TXN_UNKNOWN, TN_EUNAVAILABLE},
    {"canceled", TN_TXN_UNKNOWN, TN_EUNAVAILABLE},
    /* ovsdb-server(7), 3.1 and 5.2.1 */
    {"duplicate uuid", TN_TXN_REFUSED, TN_ESTALE},
    {"syntax error", TN_TXN_REFUSED, TN_EUNSUPPORTED},
    {"unknown column", TN_TXN_REFUSED, TN_EUNSUPPORTED},
    {"unknown table", TN_TXN_REFUSED, TN_EUNSUPPORTED},
    {"ovsdb error", TN_TXN_REFUSED, TN_EINTERNAL},
    {"permission error", TN_TXN_REFUSED, TN_EDENIED},
    {"not allowed", TN_TXN_REFUSED, TN_EDENIED},
    /* Of a request as a whole. */
    {"unknown database", TN_TXN_REFUSED, TN_EUNAVAILABLE},
    {"unknown method", TN_TXN_REFUSED, TN_EUNSUPPORTED},
    {"not leader", TN_TXN_REFUSED, TN_EUNAVAILABLE},
    {"database not available", TN_TXN_REFUSED, TN_EUNAVAILABLE},
    /* A cluster, and a bug, may have done it nevertheless. */
    {"cluster error", TN_TXN_UNKNOWN, TN_EUNAVAILABLE},
    {"internal error", TN_TXN_UNKNOWN, TN_EUNAVAILABLE},
};

static const struct meaning unknown = {"", TN_TXN_UNKNOWN, TN_EUNAVAILABLE};

static const struct meaning *
meaning_of(const char *error)
{
    for (size_t i = 0; error && i < TN_ARRAY_SIZE(meanings); i++) {
        if (strcmp(error, meanings[i].error) == 0) {
            return &meanings[i];
        }
    }
    return &unknown;
}

/* An <error> is an object, or of a request as a whole also bare text. */
static enum tn_code
refuse(const json_t *error, struct tn_ovsdb_result *out, struct tn_error *err)
{
    const char *tag = json_string_value(
        json_is_string(error) ? error : json_object_get(error, "error"));
    const char *details = json_string_value(json_object_get(error, "details"));
    const char *syntax = json_string_value(json_object_get(error, "syntax"));
    const struct meaning *m = meaning_of(tag);
    out->verdict = m->verdict;
    return tn_fail(err, m->code, 0, "%.200s%s%.500s%s%.200s",
                   tag ? tag : "an error without a name", details ? ": " : "",
                   details ? details : "", syntax ? ": " : "",
                   syntax ? syntax : "");
}

enum tn_code
tn_ovsdb_judge(size_t n_ops, json_t *result, const json_t *error,
               struct tn_ovsdb_result *out, bool *nonsense,
               struct tn_error *err)
{
    size_t n = json_array_size(result);
    *nonsense = false;
    *out = (struct tn_ovsdb_result){.verdict = TN_TXN_UNKNOWN,
                                    .results = json_incref(result)};
    if (error) {
        return refuse(error, out, err);
    }
    if (!result) {
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "the connection was lost before the answer");
    }
    for (size_t i = 0; i < n && i <= n_ops; i++) {
        const json_t *r = json_array_get(result, i);
        if (json_object_get(r, "error")) {
            out->op = i;
            return refuse(r, out, err);
        }
        if (!json_is_object(r)) {
            break;
        }
        out->op = i + 1;
    }
    if (!json_is_array(result) || n != n_ops || out->op != n_ops) {
        *nonsense = true;
        out->op = 0;
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "an answer that does not fit the transaction");
    }
    *out = (struct tn_ovsdb_result){.verdict = TN_TXN_DONE,
                                    .results = out->results};
    return TN_OK;
}
