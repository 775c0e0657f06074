/* pattern.c - host patterns: 'web[01:10].example:22', '[2001:db8::1]:22'.
 *
 * First the port is split off, if what remains looks like a host to Ansible
 * (parsing/utils/addresses.py); then each [begin:end:step] is expanded, from
 * left to right (plugins/inventory/__init__.py).  Both are copied in their
 * oddities, because the names of hosts depend on them: '[5:1]' is no host at
 * all, '[08:10]' is refused for its lengths, '[db8:22]:1' is host 'db8' with
 * port 22. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/inventory/parts.h"

static const char letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

enum { PATTERN_DEPTH_MAX = 8 };

struct expansion {
    struct tn_arena *arena;
    struct tn_pattern *out;
    size_t max;
    unsigned depth;
};

/* [begin:end] or [begin:end:step]. */
struct range {
    const char *head, *tail;
    long begin, end, step; /* Python's range(): 'end' is excluded. */
    int width;             /* Zero-filled to this; 0: as it is. */
    bool alpha;
};

static const char *
skip_digits(const char *s)
{
    while (s && isdigit((unsigned char) *s)) {
        s++;
    }
    return s;
}

static const char *
skip_hex(const char *s)
{
    while (isxdigit((unsigned char) *s)) {
        s++;
    }
    return s;
}

/* At '[': behind a range of numbers (hexadecimal ones too, if 'hex'; single
 * letters, if 'alpha'), or null. */
static const char *
skip_range(const char *s, bool hex, bool alpha)
{
    const char *a = s + 1, *b;

    b = hex ? skip_hex(a) : skip_digits(a);
    if (b == a && alpha && isalpha((unsigned char) *a)) {
        b = a + 1;
        if (*b != ':' || !isalpha((unsigned char) b[1])) {
            return NULL;
        }
        b += 2;
    } else {
        if (b == a || *b != ':') {
            return NULL;
        }
        a = b + 1;
        b = hex ? skip_hex(a) : skip_digits(a);
        if (b == a) {
            return NULL;
        }
    }
    if (*b == ':') {
        if (!isdigit((unsigned char) b[1])) {
            return NULL;
        }
        b = skip_digits(b + 1);
    }
    return *b == ']' ? b + 1 : NULL;
}

/* Labels of letters, digits, '_', '-' and ranges, joined by dots; IPv4
 * addresses are among them. */
static bool
is_hostname(const char *s)
{
    const char *start = s;

    for (;;) {
        if (*s == '[') {
            s = skip_range(s, false, true);
            if (!s) {
                return false;
            }
        } else if (isalnum((unsigned char) *s) || *s == '_' ||
                   (unsigned char) *s >= 0x80 || (*s == '-' && s > start)) {
            s++;
        } else if (s > start && s[-1] != '_' && s[-1] != '-' &&
                   (*s == '.' || *s == '\0')) {
            if (!*s) {
                return true;
            }
            start = ++s;
        } else {
            return false;
        }
    }
}

/* One 16-bit group, or a range in its place; null if there is none. */
static const char *
skip_group(const char *s)
{
    const char *e = s;

    if (*s == '[') {
        return skip_range(s, true, false);
    }
    while (e < s + 4 && isxdigit((unsigned char) *e)) {
        e++;
    }
    return e > s ? e : NULL;
}

/* The expression of Ansible is not anchored at its end: what begins like an
 * IPv6 address is one. */
static bool
is_ipv6(const char *s)
{
    if (s[0] == ':' && s[1] == ':') {
        return true;
    }
    for (int groups = 1; groups <= 8; groups++) {
        s = skip_group(s);
        if (!s) {
            return false;
        }
        if (groups == 8) {
            return true;
        }
        if (s[0] != ':') {
            return groups == 7 && s[0] == '.';
        }
        if (s[1] == ':') {
            return groups <= 6;
        }
        s++;
    }
    return false;
}

/* '[HOST]:PORT'; the host into '*host'. */
static bool
split_bracketed(struct tn_arena *arena, const char *s, const char **host,
                const char **port)
{
    const char *close = strrchr(s, ']');

    if (s[0] != '[' || !close || close < s + 2 || close[1] != ':' ||
        !isdigit((unsigned char) close[2]) || *skip_digits(close + 2)) {
        return false;
    }
    *host = tn_arena_strndup(arena, s + 1, (size_t) (close - s - 1));
    *port = close + 2;
    return true;
}

/* 'HOST:PORT', where the only other colons are in brackets. */
static bool
split_plain(struct tn_arena *arena, const char *s, const char **host,
            const char **port)
{
    const char *p = s;

    while (*p && *p != ':') {
        if (*p == '[') {
            p = strchr(p, ']');
            if (!p) {
                return false;
            }
        } else if (*p == ']') {
            return false;
        }
        p++;
    }
    if (*p != ':' || !isdigit((unsigned char) p[1]) || *skip_digits(p + 1)) {
        return false;
    }
    *host = tn_arena_strndup(arena, s, (size_t) (p - s));
    *port = p + 1;
    return true;
}

static const char *
split_port(struct tn_arena *arena, const char *text, const char **port)
{
    const char *host = text, *found = NULL;

    *port = NULL;
    split_bracketed(arena, host, &host, &found);
    split_plain(arena, host, &host, &found);
    if (!found || !(is_hostname(host) || is_ipv6(host))) {
        return text;
    }
    while (*found == '0') {
        found++;
    }
    *port = *found ? found : NULL;
    return host;
}

static bool
read_long(const char *s, long *out)
{
    char *end;

    errno = 0;
    *out = strtol(s, &end, 10);
    return *s && !*end && !errno && !isspace((unsigned char) *s) &&
           *out > -1000000000 && *out < 1000000000;
}

static const char *
read_bounds(struct range *r, const char *begin, const char *end,
            const char *step)
{
    const char *b, *e;

    if (!*begin) {
        begin = "0";
    }
    if (!*end) {
        return "a range must have an end";
    }
    if (begin[0] == '0' && begin[1]) {
        r->width = (int) strlen(begin);
        if (strlen(end) != strlen(begin)) {
            return "a range that begins with 0 must have bounds of equal "
                   "length";
        }
    }
    r->step = 1;
    if (step && (!read_long(step, &r->step) || r->step == 0)) {
        return "the step of a range must be a whole number other than 0";
    }
    b = strstr(letters, begin);
    e = strstr(letters, end);
    if (b && e) {
        r->alpha = true;
        r->begin = b - letters;
        r->end = e - letters + 1;
        if (b > e) {
            return "a range of letters must not descend";
        }
        if (r->step < 0) {
            r->end = r->begin; /* A Python slice of no letters. */
        }
        return NULL;
    }
    if (!read_long(begin, &r->begin) || !read_long(end, &r->end)) {
        return "a range must be of numbers or of letters";
    }
    r->end++;
    return NULL;
}

static const char *
read_range(struct tn_arena *arena, const char *text, struct range *r)
{
    char *copy = tn_arena_strdup(arena, text);
    char *open = strchr(copy, '['), *close = strchr(copy, ']');
    char *end, *step;

    if (!close || close < open || strchr(text, '|')) {
        return "brackets must hold a range: [begin:end] or [begin:end:step]";
    }
    *open = *close = '\0';
    r->head = copy;
    r->tail = close + 1;
    end = strchr(open + 1, ':');
    if (!end) {
        return "brackets must hold a range: [begin:end] or [begin:end:step]";
    }
    *end++ = '\0';
    step = strchr(end, ':');
    if (step) {
        *step++ = '\0';
        if (strchr(step, ':')) {
            return "a range has at most a begin, an end and a step";
        }
    }
    return read_bounds(r, open + 1, end, step);
}

static const char *
expand(struct expansion *x, const char *text)
{
    struct range r = {0};
    const char *problem;

    if (!strchr(text, '[')) {
        if (x->out->names.n >= x->max) {
            return "the inventory has too many hosts";
        }
        *tn_vec_push(x->arena, &x->out->names) = text;
        return NULL;
    }
    if (++x->depth > PATTERN_DEPTH_MAX) {
        return "a host pattern has at most 8 ranges";
    }
    problem = read_range(x->arena, text, &r);
    for (long i = r.begin; !problem && (r.step > 0 ? i < r.end : i > r.end);
         i += r.step) {
        if (r.alpha) {
            problem = expand(x, tn_arena_printf(x->arena, "%s%c%s", r.head,
                                                letters[i], r.tail));
        } else {
            problem = expand(x, tn_arena_printf(x->arena, "%s%0*ld%s", r.head,
                                                r.width, i, r.tail));
        }
    }
    x->depth--;
    return problem;
}

const char *
tn_pattern_expand(struct tn_arena *arena, const char *text, size_t max,
                  struct tn_pattern *out)
{
    struct expansion x = {.arena = arena, .out = out, .max = max};

    if (!*text) {
        return "the name of a host must not be empty";
    }
    return expand(&x, split_port(arena, text, &out->port));
}
