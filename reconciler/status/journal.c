/* journal.c - writing the journal of a run.
 *
 * Lines are appended whole, under a mutex, with one write each.  A write that
 * fails half-way is cut off again, so that a full disk leaves a shorter journal
 * and never a torn one in the middle; if even that fails, the journal is
 * closed to further lines.  Reading is journal_read.c, housekeeping
 * journal_dir.c. */
#include "reconciler/status/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/status/journal_dir.h"
#include "reconciler/status/journal_line.h"
#include "reconciler/status/state_lock.h"

enum {
    LINE_STEPS = 512,      /* Steps in one line. */
    RESERVE = 16 * 1024,   /* Room kept for outcomes: at least, */
    RESERVE_DEVICE = 1024, /* more for each device, */
    RESERVE_STEP = 8,      /* and for each step. */
    MESSAGE_MAX = 2000,    /* Bytes of a device's message. */
};

struct tn_journal {
    const struct tn_state_lock *lock; /* Borrowed. */
    pthread_mutex_t mutex;
    int fd;
    bool late;
    bool went;
    bool broken;     /* The end of the file is not known to be whole. */
    off_t size;      /* Of whole lines. */
    unsigned long n; /* Number of the next line. */
    size_t n_devices, n_steps;
    struct tn_text line;
    char id[TN_RUN_ID];
    char file[TN_RUN_ID + 8];
};

static void
unlock(pthread_mutex_t *const *m)
{
    pthread_mutex_unlock(*m);
}

static enum tn_code
journal_failed(const struct tn_journal *j, int sys, struct tn_error *err)
{
    enum tn_code code = tn_state_fail(err, sys, tn_state_path(j->lock));
    return tn_while(err, code, "writing the journal of run %s", j->id);
}

/* Appends the line that was built. */
static enum tn_code
append(struct tn_journal *j, struct tn_error *err)
{
    if (j->broken) {
        return journal_failed(j, EIO, err);
    }
    tn_line_end(&j->line, j->id);
    const char *p = tn_text_str(&j->line);
    for (size_t left = j->line.n; left > 0;) {
        ssize_t n = write(j->fd, p, left);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            int sys = n < 0 ? errno : ENOSPC;
            j->broken = ftruncate(j->fd, j->size) < 0;
            return journal_failed(j, sys, err);
        }
        p += n;
        left -= (size_t) n;
    }
    j->size += (off_t) j->line.n;
    j->n++;
    return TN_OK;
}

static enum tn_code
sync_file(struct tn_journal *j, struct tn_error *err)
{
    /* After a failed fsync the kernel may call the pages clean: a second one
     * would prove nothing. */
    if (fdatasync(j->fd) < 0) {
        j->broken = true;
        return journal_failed(j, errno, err);
    }
    return TN_OK;
}

/* The file and its name. */
static enum tn_code
sync_all(struct tn_journal *j, struct tn_error *err)
{
    enum tn_code code = sync_file(j, err);
    if (!code && fsync(tn_state_journal_dir(j->lock)) < 0) {
        code = journal_failed(j, errno, err);
    }
    return code;
}

static void
make_id(char id[TN_RUN_ID], int64_t now)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        random = (uint32_t) getpid();
    }
    time_t t = (time_t) now;
    struct tm tm;
    char stamp[20] = "00000000t000000z";
    if (gmtime_r(&t, &tm)) {
        strftime(stamp, sizeof stamp, "%Y%m%dt%H%M%Sz", &tm);
    }
    snprintf(id, TN_RUN_ID, "%.16s-%08x", stamp, random);
}

static enum tn_code
write_header(struct tn_journal *j, const struct tn_journal_run *run,
             struct tn_error *err)
{
    tn_line_begin(&j->line, j->n, "run");
    tn_text_addf(&j->line, ",\"version\":1,\"time\":%lld",
                 (long long) run->time);
    tn_line_add(&j->line, "run", j->id);
    tn_line_add(&j->line, "commit", run->commit ? run->commit : "");
    tn_line_add(&j->line, "environment",
                run->environment ? run->environment : "");
    return append(j, err);
}

enum tn_code
tn_journal_begin(struct tn_state_lock *lock, struct tn_journal_run *run,
                 struct tn_journal **out, struct tn_error *err)
{
    struct tn_journal *j = calloc(1, sizeof *j);
    if (!j) {
        return tn_fail_sys(err, TN_EINTERNAL, ENOMEM, "journal");
    }
    pthread_mutex_init(&j->mutex, NULL);
    j->lock = lock;
    j->late = run->late;
    j->n = 1;
    if (run->time == 0) {
        run->time = (int64_t) time(NULL);
    }
    make_id(j->id, run->time);
    snprintf(j->file, sizeof j->file, "%s.jsonl", j->id);
    j->fd = openat(tn_state_journal_dir(lock), j->file,
                   O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum tn_code code = TN_OK;
    if (j->fd < 0) {
        code = journal_failed(j, errno, err);
    } else {
        code = write_header(j, run, err);
    }
    if (code) {
        tn_journal_free(j);
        return code;
    }
    memcpy(run->id, j->id, sizeof run->id);
    *out = j;
    return TN_OK;
}

enum tn_code
tn_journal_intend(struct tn_journal *j, const char *device,
                  const struct tn_journal_step *steps, size_t n,
                  struct tn_error *err)
{
    pthread_mutex_lock(&j->mutex);
    TN_CLEANUP(unlock) TN_UNUSED pthread_mutex_t *held = &j->mutex;
    size_t i = 0;
    do {
        tn_line_begin(&j->line, j->n, "intend");
        tn_line_add(&j->line, "device", device);
        tn_text_addf(&j->line, ",\"first\":%zu,\"steps\":[", i);
        size_t end = n - i > LINE_STEPS ? i + LINE_STEPS : n;
        for (const char *comma = ""; i < end; i++, comma = ",") {
            tn_text_addf(&j->line, "%s[", comma);
            tn_line_add_string(&j->line, steps[i].op);
            tn_text_addc(&j->line, ',');
            tn_line_add_string(&j->line, steps[i].key);
            tn_text_addc(&j->line, ']');
        }
        tn_text_addc(&j->line, ']');
        enum tn_code code = append(j, err);
        if (code) {
            return code;
        }
    } while (i < n);
    j->n_devices++;
    j->n_steps += n;
    return TN_OK;
}

/* So that a disk that fills up does so before any device is touched. */
static enum tn_code
reserve(struct tn_journal *j, struct tn_error *err)
{
    off_t room = (off_t) (RESERVE + j->n_devices * RESERVE_DEVICE +
                          j->n_steps * RESERVE_STEP);
    if (fallocate(j->fd, FALLOC_FL_KEEP_SIZE, j->size, room) < 0 &&
        (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
        return journal_failed(j, errno, err);
    }
    return TN_OK;
}

enum tn_code
tn_journal_go(struct tn_journal *j, struct tn_error *err)
{
    pthread_mutex_lock(&j->mutex);
    TN_CLEANUP(unlock) TN_UNUSED pthread_mutex_t *held = &j->mutex;
    enum tn_code code = reserve(j, err);
    if (!code) {
        tn_line_begin(&j->line, j->n, "go");
        code = append(j, err);
    }
    if (!code && !j->late) {
        code = sync_all(j, err);
    }
    j->went = !code;
    return code;
}

enum tn_code
tn_journal_steps(struct tn_journal *j, const char *device, size_t first,
                 const enum tn_journal_outcome *outcomes, size_t n,
                 struct tn_error *err)
{
    static const char letters[] = ".df";
    pthread_mutex_lock(&j->mutex);
    TN_CLEANUP(unlock) TN_UNUSED pthread_mutex_t *held = &j->mutex;
    tn_line_begin(&j->line, j->n, "steps");
    tn_line_add(&j->line, "device", device);
    tn_text_addf(&j->line, ",\"first\":%zu,\"outcomes\":\"", first);
    for (size_t i = 0; i < n; i++) {
        tn_text_addc(&j->line, letters[outcomes[i]]);
    }
    tn_text_addc(&j->line, '"');
    return append(j, err);
}

enum tn_code
tn_journal_device(struct tn_journal *j, const char *device,
                  enum tn_journal_device_state state, const char *message,
                  struct tn_error *err)
{
    pthread_mutex_lock(&j->mutex);
    TN_CLEANUP(unlock) TN_UNUSED pthread_mutex_t *held = &j->mutex;
    tn_line_begin(&j->line, j->n, "device");
    tn_line_add(&j->line, "device", device);
    tn_line_add(&j->line, "state", tn_journal_state_name(state));
    if (message) {
        char cut[MESSAGE_MAX];
        snprintf(cut, sizeof cut, "%s", message);
        tn_line_add(&j->line, "message", cut);
    }
    enum tn_code code = append(j, err);
    return code || j->late ? code : sync_file(j, err);
}

enum tn_code
tn_journal_end(struct tn_journal *j, const char *outcome, struct tn_error *err)
{
    pthread_mutex_lock(&j->mutex);
    TN_CLEANUP(unlock) TN_UNUSED pthread_mutex_t *held = &j->mutex;
    tn_line_begin(&j->line, j->n, "end");
    tn_line_add(&j->line, "outcome", outcome);
    enum tn_code code = append(j, err);
    if (!code) {
        /* Gives the reserved room back; a failure costs space only. */
        TN_UNUSED int rc = ftruncate(j->fd, j->size);
        code = j->late ? sync_all(j, err) : sync_file(j, err);
    }
    if (!code) {
        tn_journal_prune(j->lock, j->file);
    }
    return code;
}

void
tn_journal_free(struct tn_journal *j)
{
    if (!j) {
        return;
    }
    if (j->fd >= 0) {
        close(j->fd);
        if (!j->went) {
            unlinkat(tn_state_journal_dir(j->lock), j->file, 0);
        }
    }
    tn_text_done(&j->line);
    pthread_mutex_destroy(&j->mutex);
    free(j);
}
