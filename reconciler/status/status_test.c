/* status_test.c - the status ref: what becomes a commit, what survives, who is
 * refused. */
#include "reconciler/status/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/source/source.h"
#include "reconciler/status/print.h"
#include "reconciler/status/status_bench.h"

#define C1 "1111111111111111111111111111111111111111"
#define C2 "2222222222222222222222222222222222222222"
#define REF TN_STATUS_REF_DEFAULT

static struct tn_sandbox *box;
static struct tn_arena *arena;
static const char *repo;

static void
setup(void)
{
    tn_status_bench_setup();
    box = &tn_status_bench()->box;
    arena = tn_status_bench()->arena;
    repo = tn_status_bench()->repo;
}

TestSuite(status, .init = setup, .fini = tn_status_bench_teardown);

static struct tn_status_device
device(const char *name, const char *commit)
{
    return (struct tn_status_device){
        .name = name,
        .environment = "lab",
        .driver = "kernel",
        .head = {.commit = commit,
                 .conditions = {{TN_COND_TRUE, "Verified", "all is well", 0},
                                {TN_COND_FALSE, "InSync", NULL, 0},
                                {TN_COND_FALSE, "Applied", NULL, 0}}},
        .n_vpcs = 2,
        .n_resources = 31,
        .n_foreign = 1,
    };
}

static struct tn_status_result
commit_device(struct tn_status_device d, int64_t now)
{
    struct tn_status_update u = {.devices = &d, .n_devices = 1, .now = now};
    return tn_status_bench_commit(&u);
}

static void
is_clean(void)
{
    tn_sandbox_sh(box, "cd r && git fsck --full --strict >fsck 2>&1 && "
                       "! grep -v '^dangling' fsck");
}

Test(status, a_missing_ref_is_an_empty_status)
{
    const struct tn_status *s = tn_status_bench_load();
    cr_assert_null(s->id);
    cr_assert_eq(s->n_devices + s->n_vpcs + s->n_pins + s->n_damaged, 0);
    cr_assert_null(tn_status_device_get(s, "hv1"));
    cr_assert_eq(tn_status_load("/nonexistent", NULL, arena, &s, NULL),
                 TN_ENOENT);
}

/* Devices, a tenant, VPCs and identifiers, with names that are no file
 * names. */
static struct tn_status_result
commit_everything(void)
{
    const struct tn_status_device devices[] = {
        device("hv2.example", C1), device("hv1", C1), device("HV/..", NULL)};
    const struct tn_status_tenant tenant = {
        .name = "acme",
        .head = {.commit = C1},
        .n_vpcs = 1,
        .n_subnets = 2,
        .n_ports = 3,
    };
    const char *const holders[] = {"hv1", "hv2.example"};
    const struct tn_status_vpc vpcs[] = {
        {.tenant = "acme",
         .name = "web",
         .head = {.commit = C2},
         .n_subnets = 2,
         .n_ports = 3,
         .devices = holders,
         .n_devices = 2},
        {.tenant = "acme", .name = "db"},
    };
    const struct tn_pin pins[] = {
        {.tenant = "acme", .object = "port/p1", .mac = {{2, 0, 0, 0, 0, 1}}},
        {.tenant = "acme", .object = "subnet/web/front", .vni = 70123},
        {.tenant = "beta", .object = "subnet/web/front", .vni = 70124},
    };
    const struct tn_status_update u = {
        .devices = devices,
        .n_devices = 3,
        .tenants = &tenant,
        .n_tenants = 1,
        .vpcs = vpcs,
        .n_vpcs = 2,
        .pins = pins,
        .n_pins = 3,
        .now = 1763690083,
        .author = "tenet <lab>",
        .email = "t@example.com",
        .message = "Apply 1111111\n\nBody \033[31m.",
    };
    return tn_status_bench_commit(&u);
}

static void
devices_check(const struct tn_status *s)
{
    cr_assert_eq(s->n_devices, 3);
    const struct tn_status_device *d = tn_status_device_get(s, "hv1");
    cr_assert_str_eq(d->environment, "lab");
    cr_assert_str_eq(d->driver, "kernel");
    cr_assert_str_eq(d->head.commit, C1);
    cr_assert_eq(d->head.applied, 1763690083);
    cr_assert_eq(d->n_vpcs, 2);
    cr_assert_eq(d->n_resources, 31);
    cr_assert_eq(d->n_foreign, 1);
    cr_assert_eq(d->head.conditions[TN_COND_READY].status, TN_COND_TRUE);
    cr_assert_str_eq(d->head.conditions[TN_COND_READY].reason, "Verified");
    cr_assert_str_eq(d->head.conditions[TN_COND_READY].message, "all is well");
    cr_assert_eq(d->head.conditions[TN_COND_READY].since, 1763690083);
    cr_assert_null(d->head.conditions[TN_COND_DRIFTED].message);
    d = tn_status_device_get(s, "HV/..");
    cr_assert_null(d->head.commit);
    cr_assert_eq(d->head.applied, 0);
}

static void
vpcs_check(const struct tn_status *s)
{
    const struct tn_status_vpc *v = tn_status_vpc_get(s, "acme", "web");
    cr_assert_str_eq(v->head.commit, C2);
    cr_assert_eq(v->n_ports, 3);
    cr_assert_eq(v->n_devices, 2);
    cr_assert_str_eq(v->devices[1], "hv2.example");
    cr_assert_eq(tn_status_vpc_get(s, "acme", "db")->n_devices, 0);
    cr_assert_eq(tn_status_tenant_get(s, "acme")->n_subnets, 2);
    cr_assert_eq(s->n_pins, 3);
    cr_assert_str_eq(s->pins[0].object, "port/p1");
    cr_assert_eq(s->pins[2].vni, 70124);
}

static void
ref_check(void)
{
    TN_CLEANUP(tn_cleanup_free)
    char *files = tn_sandbox_out(box, "cd r && git ls-tree -r --name-only " REF
                                      " | tr '\\n' ' '");
    cr_assert_str_eq(files,
                     "README.md allocations/acme.yml allocations/beta.yml "
                     "devices/HV%2F...yml devices/hv1.yml "
                     "devices/hv2.example.yml tenants/acme.yml "
                     "vpcs/acme/db.yml vpcs/acme/web.yml ");
    TN_CLEANUP(tn_cleanup_free)
    char *log = tn_sandbox_out(
        box, "cd r && git log --format='%%an|%%ae|%%at|%%s|%%b' " REF);
    cr_assert_str_eq(log, "tenet ?lab?|t@example.com|1763690083|Apply 1111111|"
                          "Body ?[31m.\n");
    is_clean();
    cr_assert_eq(tn_sandbox_try(box, "cd r && git diff --quiet && "
                                     "git diff --quiet --cached"),
                 0);
}

Test(status, writes_and_reads_everything_back)
{
    struct tn_status_result r = commit_everything();
    cr_assert(r.changed);
    cr_assert_eq(r.tries, 1);
    const struct tn_status *s = tn_status_bench_load();
    cr_assert_str_eq(s->id, r.id);
    cr_assert_eq(s->n_damaged, 0, "%s",
                 s->n_damaged ? s->damaged->message : "");
    devices_check(s);
    vpcs_check(s);
    ref_check();
}

Test(status, times_alone_make_no_commit)
{
    struct tn_status_result first = commit_device(device("hv1", C1), 1000);
    struct tn_status_result again = commit_device(device("hv1", C1), 2000);
    cr_assert(first.changed);
    cr_assert(!again.changed);
    cr_assert_str_eq(again.id, first.id);

    struct tn_status_device d = device("hv1", C1);
    d.head.conditions[TN_COND_READY].message = "another message";
    cr_assert(commit_device(d, 3000).changed);
    const struct tn_status_head *h =
        &tn_status_device_get(tn_status_bench_load(), "hv1")->head;
    cr_assert_eq(h->conditions[TN_COND_READY].since, 1000);
    cr_assert_eq(h->applied, 1000);

    d.head.conditions[TN_COND_READY].reason = "Recovered";
    cr_assert(commit_device(d, 4000).changed);
    h = &tn_status_device_get(tn_status_bench_load(), "hv1")->head;
    cr_assert_eq(h->conditions[TN_COND_READY].since, 4000);
    cr_assert_eq(h->conditions[TN_COND_DRIFTED].since, 1000);
    cr_assert_eq(h->applied, 1000);

    d.head.commit = C2;
    cr_assert(commit_device(d, 5000).changed);
    h = &tn_status_device_get(tn_status_bench_load(), "hv1")->head;
    cr_assert_eq(h->applied, 5000);
    cr_assert_eq(h->conditions[TN_COND_READY].since, 4000);
    const struct tn_status_update nothing = {.now = 6000};
    cr_assert(!tn_status_bench_commit(&nothing).changed);
    is_clean();
}

/* A message that is cut or cleaned is equal to itself the next time. */
static const char *const messages[] = {
    "line one\nline two",
    "\033[31mred\033[0m",
    "bad \xff\xfe bytes",
    "quote \" backslash \\ colon: # - {",
    "\xe2\x80\xa8 separator",
    "no",
    "~",
    "1e3",
    " leading and trailing ",
    "\xf0\x9f\x8c\x8d",
    "\xc2\x85",
    "",
};

Test(status, any_text_comes_back_and_settles)
{
    char huge[5000];
    memset(huge, 'x', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    for (size_t i = 0; i <= TN_ARRAY_SIZE(messages); i++) {
        struct tn_status_device d = device("hv1", C1);
        d.head.conditions[TN_COND_READY].message =
            i < TN_ARRAY_SIZE(messages) ? messages[i] : huge;
        commit_device(d, 1000);
        cr_assert(!commit_device(d, 2000).changed, "row %zu", i);
        const struct tn_status *s = tn_status_bench_load();
        cr_assert_eq(s->n_damaged, 0, "row %zu: %s", i,
                     s->n_damaged ? s->damaged->message : "");
    }
    /* Another reader of YAML agrees. */
    int rc = tn_sandbox_try(box, "python3 -c 'import yaml' 2>/dev/null");
    if (rc == 0) {
        tn_sandbox_sh(
            box,
            "cd r && git show " REF ":devices/hv1.yml | python3 -c "
            "'import sys, yaml; d = yaml.safe_load(sys.stdin); "
            "assert d[\"status\"][\"commit\"] == \"%s\", d; "
            "assert d[\"status\"][\"conditions\"][0][\"status\"] == "
            "\"True\"; assert d[\"status\"][\"counts\"][\"vpcs\"] == 2'",
            C1);
    }
}

Test(status, keep_leaves_what_was_applied)
{
    commit_device(device("hv1", C1), 1000);
    struct tn_status_device d = device("hv1", NULL);
    d.head.keep = true;
    d.n_resources = 0;
    d.head.conditions[TN_COND_DEGRADED] =
        (struct tn_condition){TN_COND_TRUE, "Unreachable", "timed out", 0};
    commit_device(d, 2000);
    const struct tn_status_device *got =
        tn_status_device_get(tn_status_bench_load(), "hv1");
    cr_assert_str_eq(got->head.commit, C1);
    cr_assert_eq(got->head.applied, 1000);
    cr_assert_eq(got->n_resources, 31);
    cr_assert_str_eq(got->head.conditions[TN_COND_DEGRADED].reason,
                     "Unreachable");
    d.name = "hv2";
    d.head.commit = C2;
    commit_device(d, 3000);
    cr_assert_null(
        tn_status_device_get(tn_status_bench_load(), "hv2")->head.commit);
}

Test(status, others_entries_survive_and_drops_are_told)
{
    const struct tn_status_vpc vpcs[] = {{.tenant = "a", .name = "x"},
                                         {.tenant = "a", .name = "y"},
                                         {.tenant = "b", .name = "x"}};
    const struct tn_status_tenant tenants[] = {{.name = "a"}, {.name = "b"}};
    const struct tn_pin pins[] = {
        {.tenant = "a", .object = "subnet/x/s", .vni = 5000},
        {.tenant = "b", .object = "subnet/x/s", .vni = 5001},
    };
    const struct tn_status_device devices[] = {device("hv1", C1),
                                               device("hv2", C1)};
    struct tn_status_update u = {.devices = devices,
                                 .n_devices = 2,
                                 .vpcs = vpcs,
                                 .n_vpcs = 3,
                                 .tenants = tenants,
                                 .n_tenants = 2,
                                 .pins = pins,
                                 .n_pins = 2};
    tn_status_bench_commit(&u);
    commit_device(device("hv3", C2), 0);
    const struct tn_status *s = tn_status_bench_load();
    cr_assert_eq(s->n_devices, 3);
    cr_assert_eq(s->n_vpcs, 3);
    cr_assert_eq(s->n_pins, 2);

    static const char *const devs[] = {"hv2", "never-was"};
    static const char *const scopes[] = {"a/y", "nobody/x", "odd"};
    static const char *const gone[] = {"b"};
    u = (struct tn_status_update){.drop_devices = devs,
                                  .n_drop_devices = 2,
                                  .drop_vpcs = scopes,
                                  .n_drop_vpcs = 3,
                                  .drop_tenants = gone,
                                  .n_drop_tenants = 1};
    cr_assert(tn_status_bench_commit(&u).changed);
    cr_assert(!tn_status_bench_commit(&u).changed);
    s = tn_status_bench_load();
    cr_assert_eq(s->n_devices, 2);
    cr_assert_null(tn_status_device_get(s, "hv2"));
    cr_assert_eq(s->n_vpcs, 1);
    cr_assert_eq(s->n_tenants, 1);
    cr_assert_eq(s->n_pins, 1);
    cr_assert_str_eq(s->pins[0].tenant, "a");
    cr_assert_eq(
        tn_sandbox_try(box, "git -C r ls-tree -r " REF " | grep -q vpcs/b"), 1);
    is_clean();
}

Test(status, allocations_that_were_read_are_not_read_again)
{
    struct tn_pin pins[] = {
        {.tenant = "a", .object = "subnet/x/s", .vni = 5000},
        {.tenant = "a", .object = "subnet/x/t", .vni = 5001},
        {.tenant = "b", .object = "subnet/x/s", .vni = 5002},
    };
    struct tn_status_update u = {.pins = pins, .n_pins = 3};
    tn_status_bench_commit(&u);
    /* A comment, which says what file it is: it goes when the file is
     * written. */
    tn_sandbox_sh(box,
                  "cd r && export GIT_INDEX_FILE=index && "
                  "git read-tree " REF " && b=$( (git show " REF
                  ":allocations/a.yml; echo '# by hand') | "
                  "git hash-object -w --stdin) && git update-index "
                  "--cacheinfo 100644,$b,allocations/a.yml && "
                  "git update-ref " REF " $(git commit-tree -m hand -p " REF
                  " $(git write-tree))");
    u.since = tn_status_bench_load();
    cr_assert_eq(u.since->n_pins, 3);
    cr_assert(!tn_status_bench_commit(&u).changed);
    pins[2].vni = 5003;
    cr_assert(tn_status_bench_commit(&u).changed);
    cr_assert_eq(tn_status_bench_load()->pins[2].vni, 5003);
    tn_sandbox_sh(box, "cd r && git show " REF ":allocations/a.yml | "
                       "grep -q 'by hand'");
    /* The ref stands elsewhere now. */
    pins[2].vni = 5002;
    cr_assert(tn_status_bench_commit(&u).changed);
    cr_assert_eq(tn_status_bench_load()->pins[2].vni, 5002);
    tn_sandbox_sh(box, "cd r && ! git show " REF ":allocations/a.yml | "
                       "grep 'by hand'");
    /* Fewer, and others. */
    u.since = tn_status_bench_load();
    u.n_pins = 1;
    cr_assert(tn_status_bench_commit(&u).changed);
    cr_assert_eq(tn_status_bench_load()->n_pins, 2);
    u.since = tn_status_bench_load();
    pins[0].object = "subnet/x/u";
    cr_assert(tn_status_bench_commit(&u).changed);
    cr_assert_str_eq(tn_status_bench_load()->pins[0].object, "subnet/x/u");
    is_clean();
}

Test(status, damaged_files_are_reported_and_absent)
{
    commit_device(device("hv1", C1), 1000);
    commit_device(device("hv2", C1), 1000);
    tn_sandbox_sh(
        box, "cd r && git worktree add -q ../w --detach " REF " && cd ../w && "
             "sed -i 's/commit: .*/commit: \"--upload-pack=x\"/' "
             "devices/hv1.yml && cp devices/hv2.yml devices/hv9.yml && "
             "echo '[[[' > devices/hv3.yml && : > devices/hv4.yml && "
             "ln -s hv2.yml devices/hv5.yml && mkdir devices/hv6.yml && "
             "echo x > devices/hv6.yml/y && head -c 2000000 /dev/zero > "
             "devices/hv7.yml && echo 'a: &a [*a]' > devices/hv8.yml && "
             "mkdir allocations && echo '{' > allocations/acme.yml && "
             "git add . && git commit -qm Damage && "
             "git -C ../r update-ref " REF " $(git rev-parse HEAD) && "
             "git -C ../r worktree remove ../w");
    const struct tn_status *s = tn_status_bench_load();
    cr_assert_eq(s->n_devices, 1);
    cr_assert_str_eq(s->devices[0].name, "hv2");
    cr_assert_eq(s->n_damaged, 9, "%zu", s->n_damaged);
    cr_assert_str_eq(s->damaged[0].path, "devices/hv1.yml");
    cr_assert(strstr(s->damaged[0].message, "not the id of a commit"));
    /* Writing puts it right. */
    commit_device(device("hv1", C2), 3000);
    s = tn_status_bench_load();
    cr_assert_eq(s->n_devices, 2);
    cr_assert_eq(s->n_damaged, 8);
    struct tn_text out = {0};
    const struct tn_status_view view = {.now = 4000};
    tn_status_print(&out, s, &view);
    cr_assert(strstr(tn_text_str(&out), "damaged, taken as absent: "
                                        "allocations/acme.yml"));
    tn_text_done(&out);
}

static void
refused(const char *ref, const char *saying)
{
    struct tn_status_device d = device("hv1", C1);
    struct tn_status_update u = {.devices = &d, .n_devices = 1};
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_status_commit(repo, ref, &u, NULL, &err);
    tn_error_text(&err, text, sizeof text);
    cr_assert_eq(code, TN_EDENIED, "%s: %d %s", ref, code, text);
    cr_assert(strstr(text, saying), "%s", text);
}

Test(status, never_writes_to_somebody_elses_ref)
{
    tn_sandbox_sh(box, "cd r && git branch other && git branch linked && "
                       "git worktree add -q ../l linked && "
                       "git symbolic-ref refs/heads/alias refs/heads/main && "
                       "git update-ref refs/heads/code $(git commit-tree -m x "
                       "$(printf '100644 blob %%s\\tmain.c\\n' "
                       "$(git rev-parse HEAD:tenet.yml) | git mktree))");
    refused("refs/heads/main", "checked out");
    refused("refs/heads/linked", "checked out");
    refused("refs/heads/other", "holds intent (tenet.yml)");
    refused("refs/heads/code", "did not write");
    refused("refs/heads/alias", "symbolic");
    refused("main", "full name");
    refused("refs/heads/a..b", "full name");
    refused("HEAD", "full name");
    tn_sandbox_sh(box, "cd r && test $(git rev-list --count main) = 1");
    /* An unborn branch is checked out too. */
    tn_sandbox_sh(box, "git init -q -b born r2");
    repo = tn_status_bench()->repo = tn_arena_printf(arena, "%s/r2", box->dir);
    refused("refs/heads/born", "checked out");
}

Test(status, works_in_bare_repositories_and_other_refs)
{
    tn_sandbox_sh(box, "git clone -q --bare r b.git");
    repo = tn_status_bench()->repo =
        tn_arena_printf(arena, "%s/b.git", box->dir);
    commit_device(device("hv1", C1), 1000);
    cr_assert_eq(tn_status_bench_load()->n_devices, 1);
    struct tn_status_device d = device("hv2", C1);
    struct tn_status_update u = {.devices = &d, .n_devices = 1};
    const struct tn_status *s = NULL;
    cr_assert_eq(tn_status_commit(repo, "refs/tenet/x", &u, NULL, NULL), TN_OK);
    cr_assert_eq(tn_status_load(repo, "refs/tenet/x", arena, &s, NULL), TN_OK);
    cr_assert_eq(s->n_devices, 1);
    cr_assert_str_eq(s->devices[0].name, "hv2");
    tn_sandbox_sh(box, "cd b.git && git pack-refs --all && git gc -q");
    commit_device(device("hv3", C1), 1000);
    cr_assert_eq(tn_status_bench_load()->n_devices, 2);
}

enum { WRITERS = 8, COMMITS = 20 };

static TN_NORETURN void
race(int writer)
{
    char name[16];
    for (int i = 0; i < COMMITS; i++) {
        snprintf(name, sizeof name, "w%d-%d", writer, i);
        struct tn_status_device d = device(name, C1);
        struct tn_status_update u = {.devices = &d, .n_devices = 1};
        struct tn_status_result r;
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        enum tn_code code = tn_status_commit(repo, NULL, &u, &r, &err);
        /* As a daemon would: unavailable means later. */
        for (int k = 0; code == TN_EUNAVAILABLE && k < 5; k++) {
            code = tn_status_commit(repo, NULL, &u, &r, &err);
        }
        if (code || !r.changed) {
            fprintf(stderr, "writer %d: %s\n", writer,
                    tn_error_text(&err, text, sizeof text));
            _exit(1);
        }
    }
    _exit(0);
}

Test(status, racing_writers_lose_nothing, .timeout = 110)
{
    pid_t children[WRITERS];
    for (int w = 0; w < WRITERS; w++) {
        children[w] = fork();
        if (children[w] == 0) {
            race(w);
        }
    }
    for (int w = 0; w < WRITERS; w++) {
        int rc = 0;
        waitpid(children[w], &rc, 0);
        cr_assert(WIFEXITED(rc) && WEXITSTATUS(rc) == 0, "writer %d", w);
    }
    const struct tn_status *s = tn_status_bench_load();
    cr_assert_eq(s->n_devices, WRITERS * COMMITS);
    cr_assert_eq(s->n_damaged, 0);
    TN_CLEANUP(tn_cleanup_free)
    char *count =
        tn_sandbox_out(box, "cd r && git rev-list --count " REF " && "
                            "git rev-list --min-parents=2 --count " REF " && "
                            "git rev-list --max-parents=0 --count " REF);
    char want[32];
    snprintf(want, sizeof want, "%d\n0\n1", WRITERS * COMMITS);
    cr_assert_str_eq(count, want);
    is_clean();
}

Test(status, waits_for_a_lock_and_names_it)
{
    struct tn_status_device d = device("hv1", C1);
    struct tn_status_update u = {.devices = &d, .n_devices = 1};
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    tn_sandbox_sh(box, "cd r && mkdir -p .git/refs/heads/tenet && "
                       "touch -d '1 hour' .git/" REF ".lock");
    cr_assert_eq(tn_status_commit(repo, NULL, &u, NULL, &err), TN_EUNAVAILABLE);
    tn_error_text(&err, text, sizeof text);
    cr_assert(strstr(text, ".lock"), "%s", text);
    tn_sandbox_sh(box, "rm r/.git/" REF ".lock");
    cr_assert_eq(tn_status_commit(repo, NULL, &u, NULL, NULL), TN_OK);
}

/* A writer was killed a moment ago, and its lock is not old yet. */
Test(status, outlives_a_lock)
{
    struct tn_status_device d = device("hv1", C1);
    struct tn_status_update u = {.devices = &d, .n_devices = 1};
    tn_sandbox_sh(box, "cd r && mkdir -p .git/refs/heads/tenet && "
                       ": > .git/" REF ".lock");
    cr_assert_eq(tn_status_commit(repo, NULL, &u, NULL, NULL), TN_OK);
    is_clean();
}

Test(status, breaks_the_lock_of_who_was_killed)
{
    struct tn_status_device d = device("hv1", C1);
    struct tn_status_update u = {.devices = &d, .n_devices = 1};
    tn_sandbox_sh(box, "cd r && mkdir -p .git/refs/heads/tenet && "
                       "touch -d '1 minute ago' .git/" REF ".lock");
    cr_assert_eq(tn_status_commit(repo, NULL, &u, NULL, NULL), TN_OK);
    tn_sandbox_sh(box, "test ! -e r/.git/" REF ".lock");
    is_clean();
}

Test(status, many_files_leave_as_one_pack)
{
    enum { N = 3000 };
    struct tn_status_vpc *vpcs = tn_new_n(arena, struct tn_status_vpc, N);
    for (size_t i = 0; i < N; i++) {
        vpcs[i] = (struct tn_status_vpc){
            .tenant = tn_arena_printf(arena, "t%zu", i / 10),
            .name = tn_arena_printf(arena, "v%zu", i),
            .head = {.commit = C1}};
    }
    struct tn_status_update u = {.vpcs = vpcs, .n_vpcs = N};
    tn_status_bench_commit(&u);
    cr_assert_eq(tn_status_bench_load()->n_vpcs, N);
    is_clean();
    static const char counts[] =
        "cd r && ls .git/objects/pack/*.pack | wc -l && "
        "git count-objects | cut -d' ' -f1";
    TN_CLEANUP(tn_cleanup_free)
    char *before = tn_sandbox_out(box, counts);
    cr_assert_str_eq(before, "1\n3", "%s", before);
    /* One more changes a blob, three trees and the commit. */
    vpcs[7].head.commit = C2;
    cr_assert(tn_status_bench_commit(&u).changed);
    TN_CLEANUP(tn_cleanup_free)
    char *after = tn_sandbox_out(box, counts);
    cr_assert_str_eq(after, "1\n8", "%s", after);
    is_clean();
}

Test(status, prints_for_people_and_programs)
{
    struct tn_status_device d[] = {device("hv1", C1), device("hv2", C2)};
    d[1].head.conditions[TN_COND_DEGRADED] =
        (struct tn_condition){TN_COND_TRUE, "Unreachable", "no \"route\"", 0};
    const struct tn_status_vpc v = {.tenant = "acme", .name = "web"};
    struct tn_status_update u = {
        .devices = d, .n_devices = 2, .vpcs = &v, .n_vpcs = 1, .now = 1000};
    struct tn_text out = {0};
    struct tn_status_view view = {.now = 1000 + 2 * 3600, .head = C1};
    tn_status_print(&out, tn_status_bench_load(), &view);
    cr_assert(strstr(tn_text_str(&out), "Nothing was applied yet"));
    tn_status_bench_commit(&u);
    tn_text_clear(&out);
    tn_status_print(&out, tn_status_bench_load(), &view);
    cr_assert_str_eq(
        tn_text_str(&out),
        "DEVICE  CONDITION  SINCE  COMMIT    APPLIED  WHY\n"
        "hv1     Ready      2h     1111111   2h       Verified: all is well\n"
        "hv2     Degraded   2h     2222222*  2h       Unreachable: no "
        "\"route\"\n"
        "\n"
        "VPC       CONDITION  SINCE  COMMIT  APPLIED  WHY\n"
        "acme/web  Unknown    2h     -       -\n");
    tn_text_clear(&out);
    tn_status_print_json(&out, tn_status_bench_load(), &view);
    FILE *f = fopen(tn_arena_printf(arena, "%s/json", box->dir), "w");
    fputs(tn_text_str(&out), f);
    fclose(f);
    tn_text_done(&out);
    tn_sandbox_sh(box,
                  "python3 -c 'import json; d = json.load(open(\"json\")); "
                  "assert d[\"kind\"] == \"Status\"; "
                  "assert [x[\"name\"] for x in d[\"devices\"]] == [\"hv1\", "
                  "\"hv2\"]; assert d[\"devices\"][1][\"conditions\"][2] == "
                  "{\"type\": \"Degraded\", \"status\": \"True\", \"reason\": "
                  "\"Unreachable\", \"message\": \"no \\\"route\\\"\", "
                  "\"since\": \"1970-01-01T00:16:40Z\"}; "
                  "assert d[\"vpcs\"][0][\"devices\"] == []; "
                  "assert d[\"damaged\"] == []'");
}
