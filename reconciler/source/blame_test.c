/* blame_test.c - the lines of files and their commits, compared with git's. */
#include "reconciler/source/blame.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/source/sandbox.h"

static struct tn_sandbox box;
static struct tn_arena *arena;

static void
setup(void)
{
    tn_sandbox_init(&box);
    arena = tn_arena_new();
    tn_sandbox_sh(
        &box, "git init -q -b main r && cd r && mkdir -p t/a && "
              "printf 'one\\ntwo\\nthree\\nfour\\n' > t/a/f && git add . && "
              "git commit -qm First && "
              "sed -i s/two/TWO/ t/a/f && git commit -qam Second");
}

static void
teardown(void)
{
    tn_arena_free(arena);
    tn_sandbox_done(&box);
}

TestSuite(blame, .init = setup, .fini = teardown);

static struct tn_blame_ask
ask_of(const char *path, uint32_t first, uint32_t last)
{
    return (struct tn_blame_ask){.repo =
                                     tn_arena_printf(arena, "%s/r", box.dir),
                                 .path = path,
                                 .first = first,
                                 .last = last};
}

static struct tn_blame
blame_ok(const struct tn_blame_ask *ask)
{
    struct tn_blame b = {0};
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    cr_assert_eq(tn_source_blame(ask, arena, &b, &err), TN_OK, "%s",
                 tn_error_text(&err, text, sizeof text));
    return b;
}

/* "First|Second<Merge|-": subjects, '<' and the merge, '-' for none. */
static const char *
shown(const struct tn_blame *b)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (size_t i = 0; i < b->n; i++) {
        const struct tn_blame_line *l = &b->lines[i];
        tn_text_add(&t, i ? "|" : "");
        tn_text_add(&t, l->uncommitted ? "disk"
                        : l->commit    ? l->commit->subject
                                       : "-");
        if (l->merge) {
            tn_text_addf(&t, "<%s", l->merge->subject);
        }
    }
    return tn_arena_strdup(arena, tn_text_str(&t));
}

static const char *
blamed(const char *path, uint32_t first, uint32_t last)
{
    struct tn_blame_ask ask = ask_of(path, first, last);
    struct tn_blame b = blame_ok(&ask);
    return shown(&b);
}

Test(blame, lines_of_a_straight_history)
{
    cr_assert_str_eq(blamed("t/a/f", 1, 99), "First|Second|First|First");
    cr_assert_str_eq(blamed("t/a/f", 2, 2), "Second");
    cr_assert_str_eq(blamed("t/a/f", 7, 9), "");
}

Test(blame, no_such_file)
{
    struct tn_blame_ask ask = ask_of("t/a/g", 1, 1);
    struct tn_blame b = {0};
    struct tn_error err = {0};
    cr_assert_eq(tn_source_blame(&ask, arena, &b, &err), TN_ENOENT);
}

Test(blame, a_merge_brought_what_its_branch_wrote)
{
    tn_sandbox_sh(&box, "cd r && git checkout -qb side HEAD~1 && "
                        "sed -i s/four/FOUR/ t/a/f && git commit -qam Side && "
                        "git checkout -qb inner && echo five >> t/a/f && "
                        "git commit -qam Inner && git checkout -q side && "
                        "git merge -q --no-ff -m 'Merge inner' inner && "
                        "git checkout -q main && "
                        "git merge -q --no-ff -m 'Merge side' side");
    cr_assert_str_eq(blamed("t/a/f", 1, 9),
                     "First|Second|First|Side<Merge side|Inner<Merge side");
}

Test(blame, what_the_merge_itself_wrote)
{
    tn_sandbox_sh(&box, "cd r && git checkout -qb side HEAD~1 && "
                        "sed -i s/one/ONE/ t/a/f && git commit -qam Side && "
                        "git checkout -q main && "
                        "git merge -q --no-ff --no-commit side; "
                        "printf 'ONE\\nboth\\nthree\\nfour\\n' > t/a/f && "
                        "git add . && git commit -qm Merged");
    cr_assert_str_eq(blamed("t/a/f", 1, 4), "Side<Merged|Merged|First|First");
}

Test(blame, a_file_that_was_renamed)
{
    tn_sandbox_sh(&box, "cd r && mkdir t/b && git mv t/a/f t/b/g && "
                        "git commit -qm Moved && echo five >> t/b/g && "
                        "git commit -qam Fifth");
    cr_assert_str_eq(blamed("t/b/g", 1, 5), "First|Second|First|First|Fifth");
}

Test(blame, what_is_only_on_disk)
{
    static const char disk[] = "zero\none\nTWO\n3\n";
    struct tn_blame_ask ask = ask_of("t/a/f", 1, 9);
    ask.bytes = disk;
    ask.n_bytes = sizeof disk - 1;
    struct tn_blame b = blame_ok(&ask);
    cr_assert_str_eq(shown(&b), "disk|First|Second|disk");
}

Test(blame, bounds_and_shallow_clones_are_said)
{
    struct tn_blame_ask ask = ask_of("t/a/f", 1, 2);
    ask.max_commits = 1;
    struct tn_blame b = blame_ok(&ask);
    cr_assert_str_eq(shown(&b), "-|Second");
    cr_assert(b.cut);
    tn_sandbox_sh(&box, "git clone -q --depth 1 file://$PWD/r shallow");
    ask.repo = tn_arena_printf(arena, "%s/shallow", box.dir);
    ask.max_commits = 0;
    b = blame_ok(&ask);
    cr_assert(b.cut);
    cr_assert_str_eq(shown(&b), "-|-");
}

Test(blame, who_took_a_line_away)
{
    struct tn_commit found;
    struct tn_error err = {0};
    struct tn_blame_ask ask = ask_of("t/a/f", 3, 3);
    tn_sandbox_sh(&box, "cd r && git tag old && sed -i 1i0 t/a/f && "
                        "git commit -qam Zero && sed -i /three/d t/a/f && "
                        "git commit -qam Gone && git rm -q t/a/f && "
                        "git commit -qm All --allow-empty");
    cr_assert_eq(tn_source_removed_by(&ask, "old", &found, &err), TN_OK);
    cr_assert_str_eq(found.subject, "Gone");
    ask.first = 1;
    cr_assert_eq(tn_source_removed_by(&ask, "old", &found, &err), TN_OK);
    cr_assert_str_eq(found.subject, "All");
    ask.rev = "HEAD~2";
    cr_assert_eq(tn_source_removed_by(&ask, "old", &found, &err), TN_ENOENT);
}

/* Random edits of lines that are never written twice, on branches that are
 * merged now and then: every line must have git's commit. */
static const char random_history[] =
    "cd r && python3 - %u <<'PY'\n"
    "import random, subprocess, sys\n"
    "r = random.Random(int(sys.argv[1]))\n"
    "def git(*a):\n"
    "    return subprocess.run(('git',) + a, capture_output=True).returncode\n"
    "n = 0\n"
    "def edit(low, high):\n"
    "    global n\n"
    "    lines = open('t/a/f').read().split('\\n')[:-1]\n"
    "    at = [i for i, l in enumerate(lines) if l.startswith('part')]\n"
    "    a, b = (0, at[0]) if low else (at[0] + 1, len(lines))\n"
    "    for _ in range(r.randrange(1, 4)):\n"
    "        n += 1\n"
    "        if r.random() < .3 and b > a:\n"
    "            del lines[r.randrange(a, b)]; b -= 1\n"
    "        else:\n"
    "            lines.insert(r.randrange(a, b + 1), 'line %%d' %% n); b += 1\n"
    "    open('t/a/f', 'w').write('\\n'.join(lines) + '\\n')\n"
    "    git('commit', '-qam', 'edit %%d' %% n, '--allow-empty')\n"
    "open('t/a/f', 'w').write('part\\n'); git('commit', '-qam', 'part')\n"
    "for i in range(12):\n"
    "    git('checkout', '-qb', 'b%%d' %% i)\n"
    "    for _ in range(r.randrange(1, 4)): edit(True, False)\n"
    "    git('checkout', '-q', 'main')\n"
    "    for _ in range(r.randrange(0, 3)): edit(False, True)\n"
    "    assert git('merge', '-q', '--no-ff', '-m', 'merge', 'b%%d' %% i) == "
    "0\n"
    "PY\n";

Test(blame, random_histories_as_git_blames_them)
{
    for (unsigned seed = 1; seed <= 3; seed++) {
        tn_sandbox_sh(&box, random_history, seed);
        TN_CLEANUP(tn_cleanup_free)
        char *theirs = tn_sandbox_out(&box, "cd r && git blame -sl t/a/f | "
                                            "cut -c1-40 | tr -d '^\\n'");
        struct tn_blame_ask ask = ask_of("t/a/f", 1, 10000);
        struct tn_blame b = blame_ok(&ask);
        TN_CLEANUP(tn_cleanup_text) struct tn_text ours = {0};
        cr_assert_geq(b.n, 10);
        for (size_t i = 0; i < b.n; i++) {
            cr_assert_not_null(b.lines[i].commit);
            tn_text_add(&ours, b.lines[i].commit->id);
        }
        cr_assert_str_eq(tn_text_str(&ours), theirs, "seed %u", seed);
        tn_sandbox_sh(&box, "cd r && git branch | grep -v main | "
                            "xargs git branch -qD");
    }
}
