/* scalar.c - one scalar of YAML into one C value, strictly.
 *
 * A plain scalar that YAML 1.2's core schema reads as a number, a boolean or
 * null is that and no text; a quoted one is text and nothing else.  Numbers
 * are plain decimal.  YAML 1.1's 'no', '0x1F', '1_000' and '12:30' are text,
 * which a number field refuses with a hint. */
#include "model/kinds/field.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/base/net.h"

enum plain { PLAIN_TEXT, PLAIN_NULL, PLAIN_BOOL, PLAIN_NUMBER };

struct tn_diag *
tn_check_error(const struct tn_check *check, struct tn_pos at, const char *fmt,
               ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *message = tn_arena_vprintf(check->diags->arena, fmt, ap);
    va_end(ap);
    return tn_diag(check->diags, TN_ERROR, tn_at(check->path, at), "%s",
                   message);
}

void
tn_check_hint(const struct tn_check *check, struct tn_diag *diag,
              const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag->hint = tn_arena_vprintf(check->diags->arena, fmt, ap);
    va_end(ap);
}

const char *
tn_shown(char buf[TN_SHOWN], const char *s)
{
    size_t n = 0;
    while (*s && n + 8 < TN_SHOWN) {
        unsigned char c = (unsigned char) *s;
        size_t len = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        len = strnlen(s, len);
        if (c < 0x20 || !tn_form_prose.ok(s, len)) {
            buf[n++] = '?';
        } else {
            memcpy(buf + n, s, len);
            n += len;
        }
        s += len;
    }
    if (*s) {
        memcpy(buf + n, "...", 3);
        n += 3;
    }
    buf[n] = '\0';
    return buf;
}

static size_t
span(const char *s, const char *set)
{
    return strspn(s, set);
}

/* [-+]? ( [0-9]+ | \.[0-9]+ | [0-9]+\.[0-9]* ) ([eE][-+]?[0-9]+)?, 0o17,
 * 0x1f, .inf, .nan */
static bool
is_number(const char *s)
{
    static const char digits[] = "0123456789";
    if (s[0] == '0' && (s[1] == 'o' || s[1] == 'x')) {
        size_t n =
            span(s + 2, s[1] == 'o' ? "01234567" : "0123456789abcdefABCDEF");
        return n > 0 && s[2 + n] == '\0';
    }
    if (strcmp(s, ".nan") == 0 || strcmp(s, ".NaN") == 0 ||
        strcmp(s, ".NAN") == 0) {
        return true;
    }
    s += *s == '-' || *s == '+';
    if (strcmp(s, ".inf") == 0 || strcmp(s, ".Inf") == 0 ||
        strcmp(s, ".INF") == 0) {
        return true;
    }
    size_t whole = span(s, digits), fraction = 0;
    s += whole;
    if (*s == '.') {
        fraction = span(s + 1, digits);
        s += 1 + fraction;
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        size_t n = span(s, digits);
        s += n;
        return n > 0 && *s == '\0';
    }
    return *s == '\0';
}

static bool
is_bool(const char *s)
{
    static const char *const words[] = {"true",  "True",  "TRUE",
                                        "false", "False", "FALSE"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++) {
        if (strcmp(s, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum plain
plain_of(const struct tn_node *node)
{
    const char *s = node->scalar.text;
    if (node->quoted) {
        return PLAIN_TEXT;
    }
    switch (s[0]) {
    case '\0':
    case '~':
    case 'n':
    case 'N':
        return tn_node_is_null(node) ? PLAIN_NULL : PLAIN_TEXT;
    case 't':
    case 'T':
    case 'f':
    case 'F':
        return is_bool(s) ? PLAIN_BOOL : PLAIN_TEXT;
    case '.':
    case '-':
    case '+':
        return is_number(s) ? PLAIN_NUMBER : PLAIN_TEXT;
    default:
        return s[0] >= '0' && s[0] <= '9' && is_number(s) ? PLAIN_NUMBER
                                                          : PLAIN_TEXT;
    }
}

const char *
tn_node_called(const struct tn_node *node)
{
    if (node->type != TN_NODE_SCALAR) {
        return node->type == TN_NODE_LIST ? "a list" : "a map";
    }
    switch (plain_of(node)) {
    case PLAIN_TEXT:
        return "text";
    case PLAIN_NULL:
        return "nothing";
    case PLAIN_BOOL:
        return "true or false";
    case PLAIN_NUMBER:
        return "a number";
    }
    return "text";
}

static struct tn_diag *
expected(const struct tn_check *check, const struct tn_node *node,
         const char *what)
{
    return tn_check_error(check, node->at, "expected %s, found %s", what,
                          tn_node_called(node));
}

/* The text of a scalar that is text; else a finding and null. */
static const char *
text_of(const struct tn_check *check, const struct tn_node *node,
        const char *what)
{
    char shown[TN_SHOWN];
    if (node->type == TN_NODE_SCALAR) {
        enum plain plain = plain_of(node);
        if (plain == PLAIN_TEXT) {
            return node->scalar.text;
        }
        struct tn_diag *d = expected(check, node, what);
        if (plain == PLAIN_NULL) {
            tn_check_hint(check, d, "give a value, or leave the field out");
        } else {
            tn_check_hint(check, d, "quote it if it is meant as text: \"%s\"",
                          tn_shown(shown, node->scalar.text));
        }
        return NULL;
    }
    (void) expected(check, node, what);
    return NULL;
}

static size_t
code_points(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += ((unsigned char) s[i] & 0xc0) != 0x80;
    }
    return count;
}

const char *
tn_text_decode(const struct tn_check *check, struct tn_arena *arena,
               const struct tn_form *form, const char *what,
               const struct tn_node *node)
{
    char shown[TN_SHOWN];
    const char *s = text_of(check, node, what);
    if (!s) {
        return NULL;
    }
    size_t n = node->scalar.len;
    if (n > form->max && code_points(s, n) > form->max) {
        tn_check_error(check, node->at,
                       "text of %zu characters is too long: at most %u",
                       code_points(s, n), (unsigned) form->max);
        return NULL;
    }
    if (!form->ok(s, n)) {
        struct tn_diag *d = tn_check_error(check, node->at, "'%s' is not %s",
                                           tn_shown(shown, s), form->name);
        if (form == &tn_form_prose) {
            d->message = tn_arena_strdup(check->diags->arena,
                                         "text has control characters");
        }
        tn_check_hint(check, d, "%s", form->rule);
        return NULL;
    }
    return tn_arena_strndup(arena, s, n);
}

static void
out_of_bounds(const struct tn_check *check, const struct tn_field *f,
              const struct tn_node *node)
{
    char shown[TN_SHOWN];
    tn_check_error(check, node->at, "%s is out of bounds: %llu to %llu",
                   tn_shown(shown, node->scalar.text),
                   (unsigned long long) f->min, (unsigned long long) f->max);
}

/* Digits only, no sign, no leading zero; false on overflow too. */
static bool
decimal(const char *s, size_t n, uint64_t *out)
{
    uint64_t v = 0;
    if (n == 0 || n > 19 || (n > 1 && s[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return false;
        }
        v = v * 10 + (uint64_t) (s[i] - '0');
    }
    *out = v;
    return true;
}

static void
uint_not_decimal(const struct tn_check *check, const struct tn_field *f,
                 const struct tn_node *node)
{
    char shown[TN_SHOWN];
    const char *s = node->type == TN_NODE_SCALAR ? node->scalar.text : "";
    size_t digits = span(s, "0123456789");
    uint64_t v = 0;
    if (node->type == TN_NODE_SCALAR && node->quoted &&
        decimal(s, node->scalar.len, &v)) {
        tn_check_hint(check, expected(check, node, "a number"),
                      "write %s without quotes", tn_shown(shown, s));
    } else if (node->type != TN_NODE_SCALAR || plain_of(node) != PLAIN_NUMBER) {
        (void) expected(check, node, "a number");
    } else if ((digits && s[digits] == '\0' && s[0] != '0') ||
               (s[0] == '-' && s[1])) {
        out_of_bounds(check, f, node);
    } else {
        tn_check_hint(check,
                      tn_check_error(check, node->at,
                                     "'%s' is not a plain decimal number",
                                     tn_shown(shown, s)),
                      "digits only, without leading zeros");
    }
}

static void
uint_decode(const struct tn_check *check, const struct tn_field *f,
            const struct tn_node *node, struct tn_vuint *out)
{
    uint64_t v = 0;
    if (node->type != TN_NODE_SCALAR || node->quoted ||
        !decimal(node->scalar.text, node->scalar.len, &v)) {
        uint_not_decimal(check, f, node);
    } else if (v < f->min || v > f->max) {
        out_of_bounds(check, f, node);
    } else {
        out->v = v;
    }
}

static void
bool_decode(const struct tn_check *check, const struct tn_node *node,
            struct tn_vbool *out)
{
    if (node->type != TN_NODE_SCALAR || !tn_node_bool(node, &out->v)) {
        (void) expected(check, node, "true or false");
    }
}

static bool
usable_addr(const struct tn_addr *a)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    static const uint8_t zero[16];
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    if (tn_addr_is_multicast(a)) {
        return false;
    }
    if (a->family == TN_AF_IPV4) {
        return a->b[0] != 0 && a->b[0] != 127 &&
               memcmp(a->b, broadcast, sizeof broadcast) != 0;
    }
    return memcmp(a->b, zero, 16) != 0 && memcmp(a->b, loopback6, 16) != 0 &&
           !(a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80);
}

static void
addr_decode(const struct tn_check *check, const struct tn_field *f,
            const struct tn_node *node, struct tn_vaddr *out)
{
    char shown[TN_SHOWN];
    struct tn_addr a = {0};
    const char *s = text_of(check, node, "an IP address");
    if (!s) {
        return;
    }
    if (!tn_addr_parse(s, &a)) {
        struct tn_diag *d = tn_check_error(
            check, node->at, "'%s' is not an IP address", tn_shown(shown, s));
        if (strchr(s, '/')) {
            tn_check_hint(check, d, "an address here has no '/length'");
        }
    } else if ((f->flags & TN_IPV6) && a.family != TN_AF_IPV6) {
        tn_check_error(check, node->at, "%s is not an IPv6 address", s);
    } else if ((f->flags & TN_UNICAST) && !usable_addr(&a)) {
        tn_check_error(check, node->at, "%s cannot be the address of a machine",
                       s);
    } else {
        out->v = a;
    }
}

static void
cidr_syntax(const struct tn_check *check, const struct tn_node *node)
{
    char shown[TN_SHOWN];
    struct tn_addr a = {0};
    const char *s = node->scalar.text;
    struct tn_diag *d = tn_check_error(check, node->at, "'%s' is not a prefix",
                                       tn_shown(shown, s));
    if (tn_addr_parse(s, &a)) {
        tn_check_hint(check, d, "one address is %s/%u", s, tn_addr_bits(&a));
    } else {
        tn_check_hint(check, d,
                      "an address, '/' and a length, as 10.0.0.0/8 "
                      "or fd00::/8");
    }
}

static void
cidr_decode(const struct tn_check *check, const struct tn_field *f,
            const struct tn_node *node, struct tn_vcidr *out)
{
    char meant[TN_CIDR_TEXT];
    struct tn_cidr c = {0};
    const char *s = text_of(check, node, "a prefix");
    if (!s) {
        return;
    }
    enum tn_cidr_error error = tn_cidr_parse(s, &c);
    if (error == TN_CIDR_SYNTAX) {
        cidr_syntax(check, node);
        return;
    }
    if (error == TN_CIDR_HOST_BITS) {
        tn_check_hint(
            check, tn_check_error(check, node->at, "%s has host bits set", s),
            "did you mean %s?", tn_cidr_format(&c, meant));
    } else if ((f->flags & TN_IPV6) && c.addr.family != TN_AF_IPV6) {
        tn_check_error(check, node->at, "%s is not an IPv6 prefix", s);
    } else if ((f->flags & TN_UNICAST) && c.len > 0 && !usable_addr(&c.addr)) {
        tn_check_error(check, node->at,
                       "%s holds no addresses that machines can have", s);
    } else {
        out->v = c;
    }
}

static void
mac_decode(const struct tn_check *check, const struct tn_node *node,
           struct tn_vmac *out)
{
    char shown[TN_SHOWN];
    struct tn_mac m = {0};
    const char *s = text_of(check, node, "a MAC address");
    if (!s) {
        return;
    }
    if (!tn_mac_parse(s, &m)) {
        tn_check_hint(check,
                      tn_check_error(check, node->at,
                                     "'%s' is not a MAC address",
                                     tn_shown(shown, s)),
                      "six octets with colons, as 02:74:6e:00:00:01");
    } else if (tn_mac_is_multicast(&m)) {
        tn_check_hint(
            check,
            tn_check_error(check, node->at, "MAC %s is a multicast address", s),
            "the second digit of a port's MAC is even");
    } else if (tn_mac_is_zero(&m)) {
        tn_check_error(check, node->at, "MAC %s is all zeros", s);
    } else {
        out->v = m;
    }
}

static void
not_a_word(const struct tn_check *check, const struct tn_field *f,
           const struct tn_node *node)
{
    char shown[TN_SHOWN];
    TN_CLEANUP(tn_cleanup_text) struct tn_text words = {0};
    const char *s = text_of(check, node, "a word");
    if (!s) {
        return;
    }
    struct tn_diag *d =
        tn_check_error(check, node->at, "'%s' is not a value of '%s'",
                       tn_shown(shown, s), f->name);
    const char *near = tn_nearest(s, f->words, f->n_words);
    if (near) {
        tn_check_hint(check, d, "did you mean '%s'?", near);
        return;
    }
    for (uint32_t i = 0; i < f->n_words; i++) {
        tn_text_addf(&words, "%s%s", i ? ", " : "", f->words[i]);
    }
    tn_check_hint(check, d, "%s%s", f->n_words > 1 ? "one of " : "",
                  tn_text_str(&words));
}

static void
word_decode(const struct tn_check *check, const struct tn_field *f,
            const struct tn_node *node, struct tn_venum *out)
{
    if (node->type == TN_NODE_SCALAR) {
        const char *s = node->scalar.text;
        for (uint32_t i = 0; i < f->n_words; i++) {
            if (s[0] == f->words[i][0] && strcmp(s, f->words[i]) == 0) {
                out->v = i;
                return;
            }
        }
    }
    out->v = TN_WORD_BAD;
    not_a_word(check, f, node);
}

static bool
port_number(const char *s, size_t n, uint16_t *out)
{
    uint64_t v = 0;
    if (!decimal(s, n, &v) || v == 0 || v > 65535) {
        return false;
    }
    *out = (uint16_t) v;
    return true;
}

static void
range_decode(const struct tn_check *check, const struct tn_node *node,
             struct tn_vrange *out)
{
    static const char what[] = "a port number or a range";
    char shown[TN_SHOWN];
    uint16_t first = 0, last = 0;
    if (node->type != TN_NODE_SCALAR || plain_of(node) == PLAIN_NULL ||
        plain_of(node) == PLAIN_BOOL) {
        (void) expected(check, node, what);
        return;
    }
    const char *s = node->scalar.text;
    size_t n = node->scalar.len, dash = strcspn(s, "-");
    if (port_number(s, n, &first)) {
        if (node->quoted) {
            tn_check_hint(check, expected(check, node, what),
                          "write %s without quotes", s);
            return;
        }
        last = first;
    } else if (s[dash] == '\0' || !port_number(s, dash, &first) ||
               !port_number(s + dash + 1, n - dash - 1, &last)) {
        tn_check_hint(check,
                      tn_check_error(check, node->at,
                                     "'%s' is not a port number or a range",
                                     tn_shown(shown, s)),
                      "1 to 65535, as 443 or \"8000-8100\"");
        return;
    } else if (first > last) {
        tn_check_hint(check,
                      tn_check_error(check, node->at,
                                     "port range %s ends before it starts", s),
                      "did you mean \"%u-%u\"?", last, first);
        return;
    }
    out->first = first;
    out->last = last;
}

void
tn_scalar_decode(const struct tn_check *check, struct tn_arena *arena,
                 const struct tn_field *field, const struct tn_node *node,
                 void *out)
{
    switch (field->type) {
    case TN_FIELD_TEXT: {
        struct tn_vtext *text = out;
        text->at = node->at;
        text->v = tn_text_decode(check, arena, field->form, "text", node);
        break;
    }
    case TN_FIELD_UINT:
        ((struct tn_vuint *) out)->at = node->at;
        uint_decode(check, field, node, out);
        break;
    case TN_FIELD_BOOL:
        ((struct tn_vbool *) out)->at = node->at;
        bool_decode(check, node, out);
        break;
    case TN_FIELD_ADDR:
        ((struct tn_vaddr *) out)->at = node->at;
        addr_decode(check, field, node, out);
        break;
    case TN_FIELD_CIDR:
        ((struct tn_vcidr *) out)->at = node->at;
        cidr_decode(check, field, node, out);
        break;
    case TN_FIELD_MAC:
        ((struct tn_vmac *) out)->at = node->at;
        mac_decode(check, node, out);
        break;
    case TN_FIELD_WORD:
        ((struct tn_venum *) out)->at = node->at;
        word_decode(check, field, node, out);
        break;
    case TN_FIELD_RANGE:
        ((struct tn_vrange *) out)->at = node->at;
        range_decode(check, node, out);
        break;
    case TN_FIELD_OBJECT:
    case TN_FIELD_LABELS:
        break;
    }
}
