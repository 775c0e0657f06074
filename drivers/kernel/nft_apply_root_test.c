/* nft_apply_root_test.c - sessions: what is applied is there, what somebody
 * changed is seen, and only what is wrong is written.  Needs root.  For what
 * the rules do to packets see nft_root_test.c. */
#include "drivers/kernel/nft.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <criterion/criterion.h>

#include "drivers/kernel/nft_fixture.h"
#include "drivers/kernel/nft_kernel.h"
#include "model/base/cleanup.h"

static int
namespace_of_own(void)
{
    struct tn_error err = {0};
    int fd = -1;
    cr_assert(tn_nft_scratch(&fd, &err) == TN_OK, "needs root");
    return fd;
}

static void
must(enum tn_code code, const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    cr_assert(code == TN_OK, "%s", tn_error_text(err, text, sizeof text));
}

static struct tn_nft_observed
observe(struct tn_nft *nft, int ns, const struct tn_nft_ruleset *want,
        struct tn_arena *arena)
{
    struct tn_error err = {0};
    struct tn_nft_observed o = {0};
    must(tn_nft_observe(nft, ns, want, arena, &o, &err), &err);
    return o;
}

static void
same_attributes(const struct tn_nft_ruleset *a, const struct tn_nft_ruleset *b)
{
    cr_expect(a->n_attrs == b->n_attrs, "%zu and %zu", a->n_attrs, b->n_attrs);
    for (size_t i = 0; i < a->n_attrs && i < b->n_attrs; i++) {
        cr_expect_str_eq(a->attrs[i].name, b->attrs[i].name);
        cr_expect_str_eq(a->attrs[i].value, b->attrs[i].value, "%s",
                         a->attrs[i].name);
    }
}

/* What the kernel lists has the form of what was rendered, and what it lists
 * can be applied again. */
Test(nft_apply, listing_is_what_was_rendered)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    const struct tn_nft_input *const inputs[] = {&tn_nft_host1,
                                                 &tn_nft_host2,
                                                 &tn_nft_lab,
                                                 tn_nft_many(arena, 5, 7),
                                                 tn_nft_many(arena, 0, 0),
                                                 tn_nft_sought(arena)};
    struct tn_nft *nft;
    must(tn_nft_new(NULL, &nft, &err), &err);
    for (size_t i = 0; i < TN_ARRAY_SIZE(inputs); i++) {
        int ns = namespace_of_own();
        const struct tn_nft_ruleset *want = tn_nft_render(arena, inputs[i]);
        must(tn_nft_apply(nft, ns, want, &err), &err);
        struct tn_nft_observed o = observe(nft, ns, NULL, arena);
        cr_assert(o.present && o.rules);
        same_attributes(want, o.rules);
        must(tn_nft_apply(nft, ns, o.rules, &err), &err);
        o = observe(nft, ns, want, arena);
        cr_expect(o.same && o.rules == want);
        close(ns);
    }
    tn_nft_free(nft);
    tn_arena_free(arena);
}

static const struct {
    const char *command;
    const char *attribute; /* Which one differs then. */
} meddling[] = {
    {"add rule inet tenet group-web-in tcp dport 22 accept",
     "inet group-web-in"},
    {"flush chain inet tenet group-web-in", "inet group-web-in"},
    {"add element inet tenet members-web-4 { 10.9.9.9 }", "inet members-web-4"},
    {"delete element bridge tenet macs { \"p-a\" . 02:74:6e:00:00:0b }",
     "bridge p-a"},
    {"add element inet tenet l-peer-ours-4 { 10.77.0.0/16 }",
     "inet l-peer-ours-4"},
    {"add chain inet tenet extra { comment \"hello\"; }", "inet extra"},
    {"add chain inet tenet ingress { policy accept; }", "inet ingress"},
    {"add set inet tenet more { type ipv4_addr; }", "inet more"},
    {"delete table bridge tenet", NULL},
    {"add counter inet tenet hidden", "inet hidden"},
    {"insert rule inet tenet ingress accept", "inet ingress"},
};

Test(nft_apply, whatever_was_changed_is_seen)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    must(tn_nft_new(NULL, &nft, &err), &err);
    const struct tn_nft_ruleset *want = tn_nft_render(arena, &tn_nft_host1);
    for (size_t i = 0; i < TN_ARRAY_SIZE(meddling); i++) {
        int ns = namespace_of_own();
        must(tn_nft_apply(nft, ns, want, &err), &err);
        must(tn_nft_run(NULL, ns, "add table ip other; add table inet other",
                        NULL, &err),
             &err);
        struct tn_nft_observed o = observe(nft, ns, want, arena);
        cr_expect(o.same, "%zu", i);
        cr_assert(o.n_foreign == 2);
        cr_expect_str_eq(o.foreign[0], "inet other");
        cr_expect_str_eq(o.foreign[1], "ip other");
        must(tn_nft_run(NULL, ns, meddling[i].command, NULL, &err), &err);
        o = observe(nft, ns, want, arena);
        cr_expect(o.present && !o.same, "%s", meddling[i].command);
        size_t differ = 0;
        for (size_t k = 0, w = 0; k < o.rules->n_attrs; k++) {
            const struct tn_attr *a = &o.rules->attrs[k];
            while (w < want->n_attrs &&
                   strcmp(want->attrs[w].name, a->name) < 0) {
                w++;
            }
            if (w == want->n_attrs || strcmp(want->attrs[w].name, a->name) ||
                strcmp(want->attrs[w].value, a->value)) {
                differ++;
                cr_expect_str_eq(a->name, meddling[i].attribute, "%s",
                                 a->value);
            }
        }
        cr_expect(differ == (meddling[i].attribute != NULL), "%s",
                  meddling[i].command);
        must(tn_nft_apply(nft, ns, want, &err), &err);
        cr_expect(observe(nft, ns, want, arena).same);
        must(tn_nft_apply(nft, ns, NULL, &err), &err);
        o = observe(nft, ns, want, arena);
        cr_expect(!o.present && !o.rules && o.n_foreign == 2);
        close(ns);
    }
    tn_nft_free(nft);
    tn_arena_free(arena);
}

/* What was listed while looking is of no use when somebody wrote since: a chain
 * that it does not have would stay. */
Test(nft_apply, an_old_listing_is_not_used)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    must(tn_nft_new(NULL, &nft, &err), &err);
    const struct tn_nft_ruleset *want = tn_nft_render(arena, &tn_nft_host1);
    for (size_t i = 0; i < TN_ARRAY_SIZE(meddling); i++) {
        int ns = namespace_of_own();
        must(tn_nft_apply(nft, ns, want, &err), &err);
        must(tn_nft_run(NULL, ns, meddling[i].command, NULL, &err), &err);
        cr_expect(!observe(nft, ns, want, arena).same);
        must(tn_nft_run(NULL, ns,
                        "add chain inet tenet late; "
                        "add rule inet tenet late accept",
                        NULL, &err),
             &err);
        must(tn_nft_apply(nft, ns, want, &err), &err);
        cr_expect(observe(nft, ns, want, arena).same, "%s",
                  meddling[i].command);
        tn_nft_settle(nft);
        close(ns);
    }
    tn_nft_free(nft);
    tn_arena_free(arena);
}

Test(nft_apply, refusals_change_nothing)
{
    static const char *const bad[] = {
        "table inet tenet {\n\tchain c {\n\t\tnonsense\n\t}\n}\n",
        "table inet tenet {\n\tchain c {\n\t\tjump nowhere\n\t}\n}\n",
        "table inet tenet {\n\tchain c {\n\t\ttype filter hook input priority "
        "0;"
        "\n\t\tjump c\n\t}\n}\n",
    };
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    int ns = namespace_of_own();
    must(tn_nft_new(NULL, &nft, &err), &err);
    const struct tn_nft_ruleset *want = tn_nft_render(arena, &tn_nft_host1);
    must(tn_nft_apply(nft, ns, want, &err), &err);
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad); i++) {
        char text[TN_ERROR_TEXT];
        cr_expect(tn_nft_apply(nft, ns, tn_nft_view(arena, bad[i]), &err) !=
                  TN_OK);
        tn_error_text(&err, text, sizeof text);
        cr_expect(strstr(text, "Error") && !strchr(text, '\n'), "%s", text);
        cr_expect(observe(nft, ns, want, arena).same);
    }
    cr_expect(tn_nft_apply(nft, 0, want, &err) != TN_OK, "no namespace");
    tn_nft_free(nft);
    close(ns);
    tn_arena_free(arena);
}

/* The first lines, with the handles, of what is declared in a table. */
static char *
handles(int ns, const char *family)
{
    struct tn_nft_visit visit = {-1};
    struct tn_error err = {0};
    struct tn_text t = {0};
    char line[256];
    must(tn_nft_enter(&visit, ns, &err), &err);
    snprintf(line, sizeof line, "nft -a list table %s tenet", family);
    FILE *f = popen(line, "r");
    cr_assert(f);
    while (fgets(line, sizeof line, f)) {
        if ((line[0] != '\t' || line[1] != '\t') && strstr(line, "handle")) {
            tn_text_add(&t, line);
        }
    }
    cr_assert(pclose(f) == 0);
    tn_nft_leave(&visit);
    return tn_text_take(&t);
}

/* An object made anew loses packets: what stays is changed in place. */
Test(nft_apply, what_stays_is_not_made_anew)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    int ns = namespace_of_own();
    must(tn_nft_new(NULL, &nft, &err), &err);
    const struct tn_nft_ruleset *host1 = tn_nft_render(arena, &tn_nft_host1);
    char *text = tn_arena_strdup(arena, host1->text);
    for (char *s = text; (s = strstr(s, "192.168.7.0/24")); s++) {
        s[sizeof "192.168." - 1] = '8';
    }
    const struct tn_nft_ruleset *other = tn_nft_view(arena, text);
    must(tn_nft_apply(nft, ns, host1, &err), &err);
    char *before = handles(ns, "inet");
    cr_expect(strstr(before, "l-peer-theirs-4"));
    cr_expect(!observe(nft, ns, other, arena).same);
    must(tn_nft_apply(nft, ns, other, &err), &err);
    char *after = handles(ns, "inet");
    cr_expect(observe(nft, ns, other, arena).same);
    cr_expect_str_eq(before, after);
    free(before);
    free(after);
    tn_nft_free(nft);
    close(ns);
    tn_arena_free(arena);
}

/* What is broken in one table is no reason to touch the other, and what was not
 * looked at since is never taken for being right. */
Test(nft_apply, a_table_that_is_right_is_left_alone)
{
    static const struct {
        const char *breaks, *stays, *then;
    } rows[] = {
        {"flush chain inet tenet ingress", "bridge", NULL},
        {"delete table inet tenet", "bridge", NULL},
        {"flush chain bridge tenet prerouting", "inet", NULL},
        {"delete table bridge tenet", "inet", NULL},
        {"flush chain inet tenet ingress", "bridge",
         "flush chain bridge tenet prerouting"},
        {"delete table inet tenet", "bridge",
         "delete element bridge tenet macs { \"p-a\" . 02:74:6e:00:00:0b }"},
        {"delete table bridge tenet", "inet",
         "insert rule inet tenet ingress accept"},
    };
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    must(tn_nft_new(NULL, &nft, &err), &err);
    const struct tn_nft_ruleset *want = tn_nft_render(arena, &tn_nft_host1);
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        int ns = namespace_of_own();
        must(tn_nft_apply(nft, ns, want, &err), &err);
        char *before = handles(ns, rows[i].stays);
        must(tn_nft_run(NULL, ns, rows[i].breaks, NULL, &err), &err);
        cr_expect(!observe(nft, ns, want, arena).same);
        if (rows[i].then) {
            must(tn_nft_run(NULL, ns, rows[i].then, NULL, &err), &err);
        }
        must(tn_nft_apply(nft, ns, want, &err), &err);
        char *after = handles(ns, rows[i].stays);
        cr_expect(observe(nft, ns, want, arena).same, "%zu", i);
        cr_expect_str_eq(before, after, "%zu", i);
        free(before);
        free(after);
        tn_nft_settle(nft);
        close(ns);
    }
    tn_nft_free(nft);
    tn_arena_free(arena);
}

/* The cache is used, and a damaged or absent one is no harm. */
Test(nft_apply, cache)
{
    char dir[] = "/tmp/tn-nft-XXXXXX", path[64];
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/nft-rules", dir);
    const struct tn_driver_env env = {.cache_dir = dir};
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    const struct tn_nft_ruleset *want = tn_nft_render(arena, &tn_nft_host1);
    int ns = namespace_of_own();
    for (int round = 0; round < 4; round++) {
        struct tn_nft *nft;
        must(tn_nft_new(&env, &nft, &err), &err);
        if (round == 0) {
            must(tn_nft_apply(nft, ns, want, &err), &err);
        }
        cr_expect(observe(nft, ns, want, arena).same, "round %d", round);
        tn_nft_free(nft);
        struct stat st;
        cr_assert(stat(path, &st) == 0);
        cr_expect(round != 1 || st.st_size == 4 * 130, "%ld bytes",
                  (long) st.st_size);
        if (round == 1) {
            cr_assert(truncate(path, 100) == 0);
        } else if (round == 2) {
            cr_assert(unlink(path) == 0);
        }
    }
    close(ns);
    unlink(path);
    rmdir(dir);
    tn_arena_free(arena);
}

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* Growth, not speed: a factor that no machine's load explains. */
Test(nft_apply, no_op_observation_is_cheap)
{
    struct tn_error err = {0};
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft *nft;
    int ns = namespace_of_own();
    must(tn_nft_new(NULL, &nft, &err), &err);
    double t0 = now();
    const struct tn_nft_ruleset *want =
        tn_nft_render(arena, tn_nft_many(arena, 1000, 10));
    double t1 = now();
    must(tn_nft_apply(nft, ns, want, &err), &err);
    double t2 = now();
    cr_expect(observe(nft, ns, want, arena).same);
    double t3 = now();
    struct tn_nft_observed o = observe(nft, ns, NULL, arena);
    double t4 = now();
    cr_expect(o.present);
    fprintf(stderr,
            "1,000 ports x 10 rules: render %.0f ms, apply %.0f ms, observe "
            "unchanged %.1f ms, list %.0f ms\n",
            (t1 - t0) * 1e3, (t2 - t1) * 1e3, (t3 - t2) * 1e3, (t4 - t3) * 1e3);
    cr_expect((t3 - t2) * 3 < t2 - t1);
    tn_nft_free(nft);
    close(ns);
    tn_arena_free(arena);
}
