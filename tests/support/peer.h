/* peer.h - a program that a test talks to: started, waited for, killed.
 *
 * For tests only.  Failures end the test. */
#ifndef TN_TESTS_PEER_H
#define TN_TESTS_PEER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tn_peer {
    pid_t pid;
    int port;  /* What it printed first, if asked for; else 0. */
    int input; /* Its standard input; it should end when this is closed. */
};

/* Starts 'argv' and, with 'prints_port', reads a number from its output. It
 * dies with the test. */
struct tn_peer tn_peer_start(const char *const *argv, int prints_port);
/* Kills with 'signal' and waits.  Fine if it is gone already. */
void tn_peer_stop(struct tn_peer *peer, int signal);

/* A new directory below /tmp; malloc'ed. */
char *tn_peer_dir(void);
/* Removes it with all that is in it, and frees the name. */
void tn_peer_remove(char *dir);
/* A port of loopback that nobody uses at the moment. */
int tn_peer_free_port(void);
/* Whole file as text, malloc'ed; "" if there is none. */
char *tn_peer_read(const char *dir, const char *name);
void tn_peer_write(const char *dir, const char *name, const char *text);
int64_t tn_peer_now_ms(void);

#endif
