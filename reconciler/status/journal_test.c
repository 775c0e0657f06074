/* journal_test.c - the journal against crashes, full disks and second writers.
 */
#include "reconciler/status/journal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/status/journal_dir.h"
#include "reconciler/status/journal_line.h"

static char dir[64];
static struct tn_arena *arena;

static void
setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/tenet-journal-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    arena = tn_arena_new();
}

static void
teardown(void)
{
    char cmd[128];
    tn_arena_free(arena);
    umount2(dir, MNT_DETACH); /* Of the tests that mount. */
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    cr_assert_eq(system(cmd), 0); /* NOLINT(cert-env33-c) */
}

TestSuite(journal, .init = setup, .fini = teardown);

static const struct tn_journal_step steps1[] = {
    {"create", "acme/web|bridge|b-front"},
    {"update", "acme/web|route|10.0.0.0/8"},
    {"delete", "acme/\"odd\"\\|x\n\xff"},
};
static const struct tn_journal_step steps2[] = {{"replace", "k"}};

static struct tn_state_lock *
lock_ok(void)
{
    struct tn_state_lock *lock = NULL;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_state_lock(dir, 0, &lock, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    return lock;
}

static struct tn_journal *
begin_ok(struct tn_state_lock *lock, struct tn_journal_run *run)
{
    struct tn_journal *j = NULL;
    *run = (struct tn_journal_run){
        .time = 1700000000, .commit = "c0ffee", .environment = "lab"};
    cr_assert_eq(tn_journal_begin(lock, run, &j, NULL), TN_OK);
    cr_assert_eq(tn_journal_intend(j, "hv1", steps1, 3, NULL), TN_OK);
    cr_assert_eq(tn_journal_intend(j, "hv2", steps2, 1, NULL), TN_OK);
    cr_assert_eq(tn_journal_intend(j, "hv3", NULL, 0, NULL), TN_OK);
    cr_assert_eq(tn_journal_go(j, NULL), TN_OK);
    return j;
}

static const struct tn_journal_past *
unfinished(struct tn_state_lock *lock, size_t want)
{
    const struct tn_journal_past *runs = NULL;
    size_t n = 0;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = tn_journal_unfinished(lock, arena, &runs, &n, &err);
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    cr_assert_eq(n, want, "%zu runs", n);
    return runs;
}

Test(journal, reads_back_what_was_written)
{
    static const enum tn_journal_outcome two[] = {TN_JOURNAL_DONE,
                                                  TN_JOURNAL_FAILED};
    struct tn_state_lock *lock = lock_ok();
    struct tn_journal_run run;
    struct tn_journal *j = begin_ok(lock, &run);
    cr_assert_eq(tn_journal_steps(j, "hv1", 0, two, 2, NULL), TN_OK);
    cr_assert_eq(tn_journal_device(j, "hv2", TN_JOURNAL_ROLLED_BACK,
                                   "no \"room\"\n", NULL),
                 TN_OK);
    tn_journal_free(j);

    const struct tn_journal_past *p = unfinished(lock, 1);
    cr_assert_str_eq(p->run.id, run.id);
    cr_assert_str_eq(p->run.commit, "c0ffee");
    cr_assert_str_eq(p->run.environment, "lab");
    cr_assert_eq(p->run.time, 1700000000);
    cr_assert(p->went && !p->ended && !p->torn && !p->damaged);
    cr_assert_eq(p->n_devices, 3);
    cr_assert_eq(p->devices[0].n_steps, 3);
    cr_assert_str_eq(p->devices[0].steps[0].op, "create");
    cr_assert_str_eq(p->devices[0].steps[0].key, steps1[0].key);
    cr_assert_str_eq(p->devices[0].steps[2].key, "acme/\"odd\"\\|x\\x0a\\xff");
    cr_assert_eq(p->devices[0].steps[0].outcome, TN_JOURNAL_DONE);
    cr_assert_eq(p->devices[0].steps[1].outcome, TN_JOURNAL_FAILED);
    cr_assert_eq(p->devices[0].steps[2].outcome, TN_JOURNAL_PENDING);
    cr_assert_eq(p->devices[0].state, TN_JOURNAL_STARTED);
    cr_assert_eq(p->devices[1].state, TN_JOURNAL_ROLLED_BACK);
    cr_assert_str_eq(p->devices[1].message, "no \"room\"\n");
    cr_assert_eq(p->devices[2].state, TN_JOURNAL_INTENDED);

    cr_assert_eq(tn_journal_finish(lock, p, "recovered", NULL), TN_OK);
    unfinished(lock, 0);
    tn_state_unlock(lock);
    size_t n = 0;
    cr_assert_eq(tn_journal_history(dir, 5, arena, &p, &n, NULL), TN_OK);
    cr_assert_eq(n, 1);
    cr_assert(p->ended);
    cr_assert_str_eq(p->outcome, "recovered");
}

/* A run that is synced late is as whole for whoever is killed. */
Test(journal, a_late_run_is_read_back)
{
    static const enum tn_journal_outcome done[] = {TN_JOURNAL_DONE};
    struct tn_state_lock *lock = lock_ok();
    for (int ended = 0; ended < 2; ended++) {
        struct tn_journal *j = NULL;
        struct tn_journal_run run = {
            .commit = "c0ffee", .environment = "lab", .late = true};
        cr_assert_eq(tn_journal_begin(lock, &run, &j, NULL), TN_OK);
        cr_assert_eq(tn_journal_intend(j, "hv2", steps2, 1, NULL), TN_OK);
        cr_assert_eq(tn_journal_go(j, NULL), TN_OK);
        cr_assert_eq(tn_journal_steps(j, "hv2", 0, done, 1, NULL), TN_OK);
        cr_assert_eq(
            tn_journal_device(j, "hv2", TN_JOURNAL_VERIFIED, NULL, NULL),
            TN_OK);
        if (ended) {
            cr_assert_eq(tn_journal_end(j, "applied", NULL), TN_OK);
        }
        tn_journal_free(j);
        const struct tn_journal_past *p = unfinished(lock, ended ? 0 : 1);
        if (!ended) {
            cr_assert(p->went && !p->torn && !p->damaged);
            cr_assert_eq(p->devices[0].state, TN_JOURNAL_VERIFIED);
            cr_assert_eq(tn_journal_finish(lock, p, "superseded", NULL), TN_OK);
        }
    }
    tn_state_unlock(lock);
}

Test(journal, forgets_a_run_that_never_went)
{
    struct tn_state_lock *lock = lock_ok();
    struct tn_journal *j = NULL;
    struct tn_journal_run run = {0};
    cr_assert_eq(tn_journal_begin(lock, &run, &j, NULL), TN_OK);
    cr_assert_gt(run.time, 1700000000);
    cr_assert_eq(tn_journal_intend(j, "hv1", steps1, 3, NULL), TN_OK);
    const struct tn_journal_past *p = unfinished(lock, 1);
    cr_assert(!p->went && !p->damaged);
    tn_journal_free(j);
    unfinished(lock, 0);
    tn_state_unlock(lock);
}

static char *
slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f);
    char *bytes = malloc(1 << 20);
    *n = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

static void
spill(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* The whole file is cut at every byte: what is left must be a prefix of the
 * truth, never an error, and closing it must make a good journal. */
Test(journal, survives_a_tear_at_every_byte)
{
    static const enum tn_journal_outcome done[] = {
        TN_JOURNAL_DONE, TN_JOURNAL_DONE, TN_JOURNAL_DONE};
    struct tn_state_lock *lock = lock_ok();
    struct tn_journal_run run;
    struct tn_journal *j = begin_ok(lock, &run);
    cr_assert_eq(tn_journal_steps(j, "hv1", 0, done, 3, NULL), TN_OK);
    cr_assert_eq(tn_journal_device(j, "hv1", TN_JOURNAL_VERIFIED, NULL, NULL),
                 TN_OK);
    cr_assert_eq(tn_journal_end(j, "applied", NULL), TN_OK);
    tn_journal_free(j);
    size_t n = 0, last = 0;
    const char *path =
        tn_arena_printf(arena, "%s/journal/%s.jsonl", dir, run.id);
    TN_CLEANUP(tn_cleanup_free) char *bytes = slurp(path, &n);
    const char *go = memmem(bytes, n, "\"type\":\"go\"", 11);
    size_t went_at = (size_t) ((char *) memchr(go, '\n', 100) - bytes) + 1;
    for (size_t i = 0; i + 1 < n; i++) {
        last = bytes[i] == '\n' ? i + 1 : last;
    }
    for (size_t cut = 0; cut <= n; cut++) {
        struct tn_arena *own = tn_arena_new();
        struct tn_journal_past p;
        tn_journal_read(own, path, bytes, cut, &p);
        cr_assert(!p.damaged, "cut at %zu", cut);
        cr_assert_eq(p.went, cut >= went_at, "cut at %zu", cut);
        cr_assert_eq(p.ended, cut == n, "cut at %zu", cut);
        cr_assert_eq(p.torn, cut > 0 && bytes[cut - 1] != '\n', "at %zu", cut);
        if (cut >= last) {
            cr_assert_eq(p.devices[0].state, TN_JOURNAL_VERIFIED);
            spill(path, bytes, cut);
            const struct tn_journal_past *u = unfinished(lock, cut < n);
            if (u) {
                cr_assert_eq(tn_journal_finish(lock, u, "x", NULL), TN_OK);
                unfinished(lock, 0);
            }
        }
        tn_arena_free(own);
    }
    tn_state_unlock(lock);
}

/* One flipped bit anywhere: noticed, and what is believed stays true. */
Test(journal, notices_every_flipped_bit)
{
    struct tn_state_lock *lock = lock_ok();
    struct tn_journal_run run;
    struct tn_journal *j = begin_ok(lock, &run);
    tn_journal_free(j);
    size_t n = 0;
    const char *path =
        tn_arena_printf(arena, "%s/journal/%s.jsonl", dir, run.id);
    TN_CLEANUP(tn_cleanup_free) char *bytes = slurp(path, &n);
    for (size_t i = 0; i < 8 * n; i++) {
        struct tn_arena *own = tn_arena_new();
        struct tn_journal_past p;
        bytes[i / 8] = (char) (bytes[i / 8] ^ (1 << i % 8));
        tn_journal_read(own, path, bytes, n, &p);
        cr_assert(p.torn || p.damaged, "bit %zu", i);
        /* Without its newline the last line looks torn. */
        cr_assert(p.damaged || i / 8 == n - 1, "bit %zu", i);
        bytes[i / 8] = (char) (bytes[i / 8] ^ (1 << i % 8));
        tn_arena_free(own);
    }
    tn_state_unlock(lock);
}

Test(journal, sets_a_damaged_file_aside)
{
    struct tn_state_lock *lock = lock_ok();
    struct tn_journal_run run;
    struct tn_journal *j = begin_ok(lock, &run);
    tn_journal_free(j);
    size_t n = 0;
    const char *path =
        tn_arena_printf(arena, "%s/journal/%s.jsonl", dir, run.id);
    TN_CLEANUP(tn_cleanup_free) char *bytes = slurp(path, &n);
    bytes[20] ^= 1;
    spill(path, bytes, n);
    const struct tn_journal_past *p = unfinished(lock, 1);
    cr_assert(p->damaged);
    cr_assert_eq(tn_journal_finish(lock, p, "x", NULL), TN_OK);
    unfinished(lock, 0);
    cr_assert_eq(access(tn_arena_printf(arena, "%s.damaged", path), F_OK), 0);
    tn_state_unlock(lock);
}

Test(journal, does_not_take_lines_of_another_run)
{
    struct tn_state_lock *lock = lock_ok();
    struct tn_journal_run run;
    tn_journal_free(begin_ok(lock, &run));
    size_t n = 0;
    const char *path =
        tn_arena_printf(arena, "%s/journal/%s.jsonl", dir, run.id);
    TN_CLEANUP(tn_cleanup_free) char *bytes = slurp(path, &n);
    struct tn_journal_past p;
    tn_journal_read(arena, "journal/20200101t000000z-00000000.jsonl", bytes, n,
                    &p);
    cr_assert(p.damaged && !p.went);
    cr_assert_eq(p.n_devices, 0);
    tn_state_unlock(lock);
}

/* Lines whose checksum is right but that make no sense. */
static const struct {
    const char *body;
    bool damaged;
} lines[] = {
    {"{\"n\":2,\"type\":\"go\"", false},
    {"{\"n\":3,\"type\":\"go\"", true},
    {"{\"n\":2,\"type\":\"what\"", true},
    {"{\"n\":2,\"type\":\"steps\",\"device\":\"x\",\"first\":0,\"outcomes\":"
     "\"d\"",
     true},
    {"{\"n\":2,\"type\":\"intend\",\"device\":\"x\",\"first\":0,\"steps\":[1]",
     true},
    {"{\"n\":2,\"type\":\"intend\",\"device\":\"x\",\"first\":1,\"steps\":[]",
     true},
    {"{\"n\":2,\"type\":\"intend\",\"device\":\"x\",\"first\":0,\"steps\":[]",
     false},
    {"{\"n\":2,\"type\":\"run\"", true},
    {"{\"n\":2,\"n\":2,\"type\":\"go\"", true},
    {"{\"n\":2,\"type\":\"device\",\"device\":\"x\",\"state\":\"y\"", true},
    {"[", true},
    {"{\"n\":2,\"type\":\"end\"", true},
};

Test(journal, does_not_believe_nonsense)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(lines); i++) {
        struct tn_text text = {0}, line = {0};
        tn_line_begin(&line, 1, "run");
        tn_text_add(&line, ",\"version\":1,\"time\":1,\"run\":\"r\",\"commit\":"
                           "\"\",\"environment\":\"\"");
        tn_line_end(&line, "r");
        tn_text_add(&text, tn_text_str(&line));
        tn_text_clear(&line);
        tn_text_add(&line, lines[i].body);
        tn_line_end(&line, "r");
        tn_text_add(&text, tn_text_str(&line));
        struct tn_journal_past p;
        tn_journal_read(arena, "r.jsonl", tn_text_str(&text), text.n, &p);
        cr_assert_eq(p.damaged, lines[i].damaged, "row %zu", i);
        tn_text_done(&text);
        tn_text_done(&line);
    }
}

Test(journal, excludes_a_second_tenet)
{
    struct tn_state_lock *lock = lock_ok();
    int ready[2];
    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct tn_state_lock *other = NULL;
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT], want[64];
        enum tn_code code = tn_state_lock(dir, 50, &other, &err);
        tn_error_text(&err, text, sizeof text);
        snprintf(want, sizeof want, "another tenet (pid %ld) is applying",
                 (long) getppid());
        _exit(code == TN_EUNAVAILABLE && strstr(text, want) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    cr_assert_eq(WEXITSTATUS(status), 0);
    tn_state_unlock(lock);

    /* Who dies lets go. */
    child = fork();
    if (child == 0) {
        struct tn_state_lock *other = NULL;
        char ok = tn_state_lock(dir, 0, &other, NULL) ? 'n' : 'y';
        _exit(write(ready[1], &ok, 1) == 1 && pause() ? 1 : 1);
    }
    char ok = 0;
    cr_assert_eq(read(ready[0], &ok, 1), 1);
    cr_assert_eq(ok, 'y');
    struct tn_state_lock *mine = NULL;
    cr_assert_eq(tn_state_lock(dir, 0, &mine, NULL), TN_EUNAVAILABLE);
    kill(child, SIGKILL);
    cr_assert_eq(tn_state_lock(dir, 5000, &mine, NULL), TN_OK);
    waitpid(child, &status, 0);
    tn_state_unlock(mine);
    close(ready[0]);
    close(ready[1]);
}

Test(journal, keeps_twenty_finished_runs)
{
    struct tn_state_lock *lock = lock_ok();
    char first[TN_RUN_ID] = "";
    for (int i = 0; i < TN_JOURNAL_KEEP + 5; i++) {
        struct tn_journal *j = NULL;
        struct tn_journal_run run = {.time = 1700000000 + i};
        cr_assert_eq(tn_journal_begin(lock, &run, &j, NULL), TN_OK);
        cr_assert_eq(tn_journal_go(j, NULL), TN_OK);
        if (i == 0) {
            memcpy(first, run.id, sizeof first); /* Stays open. */
        } else {
            cr_assert_eq(tn_journal_end(j, "applied", NULL), TN_OK);
        }
        tn_journal_free(j);
    }
    const struct tn_journal_past *p = unfinished(lock, 1);
    cr_assert_str_eq(p->run.id, first);
    size_t n = 0;
    cr_assert_eq(tn_journal_history(dir, 100, arena, &p, &n, NULL), TN_OK);
    cr_assert_eq(n, TN_JOURNAL_KEEP);
    cr_assert_eq(p[0].run.time, 1700000000 + TN_JOURNAL_KEEP + 4);
    tn_state_unlock(lock);
}

struct job {
    struct tn_journal *journal;
    char device[8];
};

static void *
report(void *arg)
{
    static const enum tn_journal_outcome done = TN_JOURNAL_DONE;
    struct job *job = arg;
    for (size_t i = 0; i < 100; i++) {
        if (tn_journal_steps(job->journal, job->device, i, &done, 1, NULL)) {
            abort();
        }
    }
    if (tn_journal_device(job->journal, job->device, TN_JOURNAL_VERIFIED, NULL,
                          NULL)) {
        abort();
    }
    return NULL;
}

Test(journal, takes_outcomes_from_many_threads)
{
    struct tn_state_lock *lock = lock_ok();
    struct tn_journal *j = NULL;
    struct tn_journal_run run = {0};
    struct tn_journal_step steps[1200];
    struct job jobs[8];
    pthread_t threads[8];
    for (size_t i = 0; i < 1200; i++) {
        steps[i] = (struct tn_journal_step){"create", "key"};
    }
    cr_assert_eq(tn_journal_begin(lock, &run, &j, NULL), TN_OK);
    for (size_t i = 0; i < 8; i++) {
        snprintf(jobs[i].device, sizeof jobs[i].device, "hv%zu", i);
        jobs[i].journal = j;
        cr_assert_eq(tn_journal_intend(j, jobs[i].device, steps, 1200, NULL),
                     TN_OK);
    }
    cr_assert_eq(tn_journal_go(j, NULL), TN_OK);
    for (size_t i = 0; i < 8; i++) {
        pthread_create(&threads[i], NULL, report, &jobs[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
    }
    tn_journal_free(j);
    const struct tn_journal_past *p = unfinished(lock, 1);
    cr_assert(!p->damaged && !p->torn);
    cr_assert_eq(p->n_devices, 8);
    for (size_t i = 0; i < 8; i++) {
        cr_assert_eq(p->devices[i].n_steps, 1200);
        cr_assert_eq(p->devices[i].state, TN_JOURNAL_VERIFIED);
        cr_assert_eq(p->devices[i].steps[99].outcome, TN_JOURNAL_DONE);
        cr_assert_eq(p->devices[i].steps[100].outcome, TN_JOURNAL_PENDING);
    }
    tn_state_unlock(lock);
}

/* A child that writes without end; 'acks' counts what it knows is written. */
static TN_NORETURN void
write_for_ever(int acks)
{
    static const enum tn_journal_outcome done = TN_JOURNAL_DONE;
    struct tn_state_lock *lock = NULL;
    struct tn_journal *j = NULL;
    struct tn_journal_run run = {0};
    struct tn_journal_step steps[64];
    for (size_t i = 0; i < 64; i++) {
        steps[i] = (struct tn_journal_step){"create", "some/key"};
    }
    if (tn_state_lock(dir, 1000, &lock, NULL) ||
        tn_journal_begin(lock, &run, &j, NULL) ||
        tn_journal_intend(j, "hv1", steps, 64, NULL) ||
        tn_journal_go(j, NULL) || write(acks, "g", 1) != 1) {
        _exit(1);
    }
    for (size_t i = 0; i < 64; i++) {
        if (tn_journal_steps(j, "hv1", i, &done, 1, NULL) ||
            write(acks, "s", 1) != 1) {
            _exit(1);
        }
        usleep(50);
    }
    pause();
    _exit(1);
}

Test(journal, survives_kill_at_random_instants, .timeout = 60)
{
    unsigned seed = 20261121;
    for (int round = 0; round < 60; round++) {
        int acks[2], status = 0;
        char buf[256];
        cr_assert_eq(pipe(acks), 0);
        pid_t child = fork();
        if (child == 0) {
            write_for_ever(acks[1]);
        }
        close(acks[1]);
        usleep((unsigned) rand_r(&seed) % 12000);
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        size_t known = 0;
        for (ssize_t n; (n = read(acks[0], buf, sizeof buf)) > 0;) {
            known += (size_t) n;
        }
        close(acks[0]);

        struct tn_state_lock *lock = lock_ok();
        const struct tn_journal_past *runs = NULL;
        size_t n = 0, done = 0;
        cr_assert_eq(tn_journal_unfinished(lock, arena, &runs, &n, NULL),
                     TN_OK);
        cr_assert(n == 1 || (n == 0 && known == 0));
        if (n) {
            cr_assert(!runs->damaged);
            cr_assert(known == 0 || runs->went);
            for (size_t i = 0; runs->n_devices && i < runs->devices->n_steps;
                 i++) {
                done += runs->devices->steps[i].outcome == TN_JOURNAL_DONE;
            }
            cr_assert(known == 0 || done + 1 >= known, "%zu of %zu", done,
                      known);
            cr_assert_eq(tn_journal_finish(lock, runs, "recovered", NULL),
                         TN_OK);
        }
        unfinished(lock, 0);
        tn_state_unlock(lock);
    }
}

Test(journal, says_that_the_disk_is_full_before_any_device)
{
    if (geteuid() != 0 || mount("tenet", dir, "tmpfs", 0, "size=64k") != 0) {
        cr_skip("needs a file system of its own");
    }
    struct tn_state_lock *lock = lock_ok();
    struct tn_journal *j = NULL;
    struct tn_journal_run run = {0};
    struct tn_journal_step steps[512];
    for (size_t i = 0; i < 512; i++) {
        steps[i] = (struct tn_journal_step){
            "create", "a/key/that/takes/some/room/in/the/file/system/of/this"};
    }
    cr_assert_eq(tn_journal_begin(lock, &run, &j, NULL), TN_OK);
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code = TN_OK;
    for (int i = 0; !code && i < 4; i++) {
        code = tn_journal_intend(j, "hv1", steps, 512, &err);
    }
    tn_error_text(&err, text, sizeof text);
    cr_assert_eq(code, TN_EINTERNAL);
    cr_assert(strstr(text, "No space left on device"), "%s", text);
    cr_assert(strstr(text, run.id), "%s", text);
    tn_journal_free(j);
    unfinished(lock, 0);

    /* The intended steps fit, their outcomes would not. */
    cr_assert_eq(tn_journal_begin(lock, &run, &j, NULL), TN_OK);
    cr_assert_eq(tn_journal_intend(j, "hv1", steps, 512, NULL), TN_OK);
    cr_assert_eq(tn_journal_intend(j, "hv2", steps, 150, NULL), TN_OK);
    code = tn_journal_go(j, &err);
    tn_error_text(&err, text, sizeof text);
    cr_assert_eq(code, TN_EINTERNAL, "%d %s", code, text);
    tn_journal_free(j);
    tn_state_unlock(lock);
}

Test(journal, says_that_the_directory_is_read_only)
{
    if (geteuid() != 0 ||
        mount("tenet", dir, "tmpfs", MS_RDONLY, "size=64k") != 0) {
        cr_skip("needs a file system of its own");
    }
    struct tn_state_lock *lock = NULL;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    cr_assert_eq(tn_state_lock(dir, 0, &lock, &err), TN_EDENIED);
    tn_error_text(&err, text, sizeof text);
    cr_assert(strstr(text, "Read-only file system"), "%s", text);
    cr_assert(strstr(text, dir), "%s", text);
}

Test(journal, a_write_that_fails_half_way_leaves_no_tear)
{
    struct tn_state_lock *lock = lock_ok();
    struct tn_journal_run run;
    struct tn_journal *j = begin_ok(lock, &run);
    struct stat st;
    const char *path =
        tn_arena_printf(arena, "%s/journal/%s.jsonl", dir, run.id);
    cr_assert_eq(stat(path, &st), 0);
    const struct rlimit tight = {(rlim_t) st.st_size + 30, RLIM_INFINITY};
    const struct rlimit loose = {RLIM_INFINITY, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &tight);
    cr_assert_eq(tn_journal_device(j, "hv1", TN_JOURNAL_VERIFIED, NULL, NULL),
                 TN_EINTERNAL);
    setrlimit(RLIMIT_FSIZE, &loose);
    cr_assert_eq(tn_journal_device(j, "hv2", TN_JOURNAL_VERIFIED, NULL, NULL),
                 TN_OK);
    tn_journal_free(j);
    const struct tn_journal_past *p = unfinished(lock, 1);
    cr_assert(!p->torn && !p->damaged);
    cr_assert_eq(p->devices[0].state, TN_JOURNAL_INTENDED);
    cr_assert_eq(p->devices[1].state, TN_JOURNAL_VERIFIED);
    tn_state_unlock(lock);
}
