/* limit.h - how many requests a second: additive increase, multiplicative
 * decrease, and a hard bound.
 *
 * Pure: time is an argument (CLOCK_MONOTONIC, nanoseconds).  The bound holds
 * over every window of one second, whatever the adapted rate is.  It begins at
 * the bound, halves when the server says that it was too much, and rises by a
 * tenth of the bound a second. */
#ifndef TN_NSX_LIMIT_H
#define TN_NSX_LIMIT_H

#include <stddef.h>
#include <stdint.h>

enum { TN_NSX_LIMIT_MOST = 1000 };

struct tn_nsx_limit {
    unsigned most; /* The bound: requests a second. */
    double rate;   /* What we allow ourselves now. */
    int64_t next;  /* The earliest moment of the next request. */
    int64_t risen; /* When the rate last rose or fell. */
    int64_t fell;  /* When it last fell. */
    /* Ring: when requests were sent, as many as the bound. */
    int64_t recent[TN_NSX_LIMIT_MOST];
    size_t n_recent, head;
};

/* 'most' is cut to 1 ... TN_NSX_LIMIT_MOST. */
void tn_nsx_limit_init(struct tn_nsx_limit *l, unsigned most, int64_t now);
/* How long to wait before the next request; 0: it may go now, and counts as
 * sent. */
int64_t tn_nsx_limit_take(struct tn_nsx_limit *l, int64_t now);
/* The server said that it was too much, of a request sent at 'sent'.  What was
 * sent before the rate last fell says nothing new. */
void tn_nsx_limit_slower(struct tn_nsx_limit *l, int64_t sent, int64_t now);

#endif
