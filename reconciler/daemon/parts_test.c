/* parts_test.c - the gate before the state lock, the log, and the socket. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reconciler/daemon/control.h"
#include "reconciler/daemon/gate.h"
#include "reconciler/daemon/intent.h"
#include "reconciler/daemon/log.h"
#include "tests/support/peer.h"

static char *dir;

static void
setup(void)
{
    dir = tn_peer_dir();
}

static void
teardown(void)
{
    tn_peer_remove(dir);
}

/* ---- gate ---- */

TestSuite(gate, .init = setup, .fini = teardown, .timeout = 20);

Test(gate, workers_of_one_daemon_share_it)
{
    struct tn_apply_gate *g = tn_apply_gate_new(dir);
    struct tn_state_lock *a = NULL, *b = NULL, *other = NULL;
    struct tn_error err = {0};
    cr_assert_eq(tn_apply_gate_enter(g, 0, &a, &err), TN_OK);
    cr_assert_eq(tn_apply_gate_enter(g, 0, &b, &err), TN_OK);
    cr_expect_eq(a, b);
    cr_expect_eq(tn_state_lock(dir, 0, &other, &err), TN_EUNAVAILABLE);
    tn_apply_gate_leave(g);
    cr_expect_eq(tn_state_lock(dir, 0, &other, &err), TN_EUNAVAILABLE,
                 "one is still inside");
    tn_apply_gate_leave(g);
    cr_expect_eq(tn_state_lock(dir, 0, &other, &err), TN_OK);
    tn_state_unlock(other);
    tn_apply_gate_free(g);
    tn_apply_gate_free(NULL);
}

static void *
enter_in_vain(void *gate)
{
    struct tn_state_lock *lock = NULL;
    struct tn_error err = {0};
    return tn_apply_gate_enter(gate, 300, &lock, &err) == TN_EUNAVAILABLE
               ? gate
               : NULL;
}

Test(gate, many_wait_for_somebody_else_no_longer_than_one)
{
    struct tn_apply_gate *g = tn_apply_gate_new(dir);
    struct tn_state_lock *other = NULL;
    struct tn_error err = {0};
    pthread_t threads[8];
    cr_assert_eq(tn_state_lock(dir, 0, &other, &err), TN_OK);
    int64_t start = tn_now_ms();
    for (size_t i = 0; i < 8; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, enter_in_vain, g), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        void *done = NULL;
        pthread_join(threads[i], &done);
        cr_expect_eq(done, g);
    }
    int64_t ms = tn_now_ms() - start;
    cr_expect(ms >= 250 && ms < 1500, "%lld ms", (long long) ms);
    tn_state_unlock(other);
    cr_expect_eq(tn_apply_gate_enter(g, 0, &other, &err), TN_OK);
    tn_apply_gate_leave(g);
    tn_apply_gate_free(g);
}

/* ---- log ---- */

static const struct {
    const char *message;
    struct tn_log_about about;
    const char *text; /* After time and level. */
} lines[] = {
    {"hello", {0}, "hello\n"},
    {"a\nerror: forged", {.device = "hv1"}, "hv1: a\\nerror: forged\n"},
    {"esc \x1b[31m", {.scope = "a\nb"}, "a\\nb: esc \\u001b[31m\n"},
    {"done",
     {.commit = "4be1c0de4be1c0de4be1c0de4be1c0de4be1c0de"},
     "done (commit 4be1c0de4be1)\n"},
    {"x", {.device = "h\nv", .scope = ""}, "h\\nv: x\n"},
};

/* Into the file "log" of 'dir'. */
static char *
logged(bool json, size_t row, bool journal)
{
    char path[256], stream[64];
    struct stat is;
    snprintf(path, sizeof path, "%s/log", dir);
    int saved = dup(STDERR_FILENO);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    fstat(fd, &is);
    snprintf(stream, sizeof stream, "%llu:%llu",
             (unsigned long long) is.st_dev + !journal,
             (unsigned long long) is.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    dup2(fd, STDERR_FILENO);
    struct tn_log *log = tn_log_new(json, false);
    tn_log(log, TN_LOG_WARNING, &lines[row].about, "%s", lines[row].message);
    tn_log(log, TN_LOG_DEBUG, NULL, "not asked for");
    tn_log_free(log);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(fd);
    return tn_peer_read(dir, "log");
}

TestSuite(log, .init = setup, .fini = teardown, .timeout = 20);

Test(log, one_line_each_whatever_it_says)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(lines); i++) {
        char *text = logged(false, i, false);
        char *after = strstr(text, " warning ");
        cr_assert_not_null(after, "%s", text);
        cr_expect_str_eq(after + strlen(" warning "), lines[i].text);
        free(text);
        text = logged(false, i, true);
        cr_expect_eq(strncmp(text, "<4>", 3), 0, "%s", text);
        cr_expect_str_eq(text + 3, lines[i].text);
        free(text);
    }
}

Test(log, json_is_json)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(lines); i++) {
        char *text = logged(true, i, true);
        cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1);
        json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        cr_assert_not_null(o, "%s", text);
        cr_expect_str_eq(json_string_value(json_object_get(o, "message")),
                         lines[i].message);
        cr_expect_str_eq(json_string_value(json_object_get(o, "level")),
                         "warning");
        json_decref(o);
        free(text);
    }
}

/* ---- control ---- */

TestSuite(control, .init = setup, .fini = teardown, .timeout = 20);

static char path[100];
static unsigned answered;

static void
echo(void *ctx, const char *request, struct tn_text *answer)
{
    (void) ctx;
    answered++;
    tn_text_add(answer, request);
}

static struct tn_control *
listening(void)
{
    struct tn_control *c = NULL;
    struct tn_error err = {0};
    snprintf(path, sizeof path, "%s/run/ctl.sock", dir);
    cr_assert_eq(tn_control_open(path, echo, NULL, &c, &err), TN_OK);
    return c;
}

static void *
ask(void *request)
{
    char *answer = NULL;
    struct tn_error err = {0};
    if (tn_control_ask(path, request, &answer, &err)) {
        return NULL;
    }
    return answer;
}

/* What a client gets that sends these bytes and then waits. */
static char *
raw(struct tn_control *c, const char *bytes, size_t n, bool end)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char got[256] = "";
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *) &at, sizeof at), 0);
    if (send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        cr_assert(false, "send");
    }
    if (end) {
        shutdown(fd, SHUT_WR);
    }
    tn_control_run(c);
    ssize_t have = read(fd, got, sizeof got - 1);
    close(fd);
    got[have > 0 ? have : 0] = '\0';
    return strdup(got);
}

Test(control, round_trip)
{
    struct tn_control *c = listening();
    struct stat is;
    pthread_t thread;
    void *answer = NULL;
    static char request[] = "{\"a\":1}";
    cr_assert_eq(lstat(path, &is), 0);
    cr_expect_eq(is.st_mode & 07777, 0600);
    cr_assert_eq(pthread_create(&thread, NULL, ask, request), 0);
    for (int i = 0; i < 1000 && !answered; i++) {
        tn_control_run(c);
        usleep(1000);
    }
    pthread_join(thread, &answer);
    cr_expect_str_eq(answer, "{\"a\":1}\n");
    free(answer);
    tn_control_close(c);
    cr_expect_neq(lstat(path, &is), 0, "the file is gone");
    struct tn_error err = {0};
    char *none = NULL;
    cr_expect_eq(tn_control_ask(path, "{}", &none, &err), TN_EUNAVAILABLE);
    tn_control_close(NULL);
}

static const struct {
    const char *bytes;
    size_t repeat;
    bool end;
    unsigned answered;
} clients[] = {
    {"{}\n", 1, false, 1}, {"", 0, true, 0},         {"{\"half", 1, true, 0},
    {"slow", 1, false, 0}, {"long", 8192, false, 0}, {"\n", 1, false, 1},
};

Test(control, rude_clients_cost_little)
{
    struct tn_control *c = listening();
    for (size_t i = 0; i < TN_ARRAY_SIZE(clients); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        for (size_t k = 0; k < clients[i].repeat; k++) {
            tn_text_add(&t, clients[i].bytes);
        }
        answered = 0;
        int64_t start = tn_now_ms();
        free(raw(c, tn_text_str(&t), t.n, clients[i].end));
        cr_expect_eq(answered, clients[i].answered, "row %zu", i);
        cr_expect_lt(tn_now_ms() - start, 1500, "row %zu", i);
    }
    tn_control_run(c); /* Nobody is there. */
    tn_control_close(c);
}

Test(control, takes_a_dead_socket_and_nothing_else)
{
    struct tn_error err = {0};
    struct tn_control *second = NULL;
    struct tn_control *c = listening();
    cr_expect_eq(tn_control_open(path, echo, NULL, &second, &err),
                 TN_EUNAVAILABLE, "somebody listens there");
    char kept[300];
    snprintf(kept, sizeof kept, "%s.kept", path);
    cr_assert_eq(link(path, kept), 0);
    tn_control_close(c);
    cr_assert_eq(rename(kept, path), 0);
    c = listening();
    tn_control_close(c);
    tn_peer_write(dir, "run/ctl.sock", "precious");
    cr_expect_neq(tn_control_open(path, echo, NULL, &second, &err), TN_OK);
    char *text = tn_peer_read(dir, "run/ctl.sock");
    cr_expect_str_eq(text, "precious");
    free(text);
    char longer[400];
    memset(longer, 'x', sizeof longer - 1);
    longer[0] = '/';
    longer[399] = '\0';
    cr_expect_eq(tn_control_open(longer, echo, NULL, &second, &err),
                 TN_EINTENT);
}

Test(control, other_users_are_turned_away)
{
    if (geteuid() != 0) {
        cr_skip_test("needs root");
    }
    struct tn_control *c = listening();
    char parent[256];
    snprintf(parent, sizeof parent, "%s/run", dir);
    cr_assert_eq(chmod(dir, 0755) + chmod(parent, 0755), 0);
    /* Even if somebody opened the file to all. */
    cr_assert_eq(chmod(path, 0666), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char *answer = NULL;
        struct tn_error err = {0};
        if (setgid(65534) || setuid(65534)) {
            _exit(9);
        }
        bool refused = tn_control_ask(path, "{}", &answer, &err) == TN_OK &&
                       strstr(answer, "only root may");
        _exit(refused ? 0 : 1);
    }
    int status = -1;
    answered = 0;
    for (int i = 0; i < 3000 && waitpid(pid, &status, WNOHANG) == 0; i++) {
        tn_control_run(c);
        usleep(1000);
    }
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
    cr_expect_eq(answered, 0);
    tn_control_close(c);
}
