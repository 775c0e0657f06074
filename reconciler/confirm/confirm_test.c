/* confirm_test.c - confirmed changes: time, crashes, races; the gate; who is
 * quarantined and what is applied instead. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/confirm/gate.h"
#include "reconciler/confirm/pending.h"
#include "reconciler/confirm/rollback.h"
#include "reconciler/source/sandbox.h"

#define C1 "1111111111111111111111111111111111111111"
#define C2 "2222222222222222222222222222222222222222"
#define C3 "3333333333333333333333333333333333333333"

static struct tn_sandbox box;
static struct tn_arena *arena;
static const char *state;

static void
setup(void)
{
    tn_sandbox_init(&box);
    arena = tn_arena_new();
    state = tn_arena_printf(arena, "%s/state", box.dir);
}

static void
teardown(void)
{
    tn_arena_free(arena);
    tn_sandbox_done(&box);
}

TestSuite(pending, .init = setup, .fini = teardown);
TestSuite(gate, .init = setup, .fini = teardown);
TestSuite(rollback, .init = setup, .fini = teardown);
TestSuite(window, .init = setup, .fini = teardown);

static struct tn_pending_clock
clock_at(const char *boot, int64_t ms, int64_t wall)
{
    struct tn_pending_clock c = {.boot_ms = ms, .wall = wall};
    snprintf(c.boot_id, sizeof c.boot_id, "%s", boot);
    return c;
}

Test(window, texts)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {
        {"120s", 120000},  {"2m", 120000},    {"1h30m", 5400000},
        {"1s500ms", 1500}, {"24h", 86400000}, {"", 0},
        {"5", 0},          {"s", 0},          {"0s", 0},
        {"999ms", 0},      {"25h", 0},        {"-1s", 0},
        {"1d", 0},         {"1s ", 0},        {"99999999999999999999s", 0},
        {"1m1", 0},        {"1mm", 0},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        uint64_t ms = 0;
        bool ok = tn_pending_parse_window(rows[i].text, &ms);
        cr_assert_eq(ok, rows[i].ms != 0, "%s", rows[i].text);
        cr_assert_eq(ms, rows[i].ms, "%s", rows[i].text);
    }
}

Test(pending, only_its_own_clock_counts)
{
    static const struct {
        const char *boot;
        int64_t boot_ms, wall;
        enum tn_pending_phase phase;
        int64_t left_ms;
    } rows[] = {
        {"A", 1000, 5000, TN_PENDING_OPEN, 9000},
        {"A", 9999, 5009, TN_PENDING_OPEN, 1},
        {"A", 10000, 5010, TN_PENDING_DUE, 0},
        /* The clock of the wall jumps, forth and back. */
        {"A", 2000, 99999999, TN_PENDING_OPEN, 8000},
        {"A", 2000, -5, TN_PENDING_OPEN, 8000},
        {"A", 10000, -5, TN_PENDING_DUE, 0},
        /* Started anew; the new clock may show less. */
        {"B", 100, 5001, TN_PENDING_DUE, 0},
        {"", 100, 5001, TN_PENDING_DUE, 0},
        /* Tampered with: further away than any window. */
        {"A", -90000000, 5000, TN_PENDING_DUE, 0},
    };
    struct tn_pending p = {.boot_id = "A", .deadline_ms = 10000};
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_pending_clock c =
            clock_at(rows[i].boot, rows[i].boot_ms, rows[i].wall);
        int64_t left = -1;
        const char *why = NULL;
        cr_assert_eq(tn_pending_judge(&p, &c, &left, &why), rows[i].phase,
                     "row %zu", i);
        cr_assert_eq(left, rows[i].left_ms, "row %zu", i);
    }
    struct tn_pending unknown = {.deadline_ms = 10000};
    struct tn_pending_clock c = clock_at("", 0, 0);
    int64_t left;
    const char *why;
    cr_assert_eq(tn_pending_judge(&unknown, &c, &left, &why), TN_PENDING_DUE);
}

static void
begin(uint64_t window_ms)
{
    struct tn_pending_device devices[] = {{"hv1", C1}, {"hv2", NULL}};
    struct tn_pending p = {.commit = C2,
                           .environment = "lab",
                           .who = "ann",
                           .devices = devices,
                           .n_devices = 2,
                           .window_ms = window_ms};
    struct tn_pending_clock now;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    tn_pending_clock_now(&now);
    cr_assert_eq(tn_pending_begin(state, &p, &now, &err), TN_OK, "%s",
                 tn_error_text(&err, text, sizeof text));
}

static void
start(void)
{
    struct tn_pending_clock now;
    struct tn_error err = {0};
    tn_pending_clock_now(&now);
    cr_assert_eq(tn_pending_start(state, &now, &err), TN_OK);
}

static struct tn_pending_state
load(void)
{
    struct tn_pending_clock now;
    struct tn_pending_state s;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    tn_pending_clock_now(&now);
    cr_assert_eq(tn_pending_load(state, &now, arena, &s, &err), TN_OK, "%s",
                 tn_error_text(&err, text, sizeof text));
    return s;
}

static enum tn_code
confirm(const char *commit)
{
    struct tn_pending_clock now;
    struct tn_error err = {0};
    tn_pending_clock_now(&now);
    return tn_pending_confirm(state, commit, &now, &err);
}

Test(pending, from_apply_to_confirmation)
{
    struct tn_error err = {0};
    cr_assert_eq(load().phase, TN_PENDING_NONE);
    cr_assert_eq(confirm(NULL), TN_ENOENT);
    begin(60000);
    cr_assert_eq(load().phase, TN_PENDING_APPLYING);
    cr_assert_eq(confirm(NULL), TN_EUNAVAILABLE);
    start();
    struct tn_pending_state s = load();
    cr_assert_eq(s.phase, TN_PENDING_OPEN);
    cr_assert(s.left_ms > 50000 && s.left_ms <= 60000);
    cr_assert_str_eq(s.about.commit, C2);
    cr_assert_str_eq(s.about.who, "ann");
    cr_assert_eq(s.about.n_devices, 2);
    cr_assert_str_eq(s.about.devices[0].previous, C1);
    cr_assert_null(s.about.devices[1].previous);
    cr_assert_eq(confirm("1111"), TN_ESTALE);
    cr_assert_eq(confirm("2222"), TN_OK);
    cr_assert_eq(load().phase, TN_PENDING_CONFIRMED);
    cr_assert_eq(confirm(NULL), TN_ENOENT);
    cr_assert_eq(tn_pending_expire(state, &err), TN_ESTALE);
    cr_assert_eq(tn_pending_finish(state, &err), TN_OK);
    cr_assert_eq(load().phase, TN_PENDING_NONE);
}

Test(pending, from_apply_to_undoing)
{
    struct tn_error err = {0};
    struct tn_pending_clock now;
    struct tn_pending p = {.commit = C3, .environment = "lab"};
    begin(60000);
    start();
    tn_pending_clock_now(&now);
    cr_assert_eq(tn_pending_begin(state, &p, &now, &err), TN_EDENIED);
    cr_assert_eq(tn_pending_expire(state, &err), TN_OK);
    cr_assert_eq(tn_pending_expire(state, &err), TN_OK);
    cr_assert_eq(load().phase, TN_PENDING_DUE);
    cr_assert_eq(confirm(NULL), TN_ESTALE);
    cr_assert_eq(tn_pending_begin(state, &p, &now, &err), TN_EDENIED);
    cr_assert_eq(tn_pending_finish(state, &err), TN_OK);
    cr_assert_eq(load().phase, TN_PENDING_NONE);
    /* An apply that died half-way. */
    begin(60000);
    cr_assert_eq(tn_pending_expire(state, &err), TN_OK);
    cr_assert_eq(load().phase, TN_PENDING_DUE);
    cr_assert_eq(tn_pending_finish(state, &err), TN_OK);
    cr_assert_eq(tn_pending_expire(state, &err), TN_ENOENT);
}

/* What a crash between two steps of a call leaves means what it meant before,
 * or what it means after. */
Test(pending, left_overs_of_a_crash)
{
    static const struct {
        const char *files[3];
        enum tn_pending_phase phase;
        bool may_begin;
    } rows[] = {
        {{"applying", "pending"}, TN_PENDING_OPEN, false},
        {{"applying", "confirmed"}, TN_PENDING_CONFIRMED, true},
        {{"applying", "reverting"}, TN_PENDING_DUE, false},
        {{"applying"}, TN_PENDING_APPLYING, false},
        {{"confirmed"}, TN_PENDING_CONFIRMED, true},
    };
    begin(60000);
    start();
    tn_sandbox_sh(&box, "mv state/confirm/pending.json good.json");
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_pending p = {.commit = C3, .environment = "lab"};
        struct tn_pending_clock now;
        struct tn_error err = {0};
        tn_sandbox_sh(&box, "rm -f state/confirm/*");
        for (size_t k = 0; k < 3 && rows[i].files[k]; k++) {
            tn_sandbox_sh(&box, "cp good.json state/confirm/%s.json",
                          rows[i].files[k]);
        }
        cr_assert_eq(load().phase, rows[i].phase, "row %zu", i);
        tn_pending_clock_now(&now);
        cr_assert_eq(tn_pending_begin(state, &p, &now, &err) == TN_OK,
                     rows[i].may_begin, "row %zu", i);
    }
}

Test(pending, garbage_is_told_and_not_guessed)
{
    static const char *const texts[] = {"",
                                        "{}",
                                        "[]",
                                        "\\x00",
                                        "{\\\"format\\\":1}",
                                        "{\\\"format\\\":1,\\\"commit\\\":3}"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(texts); i++) {
        struct tn_pending_clock now;
        struct tn_pending_state s;
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        tn_sandbox_sh(&box,
                      "mkdir -p state/confirm && "
                      "printf \"%s\" > state/confirm/pending.json",
                      texts[i]);
        tn_pending_clock_now(&now);
        cr_assert_eq(tn_pending_load(state, &now, arena, &s, &err),
                     TN_EINTERNAL);
        tn_error_text(&err, text, sizeof text);
        cr_assert(strstr(text, "cannot be understood"), "%s", text);
    }
}

Test(pending, waiting_ends_at_the_deadline_and_at_a_confirmation)
{
    struct tn_pending_state s;
    struct tn_error err = {0};
    struct tn_pending_clock from, to;
    begin(1000);
    start();
    tn_pending_clock_now(&from);
    cr_assert_eq(tn_pending_wait(state, -1, arena, &s, &err), TN_OK);
    tn_pending_clock_now(&to);
    cr_assert_eq(s.phase, TN_PENDING_DUE);
    cr_assert(to.boot_ms - from.boot_ms >= 950);
    cr_assert(to.boot_ms - from.boot_ms < 1500);
    cr_assert_eq(tn_pending_finish(state, &err), TN_OK);

    begin(60000);
    start();
    pid_t pid = fork();
    if (pid == 0) {
        usleep(100000);
        _exit(confirm(NULL) != TN_OK);
    }
    tn_pending_clock_now(&from);
    cr_assert_eq(tn_pending_wait(state, -1, arena, &s, &err), TN_OK);
    tn_pending_clock_now(&to);
    cr_assert_eq(s.phase, TN_PENDING_CONFIRMED);
    cr_assert(to.boot_ms - from.boot_ms < 500, "%lld ms",
              (long long) (to.boot_ms - from.boot_ms));
    waitpid(pid, NULL, 0);
    cr_assert_eq(tn_pending_finish(state, &err), TN_OK);

    int fds[2];
    begin(60000);
    start();
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    cr_assert_eq(tn_pending_wait(state, fds[0], arena, &s, &err), TN_OK);
    cr_assert_eq(s.phase, TN_PENDING_OPEN);
    close(fds[0]);
    close(fds[1]);
}

/* Of a confirmation and an expiry at the same time exactly one wins. */
Test(pending, one_wins)
{
    unsigned n_confirmed = 0, n_expired = 0;
    for (unsigned i = 0; i < 60; i++) {
        struct tn_error err = {0};
        int gate[2], status = 0;
        char c;
        begin(60000);
        start();
        cr_assert_eq(pipe(gate), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(gate[1]);
            if (read(gate[0], &c, 1) < 0) {
                _exit(9);
            }
            _exit(confirm(NULL) == TN_OK ? 1 : 0);
        }
        close(gate[0]);
        close(gate[1]);
        usleep(i % 20 * 100);
        enum tn_code code = tn_pending_expire(state, &err);
        waitpid(pid, &status, 0);
        bool confirmed = WEXITSTATUS(status) == 1;
        cr_assert(confirmed != (code == TN_OK), "confirmed %d, expire %d",
                  confirmed, (int) code);
        cr_assert_eq(load().phase,
                     confirmed ? TN_PENDING_CONFIRMED : TN_PENDING_DUE);
        n_confirmed += confirmed;
        n_expired += !confirmed;
        cr_assert_eq(tn_pending_finish(state, &err), TN_OK);
    }
    cr_log_info("%u confirmed, %u expired", n_confirmed, n_expired);
}

/* kill -9 at any instant of the whole life: what is found afterwards is one of
 * the phases, and it can be brought to an end. */
Test(pending, kill_at_any_instant, .timeout = 60)
{
    for (unsigned i = 0; i < 100; i++) {
        struct tn_error err = {0};
        pid_t pid = fork();
        if (pid == 0) {
            for (;;) {
                begin(60000);
                start();
                if (i % 2) {
                    (void) !confirm(NULL);
                } else {
                    (void) !tn_pending_expire(state, &err);
                }
                (void) !tn_pending_finish(state, &err);
            }
        }
        usleep(500 + i * 97 % 7000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        struct tn_pending_state s = load();
        if (s.phase != TN_PENDING_NONE) {
            cr_assert_str_eq(s.about.commit, C2);
            cr_assert_eq(s.about.n_devices, 2);
        }
        if (s.phase == TN_PENDING_OPEN || s.phase == TN_PENDING_APPLYING) {
            cr_assert_eq(tn_pending_expire(state, &err), TN_OK);
            cr_assert_eq(load().phase, TN_PENDING_DUE);
        }
        cr_assert_eq(tn_pending_finish(state, &err), TN_OK);
    }
}

#define P TN_PROBE_PASSED
#define F TN_PROBE_FAILED
#define I TN_PROBE_IMPOSSIBLE

Test(gate, what_passed_before_must_pass_again)
{
    static const struct {
        enum tn_probe_result before[3], after[3];
        int64_t left;
        enum tn_gate_verdict verdict;
        size_t required, missing, reported, healed;
    } rows[] = {
        {{P, P, P}, {P, P, P}, 0, TN_GATE_PASS, 3, 0, 0, 0},
        {{P, P, P}, {P, F, P}, 5, TN_GATE_WAIT, 3, 1, 0, 0},
        {{P, P, P}, {P, F, P}, 0, TN_GATE_FAIL, 3, 1, 0, 0},
        {{P, P, P}, {P, F, P}, -9, TN_GATE_FAIL, 3, 1, 0, 0},
        {{P, F, P}, {P, F, P}, 0, TN_GATE_PASS, 2, 0, 1, 0},
        {{P, F, I}, {P, P, P}, 0, TN_GATE_PASS, 1, 0, 0, 2},
        {{P, F, I}, {I, I, F}, 0, TN_GATE_FAIL, 1, 1, 2, 0},
        {{F, F, F}, {F, F, F}, 0, TN_GATE_PASS, 0, 0, 3, 0},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        static const char *const names[] = {"a", "b", "c"};
        struct tn_probe_report before[3], after[3];
        struct tn_gate g;
        for (size_t k = 0; k < 3; k++) {
            before[k] = (struct tn_probe_report){.name = names[k],
                                                 .result = rows[i].before[k]};
            after[k] = (struct tn_probe_report){
                .name = names[k],
                .result = rows[i].after[k],
                .reason = rows[i].after[k] == P ? NULL : "no answer"};
        }
        tn_gate_decide(arena, before, after, 3, rows[i].left, &g);
        cr_assert_eq(g.verdict, rows[i].verdict, "row %zu", i);
        cr_assert_eq(g.n_required, rows[i].required, "row %zu", i);
        cr_assert_eq(g.n_missing, rows[i].missing, "row %zu", i);
        cr_assert_eq(g.n_reported, rows[i].reported, "row %zu", i);
        cr_assert_eq(g.n_healed, rows[i].healed, "row %zu", i);
        if (i == 6) {
            TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
            tn_gate_print(&t, &g, after, 3);
            cr_assert_str_eq(tn_text_str(&t),
                             "0 of 1 probe passes that passed before; not: a "
                             "(no answer); failed before and still: b (no "
                             "answer), c (no answer)");
        }
    }
}

static struct tn_rollback
quarantined(const struct tn_rollback *in, const char *commit, int64_t now)
{
    struct tn_rollback out;
    struct tn_rollback_word word = {"probes failed", "tenet", now};
    tn_rollback_quarantine(arena, in, commit, &word, &out);
    return out;
}

static const char *
target(const struct tn_rollback *s, const char *tip,
       enum tn_rollback_choice expected)
{
    const char *commit = NULL;
    cr_assert_eq(tn_rollback_target(s, tip, "lab", &commit), expected);
    return commit;
}

Test(rollback, holds_the_last_good_one_until_the_branch_moves_on)
{
    struct tn_rollback s = {0};
    cr_assert_str_eq(target(&s, C1, TN_CHOOSE_TIP), C1);
    tn_rollback_applied(arena, &s, C1, "lab", 10, &s);
    tn_rollback_applied(arena, &s, C2, "lab", 20, &s);
    tn_rollback_applied(arena, &s, C3, "prod", 30, &s);
    s = quarantined(&s, C2, 40);
    cr_assert_str_eq(target(&s, C2, TN_CHOOSE_GOOD), C1);
    cr_assert_str_eq(tn_rollback_choose(&s, NULL, "lab", C2), C1);
    cr_assert_null(tn_rollback_choose(&s, NULL, "elsewhere", C2));
    /* The next commit. */
    cr_assert_str_eq(target(&s, C3, TN_CHOOSE_TIP), C3);
    /* Nothing good is left. */
    s = quarantined(&s, C1, 50);
    cr_assert_null(target(&s, C2, TN_CHOOSE_HOLD));
    /* Pinned by hand; then released. */
    struct tn_rollback_word word = {"known to work", "ann", 60};
    tn_rollback_set_pin(arena, &s, C3, &word, &s);
    cr_assert_str_eq(target(&s, C2, TN_CHOOSE_PINNED), C3);
    tn_rollback_release(arena, &s, C2, 70, &s);
    cr_assert_str_eq(target(&s, C2, TN_CHOOSE_TIP), C2);
    cr_assert_null(s.pin.commit);
    cr_assert(tn_rollback_quarantined(&s, C1));
    tn_rollback_release(arena, &s, NULL, 80, &s);
    cr_assert_null(tn_rollback_quarantined(&s, C1));
    /* And again, although the clock was set back. */
    s = quarantined(&s, C1, 5);
    cr_assert(tn_rollback_quarantined(&s, C1));
    cr_assert_str_eq(tn_rollback_quarantined(&s, C1)->who, "tenet");
}

Test(rollback, asks_the_devices_when_no_list_is_there)
{
    struct tn_status_device d[] = {
        {.name = "a", .environment = "lab", .head = {.commit = C1}},
        {.name = "b", .environment = "lab", .head = {.commit = C1}},
        {.name = "c", .environment = "prod", .head = {.commit = C2}},
    };
    struct tn_status status = {.devices = d, .n_devices = 3};
    struct tn_rollback s = {0};
    cr_assert_str_eq(tn_rollback_choose(&s, &status, "lab", C3), C1);
    cr_assert_null(tn_rollback_choose(&s, &status, "lab", C1));
    d[1].head.commit = C2;
    cr_assert_null(tn_rollback_choose(&s, &status, "lab", C3));
    d[1].head.commit = NULL;
    cr_assert_null(tn_rollback_choose(&s, &status, "lab", C3));
}

static const char *
printed(const struct tn_rollback *s)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_rollback_print(&t, s);
    return tn_arena_strdup(arena, tn_text_str(&t));
}

Test(rollback, joins_alike_in_any_order)
{
    struct tn_rollback a = {0}, b = {0}, ab, ba, abb;
    a = quarantined(&a, C1, 10);
    a = quarantined(&a, C2, 10);
    tn_rollback_applied(arena, &a, C3, "lab", 5, &a);
    b = quarantined(&b, C2, 10);
    tn_rollback_release(arena, &b, C2, 20, &b);
    tn_rollback_applied(arena, &b, C1, "lab", 7, &b);
    tn_rollback_set_pin(arena, &b, C3, &(struct tn_rollback_word){"r", "w", 9},
                        &b);
    tn_rollback_join(arena, &a, &b, &ab);
    tn_rollback_join(arena, &b, &a, &ba);
    tn_rollback_join(arena, &ab, &b, &abb);
    cr_assert_str_eq(printed(&ab), printed(&ba));
    cr_assert_str_eq(printed(&ab), printed(&abb));
    cr_assert(tn_rollback_quarantined(&ab, C1));
    cr_assert_null(tn_rollback_quarantined(&ab, C2));
    cr_assert_str_eq(ab.pin.commit, C3);
    cr_assert_str_eq(ab.good[0].commit, C1);
}

Test(rollback, is_bounded)
{
    struct tn_rollback s = {0};
    s = quarantined(&s, C1, 1);
    for (unsigned i = 0; i < TN_ROLLBACK_ENTRIES + 20; i++) {
        char *commit = tn_arena_printf(arena, "%040x", 4096 + i);
        s = quarantined(&s, commit, 10 + i);
        tn_rollback_release(arena, &s, commit, 10 + i, &s);
        tn_rollback_applied(arena, &s, commit, "lab", i, &s);
    }
    cr_assert_eq(s.n_entries, TN_ROLLBACK_ENTRIES);
    cr_assert_eq(s.n_good, TN_ROLLBACK_GOOD);
    /* What is released goes; what is not stays. */
    cr_assert(tn_rollback_quarantined(&s, C1));
}

static struct tn_rollback
load_both(const char *dir, const char *repo)
{
    struct tn_rollback s;
    const char *damage = NULL;
    tn_rollback_load(dir, repo, NULL, arena, &s, &damage);
    cr_assert_null(damage, "%s", damage);
    return s;
}

Test(rollback, lives_on_disk_and_on_the_ref)
{
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    struct tn_rollback s = {0};
    const char *damage = NULL;
    const char *repo = tn_arena_printf(arena, "%s/r", box.dir);
    const char *other = tn_arena_printf(arena, "%s/other", box.dir);
    tn_sandbox_sh(&box, "git init -q -b main r && cd r && echo x > tenet.yml "
                        "&& git add . && git commit -qm First");
    s = quarantined(&s, C2, 1000000000);
    tn_rollback_applied(arena, &s, C1, "lab", 900000000, &s);
    cr_assert_eq(tn_rollback_save(state, repo, NULL, &s, "Roll back", &err),
                 TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    /* Another machine, which has only the ref, and adds to it. */
    struct tn_rollback t = load_both(other, repo);
    cr_assert_str_eq(printed(&t), printed(&s));
    struct tn_rollback alone = {0};
    alone = quarantined(&alone, C3, 1000000050);
    cr_assert_eq(tn_rollback_save(other, repo, NULL, &alone, "More", &err),
                 TN_OK);
    t = load_both(NULL, repo);
    cr_assert(tn_rollback_quarantined(&t, C2));
    cr_assert(tn_rollback_quarantined(&t, C3));
    /* The ref is lost: the disk holds. */
    tn_sandbox_sh(&box, "git -C r update-ref -d refs/heads/tenet/status");
    t = load_both(state, repo);
    cr_assert(tn_rollback_quarantined(&t, C2));
    /* Garbage on the disk is told, and the ref counts. */
    cr_assert_eq(tn_rollback_save(NULL, repo, NULL, &s, "Again", &err), TN_OK);
    tn_sandbox_sh(&box, "echo '{' > state/quarantine.yml");
    tn_rollback_load(state, repo, NULL, arena, &t, &damage);
    cr_assert(damage && strstr(damage, "quarantine.yml"));
    cr_assert(tn_rollback_quarantined(&t, C2));
}

Test(rollback, racing_writers_lose_nothing, .timeout = 60)
{
    enum { WRITERS = 4, EACH = 5 };
    const char *repo = tn_arena_printf(arena, "%s/r", box.dir);
    pid_t pids[WRITERS];
    tn_sandbox_sh(&box, "git init -q -b main r && cd r && echo x > tenet.yml "
                        "&& git add . && git commit -qm First");
    for (unsigned w = 0; w < WRITERS; w++) {
        pids[w] = fork();
        if (pids[w]) {
            continue;
        }
        bool failed = false;
        for (unsigned i = 0; i < EACH; i++) {
            struct tn_rollback s = {0};
            struct tn_error err = {0};
            s = quarantined(
                &s, tn_arena_printf(arena, "%040x", 1000 * (w + 1) + i), 50);
            while (tn_rollback_save(NULL, repo, NULL, &s, "Race", &err) ==
                   TN_EUNAVAILABLE) {
                failed = false;
            }
        }
        _exit(failed);
    }
    for (unsigned w = 0; w < WRITERS; w++) {
        waitpid(pids[w], NULL, 0);
    }
    struct tn_rollback all = load_both(NULL, repo);
    cr_assert_eq(all.n_entries, WRITERS * EACH);
}
