/* rpc_fuzz.c - a hostile server: every call is answered once, or lost with the
 * connection, whatever is sent.
 *
 * Four calls are under way, numbered from 1, when the bytes come; then the
 * server closes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "drivers/ovsdb/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            perror(#condition);                                                \
            abort();                                                           \
        }                                                                      \
    } while (0)

enum { CALLS = 4, MOST = 65536 };

struct world {
    char path[100];
    int listener;
    struct tn_rpc *rpc;
    unsigned answered[CALLS + 1]; /* By id. */
    unsigned ups, downs;
};

struct call {
    struct world *world;
    unsigned id;
};

static void
on_answer(void *ctx, json_t *result, json_t *error)
{
    struct call *call = ctx;
    CHECK(!result || !error);
    call->world->answered[call->id]++;
}

/* Every second call. */
static void
on_text(void *ctx, struct tn_scan result, json_t *error)
{
    struct call *call = ctx;
    CHECK(!result.at || (!error && result.at < result.end));
    call->world->answered[call->id]++;
}

static void
on_updated(void *ctx, const char *method, struct tn_scan params)
{
    (void) ctx;
    CHECK(strncmp(method, "update", 6) == 0);
    CHECK(params.end - params.at >= 2 && params.at[0] == '[' &&
          params.end[-1] == ']');
}

static void
on_up(void *ctx, const char *remote)
{
    struct world *w = ctx;
    w->ups++;
    CHECK(strcmp(remote + strlen("unix:"), w->path) == 0);
}

static void
on_down(void *ctx, const struct tn_error *why)
{
    struct world *w = ctx;
    char text[TN_ERROR_TEXT];
    w->downs++;
    CHECK(tn_error_text(why, text, sizeof text)[0]);
    for (unsigned i = 1; i <= CALLS; i++) {
        CHECK(w->answered[i] == 1);
    }
}

static void
on_notified(void *ctx, const char *method, json_t *params)
{
    (void) ctx;
    CHECK(json_is_array(params) && strncmp(method, "update", 6) != 0);
}

static void
begin(struct world *w)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    snprintf(w->path, sizeof w->path, "/tmp/tn-rpc-fuzz.%ld", (long) getpid());
    memcpy(sun.sun_path, w->path, sizeof w->path);
    unlink(w->path);
    w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(w->listener >= 0);
    CHECK(bind(w->listener, (const struct sockaddr *) &sun, sizeof sun) == 0);
    CHECK(listen(w->listener, 1) == 0);
}

static void
end(struct world *w)
{
    close(w->listener);
    unlink(w->path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tn_rpc_events events = {.up = on_up,
                                                .down = on_down,
                                                .notified = on_notified,
                                                .updated = on_updated};
    struct world w = {0};
    struct call calls[CALLS + 1];
    struct tn_ovsdb_loop *loop;
    char remote[120];
    if (size > MOST) {
        return 0;
    }
    begin(&w);
    snprintf(remote, sizeof remote, "unix:%s", w.path);
    const struct tn_rpc_options options = {.remotes = remote};
    CHECK(tn_ovsdb_loop_new(&loop, NULL) == TN_OK);
    CHECK(tn_rpc_open(loop, &options, &events, &w, &w.rpc, NULL) == TN_OK);
    while (!w.ups) {
        CHECK(tn_ovsdb_loop_turn(loop, 1000, NULL) == TN_OK);
    }
    for (unsigned i = 1; i <= CALLS; i++) {
        calls[i] = (struct call){&w, i};
        enum tn_code code =
            i % 2 ? tn_rpc_call(w.rpc, "x", json_array(), on_answer, &calls[i],
                                NULL)
                  : tn_rpc_call_for_text(w.rpc, "x", json_array(), on_text,
                                         &calls[i], NULL);
        CHECK(code == TN_OK);
    }
    int peer = accept(w.listener, NULL, NULL);
    CHECK(peer >= 0);
    CHECK(size == 0 || send(peer, data, size, MSG_NOSIGNAL) == (ssize_t) size);
    CHECK(shutdown(peer, SHUT_WR) == 0);
    while (!w.downs) {
        CHECK(tn_ovsdb_loop_turn(loop, 1000, NULL) == TN_OK);
    }
    tn_rpc_close(w.rpc);
    tn_ovsdb_loop_free(loop);
    close(peer);
    end(&w);
    return 0;
}
