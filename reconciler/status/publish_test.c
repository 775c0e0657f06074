/* publish_test.c - writers that race at a remote, a remote that is away, and
 * signatures. */
#include "reconciler/status/publish.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/source/sandbox.h"
#include "reconciler/source/source.h"

#define C1 "1111111111111111111111111111111111111111"
#define REF TN_STATUS_REF_DEFAULT

enum { WRITERS = 8, COMMITS = 20 };

static struct tn_sandbox box;
static struct tn_arena *arena;
static struct tn_remote *remote;

static void
setup(void)
{
    tn_sandbox_init(&box);
    arena = tn_arena_new();
    tn_sandbox_sh(&box,
                  "git init -q -b main r && cd r && echo x > tenet.yml && "
                  "git add . && git commit -qm First && "
                  "git clone -q --bare . ../srv.git");
}

static void
teardown(void)
{
    tn_remote_close(remote);
    remote = NULL;
    tn_arena_free(arena);
    tn_sandbox_done(&box);
}

TestSuite(publish, .init = setup, .fini = teardown, .timeout = 110);

static struct tn_remote *
open_as(const char *name)
{
    static const char *const extras[] = {REF};
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    struct tn_remote *r = NULL;
    const struct tn_remote_options options = {
        .url = tn_arena_printf(arena, "%s/srv.git", box.dir),
        .branch = "main",
        .mirror = tn_arena_printf(arena, "%s/%s", box.dir, name),
        .extra_refs = extras,
        .n_extra_refs = 1,
    };
    cr_assert_eq(tn_remote_open(&options, &r, &err), TN_OK, "%s",
                 tn_error_text(&err, text, sizeof text));
    return r;
}

static struct tn_status_device
device(const char *name, uint64_t n_vpcs)
{
    return (struct tn_status_device){
        .name = name,
        .environment = "lab",
        .driver = "kernel",
        .head = {.commit = C1,
                 .conditions = {{TN_COND_TRUE, "Verified", NULL, 0},
                                {TN_COND_FALSE, "InSync", NULL, 0},
                                {TN_COND_FALSE, "Applied", NULL, 0}}},
        .n_vpcs = n_vpcs,
    };
}

static struct tn_publish_result
publish(struct tn_remote *r, const char *name, uint64_t n_vpcs,
        enum tn_code want)
{
    struct tn_status_device d = device(name, n_vpcs);
    struct tn_status_update u = {.devices = &d,
                                 .n_devices = 1,
                                 .now = 1700000000,
                                 .message =
                                     tn_arena_printf(arena, "Say %s", name)};
    struct tn_publish_result result = {0};
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code =
        tn_status_publish(r, NULL, name ? &u : NULL, &result, &err);
    cr_assert_eq(code, want, "%s: %s", tn_code_name(code),
                 tn_error_text(&err, text, sizeof text));
    return result;
}

static const char *
out(const char *command)
{
    TN_CLEANUP(tn_cleanup_free) char *s = tn_sandbox_out(&box, "%s", command);
    return tn_arena_strdup(arena, s);
}

static const struct tn_status *
load(void)
{
    const struct tn_status *s = NULL;
    cr_assert_eq(tn_status_load(tn_arena_printf(arena, "%s/srv.git", box.dir),
                                NULL, arena, &s, NULL),
                 TN_OK);
    cr_assert_eq(s->n_damaged, 0);
    return s;
}

/* A line from one root, nothing damaged, so many commits. */
static void
is_line_of(unsigned n)
{
    const char *got = out("cd srv.git && git rev-list --count " REF " && "
                          "git rev-list --min-parents=2 --count " REF " && "
                          "git rev-list --max-parents=0 --count " REF " && "
                          "git fsck --strict --no-dangling");
    cr_assert_str_eq(got, tn_arena_printf(arena, "%u\n0\n1", n));
}

Test(publish, commits_and_pushes_what_changed)
{
    remote = open_as("m1");
    struct tn_publish_result r = publish(remote, "hv1", 1, TN_OK);
    cr_assert(r.committed && r.pushed && r.tries == 1 && r.n_waiting == 0);
    cr_assert_str_eq(r.id, out("git -C srv.git rev-parse " REF));
    r = publish(remote, "hv1", 1, TN_OK);
    cr_assert(!r.committed && r.pushed && r.tries == 0);
    cr_assert_eq(load()->n_devices, 1);
    is_line_of(1);
    /* A second writer who knows nothing of the first. */
    struct tn_remote *second = open_as("m2");
    r = publish(second, "hv2", 1, TN_OK);
    cr_assert(r.pushed && r.tries == 2);
    tn_remote_close(second);
    r = publish(remote, "hv1", 5, TN_OK);
    cr_assert(r.pushed);
    const struct tn_status *s = load();
    cr_assert_eq(s->n_devices, 2);
    cr_assert_eq(s->devices[0].n_vpcs, 5);
    is_line_of(3);
}

Test(publish, keeps_commits_while_the_remote_is_away)
{
    remote = open_as("m1");
    struct tn_remote *second = open_as("m2");
    publish(remote, "both", 1, TN_OK);
    tn_sandbox_sh(&box, "mv srv.git away");
    for (unsigned i = 0; i < 5; i++) {
        struct tn_publish_result r =
            publish(remote, tn_arena_printf(arena, "a%u", i), i, TN_ENOENT);
        cr_assert(r.committed && !r.pushed);
        cr_assert_eq(r.n_waiting, i + 1);
    }
    publish(remote, "both", 7, TN_ENOENT);
    tn_sandbox_sh(&box, "mv away srv.git");
    publish(second, "b1", 1, TN_OK);
    publish(second, "both", 2, TN_OK);
    /* A restart in between loses nothing. */
    tn_remote_close(remote);
    remote = open_as("m1");
    struct tn_publish_result result = {0};
    cr_assert_eq(tn_status_publish(remote, NULL, NULL, &result, NULL), TN_OK);
    cr_assert(result.pushed && !result.committed && result.n_waiting == 0);
    const struct tn_status *s = load();
    cr_assert_eq(s->n_devices, 7);
    cr_assert_eq(tn_status_device_get(s, "both")->n_vpcs, 7);
    cr_assert_eq(tn_status_device_get(s, "a4")->n_vpcs, 4);
    cr_assert_eq(tn_status_device_get(s, "b1")->n_vpcs, 1);
    is_line_of(9);
    cr_assert_str_eq(out("git -C srv.git log --format=%s -7 " REF),
                     "Say both\nSay a4\nSay a3\nSay a2\nSay a1\nSay a0\n"
                     "Say both");
    tn_remote_close(second);
}

Test(publish, writes_again_what_somebody_deleted)
{
    remote = open_as("m1");
    publish(remote, "hv1", 1, TN_OK);
    tn_sandbox_sh(&box, "git -C srv.git update-ref -d " REF);
    struct tn_publish_result r = publish(remote, "hv2", 1, TN_OK);
    cr_assert(r.pushed);
    cr_assert_eq(load()->n_devices, 2);
}

Test(publish, in_place_needs_no_push)
{
    const struct tn_remote_options options = {
        .url = tn_arena_printf(arena, "%s/r", box.dir)};
    cr_assert_eq(tn_remote_open(&options, &remote, NULL), TN_OK);
    struct tn_publish_result r = publish(remote, "hv1", 1, TN_OK);
    cr_assert(r.committed && r.pushed && r.tries == 0);
    cr_assert_str_eq(r.id, out("git -C r rev-parse " REF));
}

/* As ssh-keygen signs; the product's own signer is in reconciler/trust. */
static enum tn_code
sign(void *ctx, const char *commit, size_t n, char **signature,
     struct tn_error *err)
{
    unsigned *count = ctx;
    char path[128];
    (void) err;
    ++*count;
    snprintf(path, sizeof path, "%s/to-sign", box.dir);
    FILE *f = fopen(path, "w");
    cr_assert(f && fwrite(commit, 1, n, f) == n && fclose(f) == 0);
    tn_sandbox_sh(&box, "rm -f to-sign.sig && "
                        "ssh-keygen -q -Y sign -f key -n git to-sign "
                        "2>/dev/null");
    *signature = tn_sandbox_out(&box, "cat to-sign.sig");
    return TN_OK;
}

static enum tn_code
sign_not(void *ctx, const char *commit, size_t n, char **signature,
         struct tn_error *err)
{
    (void) ctx;
    (void) commit;
    (void) n;
    (void) signature;
    return tn_fail(err, TN_EDENIED, 0, "no key");
}

Test(publish, signs_so_that_git_verifies)
{
    unsigned count = 0;
    tn_sandbox_sh(&box, "ssh-keygen -q -t ed25519 -N '' -f key && "
                        "printf 'tenet ' > allowed && cat key.pub >> allowed");
    remote = open_as("m1");
    struct tn_remote *second = open_as("m2");
    struct tn_status_device d = device("hv1", 1);
    struct tn_status_update u = {.devices = &d,
                                 .n_devices = 1,
                                 .message = "Signed\n\nbody",
                                 .sign = sign,
                                 .sign_ctx = &count};
    cr_assert_eq(tn_status_publish(remote, NULL, &u, NULL, NULL), TN_OK);
    tn_sandbox_sh(&box, "mv srv.git away");
    d.n_vpcs = 2;
    cr_assert_eq(tn_status_publish(remote, NULL, &u, NULL, NULL), TN_ENOENT);
    tn_sandbox_sh(&box, "mv away srv.git");
    struct tn_status_device other = device("hv2", 1);
    u.devices = &other;
    cr_assert_eq(tn_status_publish(second, NULL, &u, NULL, NULL), TN_OK);
    /* What waited is signed again where it comes to lie. */
    const struct tn_publish how = {.sign = sign, .sign_ctx = &count};
    cr_assert_eq(tn_status_publish(remote, &how, NULL, NULL, NULL), TN_OK);
    cr_assert_geq(count, 4);
    tn_sandbox_sh(&box,
                  "cd srv.git && git config gpg.ssh.allowedSignersFile "
                  "../allowed && test $(git rev-list --count " REF ") = 3 && "
                  "for c in $(git rev-list " REF "); do "
                  "git -c gpg.format=ssh verify-commit $c || exit 1; done");
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    d.n_vpcs = 9;
    u.devices = &d;
    u.sign = sign_not;
    cr_assert_eq(tn_status_publish(remote, NULL, &u, NULL, &err), TN_EDENIED);
    cr_assert(strstr(tn_error_text(&err, text, sizeof text), "no key"));
    is_line_of(3);
    tn_remote_close(second);
}

static void
race(int writer)
{
    char mirror[32];
    snprintf(mirror, sizeof mirror, "m%d", writer);
    struct tn_remote *r = open_as(mirror);
    unsigned tries = 0;
    for (int i = 0; i < COMMITS; i++) {
        struct tn_status_device d =
            device(tn_arena_printf(arena, "w%d-%d", writer, i), 1);
        struct tn_status_update u = {.devices = &d, .n_devices = 1};
        struct tn_publish_result result = {0};
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        enum tn_code code = tn_status_publish(r, NULL, &u, &result, &err);
        tries += result.tries;
        if (code) { /* It waits, and goes with the next. */
            fprintf(stderr, "writer %d: %s\n", writer,
                    tn_error_text(&err, text, sizeof text));
        }
    }
    struct tn_publish_result last = {0};
    for (int i = 0; i < 20 && !last.pushed; i++) {
        if (tn_status_publish(r, NULL, NULL, &last, NULL)) {
            continue;
        }
    }
    fprintf(stderr, "writer %d: %d commits, %u pushes\n", writer, COMMITS,
            tries);
    tn_remote_close(r);
    _exit(last.pushed ? 0 : 1);
}

Test(publish, racing_writers_lose_nothing)
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
    cr_assert_eq(load()->n_devices, WRITERS * COMMITS);
    is_line_of(WRITERS * COMMITS);
}
