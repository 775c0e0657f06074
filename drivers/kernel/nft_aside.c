/* nft_aside.c - sockets of nftables that are closed later.
 *
 * A transaction that deletes something, anybody's, is visible at once, but what
 * was deleted is freed after a grace period of the kernel, 5 to 20 ms later;
 * and closing any socket of nftables in that namespace waits for it.  A repair
 * would spend most of its time on that: it reads what is left after somebody's
 * deletion, and deletes itself.  So sockets that such a wait threatens are put
 * aside, some at a time, and closed when the session looks at rules that are as
 * they should be. */
#include "drivers/kernel/nft_kernel.h"
#include "model/base/time.h"

enum { GRACE_NS = 20 * 1000 * 1000 };

void
tn_nft_aside_put(struct tn_nft_aside *aside, void *what, tn_nft_close_fn *close)
{
    bool kept = false;
    if (!what) {
        return;
    }
    if (aside) {
        pthread_mutex_lock(&aside->lock);
        kept = aside->n < TN_NFT_ASIDE;
        if (kept) {
            aside->items[aside->n++] =
                (struct tn_nft_later){what, close, tn_now_ns()};
        }
        pthread_mutex_unlock(&aside->lock);
    }
    if (!kept) {
        close(what);
    }
}

/* Those put aside before 'time_ns'; true if there are no others. */
static bool
close_older(struct tn_nft_aside *aside, int64_t time_ns)
{
    struct tn_nft_later old[TN_NFT_ASIDE];
    size_t n_old = 0, kept = 0;
    pthread_mutex_lock(&aside->lock);
    for (size_t i = 0; i < aside->n; i++) {
        if (aside->items[i].since_ns < time_ns) {
            old[n_old++] = aside->items[i];
        } else {
            aside->items[kept++] = aside->items[i];
        }
    }
    aside->n = kept;
    pthread_mutex_unlock(&aside->lock);
    for (size_t i = 0; i < n_old; i++) {
        old[i].close(old[i].what);
    }
    return kept == 0;
}

bool
tn_nft_aside_calm(struct tn_nft_aside *aside)
{
    return close_older(aside, tn_now_ns() - GRACE_NS);
}

void
tn_nft_aside_close(struct tn_nft_aside *aside)
{
    (void) close_older(aside, INT64_MAX);
}
