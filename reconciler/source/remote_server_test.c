/* remote_server_test.c - with a real sshd and a real https server. */
#include "reconciler/source/remote.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/arena.h"
#include "model/base/cleanup.h"
#include "reconciler/source/sandbox.h"

#define STATUS "refs/heads/tenet/status"

static struct tn_sandbox box;
static struct tn_arena *arena;
static struct tn_remote *remote;
static struct tn_remote_options options;
static const char *port;
static const char *const extras[] = {STATUS};

static const char *
in_box(const char *name)
{
    return tn_arena_printf(arena, "%s/%s", box.dir, name);
}

static const char *
out(const char *command)
{
    TN_CLEANUP(tn_cleanup_free) char *s = tn_sandbox_out(&box, "%s", command);
    return tn_arena_strdup(arena, s);
}

static void
start(const char *kind)
{
    char *root = realpath("tests/support/git_server.sh", NULL);
    cr_assert(root, "run this in the top directory of the source");
    tn_sandbox_init(&box);
    arena = tn_arena_new();
    tn_sandbox_sh(&box, "cp '%s' server.sh", root);
    free(root);
    port = out(tn_arena_printf(arena, "./server.sh %s . 2>server.err", kind));
    tn_sandbox_sh(&box,
                  "git init -q -b main r && cd r && echo 1 > tenet.yml && "
                  "git add . && git commit -qm First && "
                  "git push -q ../srv.git main");
    unsetenv("TENET_GIT_TOKEN");
    options = (struct tn_remote_options){
        .branch = "main",
        .mirror = in_box("mirror"),
        .extra_refs = extras,
        .n_extra_refs = 1,
        .ssh_key = in_box("id"),
        .ssh_known_hosts = in_box("known_hosts"),
        .https_ca = in_box("ca.pem"),
        .https_token_file = in_box("token"),
        .helper = TN_REMOTE_HELPER,
        .timeout_ms = 30000,
    };
}

static void
start_ssh(void)
{
    start("ssh");
    options.url = tn_arena_printf(arena, "ssh://%s@127.0.0.1:%s%s/srv.git",
                                  out("id -un"), port, box.dir);
}

static void
start_https(void)
{
    start("https");
    options.url =
        tn_arena_printf(arena, "https://localhost:%s/git/srv.git", port);
}

static void
stop(const char *kind)
{
    tn_remote_close(remote);
    remote = NULL;
    tn_sandbox_sh(&box, "./server.sh %s . stop", kind);
    tn_arena_free(arena);
    tn_sandbox_done(&box);
}

static void
stop_ssh(void)
{
    stop("ssh");
}

static void
stop_https(void)
{
    stop("https");
}

TestSuite(remote_ssh, .init = start_ssh, .fini = stop_ssh, .timeout = 60);
TestSuite(remote_https, .init = start_https, .fini = stop_https, .timeout = 60);

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
    reopen();
    enum tn_code code = tn_remote_fetch(remote, &heads, &err);
    tn_error_text(&err, text, sizeof text);
    cr_assert_eq(code, want, "%s: %s", tn_code_name(code), text);
    cr_assert(strstr(text, words), "%s", text);
    cr_assert(!strstr(text, "sesame") && !strstr(text, "open-barley"), "%s",
              text);
}

/* Clone, follow, push, lose a race, be refused by a hook. */
static void
works(void)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    reopen();
    struct tn_remote_heads h = fetch();
    cr_assert(h.cloned && h.n_bytes > 0);
    cr_assert_str_eq(h.branch.id, out("git -C r rev-parse HEAD"));
    tn_sandbox_sh(&box, "cd r && git commit -q --allow-empty -m Second && "
                        "git push -q ../srv.git main");
    h = fetch();
    cr_assert(h.branch.changed && !h.branch.forced && !h.cloned);
    const char *s1 = out("git -C mirror commit-tree -m S1 main^{tree}");
    const char *s2 = out(tn_arena_printf(
        arena, "git -C mirror commit-tree -m S2 -p %s main^{tree}", s1));
    cr_assert_eq(tn_remote_push(remote, STATUS, s1, s2, &err), TN_ESTALE, "%s",
                 tn_error_text(&err, text, sizeof text));
    cr_assert_eq(tn_remote_push(remote, STATUS, s1, NULL, &err), TN_OK, "%s",
                 tn_error_text(&err, text, sizeof text));
    cr_assert_eq(tn_remote_push(remote, STATUS, s2, NULL, NULL), TN_ESTALE);
    tn_sandbox_sh(&box,
                  "printf '#!/bin/sh\\necho no such luck >&2\\nexit 1\\n' "
                  "> srv.git/hooks/update && chmod +x "
                  "srv.git/hooks/update");
    cr_assert_eq(tn_remote_push(remote, STATUS, s2, s1, &err), TN_EDENIED, "%s",
                 tn_error_text(&err, text, sizeof text));
    cr_assert(strstr(tn_error_text(&err, text, sizeof text), "hook"), "%s",
              text);
    tn_sandbox_sh(&box, "rm srv.git/hooks/update");
    cr_assert_eq(tn_remote_push(remote, STATUS, s2, s1, NULL), TN_OK);
    cr_assert_str_eq(out("git -C srv.git rev-parse " STATUS), s2);
    h = fetch();
    cr_assert(!h.branch.changed && !h.extra[0].changed);
    tn_sandbox_sh(&box, "git -C srv.git fsck --strict && "
                        "git -C mirror fsck --strict && "
                        "mv srv.git gone.git");
    fetch_fails(TN_ENOENT, "srv.git");
    tn_sandbox_sh(&box, "mv gone.git srv.git");
}

Test(remote_ssh, fetches_and_pushes)
{
    works();
}

Test(remote_ssh, takes_hashed_names)
{
    tn_sandbox_sh(&box, "ssh-keygen -q -H -f known_hosts && "
                        "grep -q '^|1|' known_hosts");
    reopen();
    fetch();
}

Test(remote_ssh, refuses_hosts_that_it_does_not_know)
{
    tn_sandbox_sh(&box, "cp known_hosts good");
    tn_sandbox_sh(&box, ": > known_hosts");
    fetch_fails(TN_EDENIED, "is not in");
    fetch_fails(TN_EDENIED, "SHA256:");
    fetch_fails(TN_EDENIED, "ssh-keyscan -p");
    /* The right key under another port, and another key. */
    tn_sandbox_sh(&box, "sed 's/:[0-9]* /:1 /' good > known_hosts");
    fetch_fails(TN_EDENIED, "is not in");
    tn_sandbox_sh(&box,
                  "printf '[127.0.0.1]:%s ' > known_hosts && "
                  "cut -d' ' -f1,2 other.pub >> known_hosts",
                  port);
    fetch_fails(TN_EDENIED, "is not the one that is known");
    tn_sandbox_sh(&box, "cat good > known_hosts && printf '@revoked ' >> "
                        "known_hosts && cat good >> known_hosts");
    fetch_fails(TN_EDENIED, "revoked");
    options.ssh_known_hosts = in_box("missing");
    fetch_fails(TN_EDENIED, "cannot be read");
    /* The key of a person's own file is no excuse. */
    tn_sandbox_sh(&box, "mkdir .ssh && cp good .ssh/known_hosts && "
                        ": > known_hosts");
    options.ssh_known_hosts = in_box("known_hosts");
    fetch_fails(TN_EDENIED, "is not in");
    tn_sandbox_sh(&box, "! test -e mirror/refs/heads/main");
}

Test(remote_ssh, refuses_the_wrong_key_and_user)
{
    options.ssh_key = in_box("other");
    fetch_fails(TN_EDENIED, "does not accept the key");
    options.ssh_key = in_box("missing");
    fetch_fails(TN_EDENIED, "missing");
    options.ssh_key = in_box("id");
    options.url = tn_arena_printf(arena, "ssh://nobody@127.0.0.1:%s%s/srv.git",
                                  port, box.dir);
    fetch_fails(TN_EDENIED, "does not accept the key");
}

Test(remote_https, fetches_and_pushes)
{
    works();
}

Test(remote_https, takes_a_token_from_the_environment)
{
    options.https_token_file = NULL;
    fetch_fails(TN_EDENIED, "wants a token");
    setenv("TENET_GIT_TOKEN", "open-barley", 1);
    fetch_fails(TN_EDENIED, "does not accept the token");
    setenv("TENET_GIT_TOKEN", "sesame", 1);
    reopen();
    fetch();
    tn_sandbox_sh(&box, "! grep -rq sesame mirror");
}

Test(remote_https, refuses_certificates_and_tokens_that_are_wrong)
{
    options.https_ca = in_box("other-ca.pem");
    fetch_fails(TN_EDENIED, "certificate");
    options.https_ca = NULL;
    fetch_fails(TN_EDENIED, "certificate");
    options.https_ca = in_box("missing.pem");
    fetch_fails(TN_EDENIED, "missing.pem");
    options.https_ca = in_box("ca.pem");
    options.url =
        tn_arena_printf(arena, "https://127.0.0.1:%s/git/srv.git", port);
    fetch_fails(TN_EDENIED, "certificate");
    options.url =
        tn_arena_printf(arena, "https://localhost:%s/git/srv.git", port);
    tn_sandbox_sh(&box, "echo open-barley > wrong && : > empty-token");
    options.https_token_file = in_box("wrong");
    fetch_fails(TN_EDENIED, "does not accept the token");
    options.https_token_file = in_box("empty-token");
    fetch_fails(TN_EDENIED, "is empty");
    options.https_token_file = in_box("token");
    options.https_user = "somebody";
    fetch_fails(TN_EDENIED, "user somebody");
}

Test(remote_https, stays_on_its_host)
{
    options.url =
        tn_arena_printf(arena, "https://localhost:%s/moved/srv.git", port);
    fetch_fails(TN_EDENIED, "redirect");
    options.url =
        tn_arena_printf(arena, "https://localhost:%s/here/srv.git", port);
    reopen();
    fetch();
    /* A proxy of the environment is not asked. */
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    fetch();
    options.proxy = "http://127.0.0.1:1";
    fetch_fails(TN_EUNAVAILABLE, "connect");
}
