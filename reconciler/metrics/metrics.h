/* metrics.h - numbers about the daemon, for Prometheus.
 *
 *     struct tn_metrics *m = tn_metrics_new();
 *     tn_metric_add(m, TN_M_RECONCILES, TN_LABELS("hv1", "applied"), 1);
 *     tn_metric_set(m, TN_M_QUEUE_LENGTH, NULL, 3);
 *     tn_metric_observe(m, TN_M_RECONCILE_DURATION, TN_LABELS("hv1"), 0.02);
 *     tn_metrics_print(m, TN_METRICS_TEXT, &out);
 *
 * What can be counted stands in table.h and nowhere else.  A metric without
 * labels is exposed from the start, with 0; one with labels once a label set
 * was named: name the expected ones at start by adding 0, since a rate over a
 * series that was born with 1 misses that 1.
 *
 * Each metric has a cap of label sets.  Beyond it the labels marked '*' in the
 * table become "other" (all labels, should that not be enough), and
 * tenet_metrics_dropped_total counts the update.  So memory and exposition are
 * bounded whatever the names of devices.
 *
 * All functions may be called by any thread; none blocks for longer than a
 * print takes.  A null 'm' is allowed everywhere and does nothing, so that
 * one-shot commands need no metrics. */
#ifndef TN_METRICS_METRICS_H
#define TN_METRICS_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/text.h"
#include "reconciler/metrics/table.h"

enum tn_metric {
#define TN_METRIC_ID(id, type, name, unit, labels, cap, buckets, help) id,
    TN_METRIC_TABLE(TN_METRIC_ID)
#undef TN_METRIC_ID
        TN_METRICS
};

/* Most labels of a metric; longest value that is kept, in bytes. */
enum { TN_METRIC_LABELS = 2, TN_METRIC_VALUE = 128 };

/* As many values as the metric has labels, in the table's order.  A null or
 * missing-by-empty value is exposed as "". */
#define TN_LABELS(...) ((const char *const[TN_METRIC_LABELS]){__VA_ARGS__})

struct tn_metrics;

/* New, owned by the caller. */
struct tn_metrics *tn_metrics_new(void) TN_RETURNS_NONNULL;
/* Accepts null. */
void tn_metrics_free(struct tn_metrics *m);

/* Adds to a counter or a gauge.  A counter never goes down: a negative 'value',
 * or one that is not a number, leaves it as it is. */
void tn_metric_add(struct tn_metrics *m, enum tn_metric metric,
                   const char *const *labels, double value);
/* Sets a gauge (or an info, to 1).  A counter is only set to something higher,
 * for totals that somebody else counts. */
void tn_metric_set(struct tn_metrics *m, enum tn_metric metric,
                   const char *const *labels, double value);
/* Counts 'value' into a histogram's buckets.  What is not a number is not
 * counted, what is negative counts as 0: a clock that jumped back. */
void tn_metric_observe(struct tn_metrics *m, enum tn_metric metric,
                       const char *const *labels, double value);
/* What a counter or a gauge holds, or how often a histogram was observed; 0 for
 * an unknown label set. */
double tn_metric_get(struct tn_metrics *m, enum tn_metric metric,
                     const char *const *labels);

/* Drops every series whose label 'label' is 'value': of a device that left the
 * intent, about which no alert shall fire for ever. */
void tn_metrics_forget(struct tn_metrics *m, const char *label,
                       const char *value);
/* Drops every series of one metric that has labels: before gauges of a changing
 * vocabulary are set anew. */
void tn_metric_clear(struct tn_metrics *m, enum tn_metric metric);

/* Reads CPU, memory and descriptors of the process into the process_ metrics.
 * What cannot be read keeps its value.  Call before printing. */
void tn_metrics_process(struct tn_metrics *m);

/* Prometheus text 0.0.4, or OpenMetrics 1.0.0. */
enum tn_metrics_format { TN_METRICS_TEXT, TN_METRICS_OPENMETRICS };

/* What the Accept header 'accept' (null if absent) asks for: OpenMetrics if its
 * weight is not lower than that of plain text, else text. */
enum tn_metrics_format tn_metrics_negotiate(const char *accept);
/* Static. */
const char *tn_metrics_content_type(enum tn_metrics_format format);
/* Appends the exposition: metrics in the table's order, their series in order
 * of labels. */
void tn_metrics_print(struct tn_metrics *m, enum tn_metrics_format format,
                      struct tn_text *out);

/* The table's row, for documentation and tests.  Static. */
enum tn_metric_type { TN_COUNTER, TN_GAUGE, TN_HISTOGRAM, TN_INFO };

struct tn_metric_row {
    const char *name, *unit, *labels, *help;
    enum tn_metric_type type;
    size_t cap;
    const double *bucket; /* Upper bounds without +Inf; null if none. */
    size_t n_buckets;
};

const struct tn_metric_row *
tn_metric_row(enum tn_metric metric) TN_RETURNS_NONNULL;
/* "counter", "gauge", "histogram", "info". */
const char *tn_metric_type_name(enum tn_metric_type type) TN_RETURNS_NONNULL;

static inline void
tn_cleanup_metrics(struct tn_metrics **m)
{
    tn_metrics_free(*m);
}

#endif
