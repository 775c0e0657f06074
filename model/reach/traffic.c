/* traffic.c - see traffic.h.
 *
 * Ports of one protocol are a sorted list of disjoint intervals; the three
 * operations are one merge walk over the bounds of two lists, which keeps a
 * stretch if the operation says so of "in a" and "in b". */
#include "model/reach/traffic.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"

static const struct tn_port_span every_port[] = {{0, UINT16_MAX}};

const struct tn_traffic tn_traffic_none = {0};
const struct tn_traffic tn_traffic_all = {
    .spans = {every_port, every_port, every_port},
    .n = {1, 1, 1},
    .icmp = true,
    .other = true,
};

static const char *const words[TN_N_PORTED] = {"tcp", "udp", "sctp"};

/* What to keep of two sets. */
enum op { OP_OR, OP_AND, OP_MINUS };

static bool
keeps(enum op op, bool a, bool b)
{
    switch (op) {
    case OP_OR:
        return a || b;
    case OP_AND:
        return a && b;
    case OP_MINUS:
        return a && !b;
    }
    return false;
}

struct list {
    const struct tn_port_span *at;
    uint32_t n;
};

/* Where the state of 'l' changes next after 'x', from 'x' on; 65536: never. */
static uint32_t
next_bound(const struct list *l, uint32_t x)
{
    if (l->n == 0) {
        return UINT16_MAX + 1u;
    }
    return l->at->first > x ? l->at->first : l->at->last + 1u;
}

static void
skip(struct list *l, uint32_t x)
{
    while (l->n && l->at->last < x) {
        l->at++;
        l->n--;
    }
}

static uint32_t
combine_spans(enum op op, struct list a, struct list b,
              struct tn_port_span *out)
{
    uint32_t n = 0;
    for (uint32_t x = 0; x <= UINT16_MAX;) {
        skip(&a, x);
        skip(&b, x);
        uint32_t na = next_bound(&a, x), nb = next_bound(&b, x);
        uint32_t end = (na < nb ? na : nb) - 1;
        bool in_a = a.n && a.at->first <= x, in_b = b.n && b.at->first <= x;
        if (keeps(op, in_a, in_b)) {
            if (n && out[n - 1].last + 1u == x) {
                out[n - 1].last = (uint16_t) end;
            } else {
                out[n++] = (struct tn_port_span){(uint16_t) x, (uint16_t) end};
            }
        }
        x = end + 1;
    }
    return n;
}

static const struct tn_traffic *
combine(struct tn_arena *arena, enum op op, const struct tn_traffic *a,
        const struct tn_traffic *b)
{
    struct tn_traffic *t = tn_new(arena, struct tn_traffic);
    for (size_t i = 0; i < TN_N_PORTED; i++) {
        size_t most = (size_t) a->n[i] + b->n[i] + 1;
        struct tn_port_span *out = tn_new_n(arena, struct tn_port_span, most);
        t->n[i] = combine_spans(op, (struct list){a->spans[i], a->n[i]},
                                (struct list){b->spans[i], b->n[i]}, out);
        t->spans[i] = out;
    }
    t->icmp = keeps(op, a->icmp, b->icmp);
    t->other = keeps(op, a->other, b->other);
    return t;
}

static int
span_cmp(const void *a, const void *b)
{
    const struct tn_port_span *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static uint32_t
merge(struct tn_port_span *spans, size_t n)
{
    uint32_t kept = 0;
    qsort(spans, n, sizeof *spans, span_cmp);
    for (size_t i = 0; i < n; i++) {
        if (kept && spans[i].first <= spans[kept - 1].last + 1u) {
            if (spans[i].last > spans[kept - 1].last) {
                spans[kept - 1].last = spans[i].last;
            }
        } else {
            spans[kept++] = spans[i];
        }
    }
    return kept;
}

static void
set_ports(struct tn_arena *arena, struct tn_traffic *t, enum tn_ported which,
          const struct tn_vrange *ports, size_t n)
{
    t->spans[which] = every_port;
    t->n[which] = 1;
    if (n) {
        struct tn_port_span *spans = tn_new_n(arena, struct tn_port_span, n);
        for (size_t i = 0; i < n; i++) {
            spans[i] = (struct tn_port_span){ports[i].first, ports[i].last};
        }
        t->n[which] = merge(spans, n);
        t->spans[which] = spans;
    }
}

const struct tn_traffic *
tn_traffic_of(struct tn_arena *arena, enum tn_protocol protocol,
              const struct tn_vrange *ports, size_t n)
{
    struct tn_traffic *t = tn_new(arena, struct tn_traffic);
    switch (protocol) {
    case TN_PROTO_ANY:
        if (n == 0) {
            return &tn_traffic_all;
        }
        set_ports(arena, t, TN_PORTED_TCP, ports, n);
        set_ports(arena, t, TN_PORTED_UDP, ports, n);
        set_ports(arena, t, TN_PORTED_SCTP, ports, n);
        break;
    case TN_PROTO_TCP:
        set_ports(arena, t, TN_PORTED_TCP, ports, n);
        break;
    case TN_PROTO_UDP:
        set_ports(arena, t, TN_PORTED_UDP, ports, n);
        break;
    case TN_PROTO_ICMP:
        t->icmp = true;
        break;
    case TN_PROTO_SCTP:
        set_ports(arena, t, TN_PORTED_SCTP, ports, n);
        break;
    }
    return t;
}

const struct tn_traffic *
tn_traffic_or(struct tn_arena *arena, const struct tn_traffic *a,
              const struct tn_traffic *b)
{
    if (a == b || a == &tn_traffic_all || tn_traffic_is_none(b)) {
        return a;
    }
    if (b == &tn_traffic_all || tn_traffic_is_none(a)) {
        return b;
    }
    return combine(arena, OP_OR, a, b);
}

const struct tn_traffic *
tn_traffic_and(struct tn_arena *arena, const struct tn_traffic *a,
               const struct tn_traffic *b)
{
    if (a == b || b == &tn_traffic_all || tn_traffic_is_none(a)) {
        return a;
    }
    if (a == &tn_traffic_all || tn_traffic_is_none(b)) {
        return b;
    }
    return combine(arena, OP_AND, a, b);
}

const struct tn_traffic *
tn_traffic_minus(struct tn_arena *arena, const struct tn_traffic *a,
                 const struct tn_traffic *b)
{
    if (a == b || b == &tn_traffic_all) {
        return &tn_traffic_none;
    }
    return tn_traffic_is_none(b) ? a : combine(arena, OP_MINUS, a, b);
}

bool
tn_traffic_is_none(const struct tn_traffic *t)
{
    return t->n[0] + t->n[1] + t->n[2] == 0 && !t->icmp && !t->other;
}

int
tn_traffic_cmp(const struct tn_traffic *a, const struct tn_traffic *b)
{
    for (size_t i = 0; i < TN_N_PORTED; i++) {
        for (uint32_t k = 0; k < a->n[i] && k < b->n[i]; k++) {
            const struct tn_port_span *x = &a->spans[i][k];
            const struct tn_port_span *y = &b->spans[i][k];
            if (x->first != y->first) {
                return x->first < y->first ? -1 : 1;
            }
            if (x->last != y->last) {
                return x->last < y->last ? -1 : 1;
            }
        }
        if (a->n[i] != b->n[i]) {
            return a->n[i] < b->n[i] ? -1 : 1;
        }
    }
    int c = (int) a->icmp - (int) b->icmp;
    return c ? c : (int) a->other - (int) b->other;
}

bool
tn_traffic_eq(const struct tn_traffic *a, const struct tn_traffic *b)
{
    return a == b || tn_traffic_cmp(a, b) == 0;
}

static bool
spans_within(struct list in, struct list out)
{
    for (; in.n; in.at++, in.n--) {
        while (out.n && out.at->last < in.at->first) {
            out.at++;
            out.n--;
        }
        if (out.n == 0 || out.at->first > in.at->first ||
            out.at->last < in.at->last) {
            return false;
        }
    }
    return true;
}

bool
tn_traffic_within(const struct tn_traffic *inner,
                  const struct tn_traffic *outer)
{
    for (size_t i = 0; i < TN_N_PORTED; i++) {
        if (!spans_within((struct list){inner->spans[i], inner->n[i]},
                          (struct list){outer->spans[i], outer->n[i]})) {
            return false;
        }
    }
    return (!inner->icmp || outer->icmp) && (!inner->other || outer->other);
}

static bool
spans_overlap(struct list a, struct list b)
{
    while (a.n && b.n) {
        if (a.at->last < b.at->first) {
            a.at++;
            a.n--;
        } else if (b.at->last < a.at->first) {
            b.at++;
            b.n--;
        } else {
            return true;
        }
    }
    return false;
}

bool
tn_traffic_overlap(const struct tn_traffic *a, const struct tn_traffic *b)
{
    for (size_t i = 0; i < TN_N_PORTED; i++) {
        if (spans_overlap((struct list){a->spans[i], a->n[i]},
                          (struct list){b->spans[i], b->n[i]})) {
            return true;
        }
    }
    return (a->icmp && b->icmp) || (a->other && b->other);
}

static bool
spans_have(const struct tn_traffic *t, enum tn_ported which, uint16_t port)
{
    for (uint32_t i = 0; i < t->n[which]; i++) {
        const struct tn_port_span *s = &t->spans[which][i];
        if (s->first <= port && port <= s->last) {
            return true;
        }
    }
    return false;
}

bool
tn_traffic_has(const struct tn_traffic *t, enum tn_protocol protocol,
               uint16_t port)
{
    switch (protocol) {
    case TN_PROTO_ANY:
        return t->other;
    case TN_PROTO_TCP:
        return spans_have(t, TN_PORTED_TCP, port);
    case TN_PROTO_UDP:
        return spans_have(t, TN_PORTED_UDP, port);
    case TN_PROTO_ICMP:
        return t->icmp;
    case TN_PROTO_SCTP:
        return spans_have(t, TN_PORTED_SCTP, port);
    }
    return false;
}

uint64_t
tn_traffic_hash(const struct tn_traffic *t)
{
    uint32_t head[4] = {t->n[0], t->n[1], t->n[2],
                        (uint32_t) t->icmp << 1 | (uint32_t) t->other};
    struct tn_bytes runs[4] = {{head, sizeof head}};
    for (size_t i = 0; i < TN_N_PORTED; i++) {
        runs[i + 1] = (struct tn_bytes){t->n[i] ? (const void *) t->spans[i]
                                                : (const void *) "",
                                        t->n[i] * sizeof **t->spans};
    }
    return tn_hash64_of(runs, 4);
}

static void
print_spans(struct tn_text *out, const struct tn_traffic *t,
            enum tn_ported which)
{
    const struct tn_port_span *s = t->spans[which];
    tn_text_add(out, words[which]);
    if (t->n[which] == 1 && s->first == 0 && s->last == UINT16_MAX) {
        return;
    }
    for (uint32_t i = 0; i < t->n[which]; i++) {
        tn_text_addf(out, "%s%u", i ? ", " : " ", s[i].first);
        if (s[i].last != s[i].first) {
            tn_text_addf(out, "-%u", s[i].last);
        }
    }
}

void
tn_traffic_print(struct tn_text *out, const struct tn_traffic *t)
{
    if (tn_traffic_is_none(t)) {
        tn_text_add(out, "nothing");
        return;
    }
    if (tn_traffic_eq(t, &tn_traffic_all)) {
        tn_text_add(out, "anything");
        return;
    }
    const char *glue = "";
    for (unsigned i = 0; i < TN_N_PORTED; i++) {
        if (t->n[i]) {
            tn_text_add(out, glue);
            print_spans(out, t, (enum tn_ported) i);
            glue = "; ";
        }
    }
    if (t->icmp) {
        tn_text_addf(out, "%sicmp", glue);
        glue = "; ";
    }
    if (t->other) {
        tn_text_addf(out, "%sother", glue);
    }
}

/* ---- reading ------------------------------------------------------------ */

static const char *
blanks(const char *s)
{
    return s + strspn(s, " ");
}

static bool
read_number(const char **s, uint16_t *out)
{
    unsigned long v = 0;
    size_t digits = strspn(*s, "0123456789");
    if (digits == 0 || digits > 5) {
        return false;
    }
    v = strtoul(*s, NULL, 10);
    *s += digits;
    *out = (uint16_t) v;
    return v <= UINT16_MAX;
}

static bool
read_ranges(struct tn_arena *arena, const char **s, struct tn_vrange **out,
            size_t *n)
{
    TN_VEC(struct tn_vrange) list = {0};
    do {
        struct tn_vrange r = {0};
        *s = blanks(**s == ',' ? *s + 1 : *s);
        if (!read_number(s, &r.first)) {
            return false;
        }
        r.last = r.first;
        if (**s == '-') {
            (*s)++;
            if (!read_number(s, &r.last) || r.last < r.first) {
                return false;
            }
        }
        *tn_vec_push(arena, &list) = r;
        *s = blanks(*s);
    } while (**s == ',');
    *out = list.items;
    *n = list.n;
    return true;
}

/* "tcp", "icmp", ...; the set without ports. */
static bool
read_word(const char **s, enum tn_protocol *protocol, bool *other)
{
    static const struct {
        const char *word;
        enum tn_protocol protocol;
        bool other;
    } rows[] = {
        {"tcp", TN_PROTO_TCP, false},      {"udp", TN_PROTO_UDP, false},
        {"sctp", TN_PROTO_SCTP, false},    {"icmp", TN_PROTO_ICMP, false},
        {"anything", TN_PROTO_ANY, false}, {"any", TN_PROTO_ANY, false},
        {"other", TN_PROTO_ANY, true},
    };
    size_t len = strcspn(*s, " /+;");
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        if (strlen(rows[i].word) == len &&
            strncmp(*s, rows[i].word, len) == 0) {
            *s += len;
            *protocol = rows[i].protocol;
            *other = rows[i].other;
            return true;
        }
    }
    return false;
}

static bool
read_part(struct tn_arena *arena, const char **s, const struct tn_traffic **out)
{
    static const struct tn_traffic only_other = {.other = true};
    enum tn_protocol protocol;
    struct tn_vrange *ranges = NULL;
    size_t n = 0;
    bool other;
    if (!read_word(s, &protocol, &other)) {
        return false;
    }
    *s = blanks(*s);
    *s += **s == '/';
    *s = blanks(*s);
    if (**s >= '0' && **s <= '9') {
        if (other || protocol == TN_PROTO_ICMP ||
            !read_ranges(arena, s, &ranges, &n)) {
            return false;
        }
    }
    *out = other ? &only_other : tn_traffic_of(arena, protocol, ranges, n);
    return true;
}

bool
tn_traffic_parse(struct tn_arena *arena, const char *text,
                 const struct tn_traffic **out)
{
    const struct tn_traffic *all = &tn_traffic_none, *part = NULL;
    const char *s = blanks(text);
    if (strcmp(s, "nothing") == 0) {
        *out = all;
        return true;
    }
    for (;;) {
        if (!read_part(arena, &s, &part)) {
            return false;
        }
        all = tn_traffic_or(arena, all, part);
        s = blanks(s);
        if (*s == '\0') {
            *out = all;
            return true;
        }
        if (*s != '+' && *s != ';') {
            return false;
        }
        s = blanks(s + 1);
    }
}
