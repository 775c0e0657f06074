/* unit_bench.h - a repository, two devices in files, and workers that tell what
 * they did: for tests of workers.
 *
 *     TestSuite(x, .init = tn_bench_setup, .fini = tn_bench_teardown);
 *
 * One bench a process: Criterion runs each test in one of its own.  Names of
 * files are below the directory of the bench: the repository is 'repo', the
 * devices are 'hv1.json' and 'hv2.json'.  What goes wrong fails the test. */
#ifndef TN_DAEMON_UNIT_BENCH_H
#define TN_DAEMON_UNIT_BENCH_H

#include <jansson.h>

#include "reconciler/daemon/unit.h"

enum { TN_BENCH_SOON_MS = 8000 }; /* In which something is reported. */

/* A report of a worker. */
struct tn_bench_seen {
    enum tn_unit_outcome outcome;
    bool settled, flapping, drift_left, full, unlooked, blocked_news;
    size_t n_changes, drift, n_foreign;
    char why[256], reason[32], commit[65], device[32], strangers[96];
};

void tn_bench_setup(void);
void tn_bench_teardown(void);

/* Runs a line of shell in the directory. */
void tn_bench_sh(const char *fmt, ...) TN_PRINTF(1, 2);

/* Documents: VPC acme/'name' with prefix 10.'net'.0.0/16 and a port on either
 * host, or on one only and with more documents behind it; variables of a host;
 * 'spec' of tenet.yml.  Nothing counts before it is committed. */
void tn_bench_vpc(const char *name, unsigned net);
void tn_bench_vpc_on(const char *name, unsigned net, int host,
                     const char *rest);
void tn_bench_host(const char *name, const char *vars);
void tn_bench_settings(const char *more);
void tn_bench_commit(void);

/* What the repository says now; the caller has a reference. */
struct tn_intent *tn_bench_intent(void);

/* A worker, which looks at its device at once, or not before 'begin_ms'. */
struct tn_unit *tn_bench_unit(const char *device);
struct tn_unit *tn_bench_unit_at(const char *device, int64_t begin_ms);
void tn_bench_stop(struct tn_unit *u);

/* Modes: all is healed; or one rule. */
struct tn_modes *tn_bench_heal(void);
struct tn_modes *tn_bench_mode(enum tn_mode_target target, const char *name,
                               enum tn_mode is);
/* Follows what the repository says now; 'modes' is taken, or stays. */
void tn_bench_follow(struct tn_unit *u, struct tn_modes *modes);
void tn_bench_follow_more(struct tn_unit *u, struct tn_modes *modes);

/* The next report; false: there is none in time. */
bool tn_bench_next(struct tn_bench_seen *out, int64_t wait_ms);
/* The next one of the device with that outcome. */
struct tn_bench_seen tn_bench_await(const char *device,
                                    enum tn_unit_outcome outcome);
size_t tn_bench_reports(void); /* All that came. */
void tn_bench_skip(void);      /* Those that came are not waited for. */

/* The file of a device: new, to be freed; at once in place of what was. */
json_t *tn_bench_device(const char *name);
void tn_bench_device_write(const char *name, const json_t *root);
size_t tn_bench_objects(const char *name);
/* Somebody removes all that is there. */
void tn_bench_wipe(const char *name);
/* An empty device with these faults (drivers/memory). */
void tn_bench_faults(const char *name, const char *json);

#endif
