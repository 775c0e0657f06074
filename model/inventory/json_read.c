/* json_read.c - JSON files of variables, as nodes.
 *
 * Ansible tries every file as JSON first and as YAML second, and the two
 * differ where it matters: 1e5 is a float in JSON and text in YAML 1.1, JSON
 * may be indented with tabs.  So this reads what Python's json module reads
 * and answers null for all else, which then is YAML's to judge: no error is
 * reported from here.  Hand-written rather than jansson because every node
 * keeps its line and column. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

struct reader {
    struct tn_arena *arena;
    const struct tn_yaml_limits *limits;
    const char *s, *end; /* '*end' is NUL. */
    struct tn_pos at;
    size_t depth, nodes;
    struct tn_text text; /* Scratch. */
};

static void
advance(struct reader *r, size_t n)
{
    for (; n > 0; n--, r->s++) {
        if (*r->s == '\n') {
            r->at.line++;
            r->at.column = 1;
        } else if ((*r->s & 0xc0) != 0x80) {
            r->at.column++;
        }
    }
}

static void
skip_space(struct reader *r)
{
    advance(r, strspn(r->s, " \t\r\n"));
}

static bool
take(struct reader *r, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(r->s, word, n) != 0) {
        return false;
    }
    advance(r, n);
    return true;
}

static struct tn_node *
new_node(struct reader *r, enum tn_node_type type)
{
    struct tn_node *node = tn_new(r->arena, struct tn_node);

    r->nodes++;
    node->type = type;
    node->at = r->at;
    return node;
}

static bool
hex4(struct reader *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, r->s++) {
        char c = *r->s;

        if (!isxdigit((unsigned char) c)) {
            return false;
        }
        *out = *out * 16 + (uint32_t) (isdigit((unsigned char) c)
                                           ? c - '0'
                                           : (c | 0x20) - 'a' + 10);
    }
    r->at.column += 4;
    return true;
}

static void
add_utf8(struct tn_text *t, uint32_t c)
{
    if (c < 0x80) {
        tn_text_addc(t, (char) c);
    } else if (c < 0x800) {
        tn_text_addc(t, (char) (0xc0 | c >> 6));
        tn_text_addc(t, (char) (0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        tn_text_addc(t, (char) (0xe0 | c >> 12));
        tn_text_addc(t, (char) (0x80 | (c >> 6 & 0x3f)));
        tn_text_addc(t, (char) (0x80 | (c & 0x3f)));
    } else {
        tn_text_addc(t, (char) (0xf0 | c >> 18));
        tn_text_addc(t, (char) (0x80 | (c >> 12 & 0x3f)));
        tn_text_addc(t, (char) (0x80 | (c >> 6 & 0x3f)));
        tn_text_addc(t, (char) (0x80 | (c & 0x3f)));
    }
}

/* After "\u".  A lone surrogate and NUL have no place in our texts. */
static bool
read_unicode(struct reader *r)
{
    uint32_t c, low;

    if (!hex4(r, &c)) {
        return false;
    }
    if (c >= 0xd800 && c < 0xdc00) {
        if (!take(r, "\\u") || !hex4(r, &low) || low < 0xdc00 || low > 0xdfff) {
            return false;
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    add_utf8(&r->text, c);
    return c != 0 && !(c >= 0xdc00 && c < 0xe000);
}

static bool
read_escape(struct reader *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p;

    advance(r, 1);
    if (*r->s == 'u') {
        advance(r, 1);
        return read_unicode(r);
    }
    p = *r->s ? strchr(from, *r->s) : NULL;
    if (!p) {
        return false;
    }
    tn_text_addc(&r->text, to[p - from]);
    advance(r, 1);
    return true;
}

/* At the opening quote; the result is in 'r->text'. */
static bool
read_text(struct reader *r, size_t max)
{
    tn_text_clear(&r->text);
    advance(r, 1);
    while (*r->s != '"') {
        if ((unsigned char) *r->s < 0x20) {
            return false;
        }
        if (*r->s == '\\') {
            if (!read_escape(r)) {
                return false;
            }
        } else {
            tn_text_addc(&r->text, *r->s);
            advance(r, 1);
        }
    }
    advance(r, 1);
    return r->text.n <= max;
}

static const struct tn_node *
scalar(struct reader *r, struct tn_node *node, bool quoted)
{
    node->quoted = quoted;
    node->scalar.len = r->text.n;
    node->scalar.text =
        tn_arena_strndup(r->arena, tn_text_str(&r->text), r->text.n);
    return node;
}

/* YAML 1.1 wants a point in a float, and a sign in its exponent. */
static void
spell_float(struct reader *r, double value)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text python = {0};
    const char *e;

    if (isinf(value) || isnan(value)) {
        tn_text_add(&r->text, isnan(value) ? ".nan"
                              : value < 0  ? "-.inf"
                                           : ".inf");
        return;
    }
    tn_scalar_format_double(value, &python);
    e = strchr(python.s, 'e');
    if (e && !strchr(python.s, '.')) {
        tn_text_addn(&r->text, python.s, (size_t) (e - python.s));
        tn_text_addf(&r->text, ".0%s", e);
    } else {
        tn_text_add(&r->text, python.s);
    }
}

static size_t
digits(const char *s)
{
    return strspn(s, "0123456789");
}

static const struct tn_node *
read_number(struct reader *r)
{
    struct tn_node *node = new_node(r, TN_NODE_SCALAR);
    const char *p = r->s + (*r->s == '-');
    size_t n = *p == '0' ? 1 : digits(p);
    bool is_float = false;

    if (n == 0) {
        return NULL;
    }
    p += n;
    if (*p == '.' && digits(p + 1)) {
        is_float = true;
        p += 1 + digits(p + 1);
    }
    if (*p == 'e' || *p == 'E') {
        const char *q = p + 1 + (p[1] == '+' || p[1] == '-');

        if (digits(q)) {
            is_float = true;
            p = q + digits(q);
        }
    }
    tn_text_clear(&r->text);
    if (is_float) {
        spell_float(r, strtod(r->s, NULL));
    } else {
        tn_text_addn(&r->text, r->s, (size_t) (p - r->s));
    }
    advance(r, (size_t) (p - r->s));
    return r->text.n <= r->limits->scalar ? scalar(r, node, false) : NULL;
}

static const struct tn_node *
read_word(struct reader *r)
{
    static const char *const words[][2] = {
        {"true", "true"},     {"false", "false"}, {"null", "null"},
        {"Infinity", ".inf"}, {"NaN", ".nan"},    {"-Infinity", "-.inf"},
    };
    struct tn_node *node = new_node(r, TN_NODE_SCALAR);

    for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++) {
        if (take(r, words[i][0])) {
            tn_text_clear(&r->text);
            tn_text_add(&r->text, words[i][1]);
            return scalar(r, node, false);
        }
    }
    return NULL;
}

static const struct tn_node *read_value(struct reader *r);

static const struct tn_node *
read_list(struct reader *r)
{
    struct tn_node *node = new_node(r, TN_NODE_LIST);
    TN_VEC(const struct tn_node *) items = {0};

    advance(r, 1);
    skip_space(r);
    if (take(r, "]")) {
        return node;
    }
    do {
        const struct tn_node *item = read_value(r);

        if (!item) {
            return NULL;
        }
        *tn_vec_push(r->arena, &items) = item;
    } while (take(r, ","));
    node->list.items = items.items;
    node->list.n = items.n;
    return take(r, "]") ? node : NULL;
}

static bool
read_pair(struct reader *r, struct tn_pair *pair)
{
    skip_space(r);
    pair->at = r->at;
    pair->quoted = true;
    if (*r->s != '"' || !read_text(r, r->limits->key)) {
        return false;
    }
    pair->key = tn_arena_strndup(r->arena, tn_text_str(&r->text), r->text.n);
    skip_space(r);
    if (!take(r, ":")) {
        return false;
    }
    pair->value = read_value(r);
    return pair->value != NULL;
}

static const struct tn_node *
read_map(struct reader *r)
{
    struct tn_node *node = new_node(r, TN_NODE_MAP);
    TN_VEC(struct tn_pair) pairs = {0};
    struct tn_map seen;

    advance(r, 1);
    skip_space(r);
    if (take(r, "}")) {
        return node;
    }
    tn_map_init(&seen, r->arena, 0);
    do {
        struct tn_pair pair;
        size_t former;

        if (!read_pair(r, &pair)) {
            return NULL;
        }
        former = (size_t) (uintptr_t) tn_map_get(&seen, pair.key);
        if (former) {
            pairs.items[former - 1].value = pair.value;
        } else {
            *tn_vec_push(r->arena, &pairs) = pair;
            tn_map_put(&seen, pair.key, (void *) (uintptr_t) pairs.n);
        }
    } while (take(r, ","));
    node->map.pairs = pairs.items;
    node->map.n = pairs.n;
    return take(r, "}") ? node : NULL;
}

static const struct tn_node *
read_value(struct reader *r)
{
    const struct tn_node *node = NULL;

    skip_space(r);
    if (r->depth == r->limits->depth || r->nodes >= r->limits->nodes) {
        return NULL;
    }
    r->depth++;
    if (*r->s == '{') {
        node = read_map(r);
    } else if (*r->s == '[') {
        node = read_list(r);
    } else if (*r->s == '"') {
        struct tn_node *text = new_node(r, TN_NODE_SCALAR);

        node = read_text(r, r->limits->scalar) ? scalar(r, text, true) : NULL;
    } else if (isdigit((unsigned char) *r->s) ||
               (*r->s == '-' && isdigit((unsigned char) r->s[1]))) {
        node = read_number(r);
    } else {
        node = read_word(r);
    }
    r->depth--;
    skip_space(r);
    return node;
}

const struct tn_node *
tn_json_read(struct tn_arena *arena, const char *bytes, size_t n,
             const struct tn_yaml_limits *limits)
{
    struct reader r = {.arena = arena,
                       .limits = limits,
                       .s = bytes,
                       .end = bytes + n,
                       .at = {1, 1}};
    const struct tn_node *node = NULL;

    skip_space(&r);
    if (*r.s == '{' && n <= limits->bytes && tn_is_utf8(bytes, n)) {
        node = read_value(&r);
    }
    tn_text_done(&r.text);
    return node && r.s == r.end ? node : NULL;
}
