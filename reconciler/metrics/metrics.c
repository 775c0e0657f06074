/* metrics.c - the registry: label sets found, made, capped and forgotten.
 *
 * The series of a metric are a sorted array, so that looking one up is a binary
 * search and printing needs no sorting.  One mutex guards everything: an update
 * holds it for well under a microsecond, and atomics would still need a lock
 * for the label sets.  What a series looks like on the wire is print.c's. */
#include "reconciler/metrics/metrics.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "reconciler/metrics/registry.h"

/* The label values asked for, cut to size and made valid UTF-8. */
struct key {
    char label[TN_METRIC_LABELS][TN_METRIC_VALUE + 1];
};

static const char other[] = "other";

/* Label sets that "other" may add to a full metric, one more for all-other. */
enum { OTHERS = 32 };

/* Bytes that cannot stand become '?'; a cut never splits a character. */
static void
key_set(char out[TN_METRIC_VALUE + 1], const char *value)
{
    size_t n = strnlen(value, TN_METRIC_VALUE + 1);
    if (n > TN_METRIC_VALUE) {
        n = TN_METRIC_VALUE;
        while (n > 0 && ((unsigned char) value[n] & 0xc0) == 0x80) {
            n--;
        }
    }
    memcpy(out, value, n);
    out[n] = '\0';
    if (tn_is_utf8(out, n)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char) out[i] >= 0x80) {
            out[i] = '?';
        }
    }
}

static void
key_make(const struct tn_label_names *names, const char *const *labels,
         struct key *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < names->n; i++) {
        key_set(out->label[i], labels && labels[i] ? labels[i] : "");
    }
}

static int
key_compare(const struct key *key, const struct tn_series *series)
{
    for (size_t i = 0; i < TN_METRIC_LABELS; i++) {
        int c = strcmp(key->label[i], series->label[i]);
        if (c != 0) {
            return c;
        }
    }
    return 0;
}

/* Where 'key' is, or would be. */
static size_t
position(const struct tn_metric_state *state, const struct key *key,
         bool *found)
{
    size_t low = 0, high = state->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = key_compare(key, state->series[mid]);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    *found = false;
    return low;
}

static struct tn_series *
series_new(struct tn_metrics *m, enum tn_metric metric)
{
    struct tn_metric_state *state = &m->metric[metric];
    size_t n_buckets = tn_metric_row(metric)->n_buckets;
    struct tn_series *series = state->free;
    uint64_t *bucket;
    if (series) {
        state->free = series->next_free;
        bucket = series->bucket;
        if (bucket) {
            memset(bucket, 0, (n_buckets + 1) * sizeof *bucket);
        }
    } else {
        series = tn_new(m->arena, struct tn_series);
        bucket = n_buckets ? tn_new_n(m->arena, uint64_t, n_buckets + 1) : NULL;
    }
    *series = (struct tn_series){.bucket = bucket};
    return series;
}

static struct tn_series *
insert(struct tn_metrics *m, enum tn_metric metric, size_t at,
       const struct key *key)
{
    struct tn_metric_state *state = &m->metric[metric];
    if (state->n == state->cap) {
        state->series = tn_vec_grow(m->arena, state->series, &state->cap,
                                    sizeof(struct tn_series *));
    }
    struct tn_series *series = series_new(m, metric);
    memcpy(series->label, key->label, sizeof series->label);
    memmove(&state->series[at + 1], &state->series[at],
            (state->n - at) * sizeof *state->series);
    state->series[at] = series;
    state->n++;
    return series;
}

/* The series of 'key'; made if it is missing and fewer than 'cap' are there,
 * else null. */
static struct tn_series *
find(struct tn_metrics *m, enum tn_metric metric, const struct key *key,
     size_t cap)
{
    bool found = false;
    size_t at = position(&m->metric[metric], key, &found);
    if (found) {
        return m->metric[metric].series[at];
    }
    return m->metric[metric].n < cap ? insert(m, metric, at, key) : NULL;
}

static struct tn_series *
find_other(struct tn_metrics *m, enum tn_metric metric,
           const struct tn_label_names *names, struct key *key)
{
    size_t cap = tn_metric_row(metric)->cap;
    bool open = false;
    for (size_t i = 0; i < names->n; i++) {
        if (names->open[i]) {
            key_set(key->label[i], other);
            open = true;
        }
    }
    struct tn_series *series = open ? find(m, metric, key, cap + OTHERS) : NULL;
    for (size_t i = 0; !series && i < names->n; i++) {
        key_set(key->label[i], other);
    }
    return series ? series : find(m, metric, key, cap + OTHERS + 1);
}

/* The series to update; never null. */
static struct tn_series *
series_of(struct tn_metrics *m, enum tn_metric metric,
          const char *const *labels)
{
    struct tn_label_names names;
    struct key key;
    tn_metric_labels(metric, &names);
    key_make(&names, labels, &key);
    struct tn_series *series =
        find(m, metric, &key, tn_metric_row(metric)->cap);
    if (series) {
        return series;
    }
    series = find_other(m, metric, &names, &key);
    if (metric != TN_M_DROPPED) {
        series_of(m, TN_M_DROPPED,
                  (const char *const[]){tn_metric_row(metric)->name, NULL})
            ->value += 1;
    }
    return series;
}

static void
release(struct tn_metric_state *state, size_t at)
{
    struct tn_series *series = state->series[at];
    series->next_free = state->free;
    state->free = series;
    memmove(&state->series[at], &state->series[at + 1],
            (state->n - at - 1) * sizeof *state->series);
    state->n--;
}

struct tn_metrics *
tn_metrics_new(void)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_metrics *m = tn_new(arena, struct tn_metrics);
    m->arena = arena;
    pthread_mutex_init(&m->lock, NULL);
    for (enum tn_metric i = 0; i < TN_METRICS; i++) {
        if (tn_metric_row(i)->labels[0] == '\0') {
            series_of(m, i, NULL);
        }
    }
    return m;
}

void
tn_metrics_free(struct tn_metrics *m)
{
    if (m) {
        pthread_mutex_destroy(&m->lock);
        tn_arena_free(m->arena);
    }
}

void
tn_metric_add(struct tn_metrics *m, enum tn_metric metric,
              const char *const *labels, double value)
{
    assert(metric < TN_METRICS && tn_metric_row(metric)->type != TN_HISTOGRAM);
    if (!m) {
        return;
    }
    pthread_mutex_lock(&m->lock);
    struct tn_series *series = series_of(m, metric, labels);
    if (tn_metric_row(metric)->type == TN_GAUGE || value > 0) {
        series->value += value;
    }
    pthread_mutex_unlock(&m->lock);
}

void
tn_metric_set(struct tn_metrics *m, enum tn_metric metric,
              const char *const *labels, double value)
{
    assert(metric < TN_METRICS && tn_metric_row(metric)->type != TN_HISTOGRAM);
    if (!m) {
        return;
    }
    pthread_mutex_lock(&m->lock);
    struct tn_series *series = series_of(m, metric, labels);
    if (tn_metric_row(metric)->type != TN_COUNTER || value > series->value) {
        series->value = value;
    }
    pthread_mutex_unlock(&m->lock);
}

void
tn_metric_observe(struct tn_metrics *m, enum tn_metric metric,
                  const char *const *labels, double value)
{
    assert(metric < TN_METRICS && tn_metric_row(metric)->type == TN_HISTOGRAM);
    if (!m || isnan(value)) {
        return;
    }
    value = value > 0 ? value : 0;
    const struct tn_metric_row *row = tn_metric_row(metric);
    size_t i = 0;
    while (i < row->n_buckets && value > row->bucket[i]) {
        i++;
    }
    pthread_mutex_lock(&m->lock);
    struct tn_series *series = series_of(m, metric, labels);
    series->bucket[i]++;
    series->count++;
    series->value += value;
    pthread_mutex_unlock(&m->lock);
}

double
tn_metric_get(struct tn_metrics *m, enum tn_metric metric,
              const char *const *labels)
{
    assert(metric < TN_METRICS);
    if (!m) {
        return 0;
    }
    struct tn_label_names names;
    struct key key;
    tn_metric_labels(metric, &names);
    key_make(&names, labels, &key);
    pthread_mutex_lock(&m->lock);
    const struct tn_series *series = find(m, metric, &key, 0);
    double value = 0;
    if (series) {
        value = tn_metric_row(metric)->type == TN_HISTOGRAM
                    ? (double) series->count
                    : series->value;
    }
    pthread_mutex_unlock(&m->lock);
    return value;
}

void
tn_metrics_forget(struct tn_metrics *m, const char *label, const char *value)
{
    if (!m) {
        return;
    }
    char wanted[TN_METRIC_VALUE + 1];
    key_set(wanted, value);
    pthread_mutex_lock(&m->lock);
    for (enum tn_metric i = 0; i < TN_METRICS; i++) {
        struct tn_label_names names;
        tn_metric_labels(i, &names);
        for (size_t k = 0; k < names.n; k++) {
            if (strcmp(names.name[k], label) != 0) {
                continue;
            }
            for (size_t s = m->metric[i].n; s-- > 0;) {
                if (strcmp(m->metric[i].series[s]->label[k], wanted) == 0) {
                    release(&m->metric[i], s);
                }
            }
        }
    }
    pthread_mutex_unlock(&m->lock);
}

void
tn_metric_clear(struct tn_metrics *m, enum tn_metric metric)
{
    assert(metric < TN_METRICS);
    if (!m || tn_metric_row(metric)->labels[0] == '\0') {
        return;
    }
    pthread_mutex_lock(&m->lock);
    while (m->metric[metric].n > 0) {
        release(&m->metric[metric], m->metric[metric].n - 1);
    }
    pthread_mutex_unlock(&m->lock);
}
