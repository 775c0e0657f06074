/* table.c - the rows of table.h as data.
 *
 * Two ladders of buckets serve all histograms: FAST for what a machine does in
 * microseconds to minutes, SLOW for what people wait for, up to a day.  The
 * ends matter more than the steps: a value beyond the last bound can no longer
 * be told from a much larger one. */
#include "reconciler/metrics/metrics.h"

#include <string.h>

#include "reconciler/metrics/registry.h"

static const double fast[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                              0.05,   0.1,   0.25,   0.5,   1,    2.5,
                              5,      10,    30,     60,    300};
static const double slow[] = {0.1, 0.25, 0.5, 1,   2.5,  5,     10,   30,
                              60,  120,  300, 900, 3600, 14400, 86400};

#define ROW_NONE NULL, 0
#define ROW_FAST fast, TN_ARRAY_SIZE(fast)
#define ROW_SLOW slow, TN_ARRAY_SIZE(slow)
#define ROW(id_, type_, name_, unit_, labels_, cap_, buckets_, help_)          \
    [id_] = {name_, unit_, labels_, help_, TN_##type_, cap_, ROW_##buckets_},

static const struct tn_metric_row rows[TN_METRICS] = {TN_METRIC_TABLE(ROW)};

const struct tn_metric_row *
tn_metric_row(enum tn_metric metric)
{
    return &rows[metric];
}

const char *
tn_metric_type_name(enum tn_metric_type type)
{
    switch (type) {
    case TN_COUNTER:
        return "counter";
    case TN_GAUGE:
        return "gauge";
    case TN_HISTOGRAM:
        return "histogram";
    case TN_INFO:
        return "info";
    }
    return "unknown";
}

void
tn_metric_labels(enum tn_metric metric, struct tn_label_names *out)
{
    const char *p = rows[metric].labels;
    *out = (struct tn_label_names){0};
    while (*p && out->n < TN_METRIC_LABELS) {
        size_t len = strcspn(p, " *");
        size_t keep = len < sizeof out->name[0] ? len : sizeof out->name[0] - 1;
        memcpy(out->name[out->n], p, keep);
        p += len;
        out->open[out->n++] = *p == '*';
        p += strspn(p, " *");
    }
}
