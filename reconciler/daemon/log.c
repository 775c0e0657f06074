/* log.c - see log.h.  A line is built first and written at once. */
#include "reconciler/daemon/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "model/base/text.h"
#include "model/base/time.h"

struct tn_log {
    bool json, debug;
    bool journal; /* Its reader adds the time, and wants "<3>". */
    pthread_mutex_t mutex;
};

static const char *const names[] = {
    [TN_LOG_ERROR] = "error",
    [TN_LOG_WARNING] = "warning",
    [TN_LOG_INFO] = "info",
    [TN_LOG_DEBUG] = "debug",
};

static const int priorities[] = {
    [TN_LOG_ERROR] = 3,
    [TN_LOG_WARNING] = 4,
    [TN_LOG_INFO] = 6,
    [TN_LOG_DEBUG] = 7,
};

/* Standard error itself, not something that a parent inherited, is journald's.
 */
static bool
is_journal(const char *stream)
{
    struct stat is;
    unsigned long long device = 0, inode = 0;
    char *end = NULL;
    if (!stream || fstat(STDERR_FILENO, &is)) {
        return false;
    }
    device = strtoull(stream, &end, 10);
    inode = *end == ':' ? strtoull(end + 1, NULL, 10) : 0;
    return device == is.st_dev && inode == is.st_ino;
}

struct tn_log *
tn_log_new(bool json, bool debug)
{
    struct tn_log *log = calloc(1, sizeof *log);
    if (!log) {
        abort();
    }
    log->json = json;
    log->debug = debug;
    log->journal = is_journal(getenv("JOURNAL_STREAM"));
    pthread_mutex_init(&log->mutex, NULL);
    return log;
}

void
tn_log_free(struct tn_log *log)
{
    if (log) {
        pthread_mutex_destroy(&log->mutex);
        free(log);
    }
}

static void
json_member(struct tn_text *t, const char *name, const char *value)
{
    if (value) {
        tn_text_addf(t, ",\"%s\":\"", name);
        tn_text_add_escaped(t, value);
        tn_text_addc(t, '"');
    }
}

static void
json_line(struct tn_text *t, const char *when, enum tn_log_level level,
          const struct tn_log_about *about, const char *message)
{
    tn_text_addf(t, "{\"time\":\"%s\",\"level\":\"%s\"", when, names[level]);
    json_member(t, "device", about->device);
    json_member(t, "scope", about->scope);
    json_member(t, "commit", about->commit);
    json_member(t, "message", message);
    tn_text_add(t, "}\n");
}

/* Quotes stay what they are; what a terminal would act on does not. */
static void
add_plain(struct tn_text *t, const char *s)
{
    for (size_t n = strcspn(s, "\""); *s; n = strcspn(s, "\"")) {
        char *part = strndup(s, n);
        tn_text_add_escaped(t, part ? part : "");
        free(part);
        s += n;
        for (; *s == '"'; s++) {
            tn_text_addc(t, '"');
        }
    }
}

static void
text_line(struct tn_text *t, const struct tn_log *log, const char *when,
          enum tn_log_level level, const struct tn_log_about *about,
          const char *message)
{
    if (log->journal) {
        tn_text_addf(t, "<%d>", priorities[level]);
    } else {
        tn_text_addf(t, "%s %-7s ", when, names[level]);
    }
    if (about->device) {
        tn_text_add_escaped(t, about->device);
        tn_text_add(t, ": ");
    }
    if (about->scope && about->scope[0]) {
        tn_text_add_escaped(t, about->scope);
        tn_text_add(t, ": ");
    }
    add_plain(t, message);
    if (about->commit && about->commit[0]) {
        tn_text_addf(t, " (commit %.12s)", about->commit);
    }
    tn_text_addc(t, '\n');
}

/* Whole: a pipe takes a long line in parts. */
static void
line_write(const char *s, size_t n)
{
    while (n > 0) {
        ssize_t put = write(STDERR_FILENO, s, n);
        if (put <= 0) {
            return; /* Nobody is left to be told. */
        }
        s += put;
        n -= (size_t) put;
    }
}

void
tn_log(struct tn_log *log, enum tn_log_level level,
       const struct tn_log_about *about, const char *fmt, ...)
{
    static const struct tn_log_about nobody;
    if (level == TN_LOG_DEBUG && !log->debug) {
        return;
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text message = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text line = {0};
    char when[TN_TIME_TEXT];
    va_list ap;
    va_start(ap, fmt);
    tn_text_vaddf(&message, fmt, ap);
    va_end(ap);
    about = about ? about : &nobody;
    tn_time_format((int64_t) time(NULL), when);
    if (log->json) {
        json_line(&line, when, level, about, tn_text_str(&message));
    } else {
        text_line(&line, log, when, level, about, tn_text_str(&message));
    }
    pthread_mutex_lock(&log->mutex);
    line_write(tn_text_str(&line), line.n);
    pthread_mutex_unlock(&log->mutex);
}
