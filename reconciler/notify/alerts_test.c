/* alerts_test.c - the life of alerts in made-up time. */
#include "reconciler/notify/alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "reconciler/notify/words.h"

enum { MAX = 64 };

static const struct tn_alert_sink two[] = {{"am-1", true}, {"wh-1", false}};
enum { AM, WH };

static struct tn_alerts_options
options(void)
{
    return (struct tn_alerts_options){
        .sinks = two, .n_sinks = 2, .interval_ms = 1000};
}

static struct tn_notify_now
at(int64_t ms)
{
    return (struct tn_notify_now){1700000000000 + ms, 5000000 + ms};
}

static const struct tn_alert drift = {
    .name = TN_ALERT_DRIFT, .device = "hv1", .description = "route moved"};

static size_t
due(struct tn_alerts *a, size_t sink, int64_t ms, struct tn_alert_out *out)
{
    tn_alerts_tick(a, at(ms));
    return tn_alerts_due(a, sink, at(ms), out, MAX);
}

/* Acknowledges all that is due and returns how many those were. */
static size_t
take(struct tn_alerts *a, size_t sink, int64_t ms)
{
    struct tn_alert_out out[MAX];
    size_t n = due(a, sink, ms, out);
    struct tn_digest fp[MAX];
    uint32_t version[MAX];
    for (size_t i = 0; i < n; i++) {
        fp[i] = out[i].fingerprint;
        version[i] = out[i].version;
    }
    for (size_t i = 0; i < n; i++) {
        tn_alerts_told(a, sink, &fp[i], version[i], at(ms));
    }
    return n;
}

Test(alerts, fires_is_kept_alive_and_ends)
{
    struct tn_alerts_options o = options();
    struct tn_alerts *a = tn_alerts_new(&o);
    struct tn_alert_out out[MAX];
    cr_expect_eq(due(a, AM, 0, out), 0);
    cr_expect(tn_alert_fire(a, &drift, at(0)));
    cr_expect(!tn_alert_fire(a, &drift, at(1)), "again is no news");
    cr_assert_eq(due(a, AM, 10, out), 1);
    cr_expect(!out[0].resolved);
    cr_expect_eq(out[0].starts_ms, at(0).wall_ms);
    cr_expect_eq(out[0].ends_ms, at(10).wall_ms + 4000);
    cr_expect_eq(due(a, AM, 11, out), 1, "until acknowledged");
    cr_expect_eq(take(a, AM, 12), 1);
    cr_expect_eq(take(a, WH, 12), 1);
    cr_expect_eq(due(a, AM, 1011, out), 0);
    cr_expect_eq(tn_alerts_next(a, AM), at(1012).mono_ms);
    cr_expect_eq(take(a, AM, 1012), 1, "kept alive");
    cr_expect_eq(take(a, WH, 1012), 0, "webhooks hear of changes only");
    cr_expect(tn_alert_resolve(a, &drift, at(1500)));
    cr_expect(!tn_alert_resolve(a, &drift, at(1501)));
    cr_assert_eq(due(a, AM, 1600, out), 1);
    cr_expect(out[0].resolved);
    cr_expect_eq(out[0].ends_ms, at(1500).wall_ms);
    cr_expect_eq(due(a, AM, 99000, out), 1, "until acknowledged");
    cr_expect_eq(take(a, AM, 99000), 1);
    cr_expect_eq(take(a, WH, 99000), 1);
    cr_expect_eq(take(a, AM, 100000), 1, "the end is repeated");
    cr_expect_eq(take(a, AM, 400000), 1);
    cr_expect_eq(take(a, AM, 500000), 0, "but not for ever");
    cr_expect_eq(tn_alerts_count(a).resolved, 1);
    tn_alerts_tick(a, at(700000));
    cr_expect_eq(tn_alerts_count(a).resolved, 0, "forgotten");
    cr_expect_eq(tn_alerts_wake(a), INT64_MAX);
    tn_alerts_free(a);
}

Test(alerts, what_nobody_takes_is_given_up_after_a_day)
{
    struct tn_alerts_options o = options();
    struct tn_alerts *a = tn_alerts_new(&o);
    tn_alert_fire(a, &drift, at(0));
    tn_alert_resolve(a, &drift, at(10));
    cr_expect_eq(take(a, AM, 20), 1);
    tn_alerts_tick(a, at(86000000));
    cr_expect_eq(tn_alerts_pending(a, WH), 1);
    tn_alerts_tick(a, at(86400020));
    cr_expect_eq(tn_alerts_pending(a, WH), 0);
    cr_expect_eq(tn_alerts_count(a).expired, 1);
    tn_alerts_free(a);
}

Test(alerts, a_late_acknowledgement_settles_nothing_newer)
{
    struct tn_alerts_options o = options();
    struct tn_alerts *a = tn_alerts_new(&o);
    struct tn_alert_out out[MAX];
    tn_alert_fire(a, &drift, at(0));
    cr_assert_eq(due(a, AM, 1, out), 1);
    struct tn_digest fp = out[0].fingerprint;
    uint32_t old = out[0].version;
    tn_alert_resolve(a, &drift, at(2));
    tn_alerts_told(a, AM, &fp, old, at(3));
    cr_assert_eq(due(a, AM, 4, out), 1);
    cr_expect(out[0].resolved);
    tn_alerts_free(a);
}

Test(alerts, flapping_is_damped)
{
    struct tn_alerts_options o = options();
    struct tn_alerts *a = tn_alerts_new(&o);
    int64_t t = 0;
    size_t told = 0;
    for (int i = 0; i < 100; i++, t += 1000) {
        tn_alert_fire(a, &drift, at(t));
        told += take(a, WH, t + 1);
        tn_alert_resolve(a, &drift, at(t + 500));
        told += take(a, WH, t + 501);
    }
    cr_expect_eq(told, 7, "%zu: three times there and back, and there", told);
    cr_expect_eq(tn_alerts_count(a).firing, 1);
    cr_expect_eq(tn_alerts_count(a).flaps, 99);
    cr_expect_eq(take(a, WH, t + 500000), 0);
    cr_expect_eq(take(a, WH, t + 600000), 1, "quiet for ten minutes");
    cr_expect_eq(tn_alerts_count(a).firing, 0);
    tn_alert_fire(a, &drift, at(t + 2000000));
    tn_alert_resolve(a, &drift, at(t + 2000100));
    cr_expect_eq(tn_alerts_count(a).firing, 0, "forgiven");
    tn_alerts_free(a);
}

Test(alerts, lingers_so_that_people_see_it)
{
    struct tn_alerts_options o = options();
    o.linger_ms = 5000;
    struct tn_alerts *a = tn_alerts_new(&o);
    struct tn_alert_out out[MAX];
    tn_alert_fire(a, &drift, at(0));
    tn_alert_resolve(a, &drift, at(5));
    cr_assert_eq(due(a, AM, 10, out), 1);
    cr_expect(!out[0].resolved);
    cr_expect_eq(take(a, AM, 10), 1);
    cr_expect_eq(tn_alerts_wake(a), at(5000).mono_ms);
    tn_alerts_tick(a, at(5000));
    cr_assert_eq(due(a, AM, 5000, out), 1);
    cr_expect(out[0].resolved);
    tn_alerts_free(a);
}

Test(alerts, clocks_that_jump_harm_nothing)
{
    struct tn_alerts_options o = options();
    struct tn_alerts *a = tn_alerts_new(&o);
    struct tn_alert_out out[MAX];
    tn_alert_fire(a, &drift, at(0));
    struct tn_notify_now back = {at(0).wall_ms - 86400000, at(10).mono_ms};
    tn_alerts_due(a, AM, back, out, MAX);
    cr_expect_leq(out[0].starts_ms, back.wall_ms);
    cr_expect_eq(out[0].ends_ms, back.wall_ms + 4000);
    struct tn_notify_now forth = {at(0).wall_ms + 86400000, at(20).mono_ms};
    tn_alert_resolve(a, &drift, forth);
    back.mono_ms = at(30).mono_ms;
    tn_alerts_due(a, AM, back, out, MAX);
    cr_expect(out[0].resolved);
    cr_expect_leq(out[0].ends_ms, back.wall_ms, "no end in the future");
    cr_expect_leq(out[0].starts_ms, out[0].ends_ms);
    tn_alerts_free(a);
}

static struct tn_alerts *
again(const struct tn_alerts *a, const struct tn_alerts_options *o, int64_t ms)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_alerts_dump(a, &text);
    struct tn_alerts *b = tn_alerts_new(o);
    struct tn_error err = {0};
    cr_assert_eq(tn_alerts_load(b, text.s, text.n, at(ms), &err), TN_OK, "%s",
                 err.text);
    TN_CLEANUP(tn_cleanup_text) struct tn_text second = {0};
    tn_alerts_dump(b, &second);
    cr_expect_str_eq(text.s, second.s);
    return b;
}

Test(alerts, goes_on_after_a_restart)
{
    struct tn_alerts_options o = options();
    struct tn_alerts *a = tn_alerts_new(&o);
    struct tn_alert other = drift;
    other.device = "hv2\" \\ \x01 \xff";
    struct tn_alert third = {.name = TN_ALERT_SOURCE_STALE};
    struct tn_alert_out out[MAX], more[MAX];
    tn_alert_fire(a, &drift, at(0));
    tn_alert_fire(a, &other, at(0));
    tn_alert_fire(a, &third, at(0));
    take(a, AM, 1);
    take(a, WH, 1);
    tn_alert_resolve(a, &third, at(2));
    cr_assert_eq(due(a, AM, 3, out), 1);

    struct tn_alerts *b = again(a, &o, 10);
    cr_expect_eq(tn_alerts_count(b).unsettled, 2);
    cr_assert_eq(due(b, WH, 11, more), 1, "the end that was not told");
    cr_expect(more[0].resolved);
    cr_expect(tn_digest_eq(&more[0].fingerprint, &out[0].fingerprint));
    cr_expect(!tn_alert_fire(b, &drift, at(20)), "it was firing all along");
    cr_expect_eq(tn_alerts_settle(b, "hv1", at(30)), 0);
    cr_expect_eq(tn_alerts_settle(b, NULL, at(40)), 1, "hv2 was healed");
    cr_expect_eq(tn_alerts_count(b).firing, 1);
    tn_alerts_free(a);
    tn_alerts_free(b);
}

Test(alerts, only_news_must_be_saved_before_telling)
{
    struct tn_alerts_options o = options();
    struct tn_alerts *a = tn_alerts_new(&o);
    cr_expect(!tn_alerts_dirty(a) && !tn_alerts_has_news(a));
    tn_alert_fire(a, &drift, at(0));
    cr_expect(tn_alerts_dirty(a) && tn_alerts_has_news(a));
    tn_alerts_saved(a);
    take(a, AM, 1);
    cr_expect(tn_alerts_dirty(a) && !tn_alerts_has_news(a));
    tn_alerts_saved(a);
    take(a, AM, 2000);
    cr_expect(!tn_alerts_dirty(a), "keeping alive writes nothing");
    tn_alerts_free(a);
}

Test(alerts, damage_is_seen)
{
    struct tn_alerts_options o = options();
    struct tn_alerts *a = tn_alerts_new(&o);
    tn_alert_fire(a, &drift, at(0));
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_alerts_dump(a, &text);
    for (size_t i = 0; i < text.n; i++) {
        struct tn_alerts *b = tn_alerts_new(&o);
        text.s[i] ^= 1;
        cr_expect_eq(tn_alerts_load(b, text.s, text.n, at(0), NULL), TN_EINTENT,
                     "byte %zu", i);
        cr_expect_eq(tn_alerts_load(b, text.s, i, at(0), NULL), TN_EINTENT);
        cr_expect_eq(tn_alerts_count(b).firing, 0);
        text.s[i] ^= 1;
        tn_alerts_free(b);
    }
    tn_alerts_free(a);
}

Test(alerts, are_bounded)
{
    struct tn_alerts_options o = options();
    o.max = 20;
    struct tn_alerts *a = tn_alerts_new(&o);
    char name[16];
    struct tn_alert x = {.name = TN_ALERT_DRIFT, .device = name};
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "hv%d", i);
        cr_expect_eq(tn_alert_fire(a, &x, at(i)), i < 20);
    }
    cr_expect_eq(tn_alerts_count(a).firing, 21);
    cr_expect_eq(tn_alerts_count(a).refused, 30);
    struct tn_alert_out out[MAX];
    size_t n = due(a, AM, 100, out), many = 0;
    for (size_t i = 0; i < n; i++) {
        many += strstr(out[i].labels, "TenetTooManyAlerts") != NULL;
    }
    cr_expect_eq(many, 1);
    struct tn_alert all = {.name = TN_ALERT_DRIFT};
    cr_expect_eq(tn_alerts_resolve_all(a, &all, false, at(200)), 20);
    take(a, AM, 300);
    take(a, WH, 300);
    cr_expect(tn_alert_fire(a, &x, at(2000)), "what ended makes room");
    tn_alerts_tick(a, at(700000));
    cr_expect_eq(tn_alerts_count(a).firing, 1, "and there is room again");
    tn_alerts_free(a);
}

Test(alerts, ten_thousand_are_told_in_batches)
{
    struct tn_alerts_options o = options();
    struct tn_alerts *a = tn_alerts_new(&o);
    char name[16];
    struct tn_alert x = {.name = TN_ALERT_DEVICE_UNREACHABLE, .device = name};
    for (int i = 0; i < TN_ALERTS_MAX; i++) {
        snprintf(name, sizeof name, "hv%d", i);
        cr_assert(tn_alert_fire(a, &x, at(0)));
    }
    size_t n = 0;
    for (size_t k; (k = take(a, WH, 10)); n += k) {
        cr_assert_leq(k, MAX);
    }
    cr_expect_eq(n, TN_ALERTS_MAX);
    tn_alerts_free(a);
}

Test(alerts, labels_are_clean_sorted_and_identity)
{
    static const struct tn_label common[] = {{"environment", "prod"},
                                             {"device", "not this"}};
    struct tn_alerts_options o = options();
    o.labels = common;
    o.n_labels = 2;
    o.runbooks = "https://x.example/alerts.md";
    struct tn_alerts *a = tn_alerts_new(&o);
    static const struct tn_label extra[] = {{"zone", "a"},
                                            {"bad name", "x"},
                                            {"0", "x"},
                                            {"empty", ""},
                                            {"area", "\"\n\xc3\x28"}};
    struct tn_alert x = drift;
    x.vpc = "web";
    x.labels = extra;
    x.n_labels = TN_ARRAY_SIZE(extra);
    tn_alert_fire(a, &x, at(0));
    struct tn_alert_out out[MAX];
    cr_assert_eq(due(a, AM, 0, out), 1);
    cr_expect_str_eq(out[0].labels,
                     "{\"alertname\":\"TenetDrift\","
                     "\"area\":\"\\\"\\n?(\",\"device\":\"hv1\","
                     "\"environment\":\"prod\",\"severity\":\"warning\","
                     "\"vpc\":\"web\",\"zone\":\"a\"}");
    cr_expect_str_eq(out[0].annotations,
                     "{\"description\":\"route moved\",\"runbook_url\":"
                     "\"https://x.example/alerts.md#tenetdrift\",\"summary\":"
                     "\"Something changed on hv1 outside Git (VPC web)\"}");
    struct tn_alert match = {.vpc = "we"};
    cr_expect_eq(tn_alerts_resolve_all(a, &match, true, at(1)), 0);
    match.vpc = "web";
    cr_expect_eq(tn_alerts_resolve_all(a, &match, true, at(1)), 1);
    tn_alerts_free(a);
}

static const struct {
    const char *in;
    size_t chars, bytes;
    const char *out;
} cuts[] = {
    {"abcdef", 6, 0, "abcdef"},
    {"abcdefg", 6, 0, "abc..."},
    {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 4, 0, "\xc3\xa4..."},
    {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 0, 6, "\xc3\xa4..."},
    {"a\xff\xfe", 0, 0, "a??"},
    {"", 5, 5, ""},
    {"\xe2\x82", 0, 0, "??"},
};

Test(alerts, texts_are_cut_at_characters)
{
    struct tn_arena *arena = tn_arena_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(cuts); i++) {
        cr_expect_str_eq(
            tn_words_clean(arena, cuts[i].in, cuts[i].chars, cuts[i].bytes),
            cuts[i].out, "row %zu", i);
    }
    cr_expect_str_eq(tn_words_clean(arena, NULL, 1, 1), "");
    tn_arena_free(arena);
}

Test(alerts, every_alert_is_explained)
{
    FILE *f = fopen("docs/alerts.md", "re");
    cr_assert(f);
    static char docs[1 << 17];
    docs[fread(docs, 1, sizeof docs - 1, f)] = '\0';
    fclose(f);
    for (int i = 0; i < TN_ALERT_NAMES; i++) {
        const struct tn_alert_row *row = tn_alert_row((enum tn_alert_name) i);
        char head[80];
        enum tn_alert_name found;
        snprintf(head, sizeof head, "\n## %s\n", row->name);
        const char *section = strstr(docs, head);
        cr_expect(section, "docs/alerts.md has no section %s", row->name);
        cr_expect(tn_alert_name_parse(row->name, &found) && (int) found == i);
        cr_expect_neq(row->severity, TN_ALERT_SEVERITY_DEFAULT);
        if (!section) {
            continue;
        }
        const char *next = strstr(section + 2, "\n## ");
        size_t n = next ? (size_t) (next - section) : strlen(section);
        static const char *const parts[] = {"**Meaning.**", "**Check.**",
                                            "**Ends.**"};
        for (size_t k = 0; k < TN_ARRAY_SIZE(parts); k++) {
            cr_expect(memmem(section, n, parts[k], strlen(parts[k])),
                      "%s lacks %s", row->name, parts[k]);
        }
        char level[40];
        snprintf(level, sizeof level, "Severity: %s.",
                 tn_alert_severity_name(row->severity));
        cr_expect(memmem(section, n, level, strlen(level)), "%s: %s", row->name,
                  level);
    }
    cr_expect(!tn_alert_name_parse("TenetNothing",
                                   &(enum tn_alert_name){TN_ALERT_DRIFT}));
}
