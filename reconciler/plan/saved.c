/* saved.c - a plan as a file: see saved.h.
 *
 * The file is JSON, one change a line, in the order of devices and keys, so
 * that two of them can be compared by eye.  A replacement in two halves is one
 * change: it is planned again at apply, and then split again.  The checksum
 * covers everything else in the file.
 *
 * Reading is strict: members that are unknown, missing or of another type,
 * changes out of order or twice, and operations that do not fit their digests
 * are refused, each with a sentence that says where. */
#include "reconciler/plan/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "reconciler/plan/show.h"

enum { FORMAT = 1 };

static const struct tn_digest absent;

static const char *const op_names[] = {
    [TN_OP_CREATE] = "create",
    [TN_OP_UPDATE] = "update",
    [TN_OP_REPLACE] = "replace",
    [TN_OP_DELETE] = "delete",
};

static void
cleanup_json(json_t **j)
{
    json_decref(*j);
}

/* JSON is UTF-8: what is not comes out as U+FFFD. */
static const char *
as_utf8(struct tn_arena *arena, const char *s)
{
    size_t n = strlen(s);
    if (tn_is_utf8(s, n)) {
        return s;
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char) s[i] < 0x80) {
            tn_text_addc(&t, s[i]);
        } else {
            tn_text_add(&t, "\xef\xbf\xbd");
        }
    }
    return tn_arena_strdup(arena, tn_text_str(&t));
}

static void
keep_attrs(struct tn_arena *arena, const struct tn_resource *before,
           struct tn_saved_change *out)
{
    if (!before) {
        return;
    }
    struct tn_saved_attr *attrs =
        tn_new_n(arena, struct tn_saved_attr, before->n_attrs);
    for (size_t i = 0; i < before->n_attrs && out->n_before < TN_SAVED_ATTRS;
         i++) {
        const struct tn_attr *a = &before->attrs[i];
        if (!a->secret && strlen(a->value) <= TN_SAVED_TEXT / 4) {
            attrs[out->n_before++] = (struct tn_saved_attr){
                as_utf8(arena, a->name), as_utf8(arena, a->value)};
        }
    }
    out->before = attrs;
}

static int
change_cmp(const void *pa, const void *pb)
{
    const struct tn_saved_change *a = pa, *b = pb;
    int c = strcmp(a->device, b->device);
    return c ? c : strcmp(a->key, b->key);
}

static enum tn_op
whole_op(const struct tn_change *c)
{
    return c->half == TN_WHOLE ? c->op : TN_OP_REPLACE;
}

const struct tn_saved *
tn_saved_build(struct tn_arena *arena, const struct tn_plan *plan,
               const char *version)
{
    struct tn_saved *saved = tn_new(arena, struct tn_saved);
    size_t most = 0, n = 0;
    for (size_t i = 0; i < plan->n_devices; i++) {
        most += plan->devices[i]->n_changes;
    }
    struct tn_saved_change *changes =
        tn_new_n(arena, struct tn_saved_change, most);
    for (size_t i = 0; i < plan->n_devices; i++) {
        const struct tn_device_plan *d = plan->devices[i];
        size_t m;
        const struct tn_shown *s = tn_show_changes(arena, d, &m);
        for (size_t k = 0; k < m; k++) {
            struct tn_saved_change *c = &changes[n++];
            c->device = as_utf8(arena, d->device);
            c->key = as_utf8(arena, s[k].change->key);
            c->op = whole_op(s[k].change);
            c->expect = s[k].expect;
            c->target = s[k].change->target;
            keep_attrs(arena, s[k].before, c);
        }
    }
    if (n > 1) {
        qsort(changes, n, sizeof *changes, change_cmp);
    }
    *saved = (struct tn_saved){
        .version = version,
        .commit = plan->commit,
        .environment = plan->environment,
        .digest = plan->digest,
        .changes = changes,
        .n_changes = n,
    };
    return saved;
}

static struct tn_digest
checksum(const struct tn_saved *saved)
{
    struct tn_digester d;
    tn_digester_init(&d);
    tn_digester_add_str(&d, saved->version);
    tn_digester_add_str(&d, saved->commit);
    tn_digester_add_str(&d, saved->environment);
    tn_digester_add(&d, saved->digest.b, sizeof saved->digest.b);
    for (size_t i = 0; i < saved->n_changes; i++) {
        const struct tn_saved_change *c = &saved->changes[i];
        tn_digester_add_str(&d, c->device);
        tn_digester_add_str(&d, c->key);
        tn_digester_add_str(&d, op_names[c->op]);
        tn_digester_add(&d, c->expect.b, sizeof c->expect.b);
        tn_digester_add(&d, c->target.b, sizeof c->target.b);
        for (size_t k = 0; k < c->n_before; k++) {
            tn_digester_add_str(&d, c->before[k].name);
            tn_digester_add_str(&d, c->before[k].value);
        }
        tn_digester_add_str(&d, "");
    }
    return tn_digester_end(&d);
}

static void
print_digest(struct tn_text *out, const char *name, const struct tn_digest *d)
{
    char hex[TN_DIGEST_HEX];
    tn_text_addf(out, ",\"%s\":", name);
    if (tn_digest_eq(d, &absent)) {
        tn_text_add(out, "null");
    } else {
        tn_text_addf(out, "\"%s\"", tn_digest_hex(d, hex));
    }
}

static void
print_change(struct tn_text *out, const struct tn_saved_change *c)
{
    tn_text_add(out, "{\"device\":");
    tn_show_json(out, c->device);
    tn_text_add(out, ",\"key\":");
    tn_show_json(out, c->key);
    tn_text_addf(out, ",\"op\":\"%s\"", op_names[c->op]);
    print_digest(out, "expect", &c->expect);
    print_digest(out, "target", &c->target);
    tn_text_add(out, ",\"before\":{");
    for (size_t i = 0; i < c->n_before; i++) {
        tn_text_add(out, i ? "," : "");
        tn_show_json(out, c->before[i].name);
        tn_text_addc(out, ':');
        tn_show_json(out, c->before[i].value);
    }
    tn_text_add(out, "}}");
}

void
tn_saved_print(struct tn_text *out, const struct tn_saved *saved)
{
    struct tn_digest sum = checksum(saved);
    tn_text_addf(out, "{\"tenet_saved_plan\":%d,\"tenet\":", FORMAT);
    tn_show_json(out, saved->version);
    tn_text_add(out, ",\"commit\":");
    tn_show_json(out, saved->commit);
    tn_text_add(out, ",\"environment\":");
    tn_show_json(out, saved->environment);
    print_digest(out, "digest", &saved->digest);
    print_digest(out, "checksum", &sum);
    tn_text_add(out, ",\"changes\":[");
    for (size_t i = 0; i < saved->n_changes; i++) {
        tn_text_add(out, i ? ",\n" : "\n");
        print_change(out, &saved->changes[i]);
    }
    tn_text_add(out, "\n]}\n");
}

/* Reading. */

struct reader {
    struct tn_arena *arena;
    struct tn_error *err;
};

static enum tn_code
bad(const struct reader *r, const char *what, const char *why)
{
    return tn_fail(r->err, TN_EINTENT, 0, "not a saved plan: '%s' %s", what,
                   why);
}

/* The member 'name' must be a text of at most TN_SAVED_TEXT bytes. */
static enum tn_code
read_text(const struct reader *r, const json_t *object, const char *name,
          const char **out)
{
    const json_t *j = json_object_get(object, name);
    if (!json_is_string(j)) {
        return bad(r, name, j ? "is not text" : "is missing");
    }
    size_t n = json_string_length(j);
    if (n > TN_SAVED_TEXT) {
        return bad(r, name, "is too long");
    }
    *out = tn_arena_strndup(r->arena, json_string_value(j), n);
    return TN_OK;
}

/* A digest in hexadecimal, or null for the all-zero one. */
static enum tn_code
read_digest(const struct reader *r, const json_t *object, const char *name,
            bool nullable, struct tn_digest *out)
{
    const json_t *j = json_object_get(object, name);
    if (json_is_null(j) && nullable) {
        *out = absent;
        return TN_OK;
    }
    if (!json_is_string(j) || !tn_digest_parse(json_string_value(j), out) ||
        tn_digest_eq(out, &absent)) {
        return bad(r, name, j ? "is not a digest" : "is missing");
    }
    return TN_OK;
}

static enum tn_code
read_op(const struct reader *r, const json_t *object, enum tn_op *out)
{
    const char *name;
    enum tn_code code = read_text(r, object, "op", &name);
    if (code) {
        return code;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(op_names); i++) {
        if (strcmp(op_names[i], name) == 0) {
            *out = (enum tn_op) i;
            return TN_OK;
        }
    }
    return bad(r, "op", "is not an operation");
}

static int
attr_cmp(const void *pa, const void *pb)
{
    const struct tn_saved_attr *a = pa, *b = pb;
    return strcmp(a->name, b->name);
}

static enum tn_code
read_before(const struct reader *r, json_t *object, struct tn_saved_change *c)
{
    json_t *before = json_object_get(object, "before");
    if (!json_is_object(before)) {
        return bad(r, "before", before ? "is not an object" : "is missing");
    }
    size_t n = json_object_size(before), i = 0;
    if (n > TN_SAVED_ATTRS) {
        return bad(r, "before", "has too many attributes");
    }
    struct tn_saved_attr *attrs = tn_new_n(r->arena, struct tn_saved_attr, n);
    const char *name;
    json_t *value;
    json_object_foreach(before, name, value)
    {
        if (strlen(name) > TN_SAVED_TEXT) {
            return bad(r, "before", "has an attribute whose name is too long");
        }
        attrs[i].name = tn_arena_strdup(r->arena, name);
        enum tn_code code = read_text(r, before, name, &attrs[i].value);
        if (code) {
            return code;
        }
        i++;
    }
    if (n > 1) {
        qsort(attrs, n, sizeof *attrs, attr_cmp);
    }
    c->before = attrs;
    c->n_before = n;
    return TN_OK;
}

/* A creation expects nothing, a deletion leaves nothing. */
static bool
fits(const struct tn_saved_change *c)
{
    bool expects = !tn_digest_eq(&c->expect, &absent);
    bool leaves = !tn_digest_eq(&c->target, &absent);
    return expects == (c->op != TN_OP_CREATE) &&
           leaves == (c->op != TN_OP_DELETE) && (expects || !c->n_before);
}

static enum tn_code
read_change(const struct reader *r, json_t *j, struct tn_saved_change *out)
{
    if (!json_is_object(j) || json_object_size(j) != 6) {
        return bad(r, "changes", "has something that is not a change");
    }
    enum tn_code code = read_text(r, j, "device", &out->device);
    if (!code) {
        code = read_text(r, j, "key", &out->key);
    }
    if (!code) {
        code = read_op(r, j, &out->op);
    }
    if (!code) {
        code = read_digest(r, j, "expect", true, &out->expect);
    }
    if (!code) {
        code = read_digest(r, j, "target", true, &out->target);
    }
    if (!code) {
        code = read_before(r, j, out);
    }
    if (!code && (!*out->device || !*out->key)) {
        code = bad(r, "changes", "has a change without a device or a key");
    }
    if (!code && !fits(out)) {
        code = bad(r, "op", "does not fit what is expected and left");
    }
    return code;
}

static enum tn_code
read_changes(const struct reader *r, const json_t *root, struct tn_saved *out)
{
    const json_t *list = json_object_get(root, "changes");
    if (!json_is_array(list)) {
        return bad(r, "changes", list ? "is not a list" : "is missing");
    }
    size_t n = json_array_size(list);
    if (n > TN_SAVED_CHANGES) {
        return bad(r, "changes", "has too many changes");
    }
    struct tn_saved_change *changes =
        tn_new_n(r->arena, struct tn_saved_change, n);
    for (size_t i = 0; i < n; i++) {
        enum tn_code code =
            read_change(r, json_array_get(list, i), &changes[i]);
        if (code) {
            return tn_while(r->err, code, "change %zu", i + 1);
        }
        if (i > 0 && change_cmp(&changes[i - 1], &changes[i]) >= 0) {
            return bad(r, "changes", "is out of order or has a change twice");
        }
    }
    out->changes = changes;
    out->n_changes = n;
    return TN_OK;
}

static enum tn_code
check_head(const struct reader *r, const json_t *root)
{
    const json_t *format = json_object_get(root, "tenet_saved_plan");
    if (!json_is_integer(format)) {
        return bad(r, "tenet_saved_plan",
                   format ? "is not a number" : "is missing");
    }
    if (json_integer_value(format) != FORMAT) {
        return tn_fail(r->err, TN_EINTENT, 0,
                       "saved plan of format %lld, this tenet reads %d: "
                       "make the plan again",
                       (long long) json_integer_value(format), FORMAT);
    }
    if (json_object_size(root) != 7) {
        return bad(r, "tenet_saved_plan", "has members that are not known");
    }
    return TN_OK;
}

static enum tn_code
check_commit(const struct reader *r, const char *commit)
{
    size_t n = strlen(commit);
    if ((n != 0 && n != 40 && n != 64) ||
        strspn(commit, "0123456789abcdef") != n) {
        return bad(r, "commit", "is not an object id");
    }
    return TN_OK;
}

static enum tn_code
read_root(const struct reader *r, const json_t *root, struct tn_saved *out)
{
    struct tn_digest sum;
    enum tn_code code = check_head(r, root);
    if (!code) {
        code = read_text(r, root, "tenet", &out->version);
    }
    if (!code) {
        code = read_text(r, root, "commit", &out->commit);
    }
    if (!code) {
        code = check_commit(r, out->commit);
    }
    if (!code) {
        code = read_text(r, root, "environment", &out->environment);
    }
    if (!code) {
        code = read_digest(r, root, "digest", false, &out->digest);
    }
    if (!code) {
        code = read_digest(r, root, "checksum", false, &sum);
    }
    if (!code) {
        code = read_changes(r, root, out);
    }
    if (!code) {
        struct tn_digest real = checksum(out);
        if (!tn_digest_eq(&sum, &real)) {
            code = bad(r, "checksum",
                       "is not that of the content: the file "
                       "is damaged or was edited");
        }
    }
    return code;
}

enum tn_code
tn_saved_parse(struct tn_arena *arena, const char *bytes, size_t n,
               const struct tn_saved **out, struct tn_error *err)
{
    struct reader r = {arena, err};
    json_error_t why;
    if (n > TN_SAVED_BYTES) {
        return tn_fail(err, TN_EINTENT, 0, "not a saved plan: too large");
    }
    TN_CLEANUP(cleanup_json)
    json_t *root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &why);
    if (!root) {
        return tn_fail(err, TN_EINTENT, 0, "not a saved plan: line %d: %s",
                       why.line, why.text);
    }
    if (!json_is_object(root)) {
        return tn_fail(err, TN_EINTENT, 0, "not a saved plan: not an object");
    }
    struct tn_saved saved = {0};
    enum tn_code code = read_root(&r, root, &saved);
    if (code) {
        return code;
    }
    struct tn_saved *copy = tn_new(arena, struct tn_saved);
    *copy = saved;
    *out = copy;
    return TN_OK;
}

/* Files. */

static enum tn_code
fail_file(struct tn_error *err, const char *what, const char *path)
{
    int sys = errno;
    enum tn_code code = sys == ENOENT || sys == ENOTDIR ? TN_ENOENT
                        : sys == EACCES || sys == EPERM || sys == EROFS
                            ? TN_EDENIED
                            : TN_EINTERNAL;
    return tn_fail_sys(err, code, sys, "cannot %s %s", what, path);
}

enum tn_code
tn_saved_write(const struct tn_plan *plan, const char *version,
               const char *path, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_saved_print(&text, tn_saved_build(arena, plan, version));
    if (text.n > TN_SAVED_BYTES) {
        return tn_fail(err, TN_EUNSUPPORTED, 0,
                       "the plan is too large to be saved: %zu bytes", text.n);
    }
    return tn_file_replace(path, &text, 0600, err);
}

enum tn_code
tn_saved_read(struct tn_arena *arena, const char *path,
              const struct tn_saved **out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    TN_CLEANUP(tn_cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail_file(err, "open", path);
    }
    char buf[65536];
    ssize_t n;
    while ((n = read(fd, buf, sizeof buf)) != 0) {
        if (n < 0 && errno != EINTR) {
            return fail_file(err, "read", path);
        }
        tn_text_addn(&text, buf, n > 0 ? (size_t) n : 0);
        if (text.n > TN_SAVED_BYTES) {
            break;
        }
    }
    enum tn_code code =
        tn_saved_parse(arena, tn_text_str(&text), text.n, out, err);
    return code ? tn_while(err, code, "%s", path) : TN_OK;
}
