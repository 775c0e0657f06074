/* jq_child.c - the process in which a jq program runs: the seam to libjq.
 *
 * What jq lets programs see beside their input is taken away twice: the names
 * are defined anew in front of the program (which also makes 'import' and
 * 'include' syntax errors, as those must come first), and the process has no
 * environment and may open no file.  What a program yields is judged here: a
 * text, or an object with 'message'; everything else is a mistake of the
 * program, never silence. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jq.h>

#include "model/base/cleanup.h"
#include "model/base/lazy.h"
#include "reconciler/policy/jq_program.h"

/* Called by an inline function of the header, which nobody calls. */
#pragma weak jv_get_kind
#define JQ_CALLS(X)                                                            \
    X(jq_compile)                                                              \
    X(jq_halted)                                                               \
    X(jq_init)                                                                 \
    X(jq_next)                                                                 \
    X(jq_set_error_cb)                                                         \
    X(jq_start)                                                                \
    X(jq_teardown)                                                             \
    X(jv_copy)                                                                 \
    X(jv_dump_string)                                                          \
    X(jv_free)                                                                 \
    X(jv_get_kind)                                                             \
    X(jv_invalid)                                                              \
    X(jv_invalid_get_msg)                                                      \
    X(jv_invalid_has_msg)                                                      \
    X(jv_object)                                                               \
    X(jv_object_get)                                                           \
    X(jv_object_set)                                                           \
    X(jv_parse)                                                                \
    X(jv_string)                                                               \
    X(jv_string_value)
TN_LAZY(libjq, JQ_CALLS, TN_SONAME_JQ, TN_PACKAGE_JQ);

/* On one line, so that lines of messages are those of the program. */
#define NONE(name) "def " name ": error(\"policies have no '" name "'\"); "
static const char prelude[] = NONE("input") NONE("inputs") NONE("env") NONE(
    "input_filename") NONE("input_line_number") NONE("debug") NONE("stderr")
    NONE("now") NONE("halt") NONE("halt_error") NONE("modulemeta")
        NONE("get_search_list") NONE("get_prog_origin") NONE(
            "get_jq_origin") "def halt_error(f): halt_error; def debug(f): "
                             "debug; "
                             /* error(null) would be silence. */
                             "def error_: error; def error: (if . == null then "
                             "\"null\" else . end) | error_; "
                             "def error(f): f | error; ";

struct child {
    int fd;
    FILE *in;
    jq_state *jq;             /* Null: no program. */
    struct tn_text complaint; /* Of the compiler. */
    struct tn_text reply;
};

/* jq's own words, without its name and what they are about. */
static void
on_error(void *context, jv message)
{
    struct child *c = context;
    if (c->complaint.n == 0 && sym_jv_get_kind(message) == JV_KIND_STRING) {
        const char *s = sym_jv_string_value(message);
        static const char head[] = "jq: error: ";
        if (strncmp(s, head, sizeof head - 1) == 0) {
            s += sizeof head - 1;
        }
        tn_text_addn(&c->complaint, s, strcspn(s, "\n"));
    }
    sym_jv_free(message);
}

static bool
send_all(int fd, const char *s, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, s, n, MSG_NOSIGNAL);
        if (k <= 0) {
            return false;
        }
        s += k;
        n -= (size_t) k;
    }
    return true;
}

static bool
answer(struct child *c, const char *line)
{
    return send_all(c->fd, line, strlen(line));
}

static bool
answer_why(struct child *c, char kind, const char *why)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text line = {0};
    tn_text_addf(&line, "%c \"", kind);
    tn_text_add_escaped(&line, why);
    tn_text_add(&line, "\"\n");
    return answer(c, tn_text_str(&line));
}

static bool
refuse(struct child *c, const char *why)
{
    return answer_why(c, 'E', why);
}

/* The environment as a variable cannot be defined anew: the word itself is
 * refused.  (In jq 1.6 its value decays from one input to the next.) */
static bool
names_environment(const char *program)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    for (const char *p = program; (p = strstr(p, "ENV")); p += 3) {
        bool starts = p == program || !strchr(letters, p[-1]);
        if (starts && (p[3] == '\0' || !strchr(letters, p[3]))) {
            return true;
        }
    }
    return false;
}

static bool
compile(struct child *c, const char *quoted)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text program = {0};
    jv text = sym_jv_parse(quoted);
    if (sym_jv_get_kind(text) != JV_KIND_STRING) {
        sym_jv_free(text);
        return refuse(c, "the program is no text");
    }
    tn_text_add(&program, prelude);
    tn_text_add(&program, sym_jv_string_value(text));
    bool curious = names_environment(sym_jv_string_value(text));
    sym_jv_free(text);
    if (curious) {
        return refuse(c, "policies have no 'ENV'");
    }
    if (c->jq) {
        sym_jq_teardown(&c->jq);
    }
    tn_text_clear(&c->complaint);
    c->jq = sym_jq_init();
    sym_jq_set_error_cb(c->jq, on_error, c);
    if (!sym_jq_compile(c->jq, tn_text_str(&program))) {
        sym_jq_teardown(&c->jq);
        return refuse(c, c->complaint.n ? tn_text_str(&c->complaint)
                                        : "it does not compile");
    }
    return answer(c, "C\n");
}

static bool
is_valid(jv value)
{
    return sym_jv_get_kind(value) != JV_KIND_INVALID;
}

static const char *
kind_of(jv value)
{
    switch (sym_jv_get_kind(value)) {
    case JV_KIND_NULL:
        return "null";
    case JV_KIND_TRUE:
    case JV_KIND_FALSE:
        return "a boolean";
    case JV_KIND_NUMBER:
        return "a number";
    case JV_KIND_ARRAY:
        return "a list";
    case JV_KIND_STRING:
        return "a text";
    case JV_KIND_OBJECT:
        return "an object without 'message'";
    case JV_KIND_INVALID:
        break;
    }
    return "nothing";
}

/* A finding as an object; takes 'value'.  Invalid if it is none. */
static jv
finding(jv value)
{
    if (sym_jv_get_kind(value) == JV_KIND_STRING) {
        return sym_jv_object_set(sym_jv_object(), sym_jv_string("message"),
                                 value);
    }
    if (sym_jv_get_kind(value) == JV_KIND_OBJECT) {
        jv message =
            sym_jv_object_get(sym_jv_copy(value), sym_jv_string("message"));
        bool fine = sym_jv_get_kind(message) == JV_KIND_STRING;
        sym_jv_free(message);
        if (fine) {
            return value;
        }
    }
    sym_jv_free(value);
    return sym_jv_invalid();
}

/* Appends a line to the reply, or says what is wrong: null is fine. */
static const char *
take(struct child *c, jv value)
{
    const char *kind = kind_of(value);
    jv f = finding(value);
    if (!is_valid(f)) {
        sym_jv_free(f);
        return kind;
    }
    jv text = sym_jv_dump_string(f, 0);
    tn_text_add(&c->reply, "F ");
    tn_text_add(&c->reply, sym_jv_string_value(text));
    tn_text_addc(&c->reply, '\n');
    sym_jv_free(text);
    return NULL;
}

/* How a run ended; takes 'last'. */
static bool
conclude(struct child *c, jv last, const char *bad, size_t n)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text why = {0};
    if (bad) {
        tn_text_addf(&why,
                     "it yielded %s, which is neither a text nor an object "
                     "with 'message'",
                     bad);
    } else if (n >= TN_JQ_FINDINGS || c->reply.n > TN_JQ_LINE) {
        tn_text_addf(&why,
                     "it has too much to say: over %d findings or %d "
                     "bytes about one object",
                     TN_JQ_FINDINGS, TN_JQ_LINE);
    } else if (sym_jq_halted(c->jq)) {
        tn_text_add(&why, "it halted");
    } else if (sym_jv_invalid_has_msg(sym_jv_copy(last))) {
        jv message = sym_jv_invalid_get_msg(sym_jv_copy(last));
        if (sym_jv_get_kind(message) != JV_KIND_STRING) {
            message = sym_jv_dump_string(message, 0);
        }
        tn_text_addf(&why, "it failed: %s", sym_jv_string_value(message));
        sym_jv_free(message);
    }
    sym_jv_free(last);
    if (why.n) {
        return refuse(c, tn_text_str(&why));
    }
    tn_text_add(&c->reply, "D\n");
    return answer(c, tn_text_str(&c->reply));
}

static bool
run(struct child *c, const char *json)
{
    jv value = sym_jv_parse(json);
    const char *bad = NULL;
    size_t n = 0;
    if (!c->jq || !is_valid(value)) {
        sym_jv_free(value);
        return refuse(c, "there is nothing to run");
    }
    tn_text_clear(&c->reply);
    sym_jq_start(c->jq, value, 0);
    jv got = sym_jq_next(c->jq);
    while (is_valid(got) && !bad && n < TN_JQ_FINDINGS &&
           c->reply.n <= TN_JQ_LINE) {
        bad = take(c, got);
        n++;
        got = bad ? sym_jv_invalid() : sym_jq_next(c->jq);
    }
    return conclude(c, got, bad, n);
}

static void
limit(enum __rlimit_resource resource, rlim_t most)
{
    struct rlimit l = {most, most};
    if (setrlimit(resource, &l) < 0) {
        _exit(1);
    }
}

/* Bytes of writable memory that the process has already. */
static rlim_t
memory_now(void)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;
    if (!f || fscanf(f, "%*u %*u %*u %*u %*u %lu", &pages) != 1) {
        _exit(1);
    }
    return (rlim_t) pages * (rlim_t) sysconf(_SC_PAGESIZE);
}

static void
confine(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || clearenv() != 0) {
        _exit(1);
    }
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_DATA, memory_now() + TN_JQ_MEMORY);
    limit(RLIMIT_NOFILE, 0);
}

int
tn_jq_serve(int fd)
{
    struct child c = {.fd = fd, .in = fdopen(fd, "re")};
    char *line = NULL;
    size_t cap = 0;
    bool more = c.in != NULL;
    struct tn_error err = {0};
    char absent[TN_ERROR_TEXT] = "";
    if (tn_lazy_load(&libjq, &err)) { /* Later no file can be opened. */
        tn_error_text(&err, absent, sizeof absent);
    }
    confine();
    for (ssize_t n; more && (n = getline(&line, &cap, c.in)) > 2;) {
        line[n - 1] = '\0';
        more = *absent          ? answer_why(&c, 'U', absent)
               : line[0] == 'P' ? compile(&c, line + 2)
                                : run(&c, line + 2);
    }
    return 0; /* The process ends: nothing is to be tidied up. */
}
