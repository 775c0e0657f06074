/* decode.c - the files of a snapshot back to a state.
 *
 * The files lie in Git, where anybody with write access may have put anything,
 * and in clones of clones: nothing in them is believed.  Sizes are bounded,
 * every member has its type, keys do not repeat.  What a line holds besides is
 * of a newer tenet and is left alone; a newer format is refused. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "model/base/time.h"
#include "reconciler/snapshot/snapshot.h"

enum { FORMAT = 1, LEFT_OUT = 1000 };

struct decoder {
    struct tn_arena *arena;
    TN_VEC(struct tn_resource) items;
    struct tn_snapshot out;
    bool has_header;
    size_t n_bytes;
    /* Where it is. */
    const char *path;
    size_t line;
    struct tn_error *err;
};

static void
cleanup_json(json_t **j)
{
    json_decref(*j);
}

static enum tn_code
wrong(const struct decoder *d, const char *what)
{
    return tn_fail(d->err, TN_EINTENT, 0, "snapshot: %s:%zu: %s", d->path,
                   d->line, what);
}

/* Text, new in the arena; null if absent, and '*bad' set if it is no text. */
static const char *
text(const struct decoder *d, const json_t *object, const char *name, bool *bad)
{
    const json_t *v = json_object_get(object, name);
    if (!v) {
        return NULL;
    }
    if (!json_is_string(v)) {
        *bad = true;
        return NULL;
    }
    return tn_arena_strndup(d->arena, json_string_value(v),
                            json_string_length(v));
}

static const struct {
    const char *name;
    bool secret;
    uint8_t change;
} sorts[] = {
    {"attrs", false, TN_ATTR_UPDATE},
    {"fixed", false, TN_ATTR_REPLACE},
    {"secret", true, TN_ATTR_UPDATE},
    {"fixed_secret", true, TN_ATTR_REPLACE},
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct tn_attr *) a)->name,
                  ((const struct tn_attr *) b)->name);
}

static enum tn_code
read_attrs(struct decoder *d, json_t *line, struct tn_resource *r)
{
    size_t n = 0;
    for (size_t i = 0; i < TN_ARRAY_SIZE(sorts); i++) {
        const json_t *o = json_object_get(line, sorts[i].name);
        if (o && !json_is_object(o)) {
            return wrong(d, "attributes are a map");
        }
        n += json_object_size(o);
    }
    struct tn_attr *attrs = tn_new_n(d->arena, struct tn_attr, n);
    n = 0;
    for (size_t i = 0; i < TN_ARRAY_SIZE(sorts); i++) {
        json_t *o = json_object_get(line, sorts[i].name);
        void *at = json_object_iter(o);
        for (; at; at = json_object_iter_next(o, at)) {
            const json_t *v = json_object_iter_value(at);
            const char *name = json_object_iter_key(at);
            if (!json_is_string(v)) {
                return wrong(d, "the value of an attribute is text");
            }
            attrs[n++] = (struct tn_attr){
                .name = tn_arena_strdup(d->arena, name),
                .value = tn_arena_strndup(d->arena, json_string_value(v),
                                          json_string_length(v)),
                .change = sorts[i].change,
                .secret = sorts[i].secret,
            };
            d->out.n_secrets += sorts[i].secret;
        }
    }
    if (n > 1) {
        qsort(attrs, n, sizeof *attrs, by_name);
    }
    for (size_t i = 1; i < n; i++) {
        if (strcmp(attrs[i - 1].name, attrs[i].name) == 0) {
            return wrong(d, "an attribute is given twice");
        }
    }
    r->attrs = attrs;
    r->n_attrs = n;
    return TN_OK;
}

static enum tn_code
read_resource(struct decoder *d, json_t *line, const char *scope)
{
    bool bad = false;
    const json_t *rank = json_object_get(line, "rank");
    const json_t *foreign = json_object_get(line, "foreign");
    json_int_t number = rank ? json_integer_value(rank) : 0;
    struct tn_resource r = {
        .key = text(d, line, "key", &bad),
        .kind = text(d, line, "kind", &bad),
        .name = text(d, line, "name", &bad),
        .scope = scope,
        .owner = json_is_true(foreign) ? TN_FOREIGN : TN_OURS,
        .rank = (uint16_t) number,
        .claim = text(d, line, "claim", &bad),
        .parent = text(d, line, "parent", &bad),
    };
    if (bad || !r.key || !r.kind || r.key[0] == '\0' || r.kind[0] == '\0') {
        return wrong(d, "a resource has a key and a kind, and they are text");
    }
    if ((rank && !json_is_integer(rank)) || number < 0 ||
        number > TN_SNAPSHOT_RANK ||
        (foreign && !json_is_true(foreign) && !json_is_false(foreign))) {
        return wrong(d, "'rank' is a number below 65536, 'foreign' is a "
                        "truth value");
    }
    enum tn_code code = read_attrs(d, line, &r);
    if (!code) {
        *tn_vec_push(d->arena, &d->items) = r;
    }
    return code;
}

static enum tn_code
read_left_out(struct decoder *d, json_t *line)
{
    json_t *o = json_object_get(line, "foreign_left_out");
    struct tn_snapshot_meta *meta = &d->out.meta;
    size_t n = json_object_size(o), i = 0;
    if ((o && !json_is_object(o)) || n > LEFT_OUT) {
        return wrong(d, "'foreign_left_out' is a map from kind to number");
    }
    struct tn_snapshot_count *counts =
        tn_new_n(d->arena, struct tn_snapshot_count, n);
    for (void *at = json_object_iter(o); at;
         at = json_object_iter_next(o, at)) {
        const json_t *v = json_object_iter_value(at);
        if (!json_is_integer(v) || json_integer_value(v) < 0) {
            return wrong(d, "'foreign_left_out' is a map from kind to number");
        }
        counts[i++] = (struct tn_snapshot_count){
            tn_arena_strdup(d->arena, json_object_iter_key(at)),
            (uint64_t) json_integer_value(v)};
    }
    meta->left_out = counts;
    meta->n_left_out = n;
    return TN_OK;
}

static bool
is_commit(const char *s)
{
    size_t n = strlen(s);
    return (n == 40 || n == 64) && strspn(s, "0123456789abcdef") == n;
}

static enum tn_code
read_header(struct decoder *d, json_t *line)
{
    bool bad = false;
    struct tn_snapshot_meta *meta = &d->out.meta;
    if (d->line == 1) {
        const json_t *format = json_object_get(line, "format");
        if (!json_is_integer(format) || json_integer_value(format) != FORMAT) {
            return wrong(d, "written by another version of tenet");
        }
        meta->device = text(d, line, "device", &bad);
        meta->driver = text(d, line, "driver", &bad);
        return bad || !meta->device || !meta->driver
                   ? wrong(d, "the header names device and driver")
                   : read_left_out(d, line);
    }
    const char *observed = text(d, line, "observed", &bad);
    meta->commit = text(d, line, "commit", &bad);
    if (d->line != 2 || bad || !observed ||
        !tn_time_parse(observed, &meta->observed) ||
        (meta->commit && !is_commit(meta->commit))) {
        return wrong(d, "the second line says when, and after which commit");
    }
    d->has_header = true;
    return TN_OK;
}

static enum tn_code
read_line(struct decoder *d, const char *bytes, size_t n, bool is_header,
          const char **scope)
{
    json_error_t ignored;
    bool bad = false;
    if (n > TN_SNAPSHOT_LINE_BYTES) {
        return wrong(d, "the line is too long");
    }
    TN_CLEANUP(cleanup_json)
    json_t *line = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &ignored);
    if (!json_is_object(line)) {
        return wrong(d, "not a JSON object in one line");
    }
    if (is_header) {
        return read_header(d, line);
    }
    if (d->line > 1) {
        return read_resource(d, line, *scope);
    }
    *scope = text(d, line, "scope", &bad);
    return *scope ? TN_OK : wrong(d, "the first line names the scope");
}

static enum tn_code
read_file(struct decoder *d, const struct tn_status_file *file)
{
    const char *scope = NULL;
    bool is_header = strcmp(file->path, "header.jsonl") == 0;
    d->path = file->path;
    d->line = 0;
    d->n_bytes += file->n;
    if (file->n > TN_SNAPSHOT_FILE_BYTES || d->n_bytes > TN_SNAPSHOT_BYTES) {
        return wrong(d, "too much to be read");
    }
    for (size_t at = 0; at < file->n;) {
        const char *end = memchr(file->bytes + at, '\n', file->n - at);
        size_t n = end ? (size_t) (end - file->bytes) - at : file->n - at;
        d->line++;
        enum tn_code code =
            end ? read_line(d, file->bytes + at, n, is_header, &scope)
                : wrong(d, "the line does not end");
        if (code) {
            return code;
        }
        at += n + 1;
    }
    return d->line ? TN_OK : wrong(d, "the file is empty");
}

enum tn_code
tn_snapshot_decode(struct tn_arena *arena, const struct tn_status_file *files,
                   size_t n, struct tn_snapshot *out, struct tn_error *err)
{
    struct decoder d = {.arena = arena, .err = err};
    if (n > TN_SNAPSHOT_FILES) {
        return tn_fail(err, TN_EINTENT, 0, "snapshot: %zu files", n);
    }
    for (size_t i = 0; i < n; i++) {
        enum tn_code code = read_file(&d, &files[i]);
        if (code) {
            return code;
        }
    }
    if (!d.has_header) {
        return tn_fail(err, TN_EINTENT, 0,
                       "snapshot: header.jsonl is missing or cut short");
    }
    if (tn_state_sort(d.items.items, d.items.n, err)) {
        if (err) {
            err->code = TN_EINTENT;
        }
        return tn_while(err, TN_EINTENT, "snapshot");
    }
    d.out.state = tn_new(arena, struct tn_state);
    *d.out.state =
        (struct tn_state){d.out.meta.device, d.items.items, d.items.n};
    *out = d.out;
    return TN_OK;
}
