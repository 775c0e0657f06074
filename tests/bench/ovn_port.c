/* ovn_port.c - what does a change of one port cost in a live session?
 *
 *     ovn_port REMOTE INSTANCE SCOPE ROUNDS [PID]
 *
 * Of a VPC that was applied, the first port gets another address, goes and
 * comes again, each time as the core would do it: the scope is observed and a
 * plan of one step carried out.  Prints the median of the processor time that
 * each took here and, of the server PID, the mean.
 *
 *     ovn_port REMOTE INSTANCE - SESSIONS
 *
 * Opens so many sessions, each of which copies the database, and prints what
 * memory one takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "drivers/ovsdb/ovn/kinds.h"
#include "drivers/ovsdb/ovn/ovn.h"
#include "model/base/cleanup.h"

enum { MOST_ROUNDS = 10000 };

static const struct tn_driver *const driver = &tn_driver_ovn;

struct bench {
    struct tn_host host;
    struct tn_device device;
    struct tn_driver_env env;
    struct tn_session *session;
    struct tn_scope scope;
    const struct tn_state *want; /* All that is there at first. */
    const char *names[1];
    double spent[3][MOST_ROUNDS];
    struct tn_error err;
};

static double
now_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

/* Processor time of the server so far. */
static double
server_us(const char *pid)
{
    char path[64];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", pid ? pid : "self");
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f,
                     "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u "
                     "%*u %lu %lu",
                     &user, &system) != 2) {
        perror(path);
        exit(1);
    }
    fclose(f);
    return (double) (user + system) * 1e6 / (double) sysconf(_SC_CLK_TCK);
}

static void
need(struct bench *b, enum tn_code code, const char *what)
{
    char text[2000];
    if (code) {
        fprintf(stderr, "%s: %s\n", what,
                tn_error_text(&b->err, text, sizeof text));
        exit(1);
    }
}

static const struct tn_resource *
observe(struct bench *b, struct tn_arena *arena, const char *key)
{
    const struct tn_state *state = NULL;
    need(
        b,
        driver->observe(b->session, &b->scope, b->want, arena, &state, &b->err),
        "observe");
    for (size_t i = 0; i < state->n; i++) {
        const struct tn_resource *r = &state->items[i];
        if (key ? strcmp(r->key, key) == 0
                : strcmp(r->kind, tn_ovn_port.name) == 0) {
            return r;
        }
    }
    return NULL;
}

static void
carry_out(struct bench *b, enum tn_op op, const struct tn_resource *before,
          const struct tn_resource *after)
{
    const struct tn_step step = {op, before, after};
    enum tn_outcome outcome;
    size_t failed;
    struct tn_stage *stage = NULL;
    need(b, driver->stage(b->session, &step, 1, &stage, &b->err), "stage");
    need(b, driver->commit(stage, &outcome, &failed, &b->err), "commit");
}

/* The same port with another address. */
static struct tn_resource
changed(struct tn_arena *arena, const struct tn_resource *r, size_t round)
{
    const struct tn_ovs_row *was = r->native;
    size_t n = was->kind->n_columns;
    struct tn_ovs_row *row = tn_new(arena, struct tn_ovs_row);
    struct tn_ovs_value *values = tn_new_n(arena, struct tn_ovs_value, n);
    size_t i = tn_ovs_kind_column(was->kind, "addresses");
    memcpy(values, was->values, n * sizeof *values);
    values[i] = (struct tn_ovs_value){tn_new(arena, const char *), 1};
    values[i].texts[0] = tn_arena_printf(arena, "02:00:00:00:00:01 10.0.0.%zu",
                                         100 + round % 100);
    *row = (struct tn_ovs_row){.kind = was->kind, .values = values};
    struct tn_resource out = *r;
    out.native = row;
    return out;
}

static void
one_round(struct bench *b, size_t round)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    double from = now_us(CLOCK_THREAD_CPUTIME_ID), to;
    const struct tn_resource *port = observe(b, arena, NULL);
    if (!port) {
        fprintf(stderr, "no port in this scope\n");
        exit(1);
    }
    const struct tn_resource other = changed(arena, port, round);
    carry_out(b, TN_OP_UPDATE, port, &other);
    to = now_us(CLOCK_THREAD_CPUTIME_ID);
    b->spent[0][round] = to - from;
    from = to;
    const struct tn_resource *again = observe(b, arena, port->key);
    carry_out(b, TN_OP_DELETE, again, NULL);
    to = now_us(CLOCK_THREAD_CPUTIME_ID);
    b->spent[1][round] = to - from;
    from = to;
    if (observe(b, arena, port->key)) {
        fprintf(stderr, "%s is still there\n", port->key);
        exit(1);
    }
    carry_out(b, TN_OP_CREATE, NULL, again);
    b->spent[2][round] = now_us(CLOCK_THREAD_CPUTIME_ID) - from;
}

static int
double_cmp(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static double
median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, double_cmp);
    return v[n / 2];
}

static long
resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1) {
        perror("/proc/self/statm");
        exit(1);
    }
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Opens a session, and waits for its copy. */
static void
open_whole(struct bench *b, struct tn_session **out)
{
    static const char *const none[] = {""};
    static const struct tn_scope own = {.names = none, .n = 1};
    static const struct tn_state nothing;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_state *state = NULL;
    need(b, driver->open(&b->device, &b->env, out, &b->err), "open");
    need(b, driver->observe(*out, &own, &nothing, arena, &state, &b->err),
         "observe");
}

static void
sessions(struct bench *b, size_t n)
{
    struct tn_session **all = calloc(n + 1, sizeof(struct tn_session *));
    open_whole(b, &all[0]);
    long before = resident_kb();
    for (size_t i = 1; all && i <= n; i++) {
        open_whole(b, &all[i]);
    }
    long after = resident_kb();
    printf("%zu sessions: %.1f KB each\n", n,
           (double) (after - before) / (double) n);
    for (size_t i = 0; i <= n; i++) {
        driver->close(all[i]);
    }
    free(all);
}

static void
ports(struct bench *b, size_t n, const char *pid)
{
    static const struct tn_scope everything;
    static const struct tn_state nothing;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    need(b, driver->open(&b->device, &b->env, &b->session, &b->err), "open");
    need(b,
         driver->observe(b->session, &everything, &nothing, arena, &b->want,
                         &b->err),
         "observe");
    double server = server_us(pid);
    for (size_t i = 0; i < n; i++) {
        one_round(b, i);
    }
    server = server_us(pid) - server;
    printf("change %.0f us, remove %.0f us, add %.0f us",
           median(b->spent[0], n), median(b->spent[1], n),
           median(b->spent[2], n));
    if (pid) {
        printf("; the server %.0f us for one of them", server / (double) n / 3);
    }
    printf("\n");
    driver->close(b->session);
}

int
main(int argc, char **argv)
{
    static struct bench b;
    size_t n = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
    if (n == 0 || n > MOST_ROUNDS) {
        fprintf(stderr, "usage: ovn_port REMOTE INSTANCE SCOPE ROUNDS [PID]\n");
        return 2;
    }
    b.host.config.ovsdb_remote = argv[1];
    b.host.config.ovn_wait = "none";
    b.device = (struct tn_device){
        .name = "cloud", .host = &b.host, .instance = argv[2]};
    b.names[0] = argv[3];
    b.scope = (struct tn_scope){.names = b.names, .n = 1};
    if (strcmp(argv[3], "-") == 0) {
        sessions(&b, n);
    } else {
        ports(&b, n, argc > 5 ? argv[5] : NULL);
    }
    return 0;
}
