/* status_bench.h - a repository with one commit, and its status ref: for tests.
 *
 *     TestSuite(x, .init = tn_status_bench_setup,
 *               .fini = tn_status_bench_teardown);
 *
 * One a process: Criterion runs each test in one of its own. */
#ifndef TN_STATUS_STATUS_BENCH_H
#define TN_STATUS_STATUS_BENCH_H

#include "reconciler/source/sandbox.h"
#include "reconciler/status/status.h"

struct tn_status_bench {
    struct tn_sandbox box;
    struct tn_arena *arena;
    const char *repo; /* "r" in the sandbox. */
};

void tn_status_bench_setup(void);
void tn_status_bench_teardown(void);
/* Of this test. */
struct tn_status_bench *tn_status_bench(void);

/* Reads and writes the ref of every name's default; what goes wrong fails the
 * test. */
const struct tn_status *tn_status_bench_load(void);
struct tn_status_result
tn_status_bench_commit(const struct tn_status_update *update);

#endif
