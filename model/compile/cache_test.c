/* cache_test.c - the cache changes how long things take and nothing else. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/compile/fixture.h"
#include "tests/support/memory_source.h"

static const char *const names[] = {"index",     "acme.base", "acme.net",
                                    "acme.docs", "beta.base", "beta.net",
                                    "beta.docs"};

struct dir {
    char path[64];
};

static void
dir_make(struct dir *dir)
{
    snprintf(dir->path, sizeof dir->path, "/tmp/tenet-cache-XXXXXX");
    cr_assert(mkdtemp(dir->path));
}

static void
dir_remove(const struct dir *dir)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir->path);
    cr_assert_eq(system(command), 0);
}

static void
file_path(const struct dir *dir, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/compile/lab/%s", dir->path, name);
}

static char *
file_load(const struct dir *dir, const char *name, size_t *n)
{
    char path[256];
    file_path(dir, name, path, sizeof path);
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "rbe");
    cr_assert(f, "%s", path);
    char *bytes = malloc(1 << 20);
    cr_assert(bytes);
    *n = fread(bytes, 1, 1 << 20, f);
    return bytes;
}

static void
file_store(const struct dir *dir, const char *name, const char *bytes, size_t n)
{
    char path[256];
    file_path(dir, name, path, sizeof path);
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "wbe");
    cr_assert(f);
    cr_assert_eq(fwrite(bytes, 1, n, f), n);
}

/* The fixture, with a peering and a warning so that these are replayed. */
static void
repo_init(struct tn_fixture *f)
{
    tn_fixture_init(f);
    tn_fixture_add(
        f, "tenants/acme/mid.yml",
        VPC("mid") "  cidrs: [10.9.0.0/16]\n" PEERING(
            "b") "spec: {vpc: mid, peer: {tenant: beta, vpc: shop},"
                 " export: [10.9.0.0/16]}\n" PEERING(
                     "open") "spec: {vpc: mid, peer: {tenant: zeta, vpc: x},"
                             " export: [10.9.0.0/16]}\n");
    tn_fixture_add(f, "tenants/beta/peer.yml",
                   PEERING("a") "spec: {vpc: shop, peer: {tenant: acme, vpc:"
                                " mid}, export: [10.77.0.0/16]}\n");
}

struct outcome {
    char *text, *findings;
};

static struct outcome
outcome_of(struct tn_fixture *f)
{
    tn_fixture_compile(f);
    cr_assert_eq(f->code, TN_OK);
    return (struct outcome){strdup(tn_text_str(&f->text)),
                            strdup(tn_text_str(&f->findings))};
}

static void
outcome_done(struct outcome *o)
{
    free(o->text);
    free(o->findings);
}

/* Documents are only read when the part of the index is not good. */
static void
index_remove(const struct dir *dir, const char *unless)
{
    char path[256];
    file_path(dir, "index", path, sizeof path);
    if (strcmp(unless, "index") != 0 && !strstr(unless, ".net")) {
        unlink(path);
    }
}

static void
expect_same(struct tn_fixture *f, const struct outcome *want)
{
    tn_fixture_compile(f);
    cr_assert_str_eq(tn_text_str(&f->text), want->text);
    cr_assert_str_eq(tn_text_str(&f->findings), want->findings);
}

Test(cache, cold_warm_and_gone_are_equal)
{
    struct tn_fixture f;
    struct dir dir;
    dir_make(&dir);
    repo_init(&f);
    TN_CLEANUP(outcome_done) struct outcome want = outcome_of(&f);
    cr_assert(strstr(want.findings, "not granted"));
    f.options.cache_dir = dir.path;
    expect_same(&f, &want);
    cr_expect_eq(f.stats.n_files_parsed, 7);
    expect_same(&f, &want);
    cr_expect_eq(f.stats.n_files_parsed, 0);
    cr_expect_eq(f.stats.n_vpcs_compiled, 0);
    cr_expect_eq(f.stats.n_vpcs, 3);
    cr_expect_eq(f.stats.n_files, 7);
    dir_remove(&dir);
    expect_same(&f, &want);
    cr_expect_eq(f.stats.n_files_parsed, 7);
    tn_fixture_done(&f);
    dir_remove(&dir);
}

Test(cache, verdict_opens_no_network)
{
    struct tn_fixture f;
    struct dir dir;
    char path[256];
    dir_make(&dir);
    repo_init(&f);
    TN_CLEANUP(outcome_done) struct outcome want = outcome_of(&f);
    f.options.cache_dir = dir.path;
    tn_fixture_compile(&f);
    file_path(&dir, "beta.net", path, sizeof path);
    cr_assert_eq(unlink(path), 0);
    f.options.verdict_only = true;
    tn_fixture_compile(&f);
    cr_expect_eq(f.code, TN_OK);
    cr_expect_str_eq(tn_text_str(&f.findings), want.findings);
    cr_expect_eq(f.stats.n_vpcs_compiled, 0);
    cr_expect_eq(f.network->n_tenants, 2);
    cr_expect_eq(f.network->tenants[0].n_vpcs, 2);
    cr_expect_not_null(f.network->tenants[0].tenant);
    tn_fixture_done(&f);
    dir_remove(&dir);
}

Test(cache, one_file_touched)
{
    struct tn_fixture f, plain;
    struct dir dir;
    dir_make(&dir);
    repo_init(&f);
    repo_init(&plain);
    f.options.cache_dir = dir.path;
    tn_fixture_compile(&f);
    static const char *const texts[] = {
        VPC("mid") "  cidrs: [10.8.0.0/16]\n",
        VPC("mid") "  cidrs: [10.8.0.0/16, 11.0.0.0/8]\n", /* an error */
        VPC("mid") "  cidrs: [\n",
        VPC("other") "  cidrs: [10.8.0.0/16]\n",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(texts); i++) {
        tn_fixture_add(&f, "tenants/acme/mid.yml", texts[i]);
        tn_fixture_add(&plain, "tenants/acme/mid.yml", texts[i]);
        struct outcome want = outcome_of(&plain);
        expect_same(&f, &want);
        cr_expect_eq(f.stats.n_files_parsed, 1, "%zu: %zu", i,
                     f.stats.n_files_parsed);
        expect_same(&f, &want);
        outcome_done(&want);
    }
    tn_fixture_done(&f);
    tn_fixture_done(&plain);
    dir_remove(&dir);
}

/* Settings, inventory, pins and environment are part of what is read. */
Test(cache, everything_that_is_read_counts)
{
    static const struct tn_pin pins[] = {
        {.tenant = "beta", .object = "subnet/shop/front", .vni = 7000},
    };
    struct tn_fixture f, plain;
    struct dir dir;
    dir_make(&dir);
    repo_init(&f);
    repo_init(&plain);
    f.options.cache_dir = dir.path;
    for (int step = 0; step < 5; step++) {
        struct tn_fixture *both[] = {&f, &plain};
        for (int k = 0; k < 2; k++) {
            struct tn_fixture *x = both[k];
            switch (step) {
            case 1:
                x->options.pins = pins;
                x->options.n_pins = 1;
                break;
            case 2:
                x->options.environment = "other";
                break;
            case 3:
                x->options.environment = NULL;
                tn_fixture_add(x, "inventories/lab/host_vars/hv1.yml",
                               "tenet_underlay_mtu: 9000\n");
                break;
            case 4:
                tn_fixture_add(x, "tenet.yml",
                               V "kind: Settings\nmetadata: {name: lab}\n"
                                 "spec:\n  pools: {macPrefix: \"06:00:01\"}\n"
                                 "  defaultEnvironment: lab\n");
                break;
            default:
                break;
            }
        }
        struct outcome want = outcome_of(&plain);
        expect_same(&f, &want);
        expect_same(&f, &want);
        cr_expect_eq(f.stats.n_files_parsed, 0, "step %d", step);
        outcome_done(&want);
    }
    tn_fixture_done(&f);
    tn_fixture_done(&plain);
    dir_remove(&dir);
}

Test(cache, damage_is_as_if_it_were_not_there, .timeout = 120)
{
    struct tn_fixture f;
    struct dir dir;
    dir_make(&dir);
    repo_init(&f);
    TN_CLEANUP(outcome_done) struct outcome want = outcome_of(&f);
    f.options.cache_dir = dir.path;
    tn_fixture_compile(&f);
    for (size_t k = 0; k < TN_ARRAY_SIZE(names); k++) {
        size_t n = 0;
        TN_CLEANUP(tn_cleanup_free) char *bytes = file_load(&dir, names[k], &n);
        cr_assert(n > 100, "%s", names[k]);
        for (size_t at = 0; at < n; at += 97) {
            bytes[at] = (char) (bytes[at] ^ (1 << at % 8));
            file_store(&dir, names[k], bytes, n);
            index_remove(&dir, names[k]);
            expect_same(&f, &want);
            cr_expect(f.stats.n_vpcs_compiled > 0);
            bytes[at] = (char) (bytes[at] ^ (1 << at % 8));
        }
        for (size_t keep = 0; keep < n; keep += 97) {
            file_store(&dir, names[k], bytes, keep);
            index_remove(&dir, names[k]);
            expect_same(&f, &want);
        }
        file_store(&dir, names[k], bytes, n);
    }
    /* Repaired by what was damaged, not only ignored. */
    expect_same(&f, &want);
    cr_expect_eq(f.stats.n_files_parsed, 0);
    tn_fixture_done(&f);
    dir_remove(&dir);
}

/* Two texts of a file of each tenant. */
static void
edit(struct tn_fixture *f, int which)
{
    char text[128];
    snprintf(text, sizeof text, VPC("mid") "  cidrs: [10.%d.0.0/16]\n",
             20 + which);
    tn_fixture_add(f, "tenants/acme/mid.yml", text);
    snprintf(text, sizeof text, VPC("more") "  cidrs: [10.%d.0.0/16]\n",
             30 + which);
    tn_fixture_add(f, "tenants/beta/more.yml", text);
}

/* What a compile starts from is damaged, and it is one that has little to do:
 * index, base, documents and networks are all read. */
Test(cache, damage_meets_an_edit, .timeout = 120)
{
    enum { N = TN_ARRAY_SIZE(names) };
    struct tn_fixture f;
    struct outcome want[2];
    struct dir dir;
    char *bytes[N];
    size_t n[N];
    dir_make(&dir);
    repo_init(&f);
    for (int i = 0; i < 2; i++) {
        edit(&f, i);
        want[i] = outcome_of(&f);
    }
    edit(&f, 0);
    f.options.cache_dir = dir.path;
    expect_same(&f, &want[0]);
    for (size_t k = 0; k < N; k++) {
        bytes[k] = file_load(&dir, names[k], &n[k]);
    }
    edit(&f, 1);
    expect_same(&f, &want[1]);
    cr_expect_eq(f.stats.n_files_parsed, 2, "only what was edited");
    for (size_t k = 0; k < N; k++) {
        for (size_t at = 0; at < 2 * n[k]; at += 61) {
            for (size_t i = 0; i < N; i++) {
                file_store(&dir, names[i], bytes[i], n[i]);
            }
            if (at < n[k]) {
                bytes[k][at] = (char) (bytes[k][at] ^ (1 << at % 8));
                file_store(&dir, names[k], bytes[k], n[k]);
                bytes[k][at] = (char) (bytes[k][at] ^ (1 << at % 8));
            } else {
                file_store(&dir, names[k], bytes[k], at - n[k]);
            }
            expect_same(&f, &want[1]);
        }
    }
    for (size_t k = 0; k < N; k++) {
        free(bytes[k]);
    }
    outcome_done(&want[0]);
    outcome_done(&want[1]);
    tn_fixture_done(&f);
    dir_remove(&dir);
}

/* A disk that is full after so many bytes, of a first compile and of a later
 * one; then there is room again. */
Test(cache, full_disk_is_no_failure, .timeout = 120)
{
    struct tn_fixture f;
    struct outcome want[2];
    struct rlimit room;
    repo_init(&f);
    for (int i = 0; i < 2; i++) {
        edit(&f, i);
        want[i] = outcome_of(&f);
    }
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &room), 0);
    cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    for (rlim_t most = 0; most < 8192; most += most < 64 ? 8 : 119) {
        const struct rlimit full = {most, room.rlim_max};
        struct dir dir;
        dir_make(&dir);
        f.options.cache_dir = dir.path;
        for (int i = 0; i < 4; i++) {
            edit(&f, i % 2);
            cr_assert_eq(setrlimit(RLIMIT_FSIZE, i % 3 ? &room : &full), 0);
            expect_same(&f, &want[i % 2]);
        }
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &room), 0);
        expect_same(&f, &want[1]);
        expect_same(&f, &want[1]);
        cr_expect_eq(f.stats.n_files_parsed, 0);
        dir_remove(&dir);
    }
    outcome_done(&want[0]);
    outcome_done(&want[1]);
    tn_fixture_done(&f);
}

/* A directory that may be read and not written still spares work, and nothing
 * in it changes. */
Test(cache, read_only_directory_is_used)
{
    struct tn_fixture f;
    struct outcome want[2];
    struct dir dir;
    char command[256];
    dir_make(&dir);
    repo_init(&f);
    for (int i = 0; i < 2; i++) {
        edit(&f, i);
        want[i] = outcome_of(&f);
    }
    edit(&f, 0);
    f.options.cache_dir = dir.path;
    expect_same(&f, &want[0]);
    snprintf(command, sizeof command, "chmod -R a+rX,a-w %s", dir.path);
    cr_assert_eq(system(command), 0);
    if (geteuid() == 0) {
        cr_assert_eq(seteuid(65534), 0);
    }
    expect_same(&f, &want[0]);
    cr_expect_eq(f.stats.n_files_parsed, 0);
    edit(&f, 1);
    expect_same(&f, &want[1]);
    expect_same(&f, &want[1]);
    cr_expect(f.stats.n_files_parsed > 0, "nothing could be kept");
    if (getuid() == 0) {
        cr_assert_eq(seteuid(0), 0);
    }
    snprintf(command, sizeof command, "chmod -R u+w %s", dir.path);
    cr_assert_eq(system(command), 0);
    outcome_done(&want[0]);
    outcome_done(&want[1]);
    tn_fixture_done(&f);
    dir_remove(&dir);
}

Test(cache, files_of_another_tenant_do_not_fit)
{
    struct tn_fixture f;
    struct dir dir;
    dir_make(&dir);
    repo_init(&f);
    TN_CLEANUP(outcome_done) struct outcome want = outcome_of(&f);
    f.options.cache_dir = dir.path;
    tn_fixture_compile(&f);
    size_t n = 0;
    TN_CLEANUP(tn_cleanup_free) char *net = file_load(&dir, "beta.net", &n);
    file_store(&dir, "acme.net", net, n);
    expect_same(&f, &want);
    tn_fixture_done(&f);
    dir_remove(&dir);
}

/* A newcomer that sorts first collides with tenants that come from the cache:
 * the finding is at the same place as without. */
Test(cache, conflicts_with_cached_tenants_have_places)
{
    static const char *const texts[] = {
        /* An interface that acme uses. */
        VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
                 "  - {name: a, cidr: 10.2.0.0/24}\n---\n" V
                 "kind: Port\nmetadata: {name: p}\nspec: {vpc: x, subnet: a,"
                 " host: hv1, attach: {netns: web1}}\n",
        /* A number that acme gives. */
        VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
                 "  - {name: a, cidr: 10.2.0.0/24, vni: 7777}\n",
        /* Nothing of anybody's. */
        VPC("x") "  cidrs: [10.2.0.0/16]\n",
    };
    struct tn_fixture f, plain;
    struct tn_fixture *both[] = {&f, &plain};
    struct dir dir;
    dir_make(&dir);
    for (int k = 0; k < 2; k++) {
        repo_init(both[k]);
        tn_fixture_add(both[k], "tenants/acme/given.yml",
                       VPC("given") "  cidrs: [10.3.0.0/16]\n  subnets:\n"
                                    "  - {name: a, cidr: 10.3.0.0/24, "
                                    "vni: 7777}\n");
    }
    f.options.cache_dir = dir.path;
    tn_fixture_compile(&f);
    for (size_t i = 0; i < 2 * TN_ARRAY_SIZE(texts); i++) {
        for (int k = 0; k < 2; k++) {
            tn_fixture_add(both[k], "tenants/aaa/tenant.yml",
                           V "kind: Tenant\nmetadata: {name: aaa}\nspec: "
                             "{}\n");
            tn_fixture_add(both[k], "tenants/aaa/x.yml", texts[i / 2]);
        }
        struct outcome want = outcome_of(&plain);
        cr_expect_eq(tn_fixture_tenant(&plain, "acme")->failed, i < 4);
        expect_same(&f, &want);
        f.options.verdict_only = i & 1;
        tn_fixture_compile(&f);
        cr_expect_str_eq(tn_text_str(&f.findings), want.findings);
        f.options.verdict_only = false;
        outcome_done(&want);
    }
    tn_fixture_done(&f);
    tn_fixture_done(&plain);
    dir_remove(&dir);
}

Test(cache, unusable_directory_is_no_failure)
{
    static const char *const dirs[] = {"/proc/nope", "/dev/null",
                                       "/nonexistent/deep"};
    struct tn_fixture f;
    repo_init(&f);
    TN_CLEANUP(outcome_done) struct outcome want = outcome_of(&f);
    for (size_t i = 0; i < TN_ARRAY_SIZE(dirs); i++) {
        f.options.cache_dir = dirs[i];
        expect_same(&f, &want);
    }
    tn_fixture_done(&f);
}

Test(cache, gone_tenants_leave_nothing)
{
    struct tn_fixture f;
    struct dir dir;
    char path[256];
    dir_make(&dir);
    repo_init(&f);
    f.options.cache_dir = dir.path;
    tn_fixture_compile(&f);
    tn_memory_source_remove(f.source, "tenants/beta");
    tn_fixture_compile(&f);
    file_path(&dir, "beta.net", path, sizeof path);
    cr_expect_neq(access(path, F_OK), 0);
    file_path(&dir, "acme.net", path, sizeof path);
    cr_expect_eq(access(path, F_OK), 0);
    tn_fixture_done(&f);
    dir_remove(&dir);
}

static int
busy_child(const struct dir *dir, int which)
{
    struct tn_fixture f;
    int bad = 0;
    repo_init(&f);
    for (int i = 0; i < 30; i++) {
        f.options.cache_dir = NULL;
        char text[256];
        snprintf(text, sizeof text, VPC("mid") "  cidrs: [10.%d.0.0/16]\n",
                 2 + (i * 2 + which) % 7);
        tn_fixture_add(&f, "tenants/acme/mid.yml", text);
        struct outcome want = outcome_of(&f);
        f.options.cache_dir = dir->path;
        tn_fixture_compile(&f);
        bad += strcmp(want.text, tn_text_str(&f.text)) != 0;
        outcome_done(&want);
    }
    tn_fixture_done(&f);
    return bad;
}

Test(cache, two_processes_at_once)
{
    struct dir dir;
    int status = 0;
    dir_make(&dir);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        _exit(busy_child(&dir, 1) ? 1 : 0);
    }
    cr_expect_eq(busy_child(&dir, 0), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    dir_remove(&dir);
}
