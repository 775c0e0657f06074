/* remote.c - figures of remotes, for tests/lab/status_race.sh and by hand.
 *
 *     remote_bench race URL MIRROR NAME N   publishes N status commits
 *     remote_bench fetch URL MIRROR N       fetches N times, a new commit each
 *     remote_bench once URL MIRROR          fetches once
 *
 * What a remote needs beyond that comes from the environment: SSH_KEY,
 * KNOWN_HOSTS, CA, TOKEN_FILE. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/attr.h"
#include "reconciler/source/remote.h"
#include "reconciler/source/source.h"
#include "reconciler/status/publish.h"

static int
complain(const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    fprintf(stderr, "remote_bench: %s\n",
            tn_error_text(err, text, sizeof text));
    return 1;
}

static int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int
by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

static void
print_times(const char *what, int64_t *us, size_t n)
{
    qsort(us, n, sizeof *us, by_number);
    printf("%s: n %zu median_us %" PRId64 " p99_us %" PRId64 " max_us %" PRId64
           "\n",
           what, n, us[n / 2], us[n * 99 / 100], us[n - 1]);
}

static int
race(struct tn_remote *r, const char *name, size_t n)
{
    int64_t *us = calloc(n + 1, sizeof *us);
    struct tn_publish_result last = {0};
    struct tn_error err = {0};
    unsigned tries = 0, late = 0;
    for (size_t i = 0; us && i < n; i++) {
        char device[64];
        snprintf(device, sizeof device, "%s-%zu", name, i);
        struct tn_status_device d = {
            .name = device, .environment = "lab", .driver = "kernel"};
        struct tn_status_update u = {.devices = &d, .n_devices = 1};
        int64_t began = now_us();
        late += tn_status_publish(r, NULL, &u, &last, &err) != TN_OK;
        us[i] = now_us() - began;
        tries += last.tries;
    }
    for (int i = 0; i < 100 && !last.pushed; i++) {
        if (tn_status_publish(r, NULL, NULL, &last, &err)) {
            late++;
        }
    }
    printf("%s: %zu commits, %u pushes, %u late; ", name, n, tries, late);
    print_times("publish", us, n);
    free(us);
    return last.pushed ? 0 : complain(&err);
}

/* 'COMMIT' in the environment makes one commit at the remote. */
static int
fetches(struct tn_remote *r, size_t n)
{
    int64_t *us = calloc(n + 1, sizeof *us);
    struct tn_remote_heads heads = {0};
    struct tn_error err = {0};
    const char *command = getenv("COMMIT");
    enum tn_code code = TN_OK;
    for (size_t i = 0; us && !code && i < n; i++) {
        if (command && system(command) != 0) { /* NOLINT(cert-env33-c) */
            break;
        }
        int64_t began = now_us();
        code = tn_remote_fetch(r, &heads, &err);
        us[i] = now_us() - began;
    }
    if (!code) {
        print_times("fetch", us, n);
    }
    free(us);
    return code ? complain(&err) : 0;
}

int
main(int argc, char **argv)
{
    static const char *const extras[] = {TN_STATUS_REF_DEFAULT};
    struct tn_remote *r = NULL;
    struct tn_error err = {0};
    tn_remote_main(argc, argv);
    if (argc < 4) {
        fprintf(stderr, "usage: remote_bench race|fetch|once URL MIRROR ...\n");
        return 2;
    }
    const struct tn_remote_options options = {
        .url = argv[2],
        .branch = "main",
        .mirror = argv[3],
        .extra_refs = extras,
        .n_extra_refs = 1,
        .ssh_key = getenv("SSH_KEY"),
        .ssh_known_hosts = getenv("KNOWN_HOSTS"),
        .https_ca = getenv("CA"),
        .https_token_file = getenv("TOKEN_FILE"),
        .helper = "/proc/self/exe",
    };
    if (tn_git_init(&err) || tn_remote_open(&options, &r, &err)) {
        return complain(&err);
    }
    int rc = 2;
    if (strcmp(argv[1], "race") == 0 && argc == 6) {
        rc = race(r, argv[4], strtoul(argv[5], NULL, 10));
    } else if (strcmp(argv[1], "fetch") == 0 && argc == 5) {
        rc = fetches(r, strtoul(argv[4], NULL, 10));
    } else if (strcmp(argv[1], "once") == 0) {
        rc = fetches(r, 1);
    }
    tn_remote_close(r);
    tn_git_done();
    return rc;
}
