/* remote_hosts_test.c - known_hosts as ssh reads it; ssh-keygen is the judge of
 * hashed names. */
#include "reconciler/source/remote_hosts.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/source/sandbox.h"

#define KEY                                                                    \
    "AAAAC3NzaC1lZDI1NTE5AAAAIFtd5UPXhu0Vm3WuOyPuhpo2FqpVuUNKqTDdnLoHnWHl"

static const struct {
    const char *names, *host;
    unsigned port;
    bool found;
} rows[] = {
    {"git.example", "git.example", 22, true},
    {"git.example", "GIT.example", 22, true},
    {"Git.Example", "git.example", 22, true},
    {"git.example", "git.example", 2222, false},
    {"[git.example]:2222", "git.example", 2222, true},
    {"[git.example]:2222", "git.example", 22, false},
    {"other,git.example,192.0.2.1", "git.example", 22, true},
    {"*.example", "git.example", 22, true},
    {"*.example,!git.example", "git.example", 22, false},
    {"!git.example,*.example", "git.example", 22, false},
    {"gi?.example", "git.example", 22, true},
    {"gi?.example", "gi.example", 22, false},
    {"git.example2", "git.example", 22, false},
    {"#git.example", "git.example", 22, false},
    {"@cert-authority git.example", "git.example", 22, false},
    {"@revoked git.example", "git.example", 22, true},
    {"2001:db8::1", "2001:db8::1", 22, true},
    {"|1|bad|bad", "git.example", 22, false},
    {"|1|", "git.example", 22, false},
    {"*", "git.example", 22, true},
    {"", "git.example", 22, false},
};

Test(hosts, finds_lines_as_ssh_does)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *a = tn_arena_new();
        const char *text = tn_arena_printf(
            a, "# a comment\n\n%s ssh-ed25519 " KEY " who\r\ngarbage\nx y\n",
            rows[i].names);
        struct tn_host_keys keys =
            tn_host_keys_parse(text, rows[i].host, rows[i].port, a);
        cr_assert_eq(keys.n, rows[i].found, "row %zu", i);
        if (keys.n) {
            cr_assert_eq(keys.items[0].line, 3);
            cr_assert_eq(keys.items[0].n, 51);
            cr_assert_str_eq(keys.items[0].type, "ssh-ed25519");
        }
    }
}

Test(hosts, reads_what_ssh_keygen_hashes)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *a = tn_arena_new();
    struct tn_sandbox box;
    tn_sandbox_init(&box);
    tn_sandbox_sh(&box,
                  "printf '%%s\\n' 'git.example ssh-ed25519 " KEY
                  "' '[git.example]:2222 ssh-ed25519 " KEY
                  "' '%s ssh-ed25519 " KEY
                  "' > h && ssh-keygen -q -H -f h && ! grep -q example h",
                  "a-name-longer-than-one-block-of-sha1-which-is-sixty-four-"
                  "bytes.example");
    TN_CLEANUP(tn_cleanup_free) char *text = tn_sandbox_out(&box, "cat h");
    cr_assert_eq(tn_host_keys_parse(text, "git.example", 22, a).n, 1);
    cr_assert_eq(tn_host_keys_parse(text, "git.example", 2222, a).n, 1);
    cr_assert_eq(tn_host_keys_parse(text, "git.example", 23, a).n, 0);
    cr_assert_eq(tn_host_keys_parse(text,
                                    "a-name-longer-than-one-block-of-"
                                    "sha1-which-is-sixty-four-bytes."
                                    "example",
                                    22, a)
                     .n,
                 1);
    tn_sandbox_done(&box);
}

Test(hosts, judges_keys)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *a = tn_arena_new();
    static const char text[] = "h ssh-ed25519 " KEY "\n"
                               "r ssh-ed25519 " KEY "\n"
                               "@revoked r ssh-ed25519 " KEY "\n";
    struct tn_host_keys h = tn_host_keys_parse(text, "h", 22, a);
    struct tn_host_keys r = tn_host_keys_parse(text, "r", 22, a);
    struct tn_host_keys none = tn_host_keys_parse(text, "x", 22, a);
    struct tn_error err = {0};
    char shown[TN_ERROR_TEXT];
    const uint8_t *key = h.items[0].bytes;
    size_t n = h.items[0].n;
    cr_assert_eq(tn_host_keys_check(&h, key, n, "h", 22, "F", "f", &err),
                 TN_OK);
    cr_assert_eq(tn_host_keys_check(&h, key, n - 1, "h", 22, "F", "f", &err),
                 TN_EDENIED);
    cr_assert(strstr(tn_error_text(&err, shown, sizeof shown), "f:1"));
    cr_assert_eq(tn_host_keys_check(&r, key, n, "r", 22, "F", "f", &err),
                 TN_EDENIED);
    cr_assert(strstr(tn_error_text(&err, shown, sizeof shown), "revoked"));
    cr_assert_eq(tn_host_keys_check(&none, key, n, "x", 22, "F", "f", &err),
                 TN_EDENIED);
    cr_assert(strstr(tn_error_text(&err, shown, sizeof shown), "ssh-keyscan"));
    uint8_t zeros[32] = {0};
    char print[TN_FINGERPRINT];
    tn_host_key_print(zeros, print);
    cr_assert_str_eq(print,
                     "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}
