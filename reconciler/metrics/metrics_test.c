/* metrics_test.c - the registry: what is counted, capped, forgotten, printed.
 *
 * Whether Prometheus itself accepts the text is asked in metrics_format.sh. */
#include "reconciler/metrics/metrics.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reconciler/metrics/registry.h"

static bool
prints(struct tn_metrics *m, enum tn_metrics_format format, const char *line)
{
    struct tn_text out = {0};
    tn_text_addc(&out, '\n');
    tn_metrics_print(m, format, &out);
    struct tn_text wanted = {0};
    tn_text_addf(&wanted, "\n%s\n", line);
    bool found = strstr(tn_text_str(&out), tn_text_str(&wanted)) != NULL;
    tn_text_done(&out);
    tn_text_done(&wanted);
    return found;
}

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

Test(metrics, table_keeps_the_conventions)
{
    for (enum tn_metric i = 0; i < TN_METRICS; i++) {
        const struct tn_metric_row *row = tn_metric_row(i);
        struct tn_label_names names;
        char unit[64];
        cr_assert(row->name && row->help && row->labels, "row %d", (int) i);
        cr_assert(strncmp(row->name, "tenet_", 6) == 0 ||
                      strncmp(row->name, "process_", 8) == 0,
                  "%s", row->name);
        cr_assert_eq(row->type == TN_COUNTER, ends_with(row->name, "_total"),
                     "%s", row->name);
        cr_assert_eq(row->type == TN_INFO, ends_with(row->name, "_info"), "%s",
                     row->name);
        cr_assert_eq(row->type == TN_HISTOGRAM, row->n_buckets > 0, "%s",
                     row->name);
        snprintf(unit, sizeof unit, "_%s%s", row->unit,
                 row->type == TN_COUNTER ? "_total" : "");
        cr_assert(!row->unit[0] || ends_with(row->name, unit), "%s", row->name);
        cr_assert(ends_with(row->help, "."), "%s: a sentence", row->name);
        cr_assert(row->cap >= 1, "%s", row->name);
        tn_metric_labels(i, &names);
        cr_assert_eq(names.n == 0, row->labels[0] == '\0', "%s", row->name);
        for (size_t b = 1; b < row->n_buckets; b++) {
            cr_assert(row->bucket[b - 1] < row->bucket[b], "%s", row->name);
        }
        for (enum tn_metric k = 0; k < i; k++) {
            cr_assert_str_neq(tn_metric_row(k)->name, row->name);
        }
    }
}

Test(metrics, counts_sets_and_observes)
{
    struct tn_metrics *m = tn_metrics_new();
    tn_metric_add(m, TN_M_WEBHOOKS, TN_LABELS("wake"), 2);
    tn_metric_add(m, TN_M_WEBHOOKS, TN_LABELS("wake"), 1);
    tn_metric_add(m, TN_M_WEBHOOKS, TN_LABELS("wake"), -7);
    tn_metric_add(m, TN_M_WEBHOOKS, TN_LABELS("wake"), NAN);
    cr_assert_eq(tn_metric_get(m, TN_M_WEBHOOKS, TN_LABELS("wake")), 3);
    tn_metric_set(m, TN_M_PROCESS_CPU, NULL, 5);
    tn_metric_set(m, TN_M_PROCESS_CPU, NULL, 4);
    cr_assert_eq(tn_metric_get(m, TN_M_PROCESS_CPU, NULL), 5);
    tn_metric_set(m, TN_M_QUEUE_LENGTH, NULL, 3);
    tn_metric_add(m, TN_M_QUEUE_LENGTH, NULL, -2);
    cr_assert_eq(tn_metric_get(m, TN_M_QUEUE_LENGTH, NULL), 1);
    cr_assert_eq(tn_metric_get(m, TN_M_WEBHOOKS, TN_LABELS("never")), 0);
    const double seen[] = {0.0004, 0.0005, 0.3, 1e9, -1, NAN};
    for (size_t i = 0; i < TN_ARRAY_SIZE(seen); i++) {
        tn_metric_observe(m, TN_M_RECONCILE_DURATION, TN_LABELS("hv1"),
                          seen[i]);
    }
    cr_assert_eq(tn_metric_get(m, TN_M_RECONCILE_DURATION, TN_LABELS("hv1")),
                 5);
    static const char *const lines[] = {
        "tenet_webhook_requests_total{outcome=\"wake\"} 3",
        "# TYPE tenet_webhook_requests_total counter",
        "tenet_queue_length 1",
        "tenet_confirm_pending 0",
        ("tenet_reconcile_duration_seconds_bucket"
         "{device=\"hv1\",le=\"0.0005\"} 3"),
        "tenet_reconcile_duration_seconds_bucket{device=\"hv1\",le=\"0.25\"} 3",
        "tenet_reconcile_duration_seconds_bucket{device=\"hv1\",le=\"0.5\"} 4",
        "tenet_reconcile_duration_seconds_bucket{device=\"hv1\",le=\"1\"} 4",
        "tenet_reconcile_duration_seconds_bucket{device=\"hv1\",le=\"+Inf\"} 5",
        "tenet_reconcile_duration_seconds_sum{device=\"hv1\"} 1000000000.3009",
        "tenet_reconcile_duration_seconds_count{device=\"hv1\"} 5",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(lines); i++) {
        cr_assert(prints(m, TN_METRICS_TEXT, lines[i]), "%s", lines[i]);
    }
    tn_metrics_free(m);
}

Test(metrics, speaks_openmetrics)
{
    struct tn_metrics *m = tn_metrics_new();
    tn_metric_set(m, TN_M_BUILD, TN_LABELS("0.1", "abc"), 1);
    tn_metric_add(m, TN_M_WEBHOOKS, TN_LABELS("wake"), 3);
    tn_metric_observe(m, TN_M_COMMIT_LATENCY, NULL, 1);
    static const char *const lines[] = {
        "# TYPE tenet_build info",
        "tenet_build_info{version=\"0.1\",revision=\"abc\"} 1",
        "# TYPE tenet_webhook_requests counter",
        "tenet_webhook_requests_total{outcome=\"wake\"} 3",
        "# UNIT tenet_commit_to_applied_seconds seconds",
        "# UNIT process_cpu_seconds seconds",
        "tenet_commit_to_applied_seconds_bucket{le=\"1.0\"} 1",
        "# EOF",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(lines); i++) {
        cr_assert(prints(m, TN_METRICS_OPENMETRICS, lines[i]), "%s", lines[i]);
    }
    cr_assert(prints(m, TN_METRICS_TEXT, "# TYPE tenet_build_info gauge"));
    cr_assert(!prints(m, TN_METRICS_TEXT, "# EOF"));
    tn_metrics_free(m);
}

static const struct {
    const char *value, *printed;
} values[] = {
    {"plain", "plain"},
    {"a\"b\\c\nd", "a\\\"b\\\\c\\nd"},
    {"\xc3\xbc", "\xc3\xbc"},
    {"\xff\xfe", "??"},
    {"", ""},
    {"{evil=\"1\"} 1\n# EOF", "{evil=\\\"1\\\"} 1\\n# EOF"},
};

Test(metrics, escapes_label_values)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(values); i++) {
        struct tn_metrics *m = tn_metrics_new();
        struct tn_text line = {0};
        tn_metric_set(m, TN_M_DEVICE_READY, TN_LABELS(values[i].value), 1);
        tn_text_addf(&line, "tenet_device_ready{device=\"%s\"} 1",
                     values[i].printed);
        cr_assert(prints(m, TN_METRICS_TEXT, tn_text_str(&line)), "%s",
                  tn_text_str(&line));
        tn_text_done(&line);
        tn_metrics_free(m);
    }
}

Test(metrics, cuts_long_values_between_characters)
{
    char value[300], cut[300];
    memset(value, 'x', sizeof value);
    memcpy(value + TN_METRIC_VALUE - 1, "\xc3\xbc", 2);
    value[sizeof value - 1] = '\0';
    memset(cut, 'x', sizeof cut);
    cut[TN_METRIC_VALUE - 1] = '\0';
    struct tn_metrics *m = tn_metrics_new();
    struct tn_text line = {0};
    tn_metric_set(m, TN_M_DEVICE_READY, TN_LABELS(value), 1);
    tn_text_addf(&line, "tenet_device_ready{device=\"%s\"} 1", cut);
    cr_assert(prints(m, TN_METRICS_TEXT, tn_text_str(&line)));
    tn_text_done(&line);
    tn_metrics_free(m);
}

Test(metrics, bounds_label_sets)
{
    struct tn_metrics *m = tn_metrics_new();
    char device[32];
    for (int i = 0; i < 10000; i++) {
        snprintf(device, sizeof device, "hv%d", i);
        tn_metric_add(m, TN_M_RECONCILES, TN_LABELS(device, "applied"), 1);
        tn_metric_observe(m, TN_M_RECONCILE_DURATION, TN_LABELS(device), 1);
        tn_metric_add(m, TN_M_WEBHOOKS, TN_LABELS(device), 1);
    }
    const int cap = TN_METRIC_PAIRS;
    cr_assert_eq(
        tn_metric_get(m, TN_M_RECONCILES, TN_LABELS("other", "applied")),
        10000 - cap);
    cr_assert_eq(
        tn_metric_get(m, TN_M_DROPPED, TN_LABELS("tenet_reconcile_total")),
        10000 - cap);
    cr_assert_eq(tn_metric_get(m, TN_M_RECONCILE_DURATION, TN_LABELS("other")),
                 10000 - TN_METRIC_DEVICES);
    /* A label that should have had few values. */
    cr_assert_eq(tn_metric_get(m, TN_M_WEBHOOKS, TN_LABELS("other")),
                 10000 - 16);
    /* Outcomes that nobody foresaw do not break the bound either. */
    for (int i = 0; i < 1000; i++) {
        snprintf(device, sizeof device, "odd%d", i);
        tn_metric_add(m, TN_M_RECONCILES, TN_LABELS("new", device), 1);
    }
    cr_assert(m->metric[TN_M_RECONCILES].n <= (size_t) cap + 33);
    double sum = 0;
    for (size_t i = 0; i < m->metric[TN_M_RECONCILES].n; i++) {
        sum += m->metric[TN_M_RECONCILES].series[i]->value;
    }
    cr_assert_eq(sum, 11000, "nothing is lost: %g", sum);
    tn_metrics_free(m);
}

Test(metrics, forgets_and_reuses)
{
    struct tn_metrics *m = tn_metrics_new();
    char device[32];
    size_t size = 0;
    for (int i = 0; i < 20000; i++) {
        snprintf(device, sizeof device, "hv%d", i);
        tn_metric_set(m, TN_M_DEVICE_READY, TN_LABELS(device), 1);
        tn_metric_observe(m, TN_M_RECONCILE_DURATION, TN_LABELS(device), 1);
        tn_metric_add(m, TN_M_DRIFTED, TN_LABELS(device, "outage"), 1);
        cr_assert_eq(
            tn_metric_get(m, TN_M_RECONCILE_DURATION, TN_LABELS(device)), 1);
        tn_metrics_forget(m, "device", device);
        cr_assert_eq(tn_metric_get(m, TN_M_DEVICE_READY, TN_LABELS(device)), 0);
        if (i == 100) {
            size = tn_arena_size(m->arena);
        }
    }
    cr_assert_eq(tn_arena_size(m->arena), size, "memory grew");
    cr_assert_eq(m->metric[TN_M_DRIFTED].n, 0);
    cr_assert_eq(
        tn_metric_get(m, TN_M_DROPPED, TN_LABELS("tenet_device_ready")), 0);
    tn_metric_set(m, TN_M_ALERTS_FIRING, TN_LABELS("critical"), 1);
    tn_metric_clear(m, TN_M_ALERTS_FIRING);
    cr_assert_eq(m->metric[TN_M_ALERTS_FIRING].n, 0);
    tn_metric_clear(m, TN_M_QUEUE_LENGTH);
    cr_assert(prints(m, TN_METRICS_TEXT, "tenet_queue_length 0"));
    tn_metrics_free(m);
}

Test(metrics, prints_the_same_for_the_same)
{
    static const char *const order[] = {"b", "a", "c", "a", "b"};
    struct tn_metrics *one = tn_metrics_new(), *two = tn_metrics_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(order); i++) {
        tn_metric_add(one, TN_M_WEBHOOKS, TN_LABELS(order[i]), 1);
        tn_metric_add(two, TN_M_WEBHOOKS,
                      TN_LABELS(order[TN_ARRAY_SIZE(order) - 1 - i]), 1);
    }
    struct tn_text a = {0}, b = {0};
    tn_metrics_print(one, TN_METRICS_TEXT, &a);
    tn_metrics_print(two, TN_METRICS_TEXT, &b);
    cr_assert_str_eq(tn_text_str(&a), tn_text_str(&b));
    tn_text_done(&a);
    tn_text_done(&b);
    tn_metrics_free(one);
    tn_metrics_free(two);
}

Test(metrics, accepts_a_null_registry)
{
    tn_metric_add(NULL, TN_M_STATUS_RETRIES, NULL, 1);
    tn_metric_set(NULL, TN_M_QUEUE_LENGTH, NULL, 1);
    tn_metric_observe(NULL, TN_M_COMMIT_LATENCY, NULL, 1);
    cr_assert_eq(tn_metric_get(NULL, TN_M_QUEUE_LENGTH, NULL), 0);
    tn_metrics_forget(NULL, "device", "x");
    tn_metric_clear(NULL, TN_M_DEVICES);
    tn_metrics_process(NULL);
    struct tn_text out = {0};
    tn_metrics_print(NULL, TN_METRICS_OPENMETRICS, &out);
    cr_assert_str_eq(tn_text_str(&out), "# EOF\n");
    tn_text_done(&out);
    tn_metrics_free(NULL);
}

Test(metrics, knows_its_process)
{
    struct tn_metrics *m = tn_metrics_new();
    tn_metrics_process(m);
    cr_assert_gt(tn_metric_get(m, TN_M_PROCESS_RSS, NULL), 1 << 20);
    cr_assert_gt(tn_metric_get(m, TN_M_PROCESS_VSIZE, NULL),
                 tn_metric_get(m, TN_M_PROCESS_RSS, NULL));
    cr_assert_gt(tn_metric_get(m, TN_M_PROCESS_FDS, NULL), 2);
    cr_assert_gt(tn_metric_get(m, TN_M_PROCESS_MAX_FDS, NULL), 2);
    double start = tn_metric_get(m, TN_M_PROCESS_START, NULL);
    cr_assert_lt(fabs((double) time(NULL) - start), 60, "%f", start);
    tn_metrics_free(m);
}

static const struct {
    const char *accept;
    enum tn_metrics_format format;
} accepts[] = {
    {NULL, TN_METRICS_TEXT},
    {"", TN_METRICS_TEXT},
    {"*/*", TN_METRICS_TEXT},
    {"text/html, */*;q=0.1", TN_METRICS_TEXT},
    {"application/openmetrics-text", TN_METRICS_OPENMETRICS},
    /* Prometheus 2.42 */
    {"application/openmetrics-text;version=1.0.0,"
     "application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     TN_METRICS_OPENMETRICS},
    {"application/openmetrics-text;version=1.0.0;q=0.3, text/plain;q=0.9",
     TN_METRICS_TEXT},
    {"APPLICATION/OpenMetrics-Text ; Q=0.5,text/plain; q=0.4",
     TN_METRICS_OPENMETRICS},
    {"application/openmetrics-text;q=0", TN_METRICS_TEXT},
    {"application/openmetrics-textual", TN_METRICS_TEXT},
    {"application/openmetrics-text;q=nan,text/plain;q=-1", TN_METRICS_TEXT},
    {",,,;;q=,", TN_METRICS_TEXT},
};

Test(metrics, negotiates)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(accepts); i++) {
        cr_assert_eq(tn_metrics_negotiate(accepts[i].accept), accepts[i].format,
                     "%s", accepts[i].accept);
    }
}

static void *
hammer(void *arg)
{
    struct tn_metrics *m = arg;
    char device[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(device, sizeof device, "hv%d", i % 50);
        tn_metric_add(m, TN_M_RECONCILES, TN_LABELS(device, "applied"), 1);
        tn_metric_observe(m, TN_M_RECONCILE_DURATION, TN_LABELS(device), 1);
        if (i % 1000 == 0) {
            struct tn_text out = {0};
            tn_metrics_print(m, TN_METRICS_TEXT, &out);
            tn_text_done(&out);
        }
    }
    return NULL;
}

Test(metrics, counts_from_many_threads)
{
    pthread_t thread[4];
    struct tn_metrics *m = tn_metrics_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(thread); i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, hammer, m), 0);
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(thread); i++) {
        pthread_join(thread[i], NULL);
    }
    double sum = 0;
    for (size_t i = 0; i < m->metric[TN_M_RECONCILES].n; i++) {
        sum += m->metric[TN_M_RECONCILES].series[i]->value;
    }
    cr_assert_eq(sum, 20000);
    tn_metrics_free(m);
}
