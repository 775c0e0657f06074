/* intake.c - see replica.h: what the server sends becomes the copy.
 *
 * <table-updates> are read where they stand, once, each row into one of the
 * copy.  A message is applied whole before anybody hears of it, so that who is
 * told of one row sees the others as they are, too.  A dump becomes a copy of
 * its own; if there was one before, the two are compared, each row looked up
 * once.  So both cost what the message is long, whatever the copy holds. */
#include "drivers/ovsdb/replica_part.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/value.h"

/* What is kept of the buffers for the next message. */
enum { KEPT = 64 * 1024 };

/* The row at work, also for the message. */
struct place {
    struct tn_replica *r;
    enum tn_replica_form form;
    struct tn_scan *scan;
    struct tn_copied_table *table;
    struct tn_rows *into; /* Of a dump: the table's new rows. */
    const char *name;     /* As far as it is known; never null. */
    char uuid[TN_UUID + 1];
    struct tn_error *err;
};

/* What is said of a row. */
enum said { CAME, WENT, CHANGED };

static enum tn_code
bad(const struct place *p, const char *column, const char *what)
{
    (void) !tn_fail(p->err, TN_EUNAVAILABLE, 0, "%s %.36s%s%s: %s", p->name,
                    p->uuid, column ? ": " : "", column ? column : "", what);
    return TN_EUNAVAILABLE;
}

static enum tn_code
not_json(const struct place *p)
{
    return bad(p, NULL, "what the peer sends is not JSON");
}

/* ---- telling ---- */

static void
note(const struct place *p, struct tn_ovsdb_row *was, struct tn_ovsdb_row *now)
{
    struct tn_replica *r = p->r;
    if (r->n_changes == r->cap_changes) {
        r->cap_changes = r->cap_changes ? 2 * r->cap_changes : 8;
        r->changes =
            reallocarray(r->changes, r->cap_changes, sizeof *r->changes);
        if (!r->changes) {
            abort();
        }
    }
    r->changes[r->n_changes++] =
        (struct tn_row_change){p->table->name, was, now};
}

static void
tell(struct tn_replica *r, bool own)
{
    for (size_t i = 0; r->changed && i < r->n_changes; i++) {
        struct tn_row_change *c = &r->changes[i];
        r->changed(r->ctx, c->table, (c->now ? c->now : c->was)->uuid, c->was,
                   c->now);
    }
    for (size_t i = 0; own && i < r->n_changes; i++) {
        free(r->changes[i].was);
    }
    r->n_changes = 0;
    if (r->cap_changes > 1024) {
        free(r->changes);
        r->changes = NULL;
        r->cap_changes = 0;
    }
}

static void
forget(struct tn_packing *p)
{
    if (p->data.cap > KEPT || p->order.cap > KEPT) {
        tn_packing_done(p);
    }
}

static void
finish(struct tn_replica *r, bool own)
{
    for (size_t i = 0; i < r->n_tables; i++) {
        json_decref(r->tables[i].shown);
        r->tables[i].shown = NULL;
    }
    tell(r, own);
    forget(&r->packing);
    forget(&r->ignored);
}

/* ---- reading ---- */

/* Index of the column; the number of columns if there is none.  Servers have
 * an order of their own, but keep it: 'guess' is the one after the last. */
static size_t
column_find(const struct tn_layout *l, const struct tn_scan_string *name,
            size_t guess)
{
    for (size_t i = 0; i < l->n; i++) {
        size_t at = guess + i < l->n ? guess + i : guess + i - l->n;
        const char *is = l->columns[at].name;
        if (strncmp(is, name->s, name->n) == 0 && !is[name->n]) {
            return at;
        }
    }
    return l->n;
}

/* A string and the colon behind it. */
static bool
take_name(struct tn_scan *scan, struct tn_scan_string *name)
{
    return tn_scan_string(scan, name) && !name->escaped &&
           tn_scan_sign(scan, ':');
}

/* <row>, or a difference. */
static enum tn_code
take_row(const struct place *p, struct tn_packing *packing, bool diff)
{
    const struct tn_layout *l = p->table->layout;
    struct tn_scan_string name;
    size_t guess = 0;
    const char *why = "";
    tn_packing_begin(packing, l);
    if (!tn_scan_sign(p->scan, '{')) {
        return bad(p, NULL,
                   diff ? "a difference that is none" : "a row that is none");
    }
    for (bool first = true; tn_scan_more(p->scan, '}', first); first = false) {
        if (!take_name(p->scan, &name)) {
            return not_json(p);
        }
        size_t column = column_find(l, &name, guess);
        if (column == l->n) {
            return bad(p, NULL, "a column that was not asked for");
        }
        if (!tn_packing_take(packing, column, p->scan, diff, &why)) {
            return bad(p, l->columns[column].name, why);
        }
        guess = column + 1 < l->n ? column + 1 : 0;
    }
    return TN_OK;
}

static bool
is_name(const struct tn_scan_string *name, const char *is)
{
    return name->n == strlen(is) && memcmp(name->s, is, name->n) == 0;
}

/* <row-update2>: one word, and what it is about.  The row is in the packing. */
static enum tn_code
take_diff(const struct place *p, enum said *said)
{
    struct tn_scan_string name;
    enum tn_code code = TN_OK;
    if (!tn_scan_sign(p->scan, '{') || !take_name(p->scan, &name)) {
        return bad(p, NULL, "an update that is none");
    }
    if (is_name(&name, "initial") || is_name(&name, "insert")) {
        *said = CAME;
        code = take_row(p, &p->r->packing, false);
    } else if (is_name(&name, "modify")) {
        *said = CHANGED;
        code = take_row(p, &p->r->packing, true);
    } else if (is_name(&name, "delete")) {
        *said = WENT;
        code = tn_scan_word(p->scan, "null") ? TN_OK : not_json(p);
    } else {
        code = bad(p, NULL, "an update that is none");
    }
    return code ? code : tn_scan_sign(p->scan, '}') ? TN_OK : not_json(p);
}

/* <row-update>: "old", "new", or both. */
static enum tn_code
take_old_new(const struct place *p, enum said *said)
{
    struct tn_scan_string name;
    bool old = false, now = false;
    enum tn_code code = TN_OK;
    if (!tn_scan_sign(p->scan, '{')) {
        return bad(p, NULL, "an update that is none");
    }
    while (!code && tn_scan_more(p->scan, '}', !old && !now)) {
        if (!take_name(p->scan, &name)) {
            code = not_json(p);
        } else if (is_name(&name, "old") && !old) {
            old = true;
            code = take_row(p, &p->r->ignored, false);
        } else if (is_name(&name, "new") && !now) {
            now = true;
            code = take_row(p, &p->r->packing, false);
        } else {
            code = bad(p, NULL, "an update that is none");
        }
    }
    if (!code && !old && !now) {
        code = bad(p, NULL, "an update that is none");
    }
    *said = !now ? WENT : old ? CHANGED : CAME;
    return code;
}

static enum tn_code
take_update(const struct place *p, enum said *said)
{
    return p->form == TN_REPLICA_DIFF ? take_diff(p, said)
                                      : take_old_new(p, said);
}

/* ---- one row ---- */

static enum tn_code
count(const struct place *p, size_t rows, size_t elements)
{
    struct tn_replica_counts *c = &p->r->counts;
    c->rows += rows;
    c->elements += elements;
    return c->rows > p->r->limits.rows || c->elements > p->r->limits.elements
               ? bad(p, NULL, "the database is larger than we can take")
               : TN_OK;
}

static enum tn_code
row_add(const struct place *p, struct tn_rows *rows, struct tn_ovsdb_row **out)
{
    if (tn_rows_find(rows, p->uuid)) {
        return bad(p, NULL, "came but was there");
    }
    struct tn_ovsdb_row *row = tn_packing_row(&p->r->packing, p->uuid);
    row->message = p->r->message;
    tn_rows_add(rows, row);
    *out = row;
    return count(p, 1, row->n_elements);
}

static enum tn_code
row_delete(const struct place *p, struct tn_ovsdb_row *row)
{
    tn_rows_remove(&p->table->rows, row);
    p->r->counts.rows--;
    p->r->counts.elements -= row->n_elements;
    note(p, row, NULL);
    tn_rows_add(&p->r->gone, row);
    return TN_OK;
}

static enum tn_code
row_change(const struct place *p, struct tn_ovsdb_row *was)
{
    struct tn_replica *r = p->r;
    const char *column = "";
    struct tn_ovsdb_row *now =
        p->form == TN_REPLICA_DIFF
            ? tn_packing_patched(&r->packing, was, &column)
            : tn_packing_row(&r->packing, p->uuid);
    if (!now) {
        return bad(p, column, "a difference that does not fit");
    }
    if (p->form == TN_REPLICA_OLD_NEW && tn_ovsdb_row_equal(was, now)) {
        free(now);
        return TN_OK;
    }
    now->message = r->message;
    tn_rows_replace(&p->table->rows, was, now);
    note(p, was, now);
    r->counts.elements -= was->n_elements;
    return count(p, 0, now->n_elements);
}

static enum tn_code
updated_row(struct place *p)
{
    enum said said = CAME;
    struct tn_ovsdb_row *row = tn_rows_find(&p->table->rows, p->uuid);
    enum tn_code code = take_update(p, &said);
    p->r->counts.updated++;
    if (code) {
        return code;
    }
    if (tn_rows_find(&p->r->gone, p->uuid)) {
        return bad(p, NULL, "a row twice");
    }
    if (said == CAME) {
        row = NULL;
        code = row_add(p, &p->table->rows, &row);
        if (row) {
            note(p, NULL, row);
        }
        return code;
    }
    if (!row) {
        return bad(p, NULL,
                   said == WENT ? "went but was not there"
                                : "changed but was not there");
    }
    if (row->message == p->r->message) {
        return bad(p, NULL, "a row twice");
    }
    return said == WENT ? row_delete(p, row) : row_change(p, row);
}

static enum tn_code
dumped_row(struct place *p)
{
    enum said said = CAME;
    struct tn_ovsdb_row *row = NULL;
    enum tn_code code = take_update(p, &said);
    if (!code && said != CAME) {
        code = bad(p, NULL, "a row that is none");
    }
    return code ? code : row_add(p, p->into, &row);
}

/* ---- tables ---- */

typedef enum tn_code row_fn(struct place *p);

static enum tn_code
take_table(struct place *p, row_fn *row)
{
    enum tn_code code = TN_OK;
    struct tn_scan_string uuid;
    for (bool first = true; !code && tn_scan_more(p->scan, '}', first);
         first = false) {
        p->uuid[0] = '\0';
        if (!take_name(p->scan, &uuid)) {
            code = not_json(p);
            break;
        }
        size_t n = uuid.n < TN_UUID ? uuid.n : TN_UUID;
        memcpy(p->uuid, uuid.s, n);
        p->uuid[n] = '\0';
        if (uuid.n != TN_UUID || !tn_ovsdb_is_uuid(p->uuid)) {
            p->uuid[0] = '\0';
            code = bad(p, NULL, "a row without a uuid");
        }
        code = code ? code : row(p);
    }
    if (p->r->gone.n) {
        tn_rows_clear(&p->r->gone);
    }
    return code;
}

/* Goes into the table, with its rows in 'fresh' if it is a dump. */
static enum tn_code
table_enter(struct place *p, const struct tn_scan_string *name,
            struct tn_rows *fresh)
{
    struct tn_copied_table *t = tn_copied_table_find(p->r, name->s, name->n);
    p->name = "update";
    p->uuid[0] = '\0';
    if (!t || !t->there || !tn_scan_sign(p->scan, '{')) {
        return bad(p, NULL, "a table that was not asked for");
    }
    p->table = t;
    p->name = t->name;
    if (t->message == p->r->message) {
        return bad(p, NULL, "a table twice");
    }
    t->message = p->r->message;
    p->into = fresh ? &fresh[t - p->r->tables] : NULL;
    return !fresh && t->former
               ? bad(p, NULL, "an update of what had another schema")
               : TN_OK;
}

/* 'fresh': of each table, if it is a dump. */
static enum tn_code
take_tables(struct tn_replica *r, enum tn_replica_form form,
            struct tn_scan *scan, struct tn_rows *fresh, struct tn_error *err)
{
    struct place p = {
        .r = r, .form = form, .scan = scan, .name = "update", .err = err};
    struct tn_scan_string name;
    enum tn_code code = TN_OK;
    if (!tn_scan_sign(scan, '{')) {
        return bad(&p, NULL, "not an object of tables");
    }
    for (bool first = true; !code && tn_scan_more(scan, '}', first);
         first = false) {
        code = take_name(scan, &name) ? table_enter(&p, &name, fresh)
                                      : not_json(&p);
        code = code ? code : take_table(&p, fresh ? dumped_row : updated_row);
    }
    return !code && (tn_scan_peek(scan) || scan->at < scan->end) ? not_json(&p)
                                                                 : code;
}

/* Tells how the rows came to be what they are. */
static void
table_compare(struct tn_replica *r, struct tn_copied_table *t,
              const struct tn_rows *old)
{
    struct place p = {.r = r, .table = t};
    for (struct tn_ovsdb_row *row = t->rows.first; row; row = row->after) {
        struct tn_ovsdb_row *was = tn_rows_find(old, row->uuid);
        if (!was || !tn_ovsdb_row_equal(was, row)) {
            note(&p, was, row);
        }
    }
    for (struct tn_ovsdb_row *row = old->first; row; row = row->after) {
        if (!tn_rows_find(&t->rows, row->uuid)) {
            note(&p, row, NULL);
        }
    }
}

static struct tn_rows *
sets_new(const struct tn_replica *r)
{
    struct tn_rows *sets = calloc(r->n_tables + 1, sizeof *sets);
    if (!sets) {
        abort();
    }
    for (size_t i = 0; i < r->n_tables; i++) {
        tn_rows_init(&sets[i], r->secret);
    }
    return sets;
}

static void
sets_free(const struct tn_replica *r, struct tn_rows *sets)
{
    for (size_t i = 0; i < r->n_tables; i++) {
        tn_rows_done(&sets[i]);
    }
    free(sets);
}

enum tn_code
tn_replica_dump(struct tn_replica *r, enum tn_replica_form form,
                struct tn_scan tables, struct tn_error *err)
{
    struct tn_replica_counts before = r->counts;
    struct tn_rows *sets = sets_new(r);
    r->counts.rows = r->counts.elements = 0;
    r->message++;
    enum tn_code code = take_tables(r, form, &tables, sets, err);
    if (code) {
        r->counts = before;
        sets_free(r, sets);
        return code;
    }
    r->counts.dumped += r->counts.rows;
    for (size_t i = 0; i < r->n_tables; i++) {
        struct tn_rows old = r->tables[i].rows;
        r->tables[i].rows = sets[i];
        sets[i] = old;
        if (r->changed) {
            table_compare(r, &r->tables[i], &sets[i]);
        }
    }
    finish(r, false);
    sets_free(r, sets);
    for (size_t i = 0; i < r->n_tables; i++) {
        free(r->tables[i].former);
        r->tables[i].former = NULL;
    }
    return TN_OK;
}

enum tn_code
tn_replica_update(struct tn_replica *r, enum tn_replica_form form,
                  struct tn_scan tables, struct tn_error *err)
{
    r->message++;
    enum tn_code code = take_tables(r, form, &tables, NULL, err);
    finish(r, true);
    return code;
}
