/* ovsdb_update_fuzz.c - what a hostile OVSDB server sends, into the copy.
 *
 * Input: lines of a letter and JSON.
 *     D, d   a whole content, of monitor_cond and of monitor
 *     U, u   an update, of the same
 *     S      a schema
 *     F, f   content and update of the database _Server
 *     V      the result of a transaction of two operations
 *     E      its error
 * After each: the copy has only values of their types, in one spelling; its
 * counts are right; jansson reads the same; and a second copy, made of nothing
 * but what was told, is the same.  As the client does it, a schema or an error
 * is followed by a whole content. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/follow.h"
#include "drivers/ovsdb/pack.h"
#include "drivers/ovsdb/replica.h"
#include "drivers/ovsdb/value.h"
#include "drivers/ovsdb/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

static const struct tn_ovsdb_column columns[] = {
    {.name = "enabled", .type = {TN_OVSDB_BOOLEAN, TN_OVSDB_VOID, 1, 1}},
    {.name = "few", .type = {TN_OVSDB_INTEGER, TN_OVSDB_VOID, 0, 2}},
    {.name = "ids", .type = {TN_OVSDB_STRING, TN_OVSDB_STRING, 0, UINT_MAX}},
    {.name = "many", .type = {TN_OVSDB_INTEGER, TN_OVSDB_VOID, 1, UINT_MAX}},
    {.name = "name", .type = {TN_OVSDB_STRING, TN_OVSDB_VOID, 1, 1}},
    {.name = "ports", .type = {TN_OVSDB_UUID, TN_OVSDB_VOID, 0, UINT_MAX}},
    {.name = "rate", .type = {TN_OVSDB_REAL, TN_OVSDB_VOID, 1, 1}},
    {.name = "tag", .type = {TN_OVSDB_INTEGER, TN_OVSDB_VOID, 0, 1}},
};

static const struct tn_ovsdb_table tables[] = {
    {.name = "S", .columns = columns, .n_columns = 5},
    {.name = "T", .columns = columns, .n_columns = TN_ARRAY_SIZE(columns)},
};

static const struct tn_ovsdb_schema first = {"D", "1.0.0", tables, 2};

static const char *const wanted[] = {"name", "ports",   "tag", "ids", "many",
                                     "rate", "enabled", "few", NULL};

static const struct tn_ovsdb_want wants[] = {
    {.table = "T", .columns = wanted, .optional = true},
    {.table = "S", .columns = wanted, .optional = true},
    {0}};

static const struct tn_replica_limits limits = {64, 256};

struct state {
    struct tn_replica *copy;
    const struct tn_ovsdb_schema *schema;
    struct tn_arena *arena; /* Of the schema; null: the first. */
    json_t *told;           /* Table to uuid to row. */
    bool whole;
};

/* 'row' is what 'now' was before, if 'old' is true. */
static void
check_old(struct state *s, const char *table, const json_t *row, json_t *old,
          const json_t *now)
{
    json_t *before = json_copy((json_t *) now), *value;
    const char *name;
    (void) s;
    (void) table;
    json_object_foreach(old, name, value)
    {
        if (json_object_get(row, name)) {
            json_object_set(before, name, value);
        } else {
            json_object_del(before, name);
        }
    }
    CHECK(json_equal(before, row));
    json_decref(before);
}

static void
changed(void *ctx, const char *table, const char *uuid,
        const struct tn_ovsdb_row *was, const struct tn_ovsdb_row *now)
{
    struct state *s = ctx;
    json_t *rows = json_object_get(s->told, table);
    const json_t *row = json_object_get(rows, uuid);
    json_t *before = was ? tn_ovsdb_row_json(was) : NULL;
    CHECK(tn_ovsdb_is_uuid(uuid) && (was || now) && !was == !row);
    CHECK(!was || json_equal(before, row));
    if (now) {
        json_t *is = tn_ovsdb_row_json(now);
        CHECK(tn_replica_row(s->copy, table, uuid) == now);
        CHECK(tn_streq(tn_ovsdb_row_uuid(now), uuid));
        if (was) {
            json_t *old = tn_ovsdb_row_former(was, now);
            check_old(s, table, row, old, is);
            json_decref(old);
        }
        json_object_set_new(rows, uuid, is);
    } else {
        json_object_del(rows, uuid);
    }
    json_decref(before);
}

static size_t
elements_of(const json_t *value)
{
    const char *tag = json_string_value(json_array_get(value, 0));
    return tag && strcmp(tag, "uuid") != 0
               ? json_array_size(json_array_get(value, 1))
               : 1;
}

/* What was kept is what is read if it is sent once more. */
static void
check_value(const struct state *s, const char *table, const char *name,
            const struct tn_ovsdb_row *row, json_t *value)
{
    const struct tn_ovsdb_column *c =
        tn_ovsdb_table_column(tn_ovsdb_schema_table(s->schema, table), name);
    struct tn_packing p = {0};
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *why = "";
    CHECK(c && text);
    struct tn_layout *l = calloc(1, sizeof *l + sizeof l->columns[0]);
    l->n = 1;
    l->columns[0] = *c;
    struct tn_scan scan = {text, text + strlen(text)};
    tn_packing_begin(&p, l);
    CHECK(tn_packing_take(&p, 0, &scan, false, &why) && scan.at == scan.end);
    struct tn_ovsdb_row *again = tn_packing_row(&p, tn_ovsdb_row_uuid(row));
    CHECK(tn_ovsdb_same(row, again, name) && tn_ovsdb_get(row, name).n);
    tn_packing_done(&p);
    free(again);
    free(text);
    free(l);
}

static void
check_copy(const struct state *s)
{
    size_t n_rows = 0, n_elements = 0;
    const char *uuid, *name;
    json_t *row, *value;
    for (size_t i = 0; wants[i].table; i++) {
        json_t *rows = tn_replica_rows(s->copy, wants[i].table);
        json_t *told = json_object_get(s->told, wants[i].table);
        CHECK(rows ? json_equal(rows, told) : json_object_size(told) == 0);
        json_object_foreach(rows, uuid, row)
        {
            n_rows++;
            json_object_foreach(row, name, value)
            {
                n_elements += elements_of(value);
                check_value(s, wants[i].table, name,
                            tn_replica_row(s->copy, wants[i].table, uuid),
                            value);
            }
        }
    }
    CHECK(tn_replica_counts(s->copy).rows == n_rows);
    CHECK(tn_replica_counts(s->copy).elements == n_elements);
}

/* Has the copy what the message says of whole rows, as jansson reads it? */
static void
check_rows(const struct state *s, enum tn_replica_form form, bool dump,
           const json_t *content)
{
    const char *table, *uuid, *name;
    json_t *rows, *update, *value;
    size_t n = 0;
    json_object_foreach((json_t *) content, table, rows)
    {
        json_object_foreach(rows, uuid, update)
        {
            const json_t *sent = json_object_get(
                update, form == TN_REPLICA_OLD_NEW ? "new" : "insert");
            sent = sent ? sent : json_object_get(update, "initial");
            const struct tn_ovsdb_row *row =
                tn_replica_row(s->copy, table, uuid);
            n++;
            json_object_foreach((json_t *) sent, name, value)
            {
                const char *text = json_string_value(value);
                const char *has = tn_ovsdb_get_text(row, name);
                CHECK(row);
                CHECK(!text || strcmp(text, has ? has : "") == 0);
                CHECK(!json_is_integer(value) || strcmp(name, "rate") == 0 ||
                      json_integer_value(value) ==
                          tn_ovsdb_get_number(row, name));
            }
        }
    }
    CHECK(!dump || n == tn_replica_counts(s->copy).rows);
}

static void
take_schema(struct state *s, const json_t *json)
{
    struct tn_arena *arena = tn_arena_new();
    const struct tn_ovsdb_schema *schema = NULL;
    struct tn_error err = {0};
    bool same = false;
    if (tn_ovsdb_schema_parse(arena, json, &schema, &err) != TN_OK) {
        CHECK(!schema && err.code == TN_EUNAVAILABLE);
        tn_arena_free(arena);
        return;
    }
    CHECK(tn_replica_fit(s->copy, schema, &same, &err) == TN_OK);
    json_decref(tn_replica_requests(s->copy, true));
    tn_arena_free(s->arena);
    s->arena = arena;
    s->schema = schema;
    s->whole = false;
}

static void
take_content(struct state *s, char what, struct tn_scan json,
             const json_t *judge)
{
    struct tn_error err = {0};
    bool dump = what == 'D' || what == 'd';
    enum tn_replica_form form =
        what == 'D' || what == 'U' ? TN_REPLICA_DIFF : TN_REPLICA_OLD_NEW;
    if (!dump && !s->whole) {
        return;
    }
    enum tn_code code = dump ? tn_replica_dump(s->copy, form, json, &err)
                             : tn_replica_update(s->copy, form, json, &err);
    CHECK(code == TN_OK || code == TN_EUNAVAILABLE);
    /* jansson, too, takes it for JSON. */
    CHECK(code != TN_OK || judge);
    s->whole = code == TN_OK;
    if (s->whole) {
        check_copy(s);
        check_rows(s, form, dump, judge);
    }
}

static void
take_standing(struct tn_follow *f, char what, struct tn_scan json)
{
    struct tn_error err = {0};
    enum tn_code code = what == 'F' ? tn_follow_take(f, &json, &err)
                                    : tn_follow_update(f, json, &err);
    CHECK(code == TN_OK || code == TN_EUNAVAILABLE);
    (void) tn_follow_judge(f, &err);
    (void) tn_follow_clustered(f);
}

static void
take_answer(char what, struct tn_scan text, json_t *json)
{
    struct tn_ovsdb_result result;
    struct tn_error err = {0};
    bool nonsense = false;
    enum tn_code code =
        tn_ovsdb_judge(2, what == 'V' ? text : (struct tn_scan){0},
                       what == 'E' ? json : NULL, &result, &nonsense, &err);
    CHECK((code == TN_OK) == (result.verdict == TN_TXN_DONE));
    CHECK(code != TN_OK || (json_array_size(json) == 2 && result.last));
    CHECK(result.op <= 2);
    json_decref(result.last);
}

static void
take_line(struct state *s, struct tn_follow *f, const char *line, size_t n)
{
    /* What is no UTF-8 does not come through the frame. */
    if (n == 0 || !tn_is_utf8(line + 1, n - 1)) {
        return;
    }
    json_t *json = json_loadb(line + 1, n - 1,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    struct tn_scan text = {line + 1, line + n};
    if (strchr("DdUu", line[0])) {
        take_content(s, line[0], text, json);
    } else if (strchr("Ff", line[0])) {
        take_standing(f, line[0], text);
    }
    if (line[0] == 'V') {
        take_answer(line[0], text, json);
    }
    if (!json) {
        return;
    }
    if (line[0] == 'S') {
        take_schema(s, json);
    } else if (line[0] == 'E') {
        take_answer(line[0], text, json);
    }
    json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct state s = {.schema = &first, .whole = true};
    struct tn_error err = {0};
    struct tn_follow *f = tn_follow_new("D", true, 3);
    bool same = false;
    s.told = json_pack("{s:{},s:{}}", "S", "T");
    s.copy = tn_replica_new(wants, &limits, changed, &s);
    CHECK(tn_replica_fit(s.copy, s.schema, &same, &err) == TN_OK);
    const char *at = (const char *) data, *end = at + size;
    while (at < end) {
        const char *nl = memchr(at, '\n', (size_t) (end - at));
        const char *stop = nl ? nl : end;
        take_line(&s, f, at, (size_t) (stop - at));
        at = nl ? nl + 1 : end;
    }
    tn_replica_free(s.copy);
    tn_follow_free(f);
    json_decref(s.told);
    tn_arena_free(s.arena);
    return 0;
}
