/* allowed_signers.c - see allowed_signers.h.
 *
 * A line is split as OpenSSH does it: principals up to a blank (or between
 * double quotes), then options if the next word is no key type, then the key,
 * then a comment.  Quotes inside options protect blanks and commas. */
#include "reconciler/trust/allowed_signers.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "model/base/map.h"

/* One line, and where in it we are. */
struct line {
    struct tn_arena *arena;
    const char *path;
    const char *p, *end;
    uint32_t number;
    struct tn_error *err;
    struct tn_allowed_signer *signer;
};

struct word {
    const char *s;
    size_t n;
};

static enum tn_code TN_PRINTF(2, 3) bad(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *what = tn_arena_vprintf(l->arena, fmt, ap);
    va_end(ap);
    enum tn_code code = tn_fail(l->err, TN_EINTENT, 0, "%s", what);
    if (l->err) {
        tn_error_at(l->err, (struct tn_origin){l->path, l->number, 0});
    }
    return code;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void
skip_blanks(struct line *l)
{
    while (l->p < l->end && is_blank(*l->p)) {
        l->p++;
    }
}

/* Up to a blank outside quotes; false if a quote is not closed. */
static bool
next_word(struct line *l, struct word *out)
{
    bool quoted = false;
    skip_blanks(l);
    const char *start = l->p;
    while (l->p < l->end && (quoted || !is_blank(*l->p))) {
        quoted ^= *l->p == '"';
        l->p++;
    }
    *out = (struct word){start, (size_t) (l->p - start)};
    return !quoted;
}

static bool
word_is(struct word w, const char *text)
{
    return w.n == strlen(text) && strncasecmp(w.s, text, w.n) == 0;
}

/* One of a comma-separated list, off its front. */
static struct word
split_off(struct word *list)
{
    const char *comma = memchr(list->s, ',', list->n);
    size_t n = comma ? (size_t) (comma - list->s) : list->n;
    struct word first = {list->s, n};
    size_t skip = comma ? n + 1 : n;
    *list = (struct word){list->s + skip, list->n - skip};
    return first;
}

static enum tn_code
add_principal(struct line *l, struct word w, const char **list, size_t *n)
{
    if (w.n == 0) {
        return bad(l, "an empty principal");
    }
    if (w.s[0] == '!') {
        return bad(l, "a negated principal: principals are names here");
    }
    if (memchr(w.s, '"', w.n)) {
        return bad(l, "a quote inside a principal");
    }
    const char *name = tn_arena_strndup(l->arena, w.s, w.n);
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(list[i], name) == 0) {
            return bad(l, "principal '%s' twice", name);
        }
    }
    list[(*n)++] = name;
    return TN_OK;
}

static enum tn_code
take_principals(struct line *l)
{
    enum { MANY = 256 };
    struct word w;
    if (!next_word(l, &w)) {
        return bad(l, "a quote is not closed");
    }
    if (w.n >= 2 && w.s[0] == '"' && w.s[w.n - 1] == '"') {
        w = (struct word){w.s + 1, w.n - 2};
    }
    size_t n = 1;
    for (size_t i = 0; i < w.n; i++) {
        n += w.s[i] == ',';
    }
    if (n > MANY) {
        return bad(l, "more than %d principals", MANY);
    }
    const char **list = tn_new_n(l->arena, const char *, n);
    size_t have = 0;
    while (have < n) {
        enum tn_code code = add_principal(l, split_off(&w), list, &have);
        if (code) {
            return code;
        }
    }
    l->signer->principals = list;
    l->signer->n_principals = n;
    return TN_OK;
}

/* YYYYMMDD[HHMM[SS]][Z], nothing else. */
static bool
parse_time(struct word w, int64_t *out)
{
    int d[14] = {0};
    bool utc = w.n && (w.s[w.n - 1] == 'Z' || w.s[w.n - 1] == 'z');
    size_t n = w.n - utc;
    if (n != 8 && n != 12 && n != 14) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (w.s[i] < '0' || w.s[i] > '9') {
            return false;
        }
        d[i] = w.s[i] - '0';
    }
    struct tm tm = {
        .tm_year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3] - 1900,
        .tm_mon = d[4] * 10 + d[5] - 1,
        .tm_mday = d[6] * 10 + d[7],
        .tm_hour = d[8] * 10 + d[9],
        .tm_min = d[10] * 10 + d[11],
        .tm_sec = d[12] * 10 + d[13],
        .tm_isdst = utc ? 0 : -1,
    };
    struct tm made = tm;
    time_t t = utc ? timegm(&made) : mktime(&made);
    if (t <= 0 || made.tm_mon != tm.tm_mon || made.tm_mday != tm.tm_mday ||
        tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59) {
        return false;
    }
    *out = t;
    return true;
}

static enum tn_code
take_time(struct line *l, struct word value, int64_t *out)
{
    if (*out) {
        return bad(l, "the same option twice");
    }
    if (!parse_time(value, out)) {
        return bad(l, "not a time as YYYYMMDD[HHMM[SS]][Z]");
    }
    return TN_OK;
}

/* '*' any text, '?' one character. */
static bool
matches(struct word pattern, const char *s)
{
    const char *p = pattern.s, *end = pattern.s + pattern.n;
    const char *star = NULL, *retry = NULL;
    while (*s) {
        if (p < end && *p == '*') {
            star = ++p;
            retry = s;
        } else if (p < end && (*p == '?' || *p == *s)) {
            p++;
            s++;
        } else if (star) {
            p = star;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*') {
        p++;
    }
    return p == end;
}

/* A pattern list of OpenSSH: one must match, and none that begins with '!'. */
static bool
allows(struct word list, const char *name)
{
    bool yes = false;
    while (list.n) {
        struct word w = split_off(&list);
        bool negated = w.n && w.s[0] == '!';
        struct word pattern = {w.s + negated, w.n - negated};
        if (matches(pattern, name)) {
            if (negated) {
                return false;
            }
            yes = true;
        }
    }
    return yes;
}

static enum tn_code
take_option(struct line *l, struct word w, bool *namespaces)
{
    const char *is = memchr(w.s, '=', w.n);
    size_t n = is ? (size_t) (is - w.s) : w.n;
    struct word name = {w.s, n}, value = {w.s + n, w.n - n};
    if (word_is(name, "cert-authority")) {
        return bad(l, "certificate authorities are not supported: list the "
                      "keys themselves");
    }
    bool quoted =
        value.n >= 3 && value.s[1] == '"' && value.s[value.n - 1] == '"';
    if (quoted) {
        value = (struct word){value.s + 2, value.n - 3};
        quoted = !memchr(value.s, '"', value.n);
    }
    bool spaces = word_is(name, "namespaces");
    if (!spaces && !word_is(name, "valid-after") &&
        !word_is(name, "valid-before")) {
        return bad(l, "unknown option: known are namespaces, valid-after and "
                      "valid-before");
    }
    if (!quoted || value.n == 0) {
        return bad(l, "the value of an option is not in double quotes");
    }
    if (spaces) {
        if (*namespaces) {
            return bad(l, "the same option twice");
        }
        *namespaces = true;
        l->signer->git = allows(value, "git");
        return TN_OK;
    }
    return take_time(l, value,
                     word_is(name, "valid-after") ? &l->signer->valid_after
                                                  : &l->signer->valid_before);
}

/* The end of the option that begins at 's': a comma outside quotes. */
static size_t
option_length(const char *s, size_t n)
{
    bool quoted = false;
    size_t i = 0;
    while (i < n && (quoted || s[i] != ',')) {
        quoted ^= s[i] == '"';
        i++;
    }
    return i;
}

static enum tn_code
take_options(struct line *l, struct word w)
{
    bool namespaces = false;
    for (;;) {
        size_t n = option_length(w.s, w.n);
        enum tn_code code = take_option(l, (struct word){w.s, n}, &namespaces);
        if (code) {
            return code;
        }
        if (n == w.n) {
            break;
        }
        w = (struct word){w.s + n + 1, w.n - n - 1};
    }
    const struct tn_allowed_signer *s = l->signer;
    if (s->valid_after && s->valid_before &&
        s->valid_before <= s->valid_after) {
        return bad(l, "valid-before is not after valid-after");
    }
    return TN_OK;
}

static bool
is_key_type(struct word w)
{
    static const char *const types[] = {"ssh-", "sk-", "ecdsa-", "rsa-",
                                        "webauthn-"};
    if (w.n >= TN_SSHKEY_TYPE || memchr(w.s, '=', w.n)) {
        return false;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(types); i++) {
        size_t n = strlen(types[i]);
        if (w.n > n && memcmp(w.s, types[i], n) == 0) {
            return true;
        }
    }
    return false;
}

static enum tn_code
take_key(struct line *l, struct word type)
{
    uint8_t wire[TN_SIGNERS_LINE];
    size_t n = sizeof wire;
    struct word base64;
    struct tn_sshkey *key = &l->signer->key;
    if (!next_word(l, &base64) || base64.n == 0) {
        return bad(l, "no key after the key type");
    }
    if (!tn_base64_decode(base64.s, base64.n, false, wire, &n) ||
        !tn_sshkey_parse((struct tn_slice){wire, n}, key)) {
        return bad(l, "a malformed key");
    }
    if (strlen(key->type) != type.n || memcmp(key->type, type.s, type.n) != 0) {
        return bad(l, "the key is of another type than is written before it");
    }
    return TN_OK;
}

static enum tn_code
take_line(struct line *l)
{
    struct word w;
    l->signer->git = true;
    l->signer->line = l->number;
    enum tn_code code = take_principals(l);
    if (code) {
        return code;
    }
    if (!next_word(l, &w)) {
        return bad(l, "a quote is not closed");
    }
    if (w.n && !is_key_type(w)) {
        code = take_options(l, w);
        if (code) {
            return code;
        }
        if (!next_word(l, &w)) {
            return bad(l, "a quote is not closed");
        }
    }
    if (w.n == 0) {
        return bad(l, "principals, perhaps options, a key type and a key "
                      "expected");
    }
    if (!is_key_type(w)) {
        return bad(l, "neither an option nor a key type that is known");
    }
    return take_key(l, w);
}

static enum tn_code
check_twice(struct line *l, struct tn_map *seen)
{
    char print[TN_FINGERPRINT];
    const char *name = tn_arena_strdup(
        l->arena, tn_sshkey_fingerprint(&l->signer->key, print));
    const struct tn_allowed_signer *before = tn_map_put(seen, name, l->signer);
    if (before) {
        return bad(l, "the key stands in line %" PRIu32 " already",
                   before->line);
    }
    return TN_OK;
}

/* Printable text in UTF-8, and tabs. */
static bool
is_text(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char) s[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return tn_is_utf8(s, n);
}

static enum tn_code
read_line(struct line *l, struct tn_allowed_signers *out, size_t *n,
          struct tn_allowed_signer *items, struct tn_map *seen)
{
    size_t length = (size_t) (l->end - l->p);
    if (length > TN_SIGNERS_LINE) {
        return bad(l, "a line of more than %d bytes", TN_SIGNERS_LINE);
    }
    if (!is_text(l->p, length)) {
        return bad(l, "control characters, or no UTF-8");
    }
    skip_blanks(l);
    if (l->p == l->end || *l->p == '#') {
        return TN_OK;
    }
    if (*n == TN_SIGNERS_MAX) {
        return bad(l, "more than %d keys", TN_SIGNERS_MAX);
    }
    l->signer = &items[*n];
    enum tn_code code = take_line(l);
    if (!code) {
        code = check_twice(l, seen);
    }
    if (!code) {
        out->n = ++*n;
    }
    return code;
}

static size_t
count_lines(const char *text, size_t n)
{
    size_t lines = 1;
    for (size_t i = 0; i < n; i++) {
        lines += text[i] == '\n';
    }
    return lines < TN_SIGNERS_MAX ? lines : TN_SIGNERS_MAX;
}

enum tn_code
tn_allowed_signers_parse(struct tn_arena *arena, const char *path,
                         const char *text, size_t n,
                         struct tn_allowed_signers *out, struct tn_error *err)
{
    struct line l = {.arena = arena, .path = path, .err = err};
    if (n > TN_SIGNERS_BYTES) {
        return bad(&l, "a file of more than %d bytes", TN_SIGNERS_BYTES);
    }
    size_t have = 0, lines = count_lines(text, n);
    struct tn_allowed_signer *items =
        tn_new_n(arena, struct tn_allowed_signer, lines);
    struct tn_allowed_signers all = {.items = items};
    struct tn_map seen;
    tn_map_init(&seen, arena, lines);
    for (const char *p = text, *end = text + n; p < end;) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        l.p = p;
        l.end = nl ? nl : end;
        l.number++;
        p = nl ? nl + 1 : end;
        if (l.end > l.p && l.end[-1] == '\r') {
            l.end--;
        }
        enum tn_code code = read_line(&l, &all, &have, items, &seen);
        if (code) {
            return code;
        }
    }
    *out = all;
    return TN_OK;
}

const struct tn_allowed_signer *
tn_allowed_signer_find(const struct tn_allowed_signers *signers,
                       const struct tn_sshkey *key)
{
    for (size_t i = 0; i < signers->n; i++) {
        if (tn_sshkey_eq(&signers->items[i].key, key)) {
            return &signers->items[i];
        }
    }
    return NULL;
}
