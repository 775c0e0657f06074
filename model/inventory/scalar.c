/* scalar.c - what a scalar of an Ansible file means.
 *
 * Ansible reads YAML 1.1 by PyYAML's resolver: 'yes' is a boolean, '0x1F',
 * '017', '1_000' and '52:54:00:12:34:56' are integers (the last one to base
 * 60), '2021-01-02' is a date.  The patterns are those of yaml/resolver.py,
 * each matched by one small function; what they let through may still have no
 * value ('0x_', the 45th of January), as PyYAML finds when it constructs it.
 *
 * Values are kept as text and only spelled anew when printed: integers have no
 * bound, hence the arithmetic on arrays of limbs. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

/* Python refuses to print longer integers (sys.int_info.default_max_str_digits)
 * and so do we. */
enum { INT_DIGITS_MAX = 4300, LIMB_DIGITS = 9, LIMBS_MAX = 480 };
enum { LIMB_BASE = 1000000000, BASE60_PARTS_MAX = 64 };

/* An integer of any size, least significant limb first. */
struct big {
    uint32_t limb[LIMBS_MAX];
    size_t n;
};

static bool
one_of(const char *s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(s, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *
skip_sign(const char *s)
{
    return *s == '-' || *s == '+' ? s + 1 : s;
}

static size_t
span(const char *s, const char *set)
{
    return strspn(s, set);
}

/* (?::[0-5]?[0-9])+ : the end of the match, or null. */
static const char *
skip_base60(const char *s)
{
    if (*s != ':') {
        return NULL;
    }
    while (*s == ':' && isdigit((unsigned char) s[1])) {
        if (isdigit((unsigned char) s[2])) {
            if (s[1] > '5') {
                return NULL;
            }
            s += 3;
        } else {
            s += 2;
        }
    }
    return s;
}

static bool
is_int(const char *s)
{
    s = skip_sign(s);
    if (s[0] == '0' && s[1] == 'b') {
        return s[2] && !s[2 + span(s + 2, "01_")];
    }
    if (s[0] == '0' && s[1] == 'x') {
        return s[2] && !s[2 + span(s + 2, "0123456789abcdefABCDEF_")];
    }
    if (s[0] == '0') {
        return !s[1 + span(s + 1, "01234567_")];
    }
    if (*s < '1' || *s > '9') {
        return false;
    }
    s += span(s, "0123456789_");
    if (*s == ':') {
        s = skip_base60(s);
    }
    return s && !*s;
}

/* (?:[eE][-+][0-9]+)? */
static const char *
skip_exponent(const char *s)
{
    if ((*s == 'e' || *s == 'E') && (s[1] == '-' || s[1] == '+') &&
        isdigit((unsigned char) s[2])) {
        return s + 2 + span(s + 2, "0123456789");
    }
    return s;
}

static bool
is_float(const char *s)
{
    static const char *const infs[] = {".inf", ".Inf", ".INF"};
    static const char *const nans[] = {".nan", ".NaN", ".NAN"};
    const char *p = skip_sign(s);

    if (one_of(p, infs, 3) || one_of(s, nans, 3)) {
        return true;
    }
    if (*s == '.') {
        return isdigit((unsigned char) s[1]) &&
               !*skip_exponent(s + 1 + span(s + 1, "0123456789_"));
    }
    if (!isdigit((unsigned char) *p)) {
        return false;
    }
    p += span(p, "0123456789_");
    if (*p == ':') {
        p = skip_base60(p);
        return p && *p == '.' && !p[1 + span(p + 1, "0123456789_")];
    }
    return *p == '.' && !*skip_exponent(p + 1 + span(p + 1, "0123456789_"));
}

/* Between 'least' and 'most' digits; the value into '*out'. */
static const char *
digits(const char *s, int least, int most, int *out)
{
    int n = 0;

    *out = 0;
    while (s && n < most && isdigit((unsigned char) s[n])) {
        *out = *out * 10 + (s[n] - '0');
        n++;
    }
    return s && n >= least ? s + n : NULL;
}

static const char *
literal(const char *s, char c)
{
    return s && *s == c ? s + 1 : NULL;
}

struct moment {
    int year, month, day, hour, minute, second, micro, zone_h, zone_m;
    bool has_time, has_zone, west;
};

static const char *
scan_zone(const char *s, struct moment *m)
{
    const char *p = s + span(s, " \t");

    if (*p == 'Z') {
        m->has_zone = true;
        return p + 1;
    }
    if (*p != '+' && *p != '-') {
        return s;
    }
    m->has_zone = true;
    m->west = *p == '-';
    p = digits(p + 1, 1, 2, &m->zone_h);
    if (p && *p == ':') {
        p = digits(p + 1, 2, 2, &m->zone_m);
    }
    return p;
}

static const char *
scan_fraction(const char *s, struct moment *m)
{
    int scale = 100000;

    if (!s || *s != '.') {
        return s;
    }
    for (s++; isdigit((unsigned char) *s); s++) {
        m->micro += (*s - '0') * scale;
        scale /= 10;
    }
    return s;
}

/* A date alone has two digits for month and day; with a time, one will do. */
static bool
scan_time(const char *text, struct moment *m)
{
    const char *s = literal(digits(text, 4, 4, &m->year), '-');

    memset(&m->hour, 0, sizeof *m - offsetof(struct moment, hour));
    s = literal(digits(s, 1, 2, &m->month), '-');
    s = digits(s, 1, 2, &m->day);
    if (!s) {
        return false;
    }
    if (!*s) {
        return s - text == 10;
    }
    m->has_time = true;
    if (*s == 'T' || *s == 't') {
        s++;
    } else if (*s == ' ' || *s == '\t') {
        s += span(s, " \t");
    } else {
        return false;
    }
    s = literal(digits(s, 1, 2, &m->hour), ':');
    s = literal(digits(s, 2, 2, &m->minute), ':');
    s = scan_fraction(digits(s, 2, 2, &m->second), m);
    s = s ? scan_zone(s, m) : NULL;
    return s && !*s;
}

static bool
is_leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static bool
format_time(const char *text, struct tn_text *out)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct moment m = {0};
    int zone;

    if (!scan_time(text, &m) || m.year < 1 || m.month < 1 || m.month > 12 ||
        m.day < 1 ||
        m.day > days[m.month - 1] + (m.month == 2 && is_leap(m.year)) ||
        m.hour > 23 || m.minute > 59 || m.second > 59) {
        return false;
    }
    zone = m.zone_h * 60 + m.zone_m;
    if (zone >= 24 * 60) {
        return false;
    }
    tn_text_addf(out, "%04d-%02d-%02d", m.year, m.month, m.day);
    if (!m.has_time) {
        return true;
    }
    tn_text_addf(out, "T%02d:%02d:%02d", m.hour, m.minute, m.second);
    if (m.micro) {
        tn_text_addf(out, ".%06d", m.micro);
    }
    if (m.has_zone) {
        tn_text_addf(out, "%c%02d:%02d", m.west && zone ? '-' : '+', zone / 60,
                     zone % 60);
    }
    return true;
}

/* big = big * factor + addend; false if it grows too long. */
static bool
big_step(struct big *b, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;

    for (size_t i = 0; i < b->n; i++) {
        carry += (uint64_t) b->limb[i] * factor;
        b->limb[i] = (uint32_t) (carry % LIMB_BASE);
        carry /= LIMB_BASE;
    }
    while (carry) {
        if (b->n == LIMBS_MAX) {
            return false;
        }
        b->limb[b->n++] = (uint32_t) (carry % LIMB_BASE);
        carry /= LIMB_BASE;
    }
    return true;
}

static bool
big_format(const struct big *b, bool negative, struct tn_text *out)
{
    char top[16];

    if (b->n == 0) {
        tn_text_addc(out, '0');
        return true;
    }
    snprintf(top, sizeof top, "%u", b->limb[b->n - 1]);
    if (strlen(top) + (b->n - 1) * LIMB_DIGITS > INT_DIGITS_MAX) {
        return false;
    }
    tn_text_addf(out, "%s%s", negative ? "-" : "", top);
    for (size_t i = b->n - 1; i-- > 0;) {
        tn_text_addf(out, "%09u", b->limb[i]);
    }
    return true;
}

static uint32_t
digit_value(char c)
{
    return isdigit((unsigned char) c) ? (uint32_t) (c - '0')
                                      : (uint32_t) ((c | 0x20) - 'a' + 10);
}

static bool
read_base60(const char *s, struct big *b)
{
    /* PyYAML lets int() read the parts: the first one has any length. */
    for (const char *p = s; *p && *p != ':'; p++) {
        if (*p != '_' && !big_step(b, 10, digit_value(*p))) {
            return false;
        }
    }
    for (s = strchr(s, ':'); s; s = strchr(s + 1, ':')) {
        uint32_t part = 0;

        for (const char *p = s + 1; isdigit((unsigned char) *p); p++) {
            part = part * 10 + digit_value(*p);
        }
        if (!big_step(b, 60, part)) {
            return false;
        }
    }
    return true;
}

static bool
format_int(const char *text, struct tn_text *out)
{
    const char *s = skip_sign(text);
    struct big b = {.n = 0};
    uint32_t base = 10, chunk = 0, factor = 1;
    bool any = false;

    if (strchr(s, ':')) {
        return read_base60(s, &b) && big_format(&b, *text == '-', out);
    }
    if (s[0] == '0' && (s[1] == 'b' || s[1] == 'x')) {
        base = s[1] == 'b' ? 2 : 16;
        s += 2;
    } else if (s[0] == '0') {
        base = 8;
    }
    for (; *s; s++) {
        if (*s == '_') {
            continue;
        }
        any = true;
        chunk = chunk * base + digit_value(*s);
        factor *= base;
        /* As many digits at a time as fit: long numbers are hostile. */
        if (factor > LIMB_BASE / 16) {
            if (!big_step(&b, factor, chunk)) {
                return false;
            }
            chunk = 0;
            factor = 1;
        }
    }
    return any && big_step(&b, factor, chunk) &&
           big_format(&b, *text == '-', out);
}

/* 'digits' significant digits 'd', decimal point after 'point' of them. */
static void
place_point(const char *d, int n, int point, struct tn_text *out)
{
    if (point > 16 || point <= -4) {
        tn_text_addc(out, d[0]);
        if (n > 1) {
            tn_text_addf(out, ".%s", d + 1);
        }
        tn_text_addf(out, "e%c%02d", point - 1 < 0 ? '-' : '+', abs(point - 1));
    } else if (point <= 0) {
        tn_text_add(out, "0.");
        for (int i = point; i < 0; i++) {
            tn_text_addc(out, '0');
        }
        tn_text_add(out, d);
    } else {
        tn_text_addn(out, d, (size_t) (n < point ? n : point));
        for (int i = n; i < point; i++) {
            tn_text_addc(out, '0');
        }
        tn_text_addf(out, ".%s", n > point ? d + point : "0");
    }
}

void
tn_scalar_format_double(double value, struct tn_text *out)
{
    char buf[40], d[24];
    int n = 0, point;
    const char *p;

    if (isnan(value) || isinf(value)) {
        tn_text_add(out, isnan(value) ? "NaN"
                         : value < 0  ? "-Infinity"
                                      : "Infinity");
        return;
    }
    for (int precision = 0; precision < 17; precision++) {
        snprintf(buf, sizeof buf, "%.*e", precision, fabs(value));
        if (strtod(buf, NULL) == fabs(value)) {
            break;
        }
    }
    for (p = buf; *p != 'e'; p++) {
        if (isdigit((unsigned char) *p)) {
            d[n++] = *p;
        }
    }
    point = atoi(p + 1) + 1;
    while (n > 1 && d[n - 1] == '0') {
        n--;
    }
    d[n] = '\0';
    if (signbit(value)) {
        tn_text_addc(out, '-');
    }
    place_point(d, n, point, out);
}

/* 1:30.5: summed from the last part on, as PyYAML does, for equal rounding. */
static bool
read_float(char *s, double *out)
{
    double part[BASE60_PARTS_MAX], base = 1;
    size_t n = 0;

    for (char *end; s; s = *end == ':' ? end + 1 : NULL) {
        if (n == BASE60_PARTS_MAX) {
            return false;
        }
        part[n++] = strtod(s, &end);
    }
    *out = 0;
    while (n-- > 0) {
        *out += part[n] * base;
        base *= 60;
    }
    return true;
}

static bool
format_float(const char *text, struct tn_text *out)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text clean = {0};
    const char *s = skip_sign(text);
    double value = 0;

    if (strpbrk(s, "iInN")) {
        value = strpbrk(s, "fF") ? HUGE_VAL : (double) NAN;
    } else {
        for (const char *p = s; *p; p++) {
            if (*p != '_') {
                tn_text_addc(&clean, *p);
            }
        }
        if (!read_float(clean.s, &value)) {
            return false;
        }
    }
    tn_scalar_format_double(*text == '-' ? -value : value, out);
    return true;
}

/* ------------------------------------------------------------- public ---- */

enum tn_scalar_type
tn_scalar_type(const char *text)
{
    static const char *const bools[] = {
        "yes",   "Yes",   "YES",   "no", "No", "NO", "true", "True", "TRUE",
        "false", "False", "FALSE", "on", "On", "ON", "off",  "Off",  "OFF"};
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    struct moment m;

    switch (text[0]) {
    case '\0':
    case '~':
        return text[0] && text[1] ? TN_SCALAR_TEXT : TN_SCALAR_NULL;
    case '=':
        return text[1] ? TN_SCALAR_TEXT : TN_SCALAR_SPECIAL;
    case '<':
        return strcmp(text, "<<") == 0 ? TN_SCALAR_SPECIAL : TN_SCALAR_TEXT;
    default:
        break;
    }
    if (isdigit((unsigned char) text[0]) || strchr("+-.", text[0])) {
        return is_float(text)        ? TN_SCALAR_FLOAT
               : is_int(text)        ? TN_SCALAR_INT
               : scan_time(text, &m) ? TN_SCALAR_TIME
                                     : TN_SCALAR_TEXT;
    }
    if (strlen(text) <= 5 && strchr("yYnNtTfFoO", text[0])) {
        return one_of(text, bools, TN_ARRAY_SIZE(bools))   ? TN_SCALAR_BOOL
               : one_of(text, nulls, TN_ARRAY_SIZE(nulls)) ? TN_SCALAR_NULL
                                                           : TN_SCALAR_TEXT;
    }
    return TN_SCALAR_TEXT;
}

bool
tn_scalar_format(enum tn_scalar_type type, const char *text,
                 struct tn_text *out)
{
    switch (type) {
    case TN_SCALAR_TEXT:
        tn_text_add(out, text);
        return true;
    case TN_SCALAR_NULL:
        tn_text_add(out, "null");
        return true;
    case TN_SCALAR_BOOL:
        /* yes, true and on against no, false and off. */
        tn_text_add(out, strchr("yYtT", text[0]) || strcasecmp(text, "on") == 0
                             ? "true"
                             : "false");
        return true;
    case TN_SCALAR_INT:
        return format_int(text, out);
    case TN_SCALAR_FLOAT:
        return format_float(text, out);
    case TN_SCALAR_TIME:
        return format_time(text, out);
    case TN_SCALAR_SPECIAL:
        return false;
    }
    return false;
}

bool
tn_node_scalar_type(const struct tn_node *node, enum tn_scalar_type *out)
{
    if (node->type != TN_NODE_SCALAR) {
        return false;
    }
    *out = node->quoted || node->tag ? TN_SCALAR_TEXT
                                     : tn_scalar_type(node->scalar.text);
    return true;
}

bool
tn_pair_is_text(const struct tn_pair *pair)
{
    /* As a key, '=' is text: SafeConstructor.flatten_mapping. */
    return pair->quoted || strcmp(pair->key, "=") == 0 ||
           tn_scalar_type(pair->key) == TN_SCALAR_TEXT;
}

bool
tn_node_is_falsy(const struct tn_node *node)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text value = {0};
    enum tn_scalar_type type;

    if (!tn_node_scalar_type(node, &type)) {
        return node->type == TN_NODE_LIST ? node->list.n == 0
                                          : node->map.n == 0;
    }
    if (type == TN_SCALAR_TEXT) {
        return node->scalar.len == 0;
    }
    if (!tn_scalar_format(type, node->scalar.text, &value)) {
        return false;
    }
    return type == TN_SCALAR_NULL || tn_streq(value.s, "false") ||
           tn_streq(value.s, "0") || tn_streq(value.s, "0.0") ||
           tn_streq(value.s, "-0.0");
}
