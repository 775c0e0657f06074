/* client_sim_test.c - the client against the simulated cluster, which is strict
 * and knows nothing of the client. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "drivers/nsx/client.h"
#include "model/base/attr.h"
#include "model/base/cleanup.h"
#include "tests/support/peer.h"

#define INFRA "/policy/api/v1/infra"

enum { NODES = 3 };

static const char password[] = "s3cr&t+%";

struct lab {
    char *dir;
    struct tn_peer simulator;
    json_t *ready;
    int control;
    const char *managers[NODES];
    struct tn_secret *secret;
    struct tn_nsx_options options;
    struct tn_nsx *nsx;
    struct tn_arena *arena;
    struct tn_nsx_reply reply;
    struct tn_error err;
};

static const char *
at(const struct lab *lab, const char *name)
{
    return json_string_value(json_object_get(lab->ready, name));
}

static struct lab
begin(void)
{
    struct lab lab = {.dir = tn_peer_dir(), .arena = tn_arena_new()};
    char ready[300];
    signal(SIGPIPE, SIG_IGN);
    snprintf(ready, sizeof ready, "%s/ready", lab.dir);
    const char *argv[] = {
        "sh",
        "-c",
        "exec python3 tests/nsx/nsx_simulator.py \"$@\" >/dev/null",
        "simulator",
        "--nodes",
        "3",
        "--ca",
        lab.dir,
        "--ready",
        ready,
        "--tied",
        "--password",
        password,
        NULL,
    };
    lab.simulator = tn_peer_start(argv, 0);
    int64_t end = tn_peer_now_ms() + 60000;
    while (access(ready, R_OK) < 0 && tn_peer_now_ms() < end) {
        usleep(20000);
    }
    lab.ready = json_load_file(ready, 0, NULL);
    cr_assert(lab.ready, "the simulator does not start");
    const char *control = strrchr(at(&lab, "control"), ':');
    lab.control = (int) strtol(control + 1, NULL, 10);
    for (size_t i = 0; i < NODES; i++) {
        lab.managers[i] = json_string_value(
            json_array_get(json_object_get(lab.ready, "urls"), i));
    }
    cr_assert_eq(tn_secret_new(sizeof password - 1, &lab.secret, NULL), TN_OK);
    memcpy(tn_secret_bytes(lab.secret), password, sizeof password - 1);
    lab.options = (struct tn_nsx_options){.n_managers = NODES,
                                          .user = "admin",
                                          .ca = at(&lab, "ca"),
                                          .patience_s = 30};
    return lab;
}

static void
end(struct lab *lab)
{
    tn_nsx_free(lab->nsx);
    tn_peer_stop(&lab->simulator, SIGKILL);
    json_decref(lab->ready);
    tn_secret_free(lab->secret);
    tn_arena_free(lab->arena);
    tn_peer_remove(lab->dir);
}

/* A request to the control port; the answer's body in the arena. */
static const char *
control(struct lab *lab, const char *path, const char *body)
{
    struct sockaddr_in sin = {.sin_family = AF_INET,
                              .sin_port = htons((uint16_t) lab->control),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    TN_CLEANUP(tn_cleanup_fd) int fd = socket(AF_INET, SOCK_STREAM, 0);
    TN_CLEANUP(tn_cleanup_text) struct tn_text all = {0};
    char part[4096];
    ssize_t n;
    cr_assert_eq(connect(fd, (const struct sockaddr *) &sin, sizeof sin), 0);
    tn_text_addf(&all, "%s %s HTTP/1.0\r\nContent-Length: %zu\r\n\r\n%s",
                 body ? "POST" : "GET", path, body ? strlen(body) : 0,
                 body ? body : "");
    cr_assert_eq(send(fd, all.s, all.n, 0), (ssize_t) all.n);
    tn_text_clear(&all);
    const char *head = NULL;
    size_t want = SIZE_MAX;
    while (all.n < want && (n = recv(fd, part, sizeof part, 0)) > 0) {
        tn_text_addn(&all, part, (size_t) n);
        const char *length = strcasestr(all.s, "content-length:");
        head = strstr(all.s, "\r\n\r\n");
        if (head && length) {
            want = (size_t) (head + 4 - all.s) + strtoul(length + 15, NULL, 10);
        }
    }
    cr_assert(head && strstr(all.s, " 200 "), "%s", tn_text_str(&all));
    return tn_arena_strdup(lab->arena, head + 4);
}

/* {"a": {"b": 3}}: counter(lab, "a", "b") is 3. */
static long long
counter(struct lab *lab, const char *name, const char *inner)
{
    json_t *json = json_loads(control(lab, "/counters", NULL), 0, NULL);
    const json_t *value = json_object_get(json, name);
    value = inner ? json_object_get(value, inner) : value;
    long long n = json_integer_value(value);
    json_decref(json);
    return n;
}

static void
make_client(struct lab *lab)
{
    if (!lab->nsx) {
        lab->options.managers = lab->managers;
        lab->options.secret = lab->secret;
        cr_assert_eq(tn_nsx_new(&lab->options, &lab->nsx, &lab->err), TN_OK,
                     "%s", lab->err.text);
    }
}

static enum tn_code
ask(struct lab *lab, const char *method, const char *path, const char *body)
{
    struct tn_nsx_call call = {.method = method,
                               .path = path,
                               .body = body,
                               .n_body = body ? strlen(body) : 0};
    make_client(lab);
    enum tn_code code =
        tn_nsx_ask(lab->nsx, &call, lab->arena, &lab->reply, &lab->err);
    cr_expect(!strstr(lab->err.text, "s3cr"), "%s", lab->err.text);
    return code;
}

static void
want(struct lab *lab, enum tn_nsx_action action, const char *method,
     const char *path, const char *body)
{
    cr_assert_eq(ask(lab, method, path, body), TN_OK, "%s", lab->err.text);
    cr_assert_eq(lab->reply.verdict.action, action, "%s %s: %s %d/%lld %s",
                 method, path, tn_nsx_action_name(lab->reply.verdict.action),
                 lab->reply.verdict.status, lab->reply.verdict.code,
                 lab->reply.verdict.text);
}

static const char group[] = "{\"resource_type\":\"Group\",\"id\":\"g\"}";
#define GROUP INFRA "/domains/default/groups/g"

static void
fresh(struct lab *lab)
{
    tn_nsx_free(lab->nsx);
    lab->nsx = NULL;
    control(lab, "/settings", "{\"expiry\": \"403\", \"client_rate\": 100}");
    control(lab, "/faults/clear", "{}");
    control(lab, "/counters/reset", "{}");
    want(lab, TN_NSX_DONE, "GET", INFRA "/domains", NULL);
}

static const char *const expiries[] = {
    "{\"expiry\": \"403\"}", "{\"expiry\": \"98\"}", "{\"expiry\": \"401\"}"};

Test(nsx_client_sim, sessions)
{
    struct lab lab = begin();
    for (size_t i = 0; i < TN_ARRAY_SIZE(expiries); i++) {
        fresh(&lab);
        cr_expect_str_eq(tn_nsx_version(lab.nsx), "4.2.1.0.0.24304122");
        control(&lab, "/settings", expiries[i]);
        control(&lab, "/expire", "{}");
        want(&lab, TN_NSX_DONE, "PATCH", GROUP, group);
        cr_expect_eq(counter(&lab, "classes", "login"), 2);
    }
    tn_nsx_free(lab.nsx);
    lab.nsx = NULL;
    json_t *json = json_loads(control(&lab, "/counters", NULL), 0, NULL);
    size_t i;
    const json_t *n;
    json_array_foreach(json_object_get(json, "sessions"), i, n)
    {
        cr_expect_eq(json_integer_value(n), 0, "a session was left");
    }
    json_decref(json);
    end(&lab);
}

Test(nsx_client_sim, other_schemes)
{
    struct lab lab = begin();
    lab.options.login = TN_NSX_BASIC;
    want(&lab, TN_NSX_DONE, "PATCH", GROUP, group);
    cr_expect_eq(counter(&lab, "classes", "login"), 0);
    tn_nsx_free(lab.nsx);
    lab.nsx = NULL;
    lab.options.login = TN_NSX_CERTIFICATE;
    lab.options.certificate = at(&lab, "client_cert");
    lab.options.key = at(&lab, "client_key");
    want(&lab, TN_NSX_DONE, "GET", GROUP, NULL);
    cr_expect_eq(counter(&lab, "classes", "login"), 0);
    end(&lab);
}

Test(nsx_client_sim, a_wrong_password_locks_nobody_out)
{
    struct lab lab = begin();
    control(&lab, "/settings", "{\"lockout_failures\": 2}");
    tn_secret_bytes(lab.secret)[0] ^= 1;
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(ask(&lab, "GET", INFRA, NULL), TN_EDENIED);
    }
    cr_expect_eq(counter(&lab, "total", NULL), 1);
    tn_nsx_free(lab.nsx);
    lab.nsx = NULL;
    tn_secret_bytes(lab.secret)[0] ^= 1;
    want(&lab, TN_NSX_DONE, "GET", INFRA "/domains", NULL);
    end(&lab);
}

static void
ask_many(struct lab *lab, size_t n)
{
    struct tn_nsx_call *calls = tn_new_n(lab->arena, struct tn_nsx_call, n);
    struct tn_nsx_reply *replies = tn_new_n(lab->arena, struct tn_nsx_reply, n);
    for (size_t i = 0; i < n; i++) {
        calls[i].method = "GET";
        calls[i].path = INFRA "/domains";
    }
    cr_assert_eq(
        tn_nsx_ask_all(lab->nsx, calls, n, lab->arena, replies, &lab->err),
        TN_OK, "%s", lab->err.text);
    for (size_t i = 0; i < n; i++) {
        cr_expect_eq(replies[i].verdict.action, TN_NSX_DONE);
    }
}

Test(nsx_client_sim, rates)
{
    struct lab lab = begin();
    /* Within the bound nothing is refused. */
    lab.options.rate = 60;
    fresh(&lab);
    control(&lab, "/settings", "{\"client_rate\": 60}");
    ask_many(&lab, 150);
    cr_expect_eq(counter(&lab, "refused_by_rate", NULL), 0);
    cr_expect_leq(counter(&lab, "peak_per_second", NULL), 60);
    /* A lower limit is found. */
    lab.options.rate = 400;
    fresh(&lab);
    control(&lab, "/settings", "{\"client_rate\": 40}");
    ask_many(&lab, 120);
    cr_expect_gt(tn_nsx_counts(lab.nsx).refused_by_rate, 0);
    cr_expect_leq(counter(&lab, "refused_by_rate", NULL), 60, "%lld",
                  counter(&lab, "refused_by_rate", NULL));
    end(&lab);
}

#define FAULT(do) "{\"path\": \"groups/g\", \"do\": " do "}"

struct fault_row {
    const char *method, *fault;
    enum tn_nsx_action action;
    long long sent; /* Requests of that method. */
};

static const struct fault_row faults[] = {
    {"PATCH", FAULT("{\"status\":503,\"text\":\"The server is too busy.\"}"),
     TN_NSX_DONE, 2},
    {"PATCH", FAULT("{\"drop\":\"before\"}"), TN_NSX_LOST, 1},
    {"PATCH", FAULT("{\"drop\":\"after\"}"), TN_NSX_LOST, 1},
    {"PATCH", FAULT("{\"half\":true}"), TN_NSX_DONE, 1}, /* No body. */
    {"PATCH", FAULT("{\"expire\":true}"), TN_NSX_DONE, 2},
    {"PATCH", FAULT("{\"sleep_after\":9}"), TN_NSX_LOST, 1},
    {"GET", FAULT("{\"sleep\":9}"), TN_NSX_DONE, 2},
};

Test(nsx_client_sim, faults)
{
    struct lab lab = begin();
    lab.options.timeout_s = 2;
    for (size_t i = 0; i < TN_ARRAY_SIZE(faults); i++) {
        const struct fault_row *r = &faults[i];
        bool reads = strcmp(r->method, "GET") == 0;
        fresh(&lab);
        long long before = counter(&lab, "methods", r->method);
        control(&lab, "/fault", r->fault);
        cr_assert_eq(ask(&lab, r->method, GROUP, reads ? NULL : group), TN_OK,
                     "%zu: %s", i, lab.err.text);
        cr_expect_eq(lab.reply.verdict.action, r->action, "%zu: %s %s", i,
                     tn_nsx_action_name(lab.reply.verdict.action),
                     lab.reply.verdict.text);
        cr_expect_eq(counter(&lab, "methods", r->method) - before, r->sent,
                     "%zu: %lld", i,
                     counter(&lab, "methods", r->method) - before);
    }
    end(&lab);
}

struct node_row {
    const char *mode;
    enum tn_nsx_action action;
};

static const struct node_row nodes[] = {
    {"{\"mode\": \"down\"}", TN_NSX_DONE},
    {"{\"mode\": \"unavailable\"}", TN_NSX_DONE},
    {"{\"mode\": \"unavailable\", \"html\": true}", TN_NSX_DONE},
    {"{\"mode\": \"redirect\", \"status\": 307, \"target\": 2}", TN_NSX_DONE},
    {"{\"mode\": \"redirect\", \"status\": 301, \"target\": 1}", TN_NSX_DONE},
    {"{\"mode\": \"slow\", \"seconds\": 9}", TN_NSX_LOST},
};

Test(nsx_client_sim, partial_outages)
{
    struct lab lab = begin();
    lab.options.timeout_s = 2;
    for (size_t i = 0; i < TN_ARRAY_SIZE(nodes); i++) {
        fresh(&lab);
        cr_expect_geq(counter(&lab, "nodes", "0"), 3);
        control(&lab, "/node/0", nodes[i].mode);
        want(&lab, nodes[i].action, "PATCH", GROUP, group);
        want(&lab, TN_NSX_DONE, "PATCH", GROUP, group);
        cr_expect_gt(counter(&lab, "nodes", "1") + counter(&lab, "nodes", "2"),
                     0, "%zu", i);
        control(&lab, "/node/0", "{\"mode\": \"up\"}");
    }
    end(&lab);
}

/* 2,500 groups by one hierarchical request. */
static void
fill(struct lab *lab, int n)
{
    struct tn_text body = {0};
    tn_text_add(&body,
                "{\"resource_type\":\"Infra\",\"children\":[{\"resource_type\":"
                "\"ChildResourceReference\",\"id\":\"default\",\"target_type\":"
                "\"Domain\",\"children\":[");
    for (int i = 0; i < n; i++) {
        tn_text_addf(&body,
                     "%s{\"resource_type\":\"ChildGroup\",\"Group\":{"
                     "\"resource_type\":\"Group\",\"id\":\"g%d\"}}",
                     i ? "," : "", i);
    }
    tn_text_add(&body, "]}]}");
    want(lab, TN_NSX_DONE, "PATCH", INFRA, body.s);
    tn_text_done(&body);
}

struct list_row {
    const char *settings;
    long long most; /* Requests. */
};

static const struct list_row lists[] = {
    {"{\"page_max\": 1000}", 3},
    {"{\"page_skip\": 1}", 9},
    {"{\"page_skip\": 0, \"page_repeat\": 2}", 9},
    {"{\"page_repeat\": 0, \"page_refuse\": 300}", 14},
    {"{\"page_refusal\": \"400\"}", 14},
};

Test(nsx_client_sim, lists)
{
    struct lab lab = begin();
    fresh(&lab);
    fill(&lab, 2500);
    for (size_t i = 0; i < TN_ARRAY_SIZE(lists); i++) {
        const char *const *items = NULL;
        size_t n = 0;
        struct tn_nsx_reply refused;
        control(&lab, "/settings", lists[i].settings);
        control(&lab, "/counters/reset", "{}");
        cr_assert_eq(tn_nsx_list(lab.nsx, INFRA "/domains/default/groups",
                                 lab.arena, &items, &n, &refused, &lab.err),
                     TN_OK, "%zu: %s", i, lab.err.text);
        cr_expect_eq(refused.verdict.action, TN_NSX_DONE);
        cr_expect_eq(n, 2500, "%zu: %zu", i, n);
        cr_expect_leq(counter(&lab, "total", NULL), lists[i].most,
                      "%zu: %lld requests", i, counter(&lab, "total", NULL));
    }
    end(&lab);
}

/* What is done to the cluster before each round; one node stays well. */
static const char *const chaos[][2] = {
    {"/fault", "{\"class\": \"write\", \"do\": {\"drop\": \"after\"}}"},
    {"/fault", "{\"class\": \"write\", \"nth\": 3, \"do\": {\"drop\": "
               "\"before\"}}"},
    {"/fault",
     "{\"class\": \"write\", \"nth\": 2, \"do\": {\"expire\": true}}"},
    {"/fault", "{\"class\": \"write\", \"count\": 3, \"do\": {\"status\": 503, "
               "\"text\": \"busy\"}}"},
    {"/fault", "{\"class\": \"login\", \"do\": {\"drop\": \"after\"}}"},
    {"/fault", "{\"class\": \"write\", \"do\": {\"sleep\": 0.3}}"},
    {"/expire", "{}"},
    {"/node/0", "{\"mode\": \"down\"}"},
    {"/node/1", "{\"mode\": \"unavailable\"}"},
    {"/node/0", "{\"mode\": \"redirect\", \"target\": 2}"},
    {"/node/1", "{\"mode\": \"redirect\", \"target\": 2}"},
    {"/node/0", "{\"mode\": \"up\"}"},
    {"/node/1", "{\"mode\": \"up\"}"},
    {"/settings", "{\"client_rate\": 40}"},
    {"/settings", "{\"client_rate\": 100}"},
};

enum { ROUNDS = 30, WRITES = 8 };

static long long
revision_of(const json_t *objects, int i)
{
    char path[64];
    snprintf(path, sizeof path, "/infra/domains/default/groups/c%d", i);
    const json_t *object = json_object_get(objects, path);
    return object ? json_integer_value(json_object_get(object, "_revision"))
                  : -1;
}

/* Whatever happens, what is said to be done was done once, and what may have
 * been done was not done twice. */
Test(nsx_client_sim, no_write_is_repeated)
{
    static struct tn_nsx_call calls[WRITES];
    static struct tn_nsx_reply replies[WRITES];
    static char paths[ROUNDS * WRITES][80];
    static enum tn_nsx_action actions[ROUNDS * WRITES];
    struct lab lab = begin();
    unsigned seed = 7, lost = 0;
    fresh(&lab);
    for (int round = 0; round < ROUNDS; round++) {
        seed = seed * 1103515245 + 12345;
        const char *const *what = chaos[(seed >> 16) % TN_ARRAY_SIZE(chaos)];
        control(&lab, what[0], what[1]);
        for (int i = 0; i < WRITES; i++) {
            char *path = paths[round * WRITES + i];
            snprintf(path, 80, INFRA "/domains/default/groups/c%d",
                     round * WRITES + i);
            calls[i] = (struct tn_nsx_call){
                .method = "PATCH", .path = path, .body = "{}", .n_body = 2};
        }
        cr_assert_eq(tn_nsx_ask_all(lab.nsx, calls, WRITES, lab.arena, replies,
                                    &lab.err),
                     TN_OK, "round %d, %s %s: %s", round, what[0], what[1],
                     lab.err.text);
        for (int i = 0; i < WRITES; i++) {
            actions[round * WRITES + i] = replies[i].verdict.action;
        }
    }
    json_t *store = json_loads(control(&lab, "/store", NULL), 0, NULL);
    const json_t *objects = json_object_get(store, "objects");
    for (int i = 0; i < ROUNDS * WRITES; i++) {
        long long revision = revision_of(objects, i);
        lost += actions[i] == TN_NSX_LOST;
        cr_expect(actions[i] == TN_NSX_DONE   ? revision == 0
                  : actions[i] == TN_NSX_LOST ? revision <= 0
                                              : false,
                  "%d: %s, revision %lld", i, tn_nsx_action_name(actions[i]),
                  revision);
    }
    cr_expect_gt(lost, 0);
    cr_expect_leq(lost, ROUNDS * WRITES / 4, "%u lost", lost);
    json_decref(store);
    end(&lab);
}
