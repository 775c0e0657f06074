/* print.c - the registry as text: Prometheus 0.0.4 and OpenMetrics 1.0.0.
 *
 * The two differ in small things that strict readers insist on: OpenMetrics
 * names a counter's family without _total and an info's without _info, states
 * the unit, writes the bounds of buckets as floats ("1.0") and ends with
 * "# EOF".  https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * the OpenMetrics specification are the references. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reconciler/metrics/metrics.h"
#include "reconciler/metrics/registry.h"

struct printer {
    enum tn_metrics_format format;
    const struct tn_metric_row *row;
    struct tn_label_names names;
    struct tn_text *out;
};

/* The shortest text that reads back as 'v'. */
static void
add_number(struct printer *p, double v)
{
    if (isnan(v)) {
        tn_text_add(p->out, "NaN");
    } else if (isinf(v)) {
        tn_text_add(p->out, v > 0 ? "+Inf" : "-Inf");
    } else if (fabs(v) < 1e15 && v == floor(v)) {
        tn_text_addf(p->out, "%.0f", v);
    } else {
        char buf[40];
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(buf, sizeof buf, "%.*g", digits, v);
            if (strtod(buf, NULL) == v) {
                break;
            }
        }
        tn_text_add(p->out, buf);
    }
}

static void
add_escaped(struct tn_text *out, const char *s, bool quotes)
{
    for (; *s; s++) {
        if (*s == '\n') {
            tn_text_add(out, "\\n");
        } else if (*s == '\\' || (*s == '"' && quotes)) {
            tn_text_addc(out, '\\');
            tn_text_addc(out, *s);
        } else {
            tn_text_addc(out, *s);
        }
    }
}

/* {a="x",le="0.5"} or nothing. */
static void
add_labels(struct printer *p, const struct tn_series *s, const char *le)
{
    char separator = '{';
    for (size_t i = 0; i < p->names.n; i++) {
        tn_text_addc(p->out, separator);
        tn_text_addf(p->out, "%s=\"", p->names.name[i]);
        add_escaped(p->out, s->label[i], true);
        tn_text_addc(p->out, '"');
        separator = ',';
    }
    if (le) {
        tn_text_addf(p->out, "%cle=\"%s\"", separator, le);
        separator = ',';
    }
    if (separator == ',') {
        tn_text_addc(p->out, '}');
    }
}

static void
add_bound(char *buf, size_t size, double bound, enum tn_metrics_format format)
{
    snprintf(buf, size, "%.15g", bound);
    if (format == TN_METRICS_OPENMETRICS && !strpbrk(buf, ".e")) {
        size_t n = strlen(buf);
        snprintf(buf + n, size - n, ".0");
    }
}

static void
print_histogram(struct printer *p, const struct tn_series *s)
{
    uint64_t below = 0;
    for (size_t i = 0; i <= p->row->n_buckets; i++) {
        char le[40] = "+Inf";
        below += s->bucket[i];
        if (i < p->row->n_buckets) {
            add_bound(le, sizeof le, p->row->bucket[i], p->format);
        }
        tn_text_addf(p->out, "%s_bucket", p->row->name);
        add_labels(p, s, le);
        tn_text_addf(p->out, " %" PRIu64 "\n", below);
    }
    tn_text_addf(p->out, "%s_sum", p->row->name);
    add_labels(p, s, NULL);
    tn_text_addc(p->out, ' ');
    add_number(p, s->value);
    tn_text_addf(p->out, "\n%s_count", p->row->name);
    add_labels(p, s, NULL);
    tn_text_addf(p->out, " %" PRIu64 "\n", s->count);
}

/* HELP, TYPE and UNIT, in the order that both formats allow. */
static void
print_head(struct printer *p)
{
    bool open = p->format == TN_METRICS_OPENMETRICS;
    int n = (int) strlen(p->row->name);
    const char *type = tn_metric_type_name(p->row->type);
    if (open && p->row->type == TN_COUNTER) {
        n -= (int) strlen("_total");
    } else if (open && p->row->type == TN_INFO) {
        n -= (int) strlen("_info");
    } else if (p->row->type == TN_INFO) {
        type = tn_metric_type_name(TN_GAUGE);
    }
    tn_text_addf(p->out, "# HELP %.*s ", n, p->row->name);
    add_escaped(p->out, p->row->help, open);
    tn_text_addf(p->out, "\n# TYPE %.*s %s\n", n, p->row->name, type);
    if (open && p->row->unit[0]) {
        tn_text_addf(p->out, "# UNIT %.*s %s\n", n, p->row->name, p->row->unit);
    }
}

static void
print_metric(struct printer *p, const struct tn_metric_state *state)
{
    print_head(p);
    for (size_t i = 0; i < state->n; i++) {
        const struct tn_series *s = state->series[i];
        if (p->row->type == TN_HISTOGRAM) {
            print_histogram(p, s);
            continue;
        }
        tn_text_add(p->out, p->row->name);
        add_labels(p, s, NULL);
        tn_text_addc(p->out, ' ');
        add_number(p, s->value);
        tn_text_addc(p->out, '\n');
    }
}

/* The weight of one element of an Accept header, "type;a=b;q=0.5", in
 * thousandths; 1000 if it has none. */
static int
weight(const char *element, size_t n)
{
    for (size_t i = 0; i + 2 < n; i++) {
        if (element[i] != ';') {
            continue;
        }
        size_t k = i + 1;
        while (k < n && isspace((unsigned char) element[k])) {
            k++;
        }
        if (k + 1 < n && tolower((unsigned char) element[k]) == 'q' &&
            element[k + 1] == '=') {
            double q = strtod(element + k + 2, NULL);
            return q > 0 && q <= 1 ? (int) (q * 1000 + 0.5) : 0;
        }
    }
    return 1000;
}

static bool
is_type(const char *element, size_t n, const char *type)
{
    size_t len = strlen(type);
    return n >= len && strncasecmp(element, type, len) == 0 &&
           (n == len || element[len] == ';' || element[len] == ' ' ||
            element[len] == '\t');
}

enum tn_metrics_format
tn_metrics_negotiate(const char *accept)
{
    int open = 0, text = -1, any = -1;
    for (const char *p = accept ? accept : ""; *p;) {
        p += strspn(p, " \t,");
        size_t n = strcspn(p, ",");
        if (is_type(p, n, "application/openmetrics-text")) {
            int w = weight(p, n);
            open = w > open ? w : open;
        } else if (is_type(p, n, "text/plain")) {
            int w = weight(p, n);
            text = w > text ? w : text;
        } else if (is_type(p, n, "*/*") || is_type(p, n, "text/*")) {
            int w = weight(p, n);
            any = w > any ? w : any;
        }
        p += n;
    }
    text = text >= 0 ? text : any;
    return open > 0 && open >= text ? TN_METRICS_OPENMETRICS : TN_METRICS_TEXT;
}

const char *
tn_metrics_content_type(enum tn_metrics_format format)
{
    switch (format) {
    case TN_METRICS_TEXT:
        return "text/plain; version=0.0.4; charset=utf-8";
    case TN_METRICS_OPENMETRICS:
        return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    }
    return "text/plain";
}

void
tn_metrics_print(struct tn_metrics *m, enum tn_metrics_format format,
                 struct tn_text *out)
{
    if (m) {
        pthread_mutex_lock(&m->lock);
        for (enum tn_metric i = 0; i < TN_METRICS; i++) {
            struct printer p = {
                .format = format, .row = tn_metric_row(i), .out = out};
            tn_metric_labels(i, &p.names);
            if (m->metric[i].n > 0) {
                print_metric(&p, &m->metric[i]);
            }
        }
        pthread_mutex_unlock(&m->lock);
    }
    if (format == TN_METRICS_OPENMETRICS) {
        tn_text_add(out, "# EOF\n");
    }
}
