/* scalar_test.c - YAML 1.1 as PyYAML types it and Python prints it.
 *
 * The rows were read off PyYAML 6 under ansible-core 2.14; the differential
 * test compares many more. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

enum {
    TEXT = TN_SCALAR_TEXT,
    NOTHING = TN_SCALAR_NULL,
    BOOL = TN_SCALAR_BOOL,
    INT = TN_SCALAR_INT,
    FLOAT = TN_SCALAR_FLOAT,
    TIME = TN_SCALAR_TIME,
    SPECIAL = TN_SCALAR_SPECIAL,
};

static const struct row {
    const char *text;
    int type;
    const char *printed; /* Null: it has no value. */
} rows[] = {
    {"", NOTHING, "null"},
    {"~", NOTHING, "null"},
    {"~x", TEXT, "~x"},
    {"null", NOTHING, "null"},
    {"Null", NOTHING, "null"},
    {"nULL", TEXT, "nULL"},
    {"yes", BOOL, "true"},
    {"On", BOOL, "true"},
    {"TRUE", BOOL, "true"},
    {"no", BOOL, "false"},
    {"Off", BOOL, "false"},
    {"False", BOOL, "false"},
    {"y", TEXT, "y"},
    {"n", TEXT, "n"},
    {"oFF", TEXT, "oFF"},
    {"0", INT, "0"},
    {"-0", INT, "0"},
    {"+5", INT, "5"},
    {"1_000", INT, "1000"},
    {"1__", INT, "1"},
    {"0_", INT, "0"},
    {"017", INT, "15"},
    {"-017", INT, "-15"},
    {"08", TEXT, "08"},
    {"0o17", TEXT, "0o17"},
    {"0x1F", INT, "31"},
    {"-0x10", INT, "-16"},
    {"0X1F", TEXT, "0X1F"},
    {"0x", TEXT, "0x"},
    {"0x_", INT, NULL},
    {"0b101", INT, "5"},
    {"0b_", INT, NULL},
    {"0b2", TEXT, "0b2"},
    {"1:30", INT, "90"},
    {"-1:30", INT, "-90"},
    {"1:60", TEXT, "1:60"},
    {"1:5:5", INT, "3905"},
    {"0:30", TEXT, "0:30"},
    {"52:54:00:12:34:56", INT, "41135085296"},
    {"52:54:00:12:34:5a", TEXT, "52:54:00:12:34:5a"},
    {"123456789012345678901234567890", INT, "123456789012345678901234567890"},
    {"0xFFFFFFFFFFFFFFFFFFFFFFFF", INT, "79228162514264337593543950335"},
    {"1e5", TEXT, "1e5"},
    {"1.5e5", TEXT, "1.5e5"},
    {"1.5e+20", FLOAT, "1.5e+20"},
    {"1.", FLOAT, "1.0"},
    {".5", FLOAT, "0.5"},
    {"-.5", TEXT, "-.5"},
    {"1_0.5", FLOAT, "10.5"},
    {"-0.0", FLOAT, "-0.0"},
    {"0.0001", FLOAT, "0.0001"},
    {"0.00001", FLOAT, "1e-05"},
    {"1234567890123456.0", FLOAT, "1234567890123456.0"},
    {"12345678901234567.0", FLOAT, "1.2345678901234568e+16"},
    {"100.0", FLOAT, "100.0"},
    {"0.1", FLOAT, "0.1"},
    {"1:30.5", FLOAT, "90.5"},
    {"1.0e+400", FLOAT, "Infinity"},
    {".inf", FLOAT, "Infinity"},
    {"-.INF", FLOAT, "-Infinity"},
    {".nan", FLOAT, "NaN"},
    {"-.nan", TEXT, "-.nan"},
    {"10.0.0.1", TEXT, "10.0.0.1"},
    {"2021-01-02", TIME, "2021-01-02"},
    {"2021-1-2", TEXT, "2021-1-2"},
    {"2021-13-01", TIME, NULL},
    {"2021-02-29", TIME, NULL},
    {"2020-02-29", TIME, "2020-02-29"},
    {"0000-01-01", TIME, NULL},
    {"2001-12-14t21:59:43.10-05:00", TIME, "2001-12-14T21:59:43.100000-05:00"},
    {"2001-12-14 21:59:43", TIME, "2001-12-14T21:59:43"},
    {"2001-1-1 1:00:00 +5", TIME, "2001-01-01T01:00:00+05:00"},
    {"2001-01-01T01:02:03.-05:30", TIME, "2001-01-01T01:02:03-05:30"},
    {"2001-12-14T21:59:43.1234567Z", TIME, "2001-12-14T21:59:43.123456+00:00"},
    {"2001-12-14 25:59:43", TIME, NULL},
    {"2001-12-14 21:59", TEXT, "2001-12-14 21:59"},
    {"=", SPECIAL, NULL},
    {"<<", SPECIAL, NULL},
    {"<", TEXT, "<"},
};

Test(scalar, types_and_values)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
        enum tn_scalar_type type = tn_scalar_type(rows[i].text);
        bool ok = tn_scalar_format(type, rows[i].text, &out);

        cr_expect_eq((int) type, rows[i].type, "'%s': type %d", rows[i].text,
                     (int) type);
        cr_expect_eq(ok, rows[i].printed != NULL, "'%s'", rows[i].text);
        if (ok && rows[i].printed) {
            cr_expect_str_eq(tn_text_str(&out), rows[i].printed, "'%s' is '%s'",
                             rows[i].text, tn_text_str(&out));
        }
    }
}

/* As sys.int_info.default_max_str_digits. */
Test(scalar, integers_have_a_longest_form)
{
    static char digits[4303];
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};

    memset(digits, '7', 4300);
    cr_expect(tn_scalar_format(TN_SCALAR_INT, digits, &out));
    cr_expect_str_eq(tn_text_str(&out), digits);
    digits[4300] = '7';
    cr_expect_not(tn_scalar_format(TN_SCALAR_INT, digits, &out));
}

Test(scalar, doubles_print_shortest)
{
    static const double values[] = {
        5e-324, 1.7976931348623157e308, 0.3, 1e22, 123e-7,
        1e16,   9007199254740993.0};

    for (size_t i = 0; i < TN_ARRAY_SIZE(values); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};

        tn_scalar_format_double(values[i], &out);
        cr_expect_eq(strtod(out.s, NULL), values[i], "%s", out.s);
        cr_expect_leq(strlen(out.s), 23, "%s", out.s);
    }
}

static const struct falsy_row {
    const char *text;
    bool quoted, falsy;
} falsy_rows[] = {
    {"", false, true},     {"", true, true},    {"0", false, true},
    {"0", true, false},    {"no", false, true}, {"no", true, false},
    {"0.0", false, true},  {"~", false, true},  {"x", false, false},
    {"-0.0", false, true}, {"0x0", false, true}};

Test(scalar, falsy)
{
    static const struct tn_node list = {.type = TN_NODE_LIST};
    static const struct tn_node map = {.type = TN_NODE_MAP};

    for (size_t i = 0; i < TN_ARRAY_SIZE(falsy_rows); i++) {
        const struct falsy_row *r = &falsy_rows[i];
        struct tn_node node = {.type = TN_NODE_SCALAR,
                               .quoted = r->quoted,
                               .scalar = {r->text, strlen(r->text)}};

        cr_expect_eq(tn_node_is_falsy(&node), r->falsy, "'%s'", r->text);
    }
    cr_expect(tn_node_is_falsy(&list));
    cr_expect(tn_node_is_falsy(&map));
}
