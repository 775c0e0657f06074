/* svg.c - graphviz as a child process.
 *
 * Input, output and complaints are unnamed files, so that nobody waits for the
 * other.  The child is killed when it is late: layouts of large graphs may take
 * very long. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/time.h"
#include "reconciler/graph/graph.h"

extern char **environ;

enum { LOOK_MS = 5 };

static enum tn_code
file_new(const char *name, int *out, struct tn_error *err)
{
    *out = memfd_create(name, MFD_CLOEXEC);
    return *out < 0 ? tn_fail_sys(err, TN_EINTERNAL, errno, "memfd_create")
                    : TN_OK;
}

static enum tn_code
write_all(int fd, const char *s, size_t n, struct tn_error *err)
{
    while (n) {
        ssize_t w = write(fd, s, n);
        if (w < 0 && errno != EINTR) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "writing DOT");
        }
        s += w > 0 ? w : 0;
        n -= w > 0 ? (size_t) w : 0;
    }
    return lseek(fd, 0, SEEK_SET) < 0
               ? tn_fail_sys(err, TN_EINTERNAL, errno, "lseek")
               : TN_OK;
}

static void
read_all(int fd, struct tn_text *out)
{
    char buf[65536];
    ssize_t n;
    (void) lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, buf, sizeof buf)) > 0) {
        tn_text_addn(out, buf, (size_t) n);
    }
}

static enum tn_code
child_start(int in, int out, int complaints, pid_t *pid, struct tn_error *err)
{
    static const char *const argv[] = {"dot", "-Tsvg", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, complaints, 2);
    int rc = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *) argv,
                          environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc == ENOENT) {
        return tn_fail(err, TN_ENOENT, rc,
                       "there is no program 'dot': install graphviz, or take "
                       "--output dot to where it is");
    }
    return rc ? tn_fail_sys(err, TN_EINTERNAL, rc, "starting dot") : TN_OK;
}

/* The status of the child, which is killed if it is late. */
static enum tn_code
child_wait(pid_t pid, unsigned seconds, int *status, struct tn_error *err)
{
    int64_t until = tn_now_ms() + (int64_t) seconds * 1000;
    for (;;) {
        struct timespec pause = {0, LOOK_MS * 1000000L};
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid) {
            return TN_OK;
        }
        if (got < 0 && errno != EINTR) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "waitpid");
        }
        if (tn_now_ms() > until) {
            kill(pid, SIGKILL);
            (void) waitpid(pid, status, 0);
            return tn_fail(err, TN_EUNAVAILABLE, 0,
                           "graphviz was not done after %u s; --tenant, --vpc "
                           "or --host make the picture smaller",
                           seconds);
        }
        nanosleep(&pause, NULL);
    }
}

enum tn_code
tn_graph_svg(const struct tn_text *dot, unsigned seconds, struct tn_text *out,
             struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd) int in = -1;
    TN_CLEANUP(tn_cleanup_fd) int svg = -1;
    TN_CLEANUP(tn_cleanup_fd) int complaints = -1;
    TN_CLEANUP(tn_cleanup_text) struct tn_text said = {0};
    pid_t pid = 0;
    int status = 0;
    enum tn_code code = file_new("dot", &in, err);
    code = code ? code : file_new("svg", &svg, err);
    code = code ? code : file_new("complaints", &complaints, err);
    code = code ? code : write_all(in, tn_text_str(dot), dot->n, err);
    code = code ? code : child_start(in, svg, complaints, &pid, err);
    code = code ? code : child_wait(pid, seconds, &status, err);
    if (code) {
        return code;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        read_all(complaints, &said);
        return tn_fail(err, TN_EINTERNAL, 0, "graphviz failed: %.300s",
                       said.n ? tn_text_str(&said) : "it did not say why");
    }
    read_all(svg, out);
    return TN_OK;
}
