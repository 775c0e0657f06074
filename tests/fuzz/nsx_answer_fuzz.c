/* nsx_answer_fuzz.c - whatever a manager, or what stands before it, answers: it
 * means one thing, and what is told of it is bounded text of one line.
 *
 * Input: two bytes of status, the rest is the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/nsx/verdict.h"
#include "model/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

static const int statuses[] = {0,   200, 301, 307, 400, 401, 403, 404,
                               405, 409, 412, 429, 500, 502, 503, 504};
static const char *const methods[] = {"GET", "PATCH", "DELETE"};

static void
check(const struct tn_nsx_verdict *v)
{
    size_t n = strlen(v->text);
    CHECK(n < 920 && tn_is_utf8(v->text, n) && !strpbrk(v->text, "\r\n\t\x1b"));
    CHECK(v->action <= TN_NSX_LOST && tn_nsx_action_name(v->action)[0]);
    CHECK((v->action == TN_NSX_DONE) == (v->class == TN_OK));
    CHECK(v->n_referrers == 0 || v->action == TN_NSX_REFERRED);
    for (size_t i = 0; i < v->n_referrers; i++) {
        CHECK(v->referrers[i][0] == '/' && v->referrers[i][1]);
        CHECK(!strpbrk(v->referrers[i], ",] \n"));
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(methods); i++) {
        enum tn_nsx_action action = tn_nsx_action_for(v, methods[i]);
        CHECK(action == v->action || action == TN_NSX_LOST ||
              action == TN_NSX_ABSENT);
        CHECK(v->action != TN_NSX_DONE || action == TN_NSX_DONE);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1 << 20) {
        return 0;
    }
    int status = data[0] < 128 ? statuses[data[0] % TN_ARRAY_SIZE(statuses)]
                               : data[0] % 8 * 100 + data[1];
    struct tn_arena *arena = tn_arena_new();
    struct tn_error err = {0};
    /* A copy of its own size, so that reading beyond it shows. */
    char *body = malloc(size - 2 ? size - 2 : 1);
    CHECK(body);
    memcpy(body, data + 2, size - 2);
    struct tn_nsx_verdict v = tn_nsx_verdict_of(arena, status, body, size - 2);
    free(body);
    CHECK(v.status == status && !v.location);
    check(&v);
    CHECK(tn_nsx_fail(&err, &v, "x") != TN_OK);
    tn_arena_free(arena);
    return 0;
}
