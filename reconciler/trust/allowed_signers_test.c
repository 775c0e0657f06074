/* allowed_signers_test.c - the file of allowed signers: lines good and bad, and
 * ssh-keygen's opinion of them. */
#include "reconciler/trust/allowed_signers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/source/sandbox.h"

#define K1                                                                     \
    "ssh-ed25519 "                                                             \
    "AAAAC3NzaC1lZDI1NTE5AAAAIKlPBHV4ESxoVzYVEWgTsFbHXNiC0/2PvRr/Bgb/DpkM"
#define K2                                                                     \
    "ssh-ed25519 "                                                             \
    "AAAAC3NzaC1lZDI1NTE5AAAAIKlPBHV4ESxoVzYVEWgTsFbHXNiC0/2PvRr/Bgb/DpkN"

static enum tn_code
parse(struct tn_arena *arena, const char *text, struct tn_allowed_signers *out,
      struct tn_error *err)
{
    return tn_allowed_signers_parse(arena, "f", text, strlen(text), out, err);
}

static struct tn_allowed_signers
parse_ok(struct tn_arena *arena, const char *text)
{
    struct tn_allowed_signers s = {0};
    struct tn_error err = {0};
    char said[TN_ERROR_TEXT];
    cr_assert_eq(parse(arena, text, &s, &err), TN_OK, "%s",
                 tn_error_text(&err, said, sizeof said));
    return s;
}

Test(signers, reads_a_file)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_allowed_signers s = parse_ok(
        arena, "# who\n\n  \t\nada@x,ops " K1 " the key of Ada\n"
               "\"bob b@x\"\tnamespaces=\"file,g?t\",valid-after="
               "\"20200101Z\",valid-before=\"20300102030405Z\" " K2 "\r\n");
    cr_assert_eq(s.n, 2);
    cr_assert_eq(s.items[0].n_principals, 2);
    cr_assert_str_eq(s.items[0].principals[0], "ada@x");
    cr_assert_str_eq(s.items[0].principals[1], "ops");
    cr_assert(s.items[0].git && s.items[0].key.ed25519);
    cr_assert_eq(s.items[0].line, 4);
    cr_assert_eq(s.items[0].valid_after, 0);
    cr_assert_str_eq(s.items[1].principals[0], "bob b@x");
    cr_assert(s.items[1].git);
    cr_assert_eq(s.items[1].valid_after, 1577836800);
    cr_assert_eq(s.items[1].valid_before, 1893553445);
    cr_assert_eq(tn_allowed_signer_find(&s, &s.items[1].key), &s.items[1]);
    struct tn_sshkey other = s.items[0].key;
    other.hash[0] ^= 1;
    cr_assert_null(tn_allowed_signer_find(&s, &other));
    cr_assert_eq(parse_ok(arena, "").n, 0);
    cr_assert_eq(parse_ok(arena, "#").n, 0);
    cr_assert_eq(parse_ok(arena, "a " K1).n, 1);
}

static const struct {
    const char *list;
    bool git;
} spaces[] = {
    {"git", true},    {"file", false},    {"*", true},
    {"g*", true},     {"file,git", true}, {"git,!git", false},
    {"*,!g*", false}, {"!file,*", true},  {"gi", false},
    {"gitx", false},  {"GIT", false},     {"*t,!x", true},
};

Test(signers, namespaces_are_pattern_lists)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(spaces); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const char *line = tn_arena_printf(arena, "a namespaces=\"%s\" %s\n",
                                           spaces[i].list, K1);
        cr_expect_eq(parse_ok(arena, line).items[0].git, spaces[i].git, "%s",
                     spaces[i].list);
    }
}

static const struct {
    const char *text;
    uint32_t line;
    const char *saying;
} bad[] = {
    {"ada\n", 1, "expected"},
    {"\nada ssh-ed25519\n", 2, "no key after"},
    {"ada ssh-ed25519 AAAA\n", 1, "malformed key"},
    {"ada ssh-ed25519 A!\n", 1, "malformed key"},
    {"ada ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIKlPBHV4ESxoVzYVEWgTsFbHXNiC0/"
     "2PvRr/Bgb/DpkM\n",
     1, "of another type"},
    {K1 "\n", 1, "unknown option"},
    {"a " K1 "\nb " K1 "\n", 2, "stands in line 1 already"},
    {"a " K1 "\n# x\na " K2 "\nc " K2 "\n", 4, "stands in line 3"},
    {"a,a " K1 "\n", 1, "'a' twice"},
    {"a,,b " K1 "\n", 1, "empty principal"},
    {"a, " K1 "\n", 1, "empty principal"},
    {"\"\" " K1 "\n", 1, "empty principal"},
    {"!a " K1 "\n", 1, "negated"},
    {"*,!a " K1 "\n", 1, "negated"},
    {"\"a " K1 "\n", 1, "not closed"},
    {"a\"b\" " K1 "\n", 1, "quote inside"},
    {"a cert-authority " K1 "\n", 1, "certificate authorities"},
    {"a namespaces=\"git\",cert-authority " K1 "\n", 1, "certificate"},
    {"a namespaces=git " K1 "\n", 1, "double quotes"},
    {"a namespaces=\"\" " K1 "\n", 1, "double quotes"},
    {"a namespaces " K1 "\n", 1, "double quotes"},
    {"a namespaces=\"git\",namespaces=\"x\" " K1 "\n", 1, "twice"},
    {"a valid-after=\"20200101\",valid-after=\"20200101\" " K1, 1, "twice"},
    {"a valid-after=\"20200101Z\",valid-before=\"20200101Z\" " K1, 1,
     "not after"},
    {"a valid-before=\"2020\" " K1, 1, "not a time"},
    {"a valid-before=\"20201301\" " K1, 1, "not a time"},
    {"a valid-before=\"20200230\" " K1, 1, "not a time"},
    {"a valid-before=\"202002012560Z\" " K1, 1, "not a time"},
    {"a valid-before=\"2020020Z\" " K1, 1, "not a time"},
    {"a valid-before=\"20200201 Z\" " K1, 1, "not a time"},
    {"a paths=\"tenants\" " K1, 1, "unknown option"},
    {"a namespaces=\"git\", " K1, 1, "unknown option"},
    {"a ,namespaces=\"git\" " K1, 1, "unknown option"},
    {"a namespaces=\"git\" x " K1, 1, "neither an option nor"},
    {"a \x01 " K1, 1, "control characters"},
    {"a\xff " K1, 1, "control characters"},
};

Test(signers, refuses_with_the_line)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct tn_allowed_signers s = {0};
        struct tn_error err = {0};
        char said[TN_ERROR_TEXT];
        enum tn_code code = parse(arena, bad[i].text, &s, &err);
        tn_error_text(&err, said, sizeof said);
        cr_expect_eq(code, TN_EINTENT, "row %zu", i);
        cr_expect_eq(err.origin.line, bad[i].line, "row %zu: %s", i, said);
        cr_expect(strstr(said, bad[i].saying), "row %zu: %s", i, said);
        cr_expect(strncmp(said, "f:", 2) == 0, "row %zu: %s", i, said);
        cr_expect_eq(s.n, 0);
    }
}

Test(signers, bounds)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    struct tn_allowed_signers s;
    tn_text_add(&t, "a ");
    while (t.n <= TN_SIGNERS_LINE) {
        tn_text_add(&t, "                                  ");
    }
    cr_assert_eq(parse(arena, tn_text_str(&t), &s, NULL), TN_EINTENT);
    tn_text_clear(&t);
    while (t.n <= TN_SIGNERS_BYTES) {
        tn_text_add(&t, "# nothing but comments\n");
    }
    cr_assert_eq(parse(arena, tn_text_str(&t), &s, NULL), TN_EINTENT);
    tn_text_clear(&t);
    for (unsigned i = 0; i <= TN_SIGNERS_MAX; i++) {
        uint8_t key[TN_ED25519_PUBLIC] = {(uint8_t) i, (uint8_t) (i >> 8)};
        TN_CLEANUP(tn_cleanup_text) struct tn_text wire = {0};
        tn_sshkey_add(&wire, key);
        tn_text_add(&t, "a ssh-ed25519 ");
        tn_base64_add(&t, wire.s, wire.n, true);
        tn_text_add(&t, "\n");
    }
    struct tn_error err = {0};
    cr_assert_eq(parse(arena, tn_text_str(&t), &s, &err), TN_EINTENT);
    cr_assert_eq(err.origin.line, TN_SIGNERS_MAX + 1);
}

/* Files that we take, ssh-keygen takes with the same meaning. */
static const struct {
    const char *options;
    bool ok;
} judged[] = {
    {"", true},
    {"namespaces=\"git\" ", true},
    {"namespaces=\"file\" ", false},
    {"namespaces=\"*,!git\" ", false},
    {"valid-before=\"20200101Z\" ", false},
    {"valid-before=\"20250101Z\",valid-after=\"20200101Z\" ", true},
    {"valid-after=\"20250101Z\" ", false},
    {"valid-before=\"20231114221320Z\" ", true},
    {"valid-before=\"20231114221319Z\" ", false},
    {"valid-after=\"20231114221320Z\" ", true},
    {"valid-after=\"20231114221321Z\" ", false},
    {"valid-after=\"202311142213Z\",namespaces=\"git\" ", true},
};

Test(signers, agrees_with_ssh_keygen)
{
    struct tn_sandbox box;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    tn_sandbox_init(&box);
    tn_sandbox_sh(&box, "ssh-keygen -q -t ed25519 -N '' -f k && echo x > t && "
                        "ssh-keygen -q -Y sign -n git -f k t 2>/dev/null");
    TN_CLEANUP(tn_cleanup_free) char *key = tn_sandbox_out(&box, "cat k.pub");
    for (size_t i = 0; i < TN_ARRAY_SIZE(judged); i++) {
        const int64_t at = 1700000000; /* 2023-11-14 22:13:20 UTC */
        const char *line =
            tn_arena_printf(arena, "ada %s%s", judged[i].options, key);
        struct tn_allowed_signer s = parse_ok(arena, line).items[0];
        bool ok = s.git && (!s.valid_after || at >= s.valid_after) &&
                  (!s.valid_before || at <= s.valid_before);
        cr_expect_eq(ok, judged[i].ok, "row %zu", i);
        int rc = tn_sandbox_try(
            &box,
            "printf '%%s\\n' '%s' > f && ssh-keygen -Y verify -f f -I ada -n "
            "git -s t.sig -Overify-time=20231114221320Z < t >/dev/null 2>&1",
            line);
        cr_expect_eq(rc == 0, judged[i].ok, "row %zu: ssh-keygen: %d", i, rc);
    }
    tn_sandbox_done(&box);
}
