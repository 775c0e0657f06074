/* ovsdb_server.c - see ovsdb_server.h. */
#include "tests/support/ovsdb_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/text.h"

enum { START_MS = 60000 };

static void
give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    abort();
}

static void
run_child(const char *const *argv, int out, pid_t up)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != up) {
        _exit(1);
    }
    dup2(out, 1);
    dup2(out, 2);
    execvp(argv[0], (char *const *) argv);
    _exit(127);
}

static bool
can_connect(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    bool ok = connect(fd, (struct sockaddr *) &a, sizeof a) == 0;
    close(fd);
    return ok;
}

int
tn_run_status(const char *const *argv, char **out)
{
    int pipes[2], status = 0;
    struct tn_text text = {0};
    char buf[4096];
    pid_t up = getpid();
    if (pipe2(pipes, O_CLOEXEC) < 0) {
        give_up(argv[0], "pipe");
    }
    pid_t pid = fork();
    if (pid == 0) {
        run_child(argv, pipes[1], up);
    }
    close(pipes[1]);
    for (ssize_t n; (n = read(pipes[0], buf, sizeof buf)) > 0;) {
        tn_text_addn(&text, buf, (size_t) n);
    }
    close(pipes[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        give_up(argv[0], "fork");
    }
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    if (status == 127) {
        give_up(argv[0], "cannot be run; apt-get install openvswitch-switch "
                         "ovn-central");
    }
    *out = text.s ? tn_text_take(&text) : strdup("");
    return status;
}

char *
tn_run(const char *const *argv)
{
    char *out = NULL;
    if (tn_run_status(argv, &out) != 0) {
        give_up(argv[0], out);
    }
    return out;
}

char *
tn_format(const char *format, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0) {
        give_up("tn_format", "out of memory");
    }
    return text;
}

void
tn_ovsdb_create(const char *dir, const char *name, const char *schema)
{
    if (access(schema, R_OK) != 0) {
        give_up(schema, "missing; apt-get install openvswitch-switch "
                        "ovn-central");
    }
    char *db = tn_format("%s/%s.db", dir, name);
    TN_RUN_QUIETLY("ovsdb-tool", "create", db, schema);
    free(db);
}

struct tn_peer
tn_ovsdb_start(const char *dir, const char *name, const char *remote)
{
    char *db = tn_format("%s/%s.db", dir, name);
    char *log = tn_format("--log-file=%s/%s.log", dir, name);
    char *control = tn_format("--unixctl=%s/%s.ctl", dir, name);
    char *pid = tn_format("--pidfile=%s/%s.pid", dir, name);
    char *socket_path = tn_format("%s/%s.sock", dir, name);
    char *listen = tn_format("--remote=punix:%s", socket_path);
    char *more = tn_format("--remote=%s", remote ? remote : "");
    const char *argv[] = {"ovsdb-server",
                          db,
                          log,
                          control,
                          pid,
                          "--no-chdir",
                          "-vconsole:off",
                          listen,
                          remote ? more : NULL,
                          NULL};
    unlink(socket_path);
    struct tn_peer peer = tn_peer_start(argv, 0);
    int64_t until = tn_peer_now_ms() + START_MS;
    while (!can_connect(socket_path)) {
        if (tn_peer_now_ms() > until ||
            waitpid(peer.pid, NULL, WNOHANG) == peer.pid) {
            char *file = tn_format("%s.log", name);
            give_up("ovsdb-server does not start", tn_peer_read(dir, file));
        }
        usleep(5000);
    }
    free(db);
    free(log);
    free(control);
    free(pid);
    free(socket_path);
    free(listen);
    free(more);
    return peer;
}
