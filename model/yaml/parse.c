/* parse.c - libyaml's events become a tree in an arena.
 *
 * The only file that knows libyaml.  Bytes come here after scan.c has judged
 * them.  Open collections are frames on a stack of bounded height; their
 * children gather on a second stack and are copied, exactly sized, into the
 * arena when the collection ends, so that a node costs one bump of a pointer.
 *
 * A breach of the profile (an anchor, a duplicate key, ...) spoils its
 * document and the rest is read on, to report all of them; a syntax error or a
 * limit ends the file. */
#include "model/yaml/node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "model/base/cleanup.h"
#include "model/base/map.h"
#include "model/yaml/scan.h"

/* A file with more findings than this is not worth reading to its end.  Up to
 * SMALL_MAP keys are compared pairwise, more are sorted. */
enum {
    FINDINGS_MAX = 50,
    SMALL_MAP = 12,
    ANCHORS_MAX = 1000,
    KEYS_CACHED = 64
};

/* An open collection. */
struct frame {
    struct tn_node *node;
    size_t base;         /* Its first child on the stack of children. */
    size_t height;       /* Of the highest child so far. */
    size_t nodes_before; /* To know how many it has. */
    struct tn_pair key;  /* Of a map: the key that waits for its value. */
    struct anchor *anchor;
    bool has_key, merges;
};

/* What an alias can name; 'node' is null until it is complete. */
struct anchor {
    const struct tn_node *node;
    size_t nodes, height;
    struct tn_pos at;
};

struct parse {
    struct tn_arena *arena;
    struct tn_diags *diags;
    const struct tn_yaml_limits *limits;
    const char *path;
    enum tn_yaml_profile profile;
    yaml_parser_t yaml;
    struct frame *frames; /* limits->depth of them. */
    size_t depth;
    struct tn_pair *children; /* On the heap. */
    size_t n_children, cap_children;
    size_t n_nodes, n_docs, n_findings, n_anchors;
    struct tn_map anchors; /* Inventory only, of this document. */
    const char *keys[KEYS_CACHED];
    const struct tn_node *root;
    bool spoiled; /* This document has a finding. */
    bool stop;    /* The rest of the file is not read. */
    TN_VEC(const struct tn_node *) docs;
};

static struct tn_pos
pos_of(yaml_mark_t mark)
{
    return (struct tn_pos){(uint32_t) mark.line + 1,
                           (uint32_t) mark.column + 1};
}

static void
cleanup_parse(struct parse *p)
{
    yaml_parser_delete(&p->yaml);
    free(p->children);
}

static TN_PRINTF(3, 4) struct tn_diag *finding(struct parse *p,
                                               struct tn_pos at,
                                               const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = tn_arena_vprintf(p->diags->arena, fmt, ap);
    va_end(ap);
    p->spoiled = true;
    p->stop |= ++p->n_findings >= FINDINGS_MAX;
    return tn_diag(p->diags, TN_ERROR, tn_at(p->path, at), "%s", text);
}

static void
refuse(struct parse *p, struct tn_pos at, const char *what, const char *hint)
{
    finding(p, at, "%s", what)->hint = hint;
}

static bool
node_counted(struct parse *p, size_t n, struct tn_pos at)
{
    p->n_nodes += n;
    if (p->n_nodes <= p->limits->nodes) {
        return true;
    }
    finding(p, at, "more than %zu values in one file", p->limits->nodes);
    p->stop = true;
    return false;
}

static void
child_push(struct parse *p, const struct tn_pair *child)
{
    if (p->n_children == p->cap_children) {
        size_t cap = p->cap_children ? p->cap_children * 2 : 256;
        struct tn_pair *more = realloc(p->children, cap * sizeof *more);
        if (!more) {
            abort();
        }
        p->children = more;
        p->cap_children = cap;
    }
    p->children[p->n_children++] = *child;
}

/* --- maps -------------------------------------------------------------- */

/* True if YAML 1.1 may read the plain text as something else than text. */
static bool
maybe_typed(const char *key)
{
    static const char *const words[] = {"yes",  "no",    "on",  "off",
                                        "true", "false", "null"};
    if (strchr("+-.0123456789~", key[0])) {
        return true;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++) {
        if (strcasecmp(key, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* In the strict profile a key is its text; Ansible knows 1 from '1'. */
static bool
same_key(enum tn_yaml_profile profile, const struct tn_pair *a,
         const struct tn_pair *b)
{
    return strcmp(a->key, b->key) == 0 &&
           (profile == TN_YAML_STRICT || a->quoted == b->quoted ||
            !maybe_typed(a->key));
}

static int
pair_cmp(const void *pa, const void *pb)
{
    const struct tn_pair *a = *(struct tn_pair *const *) pa,
                         *b = *(struct tn_pair *const *) pb;
    int c = strcmp(a->key, b->key);
    return c ? c : (a > b) - (a < b);
}

static void
duplicate_found(struct parse *p, struct tn_pair *first, struct tn_pair *again,
                bool quiet)
{
    if (p->profile == TN_YAML_STRICT) {
        finding(p, again->at, "duplicate key '%s', first given on line %u",
                again->key, first->at.line);
    } else if (!quiet) {
        tn_diag(p->diags, TN_WARNING, tn_at(p->path, again->at),
                "duplicate key '%s', first given on line %u: the last "
                "one is used",
                again->key, first->at.line);
    }
    first->value = again->value;
    again->key = NULL;
}

/* Equal keys among many: sorted, so that no choice of keys makes it slow. */
static void
dedupe_many(struct parse *p, struct tn_pair *pairs, size_t n, bool quiet)
{
    TN_CLEANUP(tn_cleanup_free) struct tn_pair **order = NULL;
    order = malloc(n * sizeof *order);
    if (!order) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = &pairs[i];
    }
    qsort(order, n, sizeof *order, pair_cmp);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (same_key(p->profile, order[first], order[i])) {
            duplicate_found(p, order[first], order[i], quiet);
        } else {
            first = i;
        }
    }
}

static void
dedupe_few(struct parse *p, struct tn_pair *pairs, size_t n, bool quiet)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (pairs[k].key && pairs[k].key[0] == pairs[i].key[0] &&
                same_key(p->profile, &pairs[k], &pairs[i])) {
                duplicate_found(p, &pairs[k], &pairs[i], quiet);
                break;
            }
        }
    }
}

/* The later of two equal keys takes the place of the earlier; returns how many
 * are left. */
static size_t
dedupe(struct parse *p, struct tn_pair *pairs, size_t n, bool quiet)
{
    if (n > SMALL_MAP) {
        dedupe_many(p, pairs, n, quiet);
    } else {
        dedupe_few(p, pairs, n, quiet);
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].key) {
            pairs[kept++] = pairs[i];
        }
    }
    return kept;
}

static bool
is_merge(const struct tn_pair *pair)
{
    return !pair->quoted && strcmp(pair->key, "<<") == 0;
}

static void
merge_map(struct parse *p, const struct tn_node *map, struct tn_pos at)
{
    if (map->type != TN_NODE_MAP) {
        refuse(p, at, "'<<' merges a map or a list of maps", NULL);
        return;
    }
    for (size_t i = 0; i < map->map.n; i++) {
        child_push(p, &map->map.pairs[i]);
    }
}

/* Puts what the '<<' keys of the innermost map name before its own pairs, as
 * PyYAML's flatten_mapping: of a list, the first has the last word. */
static void
merge_keys(struct parse *p, struct frame *f)
{
    size_t end = p->n_children;
    for (size_t i = f->base; i < end; i++) {
        struct tn_pair pair = p->children[i];
        if (!is_merge(&pair)) {
            continue;
        }
        if (pair.value->type != TN_NODE_LIST) {
            merge_map(p, pair.value, pair.at);
            continue;
        }
        for (size_t k = pair.value->list.n; k > 0; k--) {
            merge_map(p, pair.value->list.items[k - 1], pair.at);
        }
    }
    for (size_t i = f->base; i < end; i++) {
        struct tn_pair pair = p->children[i];
        if (!is_merge(&pair)) {
            child_push(p, &pair);
        }
    }
    size_t n = p->n_children - end;
    memmove(p->children + f->base, p->children + end, n * sizeof *p->children);
    p->n_children = f->base + dedupe(p, p->children + f->base, n, true);
}

static void
map_end(struct parse *p, struct frame *f)
{
    if (p->n_children == f->base) {
        return;
    }
    p->n_children = f->base + dedupe(p, p->children + f->base,
                                     p->n_children - f->base, false);
    if (f->merges) {
        merge_keys(p, f);
    }
    size_t n = p->n_children - f->base;
    struct tn_pair *pairs = tn_arena_alloc(p->arena, n * sizeof *pairs);
    memcpy(pairs, p->children + f->base, n * sizeof *pairs);
    f->node->map.pairs = pairs;
    f->node->map.n = n;
}

static void
list_end(struct parse *p, struct frame *f)
{
    size_t n = p->n_children - f->base;
    if (n == 0) {
        return;
    }
    const struct tn_node **items = tn_arena_alloc(p->arena, n * sizeof *items);
    for (size_t i = 0; i < n; i++) {
        items[i] = p->children[f->base + i].value;
    }
    f->node->list.items = items;
    f->node->list.n = n;
}

/* --- putting nodes where they belong ------------------------------------ */

static bool
wants_key(const struct parse *p)
{
    const struct frame *f = p->depth ? &p->frames[p->depth - 1] : NULL;
    return f && f->node->type == TN_NODE_MAP && !f->has_key;
}

/* Files repeat few keys: each is kept once, as long as no other takes its
 * place here. */
static const char *
key_text(struct parse *p, const char *text, size_t len)
{
    size_t slot = (len * 5 + (unsigned char) text[0] +
                   (len ? (unsigned char) text[len - 1] * 3u : 0)) %
                  KEYS_CACHED;
    if (!p->keys[slot] || strcmp(p->keys[slot], text) != 0) {
        p->keys[slot] = tn_arena_strndup(p->arena, text, len);
    }
    return p->keys[slot];
}

/* Keeps the key until its value comes. */
static void
key_set(struct parse *p, const char *text, size_t len, bool quoted,
        struct tn_pos at)
{
    struct frame *f = &p->frames[p->depth - 1];
    f->key = (struct tn_pair){.key = text, .at = at, .quoted = quoted};
    f->has_key = true;
    if (len == 0) {
        refuse(p, at, "an empty key", NULL);
    } else if (len > p->limits->key) {
        finding(p, at, "the key has %zu bytes, more than the %zu allowed", len,
                p->limits->key);
    } else if (is_merge(&f->key)) {
        f->merges = true;
        if (p->profile == TN_YAML_STRICT) {
            refuse(p, at, "merge keys ('<<') are not allowed here",
                   "write the fields out");
        }
    }
}

static void
node_place(struct parse *p, const struct tn_node *node, size_t height)
{
    if (p->depth == 0) {
        p->root = node;
        return;
    }
    struct frame *f = &p->frames[p->depth - 1];
    if (height > f->height) {
        f->height = height;
    }
    if (f->node->type == TN_NODE_LIST) {
        child_push(p, &(struct tn_pair){.value = node});
    } else if (f->has_key) {
        f->key.value = node;
        f->has_key = false;
        child_push(p, &f->key);
    } else if (node->type == TN_NODE_SCALAR) {
        key_set(p, node->scalar.text, node->scalar.len, node->quoted, node->at);
    } else {
        key_set(p, "?", 1, true, node->at);
        refuse(p, node->at, "a key must be text", NULL);
    }
}

/* --- anchors, aliases, tags --------------------------------------------- */

static struct anchor *
anchor_new(struct parse *p, const yaml_char_t *name, struct tn_pos at)
{
    if (!name) {
        return NULL;
    }
    if (p->profile == TN_YAML_STRICT) {
        refuse(p, at, "anchors are not allowed here",
               "write the value out where it is used");
        return NULL;
    }
    const char *text = (const char *) name;
    struct anchor *former = tn_map_get(&p->anchors, text);
    if (former) {
        finding(p, at, "duplicate anchor '%s', first given on line %u", text,
                former->at.line);
        return NULL;
    }
    if (++p->n_anchors > ANCHORS_MAX) {
        refuse(p, at, "too many anchors in one file", NULL);
        p->stop = true;
        return NULL;
    }
    struct anchor *anchor = tn_new(p->arena, struct anchor);
    anchor->at = at;
    tn_map_put(&p->anchors, tn_arena_strdup(p->arena, text), anchor);
    return anchor;
}

static const struct tn_node *
null_node(struct parse *p, struct tn_pos at)
{
    struct tn_node *node = tn_new(p->arena, struct tn_node);
    node->at = at;
    node->scalar.text = "";
    return node;
}

static void
on_alias(struct parse *p, const yaml_event_t *event)
{
    struct tn_pos at = pos_of(event->start_mark);
    const char *name = (const char *) event->data.alias.anchor;
    const struct anchor *anchor = NULL;
    if (p->profile == TN_YAML_STRICT) {
        refuse(p, at, "aliases are not allowed here", "write the value out");
    } else {
        anchor = tn_map_get(&p->anchors, name);
        if (!anchor) {
            finding(p, at, "alias '%s' names no anchor", name);
        } else if (!anchor->node) {
            finding(p, at, "alias '%s' stands inside of what it names", name);
            anchor = NULL;
        }
    }
    if (!node_counted(p, anchor ? anchor->nodes : 1, at)) {
        return;
    }
    if (anchor && p->depth + anchor->height > p->limits->depth) {
        finding(p, at, "nested deeper than %zu levels", p->limits->depth);
        p->stop = true;
        return;
    }
    node_place(p, anchor ? anchor->node : null_node(p, at),
               anchor ? anchor->height : 0);
}

/* Sets the tags that Ansible knows; those of the core schema only say what is
 * there anyhow, but for '!!str' and '!', which make text of anything. */
static void
tag_apply(struct parse *p, struct tn_node *node, const yaml_char_t *name)
{
    static const char *const kept[] = {"!vault", "!vault-encrypted", "!unsafe"};
    static const char core[] = "tag:yaml.org,2002:";
    static const char *const of_type[] = {"str", "seq", "map"};
    if (!name) {
        return;
    }
    const char *tag = (const char *) name;
    if (p->profile == TN_YAML_STRICT) {
        refuse(p, node->at, "tags are not allowed here",
               "put text that looks like a number in quotes");
        return;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(kept); i++) {
        if (strcmp(tag, kept[i]) == 0) {
            node->tag = kept[i];
            return;
        }
    }
    if (strcmp(tag, "!") == 0 ||
        (strncmp(tag, core, sizeof core - 1) == 0 &&
         strcmp(tag + sizeof core - 1, of_type[node->type]) == 0)) {
        node->quoted |= node->type == TN_NODE_SCALAR;
        return;
    }
    finding(p, node->at, "the tag '%s' is not supported", tag);
}

/* --- events ------------------------------------------------------------- */

static void
on_scalar(struct parse *p, const yaml_event_t *event)
{
    struct tn_pos at = pos_of(event->start_mark);
    const char *text = (const char *) event->data.scalar.value;
    size_t len = event->data.scalar.length;
    bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!node_counted(p, 1, at)) {
        return;
    }
    if (len > p->limits->scalar) {
        finding(p, at, "the text has %zu bytes, more than the %zu allowed", len,
                p->limits->scalar);
        len = p->limits->scalar;
    }
    if (quoted && memchr(text, '\0', len)) {
        refuse(p, at, "the text contains a NUL character", NULL);
        len = strlen(text);
    }
    bool bare = !event->data.scalar.anchor && !event->data.scalar.tag;
    if (bare && wants_key(p)) {
        key_set(p, key_text(p, text, len), len, quoted, at);
        return;
    }
    struct tn_node *node = tn_arena_alloc(p->arena, sizeof *node + len + 1);
    char *copy = memcpy((char *) (node + 1), text, len);
    copy[len] = '\0';
    *node = (struct tn_node){.type = TN_NODE_SCALAR,
                             .quoted = quoted,
                             .at = at,
                             .scalar = {copy, len}};
    if (!bare) {
        tag_apply(p, node, event->data.scalar.tag);
        struct anchor *anchor = anchor_new(p, event->data.scalar.anchor, at);
        if (anchor) {
            *anchor = (struct anchor){node, 1, 0, at};
        }
    }
    node_place(p, node, 0);
}

static void
on_start(struct parse *p, enum tn_node_type type, const yaml_char_t *anchor,
         const yaml_char_t *tag, yaml_mark_t mark)
{
    struct tn_pos at = pos_of(mark);
    if (p->depth == p->limits->depth) {
        finding(p, at, "nested deeper than %zu levels", p->limits->depth);
        p->stop = true;
        return;
    }
    size_t before = p->n_nodes;
    if (!node_counted(p, 1, at)) {
        return;
    }
    struct tn_node *node = tn_new(p->arena, struct tn_node);
    node->type = type;
    node->at = at;
    tag_apply(p, node, tag);
    p->frames[p->depth++] = (struct frame){
        .node = node,
        .base = p->n_children,
        .nodes_before = before,
        .anchor = anchor_new(p, anchor, at),
    };
}

static void
on_end(struct parse *p)
{
    struct frame *f = &p->frames[p->depth - 1];
    if (f->node->type == TN_NODE_MAP) {
        map_end(p, f);
    } else {
        list_end(p, f);
    }
    p->n_children = f->base;
    p->depth--;
    if (f->anchor) {
        f->anchor->node = f->node;
        f->anchor->nodes = p->n_nodes - f->nodes_before;
        f->anchor->height = f->height + 1;
    }
    node_place(p, f->node, f->height + 1);
}

static void
on_document(struct parse *p, const yaml_event_t *event)
{
    struct tn_pos at = pos_of(event->start_mark);
    p->spoiled = false;
    p->root = NULL;
    if (++p->n_docs > p->limits->docs) {
        finding(p, at, "more than %zu documents in one file", p->limits->docs);
        p->stop = true;
    }
    if (p->profile == TN_YAML_INVENTORY) {
        tn_map_init(&p->anchors, p->arena, 0);
    } else if (event->data.document_start.version_directive ||
               event->data.document_start.tag_directives.start !=
                   event->data.document_start.tag_directives.end) {
        refuse(p, at, "directives (%YAML, %TAG) are not allowed here",
               "remove the lines that begin with '%'");
    }
}

static void
on_document_end(struct parse *p)
{
    const struct tn_node *root = p->root;
    bool empty = root && root->type == TN_NODE_SCALAR && !root->quoted &&
                 !root->tag && root->scalar.len == 0;
    if (root && !empty && !p->spoiled) {
        *tn_vec_push(p->arena, &p->docs) = root;
    }
}

static void
on_event(struct parse *p, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        on_document(p, event);
        break;
    case YAML_DOCUMENT_END_EVENT:
        on_document_end(p);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(p, event);
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(p, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_start(p, TN_NODE_LIST, event->data.sequence_start.anchor,
                 event->data.sequence_start.tag, event->start_mark);
        break;
    case YAML_MAPPING_START_EVENT:
        on_start(p, TN_NODE_MAP, event->data.mapping_start.anchor,
                 event->data.mapping_start.tag, event->start_mark);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(p);
        break;
    case YAML_STREAM_END_EVENT:
        p->stop = true;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
        break;
    }
}

static void
syntax_error(struct parse *p)
{
    const yaml_parser_t *y = &p->yaml;
    struct tn_pos at = pos_of(y->problem_mark);
    const char *what = y->problem ? y->problem : "out of memory";
    if (y->error == YAML_SCANNER_ERROR && y->buffer.pointer &&
        *y->buffer.pointer == '\t') {
        refuse(p, at, "not valid YAML: a tab cannot indent", "use spaces");
    } else if (y->context && y->context_mark.line != y->problem_mark.line) {
        finding(p, at, "not valid YAML: %s %s that begins on line %zu", what,
                y->context, y->context_mark.line + 1);
    } else if (y->context) {
        finding(p, at, "not valid YAML: %s %s", what, y->context);
    } else {
        finding(p, at, "not valid YAML: %s", what);
    }
}

static void
read_events(struct parse *p, const char *bytes, size_t n)
{
    if (!yaml_parser_initialize(&p->yaml)) {
        abort();
    }
    yaml_parser_set_encoding(&p->yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p->yaml, (const unsigned char *) bytes, n);
    while (!p->stop) {
        yaml_event_t event;
        if (!yaml_parser_parse(&p->yaml, &event)) {
            syntax_error(p);
            return;
        }
        on_event(p, &event);
        if (p->n_findings >= FINDINGS_MAX) {
            tn_diag(p->diags, TN_ERROR, tn_at(p->path, pos_of(event.end_mark)),
                    "too many errors, the rest of the file is not read");
        }
        yaml_event_delete(&event);
    }
}

bool
tn_yaml_parse(struct tn_arena *arena, const char *path, const char *bytes,
              size_t n, enum tn_yaml_profile profile,
              const struct tn_yaml_limits *limits, const struct tn_node ***docs,
              size_t *n_docs, struct tn_diags *diags)
{
    assert(limits->depth > 0 && limits->depth <= TN_YAML_DEPTH_MAX);
    struct tn_yaml_fault fault;
    *docs = NULL;
    *n_docs = 0;
    if (!tn_yaml_scan(bytes, n, limits, NULL, &fault)) {
        tn_diag(diags, TN_ERROR, tn_at(path, fault.at), "%s", fault.message)
            ->hint = fault.hint;
        return false;
    }
    struct frame frames[TN_YAML_DEPTH_MAX];
    TN_CLEANUP(cleanup_parse)
    struct parse p = {
        .arena = arena,
        .diags = diags,
        .limits = limits,
        .path = path,
        .profile = profile,
        .frames = frames,
    };
    read_events(&p, bytes, n);
    *docs = p.docs.items;
    *n_docs = p.docs.n;
    return p.n_findings == 0;
}
