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
 * counts are right; and a second copy, made of nothing but what was told, is
 * the same.  As the client does it, a schema or an error is followed by a whole
 * content. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/delta.h"
#include "drivers/ovsdb/follow.h"
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
    json_object_foreach(old, name, value)
    {
        const struct tn_ovsdb_column *c = tn_ovsdb_table_column(
            tn_ovsdb_schema_table(s->schema, table), name);
        if (c && tn_ovsdb_is_default(&c->type, value)) {
            json_object_del(before, name);
        } else {
            json_object_set(before, name, value);
        }
    }
    CHECK(json_equal(before, row));
    json_decref(before);
}

static void
changed(void *ctx, const char *table, const char *uuid, const json_t *old,
        const json_t *now)
{
    struct state *s = ctx;
    json_t *rows = json_object_get(s->told, table);
    const json_t *row = json_object_get(rows, uuid);
    CHECK(tn_ovsdb_is_uuid(uuid) && (old || now) && !old == !row);
    if (now) {
        CHECK(tn_replica_row(s->copy, table, uuid) == now);
        if (old) {
            check_old(s, table, row, (json_t *) old, now);
        }
        json_object_set_new(rows, uuid, json_deep_copy(now));
    } else {
        CHECK(json_equal(old, row));
        json_object_del(rows, uuid);
    }
}

static void
check_value(const struct state *s, const char *table, const char *name,
            json_t *value)
{
    struct tn_text text = {0};
    const struct tn_ovsdb_column *c =
        tn_ovsdb_table_column(tn_ovsdb_schema_table(s->schema, table), name);
    json_t *other = NULL;
    const char *why = "";
    CHECK(c && tn_ovsdb_check(&c->type, value, false, &other, &why));
    CHECK(!other && !tn_ovsdb_is_default(&c->type, value));
    CHECK(tn_ovsdb_equal(value, value));
    tn_ovsdb_print(&text, value);
    CHECK(tn_text_str(&text)[0]);
    tn_text_done(&text);
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
                n_elements += tn_ovsdb_value_n(value);
                check_value(s, wants[i].table, name, value);
            }
        }
    }
    CHECK(tn_replica_counts(s->copy).rows == n_rows);
    CHECK(tn_replica_counts(s->copy).elements == n_elements);
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
take_content(struct state *s, char what, json_t *json)
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
    s->whole = code == TN_OK;
    if (s->whole) {
        check_copy(s);
    }
}

static void
take_standing(struct tn_follow *f, char what, json_t *json)
{
    struct tn_error err = {0};
    enum tn_code code = what == 'F' ? tn_follow_take(f, json, &err)
                                    : tn_follow_update(f, json, &err);
    CHECK(code == TN_OK || code == TN_EUNAVAILABLE);
    (void) tn_follow_judge(f, &err);
    (void) tn_follow_clustered(f);
}

static void
take_answer(char what, json_t *json)
{
    struct tn_ovsdb_result result;
    struct tn_error err = {0};
    bool nonsense = false;
    enum tn_code code =
        tn_ovsdb_judge(2, what == 'V' ? json : NULL, what == 'E' ? json : NULL,
                       &result, &nonsense, &err);
    CHECK((code == TN_OK) == (result.verdict == TN_TXN_DONE));
    CHECK(code != TN_OK || json_array_size(json) == 2);
    CHECK(result.op <= 2);
    json_decref(result.results);
}

static void
take_line(struct state *s, struct tn_follow *f, const char *line, size_t n)
{
    json_t *json =
        n ? json_loadb(line + 1, n - 1,
                       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL)
          : NULL;
    if (!json) {
        return;
    }
    if (strchr("DdUu", line[0])) {
        take_content(s, line[0], json);
    } else if (line[0] == 'S') {
        take_schema(s, json);
    } else if (strchr("Ff", line[0])) {
        take_standing(f, line[0], json);
    } else if (strchr("VE", line[0])) {
        take_answer(line[0], json);
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
