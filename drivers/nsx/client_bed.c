/* client_bed.c - see client_bed.h. */
#include "drivers/nsx/client_bed.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"

static const char password[] = "p&ss %+=w\"rd";

static void
make_certificates(struct bed *b)
{
    char command[4096];
    /* Two authorities; one signed a server and a principal identity. */
    snprintf(
        command, sizeof command,
        "cd %s && set -e && for ca in ca other; do openssl req -x509 -newkey "
        "ec "
        "-pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=$ca "
        "-keyout $ca.key -out $ca.pem; done; "
        "for who in server tenet; do openssl req -newkey ec -pkeyopt "
        "ec_paramgen_curve:prime256v1 -nodes -subj /CN=$who -keyout $who.key "
        "-out $who.csr; printf "
        "'subjectAltName=IP:127.0.0.1\\n' >$who.ext; openssl x509 -req -in "
        "$who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile "
        "$who.ext -out $who.pem; done 2>/dev/null >&2",
        b->dir);
    char quiet[4200];
    snprintf(quiet, sizeof quiet, "( %s ) 2>/dev/null >&2", command);
    cr_assert_eq(system(quiet), 0);
    snprintf(b->ca, sizeof b->ca, "%s/ca.pem", b->dir);
    snprintf(b->other_ca, sizeof b->other_ca, "%s/other.pem", b->dir);
    snprintf(b->certificate, sizeof b->certificate, "%s/tenet.pem", b->dir);
    snprintf(b->key, sizeof b->key, "%s/tenet.key", b->dir);
}

static void
start_node(struct bed *b, size_t node, int port, const char *const *more)
{
    char name[16], at[16], cert[256], key[256];
    const char *argv[24] = {
        "python3", "drivers/nsx/client_peer.py", b->dir, name, cert, key};
    size_t n = 6;
    snprintf(name, sizeof name, "n%zu", node);
    snprintf(cert, sizeof cert, "%s/server.pem", b->dir);
    snprintf(key, sizeof key, "%s/server.key", b->dir);
    if (port) {
        snprintf(at, sizeof at, "%d", port);
        argv[n++] = "--port";
        argv[n++] = at;
    }
    for (; more && *more && n < 22; more++) {
        argv[n++] = strcmp(*more, "CA") == 0 ? b->ca : *more;
    }
    b->nodes[node] = tn_peer_start(argv, 1);
}

struct bed
bed_begin(size_t n, const char *const *more)
{
    struct bed b = {.dir = tn_peer_dir(), .n = n, .arena = tn_arena_new()};
    signal(SIGPIPE, SIG_IGN);
    make_certificates(&b);
    for (size_t i = 0; i < n; i++) {
        start_node(&b, i, 0, more);
        snprintf(b.urls[i], sizeof b.urls[i], "https://127.0.0.1:%d",
                 b.nodes[i].port);
    }
    cr_assert_eq(tn_secret_new(sizeof password - 1, &b.secret, NULL), TN_OK);
    memcpy(tn_secret_bytes(b.secret), password, sizeof password - 1);
    b.options = (struct tn_nsx_options){
        .n_managers = n, .user = "admin", .patience_s = 20, .rate = 500};
    return b;
}

static void
check_secrets(const struct bed *b)
{
    cr_expect(!strstr(b->text, "p&ss") && !strstr(b->text, "p%26ss"), "%s",
              b->text);
    cr_expect(!strstr(b->text, "JSESSIONID") && !strstr(b->text, "Basic "),
              "%s", b->text);
}

void
bed_end(struct bed *b)
{
    tn_nsx_free(b->nsx);
    for (size_t i = 0; i < b->n; i++) {
        bed_kill(b, i);
    }
    tn_secret_free(b->secret);
    tn_arena_free(b->arena);
    tn_peer_remove(b->dir);
}

void
bed_client(struct bed *b)
{
    if (b->nsx) {
        return;
    }
    for (size_t i = 0; i < b->n; i++) {
        b->managers[i] = b->urls[i];
    }
    b->options.managers = b->managers;
    b->options.secret = b->secret;
    b->options.ca = b->options.ca ? b->options.ca : b->ca;
    cr_assert_eq(tn_nsx_new(&b->options, &b->nsx, &b->err), TN_OK, "%s",
                 b->err.text);
}

void
bed_rules(struct bed *b, size_t node, const char *rules)
{
    char name[32], path[300], to[300];
    char *json = strdup(rules);
    for (char *p = json; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    snprintf(name, sizeof name, "n%zu.new", node);
    tn_peer_write(b->dir, name, json);
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    snprintf(to, sizeof to, "%s/n%zu.rules", b->dir, node);
    cr_assert_eq(rename(path, to), 0);
    free(json);
}

enum tn_code
bed_ask(struct bed *b, const char *method, const char *path, const char *body)
{
    struct tn_nsx_call call = {.method = method,
                               .path = path,
                               .body = body,
                               .n_body = body ? strlen(body) : 0};
    bed_client(b);
    b->err = (struct tn_error){0};
    enum tn_code code = tn_nsx_ask(b->nsx, &call, b->arena, &b->reply, &b->err);
    tn_error_text(&b->err, b->text, sizeof b->text);
    check_secrets(b);
    return code;
}

size_t
bed_count(const struct bed *b, size_t node, const char *word, const char *other)
{
    char name[32];
    size_t n = 0;
    snprintf(name, sizeof name, "n%zu.log", node);
    TN_CLEANUP(tn_cleanup_free) char *log = tn_peer_read(b->dir, name);
    for (char *line = log, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        n += (!word || strstr(line, word)) && (!other || strstr(line, other));
        end = next;
    }
    return n;
}

void
bed_kill(struct bed *b, size_t node)
{
    tn_peer_stop(&b->nodes[node], SIGKILL);
}

void
bed_revive(struct bed *b, size_t node)
{
    start_node(b, node, b->nodes[node].port, NULL);
}
