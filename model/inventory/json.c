/* json.c - the variables of a host as 'ansible-inventory --host' prints them.
 *
 * That is json.dumps(sort_keys=True, indent=4, ensure_ascii=False) of what
 * PyYAML constructed, by way of ansible/parsing/ajson.py.  Keys keep their
 * YAML type until they are sorted: 9 comes before 10, and 1, 1.0 and yes are
 * one key.  Where some map mixes keys that Python cannot compare (text and
 * numbers), Ansible falls back to printing everything unsorted, and so does
 * this: then names stand in the order in which they first appeared. */
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

enum key_class { KEY_TEXT, KEY_NUMBER, KEY_NULL };

struct key {
    enum key_class class;
    enum tn_scalar_type type;
    const char *text; /* As printed. */
    double number;
    const struct tn_node *value;
    size_t index;
};

struct printer {
    struct tn_arena *arena;
    struct tn_text out;
    bool sorted;
    bool flat; /* All on one line. */
    size_t depth;
};

/* Python escapes less than tn_text_add_escaped(): DEL stays. */
static void
add_string(struct tn_text *out, const char *s)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";

    tn_text_addc(out, '"');
    for (; *s; s++) {
        const char *p = strchr(from, *s);

        if (p) {
            tn_text_addc(out, '\\');
            tn_text_addc(out, to[p - from]);
        } else if ((unsigned char) *s < 0x20) {
            tn_text_addf(out, "\\u%04x", *s);
        } else {
            tn_text_addc(out, *s);
        }
    }
    tn_text_addc(out, '"');
}

static void
add_line(struct printer *p)
{
    if (!p->flat) {
        tn_text_addf(&p->out, "\n%*s", (int) (4 * p->depth), "");
    }
}

static struct key
key_of(struct tn_arena *arena, const struct tn_pair *pair, size_t index)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    struct key k = {.type = tn_pair_is_text(pair) ? TN_SCALAR_TEXT
                                                  : tn_scalar_type(pair->key),
                    .value = pair->value,
                    .index = index};

    if (k.type == TN_SCALAR_TEXT ||
        !tn_scalar_format(k.type, pair->key, &text)) {
        k.text = pair->key;
        return k;
    }
    k.text = tn_arena_strdup(arena, tn_text_str(&text));
    k.class = k.type == TN_SCALAR_NULL ? KEY_NULL : KEY_NUMBER;
    k.number = k.type == TN_SCALAR_BOOL ? strcmp(k.text, "true") == 0
                                        : strtod(k.text, NULL);
    return k;
}

/* Integers of any length, in decimal. */
static int
cmp_integers(const char *a, const char *b)
{
    bool na = *a == '-', nb = *b == '-';
    size_t la = strlen(a), lb = strlen(b);
    int c;

    if (na != nb) {
        return na ? -1 : 1;
    }
    c = la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
    return na ? -c : c;
}

static int
cmp_values(const struct key *a, const struct key *b)
{
    if (a->class != b->class) {
        return a->class < b->class ? -1 : 1;
    }
    switch (a->class) {
    case KEY_TEXT:
        return strcmp(a->text, b->text);
    case KEY_NUMBER:
        if (a->type == TN_SCALAR_INT && b->type == TN_SCALAR_INT) {
            return cmp_integers(a->text, b->text);
        }
        return (a->number > b->number) - (a->number < b->number);
    case KEY_NULL:
        return 0;
    }
    return 0;
}

static int
cmp_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int c = cmp_values(x, y);

    return c ? c : (x->index > y->index) - (x->index < y->index);
}

static int
cmp_index(const void *a, const void *b)
{
    const struct key *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

/* The keys of a map as Python's dict has them: of equal ones, the first key
 * with the last value. */
static struct key *
keys_of(struct printer *p, const struct tn_node *map, size_t *n)
{
    struct key *keys = tn_new_n(p->arena, struct key, map->map.n + 1);

    *n = 0;
    for (size_t i = 0; i < map->map.n; i++) {
        keys[i] = key_of(p->arena, &map->map.pairs[i], i);
    }
    qsort(keys, map->map.n, sizeof *keys, cmp_keys);
    for (size_t i = 0; i < map->map.n; i++) {
        if (*n > 0 && cmp_values(&keys[*n - 1], &keys[i]) == 0) {
            keys[*n - 1].value = keys[i].value;
        } else {
            keys[(*n)++] = keys[i];
        }
    }
    if (!p->sorted) {
        qsort(keys, *n, sizeof *keys, cmp_index);
    }
    return keys;
}

static bool
is_sortable(const struct tn_node *node)
{
    switch (node->type) {
    case TN_NODE_SCALAR:
        return true;
    case TN_NODE_LIST:
        for (size_t i = 0; i < node->list.n; i++) {
            if (!is_sortable(node->list.items[i])) {
                return false;
            }
        }
        return true;
    case TN_NODE_MAP:
        break;
    }
    for (size_t i = 0; i < node->map.n; i++) {
        const struct tn_pair *pair = &node->map.pairs[i];
        const struct tn_pair *first = &node->map.pairs[0];
        bool text = tn_pair_is_text(pair);

        if (text != tn_pair_is_text(first) ||
            (!text && (tn_scalar_type(pair->key) == TN_SCALAR_NULL) !=
                          (tn_scalar_type(first->key) == TN_SCALAR_NULL)) ||
            !is_sortable(pair->value)) {
            return false;
        }
    }
    return true;
}

static bool
is_unsafe(const struct tn_node *node)
{
    return tn_streq(node->tag, "!unsafe");
}

/* {"NAME": "text"} over three lines: how Ansible shows a text that is more. */
static void
add_marked(struct printer *p, const char *name, const char *text)
{
    tn_text_addc(&p->out, '{');
    p->depth++;
    add_line(p);
    tn_text_addf(&p->out, "\"%s\": ", name);
    add_string(&p->out, text);
    p->depth--;
    add_line(p);
    tn_text_addc(&p->out, '}');
}

static void
add_scalar(struct printer *p, const struct tn_node *node, bool unsafe)
{
    enum tn_scalar_type type = TN_SCALAR_TEXT;

    (void) tn_node_scalar_type(node, &type);
    if (tn_inv_is_vault(node)) {
        add_marked(p, "__ansible_vault", node->scalar.text);
    } else if (type == TN_SCALAR_TEXT && (unsafe || is_unsafe(node))) {
        add_marked(p, "__ansible_unsafe", node->scalar.text);
    } else if (type == TN_SCALAR_TEXT || type == TN_SCALAR_TIME) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};

        (void) !tn_scalar_format(type, node->scalar.text, &text);
        add_string(&p->out, tn_text_str(&text));
    } else {
        (void) !tn_scalar_format(type, node->scalar.text, &p->out);
    }
}

static void add_value(struct printer *p, const struct tn_node *node,
                      bool unsafe);

static void
add_list(struct printer *p, const struct tn_node *node, bool unsafe)
{
    if (node->list.n == 0) {
        tn_text_add(&p->out, "[]");
        return;
    }
    tn_text_addc(&p->out, '[');
    p->depth++;
    for (size_t i = 0; i < node->list.n; i++) {
        if (i) {
            tn_text_addc(&p->out, ',');
        }
        add_line(p);
        add_value(p, node->list.items[i], unsafe);
    }
    p->depth--;
    add_line(p);
    tn_text_addc(&p->out, ']');
}

static void
add_map(struct printer *p, const struct tn_node *node, bool unsafe)
{
    size_t n;
    const struct key *keys = keys_of(p, node, &n);

    if (n == 0) {
        tn_text_add(&p->out, "{}");
        return;
    }
    tn_text_addc(&p->out, '{');
    p->depth++;
    for (size_t i = 0; i < n; i++) {
        if (i) {
            tn_text_addc(&p->out, ',');
        }
        add_line(p);
        add_string(&p->out, keys[i].text);
        tn_text_add(&p->out, ": ");
        add_value(p, keys[i].value, unsafe);
    }
    p->depth--;
    add_line(p);
    tn_text_addc(&p->out, '}');
}

static void
add_value(struct printer *p, const struct tn_node *node, bool unsafe)
{
    switch (node->type) {
    case TN_NODE_SCALAR:
        add_scalar(p, node, unsafe);
        break;
    case TN_NODE_LIST:
        add_list(p, node, unsafe || is_unsafe(node));
        break;
    case TN_NODE_MAP:
        add_map(p, node, unsafe || is_unsafe(node));
        break;
    }
}

static int
cmp_order(const void *a, const void *b)
{
    const struct tn_var *const *x = a, *const *y = b;

    return ((*x)->order > (*y)->order) - ((*x)->order < (*y)->order);
}

static void
add_host(struct printer *p, const struct tn_inventory_host *host)
{
    const struct tn_var **vars =
        tn_new_n(p->arena, const struct tn_var *, host->n_vars);

    for (size_t i = 0; i < host->n_vars; i++) {
        vars[i] = &host->vars[i];
    }
    if (!p->sorted) {
        qsort(vars, host->n_vars, sizeof *vars, cmp_order);
    }
    tn_text_addc(&p->out, '{');
    p->depth++;
    for (size_t i = 0; i < host->n_vars; i++) {
        if (i) {
            tn_text_addc(&p->out, ',');
        }
        add_line(p);
        add_string(&p->out, vars[i]->name);
        tn_text_add(&p->out, ": ");
        add_value(p, vars[i]->value, false);
    }
    p->depth--;
    add_line(p);
    tn_text_addc(&p->out, '}');
}

char *
tn_inventory_host_json(const struct tn_inventory_host *host)
{
    struct printer p = {.arena = tn_arena_new(), .sorted = true};

    for (size_t i = 0; i < host->n_vars; i++) {
        p.sorted = p.sorted && is_sortable(host->vars[i].value);
    }
    if (host->n_vars) {
        add_host(&p, host);
    } else {
        tn_text_add(&p.out, "{}");
    }
    tn_text_addc(&p.out, '\n');
    tn_arena_free(p.arena);
    return tn_text_take(&p.out);
}

char *
tn_inventory_value_json(const struct tn_node *value)
{
    struct printer p = {
        .arena = tn_arena_new(), .sorted = is_sortable(value), .flat = true};

    add_value(&p, value, false);
    tn_arena_free(p.arena);
    return tn_text_take(&p.out);
}
