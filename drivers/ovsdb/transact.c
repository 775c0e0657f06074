/* transact.c - transactions, and what waits: see client.h.
 *
 * Each transaction has a record that lives until it is answered, the connection
 * has ended or the client is closed, whoever still waits for it: an answer that
 * comes too late is only dropped. */
#include "drivers/ovsdb/client_part.h"

#include <assert.h>
#include <stdlib.h>

#include "drivers/ovsdb/verdict.h"
#include "model/base/time.h"

/* With more unanswered transactions that nobody waits for any more, the server
 * is not asked again on the same connection. */
enum { MAX_ORPHANS = 64 };

/* Somebody who turns the loop until an answer has come. */
struct waiting {
    bool answered;
    enum tn_code code;
    struct tn_ovsdb_result result;
    struct tn_error err;
};

static int
remaining(int64_t until)
{
    int64_t ms = until - tn_now_ms();
    return ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int) ms;
}

static void
pending_free(struct tn_pending *p)
{
    *p->at = p->next;
    if (p->next) {
        p->next->at = p->at;
    }
    p->db->n_orphans -= !p->answered;
    free(p);
}

static void
on_answer(void *ctx, struct tn_scan result, json_t *error)
{
    struct tn_pending *p = ctx;
    struct tn_ovsdb *db = p->db;
    struct tn_ovsdb_result out;
    struct tn_error err = {0};
    bool nonsense = false;
    enum tn_code code =
        tn_ovsdb_judge(p->n_ops, result, error, &out, &nonsense, &err);
    tn_ovsdb_answered_fn *answered = p->answered;
    void *whom = p->ctx;
    pending_free(p);
    if (nonsense) {
        tn_ovsdb_leave(db, false, &err);
    }
    if (answered) {
        answered(whom, &out, code ? &err : NULL);
    }
    json_decref(out.last);
}

/* One of the two. */
struct request {
    json_t *json; /* Taken. */
    const struct tn_ovsdb_text *text;
    bool early; /* May be sent as soon as the content is asked for. */
};

static enum tn_code
request_send(struct tn_ovsdb *db, const struct request *r, struct tn_pending *p,
             struct tn_error *err)
{
    if (db->phase != TN_OVSDB_WHOLE &&
        !(r->early && db->phase == TN_OVSDB_DUMP)) {
        json_decref(r->json);
        *err = db->why;
        return tn_while(err, TN_EUNAVAILABLE, "not sent");
    }
    if (r->json) {
        json_array_insert_new(r->json, 0, json_string(db->database));
        return tn_rpc_call_for_text(db->rpc, "transact", r->json, on_answer, p,
                                    err);
    }
    const struct tn_rpc_text params = {db->database, r->text->s, r->text->n};
    return tn_rpc_call_text(db->rpc, "transact", &params, on_answer, p, err);
}

static enum tn_code
start(struct tn_ovsdb *db, const struct request *request,
      tn_ovsdb_answered_fn *answered, void *ctx, struct tn_pending **out,
      struct tn_error *err)
{
    struct tn_pending *p = calloc(1, sizeof *p);
    if (!p) {
        abort();
    }
    *p = (struct tn_pending){.next = db->pending,
                             .at = &db->pending,
                             .db = db,
                             .n_ops = request->json
                                          ? json_array_size(request->json)
                                          : request->text->n_ops,
                             .answered = answered,
                             .ctx = ctx};
    enum tn_code code = request_send(db, request, p, err);
    if (code) {
        free(p);
        return code;
    }
    if (p->next) {
        p->next->at = &p->next;
    }
    db->pending = p;
    *out = p;
    return TN_OK;
}

static void
wake(void *ctx, const struct tn_ovsdb_result *result,
     const struct tn_error *err)
{
    struct waiting *w = ctx;
    w->answered = true;
    w->code = err ? err->code : TN_OK;
    w->err = err ? *err : (struct tn_error){0};
    w->result = *result;
    json_incref(w->result.last);
}

/* Nobody waits for it any more. */
static void
orphan(struct tn_pending *p)
{
    struct tn_error err = {0};
    p->answered = NULL;
    if (++p->db->n_orphans > MAX_ORPHANS) {
        (void) !tn_fail(&err, TN_EUNAVAILABLE, 0,
                        "transactions are not answered");
        tn_ovsdb_leave(p->db, false, &err);
    }
}

/* Sends and waits.  In 'out', what is known also on failure. */
static enum tn_code
transact(struct tn_ovsdb *db, const struct request *request, int64_t until,
         struct tn_ovsdb_result *out, struct tn_error *err)
{
    struct waiting w = {0};
    struct tn_pending *p = NULL;
    *out = (struct tn_ovsdb_result){.verdict = TN_TXN_REFUSED};
    enum tn_code code = start(db, request, wake, &w, &p, err);
    if (code) {
        return code;
    }
    do {
        code = tn_ovsdb_loop_turn(db->loop, remaining(until), err);
    } while (!code && !w.answered && remaining(until) > 0);
    if (!w.answered) {
        orphan(p);
        out->verdict = TN_TXN_UNKNOWN;
        return code ? code
                    : tn_fail(err, TN_EUNAVAILABLE, 0,
                              "the transaction was not answered in time");
    }
    *out = w.result;
    if (w.code) {
        *err = w.err;
    }
    return w.code;
}

/* A connection that ends may not have been told to us yet. */
static bool
is_whole(const struct tn_ovsdb *db)
{
    return db->phase == TN_OVSDB_WHOLE && tn_rpc_is_up(db->rpc);
}

/* Turns the loop until it is, or, with 'asked', until the content is asked
 * for. */
static enum tn_code
wait_whole(struct tn_ovsdb *db, bool asked, int64_t until, struct tn_error *err)
{
    while (!is_whole(db) && !(asked && db->phase == TN_OVSDB_DUMP)) {
        if (db->phase == TN_OVSDB_UNFIT) {
            *err = db->why;
            return db->why.code;
        }
        if (remaining(until) == 0) {
            *err = db->why;
            err->code = TN_EUNAVAILABLE;
            return tn_while(err, TN_EUNAVAILABLE, "no whole copy of %s in time",
                            db->database);
        }
        enum tn_code code = tn_ovsdb_loop_turn(db->loop, remaining(until), err);
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

void
tn_ovsdb_forget_pending(struct tn_ovsdb *db)
{
    struct tn_pending *next;
    for (struct tn_pending *p = db->pending; p; p = next) {
        next = p->next;
        free(p);
    }
    db->pending = NULL;
}

enum tn_code
tn_ovsdb_ask(struct tn_ovsdb *db, unsigned timeout_ms, struct tn_error *err)
{
    struct tn_error ignored = {0};
    return wait_whole(db, true, tn_now_ms() + timeout_ms, err ? err : &ignored);
}

enum tn_code
tn_ovsdb_wait(struct tn_ovsdb *db, unsigned timeout_ms, struct tn_error *err)
{
    struct tn_error ignored = {0};
    return wait_whole(db, false, tn_now_ms() + timeout_ms,
                      err ? err : &ignored);
}

/* A server sends what was committed before it answers a transaction, however
 * empty; and it answers none before it has applied its log, nor before it has
 * sent a content that was asked for earlier. */
enum tn_code
tn_ovsdb_catch_up(struct tn_ovsdb *db, unsigned timeout_ms,
                  struct tn_error *err)
{
    struct tn_error ignored = {0};
    int64_t until = tn_now_ms() + timeout_ms;
    err = err ? err : &ignored;
    for (;;) {
        struct tn_ovsdb_result result;
        struct request nothing = {.early = true};
        enum tn_code code = wait_whole(db, true, until, err);
        if (code) {
            return code;
        }
        nothing.json = json_array();
        code = transact(db, &nothing, until, &result, err);
        json_decref(result.last);
        if (!code && is_whole(db)) {
            return TN_OK;
        }
        if (code && (code != TN_EUNAVAILABLE || remaining(until) == 0)) {
            return code;
        }
    }
}

enum tn_code
tn_ovsdb_transact(struct tn_ovsdb *db, json_t *operations, unsigned timeout_ms,
                  struct tn_ovsdb_result *out, struct tn_error *err)
{
    struct tn_error ignored = {0};
    assert(json_is_array(operations));
    const struct request request = {.json = operations};
    return transact(db, &request, tn_now_ms() + timeout_ms, out,
                    err ? err : &ignored);
}

enum tn_code
tn_ovsdb_transact_text(struct tn_ovsdb *db,
                       const struct tn_ovsdb_text *operations,
                       unsigned timeout_ms, struct tn_ovsdb_result *out,
                       struct tn_error *err)
{
    struct tn_error ignored = {0};
    const struct request request = {.text = operations};
    return transact(db, &request, tn_now_ms() + timeout_ms, out,
                    err ? err : &ignored);
}

enum tn_code
tn_ovsdb_submit(struct tn_ovsdb *db, json_t *operations,
                tn_ovsdb_answered_fn *answered, void *ctx, struct tn_error *err)
{
    struct tn_error ignored = {0};
    struct tn_pending *p = NULL;
    assert(json_is_array(operations) && answered);
    const struct request request = {.json = operations};
    return start(db, &request, answered, ctx, &p, err ? err : &ignored);
}
