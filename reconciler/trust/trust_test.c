/* trust_test.c - histories made by git and signed by ssh-keygen, good and
 * forged, and what is said of them. */
#include "reconciler/trust/trust.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/source/sandbox.h"
#include "reconciler/trust/sign.h"

/* The sandbox commits at 1700000060. */
enum { NOW = 1700001000 };

static struct tn_sandbox box;
static struct tn_arena *arena;

/* Ada may do everything, Bob acme, Dave nothing; Eve is nobody.  Names of keys
 * are names of files; 'w' is an ECDSA key.  'ci KEY' commits all that is there,
 * 'un' without a signature. */
static const char lib[] =
    "as() { k=$1; shift; git -c gpg.format=ssh -c user.signingkey=\"$HOME/$k\" "
    "\"$@\"; }\n"
    "ci() { k=$1; shift; git add -A; as $k commit -q -S --allow-empty -m "
    "\"by $k\" \"$@\"; }\n"
    "un() { git add -A; git commit -q --allow-empty -m unsigned; }\n"
    "mg() { k=$1; shift; as $k merge -q -S --no-ff -m \"merge by $k\" \"$@\" "
    ">/dev/null; }\n"
    "add() { echo \"$1@x $(cat \"$HOME/$1.pub\")\" >> .tenet/allowed_signers; "
    "}\n"
    "drop() { grep -v \"^$1@x\" .tenet/allowed_signers > t; mv t "
    ".tenet/allowed_signers; }\n"
    "scope() { echo \"      - {principal: $1@x, paths: ['$2']}\" >> tenet.yml; "
    "}\n"
    "edit() { echo more >> $1; }\n"
    "beta=tenants/beta/vpc.yml\nacme=tenants/acme/vpc.yml\n";

static void
setup(void)
{
    char path[128];
    tn_sandbox_init(&box);
    arena = tn_arena_new();
    snprintf(path, sizeof path, "%s/lib.sh", box.dir);
    FILE *f = fopen(path, "w");
    cr_assert(f);
    fputs(lib, f);
    fclose(f);
    tn_sandbox_sh(
        &box,
        "for k in ada bob dave eve; do ssh-keygen -q -t ed25519 -N '' -C $k -f "
        "$k; done; ssh-keygen -q -t ecdsa -N '' -C w -f w; . ./lib.sh; git "
        "init -q -b main r; cd r; mkdir -p .tenet tenants/acme tenants/beta; "
        "for k in ada bob dave w; do add $k; done; echo a > $acme; echo b > "
        "$beta; printf 'apiVersion: tenet/v1\\nkind: Settings\\nmetadata: "
        "{name: t}\\nspec:\\n  signers:\\n    file: "
        ".tenet/allowed_signers\\n    scopes:\\n' > tenet.yml; scope ada '**'; "
        "scope w '**'; scope bob 'tenants/acme/**'; un; git tag trusted");
}

static void
teardown(void)
{
    tn_arena_free(arena);
    tn_sandbox_done(&box);
}

TestSuite(trust, .init = setup, .fini = teardown, .timeout = 120);

static void
play(const char *script)
{
    tn_sandbox_sh(&box, ". ./lib.sh; cd r; set -e; %s", script);
}

/* The id, or null if there is no such revision. */
static const char *
rev(const char *name)
{
    if (tn_sandbox_try(&box,
                       "git -C r rev-parse -q --verify '%s^{commit}' "
                       ">/dev/null",
                       name)) {
        return NULL;
    }
    TN_CLEANUP(tn_cleanup_free)
    char *s = tn_sandbox_out(&box, "git -C r rev-parse '%s^{commit}'", name);
    return tn_arena_strdup(arena, s);
}

static struct tn_trust_verdict
check(const char *trusted, const char *commit,
      const struct tn_trust_options *options)
{
    struct tn_trust_verdict v = {0};
    struct tn_error err = {0};
    char said[TN_ERROR_TEXT];
    const char *path = tn_arena_printf(arena, "%s/r", box.dir);
    enum tn_code code =
        tn_trust_check(path, trusted, commit, options, arena, &v, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, said, sizeof said));
    cr_assert_eq(v.trusted, v.reason == TN_TRUST_FINE);
    cr_assert_eq(v.trusted, !v.message[0]);
    return v;
}

/* 'script' may tag 'bad' (default: HEAD), 'good' (default: trusted; HEAD if all
 * is fine) and move 'trusted'. */
struct history {
    const char *name, *script;
    enum tn_trust_reason reason;
    const char *saying; /* In the message, or the note. */
};

static void
judge(const struct history *h)
{
    static const struct tn_trust_options options = {.now = NOW};
    play(h->script);
    struct tn_trust_verdict v = check(rev("trusted"), rev("HEAD"), &options);
    cr_expect_eq(v.reason, h->reason, "%s: %s: %s", h->name,
                 tn_trust_reason_name(v.reason), v.message);
    const char *said = v.message[0] ? v.message : v.note ? v.note : "";
    cr_expect(strstr(said, h->saying), "%s: %s", h->name, said);
    const char *bad = rev("refs/tags/bad"), *good = rev("refs/tags/good");
    if (h->reason == TN_TRUST_FINE) {
        cr_expect_str_eq(v.commit, "");
        cr_expect_str_eq(v.good, rev("HEAD"), "%s", h->name);
    } else {
        cr_expect_str_eq(v.commit, bad ? bad : rev("HEAD"), "%s", h->name);
        cr_expect_str_eq(v.good, good ? good : rev("trusted"), "%s", h->name);
    }
}

static const struct history histories[] = {
    {"nothing new", "true", TN_TRUST_FINE, ""},
    {"admin", "edit $beta; ci ada", TN_TRUST_FINE, ""},
    {"in scope", "edit $acme; echo x > tenants/acme/new; ci bob", TN_TRUST_FINE,
     ""},
    {"unsigned", "un", TN_TRUST_UNSIGNED, "not signed"},
    {"unknown", "ci eve", TN_TRUST_UNKNOWN_SIGNER, "SHA256:"},
    {"no scope", "ci dave", TN_TRUST_OUT_OF_SCOPE, "dave@x has no path scope"},
    {"ecdsa", "ci w", TN_TRUST_UNSUPPORTED_KEY, "ecdsa-sha2-nistp256"},
    {"the middle", "ci ada; git tag good; un; git tag bad; ci ada",
     TN_TRUST_UNSIGNED, ""},

    /* Scopes. */
    {"other tenant", "edit $beta; ci bob", TN_TRUST_OUT_OF_SCOPE,
     "tenants/beta/vpc.yml is outside"},
    {"settings", "edit tenet.yml; ci bob", TN_TRUST_OUT_OF_SCOPE, "tenet.yml"},
    {"rename out", "git mv $acme tenants/beta/new.yml; ci bob",
     TN_TRUST_OUT_OF_SCOPE, "tenants/beta/new.yml"},
    {"rename in", "git mv $beta tenants/acme/new.yml; ci bob",
     TN_TRUST_OUT_OF_SCOPE, "tenants/beta/vpc.yml"},
    {"mode", "chmod +x $beta; ci bob", TN_TRUST_OUT_OF_SCOPE, "beta/vpc.yml"},
    {"removal", "git rm -q $beta; ci bob", TN_TRUST_OUT_OF_SCOPE, "beta"},
    {"directory to file",
     "git rm -qr tenants/beta; echo x > tenants/beta; ci "
     "bob",
     TN_TRUST_OUT_OF_SCOPE, "tenants/beta"},
    {"own directory to file",
     "git rm -qr tenants/acme; echo x > tenants/acme; ci bob",
     TN_TRUST_OUT_OF_SCOPE, "tenants/acme is outside"},
    {"link", "ln -s ../beta/vpc.yml tenants/acme/l; ci bob",
     TN_TRUST_OUT_OF_SCOPE, "tenants/acme/l is a link"},
    {"file to link", "ln -sf ../beta/vpc.yml $acme; ci bob",
     TN_TRUST_OUT_OF_SCOPE, "is a link"},
    {"link by admin", "ln -s ../beta/vpc.yml tenants/acme/l; ci ada",
     TN_TRUST_FINE, ""},
    {"submodule",
     "git update-index --add --cacheinfo 160000,$(git rev-parse "
     "HEAD),tenants/acme/s; as bob commit -q -S -m s",
     TN_TRUST_OUT_OF_SCOPE, "tenants/acme/s is a link or a submodule"},
    {"there and back",
     "edit $beta; ci bob; git tag bad; git checkout -q "
     "trusted -- $beta; ci bob",
     TN_TRUST_OUT_OF_SCOPE, "beta"},

    /* Who is in force. */
    {"adds oneself", "add eve; scope eve '**'; ci eve", TN_TRUST_UNKNOWN_SIGNER,
     ""},
    {"is added", "add eve; scope eve '**'; ci ada; edit $beta; ci eve",
     TN_TRUST_FINE, ""},
    {"is removed", "drop bob; ci ada; git tag good; edit $acme; ci bob",
     TN_TRUST_UNKNOWN_SIGNER, ""},
    {"removed, on an old branch",
     "git checkout -qb old; edit $acme; ci bob; git tag bad; git checkout -q "
     "main; drop bob; ci ada; git tag -f trusted >/dev/null; mg ada old",
     TN_TRUST_UNKNOWN_SIGNER, ""},
    {"removed, merges its removal",
     "git checkout -qb old; edit $acme; ci bob; git checkout -q main; drop "
     "bob; ci ada; git checkout -q old; mg bob main; git tag good HEAD~1",
     TN_TRUST_UNKNOWN_SIGNER, ""},
    {"new one merges an old branch",
     "git checkout -qb old; edit $acme; ci bob; git checkout -q main; add eve; "
     "scope eve '**'; ci ada; mg eve old",
     TN_TRUST_FINE, ""},
    {"scope taken away",
     "sed -i /bob/d tenet.yml; ci ada; git tag good; edit "
     "$acme; ci bob",
     TN_TRUST_OUT_OF_SCOPE, "bob@x has no path scope"},
    {"broken settings stay harmless",
     "cp tenet.yml ../save; echo '{' >> tenet.yml; ci ada; cp ../save "
     "tenet.yml; ci ada",
     TN_TRUST_FINE, "cannot be read"},
    {"broken settings open no door",
     "echo '{' >> tenet.yml; ci ada; git tag "
     "good; un",
     TN_TRUST_UNSIGNED, ""},
    {"removed settings open no door",
     "git rm -q tenet.yml; ci ada; git tag good; un", TN_TRUST_UNSIGNED, ""},
    {"broken signers open no door",
     "echo 'x y z' >> .tenet/allowed_signers; ci ada; git tag good; ci eve",
     TN_TRUST_UNKNOWN_SIGNER, ""},
    {"a link as signers opens no door",
     "mv .tenet/allowed_signers x; ln -s ../x .tenet/allowed_signers; ci ada; "
     "git tag good; ci eve",
     TN_TRUST_UNKNOWN_SIGNER, ""},
    {"trusted with broken settings",
     "echo '{' >> tenet.yml; ci ada; git tag -f trusted >/dev/null; ci eve",
     TN_TRUST_UNKNOWN_SIGNER, ""},
    {"namespaces",
     "sed -i 's/^ada@x/& namespaces=\"file\"/' "
     ".tenet/allowed_signers; ci ada; git tag good; ci ada",
     TN_TRUST_UNKNOWN_SIGNER, "namespace git"},
    {"signers switched off",
     "sed -i '/signers:/,$d' tenet.yml; echo '  "
     "vxlanPort: 4789' >> tenet.yml; ci ada; un",
     TN_TRUST_FINE, ""},

    /* Merges. */
    {"hidden in a side branch",
     "git checkout -qb side; un; git tag bad; ci ada; git checkout -q main; ci "
     "ada; git tag good; mg ada side; ci ada",
     TN_TRUST_UNSIGNED, ""},
    {"octopus",
     "for b in 1 2 3; do git checkout -qb b$b trusted; echo $b > "
     "tenants/acme/f$b; ci bob; done; git checkout -q main; mg bob b1 b2 b3",
     TN_TRUST_FINE, ""},
    {"octopus with one bad arm",
     "for b in 1 2 3; do git checkout -qb b$b trusted; echo $b > "
     "tenants/acme/f$b; [ $b = 2 ] && un || ci bob; done; git tag bad b2; git "
     "checkout -q main; mg bob b1 b2 b3",
     TN_TRUST_UNSIGNED, ""},
    {"octopus of others' work",
     "for b in 1 2 3; do git checkout -qb b$b trusted; echo $b > "
     "tenants/beta/f$b; ci ada; done; git checkout -q main; mg bob b1 b2 b3",
     TN_TRUST_FINE, ""},
    {"brings others' work in",
     "git checkout -qb side; edit $acme; ci bob; git checkout -q main; edit "
     "$beta; ci ada; git checkout -q side; mg bob main",
     TN_TRUST_FINE, ""},
    {"throws others' work away",
     "git checkout -qb side; edit $acme; ci bob; git checkout -q main; edit "
     "$beta; ci ada; mg bob -s ours side; mg bob side; git checkout -q side; "
     "mg bob -s ours main; git tag good HEAD~1",
     TN_TRUST_OUT_OF_SCOPE, "tenants/beta/vpc.yml"},
    {"changes more in a merge",
     "git checkout -qb side; edit $acme; ci bob; git checkout -q main; ci ada; "
     "git tag good; as bob merge -q --no-commit --no-ff side >/dev/null; edit "
     "$beta; ci bob",
     TN_TRUST_OUT_OF_SCOPE, "tenants/beta/vpc.yml"},
    {"adds a file in a merge",
     "git checkout -qb side; edit $acme; ci bob; git checkout -q main; ci ada; "
     "git tag good; as bob merge -q --no-commit --no-ff side >/dev/null; echo "
     "x > tenants/beta/n; ci bob",
     TN_TRUST_OUT_OF_SCOPE, "tenants/beta/n"},
    {"brings an old state back",
     "edit $beta; ci ada; git tag good; git checkout -q trusted; git tag o; "
     "git checkout -q main; as bob merge -q -S --no-ff -m m -s ours o "
     ">/dev/null; t=$(git rev-parse o^{tree}); c=$(as bob commit-tree -S -p "
     "main -p o -m m $t); git reset -q --hard $c; git tag bad",
     TN_TRUST_OUT_OF_SCOPE, "beta"},
    {"unrelated history",
     "git checkout -q --orphan alien; edit $beta; un; git tag bad; git "
     "checkout -q main; "
     "mg ada --allow-unrelated-histories -X theirs alien",
     TN_TRUST_UNSIGNED, ""},
    {"unrelated history, signed out of scope",
     "git checkout -q --orphan alien; git rm -rqf .; mkdir -p tenants/beta; "
     "echo x > tenants/beta/y; ci bob; git tag bad; git checkout -q main; mg "
     "ada --allow-unrelated-histories alien",
     TN_TRUST_OUT_OF_SCOPE, "tenants/beta/y"},

    /* Force-push. */
    {"rewritten",
     "ci ada; git tag -f trusted >/dev/null; git reset -q --hard "
     "HEAD~1; edit $beta; ci ada; edit $beta; ci ada",
     TN_TRUST_NOT_DESCENDANT, "was rewritten"},
    {"back to an ancestor",
     "ci ada; git tag -f trusted >/dev/null; git reset "
     "-q --hard HEAD~1",
     TN_TRUST_NOT_DESCENDANT, ""},
    {"another history", "git checkout -q --orphan alien; ci ada",
     TN_TRUST_NOT_DESCENDANT, ""},
    {"the trusted one comes second",
     "git checkout -qb side; edit $beta; ci ada; git checkout -q main; ci ada; "
     "git tag -f trusted >/dev/null; git checkout -q side; mg ada main",
     TN_TRUST_FINE, ""},
    {"the trusted one comes second, then unsigned",
     "git checkout -qb side; edit $beta; ci ada; git checkout -q main; ci ada; "
     "git tag -f trusted >/dev/null; git checkout -q side; mg ada main; git "
     "tag good; un",
     TN_TRUST_UNSIGNED, ""},

    /* Time. */
    {"expired",
     "sed -i 's/^ada@x/& valid-before=\"20231101Z\"/' "
     ".tenet/allowed_signers; ci ada; git tag good; ci ada",
     TN_TRUST_EXPIRED, "was valid until 2023-11-01"},
    {"expired and dated back",
     "sed -i 's/^ada@x/& valid-before=\"20231101Z\"/' "
     ".tenet/allowed_signers; ci ada; git tag good; "
     "GIT_COMMITTER_DATE='1600000000 +0000' ci ada",
     TN_TRUST_EXPIRED, "or later"},
    {"not yet valid",
     "sed -i 's/^ada@x/& valid-after=\"20240101Z\"/' "
     ".tenet/allowed_signers; ci ada; git tag good; ci ada",
     TN_TRUST_EXPIRED, "valid from 2024-01-01"},
    {"from the future", "GIT_COMMITTER_DATE='1700001400 +0000' ci ada",
     TN_TRUST_FROM_FUTURE, "2023-11-14 22:36:40"},
    {"a clock that is ahead", "GIT_COMMITTER_DATE='1700001290 +0000' ci ada",
     TN_TRUST_FINE, ""},
    {"an old date", "GIT_COMMITTER_DATE='1500000000 +0000' ci ada; ci ada",
     TN_TRUST_FINE, ""},

    /* Forged objects. */
    {"signature of another commit",
     "ci ada; git cat-file commit HEAD | sed 's/by ada/by Ada/' > ../o; git "
     "reset -q --hard $(git hash-object -w -t commit ../o)",
     TN_TRUST_BAD_SIGNATURE, "does not fit"},
    {"another tree under the signature",
     "ci ada; git cat-file commit HEAD > ../o; edit $beta; git add -A; sed -i "
     "\"1s/.*/tree $(git write-tree)/\" ../o; git reset -q --hard $(git "
     "hash-object -w -t commit ../o)",
     TN_TRUST_BAD_SIGNATURE, "does not fit"},
    {"a parent behind the signature",
     "ci ada; git cat-file commit HEAD | awk -v p=\"$(git rev-parse "
     "trusted)\" '/^$/ && !d {print \"parent \" p; d=1} {print}' > ../o; git "
     "reset -q --hard $(git hash-object -w --literally -t commit ../o)",
     TN_TRUST_BAD_COMMIT, "header where it does not belong"},
    {"two signatures",
     "ci ada; git cat-file commit HEAD > ../o; awk '/^gpgsig/ {c=1} c && "
     "/^[^ g]/ {c=0} /^$/ {c=0} c {s=s $0 \"\\n\"} /^$/ && !d {printf "
     "\"%s\", s; d=1} {print}' ../o > ../p; git reset -q --hard $(git "
     "hash-object -w --literally -t commit ../p)",
     TN_TRUST_BAD_COMMIT, "two signatures"},
    {"made for files",
     "un; git cat-file commit HEAD > ../o; ssh-keygen -q -Y sign -n file -f "
     "../ada ../o 2>/dev/null; awk 'NR==FNR {s=s (NR>1 ? \" \" : \"gpgsig \") "
     "$0 \"\\n\"; next} /^$/ && !d {printf \"%s\", s; d=1} {print}' ../o.sig "
     "../o > ../p; git reset -q --hard $(git hash-object -w -t commit ../p)",
     TN_TRUST_BAD_SIGNATURE, "not made for Git"},
    {"made by hand for git",
     "un; git cat-file commit HEAD > ../o; ssh-keygen -q -Y sign -n git -f "
     "../ada ../o 2>/dev/null; awk 'NR==FNR {s=s (NR>1 ? \" \" : \"gpgsig \") "
     "$0 \"\\n\"; next} /^$/ && !d {printf \"%s\", s; d=1} {print}' ../o.sig "
     "../o > ../p; git reset -q --hard $(git hash-object -w -t commit ../p)",
     TN_TRUST_FINE, ""},
    {"PGP",
     "un; git cat-file commit HEAD | awk '/^$/ && !d {print \"gpgsig "
     "-----BEGIN PGP SIGNATURE-----\\n x\\n -----END PGP SIGNATURE-----\"; "
     "d=1} {print}' > ../o; git reset -q --hard $(git hash-object -w -t "
     "commit ../o)",
     TN_TRUST_UNSUPPORTED_KEY, "none of SSH"},
    {"huge armor",
     "un; git cat-file commit HEAD | awk '/^$/ && !d {print \"gpgsig "
     "-----BEGIN SSH SIGNATURE-----\"; for (i = 0; i < 10000; i++) print \" "
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
     "; print \" -----END SSH SIGNATURE-----\"; d=1} {print}' > ../o; git "
     "reset -q --hard $(git hash-object -w -t commit ../o)",
     TN_TRUST_BAD_SIGNATURE, "too large"},
    {"huge commit",
     "un; git cat-file commit HEAD > ../o; head -c 2000000 /dev/zero | tr "
     "'\\0' x >> ../o; git reset -q --hard $(git hash-object -w -t commit "
     "../o)",
     TN_TRUST_BAD_COMMIT, "more than the limit"},
    {"a signed tag on an unsigned commit",
     "un; as ada tag -s -m release v1; git checkout -q v1", TN_TRUST_UNSIGNED,
     ""},
};

static size_t rows[TN_ARRAY_SIZE(histories)];

ParameterizedTestParameters(history, is_judged)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        rows[i] = i;
    }
    return cr_make_param_array(size_t, rows, TN_ARRAY_SIZE(rows));
}

ParameterizedTest(const size_t *row, history, is_judged, .init = setup,
                  .fini = teardown, .timeout = 120)
{
    judge(&histories[*row]);
}

Test(trust, knows_when_nobody_asked)
{
    play("git checkout -q --orphan free; git rm -rqf .; printf 'apiVersion: "
         "tenet/v1\\nkind: Settings\\nmetadata: {name: t}\\n' > tenet.yml; un; "
         "git tag first; un");
    struct tn_trust_verdict v = check(rev("first"), rev("HEAD"), NULL);
    cr_assert(v.trusted && !v.enforced && v.n_judged == 1);
    v = check(NULL, rev("HEAD"), NULL);
    cr_assert(v.trusted && !v.enforced);
    cr_assert_str_eq(v.good, rev("HEAD"));
}

Test(trust, first_contact_needs_a_root)
{
    struct tn_trust_options o = {.now = NOW};
    play("ci ada");
    struct tn_trust_verdict v = check(NULL, rev("HEAD"), &o);
    cr_assert_eq(v.reason, TN_TRUST_NO_ROOT);
    cr_assert_str_eq(v.good, "");
    o.root = rev("trusted");
    v = check(NULL, rev("HEAD"), &o);
    cr_assert(v.trusted && v.enforced && v.n_judged == 1);
    play("un");
    v = check(NULL, rev("HEAD"), &o);
    cr_assert_eq(v.reason, TN_TRUST_UNSIGNED);
    o.root = "0123456789012345678901234567890123456789";
    v = check(NULL, rev("HEAD"), &o);
    cr_assert_eq(v.reason, TN_TRUST_NOT_DESCENDANT);
    cr_assert(strstr(v.message, "does not have"), "%s", v.message);
}

Test(trust, a_file_outside_wins)
{
    const char *file = tn_arena_printf(arena, "%s/out", box.dir);
    struct tn_trust_options o = {.now = NOW, .signers_file = file};
    tn_sandbox_sh(&box, "echo \"eve@x $(cat eve.pub)\" > out");
    play("scope eve '**'; ci ada; git tag one; ci eve");
    struct tn_trust_verdict v = check(rev("trusted"), rev("HEAD"), &o);
    cr_assert_eq(v.reason, TN_TRUST_UNKNOWN_SIGNER, "%s", v.message);
    v = check(rev("one"), rev("HEAD"), &o);
    cr_assert(v.trusted && v.enforced, "%s", v.message);
    /* The first contact: the tip vouches. */
    v = check(NULL, rev("HEAD"), &o);
    cr_assert(v.trusted && v.enforced, "%s", v.message);
    v = check(NULL, rev("one"), &o);
    cr_assert_eq(v.reason, TN_TRUST_UNKNOWN_SIGNER);
    tn_sandbox_sh(&box, "echo \"bob@x $(cat bob.pub)\" >> out");
    play("edit $acme; ci bob");
    v = check(NULL, rev("HEAD"), &o);
    cr_assert_eq(v.reason, TN_TRUST_OUT_OF_SCOPE, "%s", v.message);
    /* And it is judged itself. */
    struct tn_error err = {0};
    char said[TN_ERROR_TEXT];
    const char *path = tn_arena_printf(arena, "%s/r", box.dir);
    tn_sandbox_sh(&box, "echo nonsense >> out");
    cr_assert_eq(tn_trust_check(path, NULL, rev("HEAD"), &o, arena, &v, &err),
                 TN_EINTENT);
    tn_error_text(&err, said, sizeof said);
    cr_assert(strstr(said, "out:3:"), "%s", said);
    tn_sandbox_sh(&box, "chmod o+w out");
    cr_assert_eq(tn_trust_check(path, NULL, rev("HEAD"), &o, arena, &v, NULL),
                 TN_EDENIED);
    tn_sandbox_sh(&box, "rm out");
    cr_assert_eq(tn_trust_check(path, NULL, rev("HEAD"), &o, arena, &v, NULL),
                 TN_ENOENT);
}

Test(trust, work_is_bounded)
{
    struct tn_trust_options o = {.now = NOW, .n_commits = 3};
    play("for i in 1 2 3; do ci ada; done");
    cr_assert(check(rev("trusted"), rev("HEAD"), &o).trusted);
    play("ci ada");
    struct tn_trust_verdict v = check(rev("trusted"), rev("HEAD"), &o);
    cr_assert_eq(v.reason, TN_TRUST_TOO_MANY);
    cr_assert_str_eq(v.good, rev("trusted"));
}

/* What we sign, git takes; and so do we. */
Test(trust, git_verifies_what_we_sign)
{
    TN_CLEANUP(tn_cleanup_signer) struct tn_signer *signer = NULL;
    TN_CLEANUP(tn_cleanup_free) char *armored = NULL;
    TN_CLEANUP(tn_cleanup_text) struct tn_text header = {0};
    cr_assert_eq(tn_signer_open(tn_arena_printf(arena, "%s/ada", box.dir),
                                &signer, NULL),
                 TN_OK);
    play("edit $beta; un; git cat-file commit HEAD > ../o");
    char path[128], text[4096];
    snprintf(path, sizeof path, "%s/o", box.dir);
    FILE *f = fopen(path, "r");
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    cr_assert_eq(tn_signer_sign(signer, text, n, &armored, NULL), TN_OK);
    tn_text_add(&header, "gpgsig ");
    for (const char *p = armored; p[0]; p++) {
        tn_text_addc(&header, *p);
        if (p[0] == '\n' && p[1]) {
            tn_text_addc(&header, ' ');
        }
    }
    const char *body = strstr(text, "\n\n") + 1;
    f = fopen(path, "w");
    fwrite(text, 1, (size_t) (body - text), f);
    fputs(tn_text_str(&header), f);
    fwrite(body, 1, n - (size_t) (body - text), f);
    fclose(f);
    play("git reset -q --hard $(git hash-object -w -t commit ../o); git -c "
         "gpg.ssh.allowedSignersFile=.tenet/allowed_signers verify-commit HEAD "
         "2>/dev/null");
    struct tn_trust_options o = {.now = NOW};
    cr_assert(check(rev("trusted"), rev("HEAD"), &o).trusted);
}
