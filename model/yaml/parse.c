/* parse.c - libyaml's events become a tree in an arena.
 *
 * The only file that knows libyaml.  What it builds with is in build.h.  Bytes
 * come here after scan.c has judged them.  Open collections are frames on a
 * stack of bounded height; their children gather on a second stack and are
 * copied, exactly sized, into the arena when the collection ends, so that a
 * node costs one bump of a pointer.
 *
 * A breach of the profile (an anchor, a duplicate key, ...) spoils its
 * document and the rest is read on, to report all of them; a syntax error or a
 * limit ends the file. */
#include "model/yaml/node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "model/base/cleanup.h"
#include "model/yaml/build.h"
#include "model/yaml/scan.h"

static void
cleanup_yaml(yaml_parser_t *yaml)
{
    yaml_parser_delete(yaml);
}

static struct tn_pos
pos_of(yaml_mark_t mark)
{
    return (struct tn_pos){(uint32_t) mark.line + 1,
                           (uint32_t) mark.column + 1};
}

static void
map_end(struct tn_yaml_build *p, struct tn_yaml_frame *f)
{
    if (p->n_children == f->base) {
        return;
    }
    p->n_children = f->base + tn_yaml_dedupe(p, p->children + f->base,
                                             p->n_children - f->base, false);
    if (f->merges) {
        tn_yaml_merge_keys(p, f);
    }
    size_t n = p->n_children - f->base;
    struct tn_pair *pairs = tn_arena_alloc(p->arena, n * sizeof *pairs);
    memcpy(pairs, p->children + f->base, n * sizeof *pairs);
    f->node->map.pairs = pairs;
    f->node->map.n = n;
}

static void
list_end(struct tn_yaml_build *p, struct tn_yaml_frame *f)
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
wants_key(const struct tn_yaml_build *p)
{
    const struct tn_yaml_frame *f = p->depth ? &p->frames[p->depth - 1] : NULL;
    return f && f->node->type == TN_NODE_MAP && !f->has_key;
}

/* Files repeat few keys: each is kept once, as long as no other takes its
 * place here. */
static const char *
key_text(struct tn_yaml_build *p, const char *text, size_t len)
{
    size_t slot = (len * 5 + (unsigned char) text[0] +
                   (len ? (unsigned char) text[len - 1] * 3u : 0)) %
                  TN_YAML_KEYS_CACHED;
    if (!p->keys[slot] || strcmp(p->keys[slot], text) != 0) {
        p->keys[slot] = tn_arena_strndup(p->arena, text, len);
    }
    return p->keys[slot];
}

/* Keeps the key until its value comes. */
static void
key_set(struct tn_yaml_build *p, const char *text, size_t len, bool quoted,
        struct tn_pos at)
{
    struct tn_yaml_frame *f = &p->frames[p->depth - 1];
    f->key = (struct tn_pair){.key = text, .at = at, .quoted = quoted};
    f->has_key = true;
    if (len == 0) {
        tn_yaml_refuse(p, at, "an empty key", NULL);
    } else if (len > p->limits->key) {
        tn_yaml_finding(p, at,
                        "the key has %zu bytes, more than the %zu allowed", len,
                        p->limits->key);
    } else if (tn_yaml_is_merge(&f->key)) {
        f->merges = true;
        if (p->profile == TN_YAML_STRICT) {
            tn_yaml_refuse(p, at, "merge keys ('<<') are not allowed here",
                           "write the fields out");
        }
    }
}

static void
node_place(struct tn_yaml_build *p, const struct tn_node *node, size_t height)
{
    if (p->depth == 0) {
        p->root = node;
        return;
    }
    struct tn_yaml_frame *f = &p->frames[p->depth - 1];
    if (height > f->height) {
        f->height = height;
    }
    if (f->node->type == TN_NODE_LIST) {
        tn_yaml_push(p, &(struct tn_pair){.value = node});
    } else if (f->has_key) {
        f->key.value = node;
        f->has_key = false;
        tn_yaml_push(p, &f->key);
    } else if (node->type == TN_NODE_SCALAR) {
        key_set(p, node->scalar.text, node->scalar.len, node->quoted, node->at);
    } else {
        key_set(p, "?", 1, true, node->at);
        tn_yaml_refuse(p, node->at, "a key must be text", NULL);
    }
}

/* --- events ------------------------------------------------------------- */

static const struct tn_node *
null_node(struct tn_yaml_build *p, struct tn_pos at)
{
    struct tn_node *node = tn_new(p->arena, struct tn_node);
    node->at = at;
    node->scalar.text = "";
    return node;
}

static void
on_alias(struct tn_yaml_build *p, const yaml_event_t *event)
{
    struct tn_pos at = pos_of(event->start_mark);
    const struct tn_yaml_anchor *anchor =
        tn_yaml_alias(p, (const char *) event->data.alias.anchor, at);
    if (!tn_yaml_count(p, anchor ? anchor->nodes : 1, at)) {
        return;
    }
    if (anchor && p->depth + anchor->height > p->limits->depth) {
        tn_yaml_finding(p, at, "nested deeper than %zu levels",
                        p->limits->depth);
        p->stop = true;
        return;
    }
    node_place(p, anchor ? anchor->node : null_node(p, at),
               anchor ? anchor->height : 0);
}

static void
on_scalar(struct tn_yaml_build *p, const yaml_event_t *event)
{
    struct tn_pos at = pos_of(event->start_mark);
    const char *text = (const char *) event->data.scalar.value;
    size_t len = event->data.scalar.length;
    bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!tn_yaml_count(p, 1, at)) {
        return;
    }
    if (len > p->limits->scalar) {
        tn_yaml_finding(p, at,
                        "the text has %zu bytes, more than the %zu allowed",
                        len, p->limits->scalar);
        len = p->limits->scalar;
    }
    if (quoted && memchr(text, '\0', len)) {
        tn_yaml_refuse(p, at, "the text contains a NUL character", NULL);
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
        tn_yaml_tag(p, node, (const char *) event->data.scalar.tag);
        struct tn_yaml_anchor *anchor =
            tn_yaml_anchor(p, (const char *) event->data.scalar.anchor, at);
        if (anchor) {
            *anchor = (struct tn_yaml_anchor){node, 1, 0, at};
        }
    }
    node_place(p, node, 0);
}

static void
on_start(struct tn_yaml_build *p, enum tn_node_type type,
         const yaml_char_t *anchor, const yaml_char_t *tag, yaml_mark_t mark)
{
    struct tn_pos at = pos_of(mark);
    if (p->depth == p->limits->depth) {
        tn_yaml_finding(p, at, "nested deeper than %zu levels",
                        p->limits->depth);
        p->stop = true;
        return;
    }
    size_t before = p->n_nodes;
    if (!tn_yaml_count(p, 1, at)) {
        return;
    }
    struct tn_node *node = tn_new(p->arena, struct tn_node);
    node->type = type;
    node->at = at;
    tn_yaml_tag(p, node, (const char *) tag);
    p->frames[p->depth++] = (struct tn_yaml_frame){
        .node = node,
        .base = p->n_children,
        .nodes_before = before,
        .anchor = tn_yaml_anchor(p, (const char *) anchor, at),
    };
}

static void
on_end(struct tn_yaml_build *p)
{
    assert(p->depth > 0);
    struct tn_yaml_frame *f = &p->frames[p->depth - 1];
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
on_document(struct tn_yaml_build *p, const yaml_event_t *event)
{
    struct tn_pos at = pos_of(event->start_mark);
    p->spoiled = false;
    p->root = NULL;
    if (++p->n_docs > p->limits->docs) {
        tn_yaml_finding(p, at, "more than %zu documents in one file",
                        p->limits->docs);
        p->stop = true;
    }
    if (p->profile == TN_YAML_INVENTORY) {
        tn_map_init(&p->anchors, p->arena, 0);
    } else if (event->data.document_start.version_directive ||
               event->data.document_start.tag_directives.start !=
                   event->data.document_start.tag_directives.end) {
        tn_yaml_refuse(p, at, "directives (%YAML, %TAG) are not allowed here",
                       "remove the lines that begin with '%'");
    }
}

static void
on_document_end(struct tn_yaml_build *p)
{
    const struct tn_node *root = p->root;
    bool empty = root && root->type == TN_NODE_SCALAR && !root->quoted &&
                 !root->tag && root->scalar.len == 0;
    if (root && !empty && !p->spoiled) {
        *tn_vec_push(p->arena, &p->docs) = root;
    }
}

static void
on_event(struct tn_yaml_build *p, const yaml_event_t *event)
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
syntax_error(struct tn_yaml_build *p, const yaml_parser_t *y)
{
    struct tn_pos at = pos_of(y->problem_mark);
    const char *what = y->problem ? y->problem : "out of memory";
    if (y->error == YAML_SCANNER_ERROR && y->buffer.pointer &&
        *y->buffer.pointer == '\t') {
        tn_yaml_refuse(p, at, "not valid YAML: a tab cannot indent",
                       "use spaces");
    } else if (y->context && y->context_mark.line != y->problem_mark.line) {
        tn_yaml_finding(p, at, "not valid YAML: %s %s that begins on line %zu",
                        what, y->context, y->context_mark.line + 1);
    } else if (y->context) {
        tn_yaml_finding(p, at, "not valid YAML: %s %s", what, y->context);
    } else {
        tn_yaml_finding(p, at, "not valid YAML: %s", what);
    }
}

static void
read_events(struct tn_yaml_build *p, const char *bytes, size_t n)
{
    TN_CLEANUP(cleanup_yaml) yaml_parser_t yaml = {0};
    if (!yaml_parser_initialize(&yaml)) {
        abort();
    }
    yaml_parser_set_encoding(&yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&yaml, (const unsigned char *) bytes, n);
    while (!p->stop) {
        yaml_event_t event;
        if (!yaml_parser_parse(&yaml, &event)) {
            syntax_error(p, &yaml);
            return;
        }
        on_event(p, &event);
        if (p->n_findings >= TN_YAML_FINDINGS_MAX) {
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
    struct tn_yaml_frame frames[TN_YAML_DEPTH_MAX];
    struct tn_yaml_build p = {
        .arena = arena,
        .diags = diags,
        .limits = limits,
        .path = path,
        .profile = profile,
        .frames = frames,
    };
    read_events(&p, bytes, n);
    free(p.children);
    *docs = p.docs.items;
    *n_docs = p.docs.n;
    return p.n_findings == 0;
}
