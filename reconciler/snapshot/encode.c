/* encode.c - a state to text: a line for each resource, a file for each VPC.
 *
 * Equal states give equal bytes.  Members of a line always come in the same
 * order, and what is absent is left out.  Attributes are in two objects,
 * "attrs" and "fixed": those of the second can only be changed by replacing
 * the resource, which a plan has to know.  Bytes that are not UTF-8 become
 * U+FFFD: JSON cannot hold them. */
#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"
#include "model/base/time.h"
#include "reconciler/snapshot/fingerprint.h"
#include "reconciler/snapshot/snapshot.h"
#include "reconciler/status/entry.h"

struct encoder {
    struct tn_arena *arena;
    const struct tn_digest *key;
    struct tn_text text;
    TN_VEC(struct tn_status_file) files;
    TN_VEC(struct tn_snapshot_count) left_out;
    bool choosy; /* Too many foreign objects: keep those in 'needed'. */
    struct tn_map needed; /* Keys, and claims with a blank in front. */
};

/* The length of the character at 's', 0 if it is not well-formed. */
static size_t
character(const char *s)
{
    size_t n = strnlen(s, 4);
    for (size_t i = 1; i <= n; i++) {
        if (tn_is_utf8(s, i)) {
            return i;
        }
    }
    return 0;
}

static void
add_string(struct tn_text *t, const char *s)
{
    tn_text_addc(t, '"');
    if (tn_is_utf8(s, strlen(s))) {
        tn_text_add_escaped(t, s);
    } else {
        while (*s) {
            char one[5] = {0};
            size_t n = character(s);
            memcpy(one, n ? s : "\xef\xbf\xbd", n ? n : 3);
            tn_text_add_escaped(t, one);
            s += n ? n : 1;
        }
    }
    tn_text_addc(t, '"');
}

static void
add_member(struct tn_text *t, const char *name, const char *value)
{
    if (value) {
        tn_text_addf(t, ",\"%s\":", name);
        add_string(t, value);
    }
}

/* The attributes of one sort; nothing if there are none. */
static void
add_attrs(struct encoder *e, const struct tn_resource *r, const char *name,
          bool secret, uint8_t change)
{
    char fingerprint[TN_SNAPSHOT_FINGERPRINT];
    bool any = false;
    for (size_t i = 0; i < r->n_attrs; i++) {
        const struct tn_attr *a = &r->attrs[i];
        if (a->secret != secret || a->change != change) {
            continue;
        }
        if (any) {
            tn_text_addc(&e->text, ',');
        } else {
            tn_text_addf(&e->text, ",\"%s\":{", name);
        }
        any = true;
        add_string(&e->text, a->name);
        tn_text_addc(&e->text, ':');
        add_string(&e->text,
                   secret ? tn_snapshot_fingerprint(e->key, r->key, a->name,
                                                    a->value, fingerprint)
                          : a->value);
    }
    if (any) {
        tn_text_addc(&e->text, '}');
    }
}

static void
add_resource(struct encoder *e, const struct tn_resource *r)
{
    tn_text_add(&e->text, "{\"key\":");
    add_string(&e->text, r->key);
    add_member(&e->text, "kind", r->kind);
    add_member(&e->text, "name", r->name);
    if (r->rank) {
        tn_text_addf(&e->text, ",\"rank\":%u", (unsigned) r->rank);
    }
    add_member(&e->text, "claim", r->claim);
    add_member(&e->text, "parent", r->parent);
    if (r->owner == TN_FOREIGN) {
        tn_text_add(&e->text, ",\"foreign\":true");
    } else {
        add_attrs(e, r, "attrs", false, TN_ATTR_UPDATE);
        add_attrs(e, r, "fixed", false, TN_ATTR_REPLACE);
        add_attrs(e, r, "secret", true, TN_ATTR_UPDATE);
        add_attrs(e, r, "fixed_secret", true, TN_ATTR_REPLACE);
    }
    tn_text_add(&e->text, "}\n");
}

/* Moves the text into a file. */
static void
add_file(struct encoder *e, const char *path, size_t n_meaning)
{
    *tn_vec_push(e->arena, &e->files) = (struct tn_status_file){
        .path = path,
        .bytes = tn_arena_strndup(e->arena, tn_text_str(&e->text), e->text.n),
        .n = e->text.n,
        .n_meaning = n_meaning,
    };
    tn_text_clear(&e->text);
}

/* "acme/web.jsonl"; the reader goes by the first line of the file, not by its
 * name. */
static const char *
scope_path(struct tn_arena *arena, const char *scope)
{
    if (*scope == '\0') {
        return "device.jsonl";
    }
    size_t n = strcspn(scope, "/");
    const char *tenant =
        tn_entry_component(arena, tn_arena_strndup(arena, scope, n));
    const char *rest =
        scope[n] ? tn_entry_component(arena, scope + n + 1) : "%";
    return tn_arena_printf(arena, "%s/%s.jsonl", *tenant ? tenant : "%", rest);
}

static int
by_scope(const void *pa, const void *pb)
{
    const struct tn_resource *const *a = pa, *const *b = pb;
    int c = (*a)->scope == (*b)->scope ? 0 : strcmp((*a)->scope, (*b)->scope);
    return c ? c : strcmp((*a)->key, (*b)->key);
}

static void
count_left_out(struct encoder *e, const char *kind)
{
    for (size_t i = 0; i < e->left_out.n; i++) {
        if (strcmp(e->left_out.items[i].kind, kind) == 0) {
            e->left_out.items[i].n++;
            return;
        }
    }
    *tn_vec_push(e->arena, &e->left_out) = (struct tn_snapshot_count){kind, 1};
}

static int
by_kind(const void *a, const void *b)
{
    return strcmp(((const struct tn_snapshot_count *) a)->kind,
                  ((const struct tn_snapshot_count *) b)->kind);
}

static void
needed_collect(struct encoder *e, const struct tn_state *state,
               const struct tn_state *want)
{
    size_t n = 0;
    for (size_t i = 0; i < state->n; i++) {
        n += state->items[i].owner == TN_FOREIGN;
    }
    e->choosy = n > TN_SNAPSHOT_FOREIGN;
    if (!e->choosy) {
        return;
    }
    tn_map_init(&e->needed, e->arena, want ? 2 * want->n : 0);
    for (size_t i = 0; want && i < want->n; i++) {
        const struct tn_resource *r = &want->items[i];
        tn_map_put(&e->needed, r->key, e);
        if (r->claim) {
            tn_map_put(&e->needed, tn_arena_printf(e->arena, " %s", r->claim),
                       e);
        }
    }
}

static bool
is_kept(struct encoder *e, const struct tn_resource *r)
{
    if (!e->choosy || r->owner != TN_FOREIGN ||
        tn_map_get(&e->needed, r->key)) {
        return true;
    }
    return r->claim &&
           tn_map_get(&e->needed, tn_arena_printf(e->arena, " %s", r->claim));
}

static void
add_scopes(struct encoder *e, const struct tn_state *state)
{
    const struct tn_resource **items =
        tn_new_n(e->arena, const struct tn_resource *, state->n);
    size_t n = 0;
    for (size_t i = 0; i < state->n; i++) {
        if (is_kept(e, &state->items[i])) {
            items[n++] = &state->items[i];
        } else {
            count_left_out(e, state->items[i].kind);
        }
    }
    if (n > 1) {
        qsort(items, n, sizeof(struct tn_resource *), by_scope);
    }
    for (size_t i = 0; i < n;) {
        const char *scope = items[i]->scope;
        tn_text_add(&e->text, "{\"scope\":");
        add_string(&e->text, scope);
        tn_text_add(&e->text, "}\n");
        for (; i < n && strcmp(items[i]->scope, scope) == 0; i++) {
            add_resource(e, items[i]);
        }
        add_file(e, scope_path(e->arena, scope), 0);
    }
}

/* The first line is what it means, the second when and after what. */
static void
add_header(struct encoder *e, const struct tn_snapshot_meta *meta)
{
    char time[TN_TIME_TEXT];
    tn_text_add(&e->text, "{\"format\":1");
    add_member(&e->text, "device", meta->device);
    add_member(&e->text, "driver", meta->driver);
    if (e->left_out.n) {
        qsort(e->left_out.items, e->left_out.n, sizeof *e->left_out.items,
              by_kind);
        tn_text_add(&e->text, ",\"foreign_left_out\":{");
    }
    for (size_t i = 0; i < e->left_out.n; i++) {
        tn_text_add(&e->text, i ? "," : "");
        add_string(&e->text, e->left_out.items[i].kind);
        tn_text_addf(&e->text, ":%llu",
                     (unsigned long long) e->left_out.items[i].n);
    }
    tn_text_add(&e->text, e->left_out.n ? "}}\n" : "}\n");
    size_t n_meaning = e->text.n;
    tn_text_add(&e->text, "{\"observed\":");
    add_string(&e->text, tn_time_format(meta->observed, time));
    add_member(&e->text, "commit", meta->commit);
    tn_text_add(&e->text, "}\n");
    add_file(e, "header.jsonl", n_meaning);
}

static void
encode_end(struct encoder *e, const struct tn_snapshot_meta *meta,
           struct tn_status_folder *out)
{
    add_header(e, meta);
    tn_text_done(&e->text);
    *out = (struct tn_status_folder){
        .path = tn_arena_printf(e->arena, "snapshots/%s",
                                tn_entry_component(e->arena, meta->device)),
        .files = e->files.items,
        .n_files = e->files.n,
    };
}

void
tn_snapshot_encode(struct tn_arena *arena, const struct tn_state *state,
                   const struct tn_state *want,
                   const struct tn_snapshot_meta *meta,
                   const struct tn_digest *key, struct tn_status_folder *out)
{
    struct encoder e = {.arena = arena, .key = key};
    needed_collect(&e, state, want);
    add_scopes(&e, state);
    encode_end(&e, meta, out);
}

void
tn_snapshot_encode_part(struct tn_arena *arena, const struct tn_state *state,
                        const char *const *scopes, size_t n_scopes,
                        const struct tn_snapshot_meta *meta,
                        const struct tn_digest *key,
                        struct tn_status_folder *out)
{
    struct encoder e = {.arena = arena, .key = key};
    add_scopes(&e, state);
    size_t n = e.files.n;
    for (size_t i = 0; i < n_scopes; i++) {
        const char *path = scope_path(arena, scopes[i]);
        bool there = false;
        for (size_t k = 0; k < n && !there; k++) {
            there = strcmp(e.files.items[k].path, path) == 0;
        }
        if (!there) {
            *tn_vec_push(arena, &e.files) =
                (struct tn_status_file){.path = path};
        }
    }
    encode_end(&e, meta, out);
    out->part = true;
}
