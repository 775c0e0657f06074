/* health_test.c - when the probes succeed, and what they say. */
#include "reconciler/http/health.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct tn_health_device two[] = {{"hv1", true, NULL},
                                              {"hv\"2", false, "no\nroute"}};
static const struct tn_health_device seen[] = {{"hv1", true, NULL}};

static const struct {
    struct tn_health health;
    unsigned live, ready;
    const char *says; /* Of /readyz. */
} rows[] = {
    {{.now_ms = 10000,
      .last_tick_ms = 9000,
      .tick_limit_ms = 5000,
      .intent_commit = "abc",
      .devices = seen,
      .n_devices = 1},
     200,
     200,
     "{\"status\":\"ok\","},
    {{.now_ms = 10000,
      .last_tick_ms = 4999,
      .tick_limit_ms = 5000,
      .intent_commit = "abc",
      .devices = seen,
      .n_devices = 1},
     503,
     200,
     "{\"status\":\"ok\","},
    {{.now_ms = 1, .tick_limit_ms = 5, .devices = seen, .n_devices = 1},
     200,
     503,
     "{\"name\":\"intent\",\"ok\":false,"},
    {{.now_ms = 1,
      .tick_limit_ms = 5,
      .intent_commit = "abc",
      .devices = two,
      .n_devices = 2},
     200,
     503,
     "{\"name\":\"device:hv\\\"2\",\"ok\":false,\"detail\":\"no\\nroute\"}"},
    {{.now_ms = 1,
      .tick_limit_ms = 5,
      .intent_commit = "abc",
      .devices = two,
      .n_devices = 2},
     200,
     503,
     "\"detail\":\"1 of 2 seen\""},
    {{.now_ms = 1,
      .tick_limit_ms = 5,
      .intent_commit = "abc",
      .source_error = "no route to host"},
     200,
     200,
     "{\"name\":\"source\",\"ok\":false,"},
    {{.now_ms = 1,
      .tick_limit_ms = 5,
      .intent_commit = "abc",
      .stopping = true},
     200,
     503,
     "{\"status\":\"stopping\","},
};

Test(health, judges)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_http_response live = {.status = 200}, ready = {.status = 200};
        tn_health_live(&rows[i].health, &live);
        tn_health_ready(&rows[i].health, &ready);
        cr_assert_eq(live.status, rows[i].live, "row %zu", i);
        cr_assert_eq(ready.status, rows[i].ready, "row %zu", i);
        cr_assert(strstr(tn_text_str(&ready.body), rows[i].says), "row %zu: %s",
                  i, tn_text_str(&ready.body));
        cr_assert_str_eq(live.type, "application/json");
        tn_text_done(&live.body);
        tn_text_done(&ready.body);
    }
}

Test(health, names_a_bounded_number_of_devices)
{
    static struct tn_health_device many[5000];
    for (size_t i = 0; i < TN_ARRAY_SIZE(many); i++) {
        many[i].name = "hv";
    }
    struct tn_health health = {.tick_limit_ms = 5,
                               .intent_commit = "abc",
                               .devices = many,
                               .n_devices = 5000};
    struct tn_http_response ready = {.status = 200};
    tn_health_ready(&health, &ready);
    cr_assert_lt(ready.body.n, 100 * TN_HEALTH_NAMED);
    cr_assert(strstr(tn_text_str(&ready.body), "0 of 5000 seen"));
    tn_text_done(&ready.body);
}
