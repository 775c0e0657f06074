/* entry_test.c - the form of status files and of times. */
#include "reconciler/status/entry.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct {
    const char *text;
    int64_t t; /* -1: refused. */
} times[] = {
    {"1970-01-01T00:00:01Z", 1},
    {"2026-11-21T01:54:43Z", 1795226083},
    {"9999-12-31T23:59:59Z", 253402300799},
    {"2026-02-30T00:00:00Z", -1},
    {"2026-11-21T01:54:43", -1},
    {"2026-11-21T01:54:43Z ", -1},
    {"2026-11-21T25:54:43Z", -1},
    {" 2026-11-21T01:54:43Z", -1},
    {"yesterday", -1},
    {"", -1},
};

Test(entry, reads_and_writes_times)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(times); i++) {
        int64_t t = -1;
        char buf[TN_TIME_TEXT];
        bool ok = tn_time_parse(times[i].text, &t);
        cr_assert_eq(ok, times[i].t >= 0, "%s", times[i].text);
        cr_assert_eq(t, times[i].t, "%s", times[i].text);
        if (ok) {
            cr_assert_str_eq(tn_time_format(t, buf), times[i].text);
        }
    }
    char buf[TN_TIME_TEXT];
    cr_assert_str_eq(tn_time_format(0, buf), "");
    cr_assert_str_eq(tn_time_format(INT64_MAX, buf), "9999-12-31T23:59:59Z");
    cr_assert_str_eq(tn_time_format(-5, buf), "1970-01-01T00:00:00Z");
}

static const struct {
    const char *name, *file;
} files[] = {
    {"hv1", "hv1.yml"},
    {"a.b-c_D9", "a.b-c_D9.yml"},
    {"..", "%2E..yml"},
    {".git", "%2Egit.yml"},
    {"a/b", "a%2Fb.yml"},
    {"100%", "100%25.yml"},
    {"fe80::1", "fe80%3A%3A1.yml"},
    {"\xc3\xbc", "%C3%BC.yml"},
};

Test(entry, makes_any_name_a_file)
{
    struct tn_arena *arena = tn_arena_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(files); i++) {
        cr_assert_str_eq(tn_entry_file(arena, files[i].name), files[i].file);
    }
    tn_arena_free(arena);
}

#define HEAD "apiVersion: tenet/v1\nkind: DeviceStatus\nmetadata: {name: hv1}\n"
#define TAIL "  conditions: []\n  counts: {}\n"

static const struct {
    const char *text, *fault; /* Null: accepted. */
} rows[] = {
    {HEAD "status:\n" TAIL, NULL},
    {HEAD "status:\n  newer: [1]\n" TAIL, NULL},
    {HEAD "status:\n  commit: 1111111111111111111111111111111111111111\n" TAIL,
     NULL},
    {HEAD "status:\n  commit: main\n" TAIL, "not the id"},
    {HEAD "status:\n  commit: [x]\n" TAIL, "text is expected"},
    {HEAD "status:\n  applied: now\n" TAIL, "not a time"},
    {HEAD "status:\n  conditions: {}\n  counts: {}\n", "a list is expected"},
    {HEAD "status:\n  conditions: [x]\n  counts: {}\n", "has a type"},
    {HEAD "status:\n  conditions: [{type: Ready, status: Maybe}]\n"
          "  counts: {}\n",
     "True, False or Unknown"},
    {HEAD "status:\n  conditions: [{type: New, status: Maybe}]\n"
          "  counts: {}\n",
     NULL},
    {HEAD "status:\n  conditions: []\n  counts: {vpcs: -1}\n",
     "a number is expected"},
    {HEAD "status: x\n", "a map is expected"},
    {HEAD, "a map is expected"},
    {HEAD "---\n" HEAD, "one document"},
    {"", "one document"},
    {"apiVersion: tenet/v2\nkind: DeviceStatus\n", "neither"},
    {"apiVersion: tenet/v1\nkind: VpcStatus\n", "neither"},
    {"apiVersion: tenet/v1\nkind: DeviceStatus\n", "a map is expected"},
    {"apiVersion: tenet/v1\nkind: DeviceStatus\nmetadata: {name: hv2}\n",
     "not that of the file"},
    {"- x\n", "neither"},
    {"{", ""},
};

Test(entry, believes_nothing)
{
    struct tn_arena *arena = tn_arena_new();
    const struct tn_entry_form *form = &tn_entry_forms[TN_STATUS_DEVICE];
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_status_device d = {.name = "untouched"};
        const char *why = "";
        bool ok = tn_entry_parse(arena, form, "devices/hv1.yml", rows[i].text,
                                 strlen(rows[i].text), &d, &why);
        cr_assert_eq(ok, !rows[i].fault, "row %zu: %s", i, why);
        cr_assert_str_eq(d.name, ok ? "hv1" : "untouched");
        cr_assert(ok || strstr(why, rows[i].fault), "row %zu: %s", i, why);
    }
    tn_arena_free(arena);
}
