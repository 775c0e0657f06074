/* nft_view.c - the view of a ruleset: text in, attributes out.
 *
 * Reads the little of nft's language that render() and the kernel's listing
 * use: tables of sets, maps and chains, one statement per line, elements in
 * braces over several lines.  What is listed in another order than it was
 * written (elements) is sorted; comments and blanks are dropped.
 *
 *     "inet group-web-in"  ->  "tcp dport 80 accept; ..."
 *     "bridge p-web"       ->  the elements that speak of that interface
 *     "inet port-web-in"   ->  its rules, and the elements that lead there
 *
 * An element of a map or of a set keyed by interface stands with what it is
 * about and not with its set, so that a change of one port is one attribute.
 * Any text is accepted; at worst it becomes one odd attribute. */
#include "drivers/kernel/nft.h"

#include <ctype.h>
#include <stdlib.h>

#include "model/base/map.h"

enum class { HEADER, RULE, ELEMENT };

struct entry {
    const char *name; /* Of the attribute. */
    enum class class;
    size_t order; /* Position; elements are ordered by their text instead. */
    const char *text;
};

struct view {
    struct tn_arena *arena;
    const char *at; /* Next line. */
    TN_VEC(struct entry) entries;
    const char *table;  /* "inet"; another table: "ip filter". */
    const char *object; /* Name of the chain or set. */
};

struct slice {
    const char *s;
    size_t n;
};

static struct slice
trim(const char *s, size_t n)
{
    while (n && isspace((unsigned char) *s)) {
        s++;
        n--;
    }
    while (n && isspace((unsigned char) s[n - 1])) {
        n--;
    }
    return (struct slice){s, n};
}

/* Length of the first item: up to a comma outside of quotes. */
static size_t
item_length(const char *s, size_t n)
{
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"') {
            quoted = !quoted;
        } else if (s[i] == ',' && !quoted) {
            return i;
        }
    }
    return n;
}

static bool
next_item(struct slice *rest, struct slice *item)
{
    if (rest->n == 0) {
        return false;
    }
    size_t n = item_length(rest->s, rest->n);
    *item = trim(rest->s, n);
    rest->s += n;
    rest->n -= n;
    if (rest->n) { /* The comma. */
        rest->s++;
        rest->n--;
    }
    return true;
}

/* The items between braces, sorted and joined. */
static const char *
sorted_items(struct tn_arena *arena, struct slice inside)
{
    TN_VEC(const char *) items = {0};
    struct slice item;
    while (next_item(&inside, &item)) {
        *tn_vec_push(arena, &items) = tn_arena_strndup(arena, item.s, item.n);
    }
    tn_texts_sort(items.items, items.n);
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (size_t i = 0; i < items.n; i++) {
        tn_text_add(&t, i ? ", " : "");
        tn_text_add(&t, items.items[i]);
    }
    return tn_arena_strdup(arena, tn_text_str(&t));
}

/* A statement with the contents of its braces sorted. */
static const char *
statement(struct tn_arena *arena, struct slice line)
{
    const char *open = memchr(line.s, '{', line.n);
    const char *close =
        open ? memchr(open, '}', line.n - (size_t) (open - line.s)) : NULL;
    if (!close) {
        return tn_arena_strndup(arena, line.s, line.n);
    }
    const char *items = sorted_items(
        arena, (struct slice){open + 1, (size_t) (close - open - 1)});
    const char *tail = statement(
        arena,
        (struct slice){close + 1, line.n - (size_t) (close + 1 - line.s)});
    return tn_arena_printf(arena, "%.*s{ %s }%s", (int) (open - line.s), line.s,
                           items, tail);
}

static bool
next_line(struct view *v, struct slice *line)
{
    if (!*v->at) {
        return false;
    }
    size_t n = strcspn(v->at, "\n");
    *line = trim(v->at, n);
    v->at += n + (v->at[n] == '\n');
    return true;
}

static bool
starts(const struct slice *line, const char *word)
{
    size_t n = strlen(word);
    return line->n >= n && memcmp(line->s, word, n) == 0;
}

static void
add(struct view *v, const char *about, enum class class, const char *text)
{
    struct entry *e = tn_vec_push(v->arena, &v->entries);
    e->name = tn_arena_printf(v->arena, "%s %s", v->table, about);
    e->class = class;
    e->order = v->entries.n;
    e->text = text;
}

/* An element and what it is about: its interface if that is all of the key, or
 * if it leads nowhere; else the chain that it leads to; else its set. */
static void
element(struct view *v, struct slice item)
{
    const char *s = tn_arena_strndup(v->arena, item.s, item.n);
    const char *end = s[0] == '"' ? strchr(s + 1, '"') : NULL;
    const char *verdict = end ? strstr(end, " : ") : NULL;
    if (!end || !end[1]) {
        add(v, v->object, ELEMENT, s);
    } else if (verdict == end + 1 || !verdict) {
        /* "p-web" . value, or "p-web" : goto chain */
        size_t skip = strlen(end) < 4 ? 1 : 4;
        add(v, tn_arena_strndup(v->arena, s + 1, (size_t) (end - s - 1)),
            ELEMENT, tn_arena_printf(v->arena, "%s %s", v->object, end + skip));
    } else if (strncmp(verdict, " : goto ", 8) == 0 && verdict[8]) {
        add(v, verdict + 8, ELEMENT,
            tn_arena_printf(v->arena, "%s %.*s", v->object, (int) (verdict - s),
                            s));
    } else {
        add(v, v->object, ELEMENT, s);
    }
}

static void
elements(struct view *v, struct slice inside)
{
    struct slice item;
    while (next_item(&inside, &item)) {
        element(v, item);
    }
}

/* "elements = { ... }", to be continued on the next lines. */
static void
read_elements(struct view *v, struct slice line)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text all = {0};
    tn_text_addn(&all, line.s, line.n);
    while (!memchr(line.s, '}', line.n) && next_line(v, &line)) {
        tn_text_addc(&all, ' ');
        tn_text_addn(&all, line.s, line.n);
    }
    const char *s = tn_text_str(&all);
    const char *open = strchr(s, '{');
    const char *close = open ? strchr(open, '}') : NULL;
    if (close) {
        elements(v, (struct slice){open + 1, (size_t) (close - open - 1)});
    } else {
        add(v, v->object, RULE, tn_arena_strdup(v->arena, s));
    }
}

static void
read_object(struct view *v)
{
    struct slice line;
    while (next_line(v, &line) && !starts(&line, "}")) {
        if (starts(&line, "elements =")) {
            read_elements(v, line);
        } else if (line.n && line.s[0] != '#') {
            line.n -= line.s[line.n - 1] == ';';
            add(v, v->object, RULE, statement(v->arena, line));
        }
    }
}

/* The word after the first 'skip' words of "chain NAME {". */
static const char *
word(struct tn_arena *arena, struct slice line, size_t skip, size_t count)
{
    const char *end = line.s + line.n, *s = line.s;
    for (; skip && s < end; s++) {
        skip -= *s == ' ';
    }
    const char *e = s;
    for (; e < end && *e != '{'; e++) {
        if (*e == ' ' && --count == 0) {
            break;
        }
    }
    struct slice w = trim(s, (size_t) (e - s));
    return tn_arena_strndup(arena, w.s, w.n);
}

static void
read_table(struct view *v)
{
    struct slice line;
    while (next_line(v, &line) && !starts(&line, "}")) {
        if (line.n && line.s[line.n - 1] == '{') {
            v->object = word(v->arena, line, 1, 1);
            struct slice head = trim(line.s, line.n - 1);
            add(v, v->object, HEADER,
                starts(&line, "chain ")
                    ? ""
                    : tn_arena_strndup(v->arena, head.s, head.n));
            read_object(v);
        } else if (line.n && line.s[0] != '#') {
            add(v, "table", RULE, statement(v->arena, line));
        }
    }
}

static int
by_attribute(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    if (c) {
        return c;
    }
    if (x->class != y->class) {
        return x->class < y->class ? -1 : 1;
    }
    if (x->class == ELEMENT && (c = strcmp(x->text, y->text)) != 0) {
        return c;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static void
attributes(struct view *v, struct tn_nft_ruleset *set)
{
    TN_VEC(struct tn_attr) attrs = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const struct entry *e = v->entries.items;
    for (size_t i = 0; i < v->entries.n;) {
        const char *name = e[i].name;
        tn_text_clear(&t);
        for (; i < v->entries.n && strcmp(e[i].name, name) == 0; i++) {
            if (t.n && e[i].text[0]) {
                /* A set of values is joined as everywhere in a plan. */
                bool value = e[i].class == ELEMENT && e[i - 1].class == ELEMENT;
                tn_text_add(&t, value ? ", " : "; ");
            }
            tn_text_add(&t, e[i].text);
        }
        *tn_vec_push(v->arena, &attrs) =
            (struct tn_attr){name, tn_arena_strdup(v->arena, tn_text_str(&t)),
                             TN_ATTR_UPDATE, false};
    }
    set->attrs = attrs.items;
    set->n_attrs = attrs.n;
}

const struct tn_nft_ruleset *
tn_nft_view(struct tn_arena *arena, const char *text)
{
    struct tn_nft_ruleset *set = tn_new(arena, struct tn_nft_ruleset);
    struct view v = {.arena = arena};
    set->text = tn_arena_strdup(arena, text);
    set->digest = tn_digest_of(text, strlen(text));
    v.at = set->text;
    struct slice line;
    while (next_line(&v, &line)) {
        if (starts(&line, "table ") && line.s[line.n - 1] == '{') {
            v.table = word(arena, line, 1, 1);
            read_table(&v);
        }
    }
    if (v.entries.n) {
        qsort(v.entries.items, v.entries.n, sizeof *v.entries.items,
              by_attribute);
    }
    attributes(&v, set);
    return set;
}
