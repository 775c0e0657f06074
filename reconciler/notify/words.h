/* words.h - text that other people's programs take: clean UTF-8, bounded,
 * labels in one order. */
#ifndef TN_NOTIFY_WORDS_H
#define TN_NOTIFY_WORDS_H

#include "reconciler/notify/alerts.h"

/* 's' with "?" for bytes that are no UTF-8, cut to at most 'max_chars'
 * characters and 'max_bytes' bytes (0: no limit); what was cut ends in "...".
 * New in 'arena'; null yields "". */
const char *tn_words_clean(struct tn_arena *arena, const char *s,
                           size_t max_chars, size_t max_bytes);

/* The labels of an alert, sorted, absent ones left out; 'common' yields to the
 * alert's own.  New in 'arena'. */
struct tn_label_set {
    const struct tn_label *items;
    size_t n;
};
struct tn_label_set tn_words_labels(struct tn_arena *arena,
                                    const struct tn_alert *alert,
                                    const struct tn_label_set *common);
/* Any labels in the same way: sorted, cleaned, the first of a name counts. */
struct tn_label_set tn_words_sort(struct tn_arena *arena,
                                  const struct tn_label *labels, size_t n);

/* {"a":"1","b":"2"} */
void tn_words_object(struct tn_text *out, const struct tn_label_set *set);
/* "a":"1" */
void tn_words_member(struct tn_text *out, const struct tn_label *label);

/* Summary, description, runbook_url and the alert's own annotations. */
struct tn_label_set tn_words_annotations(struct tn_arena *arena,
                                         const struct tn_alert *alert,
                                         const struct tn_label_set *labels,
                                         const char *runbooks);

/* "2026-11-21T01:54:43.123Z" of milliseconds since 1970. */
enum { TN_WORDS_TIME = 40 };
const char *tn_words_time(int64_t ms, char buf[TN_WORDS_TIME]);

#endif
