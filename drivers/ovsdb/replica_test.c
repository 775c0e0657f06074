/* replica_test.c - recorded messages and hostile ones, step by step: what is
 * told, what is held, what is refused. */
#include "drivers/ovsdb/replica.h"

#include <criterion/criterion.h>

#include "drivers/ovsdb/pack.h"
#include "drivers/ovsdb/value_lab.h"

#define A "aaaaaaaa-0000-0000-0000-000000000000"
#define B "bbbbbbbb-0000-0000-0000-000000000000"
#define C "cccccccc-0000-0000-0000-000000000000"

static const struct tn_ovsdb_column columns[] = {
    {.name = "enabled", .type = {TN_OVSDB_BOOLEAN, TN_OVSDB_VOID, 1, 1}},
    {.name = "few", .type = {TN_OVSDB_INTEGER, TN_OVSDB_VOID, 0, 2}},
    {.name = "ids", .type = {TN_OVSDB_STRING, TN_OVSDB_STRING, 0, 4294967295}},
    {.name = "many", .type = {TN_OVSDB_STRING, TN_OVSDB_VOID, 1, 4294967295}},
    {.name = "name", .type = {TN_OVSDB_STRING, TN_OVSDB_VOID, 1, 1}},
    {.name = "ports", .type = {TN_OVSDB_UUID, TN_OVSDB_VOID, 0, 4294967295}},
    {.name = "rate", .type = {TN_OVSDB_REAL, TN_OVSDB_VOID, 1, 1}},
    {.name = "tag", .type = {TN_OVSDB_INTEGER, TN_OVSDB_VOID, 0, 1}},
};

static const struct tn_ovsdb_table tables[] = {
    {.name = "S", .columns = columns, .n_columns = 5},
    {.name = "T", .columns = columns, .n_columns = TN_ARRAY_SIZE(columns)},
};

static const struct tn_ovsdb_schema schema = {"D", "1.0.0", tables, 2};

static const char *const wanted[] = {"name",    "ports", "tag", "ids", "many",
                                     "enabled", "rate",  "few", NULL};
static const char *const wanted_s[] = {"name", "tag", NULL};

static const struct tn_ovsdb_want wants[] = {
    {.table = "T", .columns = wanted},
    {.table = "S", .columns = wanted_s, .optional = true},
    {.table = "Later", .columns = wanted, .optional = true},
    {0}};

static int
line_cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* " name=value" of each column, sorted. */
static void
add_row(struct tn_text *out, const json_t *row)
{
    static const char *const names[] = {"enabled", "few",   "ids",  "many",
                                        "name",    "ports", "rate", "tag"};
    size_t n = 0;
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        const json_t *value = json_object_get(row, names[i]);
        if (value) {
            tn_text_addf(out, " %s={", names[i]);
            tn_value_print(out, value);
            tn_text_addc(out, '}');
            n++;
        }
    }
    cr_expect_eq(n, json_object_size(row));
}

static void
add_json(struct tn_text *out, json_t *row)
{
    add_row(out, row);
    json_decref(row);
}

static void
changed(void *ctx, const char *table, const char *uuid,
        const struct tn_ovsdb_row *was, const struct tn_ovsdb_row *now)
{
    struct tn_text *out = ctx;
    tn_text_addf(out, "%s%s%.1s", !was ? "+" : !now ? "-" : "~", table, uuid);
    if (was) {
        add_json(out,
                 now ? tn_ovsdb_row_former(was, now) : tn_ovsdb_row_json(was));
    }
    if (was && now) {
        tn_text_add(out, " ->");
    }
    if (now) {
        add_json(out, tn_ovsdb_row_json(now));
    }
    tn_text_addc(out, '\n');
}

/* The lines sorted: objects have no order. */
static char *
sorted(const struct tn_text *text)
{
    char *copy = strdup(tn_text_str(text)), *save = NULL;
    const char *lines[64];
    struct tn_text out = {0};
    size_t n = 0;
    for (char *s = strtok_r(copy, "\n", &save); s && n < 64;
         s = strtok_r(NULL, "\n", &save)) {
        lines[n++] = s;
    }
    qsort(lines, n, sizeof *lines, line_cmp);
    for (size_t i = 0; i < n; i++) {
        tn_text_addf(&out, "%s%s", i ? "\n" : "", lines[i]);
    }
    free(copy);
    tn_text_add(&out, "");
    return out.s ? tn_text_take(&out) : strdup("");
}

enum what { DUMP, DIFF, DUMP_OLD, OLD };

struct step {
    enum what what;
    const char *json;
    const char *told; /* Sorted lines. */
    const char *bad;  /* Null: it is fine; else part of the message. */
};

static struct tn_replica *
new_replica(struct tn_text *log, const struct tn_replica_limits *limits)
{
    struct tn_error err = {0};
    bool same = true;
    struct tn_replica *r =
        tn_replica_new(wants, limits, log ? changed : NULL, log);
    cr_assert_eq(tn_replica_fit(r, &schema, &same, &err), TN_OK, "%s",
                 err.text);
    cr_assert_not(same);
    cr_assert_eq(tn_replica_fit(r, &schema, &same, &err), TN_OK);
    cr_assert(same);
    return r;
}

static enum tn_code
take(struct tn_replica *r, const struct step *s, struct tn_error *err)
{
    struct tn_scan json = {s->json, s->json + strlen(s->json)};
    enum tn_replica_form form = s->what == DUMP || s->what == DIFF
                                    ? TN_REPLICA_DIFF
                                    : TN_REPLICA_OLD_NEW;
    enum tn_code code = s->what == DUMP || s->what == DUMP_OLD
                            ? tn_replica_dump(r, form, json, err)
                            : tn_replica_update(r, form, json, err);
    return code;
}

/* The counts of the copy are those of its rows. */
static void
check_counts(const struct tn_replica *r)
{
    size_t rows = 0, elements = 0;
    for (size_t i = 0; wants[i].table; i++) {
        const char *uuid, *name;
        json_t *row, *value, *all = tn_replica_rows(r, wants[i].table);
        rows += json_object_size(all);
        json_object_foreach(all, uuid, row)
        {
            json_object_foreach(row, name, value)
            {
                elements += tn_value_elements(value);
            }
        }
    }
    cr_expect_eq(tn_replica_counts(r).rows, rows);
    cr_expect_eq(tn_replica_counts(r).elements, elements);
}

static void
run(const struct step *steps, size_t n)
{
    struct tn_text log = {0};
    struct tn_replica *r = new_replica(&log, NULL);
    struct tn_replica *quiet = new_replica(NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        tn_text_clear(&log);
        enum tn_code code = take(r, &steps[i], &err);
        char *told = sorted(&log);
        tn_error_text(&err, text, sizeof text);
        cr_expect_eq(code, steps[i].bad ? TN_EUNAVAILABLE : TN_OK,
                     "step %zu: %s", i, text);
        cr_expect(!steps[i].bad || strstr(text, steps[i].bad), "step %zu: %s",
                  i, text);
        cr_expect_str_eq(told, steps[i].told, "step %zu", i);
        free(told);
        cr_expect_eq(take(quiet, &steps[i], &err), code);
        check_counts(r);
        check_counts(quiet);
        for (size_t k = 0; wants[k].table; k++) {
            cr_expect(json_equal(tn_replica_rows(r, wants[k].table),
                                 tn_replica_rows(quiet, wants[k].table)) ||
                      !tn_replica_rows(r, wants[k].table));
        }
    }
    tn_replica_free(r);
    tn_replica_free(quiet);
    tn_text_done(&log);
}

#define T(rows) "{\"T\":{" rows "}}"
#define INITIAL(id, row) "\"" id "\":{\"initial\":{" row "}}"
#define INSERT(id, row) "\"" id "\":{\"insert\":{" row "}}"
#define MODIFY(id, row) "\"" id "\":{\"modify\":{" row "}}"
#define DELETE(id) "\"" id "\":{\"delete\":null}"
#define SET(x) "[\"set\",[" x "]]"
#define MAP(x) "[\"map\",[" x "]]"
#define UUID(x) "[\"uuid\",\"" x "\"]"

static const struct step life[] = {
    {DUMP, "{}", "", NULL},
    {DIFF, T(INSERT(A, "\"name\":\"a\"")), "+Ta name={a}", NULL},
    {DIFF, T(INSERT(B, "")), "+Tb", NULL},
    /* A scalar, an option: the new value. */
    {DIFF, T(MODIFY(A, "\"name\":\"x\",\"tag\":7")),
     "~Ta name={a} tag={} -> name={x} tag={7}", NULL},
    {DIFF, T(MODIFY(A, "\"tag\":" SET(""))), "~Ta tag={7} -> name={x}", NULL},
    {DIFF, T(MODIFY(A, "\"tag\":0")), "~Ta tag={} -> name={x} tag={0}", NULL},
    {DIFF, T(MODIFY(A, "\"enabled\":true,\"rate\":0.5")),
     "~Ta enabled={false} rate={0} -> enabled={true} name={x} rate={0.5} "
     "tag={0}",
     NULL},
    {DIFF, T(MODIFY(A, "\"enabled\":false,\"rate\":0,\"tag\":" SET(""))),
     "~Ta enabled={true} rate={0.5} tag={0} -> name={x}", NULL},
    /* A set: what only one of the two has. */
    {DIFF, T(MODIFY(A, "\"ports\":" UUID(B))),
     "~Ta ports={} -> name={x} ports={" B "}", NULL},
    {DIFF, T(MODIFY(A, "\"ports\":" SET(UUID(C) "," UUID(A)))),
     "~Ta ports={" B "} -> name={x} ports={" A ", " B ", " C "}", NULL},
    {DIFF, T(MODIFY(A, "\"ports\":" SET(UUID(B) "," UUID(C)))),
     "~Ta ports={" A ", " B ", " C "} -> name={x} ports={" A "}", NULL},
    {DIFF, T(MODIFY(A, "\"ports\":" UUID(A))), "~Ta ports={" A "} -> name={x}",
     NULL},
    {DIFF, T(MODIFY(B, "\"few\":" SET("1,2"))), "~Tb few={} -> few={1, 2}",
     NULL},
    {DIFF, T(MODIFY(B, "\"few\":" SET("1,2,3,4"))),
     "~Tb few={1, 2} -> few={3, 4}", NULL},
    {DIFF, T(MODIFY(B, "\"few\":" SET("3,4"))), "~Tb few={3, 4} ->", NULL},
    /* A map: keys that only one has, and keys with another value. */
    /* Where there must be one element, it is one to begin with. */
    {DIFF, T(MODIFY(A, "\"many\":" SET("\"\",\"m\""))),
     "~Ta many={\"\"} -> many={m} name={x}", NULL},
    {DIFF, T(MODIFY(A, "\"many\":" SET("\"m\",\"\""))),
     "~Ta many={m} -> name={x}", NULL},
    {DIFF, T(MODIFY(A, "\"ids\":" MAP("[\"k\",\"1\"],[\"l\",\"2\"]"))),
     "~Ta ids={} -> ids={k=1, l=2} name={x}", NULL},
    {DIFF,
     T(MODIFY(A, "\"ids\":" MAP("[\"k\",\"1\"],[\"l\",\"3\"],"
                                "[\"m\",\"4\"]"))),
     "~Ta ids={k=1, l=2} -> ids={l=3, m=4} name={x}", NULL},
    {DIFF, T(MODIFY(A, "\"ids\":" MAP("[\"l\",\"3\"],[\"m\",\"4\"]"))),
     "~Ta ids={l=3, m=4} -> name={x}", NULL},
    /* Every way to spell a text, and space anywhere. */
    {DIFF,
     " { \"T\" :\n{ \"" A "\"\t: {\"modify\" : { \"name\" :\r"
     "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00\" } } } "
     "} ",
     "~Ta name={x} -> "
     "name={\"\\\"\\\\/"
     "\\u0008\\u000c\\n\\u000d\\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}",
     NULL},
    {DIFF, T(MODIFY(A, "\"name\":\"x\",\"rate\":-12.5e-1,\"tag\":-7")),
     "~Ta "
     "name={\"\\\"\\\\/"
     "\\u0008\\u000c\\n\\u000d\\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"} "
     "rate={0} tag={} -> name={x} rate={-1.25} tag={-7}",
     NULL},
    {DIFF, T(MODIFY(A, "\"rate\":-0.0,\"tag\":" SET(""))),
     "~Ta rate={-1.25} tag={-7} -> name={x}", NULL},
    {DIFF, T(DELETE(A) "," MODIFY(B, "\"name\":\"b\"") "," INSERT(C, "")),
     "+Tc\n-Ta name={x}\n~Tb name={\"\"} -> name={b}", NULL},
    {DIFF, "{\"S\":{" INSERT(A, "\"name\":\"s\"") "},\"T\":{" DELETE(C) "}}",
     "+Sa name={s}\n-Tc", NULL},
    /* Defaults need not be sent, but may; spelled in any way. */
    {DIFF,
     T(INSERT(A, "\"name\":" SET("\"n\"") ",\"tag\":" SET(
                     "") ",\"many\":"
                         "\"\",\"rate\":0.0,\"ids\":" MAP(
                             "") ",\"enabled\":false,"
                                 "\"ports\":" SET(UUID(C) "," UUID(B)))),
     "+Ta name={n} ports={" B ", " C "}", NULL},
};

Test(ovsdb_replica, follows_update2)
{
    run(life, TN_ARRAY_SIZE(life));
}

/* As ovsdb-server answers to monitor, and sends then. */
static const struct step old_life[] = {
    {DUMP_OLD,
     T("\"" A "\":{\"new\":{\"name\":\"a\",\"tag\":" SET("") ",\"ids\":" MAP(
         "") ",\"many\":\"m\",\"enabled\":false,\"rate\":0}}"),
     "+Ta many={m} name={a}", NULL},
    {OLD,
     T("\"" A "\":{\"old\":{\"tag\":" SET(
         "") "},\"new\":{\"name\":\"a\","
             "\"tag\":3,\"ids\":" MAP(
                 "") ",\"many\":\"m\",\"enabled\":false}}"),
     "~Ta tag={} -> many={m} name={a} tag={3}", NULL},
    {OLD, T("\"" B "\":{\"new\":{\"name\":\"b\"}}"), "+Tb name={b}", NULL},
    {OLD, T("\"" B "\":{\"old\":{\"name\":\"b\"}}"), "-Tb name={b}", NULL},
    {OLD, T("\"" B "\":{\"old\":{\"name\":\"b\"}}"), "", "was not there"},
    {OLD, T("\"" B "\":{\"old\":{},\"new\":{}}"), "", "was not there"},
    {OLD, T("\"" A "\":{\"new\":{}}"), "", "was there"},
    {OLD, T("\"" B "\":{}"), "", "an update that is none"},
    {OLD, T("\"" B "\":7"), "", "an update that is none"},
    {OLD, T("\"" B "\":{\"new\":7}"), "", "a row that is none"},
    {DUMP_OLD, T("\"" B "\":{\"old\":{}}"), "", "a row that is none"},
    {DUMP_OLD, T("\"" C "\":{\"new\":{\"tag\":3}}"),
     "+Tc tag={3}\n-Ta many={m} name={a} tag={3}", NULL},
};

Test(ovsdb_replica, follows_update)
{
    run(old_life, TN_ARRAY_SIZE(old_life));
}

/* A new dump beside an old copy: only what differs is told. */
static const struct step again[] = {
    {DUMP,
     "{\"S\":{" INITIAL(A, "\"name\":\"s\"") "},\"T\":{" INITIAL(
         A, "\"name\":\"a\",\"ports\":" SET(
                UUID(A) "," UUID(B))) "," INITIAL(B, "\"tag\":1") "}}",
     "+Sa name={s}\n+Ta name={a} ports={" A ", " B "}\n+Tb tag={1}", NULL},
    {DUMP,
     "{\"S\":{" INITIAL(A, "\"name\":\"s\"") "},\"T\":{" INITIAL(
         A,
         "\"ports\":" SET(UUID(B) "," UUID(
             A)) ",\"name\":\"a\"") "," INITIAL(B,
                                                "\"tag\":1,\"name\":\"\"") "}}",
     "", NULL},
    {DUMP,
     "{\"T\":{" INITIAL(A, "\"name\":\"a\",\"ports\":" UUID(B)) "," INITIAL(
         C, "") "}}",
     "+Tc\n-Sa name={s}\n-Tb tag={1}\n~Ta ports={" A ", " B "} -> name={a} "
     "ports={" B "}",
     NULL},
    {DUMP, "{}", "-Ta name={a} ports={" B "}\n-Tc", NULL},
};

Test(ovsdb_replica, tells_only_what_differs_from_the_former_copy)
{
    run(again, TN_ARRAY_SIZE(again));
}

/* Each is tried on a copy of its own with the row A. */
static const struct step hostile[] = {
    {DIFF, "[]", "", "not an object of tables"},
    {DIFF, "null", "", "not an object of tables"},
    {DIFF, "{\"T\":[]}", "", "a table that was not asked for"},
    {DIFF, "{\"Nope\":{}}", "", "a table that was not asked for"},
    {DIFF, "{\"Later\":{}}", "", "a table that was not asked for"},
    {DIFF, T("\"a\":{\"delete\":null}"), "", "a row without a uuid"},
    {DIFF, T("\"" A "\":null"), "", "an update that is none"},
    {DIFF, T("\"" A "\":{\"remove\":null}"), "", "an update that is none"},
    {DIFF, T("\"" B "\":{\"insert\":null}"), "", "a row that is none"},
    {DIFF, T(INSERT(A, "")), "", "came but was there"},
    {DIFF, T(MODIFY(B, "")), "", "changed but was not there"},
    {DIFF, T("\"" A "\":{\"modify\":[]}"), "", "a difference that is none"},
    {DIFF, T(DELETE(B)), "", "went but was not there"},
    {DIFF, T(INSERT(B, "\"x\":1")), "", "a column that was not asked for"},
    {DIFF, T(INSERT(B, "\"name\":1")), "", "name: a value of another type"},
    {DIFF, T(INSERT(B, "\"name\":null")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"name\":{}")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"name\":[]")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"name\":" SET(""))), "", "a number of elements"},
    {DIFF, T(INSERT(B, "\"name\":" SET("\"a\",\"b\""))), "",
     "a number of elements"},
    {DIFF, T(INSERT(B, "\"name\":[\"set\",\"a\"]")), "",
     "a value of another type"},
    {DIFF, T(INSERT(B, "\"ports\":" SET("\"" A "\""))), "",
     "an element of another type"},
    {DIFF, T(INSERT(B, "\"ports\":[\"uuid\",\"1\"]")), "",
     "a value of another type"},
    {DIFF, T(INSERT(B, "\"ports\":" SET(UUID(A) "," UUID(B) "," UUID(A)))), "",
     "an element twice"},
    {DIFF, T(INSERT(B, "\"ports\":" MAP(""))), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"ids\":" SET(""))), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"ids\":\"a\"")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"ids\":" MAP("\"a\""))), "",
     "an element of another type"},
    {DIFF, T(INSERT(B, "\"ids\":" MAP("[\"a\"]"))), "",
     "an element of another type"},
    {DIFF, T(INSERT(B, "\"ids\":" MAP("[\"a\",1]"))), "",
     "an element of another type"},
    {DIFF, T(INSERT(B, "\"ids\":" MAP("[\"a\",\"1\"],[\"a\",\"2\"]"))), "",
     "an element twice"},
    {DIFF, T(INSERT(B, "\"tag\":" SET("1,2"))), "", "a number of elements"},
    {DIFF, T(INSERT(B, "\"tag\":1.5")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"few\":" SET("1,2,3"))), "", "a number of elements"},
    {DIFF, T(MODIFY(A, "\"few\":" SET("1,2,3"))), "",
     "few: a difference that does not fit"},
    {DIFF, T(MODIFY(A, "\"tag\":" SET("1,2"))), "", "a number of elements"},
    {DIFF, T(MODIFY(A, "\"many\":\"\"")), "",
     "many: a difference that does not fit"},
    {DIFF, T(INSERT(B, "\"many\":" SET(""))), "", "a number of elements"},
    {DIFF, T(MODIFY(A, "\"nope\":1")), "", "a column that was not asked for"},
    /* Each thing once. */
    {DIFF, T(INSERT(B, "\"name\":\"b\",\"name\":\"b\"")), "", "a column twice"},
    {DIFF, T(MODIFY(A, "\"tag\":1") "," MODIFY(A, "\"tag\":2")),
     "~Ta tag={} -> name={a} tag={1}", "a row twice"},
    {DIFF, T(MODIFY(A, "\"tag\":1") "," DELETE(A)),
     "~Ta tag={} -> name={a} tag={1}", "a row twice"},
    {DIFF, T(DELETE(A) "," INSERT(A, "")), "-Ta name={a}", "a row twice"},
    {DIFF, T(DELETE(A) "," DELETE(A)), "-Ta name={a}", "a row twice"},
    {DIFF, "{\"T\":{" DELETE(A) "},\"T\":{}}", "-Ta name={a}", "a table twice"},
    {DUMP, "{\"T\":{},\"T\":{}}", "", "a table twice"},
    {DUMP, T(INITIAL(B, "") "," INITIAL(B, "")), "", "came but was there"},
    {DIFF, T("\"" B "\":{\"insert\":{},\"insert\":{}}"), "", "not JSON"},
    /* What is no JSON. */
    {DIFF, "", "", "not an object of tables"},
    {DIFF, "{", "", "not JSON"},
    {DIFF, "{} {}", "", "not JSON"},
    {DIFF, "{},", "", "not JSON"},
    {DIFF, "{\"T\":{}", "", "not JSON"},
    {DIFF, "{\"T\":{},}", "", "not JSON"},
    {DIFF, "{\"T\" {}}", "", "not JSON"},
    {DIFF, "{\"T\":{} \"S\":{}}", "", "not JSON"},
    {DIFF, T("\"" A "\":{\"delete\":nul}"), "", "not JSON"},
    {DIFF, T("\"" A "\":{\"delete\":null"), "-Ta name={a}", "not JSON"},
    {DIFF, T(INSERT(B, "\"name\"")), "", "not JSON"},
    {DIFF, T(INSERT(B, "\"name\":\"b\",")), "", "not JSON"},
    {DIFF, T(INSERT(B, "\"name\":\"\\q\"")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"name\":\"\\u12\"")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"name\":\"\\u0000\"")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"name\":\"\\ud800\"")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"name\":\"\\ud800\\u0041\"")), "",
     "a value of another type"},
    {DIFF, T(INSERT(B, "\"name\":\"\\udc00\"")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"tag\":01")), "", "not JSON"},
    {DIFF, T(INSERT(B, "\"tag\":-")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"tag\":9223372036854775808")), "",
     "a value of another type"},
    {DIFF, T(INSERT(B, "\"rate\":1e999")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"rate\":1.")), "", "a value of another type"},
    {DIFF, T(INSERT(B, "\"few\":" SET("1 2"))), "",
     "few: an element of another type"},
    {DIFF, T(INSERT(B, "\"few\":" SET("1,"))), "",
     "few: an element of another type"},
    /* What came before the fault is told, for it is in the copy. */
    {DIFF, T(MODIFY(A, "\"tag\":1") "," MODIFY(B, "\"tag\":1")),
     "~Ta tag={} -> name={a} tag={1}", "changed but was not there"},
    {DIFF, T(MODIFY(A, "\"tag\":1,\"name\":2,\"enabled\":true")), "",
     "name: a value of another type"},
    {DUMP, T(INITIAL(B, "") ",\"" C "\":{\"modify\":{}}"), "",
     "a row that is none"},
    {DUMP, T(INITIAL(B, "") "," INITIAL("x", "")), "", "a row without a uuid"},
    {DUMP, "{\"T\":{},\"Nope\":{}}", "", "a table that was not asked for"},
};

Test(ovsdb_replica, refuses_what_does_not_fit)
{
    static const struct step first = {DUMP, T(INITIAL(A, "\"name\":\"a\"")),
                                      "+Ta name={a}", NULL};
    static const struct step last = {DUMP, "{}", NULL, NULL};
    for (size_t i = 0; i < TN_ARRAY_SIZE(hostile); i++) {
        const struct step steps[] = {first, hostile[i]};
        struct tn_error err = {0};
        run(steps, 2);
        /* And it can be made anew. */
        struct tn_replica *r = new_replica(NULL, NULL);
        cr_assert_eq(take(r, &first, &err), TN_OK);
        cr_assert_eq(take(r, &hostile[i], &err), TN_EUNAVAILABLE, "row %zu", i);
        cr_assert_eq(take(r, &last, &err), TN_OK);
        cr_assert_eq(tn_replica_counts(r).rows, 0);
        tn_replica_free(r);
    }
}

Test(ovsdb_replica, has_limits)
{
    static const struct tn_replica_limits limits = {.rows = 2, .elements = 4};
    static const struct step steps[] = {
        {DUMP, T(INITIAL(A, "\"name\":\"a\"")), NULL, NULL},
        {DIFF, T(INSERT(B, "\"name\":\"b\"")), NULL, NULL},
        {DIFF, T(DELETE(B)), NULL, NULL},
        {DIFF, T(INSERT(B, "\"name\":\"b\"")), NULL, NULL},
        {DIFF, T(MODIFY(B, "\"few\":" SET("1,2"))), NULL, NULL},
        {DIFF, T(MODIFY(B, "\"few\":" SET("1,2"))), NULL, NULL},
        {DIFF, T(MODIFY(B, "\"ports\":" SET(UUID(A) "," UUID(B)))), NULL, NULL},
    };
    static const struct step over[] = {
        {DIFF, T(INSERT(C, "")), NULL, NULL},
        {DIFF, T(MODIFY(A, "\"tag\":1")), NULL, NULL},
        {DUMP,
         T(INITIAL(A, "\"ports\":" SET(UUID(A) "," UUID(B)) ",\"ids\":" MAP(
                          "[\"a\",\"\"],[\"b\",\"\"],[\"c\",\"\"]"))),
         NULL, NULL},
        {DUMP, T(INITIAL(A, "") "," INITIAL(B, "") "," INITIAL(C, "")), NULL,
         NULL},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(over); i++) {
        struct tn_replica *r = new_replica(NULL, &limits);
        struct tn_error err = {0};
        for (size_t k = 0; k < TN_ARRAY_SIZE(steps); k++) {
            cr_assert_eq(take(r, &steps[k], &err), TN_OK, "step %zu: %s", k,
                         err.text);
        }
        cr_expect_eq(take(r, &over[i], &err), TN_EUNAVAILABLE, "row %zu", i);
        tn_replica_free(r);
    }
}

Test(ovsdb_replica, fits_itself_to_the_schema)
{
    static const char *const more[] = {"name", "absent", NULL};
    static const struct tn_ovsdb_want strict[] = {
        {.table = "T", .columns = more}, {0}};
    static const struct tn_ovsdb_want lax[] = {
        {.table = "T", .columns = more, .optional = true},
        {.table = "Absent", .columns = more, .optional = true},
        {0}};
    static const struct tn_ovsdb_want table[] = {
        {.table = "Absent", .columns = more}, {0}};
    struct tn_error err = {0};
    bool same = false;
    struct tn_replica *r = tn_replica_new(strict, NULL, NULL, NULL);
    cr_assert_eq(tn_replica_fit(r, &schema, &same, &err), TN_EUNSUPPORTED);
    cr_assert(strstr(err.text, "D, version 1.0.0, has no T.absent"));
    tn_replica_free(r);
    r = tn_replica_new(table, NULL, NULL, NULL);
    cr_assert_eq(tn_replica_fit(r, &schema, &same, &err), TN_EUNSUPPORTED);
    cr_assert(strstr(err.text, "D, version 1.0.0, has no Absent"));
    tn_replica_free(r);
    r = tn_replica_new(lax, NULL, NULL, NULL);
    cr_assert_eq(tn_replica_fit(r, &schema, &same, &err), TN_OK);
    json_t *requests = tn_replica_requests(r, true);
    char *text = json_dumps(requests, JSON_COMPACT);
    cr_assert_str_eq(text, "{\"T\":[{\"columns\":[\"name\"]}]}");
    cr_assert_null(tn_replica_rows(r, "Absent"));
    cr_assert_not_null(tn_replica_rows(r, "T"));
    free(text);
    json_decref(requests);
    tn_replica_free(r);
}

Test(ovsdb_replica, asks_with_conditions)
{
    struct tn_ovsdb_want some[] = {
        {.table = "S",
         .columns = wanted_s,
         .where = json_pack("[[s,s,s]]", "name", "==", "x")},
        {0}};
    struct tn_error err = {0};
    bool same = false;
    struct tn_replica *r = tn_replica_new(some, NULL, NULL, NULL);
    json_decref(some[0].where);
    static const struct tn_ovsdb_schema with_tag = {"D", "1", tables + 1, 1};
    cr_assert_eq(tn_replica_fit(r, &with_tag, &same, &err), TN_EUNSUPPORTED);
    tn_replica_free(r);
    some[0].where = json_pack("[[s,s,s]]", "name", "==", "x");
    some[0].table = "T";
    r = tn_replica_new(some, NULL, NULL, NULL);
    json_decref(some[0].where);
    cr_assert_eq(tn_replica_fit(r, &with_tag, &same, &err), TN_OK);
    static const char *const says[] = {
        "{\"T\":[{\"columns\":[\"name\",\"tag\"]}]}",
        "{\"T\":[{\"columns\":[\"name\",\"tag\"],\"where\":[[\"name\",\"==\","
        "\"x\"]]}]}"};
    for (size_t i = 0; i < 2; i++) {
        json_t *requests = tn_replica_requests(r, i == 1);
        char *text = json_dumps(requests, JSON_COMPACT);
        cr_expect_str_eq(text, says[i]);
        free(text);
        json_decref(requests);
    }
    tn_replica_free(r);
}

/* Sets of any two sizes, few and many changes: against one that is made
 * without any skill. */
static struct tn_layout *
layout_of(enum tn_ovsdb_base key, enum tn_ovsdb_base value)
{
    struct tn_layout *l = calloc(1, sizeof *l + sizeof l->columns[0]);
    l->n = 1;
    l->columns[0] =
        (struct tn_ovsdb_column){.name = "c", .type = {key, value, 0, 1000}};
    return l;
}

static void
take_value(struct tn_packing *p, const struct tn_layout *l,
           struct tn_text *json, bool diff)
{
    const char *why = "";
    struct tn_scan scan = {json->s, json->s + json->n};
    tn_packing_begin(p, l);
    cr_assert(tn_packing_take(p, 0, &scan, diff, &why), "%s: %s", json->s, why);
    cr_assert_eq(scan.at, scan.end);
    tn_text_clear(json);
}

static void
end_value(struct tn_text *json)
{
    if (json->s[json->n - 1] == ',') {
        json->s[--json->n] = '\0';
    }
    tn_text_add(json, "]]");
}

/* Numbers, or uuids, in no order. */
static void
add_set(struct tn_text *out, unsigned long long mask, bool uuids)
{
    tn_text_add(out, "[\"set\",[");
    for (int k = 0; k < 60; k++) {
        int i = k * 7 % 60;
        if (mask >> i & 1) {
            tn_text_addf(out,
                         uuids ? "[\"uuid\",\"aaaaaaaa-0000-0000-0000-"
                                 "0000000000%02x\"],"
                               : "%d,",
                         i);
        }
    }
    end_value(out);
}

static void
try_sets(bool uuids)
{
    struct tn_layout *l =
        layout_of(uuids ? TN_OVSDB_UUID : TN_OVSDB_INTEGER, TN_OVSDB_VOID);
    struct tn_packing p = {0};
    struct tn_text json = {0};
    unsigned long long x = 88172645463325252ull;
    for (int i = 0; i < 3000; i++) {
        const char *column = NULL;
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        unsigned long long old = x >> (x % 61);
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        unsigned long long diff =
            x % 3 ? x & (x >> 20) & (x << 13) & (x >> 5) : x >> (x % 61);
        old &= (1ull << 60) - 1;
        diff &= (1ull << 60) - 1;
        add_set(&json, old, uuids);
        take_value(&p, l, &json, false);
        struct tn_ovsdb_row *was = tn_packing_row(&p, A);
        add_set(&json, old ^ diff, uuids);
        take_value(&p, l, &json, false);
        struct tn_ovsdb_row *want = tn_packing_row(&p, A);
        add_set(&json, diff, uuids);
        take_value(&p, l, &json, true);
        struct tn_ovsdb_row *now = tn_packing_patched(&p, was, &column);
        cr_assert(now && tn_ovsdb_row_equal(now, want), "%llx ^ %llx", old,
                  diff);
        cr_assert_eq(now->n_elements,
                     (unsigned) __builtin_popcountll(old ^ diff));
        free(was);
        free(want);
        free(now);
    }
    tn_packing_done(&p);
    tn_text_done(&json);
    free(l);
}

Test(ovsdb_replica, applies_any_difference)
{
    try_sets(false);
    try_sets(true);
}

/* Values of 40 keys; 0: the key is not there. */
static void
add_map(struct tn_text *out, const int values[40])
{
    tn_text_add(out, "[\"map\",[");
    for (int k = 0; k < 40; k++) {
        int i = k * 7 % 40;
        if (values[i]) {
            tn_text_addf(out, "[%d,%d],", i, values[i]);
        }
    }
    end_value(out);
}

Test(ovsdb_replica, applies_any_difference_of_maps)
{
    struct tn_layout *l = layout_of(TN_OVSDB_INTEGER, TN_OVSDB_INTEGER);
    struct tn_packing p = {0};
    struct tn_text json = {0};
    unsigned long long x = 88172645463325252ull;
    for (int i = 0; i < 2000; i++) {
        int old[40], diff[40], want[40];
        const char *column = NULL;
        for (int k = 0; k < 40; k++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            old[k] = (int) (x % (i % 2 ? 3 : 9));
            diff[k] =
                (x >> 20) % (i % 3 ? 40 : 2) ? 0 : 1 + (int) (x >> 40) % 3;
            want[k] = !diff[k] ? old[k] : diff[k] == old[k] ? 0 : diff[k];
        }
        add_map(&json, old);
        take_value(&p, l, &json, false);
        struct tn_ovsdb_row *was = tn_packing_row(&p, A);
        add_map(&json, want);
        take_value(&p, l, &json, false);
        struct tn_ovsdb_row *wanted_row = tn_packing_row(&p, A);
        add_map(&json, diff);
        take_value(&p, l, &json, true);
        struct tn_ovsdb_row *now = tn_packing_patched(&p, was, &column);
        cr_assert(now && tn_ovsdb_row_equal(now, wanted_row), "round %d", i);
        free(was);
        free(wanted_row);
        free(now);
    }
    tn_packing_done(&p);
    tn_text_done(&json);
    free(l);
}
