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

static bool
is_word(const struct tn_scan_string *s, const char *word)
{
    return s->n == strlen(word) && memcmp(s->s, word, s->n) == 0;
}

/* {"uuid":["uuid","..."]}: what most operations, inserts, are answered with. */
static bool
skip_insert(struct tn_scan *scan)
{
    struct tn_scan at = *scan;
    struct tn_scan_string name, tag, uuid;
    if (!tn_scan_sign(&at, '{') || !tn_scan_string(&at, &name) ||
        !is_word(&name, "uuid") || !tn_scan_sign(&at, ':') ||
        !tn_scan_sign(&at, '[') || !tn_scan_string(&at, &tag) ||
        !tn_scan_sign(&at, ',') || !tn_scan_string(&at, &uuid) ||
        !tn_scan_sign(&at, ']') || !tn_scan_sign(&at, '}')) {
        return false;
    }
    *scan = at;
    return true;
}

/* One element; null: there is none.  New. */
static json_t *
load_element(struct tn_scan *scan)
{
    json_error_t read;
    json_t *element = json_loadb(scan->at, (size_t) (scan->end - scan->at),
                                 JSON_REJECT_DUPLICATES |
                                     JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY,
                                 &read);
    if (element) {
        scan->at += read.position;
    }
    return element;
}

static enum tn_code
nonsense_of(struct tn_ovsdb_result *out, bool *nonsense, struct tn_error *err)
{
    *nonsense = true;
    out->op = 0;
    return tn_fail(err, TN_EUNAVAILABLE, 0,
                   "an answer that does not fit the transaction");
}

/* One after the other: as many as there are operations, each an object; or an
 * error, perhaps behind the last one.  '*last' is the last object, or null. */
static enum tn_code
judge_elements(size_t n_ops, struct tn_scan *scan, struct tn_ovsdb_result *out,
               bool *fits, struct tn_error *err)
{
    struct tn_scan last = {0};
    size_t i = 0;
    *fits = false;
    for (; tn_scan_more(scan, ']', i == 0); i++) {
        last = *scan;
        if (i > n_ops) {
            return TN_OK;
        }
        if (skip_insert(scan)) {
            continue;
        }
        json_t *element = load_element(scan);
        if (json_object_get(element, "error")) {
            out->op = i;
            enum tn_code code = refuse(element, out, err);
            json_decref(element);
            return code;
        }
        bool object = json_is_object(element);
        json_decref(element);
        if (!object) {
            return TN_OK;
        }
    }
    *fits = i == n_ops && !tn_scan_peek(scan) && scan->at == scan->end;
    out->last = i ? load_element(&last) : NULL;
    return TN_OK;
}

enum tn_code
tn_ovsdb_judge(size_t n_ops, struct tn_scan result, const json_t *error,
               struct tn_ovsdb_result *out, bool *nonsense,
               struct tn_error *err)
{
    bool fits = false;
    *nonsense = false;
    *out = (struct tn_ovsdb_result){.verdict = TN_TXN_UNKNOWN};
    if (error) {
        return refuse(error, out, err);
    }
    if (!result.at) {
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "the connection was lost before the answer");
    }
    if (!tn_scan_sign(&result, '[')) {
        return nonsense_of(out, nonsense, err);
    }
    enum tn_code code = judge_elements(n_ops, &result, out, &fits, err);
    if (code) {
        return code;
    }
    if (!fits) {
        json_decref(out->last);
        out->last = NULL;
        return nonsense_of(out, nonsense, err);
    }
    out->verdict = TN_TXN_DONE;
    return TN_OK;
}
