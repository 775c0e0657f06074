/* build.c - counts, findings and keys of a tree in the making, see build.h.
 *
 * Up to SMALL_MAP keys are compared pairwise, more are sorted. */
#include "model/yaml/build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/base/cleanup.h"

enum { SMALL_MAP = 12 };

struct tn_diag *
tn_yaml_finding(struct tn_yaml_build *p, struct tn_pos at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = tn_arena_vprintf(p->diags->arena, fmt, ap);
    va_end(ap);
    p->spoiled = true;
    p->stop |= ++p->n_findings >= TN_YAML_FINDINGS_MAX;
    return tn_diag(p->diags, TN_ERROR, tn_at(p->path, at), "%s", text);
}

void
tn_yaml_refuse(struct tn_yaml_build *p, struct tn_pos at, const char *what,
               const char *hint)
{
    tn_yaml_finding(p, at, "%s", what)->hint = hint;
}

bool
tn_yaml_count(struct tn_yaml_build *p, size_t n, struct tn_pos at)
{
    p->n_nodes += n;
    if (p->n_nodes <= p->limits->nodes) {
        return true;
    }
    tn_yaml_finding(p, at, "more than %zu values in one file",
                    p->limits->nodes);
    p->stop = true;
    return false;
}

void
tn_yaml_push(struct tn_yaml_build *p, const struct tn_pair *child)
{
    if (p->n_children == p->cap_children) {
        size_t cap = p->cap_children ? p->cap_children * 2 : 256;
        struct tn_pair *more = realloc(p->children, cap * sizeof *more);
        if (!more) {
            abort();
        }
        p->children = more;
        p->cap_children = cap;
    }
    p->children[p->n_children++] = *child;
}

/* True if YAML 1.1 may read the plain text as something else than text. */
static bool
maybe_typed(const char *key)
{
    static const char *const words[] = {"yes",  "no",    "on",  "off",
                                        "true", "false", "null"};
    if (strchr("+-.0123456789~", key[0])) {
        return true;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++) {
        if (strcasecmp(key, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* In the strict profile a key is its text; Ansible knows 1 from '1'. */
static bool
same_key(enum tn_yaml_profile profile, const struct tn_pair *a,
         const struct tn_pair *b)
{
    return strcmp(a->key, b->key) == 0 &&
           (profile == TN_YAML_STRICT || a->quoted == b->quoted ||
            !maybe_typed(a->key));
}

static int
pair_cmp(const void *pa, const void *pb)
{
    const struct tn_pair *a = *(struct tn_pair *const *) pa,
                         *b = *(struct tn_pair *const *) pb;
    int c = strcmp(a->key, b->key);
    return c ? c : (a > b) - (a < b);
}

static void
duplicate_found(struct tn_yaml_build *p, struct tn_pair *first,
                struct tn_pair *again, bool quiet)
{
    if (p->profile == TN_YAML_STRICT) {
        tn_yaml_finding(p, again->at,
                        "duplicate key '%s', first given on line %u",
                        again->key, first->at.line);
    } else if (!quiet) {
        tn_diag(p->diags, TN_WARNING, tn_at(p->path, again->at),
                "duplicate key '%s', first given on line %u: the last "
                "one is used",
                again->key, first->at.line);
    }
    first->value = again->value;
    again->key = NULL;
}

/* Equal keys among many: sorted, so that no choice of keys makes it slow. */
static void
dedupe_many(struct tn_yaml_build *p, struct tn_pair *pairs, size_t n,
            bool quiet)
{
    TN_CLEANUP(tn_cleanup_free) struct tn_pair **order = NULL;
    order = malloc(n * sizeof *order);
    if (!order) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = &pairs[i];
    }
    qsort(order, n, sizeof *order, pair_cmp);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (same_key(p->profile, order[first], order[i])) {
            duplicate_found(p, order[first], order[i], quiet);
        } else {
            first = i;
        }
    }
}

static void
dedupe_few(struct tn_yaml_build *p, struct tn_pair *pairs, size_t n, bool quiet)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (pairs[k].key && pairs[k].key[0] == pairs[i].key[0] &&
                same_key(p->profile, &pairs[k], &pairs[i])) {
                duplicate_found(p, &pairs[k], &pairs[i], quiet);
                break;
            }
        }
    }
}

size_t
tn_yaml_dedupe(struct tn_yaml_build *p, struct tn_pair *pairs, size_t n,
               bool quiet)
{
    if (n > SMALL_MAP) {
        dedupe_many(p, pairs, n, quiet);
    } else {
        dedupe_few(p, pairs, n, quiet);
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].key) {
            pairs[kept++] = pairs[i];
        }
    }
    return kept;
}
