/* metrics_tool.c - the table for whoever checks it: docs, rules, dashboard.
 *
 *     metrics_tool docs       docs/metrics.md
 *     metrics_tool names      every name that a query may use, one a line
 *     metrics_tool text       an exposition with awkward labels
 *     metrics_tool open       the same in OpenMetrics
 *     metrics_tool bench      time and size of an exposition of 1,000 devices
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reconciler/metrics/metrics.h"
#include "reconciler/metrics/registry.h"

static const char *const awkward[] = {"hv1",  "a\"b\\c\nd", "\xc3\xbc",
                                      "\xff", "{}=,# EOF",  ""};

static void
print_names(void)
{
    for (enum tn_metric i = 0; i < TN_METRICS; i++) {
        const struct tn_metric_row *row = tn_metric_row(i);
        if (row->type == TN_HISTOGRAM) {
            printf("%s_bucket\n%s_sum\n%s_count\n", row->name, row->name,
                   row->name);
        } else {
            printf("%s\n", row->name);
        }
    }
}

static void
print_docs(void)
{
    puts("# Metrics\n\n"
         "`GET /metrics` of the daemon speaks the Prometheus text format 0.0.4 "
         "and, by `Accept`, OpenMetrics 1.0.0. This page is\nprinted from the "
         "table in `reconciler/metrics/table.h`; a test compares them.\n\n"
         "- Moments are `_timestamp_seconds`, 0 for \"never\" or \"none\"; an "
         "age is `time() - x`.\n"
         "- No label holds a tenant, an address or a commit. A label marked "
         "`*` holds names of your own; when a metric has its most\n  label "
         "sets, further values count as `other`, and "
         "`tenet_metrics_dropped_total` says so.\n"
         "- A device that leaves the intent takes its series along.\n\n"
         "Alert rules are in [prometheus/rules.yml](prometheus/rules.yml), a "
         "dashboard in [grafana/tenet.json](grafana/tenet.json).\n\n"
         "| metric | type | labels | most label sets | meaning |\n"
         "|---|---|---|---|---|");
    for (enum tn_metric i = 0; i < TN_METRICS; i++) {
        const struct tn_metric_row *row = tn_metric_row(i);
        struct tn_label_names names;
        tn_metric_labels(i, &names);
        printf("| `%s` | %s | ", row->name, tn_metric_type_name(row->type));
        for (size_t k = 0; k < names.n; k++) {
            printf("%s`%s`%s", k ? ", " : "", names.name[k],
                   names.open[k] ? "\\*" : "");
        }
        printf(" | %zu | %s |\n", row->cap, row->help);
    }
}

/* Something in every metric. */
static void
fill(struct tn_metrics *m, const char *value)
{
    for (enum tn_metric i = 0; i < TN_METRICS; i++) {
        const char *const labels[TN_METRIC_LABELS] = {value, value};
        if (tn_metric_row(i)->type == TN_HISTOGRAM) {
            tn_metric_observe(m, i, labels, 0.3);
            tn_metric_observe(m, i, labels, 1e6);
        } else {
            tn_metric_set(m, i, labels,
                          tn_metric_row(i)->type == TN_INFO ? 1 : 1.25);
        }
    }
}

static void
print_filled(enum tn_metrics_format format)
{
    struct tn_metrics *m = tn_metrics_new();
    struct tn_text out = {0};
    for (size_t i = 0; i < TN_ARRAY_SIZE(awkward); i++) {
        fill(m, awkward[i]);
    }
    tn_metrics_process(m);
    tn_metrics_print(m, format, &out);
    fputs(tn_text_str(&out), stdout);
    tn_text_done(&out);
    tn_metrics_free(m);
}

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void
bench(void)
{
    struct tn_metrics *m = tn_metrics_new();
    struct tn_text out = {0};
    char device[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(device, sizeof device, "hypervisor-%04d", i);
        fill(m, device);
    }
    double begin = seconds();
    tn_metrics_print(m, TN_METRICS_OPENMETRICS, &out);
    double print = seconds() - begin;
    begin = seconds();
    for (int i = 0; i < 1000000; i++) {
        tn_metric_add(m, TN_M_RECONCILES,
                      TN_LABELS("hypervisor-0400", "applied"), 1);
    }
    printf("print %.1f ms, %zu bytes; add %.0f ns; arena %zu bytes\n",
           print * 1e3, out.n, (seconds() - begin) * 1e3,
           tn_arena_size(m->arena));
    tn_text_done(&out);
    tn_metrics_free(m);
}

int
main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    if (strcmp(what, "docs") == 0) {
        print_docs();
    } else if (strcmp(what, "names") == 0) {
        print_names();
    } else if (strcmp(what, "text") == 0) {
        print_filled(TN_METRICS_TEXT);
    } else if (strcmp(what, "open") == 0) {
        print_filled(TN_METRICS_OPENMETRICS);
    } else if (strcmp(what, "bench") == 0) {
        bench();
    } else {
        fputs("usage: metrics_tool docs|names|text|open|bench\n", stderr);
        return 2;
    }
    return 0;
}
