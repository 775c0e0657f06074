/* commit_text.c - see commit_text.h.
 *
 * libgit2 and git both read commits leniently: headers in odd orders, a second
 * signature, text behind a NUL.  Each leniency is a place where two readers may
 * differ about what was signed, so there is none here, and nobody in this
 * folder asks libgit2 for the parents or the tree of a commit. */
#include "reconciler/trust/commit_text.h"

#include <string.h>

#include "model/base/text.h"

enum { HEX = 40, RAW = 20 };

struct reader {
    struct tn_arena *arena;
    const char *p, *end;
    struct tn_error *err;
};

struct line {
    const char *s;
    size_t n; /* Without the line feed. */
};

static enum tn_code
bad(struct reader *r, const char *what)
{
    return tn_fail(r->err, TN_EINTENT, 0, "not a commit as Git writes it: %s",
                   what);
}

/* The line at the reader; false at the end or without a line feed. */
static bool
peek(const struct reader *r, struct line *out)
{
    const char *nl = memchr(r->p, '\n', (size_t) (r->end - r->p));
    if (!nl) {
        return false;
    }
    *out = (struct line){r->p, (size_t) (nl - r->p)};
    return true;
}

static void
advance(struct reader *r, struct line l)
{
    r->p = l.s + l.n + 1;
}

static bool
starts(struct line l, const char *word)
{
    size_t n = strlen(word);
    return l.n >= n && memcmp(l.s, word, n) == 0;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static bool
take_id(struct reader *r, const char *word, struct tn_oid *out)
{
    struct line l;
    size_t skip = strlen(word);
    struct tn_oid id = {0};
    if (!peek(r, &l) || !starts(l, word) || l.n != skip + HEX) {
        return false;
    }
    for (size_t i = 0; i < RAW; i++) {
        int high = hex_digit(l.s[skip + 2 * i]);
        int low = hex_digit(l.s[skip + 2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        id.b[i] = (uint8_t) (high << 4 | low);
    }
    *out = id;
    advance(r, l);
    return true;
}

static enum tn_code
take_parents(struct reader *r, struct tn_commit_text *out)
{
    struct line l;
    TN_VEC(struct tn_oid) parents = {0};
    while (peek(r, &l) && starts(l, "parent ")) {
        struct tn_oid id;
        if (parents.n == TN_COMMIT_PARENTS) {
            return bad(r, "too many parents");
        }
        if (!take_id(r, "parent ", &id)) {
            return bad(r, "the id of a parent");
        }
        *tn_vec_push(r->arena, &parents) = id;
    }
    out->parents = parents.items;
    out->n_parents = parents.n;
    return TN_OK;
}

/* "NAME <EMAIL> SECONDS +HHMM" */
static bool
person_time(struct line l, int64_t *out)
{
    const char *p = memrchr(l.s, '>', l.n), *end = l.s + l.n;
    int64_t t = 0;
    if (!p || !memchr(l.s, '<', (size_t) (p - l.s)) || end - p < 3 ||
        p[1] != ' ') {
        return false;
    }
    const char *digits = p + 2;
    for (p = digits; p < end && *p >= '0' && *p <= '9'; p++) {
        if (p - digits >= 15) {
            return false;
        }
        t = t * 10 + (*p - '0');
    }
    if (p == digits || end - p != 6 || p[0] != ' ' ||
        (p[1] != '+' && p[1] != '-')) {
        return false;
    }
    for (p += 2; p < end; p++) {
        if (*p < '0' || *p > '9') {
            return false;
        }
    }
    *out = t;
    return true;
}

static bool
take_person(struct reader *r, const char *word, int64_t *time)
{
    struct line l;
    if (!peek(r, &l) || !starts(l, word) || !person_time(l, time)) {
        return false;
    }
    advance(r, l);
    return true;
}

/* The value after "gpgsig " and on the lines that continue it. */
static void
take_signature(struct reader *r, struct line first, struct tn_commit_text *out)
{
    struct tn_text value = {0};
    struct line l;
    size_t skip = strlen("gpgsig ");
    tn_text_addn(&value, first.s + skip, first.n - skip);
    tn_text_addc(&value, '\n');
    advance(r, first);
    while (peek(r, &l) && starts(l, " ")) {
        tn_text_addn(&value, l.s + 1, l.n - 1);
        tn_text_addc(&value, '\n');
        advance(r, l);
    }
    out->signature = tn_arena_strndup(r->arena, value.s, value.n);
    out->n_signature = value.n;
    tn_text_done(&value);
}

static enum tn_code
take_others(struct reader *r, const char *start, struct tn_commit_text *out)
{
    struct line l;
    size_t before = 0;
    const char *after = NULL;
    bool header = false;
    while (peek(r, &l) && l.n) {
        if (starts(l, "gpgsig ")) {
            if (after) {
                return bad(r, "it has two signatures");
            }
            before = (size_t) (l.s - start);
            take_signature(r, l, out);
            after = r->p;
            header = false; /* All that continues it was taken. */
            continue;
        }
        if (starts(l, "gpgsig") || starts(l, "tree ") || starts(l, "parent ") ||
            starts(l, "author ") || starts(l, "committer ") ||
            (l.s[0] == ' ' && !header)) {
            return bad(r, "a header where it does not belong");
        }
        header = true;
        advance(r, l);
    }
    if (r->p < r->end && *r->p != '\n') {
        return bad(r, "a header without an end");
    }
    if (!after) {
        before = (size_t) (r->end - start);
        after = r->end;
    }
    size_t rest = (size_t) (r->end - after);
    char *text = tn_arena_alloc(r->arena, before + rest + 1);
    memcpy(text, start, before);
    memcpy(text + before, after, rest);
    text[before + rest] = '\0';
    out->signed_text = text;
    out->n_signed_text = before + rest;
    return TN_OK;
}

enum tn_code
tn_commit_text_parse(struct tn_arena *arena, const char *bytes, size_t n,
                     struct tn_commit_text *out, struct tn_error *err)
{
    struct reader r = {arena, bytes, bytes + n, err};
    struct tn_commit_text c = {0};
    int64_t authored = 0;
    if (n > TN_COMMIT_BYTES) {
        return bad(&r, "it is too large");
    }
    if (n == 0 || memchr(bytes, '\0', n)) {
        return bad(&r, "it is empty or holds a NUL");
    }
    if (!take_id(&r, "tree ", &c.tree)) {
        return bad(&r, "the id of the tree");
    }
    enum tn_code code = take_parents(&r, &c);
    if (code) {
        return code;
    }
    if (!take_person(&r, "author ", &authored) ||
        !take_person(&r, "committer ", &c.time)) {
        return bad(&r, "author and committer");
    }
    code = take_others(&r, bytes, &c);
    if (!code) {
        *out = c;
    }
    return code;
}
