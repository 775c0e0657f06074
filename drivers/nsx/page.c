/* page.c - lists that come in pages: tn_nsx_list() of client.h.
 *
 * A list of several pages is no snapshot: while it is read, objects come and
 * go, and what stands on the border of two pages is told twice or not at all.
 * So a reading counts if no element came twice and there are as many as
 * result_count promised; else it is read anew, with borders elsewhere.  If no
 * single reading is whole, all of them together may be: their union is taken if
 * it has the promised number of elements.  What never becomes whole is an
 * error, not a smaller world. */
#include "drivers/nsx/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "model/base/cleanup.h"
#include "model/base/map.h"

enum {
    PAGE_MOST = 1000,
    PAGE_LEAST = 10,
    PAGES_MAX = 20000,
    READINGS = 8,
};

struct item {
    const char *text;
    unsigned reading; /* The last that told of it. */
};

/* One list, however often it is read. */
struct list {
    struct tn_nsx *nsx;
    const char *path;
    struct tn_arena *arena;   /* For what is returned. */
    struct tn_arena *scratch; /* For the rest. */
    struct tn_map known;      /* Key of an element to its struct item. */
    TN_VEC(struct item *) items;
    unsigned size, reading;
    long long promised; /* result_count; -1: it was not told. */
    size_t n_read;      /* Different elements of this reading. */
    bool twice;         /* One came twice in it. */
};

static void
add_escaped(struct tn_text *out, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char) *s;
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
            (c >= 'A' && c <= 'Z') || strchr("-._~", c)) {
            tn_text_addc(out, (char) c);
        } else {
            tn_text_addf(out, "%%%02X", c);
        }
    }
}

static const char *
page_path(const struct list *l, const char *cursor)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "%s%cpage_size=%u", l->path,
                 strchr(l->path, '?') ? '&' : '?', l->size);
    if (cursor) {
        tn_text_add(&path, "&cursor=");
        add_escaped(&path, cursor);
    }
    return tn_arena_strdup(l->scratch, path.s);
}

static const char *
text_at(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static void
take(struct list *l, const json_t *element)
{
    char *text = json_dumps(element, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *key = text_at(element, "path");
    key = key ? key : text_at(element, "id");
    key = key ? key : text ? text : "";
    struct item *it = tn_map_get(&l->known, key);
    if (!it) {
        it = tn_new(l->scratch, struct item);
        tn_map_put(&l->known, tn_arena_strdup(l->scratch, key), it);
        *tn_vec_push(l->scratch, &l->items) = it;
    }
    if (it->reading == l->reading) {
        l->twice = true;
    } else {
        it->reading = l->reading;
        l->n_read++;
    }
    it->text = tn_arena_strdup(l->arena, text ? text : "null");
    free(text);
}

/* Where the next page begins; null: this was the last. */
static const char *
next_cursor(const struct list *l, const json_t *page, const char *cursor,
            size_t n_page)
{
    const char *next = text_at(page, "cursor");
    bool all = l->promised >= 0 && l->n_read >= (size_t) l->promised;
    if (!next || !next[0] || (cursor && strcmp(next, cursor) == 0)) {
        return NULL;
    }
    /* The search's cursor is an offset and never ends; that of the manager API
     * begins with zeros on the last page. */
    if (all && (strncmp(next, "0000", 4) == 0 || strstr(l->path, "/search"))) {
        return NULL;
    }
    return n_page == 0 ? NULL : tn_arena_strdup(l->scratch, next);
}

static enum tn_code
read_page(struct list *l, const char **cursor, struct tn_nsx_reply *reply,
          struct tn_error *err)
{
    size_t i;
    const json_t *element;
    struct tn_nsx_call call = {
        .method = "GET", .path = page_path(l, *cursor), .page = true};
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    enum tn_code code = tn_nsx_ask(l->nsx, &call, arena, reply, err);
    if (code || reply->verdict.action != TN_NSX_DONE) {
        tn_arena_adopt(l->scratch, TN_TAKE(arena));
        return code;
    }
    json_t *page = json_loadb(reply->body, reply->n_body, 0, NULL);
    const json_t *results = json_object_get(page, "results");
    const json_t *count = json_object_get(page, "result_count");
    if (!json_is_array(results) &&
        !(json_is_integer(count) && json_integer_value(count) == 0)) {
        json_decref(page);
        return tn_fail(err, TN_EUNAVAILABLE, reply->verdict.status,
                       "a list was answered with what is no list");
    }
    if (json_is_integer(count)) {
        l->promised = json_integer_value(count);
    }
    json_array_foreach(results, i, element)
    {
        take(l, element);
    }
    *cursor = next_cursor(l, page, *cursor, json_array_size(results));
    json_decref(page);
    return TN_OK;
}

/* Takes smaller pages, if that is what is asked for and possible. */
static bool
shrink(struct list *l, const struct tn_nsx_verdict *v)
{
    bool smaller =
        v->action == TN_NSX_SMALLER || (v->status == 400 && v->code == 255);
    if (!smaller || l->size == PAGE_LEAST) {
        return false;
    }
    l->size = l->size / 2 < PAGE_LEAST ? PAGE_LEAST : l->size / 2;
    return true;
}

/* Reads all pages once.  A page that was too large is asked for again with the
 * same cursor. */
static enum tn_code
read_once(struct list *l, struct tn_nsx_reply *reply, struct tn_error *err)
{
    const char *cursor = NULL;
    size_t pages = 0;
    enum tn_code code;
    if (l->reading++ > 0 && l->size > 2 * PAGE_LEAST) {
        l->size -= l->size / 10; /* So that borders move. */
    }
    l->promised = -1;
    l->n_read = 0;
    l->twice = false;
    do {
        code = read_page(l, &cursor, reply, err);
    } while (!code && ++pages < PAGES_MAX &&
             (reply->verdict.action == TN_NSX_DONE
                  ? cursor != NULL
                  : shrink(l, &reply->verdict)));
    return !code && pages == PAGES_MAX
               ? tn_fail(err, TN_EUNAVAILABLE, 0, "a list has no end")
               : code;
}

static bool
is_whole(const struct list *l)
{
    return !l->twice && (l->promised < 0 || l->n_read >= (size_t) l->promised);
}

/* Together the readings may have all. */
static bool
is_whole_together(const struct list *l)
{
    return l->reading > 1 && l->promised >= 0 &&
           l->items.n == (size_t) l->promised;
}

static void
give(const struct list *l, bool together, const char *const **items, size_t *n)
{
    const char **texts = tn_new_n(l->arena, const char *, l->items.n + 1);
    size_t k = 0;
    for (size_t i = 0; i < l->items.n; i++) {
        if (together || l->items.items[i]->reading == l->reading) {
            texts[k++] = l->items.items[i]->text;
        }
    }
    *items = texts;
    *n = k;
}

enum tn_code
tn_nsx_list(struct tn_nsx *nsx, const char *path, struct tn_arena *arena,
            const char *const **items, size_t *n, struct tn_nsx_reply *refused,
            struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *scratch = tn_arena_new();
    struct list l = {.nsx = nsx,
                     .path = path,
                     .arena = arena,
                     .scratch = scratch,
                     .size = PAGE_MOST};
    tn_map_init(&l.known, scratch, 0);
    while (l.reading < READINGS) {
        struct tn_nsx_reply reply = {.body = ""};
        enum tn_code code = read_once(&l, &reply, err);
        if (code) {
            return tn_while(err, code, "GET %s", path);
        }
        bool refusal = reply.verdict.action != TN_NSX_DONE;
        if (refusal || is_whole(&l) || is_whole_together(&l)) {
            *refused = reply;
            refused->body = tn_arena_strdup(arena, refusal ? reply.body : "");
            refused->n_body = refusal ? reply.n_body : 0;
            refused->verdict.referrers = NULL;
            refused->verdict.n_referrers = 0;
            refused->verdict.text = tn_arena_strdup(arena, reply.verdict.text);
            *n = 0;
            *items = NULL;
            if (!refusal) {
                give(&l, !is_whole(&l), items, n);
            }
            return TN_OK;
        }
    }
    return tn_fail(err, TN_EUNAVAILABLE, 0,
                   "GET %s: the list changed each of %d times that it was read",
                   path, READINGS);
}
