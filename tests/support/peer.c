/* peer.c - children of a test that cannot outlive it. */
#include "tests/support/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/text.h"

static void
give_up(const char *what)
{
    perror(what);
    abort();
}

static void
run_child(const char *const *argv, const int in[2], const int out[2], pid_t up)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != up) {
        _exit(1);
    }
    dup2(in[0], 0);
    dup2(out[1], 1);
    execvp(argv[0], (char *const *) argv);
    _exit(127);
}

struct tn_peer
tn_peer_start(const char *const *argv, int prints_port)
{
    int in[2], out[2];
    pid_t up = getpid();
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0) {
        give_up("pipe");
    }
    pid_t pid = fork();
    if (pid < 0) {
        give_up("fork");
    }
    if (pid == 0) {
        run_child(argv, in, out, up);
    }
    close(in[0]);
    close(out[1]);
    struct tn_peer peer = {.pid = pid, .input = in[1]};
    if (prints_port) {
        char line[16] = "";
        size_t n = 0;
        while (n < sizeof line - 1 && read(out[0], line + n, 1) == 1 &&
               line[n] != '\n') {
            n++;
        }
        peer.port = (int) strtol(line, NULL, 10);
        if (peer.port == 0) {
            give_up(argv[1]);
        }
    }
    close(out[0]);
    return peer;
}

void
tn_peer_stop(struct tn_peer *peer, int signal)
{
    if (peer->pid > 0) {
        kill(peer->pid, signal);
        waitpid(peer->pid, NULL, 0);
        close(peer->input);
    }
    peer->pid = 0;
}

char *
tn_peer_dir(void)
{
    char *dir = strdup("/tmp/tn-peer.XXXXXX");
    if (!dir || !mkdtemp(dir)) {
        give_up("mkdtemp");
    }
    return dir;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void) st;
    (void) type;
    (void) ftw;
    return remove(path);
}

void
tn_peer_remove(char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(dir);
}

int
tn_peer_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *) &a, n) < 0 ||
        getsockname(fd, (struct sockaddr *) &a, &n) < 0) {
        give_up("bind");
    }
    close(fd);
    return ntohs(a.sin_port);
}

static FILE *
open_in(const char *dir, const char *name, const char *mode)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return fopen(path, mode);
}

char *
tn_peer_read(const char *dir, const char *name)
{
    struct tn_text t = {0};
    FILE *f = open_in(dir, name, "re");
    char buf[4096];
    for (size_t n; f && (n = fread(buf, 1, sizeof buf, f)) > 0;) {
        tn_text_addn(&t, buf, n);
    }
    if (f) {
        fclose(f);
    }
    tn_text_add(&t, "");
    return t.s ? tn_text_take(&t) : strdup("");
}

void
tn_peer_write(const char *dir, const char *name, const char *text)
{
    FILE *f = open_in(dir, name, "we");
    if (!f || fputs(text, f) < 0 || fchmod(fileno(f), 0600) < 0 ||
        fclose(f) != 0) {
        give_up(name);
    }
}

int64_t
tn_peer_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
