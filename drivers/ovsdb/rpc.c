/* rpc.c - requests, answers and notifications: see rpc.h.
 *
 * Stands on a link, which brings whole messages and says when a connection came
 * or went.  Here they get their meaning: our requests are numbered and wait, in
 * the order in which they were sent, for an answer of the same number, which
 * mostly comes in that order, too; the peer's echo requests are answered; what
 * has no id is a notification.  An answer to what was never asked is dropped,
 * for the number may be of a call that our user has seen fail.
 *
 * Of what is large, the content of a database and the answers to transactions,
 * jansson reads only the message around it, with {} in its place: it is handed
 * on as it came. */
#include "drivers/ovsdb/rpc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/link.h"

enum { MOST_ANSWERS = 1000 };

struct call {
    struct call *next;
    json_int_t id;
    tn_rpc_answered_fn *answered;
    tn_rpc_answered_text_fn *answered_text; /* One of the two is null. */
    void *ctx;
};

struct tn_rpc {
    struct tn_link *link;
    struct tn_rpc_events events;
    void *ctx;
    json_int_t last_id;
    struct call *calls, **last; /* Under way, the oldest first. */
    unsigned unread; /* Answers of ours since the peer last read all. */
    bool calling_back;
};

static void
cleanup_json(json_t **j)
{
    json_decref(*j);
}

static int
append(const char *bytes, size_t n, void *text)
{
    tn_text_addn(text, bytes, n);
    return 0;
}

/* Sends an object. */
static enum tn_code
send_message(struct tn_rpc *rpc, const json_t *message, struct tn_error *err)
{
    bool whole = json_dump_callback(message, append, tn_link_compose(rpc->link),
                                    JSON_COMPACT) == 0;
    enum tn_code code = tn_link_send(rpc->link, whole, err);
    return whole ? code
                 : tn_fail(err, TN_EINTERNAL, 0, "request cannot be encoded");
}

/* Is it for this request that the answer is?  If so, it is taken out. */
static struct call *
take_call(struct tn_rpc *rpc, const json_t *id)
{
    for (struct call **at = &rpc->calls; *at; at = &(*at)->next) {
        struct call *call = *at;
        if (json_is_integer(id) && json_integer_value(id) == call->id) {
            *at = call->next;
            if (!call->next) {
                rpc->last = at;
            }
            return call;
        }
    }
    return NULL;
}

/* A value as text again: when it was not large. */
static struct tn_scan
text_of(const json_t *value, struct tn_text *text)
{
    if (!value || json_dump_callback(value, append, text,
                                     JSON_COMPACT | JSON_ENCODE_ANY) != 0) {
        return (struct tn_scan){0};
    }
    return (struct tn_scan){text->s, text->s + text->n};
}

static bool
is_update(const struct tn_rpc *rpc, const char *method)
{
    return rpc->events.updated && strncmp(method, "update", 6) == 0;
}

static void
notified(struct tn_rpc *rpc, const char *method, json_t *params)
{
    if (is_update(rpc, method)) {
        struct tn_text text = {0};
        rpc->events.updated(rpc->ctx, method, text_of(params, &text));
        tn_text_done(&text);
    } else if (rpc->events.notified) {
        rpc->events.notified(rpc->ctx, method, params);
    }
}

static void
answered(struct tn_rpc *rpc, const json_t *id, json_t *result, json_t *error)
{
    struct call *call = take_call(rpc, id);
    if (!call) {
        return;
    }
    result = json_is_null(error) ? result : NULL;
    error = json_is_null(error) ? NULL : error;
    if (call->answered_text) {
        struct tn_text text = {0};
        call->answered_text(call->ctx, text_of(result, &text), error);
        tn_text_done(&text);
    } else {
        call->answered(call->ctx, result, error);
    }
    free(call);
}

/* The peer asks: for an echo, or for what we do not know. */
static void
asked(struct tn_rpc *rpc, const char *method, json_t *params, json_t *id)
{
    bool echo = strcmp(method, "echo") == 0;
    struct tn_error ignored;
    TN_CLEANUP(cleanup_json)
    json_t *reply =
        echo ? json_pack("{s:O, s:n, s:O}", "result", params, "error", "id", id)
             : json_pack("{s:n, s:s, s:O}", "result", "error", "unknown method",
                         "id", id);
    rpc->unread = tn_link_queued(rpc->link) ? rpc->unread + 1 : 0;
    if (rpc->unread > MOST_ANSWERS ||
        send_message(rpc, reply, &ignored) != TN_OK) {
        tn_link_drop(rpc->link, true,
                     "the peer asks, but does not read the answers");
    }
}

static void
understand(struct tn_rpc *rpc, json_t *message)
{
    json_t *id = json_object_get(message, "id");
    json_t *method = json_object_get(message, "method");
    json_t *params = json_object_get(message, "params");
    json_t *result = json_object_get(message, "result");
    json_t *error = json_object_get(message, "error");
    bool no_id = !id || json_is_null(id);
    if (json_is_string(method) && json_is_array(params) && !result && !error) {
        if (!no_id) {
            asked(rpc, json_string_value(method), params, id);
        } else {
            notified(rpc, json_string_value(method), params);
        }
    } else if (!method && !params && result && !no_id) {
        answered(rpc, id, result, error ? error : json_null());
    } else if (!method && !params && error && !json_is_null(error) && !no_id) {
        answered(rpc, id, NULL, error);
    } else {
        tn_link_drop(rpc->link, true,
                     "what the peer sends is not JSON-RPC: neither a request "
                     "nor an answer");
    }
}

/* Of a message with {} in place of its longest member: is it a notification
 * that is told with 'member' as its parameters?  Then tells it. */
static bool
update_around(const struct tn_rpc *rpc, const json_t *message,
              struct tn_scan member)
{
    const json_t *id = json_object_get(message, "id");
    const char *method = json_string_value(json_object_get(message, "method"));
    if (!method || !is_update(rpc, method) || (id && !json_is_null(id)) ||
        !json_is_object(json_object_get(message, "params")) ||
        json_object_get(message, "result") ||
        json_object_get(message, "error") || *member.at != '[') {
        return false;
    }
    rpc->events.updated(rpc->ctx, method, member);
    return true;
}

/* The same of an answer whose result it is. */
static bool
answer_around(struct tn_rpc *rpc, const json_t *message, struct tn_scan member)
{
    const json_t *error = json_object_get(message, "error");
    const json_t *id = json_object_get(message, "id");
    const struct call *call = rpc->calls;
    while (call &&
           !(json_is_integer(id) && json_integer_value(id) == call->id)) {
        call = call->next;
    }
    if (!call || !call->answered_text ||
        !json_is_object(json_object_get(message, "result")) ||
        (error && !json_is_null(error)) || json_object_get(message, "method") ||
        json_object_get(message, "params")) {
        return false;
    }
    struct call *taken = take_call(rpc, id);
    taken->answered_text(taken->ctx, member, NULL);
    free(taken);
    return true;
}

/* Everything but that member is short, and no object or array: so what {}
 * stands for is known from where it stands. */
static bool
is_around(const json_t *message)
{
    const char *name;
    json_t *value;
    size_t n = 0;
    json_object_foreach((json_t *) message, name, value)
    {
        if (json_is_array(value) ||
            (json_is_object(value) && (json_object_size(value) || n++))) {
            return false;
        }
    }
    return n == 1;
}

static bool
take_around(struct tn_rpc *rpc, const struct tn_link_message *m)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    const char *member = m->text + m->part_at, *after = member + m->part_n;
    if (m->part_n <= m->n / 2 || after[-1] != (*member == '[' ? ']' : '}')) {
        return false;
    }
    tn_text_addn(&text, m->text, m->part_at);
    tn_text_add(&text, "{}");
    tn_text_addn(&text, after, m->n - m->part_at - m->part_n);
    TN_CLEANUP(cleanup_json)
    json_t *message = json_loadb(text.s, text.n, JSON_REJECT_DUPLICATES, NULL);
    const struct tn_scan part = {member, after};
    return is_around(message) && (update_around(rpc, message, part) ||
                                  answer_around(rpc, message, part));
}

static void
on_message(void *ctx, const struct tn_link_message *m)
{
    struct tn_rpc *rpc = ctx;
    json_error_t at;
    rpc->calling_back = true;
    bool taken = take_around(rpc, m);
    rpc->calling_back = false;
    if (taken) {
        return;
    }
    TN_CLEANUP(cleanup_json)
    json_t *message = json_loadb(m->text, m->n, JSON_REJECT_DUPLICATES, &at);
    if (!message) {
        char why[sizeof at.text + 100];
        snprintf(why, sizeof why, "what the peer sends is not JSON: %s",
                 at.text);
        tn_link_drop(rpc->link, true, why);
        return;
    }
    rpc->calling_back = true;
    understand(rpc, message);
    rpc->calling_back = false;
}

static void
on_up(void *ctx, const char *remote)
{
    struct tn_rpc *rpc = ctx;
    rpc->unread = 0;
    if (rpc->events.up) {
        rpc->calling_back = true;
        rpc->events.up(rpc->ctx, remote);
        rpc->calling_back = false;
    }
}

static void
on_down(void *ctx, const struct tn_error *why)
{
    struct tn_rpc *rpc = ctx;
    struct call *next, *calls = rpc->calls;
    rpc->calls = NULL;
    rpc->last = &rpc->calls;
    rpc->calling_back = true;
    for (struct call *call = calls; call; call = next) {
        next = call->next;
        if (call->answered_text) {
            call->answered_text(call->ctx, (struct tn_scan){0}, NULL);
        } else {
            call->answered(call->ctx, NULL, NULL);
        }
        free(call);
    }
    if (rpc->events.down) {
        rpc->events.down(rpc->ctx, why);
    }
    rpc->calling_back = false;
}

enum tn_code
tn_rpc_open(struct tn_ovsdb_loop *loop, const struct tn_rpc_options *options,
            const struct tn_rpc_events *events, void *ctx, struct tn_rpc **out,
            struct tn_error *err)
{
    static const struct tn_link_events link_events = {
        .up = on_up, .message = on_message, .down = on_down};
    struct tn_rpc *rpc = calloc(1, sizeof *rpc);
    if (!rpc) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    rpc->events = *events;
    rpc->ctx = ctx;
    rpc->last = &rpc->calls;
    enum tn_code code =
        tn_link_new(loop, options, &link_events, rpc, &rpc->link, err);
    if (code != TN_OK) {
        free(rpc);
        return code;
    }
    *out = rpc;
    return TN_OK;
}

void
tn_rpc_close(struct tn_rpc *rpc)
{
    struct call *next;
    if (!rpc) {
        return;
    }
    assert(!rpc->calling_back);
    for (struct call *call = rpc->calls; call; call = next) {
        next = call->next;
        free(call);
    }
    tn_link_free(rpc->link);
    free(rpc);
}

bool
tn_rpc_is_up(const struct tn_rpc *rpc)
{
    return tn_link_is_up(rpc->link);
}

/* An answer to what was just sent is to come; takes what 'who' says. */
static void
expect(struct tn_rpc *rpc, const struct call *who)
{
    struct call *call = malloc(sizeof *call);
    if (!call) {
        fputs("tenet: out of memory\n", stderr);
        abort();
    }
    *call = *who;
    call->id = ++rpc->last_id;
    *rpc->last = call;
    rpc->last = &call->next;
}

static enum tn_code
call_json(struct tn_rpc *rpc, const char *method, json_t *params,
          const struct call *who, struct tn_error *err)
{
    TN_CLEANUP(cleanup_json)
    json_t *message = json_pack("{s:s, s:o, s:I}", "method", method, "params",
                                params, "id", rpc->last_id + 1);
    if (!tn_rpc_is_up(rpc)) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "not connected");
    }
    enum tn_code code =
        message ? send_message(rpc, message, err)
                : tn_fail(err, TN_EINTERNAL, 0, "request cannot be encoded");
    if (code == TN_OK) {
        expect(rpc, who);
    }
    return code;
}

enum tn_code
tn_rpc_call(struct tn_rpc *rpc, const char *method, json_t *params,
            tn_rpc_answered_fn *answered_fn, void *ctx, struct tn_error *err)
{
    const struct call who = {.answered = answered_fn, .ctx = ctx};
    return call_json(rpc, method, params, &who, err);
}

enum tn_code
tn_rpc_call_for_text(struct tn_rpc *rpc, const char *method, json_t *params,
                     tn_rpc_answered_text_fn *answered_fn, void *ctx,
                     struct tn_error *err)
{
    const struct call who = {.answered_text = answered_fn, .ctx = ctx};
    return call_json(rpc, method, params, &who, err);
}

enum tn_code
tn_rpc_call_text(struct tn_rpc *rpc, const char *method,
                 const struct tn_rpc_text *params,
                 tn_rpc_answered_text_fn *answered_fn, void *ctx,
                 struct tn_error *err)
{
    if (!tn_rpc_is_up(rpc)) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "not connected");
    }
    struct tn_text *out = tn_link_compose(rpc->link);
    tn_text_addf(out, "{\"method\":\"%s\",\"params\":[\"%s\"", method,
                 params->name);
    tn_text_addn(out, params->rest, params->n);
    tn_text_addf(out, "],\"id\":%" JSON_INTEGER_FORMAT "}", rpc->last_id + 1);
    enum tn_code code = tn_link_send(rpc->link, true, err);
    if (code == TN_OK) {
        expect(rpc, &(struct call){.answered_text = answered_fn, .ctx = ctx});
    }
    return code;
}

void
tn_rpc_drop(struct tn_rpc *rpc, bool at_once, const char *why)
{
    tn_link_drop(rpc->link, at_once, why);
}

unsigned long long
tn_rpc_received(const struct tn_rpc *rpc)
{
    return tn_link_received(rpc->link);
}
