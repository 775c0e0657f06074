/* scan.c - bytes are judged before libyaml sees them.
 *
 * Two passes.  The first looks at characters: it is what tn_is_utf8() and
 * libyaml's reader would say, with a position, and it refuses characters that
 * make a line look like what it is not.
 *
 * The second measures nesting.  libyaml 0.2.5 walks all open flow collections
 * for every token, which makes '[' x 200,000 a matter of minutes.  So this is
 * a small copy of libyaml's own scanner, without tokens: it knows quotes,
 * comments, plain and block scalars well enough to tell a bracket from text,
 * and keeps libyaml's stack of indents.  It never counts a collection that is
 * none; where it follows a broken file differently than libyaml, the exact
 * bound on events in parse.c still holds, and libyaml looks at most 1,024
 * characters ahead of its events. */
#include "model/yaml/scan.h"

#include <stdio.h>
#include <string.h>

enum { CLEAN_BLOCK = 8 };

/* Of bytes, for the scanner. */
enum {
    C_BLANK = 1,
    C_BREAK = 2,
    C_FLOW = 4,
    C_COLON = 8,
};

static const uint8_t class_of[256] = {
    [' '] = C_BLANK, ['\t'] = C_BLANK, ['\n'] = C_BREAK, ['\r'] = C_BREAK,
    [','] = C_FLOW,  ['['] = C_FLOW,   [']'] = C_FLOW,   ['{'] = C_FLOW,
    ['}'] = C_FLOW,  [':'] = C_COLON,
};

struct scan {
    const char *s;
    size_t n, i;
    size_t line;       /* Offset of the current line's first byte. */
    size_t flow;       /* Open flow collections. */
    size_t n_indents;  /* Open indented collections. */
    long indent;       /* Column of the innermost, -1 if none. */
    long key_column;   /* Where a simple key outside of flow may begin. */
    size_t key_line;   /* The line it is in. */
    bool key_possible; /* It is there. */
    bool key_allowed;  /* One may begin here. */
    size_t max;        /* The limit on depth. */
    struct tn_yaml_shape shape;
    long indents[TN_YAML_DEPTH_MAX + 1];
};

static struct tn_pos
position_of(const char *s, size_t offset)
{
    struct tn_pos at = {1, 1};
    for (size_t i = 0; i < offset; i++) {
        if (s[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (((unsigned char) s[i] & 0xc0) != 0x80) {
            at.column++;
        }
    }
    return at;
}

static bool
refuse(struct tn_yaml_fault *fault, struct tn_pos at, const char *message,
       const char *hint)
{
    fault->at = at;
    snprintf(fault->message, sizeof fault->message, "%s", message);
    fault->hint = hint;
    return false;
}

/* True if none of the eight bytes needs a second look: printable ASCII and
 * line feeds.  Each mask has the top bit of the bytes it means. */
static bool
is_clean(const char *s)
{
    const uint64_t ones = 0x0101010101010101, tops = ones << 7;
    uint64_t w;
    memcpy(&w, s, sizeof w);
    uint64_t low = (w & ~tops) + ones * (0x80 - 0x20);   /* Not below 0x20. */
    uint64_t feed = ((w ^ ones * '\n') & ~tops) + ~tops; /* Not '\n'. */
    return (((w | (w + ones)) | (~low & feed)) & tops) == 0;
}

/* Decodes one character of two to four bytes; 0 if it is malformed. */
static uint32_t
utf8_decode(const unsigned char *s, size_t n, size_t *len)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t want = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < want) {
        return 0;
    }
    uint32_t c = s[0] & (0xffu >> (want + 1));
    for (size_t i = 1; i < want; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (s[i] & 0x3fu);
    }
    *len = want;
    return c < least[want] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0
                                                                          : c;
}

static bool
refuse_character(struct tn_yaml_fault *fault, struct tn_pos at, uint32_t c,
                 const char *why, const char *hint)
{
    char message[sizeof fault->message];
    snprintf(message, sizeof message, "character U+%04X %s", (unsigned) c, why);
    return refuse(fault, at, message, hint);
}

static bool
check_control(const char *s, size_t n, size_t i, struct tn_yaml_fault *fault)
{
    unsigned char c = (unsigned char) s[i];
    if (c == '\t' || c == '\n' ||
        (c == '\r' && i + 1 < n && s[i + 1] == '\n')) {
        return true;
    }
    if (c == '\r') {
        return refuse(fault, position_of(s, i),
                      "a carriage return without a line feed",
                      "end lines with a line feed");
    }
    return refuse_character(fault, position_of(s, i), c,
                            "is a control character",
                            c ? NULL : "is this a text file in UTF-8?");
}

static bool
check_wide(const char *s, size_t n, size_t *i, struct tn_yaml_fault *fault)
{
    size_t len = 0;
    uint32_t c = utf8_decode((const unsigned char *) s + *i, n - *i, &len);
    if (c == 0) {
        return refuse(fault, position_of(s, *i), "not valid UTF-8", NULL);
    }
    if (c == 0x85 || c == 0x2028 || c == 0x2029) {
        return refuse_character(fault, position_of(s, *i), c,
                                "is a line break to YAML but not to an editor",
                                "write it as an escape in double quotes");
    }
    if (c < 0xa0 || c == 0xfeff || c == 0xfffe || c == 0xffff) {
        return refuse_character(fault, position_of(s, *i), c,
                                "is a control character", NULL);
    }
    if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)) {
        return refuse_character(fault, position_of(s, *i), c,
                                "makes text look like what it is not",
                                "write it as an escape in double quotes");
    }
    *i += len;
    return true;
}

static bool
check_characters(const char *s, size_t n, struct tn_yaml_fault *fault)
{
    for (size_t i = 0; i < n;) {
        if (n - i >= CLEAN_BLOCK && is_clean(s + i)) {
            i += CLEAN_BLOCK;
            continue;
        }
        size_t end = n - i < CLEAN_BLOCK ? n : i + CLEAN_BLOCK;
        while (i < end) {
            unsigned char c = (unsigned char) s[i];
            if (c >= 0x80) {
                if (!check_wide(s, n, &i, fault)) {
                    return false;
                }
            } else if ((c < 0x20 || c == 0x7f) &&
                       !check_control(s, n, i, fault)) {
                return false;
            } else {
                i++;
            }
        }
    }
    return true;
}

static bool
check_encoding(const char *s, size_t n, struct tn_yaml_fault *fault)
{
    struct tn_pos start = {1, 1};
    if (n >= 2 &&
        (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0)) {
        return refuse(fault, start, "the file is UTF-16 or UTF-32",
                      "save it as UTF-8");
    }
    if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
        return refuse(fault, start, "the file begins with a byte order mark",
                      "save it as UTF-8 without one");
    }
    return true;
}

/* --- nesting ----------------------------------------------------------- */

static bool
is_blankz_at(const struct scan *p, size_t i)
{
    return i >= p->n || class_of[(unsigned char) p->s[i]] & (C_BLANK | C_BREAK);
}

static long
column(const struct scan *p)
{
    return (long) (p->i - p->line);
}

static bool
at_marker(const struct scan *p)
{
    return p->i == p->line && p->n - p->i >= 3 &&
           (memcmp(p->s + p->i, "---", 3) == 0 ||
            memcmp(p->s + p->i, "...", 3) == 0) &&
           is_blankz_at(p, p->i + 3);
}

static void
skip_line(struct scan *p)
{
    const char *end = memchr(p->s + p->i, '\n', p->n - p->i);
    p->i = end ? (size_t) (end - p->s) : p->n;
}

/* Over blanks, line breaks and comments, to the next token. */
static void
skip_to_token(struct scan *p)
{
    const char *s = p->s;
    const size_t n = p->n;
    size_t i = p->i;
    for (;;) {
        while (i < n && s[i] == ' ') {
            i++;
        }
        if (i < n && s[i] == '\n') {
            p->line = ++i;
            p->key_allowed |= p->flow == 0;
        } else if (i < n && s[i] == '#') {
            const char *end = memchr(s + i, '\n', n - i);
            i = end ? (size_t) (end - s) : n;
        } else if (i < n && (s[i] == '\t' || s[i] == '\r')) {
            i++;
        } else {
            break;
        }
    }
    p->i = i;
}

static bool
deeper(struct scan *p)
{
    size_t depth = p->flow + p->n_indents;
    if (depth > p->shape.depth) {
        p->shape.depth = depth;
    }
    return depth <= p->max;
}

/* Opens an indented collection at 'col' unless one is open there. */
static bool
indent_roll(struct scan *p, long col)
{
    if (p->flow || p->indent >= col) {
        return true;
    }
    p->indents[p->n_indents++] = p->indent;
    p->indent = col;
    return deeper(p);
}

static void
indent_unroll(struct scan *p, long col)
{
    while (!p->flow && p->indent > col) {
        p->indent = p->indents[--p->n_indents];
    }
}

static void
key_save(struct scan *p)
{
    if (p->flow == 0 && p->key_allowed) {
        p->key_possible = true;
        p->key_column = column(p);
        p->key_line = p->line;
    }
    p->key_allowed = false;
}

static void
skip_quoted(struct scan *p)
{
    char quote = p->s[p->i];
    size_t start = p->i++;
    while (p->i < p->n) {
        char c = p->s[p->i++];
        if (c == '\\' && quote == '"') {
            p->i++;
        } else if (c == quote) {
            if (quote != '\'' || p->i >= p->n || p->s[p->i] != '\'') {
                break;
            }
            p->i++;
        }
    }
    p->i = p->i < p->n ? p->i : p->n;
    const char *last = memrchr(p->s + start, '\n', p->i - start);
    if (last) {
        p->line = (size_t) (last - p->s) + 1;
    }
}

/* An alias, an anchor or a tag; '!<...>' may hold brackets. */
static void
skip_property(struct scan *p)
{
    bool verbatim =
        p->i + 1 < p->n && p->s[p->i] == '!' && p->s[p->i + 1] == '<';
    while (!is_blankz_at(p, p->i) &&
           (verbatim || !(class_of[(unsigned char) p->s[p->i]] & C_FLOW))) {
        p->i++;
    }
}

/* Over blanks and line breaks inside a plain scalar; true if there was a
 * line break. */
static bool
skip_fold(struct scan *p)
{
    bool folded = false;
    while (p->i < p->n) {
        char c = p->s[p->i];
        if (c == '\n') {
            p->line = p->i + 1;
            folded = true;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            break;
        }
        p->i++;
    }
    return folded;
}

/* To the end of a run of plain text: a blank, a line break, ': ' or, in
 * flow, a bracket or comma. */
static size_t
plain_run_end(const struct scan *p)
{
    const unsigned stop =
        C_BLANK | C_BREAK | C_COLON | (p->flow ? (unsigned) C_FLOW : 0);
    const char *s = p->s;
    const size_t n = p->n;
    for (size_t i = p->i; i < n; i++) {
        unsigned class = class_of[(unsigned char) s[i]];
        if (class & stop && (class != C_COLON || is_blankz_at(p, i + 1))) {
            return i;
        }
    }
    return n;
}

static void
skip_plain(struct scan *p)
{
    bool folded = false;
    while (p->i < p->n && p->s[p->i] != '#' && !at_marker(p)) {
        p->i = plain_run_end(p);
        if (p->i >= p->n || !is_blankz_at(p, p->i)) {
            break;
        }
        folded |= skip_fold(p);
        if (!p->flow && folded && column(p) <= p->indent) {
            break;
        }
    }
    p->key_allowed |= folded;
}

/* The indentation of a block scalar's text, from its header or, if that does
 * not say, from its first lines, as libyaml does. */
static long
block_indent(struct scan *p)
{
    long least = p->indent < 0 ? 1 : p->indent + 1;
    for (p->i++; p->i < p->n && strchr("+-0123456789", p->s[p->i]); p->i++) {
        if (p->s[p->i] >= '1' && p->s[p->i] <= '9') {
            long given = p->s[p->i] - '0';
            skip_line(p);
            return p->indent < 0 ? given : p->indent + given;
        }
    }
    skip_line(p);
    long widest = 0;
    for (size_t i = p->i; i < p->n;) {
        size_t line = i + 1;
        for (i = line; i < p->n && p->s[i] == ' '; i++) {
        }
        long width = (long) (i - line);
        widest = width > widest ? width : widest;
        i += i < p->n && p->s[i] == '\r';
        if (i >= p->n || p->s[i] != '\n') {
            break;
        }
    }
    return widest > least ? widest : least;
}

static void
skip_block_scalar(struct scan *p)
{
    long indent = block_indent(p);
    while (p->i < p->n) {
        size_t line = p->i + 1, i = line;
        while (i < p->n && p->s[i] == ' ' && (long) (i - line) < indent) {
            i++;
        }
        if ((long) (i - line) < indent && i < p->n && p->s[i] != '\n' &&
            p->s[i] != '\r') {
            break;
        }
        p->i = i;
        skip_line(p);
    }
    p->key_allowed = true;
}

static bool
scan_value(struct scan *p)
{
    bool ok = true;
    if (p->flow) {
        p->key_allowed = false;
    } else if (p->key_possible && p->key_line == p->line) {
        ok = indent_roll(p, p->key_column);
        p->key_allowed = false;
    } else {
        ok = indent_roll(p, column(p));
        p->key_allowed = true;
    }
    p->key_possible &= p->flow > 0;
    p->i++;
    return ok;
}

/* True for '- ', '? ' and ': '; in flow '?' and ':' need no blank. */
static bool
is_indicator(const struct scan *p)
{
    char c = p->s[p->i];
    return ((c == '?' || c == ':') && p->flow) ||
           ((c == '-' || c == '?' || c == ':') && is_blankz_at(p, p->i + 1));
}

static bool
scan_flow(struct scan *p)
{
    char c = p->s[p->i];
    bool ok = true;
    if (c == '[' || c == '{') {
        key_save(p);
        p->flow++;
        p->key_allowed = true;
        ok = deeper(p);
    } else if (c == ',') {
        p->key_allowed = true;
    } else {
        p->flow -= p->flow > 0;
        p->key_allowed = false;
    }
    p->i++;
    return ok;
}

static bool
scan_indicator(struct scan *p)
{
    if (p->s[p->i] == ':') {
        return scan_value(p);
    }
    bool ok = indent_roll(p, column(p));
    p->key_allowed = !p->flow || p->s[p->i] == '-';
    p->i++;
    return ok;
}

static bool
scan_token(struct scan *p)
{
    char c = p->s[p->i];
    if (column(p) == 0 && c == '%') {
        p->shape.directives++;
        skip_line(p);
        return true;
    }
    if (at_marker(p)) {
        indent_unroll(p, -1);
        p->key_allowed = false;
        p->i += 3;
        return true;
    }
    if (class_of[(unsigned char) c] & C_FLOW) {
        return scan_flow(p);
    }
    if (is_indicator(p)) {
        return scan_indicator(p);
    }
    if ((c == '|' || c == '>') && !p->flow) {
        skip_block_scalar(p);
        return true;
    }
    key_save(p);
    if (c == '\'' || c == '"') {
        skip_quoted(p);
    } else if (c == '&' || c == '*' || c == '!') {
        skip_property(p);
    } else {
        skip_plain(p);
    }
    return true;
}

static bool
check_depth(struct scan *p, struct tn_yaml_fault *fault)
{
    for (skip_to_token(p); p->i < p->n; skip_to_token(p)) {
        indent_unroll(p, column(p));
        size_t start = p->i;
        if (!scan_token(p)) {
            char message[sizeof fault->message];
            snprintf(message, sizeof message, "nested deeper than %zu levels",
                     p->max);
            return refuse(fault, position_of(p->s, start), message, NULL);
        }
        if (p->shape.directives > TN_YAML_DIRECTIVES_MAX) {
            return refuse(fault, position_of(p->s, start),
                          "too many directives", NULL);
        }
    }
    return true;
}

bool
tn_yaml_scan(const char *bytes, size_t n, const struct tn_yaml_limits *limits,
             struct tn_yaml_shape *shape, struct tn_yaml_fault *fault)
{
    if (n > limits->bytes) {
        char message[sizeof fault->message];
        snprintf(message, sizeof message,
                 "the file has %zu bytes, more than the %zu allowed", n,
                 limits->bytes);
        return refuse(fault, (struct tn_pos){1, 1}, message, NULL);
    }
    if (!check_encoding(bytes, n, fault) ||
        !check_characters(bytes, n, fault)) {
        return false;
    }
    struct scan p;
    memset(&p, 0, offsetof(struct scan, indents));
    p.s = bytes;
    p.n = n;
    p.indent = -1;
    p.key_allowed = true;
    p.max =
        limits->depth < TN_YAML_DEPTH_MAX ? limits->depth : TN_YAML_DEPTH_MAX;
    if (!check_depth(&p, fault)) {
        return false;
    }
    if (shape) {
        *shape = p.shape;
    }
    return true;
}
