/* words.c - labels, annotations and times as Alertmanager reads them.
 *
 * One order and one spelling, because the text of the labels is what the
 * fingerprint is made of. */
#include "reconciler/notify/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Length of the UTF-8 character at 's', 0 if there is none. */
static size_t
char_length(const char *s, size_t left)
{
    for (size_t n = 1; n <= 4 && n <= left; n++) {
        if (tn_is_utf8(s, n)) {
            return n;
        }
    }
    return 0;
}

const char *
tn_words_clean(struct tn_arena *arena, const char *s, size_t max_chars,
               size_t max_bytes)
{
    size_t n = s ? strlen(s) : 0, used = 0, chars = 0, keep = 0;
    char *out = tn_arena_alloc(arena, n + 4);
    max_chars = max_chars ? max_chars : SIZE_MAX;
    max_bytes = max_bytes ? max_bytes : SIZE_MAX;
    for (size_t i = 0; i < n; chars++) {
        size_t len = char_length(s + i, n - i), step = len ? len : 1;
        if (chars == max_chars || used + step > max_bytes) {
            memcpy(out + keep, "...", 4);
            return out;
        }
        if (len) {
            memcpy(out + used, s + i, len);
        } else {
            out[used] = '?';
        }
        i += step;
        used += step;
        /* As far as fits with three dots behind it. */
        if (chars + 4 <= max_chars && used + 3 <= max_bytes) {
            keep = used;
        }
    }
    out[used] = '\0';
    return out;
}

static bool
is_label_name(const char *s)
{
    if (!s || !*s || isdigit((unsigned char) *s)) {
        return false;
    }
    for (; *s; s++) {
        if ((unsigned char) *s >= 0x80 ||
            (!isalnum((unsigned char) *s) && *s != '_')) {
            return false;
        }
    }
    return true;
}

static int
by_name(const void *a, const void *b)
{
    const struct tn_label *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static bool
has_name(const struct tn_label *labels, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(labels[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Adds 'from' to the 'n' labels of 'to', of which the first of a name counts.
 * Returns how many there are now. */
static size_t
add_labels(struct tn_arena *arena, struct tn_label *to, size_t n,
           const struct tn_label *from, size_t n_from, size_t max_bytes)
{
    for (size_t i = 0; i < n_from && n < TN_ALERT_LABELS_MAX; i++) {
        if (is_label_name(from[i].name) && from[i].value && *from[i].value &&
            !has_name(to, n, from[i].name)) {
            to[n++] = (struct tn_label){
                tn_arena_strdup(arena, from[i].name),
                tn_words_clean(arena, from[i].value, 0, max_bytes)};
        }
    }
    return n;
}

static struct tn_label_set
sorted(struct tn_label *labels, size_t n)
{
    if (n > 1) {
        qsort(labels, n, sizeof *labels, by_name);
    }
    return (struct tn_label_set){labels, n};
}

struct tn_label_set
tn_words_sort(struct tn_arena *arena, const struct tn_label *labels, size_t n)
{
    struct tn_label *to = tn_new_n(arena, struct tn_label, TN_ALERT_LABELS_MAX);
    return sorted(to, add_labels(arena, to, 0, labels, n, TN_ALERT_VALUE_MAX));
}

struct tn_label_set
tn_words_labels(struct tn_arena *arena, const struct tn_alert *alert,
                const struct tn_label_set *common)
{
    const struct tn_alert_row *row = tn_alert_row(alert->name);
    const struct tn_label own[] = {
        {"alertname", row->name},
        {"severity", tn_alert_severity_name(alert->severity ? alert->severity
                                                            : row->severity)},
        {"device", alert->device},
        {"tenant", alert->tenant},
        {"vpc", alert->vpc},
    };
    struct tn_label *to = tn_new_n(arena, struct tn_label, TN_ALERT_LABELS_MAX);
    size_t n =
        add_labels(arena, to, 0, own, TN_ARRAY_SIZE(own), TN_ALERT_VALUE_MAX);
    n = add_labels(arena, to, n, alert->labels, alert->n_labels,
                   TN_ALERT_VALUE_MAX);
    n = add_labels(arena, to, n, common->items, common->n, TN_ALERT_VALUE_MAX);
    return sorted(to, n);
}

void
tn_words_member(struct tn_text *out, const struct tn_label *label)
{
    tn_text_addf(out, "\"%s\":\"", label->name);
    tn_text_add_escaped(out, label->value);
    tn_text_addc(out, '"');
}

void
tn_words_object(struct tn_text *out, const struct tn_label_set *set)
{
    tn_text_addc(out, '{');
    for (size_t i = 0; i < set->n; i++) {
        if (i) {
            tn_text_addc(out, ',');
        }
        tn_words_member(out, &set->items[i]);
    }
    tn_text_addc(out, '}');
}

static const char *
value_of(const struct tn_label_set *set, const char *name, size_t n)
{
    for (size_t i = 0; i < set->n; i++) {
        if (strncmp(set->items[i].name, name, n) == 0 &&
            !set->items[i].name[n]) {
            return set->items[i].value;
        }
    }
    return NULL;
}

/* Expands [s, end) into 'out'; false if a label in it is absent. */
static bool
expand(struct tn_text *out, const char *s, const char *end,
       const struct tn_label_set *labels)
{
    bool whole = true;
    while (s < end) {
        const char *close = *s == '{'   ? memchr(s, '}', (size_t) (end - s))
                            : *s == '[' ? memchr(s, ']', (size_t) (end - s))
                                        : NULL;
        if (!close) {
            tn_text_addc(out, *s++);
        } else if (*s == '{') {
            const char *v = value_of(labels, s + 1, (size_t) (close - s - 1));
            tn_text_add(out, v ? v : "");
            whole = whole && v;
            s = close + 1;
        } else {
            TN_CLEANUP(tn_cleanup_text) struct tn_text part = {0};
            if (expand(&part, s + 1, close, labels)) {
                tn_text_addn(out, tn_text_str(&part), part.n);
            }
            s = close + 1;
        }
    }
    return whole;
}

static const char *
summary(struct tn_arena *arena, const struct tn_alert_row *row,
        const struct tn_label_set *labels)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    expand(&text, row->summary, row->summary + strlen(row->summary), labels);
    if (text.n) {
        text.s[0] = (char) (text.s[0] >= 'a' && text.s[0] <= 'z' &&
                                    row->summary[0] == '['
                                ? text.s[0] - 'a' + 'A'
                                : text.s[0]);
    }
    return tn_arena_strdup(arena, tn_text_str(&text));
}

static const char *
runbook(struct tn_arena *arena, const struct tn_alert_row *row,
        const char *runbooks)
{
    if (!runbooks || !*runbooks) {
        return NULL;
    }
    char *url = tn_arena_printf(arena, "%s#%s", runbooks, row->name);
    for (char *p = strrchr(url, '#'); *p; p++) {
        *p = (char) tolower((unsigned char) *p);
    }
    return url;
}

struct tn_label_set
tn_words_annotations(struct tn_arena *arena, const struct tn_alert *alert,
                     const struct tn_label_set *labels, const char *runbooks)
{
    const struct tn_alert_row *row = tn_alert_row(alert->name);
    const struct tn_label own[] = {
        {"summary", summary(arena, row, labels)},
        {"description", alert->description},
        {"runbook_url", runbook(arena, row, runbooks)},
    };
    struct tn_label *to = tn_new_n(arena, struct tn_label, TN_ALERT_LABELS_MAX);
    size_t n =
        add_labels(arena, to, 0, own, TN_ARRAY_SIZE(own), TN_ALERT_VALUE_MAX);
    n = add_labels(arena, to, n, alert->annotations, alert->n_annotations,
                   TN_ALERT_VALUE_MAX);
    return sorted(to, n);
}

const char *
tn_words_time(int64_t ms, char buf[TN_WORDS_TIME])
{
    /* The years that RFC 3339 can write. */
    const int64_t last = INT64_C(253402300799999);
    ms = ms < 0 ? 0 : ms > last ? last : ms;
    time_t s = (time_t) (ms / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    char date[24];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(buf, TN_WORDS_TIME, "%s.%03dZ", date, (int) (ms % 1000));
    return buf;
}
