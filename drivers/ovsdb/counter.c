/* counter.c - see counter.h. */
#include "drivers/ovsdb/counter.h"

#include "model/base/time.h"

void
tn_ovs_counter_raise(const struct tn_session *s, json_t *operations,
                     const char *column)
{
    const char *table = s->model->root;
    json_array_append_new(operations,
                          json_pack("{s:s, s:s, s:[], s:[[s, s, i]]}", "op",
                                    "mutate", "table", table, "where",
                                    "mutations", column, "+=", 1));
    json_array_append_new(operations, json_pack("{s:s, s:s, s:[], s:[s]}", "op",
                                                "select", "table", table,
                                                "where", "columns", column));
}

long long
tn_ovs_counter_raised(const json_t *result, const char *column)
{
    const json_t *rows = json_object_get(result, "rows");
    return json_integer_value(json_object_get(json_array_get(rows, 0), column));
}

long long
tn_ovs_counter(const struct tn_session *s, const char *column)
{
    return tn_ovsdb_get_number(tn_ovs_root(s, NULL), column);
}

bool
tn_ovs_wait_until(struct tn_session *s, bool (*done)(const void *ctx),
                  const void *ctx, int ms)
{
    int64_t end = tn_now_ns() + (int64_t) ms * 1000000;
    struct tn_error ignored = {0};
    while (!done(ctx)) {
        int64_t left = (end - tn_now_ns()) / 1000000;
        if (left <= 0 || tn_ovsdb_loop_turn(s->loop, (int) left, &ignored)) {
            return done(ctx);
        }
    }
    return true;
}

void
tn_ovs_all_waiting(size_t n, enum tn_outcome *outcomes)
{
    for (size_t i = 0; i < n; i++) {
        outcomes[i] = TN_STEP_WAITING;
    }
}
