/* deliver.h - one sink and what is under way to it.
 *
 * A sink has at most one request under way and waits after a failure: 1 s, 2 s,
 * 4 s ... up to a minute, less a random part, or as long as it asks for.  So a
 * dead sink costs next to nothing and delays no other. */
#ifndef TN_NOTIFY_DELIVER_H
#define TN_NOTIFY_DELIVER_H

#include "reconciler/http/client.h"
#include "reconciler/notify/forge.h"
#include "reconciler/notify/sink.h"

enum {
    TN_BATCH_MAX = 100, /* Alerts in one request. */
    TN_SINK_NAME = 64,
};

/* What a sink needs of the whole; shared by all sinks. */
struct tn_sink_shared {
    struct tn_http_client *client;
    struct tn_alerts *alerts;
    const char *generator; /* Null: none. */
    int64_t base_ms;       /* First pause after a failure. */
    int64_t postpone_ms;   /* For an alert that was not taken. */
    int64_t cap_ms;        /* Longest. */
    void (*report)(void *ctx, const char *sink, enum tn_code what,
                   const struct tn_error *err);
    void *ctx;
};

/* An alert that was sent and not acknowledged yet. */
struct tn_sink_flying {
    struct tn_digest fingerprint;
    uint32_t version;
};

/* Texts are borrowed from the arena of the notify. */
struct tn_sink {
    struct tn_sink_shared *shared;
    char name[TN_SINK_NAME];
    enum tn_notify_kind kind;
    size_t index;           /* In the alerts; not of a forge. */
    struct tn_forge *forge; /* Of a forge: owned. */
    enum tn_forge_kind forge_kind;
    const char *url, *ca_file, *token_file, *basic_file, *secret_file;
    uint32_t timeout_ms;
    bool proxy_env;

    bool busy, reported, refused_reported;
    int64_t not_before; /* Monotonic. */
    uint32_t refusals;  /* In a row. */
    size_t batch;       /* Shrinks when a batch is called malformed. */
    struct tn_sink_flying flying[TN_BATCH_MAX];
    size_t n_flying;
    uint64_t ticket;
    struct tn_notify_sink_stats stats;
};

/* Sends what is due, if anything is and the sink may be asked now. */
void tn_sink_push(struct tn_sink *sink, struct tn_notify_now now);

/* Monotonic time when tn_sink_push() may next send; INT64_MAX: never, or when
 * the answer is there. */
int64_t tn_sink_next(const struct tn_sink *sink, struct tn_notify_now now);

/* Not acknowledged yet. */
size_t tn_sink_pending(const struct tn_sink *sink);

#endif
