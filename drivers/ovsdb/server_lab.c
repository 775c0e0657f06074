/* server_lab.c - see server_lab.h. */
#include "drivers/ovsdb/server_lab.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

enum { MOST_WAITS = 6000 };

static const char script[] =
    "set -e; cd '%s'\n"
    "request() {\n"
    "    openssl ecparam -name prime256v1 -genkey -noout -out $1.key\n"
    "    openssl req -new -key $1.key -subj \"/CN=$1\" -out $1.req\n"
    "}\n"
    "ca() {\n"
    "    request $1\n"
    "    echo basicConstraints=CA:TRUE >ext\n"
    "    openssl x509 -req -in $1.req -signkey $1.key -extfile ext -days 99 "
    "\\\n"
    "        -out $1.pem\n"
    "}\n"
    "leaf() {\n"
    "    request $1\n"
    "    openssl x509 -req -in $1.req -CA $2.pem -CAkey $2.key \\\n"
    "        -CAcreateserial -days $3 -out $1.pem\n"
    "}\n"
    "{\n"
    "    ca good; ca other; ca self\n"
    "    leaf server good 99; leaf client good 99; leaf stranger other 99\n"
    "    leaf old_server good -1; leaf old_client good -1\n"
    "    openssl pkey -in client.key -aes128 -passout pass:x -out locked.key\n"
    "} >log 2>&1\n";

char *
tn_server_lab_certificates(void)
{
    char *dir = tn_peer_dir(), command[sizeof script + 200];
    snprintf(command, sizeof command, script, dir);
    int rc = system(command);
    char *log = tn_peer_read(dir, "log");
    cr_assert_eq(rc, 0, "%s", log);
    free(log);
    return dir;
}

static void
run(const char *const *argv)
{
    struct tn_peer peer = tn_peer_start(argv, 0);
    tn_peer_stop(&peer, 0);
}

/* Until somebody listens there. */
static void
await(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    for (int i = 0; i < MOST_WAITS; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int rc = connect(fd, (const struct sockaddr *) &sun, sizeof sun);
        close(fd);
        if (rc == 0) {
            return;
        }
        poll(NULL, 0, 10);
    }
    cr_assert_fail("ovsdb-server does not listen at %s", path);
}

void
tn_server_lab_start(struct tn_server_lab *lab)
{
    char unix_arg[300], tcp_arg[200], ssl_arg[200], control[300], log[300];
    char key[300], certificate[300], ca[300];
    snprintf(unix_arg, sizeof unix_arg, "--remote=p%s", lab->at_unix);
    snprintf(tcp_arg, sizeof tcp_arg, "--remote=ptcp:%s:127.0.0.1",
             strrchr(lab->at_tcp, ':') + 1);
    snprintf(ssl_arg, sizeof ssl_arg, "--remote=pssl:%s:127.0.0.1",
             strrchr(lab->at_ssl, ':') + 1);
    snprintf(control, sizeof control, "--unixctl=%s/ctl", lab->dir);
    snprintf(log, sizeof log, "--log-file=%s/log", lab->dir);
    snprintf(key, sizeof key, "--private-key=%s/server.key", lab->dir);
    snprintf(certificate, sizeof certificate, "--certificate=%s/server.pem",
             lab->dir);
    snprintf(ca, sizeof ca, "--ca-cert=%s/good.pem", lab->dir);
    const char *const argv[] = {"ovsdb-server",
                                unix_arg,
                                tcp_arg,
                                ssl_arg,
                                control,
                                log,
                                key,
                                certificate,
                                ca,
                                "--no-chdir",
                                "-vconsole:emer",
                                lab->db,
                                NULL};
    lab->server = tn_peer_start(argv, 0);
    await(lab->at_unix + strlen("unix:"));
}

void
tn_server_lab_begin(struct tn_server_lab *lab)
{
    *lab = (struct tn_server_lab){.dir = tn_server_lab_certificates()};
    snprintf(lab->at_unix, sizeof lab->at_unix, "unix:%s/sock", lab->dir);
    snprintf(lab->at_tcp, sizeof lab->at_tcp, "tcp:127.0.0.1:%d",
             tn_peer_free_port());
    snprintf(lab->at_ssl, sizeof lab->at_ssl, "ssl:127.0.0.1:%d",
             tn_peer_free_port());
    snprintf(lab->ca, sizeof lab->ca, "%s/good.pem", lab->dir);
    snprintf(lab->certificate, sizeof lab->certificate, "%s/client.pem",
             lab->dir);
    snprintf(lab->key, sizeof lab->key, "%s/client.key", lab->dir);
    lab->tls = (struct tn_ovsdb_tls){lab->ca, lab->certificate, lab->key};
    snprintf(lab->db, sizeof lab->db, "%s/conf.db", lab->dir);
    run((const char *const[]){"ovsdb-tool", "create", lab->db,
                              "/usr/share/openvswitch/vswitch.ovsschema",
                              NULL});
    tn_server_lab_start(lab);
}

void
tn_server_lab_end(struct tn_server_lab *lab)
{
    tn_peer_stop(&lab->server, SIGKILL);
    tn_peer_remove(lab->dir);
}
