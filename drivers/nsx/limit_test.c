/* limit_test.c - the limiter against a clock that we turn. */
#include "drivers/nsx/limit.h"

#include <criterion/criterion.h>

#include "model/base/attr.h"

static const int64_t second = 1000000000;

enum { SENT_MAX = 40000 };

struct run {
    struct tn_nsx_limit l;
    int64_t now;
    int64_t sent[SENT_MAX];
    size_t n;
    uint64_t seed;
};

static uint64_t
random_below(struct run *r, uint64_t most)
{
    r->seed = r->seed * 6364136223846793005ull + 1442695040888963407ull;
    return (r->seed >> 33) % most;
}

/* Asks whenever it may; wakes up late by up to 'late' ns. */
static void
send_for(struct run *r, int64_t ns, int64_t late)
{
    int64_t end = r->now + ns;
    while (r->now < end) {
        int64_t wait = tn_nsx_limit_take(&r->l, r->now);
        cr_assert_geq(wait, 0);
        if (wait == 0) {
            cr_assert_lt(r->n, SENT_MAX);
            r->sent[r->n++] = r->now;
            continue;
        }
        r->now += wait;
        r->now += late ? (int64_t) random_below(r, (uint64_t) late) : 0;
    }
}

/* The most in any window of one second. */
static unsigned
densest(const struct run *r)
{
    unsigned most = 0;
    for (size_t i = 0, from = 0; i < r->n; i++) {
        while (r->sent[i] - r->sent[from] > second) {
            from++;
        }
        most = i - from + 1 > most ? (unsigned) (i - from + 1) : most;
    }
    return most;
}

static const unsigned bounds[] = {1, 2, 3, 10, 37, 100, 250, 256, 1000};
static const int64_t lates[] = {0, 1000, 3000000, 40000000};

Test(nsx_limit, the_bound_holds_and_is_used)
{
    static struct run r;
    for (size_t i = 0; i < TN_ARRAY_SIZE(bounds); i++) {
        for (size_t j = 0; j < TN_ARRAY_SIZE(lates); j++) {
            r = (struct run){.now = 5 * second, .seed = i * 7 + j};
            tn_nsx_limit_init(&r.l, bounds[i], r.now);
            send_for(&r, 20 * second, lates[j]);
            cr_expect_leq(densest(&r), bounds[i], "%u: %u", bounds[i],
                          densest(&r));
            cr_expect_geq(r.n, 16 * bounds[i], "%u, late %lld: %zu", bounds[i],
                          (long long) lates[j], r.n);
        }
    }
}

Test(nsx_limit, a_pause_is_not_saved_up)
{
    static struct run r;
    r = (struct run){.now = second};
    tn_nsx_limit_init(&r.l, 100, r.now);
    send_for(&r, second, 0);
    r.now += 60 * second;
    size_t before = r.n;
    send_for(&r, second / 10, 0);
    cr_expect_leq(r.n - before, 21);
    send_for(&r, 5 * second, 0);
    cr_expect_leq(densest(&r), 100);
}

Test(nsx_limit, it_halves_once_for_what_was_sent_before)
{
    struct tn_nsx_limit l;
    tn_nsx_limit_init(&l, 100, 0);
    tn_nsx_limit_slower(&l, 0, 1000);
    cr_expect_float_eq(l.rate, 50, 0.1);
    for (int i = 0; i < 8; i++) {
        tn_nsx_limit_slower(&l, 500, 2000 + i); /* Sent before it fell. */
    }
    cr_expect_float_eq(l.rate, 50, 0.1);
    tn_nsx_limit_slower(&l, 5000, 6000);
    cr_expect_float_eq(l.rate, 25, 0.1);
    cr_expect_gt(tn_nsx_limit_take(&l, 6000), 0, "not at once");
    for (int i = 0; i < 50; i++) {
        tn_nsx_limit_slower(&l, 10000 + i, 10000 + i);
    }
    cr_expect_float_eq(l.rate, 1, 0.01, "never below one a second");
}

Test(nsx_limit, it_recovers)
{
    static struct run r;
    r = (struct run){.now = second};
    tn_nsx_limit_init(&r.l, 100, r.now);
    send_for(&r, second, 0);
    tn_nsx_limit_slower(&r.l, r.now, r.now);
    size_t before = r.n;
    send_for(&r, second, 0);
    cr_expect_leq(r.n - before, 52, "%zu", r.n - before);
    send_for(&r, 5 * second, 0);
    before = r.n;
    send_for(&r, second, 0);
    cr_expect_geq(r.n - before, 95, "%zu", r.n - before);
    cr_expect_leq(densest(&r), 100);
}

/* A server that lets 60 through in a second, and says so. */
Test(nsx_limit, it_finds_a_lower_limit_of_the_server)
{
    static struct run r;
    r = (struct run){.now = second};
    tn_nsx_limit_init(&r.l, 200, r.now);
    size_t passed = 0, refused = 0;
    int64_t end = r.now + 60 * second, window = r.now;
    unsigned in_window = 0;
    while (r.now < end) {
        int64_t wait = tn_nsx_limit_take(&r.l, r.now);
        if (wait > 0) {
            r.now += wait;
            continue;
        }
        if (r.now - window >= second) {
            window = r.now;
            in_window = 0;
        }
        if (++in_window > 60) {
            refused++;
            tn_nsx_limit_slower(&r.l, r.now, r.now);
        } else {
            passed++;
        }
    }
    cr_expect_geq(passed, 60 * 60 / 2, "%zu passed", passed);
    cr_expect_leq(refused, passed / 10, "%zu of %zu refused", refused, passed);
}
