/* registry.h - the inside of the registry, for the files of this folder. */
#ifndef TN_METRICS_REGISTRY_H
#define TN_METRICS_REGISTRY_H

#include <pthread.h>
#include <stdint.h>

#include "reconciler/metrics/metrics.h"

/* One label set with its numbers. */
struct tn_series {
    char label[TN_METRIC_LABELS][TN_METRIC_VALUE + 1];
    double value; /* Of a histogram: the sum. */
    uint64_t count;
    uint64_t *bucket; /* Not cumulative; the last is +Inf. */
    struct tn_series *next_free;
};

struct tn_metric_state {
    struct tn_series **series; /* Sorted by labels. */
    size_t n, cap;
    struct tn_series *free; /* Forgotten ones, for reuse. */
};

/* All series live in 'arena' and are reused, so that its size is bounded by
 * the caps of the table. */
struct tn_metrics {
    pthread_mutex_t lock;
    struct tn_arena *arena;
    struct tn_metric_state metric[TN_METRICS];
};

/* The labels of a row, taken apart. */
struct tn_label_names {
    size_t n;
    bool open[TN_METRIC_LABELS]; /* Marked '*'. */
    char name[TN_METRIC_LABELS][32];
};

void tn_metric_labels(enum tn_metric metric, struct tn_label_names *out);

#endif
