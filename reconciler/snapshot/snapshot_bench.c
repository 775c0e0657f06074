/* snapshot_bench.c - what a snapshot of many VPCs costs: size and time of the
 * first, of one without a change, of one with a change in one VPC, of loading.
 *
 *     snapshot_bench DIR [VPCS]       DIR: an empty directory to work in
 *
 * Prints a line for each; the ratios are what counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/cleanup.h"
#include "reconciler/snapshot/snapshot.h"
#include "reconciler/source/source.h"
#include "reconciler/status/load.h"

enum { PER_VPC = 12, TENANT_VPCS = 10 };

static double
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static void
check(enum tn_code code, const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    if (code) {
        fprintf(stderr, "snapshot_bench: %s\n",
                tn_error_text(err, text, sizeof text));
        exit(1);
    }
}

static const struct tn_attr *
attrs_make(struct tn_arena *arena, size_t vpc, size_t i, unsigned mtu)
{
    struct tn_attr *a = tn_new_n(arena, struct tn_attr, 5);
    a[0] = (struct tn_attr){
        .name = "addresses",
        .value = tn_arena_printf(arena, "10.%zu.%zu.1/24, fd00:%zx:%zx::1/64",
                                 vpc / 250, vpc % 250, vpc, i)};
    a[1] = (struct tn_attr){
        .name = "mac",
        .value = tn_arena_printf(arena, "02:74:6e:%02zx:%02zx:%02zx",
                                 vpc >> 8 & 255, vpc & 255, i)};
    a[2] = (struct tn_attr){.name = "mtu",
                            .value = tn_arena_printf(arena, "%u", mtu)};
    a[3] = (struct tn_attr){.name = "to",
                            .value = "192.0.2.1, 192.0.2.2, 192.0.2.3"};
    a[4] = (struct tn_attr){.name = "vni",
                            .value = tn_arena_printf(arena, "%zu", 5000 + vpc),
                            .change = TN_ATTR_REPLACE};
    return a;
}

static struct tn_state
state_make(struct tn_arena *arena, size_t n_vpcs, unsigned mtu_of_first)
{
    static const char *const kinds[] = {"bridge", "fdb",  "neighbour",
                                        "netns",  "port", "route"};
    size_t n = n_vpcs * PER_VPC;
    struct tn_resource *r = tn_new_n(arena, struct tn_resource, n);
    for (size_t i = 0; i < n; i++) {
        size_t vpc = i / PER_VPC;
        const char *kind = kinds[i % TN_ARRAY_SIZE(kinds)];
        char *scope = tn_arena_printf(arena, "tenant-%03zu/vpc-%04zu",
                                      vpc / TENANT_VPCS, vpc);
        r[i] = (struct tn_resource){
            .key = tn_arena_printf(arena, "%s/%s/o-%02zu", scope, kind,
                                   i % PER_VPC),
            .kind = kind,
            .name = tn_arena_printf(arena, "o-%02zu", i % PER_VPC),
            .scope = scope,
            .rank = 3,
            .parent = tn_arena_printf(arena, "%s/netns", scope),
            .attrs =
                attrs_make(arena, vpc, i % PER_VPC, vpc ? 1450 : mtu_of_first),
            .n_attrs = 5,
        };
    }
    struct tn_error err = {0};
    check(tn_state_sort(r, n, &err), &err);
    return (struct tn_state){"hv1", r, n};
}

static void
publish(const char *repo, const struct tn_state *state, const char *what)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_status_folder folder;
    struct tn_status_result result;
    struct tn_error err = {0};
    struct tn_snapshot_meta meta = {
        .device = "hv1", .driver = "kernel", .observed = (int64_t) time(NULL)};
    double a = now_ms();
    tn_snapshot_encode(arena, state, NULL, &meta, NULL, &folder);
    double b = now_ms();
    struct tn_status_update update = {.folders = &folder, .n_folders = 1};
    check(tn_status_commit(repo, NULL, &update, &result, &err), &err);
    double c = now_ms();
    size_t bytes = 0;
    for (size_t i = 0; i < folder.n_files; i++) {
        bytes += folder.files[i].n;
    }
    printf("%-28s encode %7.1f ms, status ref %7.1f ms, %s; %zu files, %zu "
           "bytes\n",
           what, b - a, c - b, result.changed ? "commit" : "no commit",
           folder.n_files, bytes);
    tn_arena_free(arena);
}

static void
load(const char *repo)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_source *source = NULL;
    struct tn_snapshot snapshot;
    struct tn_error err = {0};
    double a = now_ms();
    check(tn_status_open(repo, NULL, &source, &err), &err);
    check(tn_snapshot_load(source, "hv1", arena, &snapshot, &err), &err);
    double b = now_ms();
    printf("%-28s %7.1f ms, %zu resources, %zu KiB of memory\n", "load", b - a,
           snapshot.state->n, tn_arena_size(arena) / 1024);
    source->ops->free(source);
    tn_arena_free(arena);
}

int
main(int argc, char **argv)
{
    size_t n_vpcs = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
    if (argc < 2 || n_vpcs == 0) {
        fprintf(stderr, "usage: snapshot_bench REPOSITORY [VPCS]\n");
        return 1;
    }
    struct tn_error err = {0};
    check(tn_git_init(&err), &err);
    struct tn_arena *arena = tn_arena_new();
    struct tn_state state = state_make(arena, n_vpcs, 1450);
    struct tn_state other = state_make(arena, n_vpcs, 1400);
    publish(argv[1], &state, "first");
    publish(argv[1], &state, "unchanged");
    publish(argv[1], &other, "one VPC of them changed");
    load(argv[1]);
    tn_arena_free(arena);
    return 0;
}
