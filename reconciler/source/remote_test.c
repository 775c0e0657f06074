/* remote_test.c - mirrors, local remotes, and remotes that misbehave.  Real
 * servers are in remote_server_test.c. */
#include "reconciler/source/remote.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/arena.h"
#include "model/base/cleanup.h"
#include "reconciler/source/sandbox.h"
#include "reconciler/source/source.h"

#define STATUS "refs/heads/tenet/status"

static struct tn_sandbox box;
static struct tn_arena *arena;
static struct tn_remote *remote;
static struct tn_remote_options options;
static const char *const extras[] = {STATUS};

static void
setup(void)
{
    tn_sandbox_init(&box);
    arena = tn_arena_new();
    tn_sandbox_sh(&box,
                  "git init -q -b main r && cd r && echo 1 > tenet.yml && "
                  "git add . && git commit -qm First");
    options = (struct tn_remote_options){
        .url = tn_arena_printf(arena, "%s/r", box.dir),
        .branch = "main",
        .mirror = tn_arena_printf(arena, "%s/state/mirror", box.dir),
        .extra_refs = extras,
        .n_extra_refs = 1,
        .timeout_ms = 30000,
    };
}

static void
teardown(void)
{
    tn_remote_close(remote);
    remote = NULL;
    tn_arena_free(arena);
    tn_sandbox_done(&box);
}

TestSuite(remote, .init = setup, .fini = teardown, .timeout = 60);

static void
reopen(void)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    tn_remote_close(remote);
    remote = NULL;
    cr_assert_eq(tn_remote_open(&options, &remote, &err), TN_OK, "%s",
                 tn_error_text(&err, text, sizeof text));
}

static struct tn_remote_heads
fetch(void)
{
    struct tn_remote_heads heads;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    if (!remote) {
        reopen();
    }
    cr_assert_eq(tn_remote_fetch(remote, &heads, &err), TN_OK, "%s",
                 tn_error_text(&err, text, sizeof text));
    return heads;
}

static void
fetch_fails(enum tn_code want, const char *words)
{
    struct tn_remote_heads heads;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_remote_fetch(remote, &heads, &err);
    tn_error_text(&err, text, sizeof text);
    cr_assert_eq(code, want, "%s: %s", tn_code_name(code), text);
    cr_assert(strstr(text, words), "%s", text);
}

static const char *
out(const char *command)
{
    TN_CLEANUP(tn_cleanup_free) char *s = tn_sandbox_out(&box, "%s", command);
    return tn_arena_strdup(arena, s);
}

static const char *
id_of(const char *rev)
{
    return out(tn_arena_printf(arena, "git -C r rev-parse '%s'", rev));
}

static int64_t
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

Test(remote, clones_follows_and_says_what_changed)
{
    struct tn_remote_heads h = fetch();
    struct stat st;
    cr_assert(h.cloned && !h.repaired);
    cr_assert_str_eq(h.branch.ref, "refs/heads/main");
    cr_assert_str_eq(h.branch.id, id_of("HEAD"));
    cr_assert_str_eq(h.branch.before, "");
    cr_assert(h.branch.changed && !h.branch.forced);
    cr_assert_str_eq(h.extra[0].id, "");
    cr_assert(!h.extra[0].changed);
    cr_assert(stat(options.mirror, &st) == 0 && (st.st_mode & 0777) == 0700);
    h = fetch();
    cr_assert(!h.branch.changed && !h.cloned);
    tn_sandbox_sh(&box, "cd r && echo 2 > tenet.yml && git commit -qam Second "
                        "&& git branch tenet/status");
    reopen();
    h = fetch();
    cr_assert(h.branch.changed && !h.branch.forced && !h.cloned);
    cr_assert_str_eq(h.branch.before, id_of("HEAD~1"));
    cr_assert_str_eq(h.extra[0].id, id_of("HEAD"));
    cr_assert(h.extra[0].changed);
    struct tn_source *s = NULL;
    struct tn_commit info;
    cr_assert_eq(
        tn_source_open_commit(tn_remote_repo(remote), NULL, &s, &info, NULL),
        TN_OK);
    cr_assert_str_eq(info.subject, "Second");
    cr_assert_str_eq(info.branch, "main");
    s->ops->free(s);
    tn_sandbox_sh(&box, "git -C r branch -D -q tenet/status && "
                        "git -C state/mirror fsck --strict");
    h = fetch();
    cr_assert_str_eq(h.extra[0].id, "");
    cr_assert(h.extra[0].changed);
}

Test(remote, tells_a_forced_branch_from_a_continued_one)
{
    bool is = false;
    tn_sandbox_sh(&box, "cd r && git commit -q --allow-empty -m Second");
    struct tn_remote_heads h = fetch();
    const char *dropped = id_of("HEAD");
    tn_sandbox_sh(&box, "cd r && git reset -q --hard HEAD~1 && "
                        "git commit -q --allow-empty -m Other");
    h = fetch();
    cr_assert(h.branch.forced && !h.branch.unrelated);
    cr_assert_str_eq(h.branch.before, dropped);
    cr_assert_eq(tn_remote_descends(remote, h.branch.id, dropped, &is, NULL),
                 TN_OK);
    cr_assert(!is);
    cr_assert_eq(
        tn_remote_descends(remote, h.branch.id, id_of("HEAD~1"), &is, NULL),
        TN_OK);
    cr_assert(is);
    /* What was dropped is still there to go back to. */
    struct tn_commit info;
    cr_assert_eq(
        tn_source_resolve(tn_remote_repo(remote), dropped, &info, NULL), TN_OK);
    tn_sandbox_sh(&box, "cd r && git checkout -q --orphan new && "
                        "git commit -qm Unrelated && git branch -M main");
    h = fetch();
    cr_assert(h.branch.forced && h.branch.unrelated);
}

Test(remote, keeps_what_it_has_when_the_remote_turns_bad)
{
    struct tn_remote_heads h = fetch();
    const char *good = id_of("HEAD");
    tn_sandbox_sh(&box, "cd r && git branch -q other && git checkout -q other "
                        "&& git branch -D -q main");
    fetch_fails(TN_ENOENT, "has no refs/heads/main");
    tn_sandbox_sh(&box, "mv r r2 && echo garbage > r");
    fetch_fails(TN_ENOENT, "/r");
    tn_sandbox_sh(&box, "rm r && mkdir -p r/.git/refs r/.git/objects && "
                        "head -c 4096 /dev/urandom > r/.git/HEAD && "
                        "head -c 999 /dev/urandom > r/.git/packed-refs");
    struct tn_error err = {0};
    cr_assert_neq(tn_remote_fetch(remote, &h, &err), TN_OK);
    tn_sandbox_sh(&box, "rm -rf r && mv r2 r && cd r && git branch -M main && "
                        "printf 'x' | git hash-object -w --stdin > .git/b && "
                        "git update-ref refs/tags/blob $(cat .git/b)");
    h = fetch();
    cr_assert_str_eq(h.branch.id, good);
    cr_assert(!h.branch.changed);
    options.branch = "refs/tags/blob";
    reopen();
    fetch_fails(TN_EINTENT, "names no commit");
    /* The remote lost an object: what is half there is not taken. */
    options.branch = "main";
    tn_sandbox_sh(&box, "cd r && echo 9 > tenet.yml && git commit -qam Broken "
                        "&& b=$(git rev-parse HEAD:tenet.yml) && "
                        "rm -f .git/objects/$(echo $b | cut -c1-2)/*");
    reopen();
    cr_assert_neq(tn_remote_fetch(remote, &h, &err), TN_OK);
    tn_sandbox_sh(&box, "test $(git -C state/mirror rev-parse main) = %s",
                  good);
}

Test(remote, follows_tags_and_the_default_branch)
{
    tn_sandbox_sh(&box, "cd r && git tag -a -m One v1 && "
                        "git commit -q --allow-empty -m Second");
    options.branch = "refs/tags/v1";
    struct tn_remote_heads h = fetch();
    cr_assert_str_eq(h.branch.id, id_of("HEAD~1"));
    cr_assert_str_eq(h.branch.ref, "refs/tags/v1");
    options.branch = NULL;
    reopen();
    h = fetch();
    cr_assert_str_eq(h.branch.ref, "refs/heads/main");
    cr_assert_str_eq(h.branch.id, id_of("HEAD"));
}

Test(remote, throws_a_damaged_mirror_away)
{
    static const char *const damages[] = {
        "rm -rf state/mirror/objects/*",
        ": > state/mirror/HEAD",
        ": > state/mirror/refs/heads/main",
        "rm -f state/mirror/config",
        "for p in state/mirror/objects/pack/*.pack; do truncate -s 40 $p; done",
        "rm -f state/mirror/objects/pack/*.idx",
        "git -C state/mirror config tenet.url elsewhere",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(damages); i++) {
        fetch();
        tn_remote_close(remote);
        remote = NULL;
        tn_sandbox_sh(&box, "chmod -R u+w state && %s", damages[i]);
        struct tn_remote_heads h = fetch();
        cr_assert(h.repaired && h.cloned, "%s", damages[i]);
        cr_assert_str_eq(h.branch.id, id_of("HEAD"));
        tn_sandbox_sh(&box, "git -C state/mirror fsck --strict && "
                            "test ! -e state/mirror.gone");
    }
    /* Under our feet, and by hand. */
    tn_sandbox_sh(&box, "rm -rf state/mirror/objects/* && cd r && "
                        "git commit -q --allow-empty -m More");
    struct tn_remote_heads h = fetch();
    cr_assert(h.repaired);
    cr_assert_eq(tn_remote_reset(remote, NULL), TN_OK);
    h = fetch();
    cr_assert(h.cloned && h.repaired);
    h = fetch();
    cr_assert(!h.cloned && !h.repaired);
}

Test(remote, leaves_alone_what_is_no_mirror)
{
    struct tn_remote *second = NULL;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    fetch();
    cr_assert_eq(tn_remote_open(&options, &second, &err), TN_EUNAVAILABLE);
    cr_assert(strstr(tn_error_text(&err, text, sizeof text), "in use"));
    tn_sandbox_sh(&box, "mkdir -p precious && echo x > precious/file");
    options.mirror = tn_arena_printf(arena, "%s/precious", box.dir);
    cr_assert_eq(tn_remote_open(&options, &second, &err), TN_EDENIED);
    tn_sandbox_sh(&box, "grep -q x precious/file");
}

Test(remote, pushes_only_onto_what_is_expected)
{
    tn_sandbox_sh(&box, "git init -q --bare -b main b && git -C r push -q "
                        "../b main");
    options.url = tn_arena_printf(arena, "file://%s/b", box.dir);
    struct tn_remote_heads h = fetch();
    tn_sandbox_sh(&box,
                  "git -C state/mirror update-ref " STATUS
                  " $(git -C state/mirror commit-tree -m S1 main^{tree})");
    const char *s1 = out("git -C state/mirror rev-parse " STATUS);
    const char *s2 =
        out("git -C state/mirror commit-tree -m S2 -p " STATUS " main^{tree}");
    const char *s3 = out("git -C state/mirror commit-tree -m S3 main^{tree}");
    cr_assert_eq(tn_remote_push(remote, STATUS, s1, s2, NULL), TN_ESTALE);
    cr_assert_eq(tn_remote_push(remote, STATUS, s1, NULL, NULL), TN_OK);
    cr_assert_eq(tn_remote_push(remote, STATUS, s2, NULL, NULL), TN_ESTALE);
    cr_assert_eq(tn_remote_push(remote, STATUS, s3, s1, NULL), TN_ESTALE);
    cr_assert_eq(tn_remote_push(remote, STATUS, s2, s1, NULL), TN_OK);
    cr_assert_str_eq(out("git -C b rev-parse " STATUS), s2);
    struct tn_remote_head head;
    cr_assert_eq(tn_remote_fetch_extra(remote, STATUS, &head, NULL), TN_OK);
    cr_assert_str_eq(head.id, s2);
    cr_assert(!head.changed);
    cr_assert_str_eq(h.branch.id, id_of("main"));
    tn_sandbox_sh(&box, "git -C b fsck --strict");
}

Test(remote, breaks_only_old_locks)
{
    tn_sandbox_sh(&box, "git init -q --bare -b main b && git -C r push -q "
                        "../b main && mkdir -p b/refs/heads/tenet && "
                        ": >b/" STATUS ".lock");
    options.url = tn_arena_printf(arena, "file://%s/b", box.dir);
    fetch();
    const char *s1 = out("git -C state/mirror commit-tree -m S1 main^{tree}");
    cr_assert_eq(tn_remote_push(remote, STATUS, s1, NULL, NULL), TN_ESTALE);
    tn_sandbox_sh(&box, "touch -d '1 minute ago' b/" STATUS ".lock");
    cr_assert_eq(tn_remote_push(remote, STATUS, s1, NULL, NULL), TN_OK);
    cr_assert_str_eq(out("git -C b rev-parse " STATUS), s1);
    tn_sandbox_sh(&box, "test ! -e b/" STATUS ".lock");
}

Test(remote, uses_a_local_repository_in_place)
{
    options.mirror = NULL;
    options.branch = NULL;
    struct tn_remote_heads h = fetch();
    cr_assert(tn_remote_is_in_place(remote));
    cr_assert_str_eq(h.branch.ref, "refs/heads/main");
    cr_assert_str_eq(h.branch.id, id_of("HEAD"));
    cr_assert(h.branch.changed);
    struct pollfd p = {.fd = tn_remote_watch_fd(remote), .events = POLLIN};
    cr_assert_eq(poll(&p, 1, 0), 0);
    tn_sandbox_sh(&box, "cd r && git commit -q --allow-empty -m Second");
    cr_assert_eq(poll(&p, 1, 1000), 1);
    cr_assert(tn_remote_watch_take(remote));
    cr_assert_eq(poll(&p, 1, 0), 0);
    h = fetch();
    cr_assert(h.branch.changed && !h.branch.forced);
    tn_sandbox_sh(&box, "cd r && git pack-refs --all");
    tn_remote_watch_take(remote);
    tn_sandbox_sh(&box, "cd r && git commit -q --allow-empty -m Third");
    cr_assert_eq(poll(&p, 1, 1000), 1);
    cr_assert(tn_remote_watch_take(remote));
    tn_sandbox_sh(&box, "cd r && git checkout -q -b topic/x");
    cr_assert(tn_remote_watch_take(remote));
    tn_sandbox_sh(&box, "cd r && git commit -q --allow-empty -m Fourth");
    cr_assert(tn_remote_watch_take(remote));
    tn_sandbox_sh(&box, "cd r && git reset -q --hard HEAD~3");
    h = fetch();
    cr_assert_str_eq(h.branch.ref, "refs/heads/topic/x");
    cr_assert(h.branch.changed && h.branch.forced);
    tn_sandbox_sh(&box, "rm -rf r/.git/refs/heads/topic");
    fetch_fails(TN_ENOENT, "has no commit yet");
}

static const struct {
    const char *url;
    const char *fault;
} urls[] = {
    {"https://user:secret@host/x", "password"},
    {"ssh://git:secret@host/x", "password"},
    {"http://host/x", "scheme that is not accepted"},
    {"git://host/x", "scheme that is not accepted"},
    {"ext::sh -c id", "helper program"},
    {"ssh://-oProxyCommand=id/x", "host or user"},
    {"-oProxyCommand=id:x", "host or user"},
    {"https://host", "no path"},
    {"https://ho st/x", "host or user"},
    {"ssh://host:99999/x", "port"},
    {"ssh://host:1x/x", "port"},
    {"ssh://[::1/x", "']'"},
    {"file://elsewhere/x", "another machine"},
    {"https://host/x\ny", "control"},
    {"", "no usable path"},
};

Test(remote, refuses_urls_without_repeating_secrets)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(urls); i++) {
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        options.url = urls[i].url;
        cr_assert_eq(tn_remote_open(&options, &remote, &err), TN_EDENIED, "%s",
                     urls[i].url);
        tn_error_text(&err, text, sizeof text);
        cr_assert(strstr(text, urls[i].fault), "%s: %s", urls[i].url, text);
        cr_assert(!strstr(text, "secret"), "%s", text);
    }
    static const char *const good[][2] = {
        {"https://token@host:444/a/b.git", "https://host:444/a/b.git"},
        {"ssh://git@host/a", "ssh://git@host/a"},
        {"git@host.example:a/b.git", "git@host.example:a/b.git"},
        {"ssh://[::1]:2222/a", "ssh://[::1]:2222/a"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(good); i++) {
        options.url = good[i][0];
        reopen();
        cr_assert_str_eq(tn_remote_name(remote), good[i][1]);
    }
}

/* A server that takes connections and does no more, or a byte a second. */
struct dead_server {
    int fd;
    unsigned port;
    bool trickle;
    pthread_t thread;
};

static void *
be_dead(void *arg)
{
    struct dead_server *d = arg;
    int fd = accept(d->fd, NULL, NULL);
    for (int i = 0; fd >= 0 && d->trickle && i < 20; i++) {
        if (send(fd, "S", 1, MSG_NOSIGNAL) < 0) {
            break;
        }
        usleep(200000);
    }
    char c;
    while (fd >= 0 && read(fd, &c, 1) > 0) {
    }
    close(fd);
    return NULL;
}

static void
start_dead(struct dead_server *d)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(d->fd, (void *) &a, n) == 0 && listen(d->fd, 5) == 0 &&
              getsockname(d->fd, (void *) &a, &n) == 0);
    d->port = ntohs(a.sin_port);
    pthread_create(&d->thread, NULL, be_dead, d);
}

static void
stop_dead(struct dead_server *d)
{
    shutdown(d->fd, SHUT_RDWR);
    pthread_join(d->thread, NULL);
    close(d->fd);
}

Test(remote, does_not_wait_for_the_dead)
{
    static const struct {
        const char *url;
        bool trickle;
    } rows[] = {
        {"ssh://git@127.0.0.1:%u/x", false},
        {"ssh://git@127.0.0.1:%u/x", true},
        {"https://127.0.0.1:%u/x", false},
    };
    tn_sandbox_sh(&box, ": > hosts");
    options.ssh_known_hosts = tn_arena_printf(arena, "%s/hosts", box.dir);
    options.timeout_ms = 600;
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct dead_server d = {.trickle = rows[i].trickle};
        start_dead(&d);
        char url[64];
        snprintf(url, sizeof url,
                 i == 2 ? "https://127.0.0.1:%u/x" : "ssh://git@127.0.0.1:%u/x",
                 d.port);
        options.url = url;
        reopen();
        int64_t began = now_ms();
        fetch_fails(TN_EUNAVAILABLE, "does not answer");
        int64_t took = now_ms() - began;
        cr_assert(took >= 550 && took < 1500, "row %zu: %d ms", i, (int) took);
        stop_dead(&d);
    }
    options.url = "ssh://git@127.0.0.1:1/x";
    reopen();
    fetch_fails(TN_EUNAVAILABLE, "127.0.0.1");
    options.url = "https://name.invalid/x";
    reopen();
    fetch_fails(TN_EUNAVAILABLE, "name.invalid");
}

static void *
cancel_soon(void *arg)
{
    usleep(200000);
    tn_remote_cancel(arg);
    return NULL;
}

Test(remote, stops_at_once_when_cancelled)
{
    struct dead_server d = {.trickle = false};
    pthread_t thread;
    start_dead(&d);
    options.url = tn_arena_printf(arena, "https://127.0.0.1:%u/x", d.port);
    options.timeout_ms = 30000;
    reopen();
    pthread_create(&thread, NULL, cancel_soon, remote);
    int64_t began = now_ms();
    fetch_fails(TN_EUNAVAILABLE, "interrupted");
    cr_assert(now_ms() - began < 1000);
    fetch_fails(TN_EUNAVAILABLE, "interrupted");
    pthread_join(thread, NULL);
    stop_dead(&d);
}

Test(remote, starts_another_program_as_helper)
{
    options.helper = TN_REMOTE_HELPER;
    struct tn_remote_heads h = fetch();
    cr_assert_str_eq(h.branch.id, id_of("HEAD"));
    options.helper = "/nonexistent/program";
    reopen();
    fetch_fails(TN_EINTERNAL, "cannot be started");
    options.helper = "/bin/false";
    reopen();
    fetch_fails(TN_EUNAVAILABLE, "ended (status 1)");
    tn_sandbox_sh(&box, "printf '#!/bin/sh\\nexec sleep 60\\n' > sleeper && "
                        "chmod +x sleeper");
    options.helper = tn_arena_printf(arena, "%s/sleeper", box.dir);
    options.timeout_ms = 300;
    reopen();
    fetch_fails(TN_EUNAVAILABLE, "does not answer");
}

/* A helper that writes down what it may. */
static const char *
caps_of_helper(const char *url)
{
    options.helper = tn_arena_printf(arena, "%s/teller", box.dir);
    options.url = url;
    options.mirror = tn_arena_printf(arena, "%s/state/told", box.dir);
    tn_sandbox_sh(&box,
                  "rm -rf told state/told && printf '#!/bin/sh\\ngrep CapPrm "
                  "/proc/self/status >%s/told\\n' > teller && chmod +x teller",
                  box.dir);
    reopen();
    fetch_fails(TN_EUNAVAILABLE, "ended");
    return tn_sandbox_out(&box, "cut -f 2 told");
}

Test(remote, helper_has_no_privileges)
{
    char *far = (char *) caps_of_helper("https://localhost:1/r");
    cr_assert_str_eq(far, "0000000000000000");
    free(far);
    char *near =
        (char *) caps_of_helper(tn_arena_printf(arena, "file://%s/r", box.dir));
    char *ours = tn_sandbox_out(&box, "grep CapPrm /proc/self/status | cut "
                                      "-f 2");
    uint64_t has = strtoull(near, NULL, 16), had = strtoull(ours, NULL, 16);
    cr_assert_eq(has, had & UINT64_C(1) << 1); /* CAP_DAC_OVERRIDE */
    free(near);
    free(ours);
}

static const char *
there(const char *name)
{
    return tn_sandbox_try(&box, "test -e r/.git/objects/%s", name) ? "no"
                                                                   : "yes";
}

/* Half-written objects are swept from a repository in place when they are
 * old, and nothing else is. */
Test(remote, sweeps_in_place_what_a_kill_left)
{
    static const struct {
        const char *name, *age, *stays;
    } rows[] = {
        {"tmp_object_git2_aB3dE6", "2 hours ago", "no"},
        {"tmp_obj_XyZ123", "2 hours ago", "no"},
        {"pack/pack_git2_aB3dE6", "61 minutes ago", "no"},
        {"pack/tmp_pack_aB3dE6", "1 year ago", "no"},
        {"tmp_object_git2_fresh1", "50 minutes ago", "yes"},
        {"tmp_object_git2_future", "tomorrow", "yes"},
        {"pack/pack-keep.txt", "1 year ago", "yes"},
        {"info/tmp_obj_elsewhere", "1 year ago", "yes"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        tn_sandbox_sh(&box, "touch -d '%s' r/.git/objects/%s", rows[i].age,
                      rows[i].name);
    }
    tn_sandbox_sh(&box, "ln -s /nowhere r/.git/objects/tmp_obj_link && "
                        "touch -h -d '1 year ago' r/.git/objects/tmp_obj_link");
    options.mirror = NULL;
    reopen();
    fetch();
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        cr_expect_str_eq(there(rows[i].name), rows[i].stays, "%s",
                         rows[i].name);
    }
    tn_sandbox_sh(&box, "test -L r/.git/objects/tmp_obj_link");
}

Test(remote, bounds_what_it_takes)
{
    tn_sandbox_sh(&box, "cd r && head -c 3000000 /dev/urandom > big && "
                        "git add big && git commit -qm Big");
    options.max_bytes = 1 << 20;
    reopen();
    fetch_fails(TN_EINTENT, "bytes are not accepted");
    tn_sandbox_sh(&box, "! ls state/mirror/objects/pack | grep .");
    options.max_bytes = 8 << 20;
    reopen();
    fetch();
}

/* A process that fetches over and over, killed at random instants. */
Test(remote, survives_kill_at_any_instant)
{
    fetch();
    tn_remote_close(remote);
    remote = NULL;
    unsigned damaged = 0;
    srand(42);
    for (int i = 0; i < 30; i++) {
        tn_sandbox_sh(&box,
                      "cd r && head -c 20000 /dev/urandom > f%d && "
                      "git add . && git commit -qm C%d",
                      i, i);
        pid_t pid = fork();
        if (pid == 0) {
            struct tn_remote_heads h;
            if (tn_remote_open(&options, &remote, NULL) ||
                tn_remote_fetch(remote, &h, NULL)) {
                _exit(1);
            }
            _exit(0);
        }
        usleep((useconds_t) (rand() % 25000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        /* The child's child is told by the kernel; it holds the lock. */
        for (int k = 0; k < 500; k++) {
            if (!tn_remote_open(&options, &remote, NULL)) {
                break;
            }
            usleep(2000);
        }
        cr_assert(remote, "round %d", i);
        struct tn_remote_heads h = fetch();
        damaged += h.repaired;
        cr_assert_str_eq(h.branch.id, id_of("HEAD"));
        tn_remote_close(remote);
        remote = NULL;
    }
    tn_sandbox_sh(&box, "git -C state/mirror fsck --strict && "
                        "! find state -name '*.lock' -path '*mirror/*' | "
                        "grep .");
    fprintf(stderr, "30 kills, %u mirrors cloned anew\n", damaged);
}

Test(remote, merges_packs_as_they_come)
{
    for (int i = 0; i < 60; i++) {
        tn_sandbox_sh(&box, "cd r && echo %d > tenet.yml && git commit -qam %d",
                      i, i);
        fetch();
    }
    const char *n = out("ls state/mirror/objects/pack/*.pack | wc -l");
    cr_assert(atoi(n) > 0 && atoi(n) <= 42, "%s packs", n);
    char held[96];
    snprintf(held, sizeof held,
             "ls -l /proc/%d/fd | grep -c 'pack (deleted)' || true",
             (int) getpid());
    n = out(held);
    cr_assert_eq(atoi(n), 0, "%s that were merged are kept open", n);
    tn_sandbox_sh(&box, "git -C state/mirror fsck --strict");
    cr_assert_str_eq(out("git -C state/mirror rev-list --count main"), "61");
}
