/* rpc_test.c - a session against a peer that answers, misbehaves, is silent,
 * goes and comes back. */
#include "drivers/ovsdb/rpc.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "drivers/ovsdb/bed.h"
#include "model/base/time.h"

static const struct tn_rpc_options plain = {.probe_ms = 600000};

Test(rpc, calls_are_answered_by_id)
{
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, plain);
    cr_assert_eq(tn_bed_call(&bed, "one", json_pack("[i]", 1)), TN_OK);
    cr_assert_eq(tn_bed_call(&bed, "two", json_pack("[s]", "\xc3\xa9\"\\")),
                 TN_OK);
    cr_assert_eq(tn_bed_call(&bed, "three", json_array()), TN_OK);
    tn_bed_hear(&bed, "{\"method\":\"one\",\"params\":[1],\"id\":1}");
    tn_bed_hear(&bed, "{\"method\":\"two\",\"params\":[\"\xc3\xa9\\\"\\\\\"],"
                      "\"id\":2}");
    tn_bed_hear(&bed, "{\"method\":\"three\",\"params\":[],\"id\":3}");
    tn_bed_say(&bed, "{\"id\":2,\"result\":null,\"error\":{\"error\":\"no\"}}\n"
                     " {\"error\":null,\"result\":[1],\"id\":3}"
                     "{\"id\":1,\"result\":null,\"error\":null}");
    TN_BED_UNTIL(&bed, bed.answers == 3);
    cr_assert_str_eq(bed.said.s, "error: {\"error\":\"no\"}\n[1]\nnull\n");
    cr_assert_eq(bed.downs, 0u);
    tn_bed_end(&bed);
}

/* However a large member is wrapped, it arrives as it was sent, or is taken as
 * what it is elsewhere. */
Test(rpc, hands_on_as_text_what_is_large)
{
    static const struct {
        const char *message, *says;
    } rows[] = {
        {"{\"id\":1,\"result\":{\"a\": [1, \"}\", \"much of the "
         "message\"]},\"error\":null}",
         "text: {\"a\": [1, \"}\", \"much of the message\"]}\n"},
        {"{\"result\" :[false, {\"a\":{}}, {}], \"id\":1}",
         "text: [false, {\"a\":{}}, {}]\n"},
        /* It is not looked at. */
        {"{\"id\":1,\"error\":null,\"result\":[what, \"anybody\" would say, "
         "and not JSON]}",
         "text: [what, \"anybody\" would say, and not JSON]\n"},
        /* Small ones are printed again. */
        {"{\"id\":1,\"error\":null,\"result\":[ 1 ]}", "text: [1]\n"},
        {"{\"id\":1,\"error\":null,\"result\":7}", "text: 7\n"},
        {"{\"id\":1,\"error\":{\"error\":\"no, because it is not possible\"}}",
         "error: {\"error\":\"no, because it is not possible\"}\n"},
        {"{\"id\":1,\"result\":[1],\"error\":\"no\"}", "error: \"no\"\n"},
        {"{\"id\":1,\"result\":[\"which is long enough to be large\"],"
         "\"error\":\"no\"}",
         "error: \"no\"\n"},
        /* Something else is as large. */
        {"{\"id\":1,\"result\":{},\"error\":null,"
         "\"x\":[\"which is long enough to be large\"]}",
         "text: {}\n"},
        {"{\"id\":1,\"error\":null,\"x\":{},"
         "\"result\":[\"which is long enough to be large\"]}",
         "text: [\"which is long enough to be large\"]\n"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_bed bed = {0};
        tn_bed_begin_up(&bed, plain);
        cr_assert_eq(tn_bed_call_for_text(&bed, "x", json_array()), TN_OK);
        tn_bed_say(&bed, rows[i].message);
        TN_BED_UNTIL(&bed, bed.answers == 1 || bed.downs);
        cr_expect_str_eq(bed.said.s, rows[i].says, "row %zu", i);
        tn_bed_end(&bed);
    }
}

Test(rpc, hands_on_updates_as_text)
{
    struct tn_bed bed = {.as_text = true};
    tn_bed_begin_up(&bed, plain);
    cr_assert_eq(tn_bed_call_for_text(&bed, "x", json_array()), TN_OK);
    tn_bed_say(&bed,
               "{\"id\":null,\"method\":\"update\",\"params\":[\"m\"]}"
               "{\"method\":\"update2\",\"params\":[\"m\",{\"T\": nonsense, at "
               "some length, more than half}]}"
               "{\"method\":\"else\",\"params\":[{\"T\":\"of some length\"}]}");
    TN_BED_UNTIL(&bed, bed.told.n && strstr(bed.told.s, "else"));
    cr_assert_str_eq(bed.told.s, "text: update [\"m\"]\n"
                                 "text: update2 [\"m\",{\"T\": nonsense, at "
                                 "some length, more than half}]\n"
                                 "else [{\"T\":\"of some length\"}]\n");
    cr_assert_eq(bed.answers, 0);
    tn_bed_hang_up(&bed);
    TN_BED_UNTIL(&bed, bed.downs);
    cr_assert_str_eq(bed.said.s, "lost\n");
    tn_bed_end(&bed);
}

/* Neither a request nor an answer, and large. */
Test(rpc, large_nonsense_ends_the_connection)
{
    static const char *const rows[] = {
        "{\"method\":\"update\",\"params\":{\"not\":\"an array at all, though "
        "long\"}}",
        "{\"method\":\"update\",\"params\":[\"that ends with another "
        "bracket\"}}",
        "{\"id\":1,\"method\":\"m\",\"result\":[\"and of some length\"]}",
        "{\"id\":1,\"params\":[],\"result\":[\"and of some length, too\"]}",
        "{\"id\":1,\"id\":1,\"result\":[\"and of some length, too\"]}",
        "{\"id\":1 \"result\":[\"and of some length, too\"]}",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_bed bed = {.as_text = true};
        tn_bed_begin_up(&bed, plain);
        cr_assert_eq(tn_bed_call_for_text(&bed, "x", json_array()), TN_OK);
        tn_bed_say(&bed, rows[i]);
        TN_BED_UNTIL(&bed, bed.downs);
        cr_expect_str_eq(bed.said.s, "lost\n", "row %zu", i);
        tn_bed_end(&bed);
    }
}

/* An answer twice, or to what was not asked, is nobody's. */
Test(rpc, answers_to_nothing_are_dropped)
{
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, plain);
    cr_assert_eq(tn_bed_call(&bed, "x", json_array()), TN_OK);
    tn_bed_say(&bed, "{\"id\":7,\"result\":7}{\"id\":\"1\",\"result\":8}"
                     "{\"id\":1.0,\"result\":9}{\"id\":-1,\"result\":9}"
                     "{\"id\":\"echo\",\"result\":[],\"error\":null}"
                     "{\"id\":1,\"result\":1}{\"id\":1,\"result\":2}"
                     "{\"method\":\"end\",\"params\":[],\"id\":null}");
    TN_BED_UNTIL(&bed, bed.told.n);
    cr_assert_str_eq(bed.said.s, "1\n");
    cr_assert_eq(bed.downs, 0u);
    tn_bed_end(&bed);
}

Test(rpc, the_peer_may_ask)
{
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, plain);
    tn_bed_say(&bed,
               "{\"id\":\"e1\",\"method\":\"echo\",\"params\":[1,{\"a\":2}]}");
    tn_bed_hear(&bed,
                "{\"result\":[1,{\"a\":2}],\"error\":null,\"id\":\"e1\"}");
    tn_bed_say(&bed, "{\"id\":[5],\"method\":\"format_disk\",\"params\":[]}");
    tn_bed_hear(&bed, "{\"result\":null,\"error\":\"unknown method\","
                      "\"id\":[5]}");
    tn_bed_say(&bed, "{\"id\":null,\"method\":\"update\",\"params\":[\"m\"]}"
                     "{\"method\":\"never_heard_of\",\"params\":[{}]}");
    TN_BED_UNTIL(&bed, bed.told.n && strstr(bed.told.s, "never"));
    cr_assert_str_eq(bed.told.s, "update [\"m\"]\nnever_heard_of [{}]\n");
    cr_assert_eq(bed.downs, 0u);
    tn_bed_end(&bed);
}

Test(rpc, any_piece_of_the_stream_may_come_alone)
{
    static const char answer[] = "{\"id\":1,\"result\":{\"k\":[\"\\\"}\"]}}";
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, plain);
    cr_assert_eq(tn_bed_call(&bed, "x", json_array()), TN_OK);
    for (size_t i = 0; i < sizeof answer - 1; i++) {
        cr_assert_eq(bed.answers, 0u);
        unsigned long long before = tn_rpc_received(bed.rpc);
        tn_bed_say(&bed, (const char[]){answer[i], '\0'});
        TN_BED_UNTIL(&bed, tn_rpc_received(bed.rpc) == before + 1);
    }
    cr_assert_str_eq(bed.said.s, "{\"k\":[\"\\\"}\"]}\n");
    tn_bed_end(&bed);
}

struct hostile {
    const char *text, *why;
};

static const struct hostile hostiles[] = {
    {"\x16\x03\x01", "TLS"},
    {"SSH-2.0-OpenSSH\r\n", "object"},
    {"{}", "neither"},
    {"[]", "object"},
    {"{\"id\":1,\"result\":1", NULL}, /* Not whole: nothing happens. */
    {"{\"id\":1,\"result\":[}}", "not JSON"},
    {"{\"id\":1,\"result\":tru}", "not JSON"},
    {"{\"id\":1,\"id\":1,\"result\":1}", "duplicate"},
    {"{\"id\":1,\"result\":{\"a\":1,\"a\":2}}", "duplicate"},
    {"{\"id\":1,\"result\":\"\\u0000\"}", "not JSON"},
    {"{\"id\":1,\"result\":\"\\ud800\"}", "not JSON"},
    {"{\"id\":1,\"result\":1e999}", "not JSON"},
    {"{\"id\":1,\"result\":99999999999999999999}", "not JSON"},
    {"{\"id\":1,\"result\":\"\xff\"}", "UTF-8"},
    {"{\"id\":null,\"result\":1}", "neither"},
    {"{\"result\":1}", "neither"},
    {"{\"id\":1}", "neither"},
    {"{\"id\":1,\"error\":null}", "neither"},
    {"{\"id\":1,\"method\":1,\"params\":[]}", "neither"},
    {"{\"id\":1,\"method\":\"echo\",\"params\":{}}", "neither"},
    {"{\"id\":1,\"method\":\"echo\"}", "neither"},
    {"{\"id\":1,\"method\":\"echo\",\"params\":[],\"result\":[]}", "neither"},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", "neither"},
};

/* The call that was under way is told, the reason is given, and the session
 * comes back and works. */
static void
suffer(struct tn_bed *bed, const struct hostile *h)
{
    unsigned downs = bed->downs, answers = bed->answers, ups = bed->ups;
    cr_assert_eq(tn_bed_call(bed, "x", json_array()), TN_OK);
    tn_bed_say(bed, h->text);
    if (!h->why) {
        unsigned long long before = tn_rpc_received(bed->rpc);
        TN_BED_UNTIL(bed,
                     tn_rpc_received(bed->rpc) == before + strlen(h->text));
        cr_assert_eq(bed->downs, downs);
        cr_assert_eq(bed->answers, answers);
        tn_bed_hang_up(bed);
    }
    TN_BED_UNTIL(bed, bed->downs == downs + 1);
    cr_assert_eq(bed->answers, answers + 1);
    const char *why = h->why ? h->why : "in the middle of a message";
    cr_assert(strstr(bed->why, why), "%s: %s", h->text, bed->why);
    cr_assert(strstr(bed->why, bed->remote), "%s", bed->why);
    cr_assert_eq(bed->why_code, TN_EUNAVAILABLE);
    tn_bed_hang_up(bed);
    TN_BED_UNTIL(bed, bed->ups == ups + 1 && bed->peer >= 0);
}

Test(rpc, what_is_not_json_rpc_ends_the_connection)
{
    struct tn_bed bed = {0};
    struct tn_rpc_options options = plain;
    options.backoff_ms = 1;
    tn_bed_begin_up(&bed, options);
    for (size_t i = 0; i < TN_ARRAY_SIZE(hostiles); i++) {
        suffer(&bed, &hostiles[i]);
    }
    cr_assert_eq(bed.lost, (unsigned) TN_ARRAY_SIZE(hostiles));
    cr_assert_null(strstr(tn_text_str(&bed.said), "1"), "%s", bed.said.s);
    tn_bed_end(&bed);
}

Test(rpc, a_long_message_is_refused_before_it_is_whole)
{
    struct tn_bed bed = {0};
    struct tn_rpc_options options = plain;
    options.max_message = 10000;
    tn_bed_begin_up(&bed, options);
    tn_bed_say(&bed, "{\"id\":1,\"result\":\"");
    for (int i = 0; i < 4000; i++) {
        tn_bed_say(&bed, "0123456789012345678901234567890123456789");
    }
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert(strstr(bed.why, "more than 10000 bytes"), "%s", bed.why);
    tn_bed_end(&bed);
}

Test(rpc, messages_of_megabytes)
{
    enum { LEN = 3 * 1024 * 1024 };
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, plain);
    char *big = malloc(LEN + 1);
    memset(big, 'z', LEN);
    big[LEN] = '\0';
    cr_assert_eq(tn_bed_call(&bed, "big", json_pack("[s]", big)), TN_OK);
    cr_assert_eq(tn_bed_call(&bed, "small", json_array()), TN_OK);
    static const char head[] = "{\"method\":\"big\",\"params\":[\"";
    TN_BED_UNTIL(&bed, bed.heard.n > sizeof head + LEN);
    cr_assert_eq(memcmp(bed.heard.s, head, sizeof head - 1), 0);
    cr_assert_eq(memcmp(bed.heard.s + sizeof head - 1, big, LEN), 0);
    tn_bed_hear(&bed, "\"],\"id\":1}{\"method\":\"small\"");
    tn_bed_say(&bed, "{\"id\":1,\"result\":\"");
    tn_bed_say(&bed, big);
    tn_bed_say(&bed, "\"}{\"id\":2,\"result\":2}");
    TN_BED_UNTIL(&bed, bed.answers == 2);
    cr_assert_eq(bed.said.n, (size_t) LEN + 5);
    cr_assert_str_eq(bed.said.s + LEN + 3, "2\n");
    free(big);
    tn_bed_end(&bed);
}

Test(rpc, the_peer_goes_in_the_middle_of_an_answer)
{
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, plain);
    cr_assert_eq(tn_bed_call(&bed, "a", json_array()), TN_OK);
    cr_assert_eq(tn_bed_call(&bed, "b", json_array()), TN_OK);
    tn_bed_hear(&bed, "\"id\":2}");
    unsigned long long before = tn_rpc_received(bed.rpc);
    tn_bed_say(&bed, "{\"id\":1,\"result\":1}{\"id\":2,\"resu");
    TN_BED_UNTIL(&bed, tn_rpc_received(bed.rpc) == before + 32);
    tn_bed_hang_up(&bed);
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert_str_eq(bed.said.s, "1\nlost\n");
    cr_assert(strstr(bed.why, "in the middle of a message"), "%s", bed.why);
    /* The rest of the answer is not the beginning of the next connection. */
    TN_BED_UNTIL(&bed, bed.ups == 1 && bed.peer >= 0);
    tn_bed_say(&bed, "{\"method\":\"fresh\",\"params\":[]}");
    TN_BED_UNTIL(&bed, bed.told.n);
    cr_assert_str_eq(bed.told.s, "fresh []\n");
    tn_bed_end(&bed);
}

Test(rpc, what_came_before_the_end_counts)
{
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, plain);
    cr_assert_eq(tn_bed_call(&bed, "a", json_array()), TN_OK);
    tn_bed_hear(&bed, "\"id\":1}");
    static const char answer[] = "{\"id\":1,\"result\":\"late\"}";
    cr_assert_eq(send(bed.peer, answer, sizeof answer - 1, 0),
                 (ssize_t) sizeof answer - 1);
    tn_bed_hang_up(&bed);
    /* Cannot be sent any more, but the answer is there. */
    (void) !tn_bed_call(&bed, "b", json_array());
    cr_assert_eq(bed.downs + bed.answers, 0u, "a callback outside of a turn");
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert(strstr(bed.said.s, "\"late\"\n"), "%s", bed.said.s);
    tn_bed_end(&bed);
}

Test(rpc, silence_is_probed_and_an_answer_is_enough)
{
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, (struct tn_rpc_options){.probe_ms = 100});
    for (int i = 0; i < 5; i++) {
        tn_bed_hear(&bed,
                    "{\"method\":\"echo\",\"params\":[],\"id\":\"echo\"}");
        cr_assert_eq(bed.downs, 0u, "%s", bed.why);
        tn_bed_say(&bed, "{\"id\":\"echo\",\"result\":[],\"error\":null}");
    }
    /* And without one it is the end: with half a message, too. */
    tn_bed_hear(&bed, "echo");
    tn_bed_say(&bed, "{\"id\":\"echo\",");
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert(strstr(bed.why, "said nothing"), "%s", bed.why);
    tn_bed_end(&bed);
}

Test(rpc, a_byte_now_and_then_is_no_sign_of_life)
{
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, (struct tn_rpc_options){.probe_ms = 100});
    tn_bed_say(&bed, "{\"id\":1,\"result\":\"");
    int64_t until = tn_bed_patience();
    while (bed.downs == 0) {
        cr_assert_not(tn_bed_too_late(until));
        (void) poll(NULL, 0, 1);
        tn_bed_say(&bed, "x");
        tn_bed_turn(&bed);
    }
    cr_assert(strstr(bed.why, "said nothing"), "%s", bed.why);
    tn_bed_end(&bed);
}

/* A long message takes longer than patience with silence. */
Test(rpc, a_part_of_a_long_message_is_a_sign_of_life)
{
    struct tn_bed bed = {0};
    char part[5001];
    memset(part, 'x', sizeof part - 1);
    part[sizeof part - 1] = '\0';
    tn_bed_begin_up(&bed, (struct tn_rpc_options){.probe_ms = 1000});
    int64_t end = tn_now_ms() + 3500;
    tn_bed_say(&bed, "{\"method\":\"");
    while (tn_now_ms() < end) {
        tn_bed_say(&bed, part);
        tn_bed_turn(&bed);
        (void) poll(NULL, 0, 10);
    }
    tn_bed_say(&bed, "\",\"params\":[]}");
    TN_BED_UNTIL(&bed, bed.told.n || bed.downs);
    cr_assert_eq(bed.downs, 0u, "%s", bed.why);
    tn_bed_end(&bed);
}

/* We did not look for longer than the peer's answer takes. */
Test(rpc, our_own_absence_is_not_the_peers)
{
    struct tn_bed bed = {0};
    tn_bed_begin_up(&bed, (struct tn_rpc_options){.probe_ms = 100});
    tn_bed_hear(&bed, "\"id\":\"echo\"}");
    static const char answer[] = "{\"id\":\"echo\",\"result\":[]}";
    cr_assert_eq(send(bed.peer, answer, sizeof answer - 1, 0),
                 (ssize_t) sizeof answer - 1);
    cr_assert_eq(poll(NULL, 0, 500), 0);
    for (int i = 0; i < 3; i++) {
        struct tn_error err = {0};
        cr_assert_eq(tn_ovsdb_loop_turn(bed.loop, 0, &err), TN_OK);
    }
    cr_assert_eq(bed.downs, 0u, "%s", bed.why);
    tn_bed_end(&bed);
}

Test(rpc, a_stalled_peer_fills_a_queue_that_is_bounded)
{
    struct tn_bed bed = {.deaf = true};
    struct tn_rpc_options options = plain;
    options.max_message = 1000000;
    tn_bed_begin_up(&bed, options);
    char text[1001];
    memset(text, 'q', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    unsigned sent = 0;
    while (tn_bed_call(&bed, "fill", json_pack("[s]", text)) == TN_OK) {
        cr_assert_lt(sent, 100000u);
        sent++;
        tn_bed_turn(&bed);
    }
    cr_assert_gt(sent, 900u);
    cr_assert(tn_rpc_is_up(bed.rpc));
    /* It wakes up: everything that was taken arrives, whole. */
    bed.deaf = false;
    char last[50];
    snprintf(last, sizeof last, "\"id\":%u}", sent);
    TN_BED_UNTIL(&bed, strstr(tn_text_str(&bed.heard), last));
    unsigned heard = 0;
    for (const char *s = bed.heard.s; (s = strstr(s, "{\"method\"")); s++) {
        heard++;
    }
    cr_assert_eq(heard, sent);
    cr_assert_eq(tn_bed_call(&bed, "again", json_array()), TN_OK);
    tn_bed_hear(&bed, "again");
    tn_bed_end(&bed);
    cr_assert_eq(bed.answers, 0u, "closing calls nobody back");
}

Test(rpc, a_peer_that_asks_but_never_reads_is_left)
{
    struct tn_bed bed = {.deaf = true};
    tn_bed_begin_up(&bed, plain);
    for (int i = 0; i < 60000; i++) {
        tn_bed_say(&bed, "{\"id\":0,\"method\":\"echo\",\"params\":[]}");
    }
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert(strstr(bed.why, "does not read"), "%s", bed.why);
    tn_bed_end(&bed);
}

/* Lower bounds only: the machine may be slow.  Pauses are 100, 200 and 400 ms
 * of which a half may be cut. */
Test(rpc, pauses_double)
{
    struct tn_bed bed = {0};
    tn_bed_begin(&bed, plain);
    tn_bed_stop_listening(&bed);
    int64_t before = tn_now_ms();
    TN_BED_UNTIL(&bed, bed.downs == 4);
    cr_assert_geq(tn_now_ms() - before, 50 + 100 + 200);
    cr_assert(strstr(bed.why, "cannot connect to unix:"), "%s", bed.why);
    cr_assert_eq(tn_bed_call(&bed, "x", json_array()), TN_EUNAVAILABLE);
    tn_bed_listen(&bed);
    TN_BED_UNTIL(&bed, bed.ups == 1);
    tn_bed_end(&bed);
    cr_assert_eq(bed.answers, 0u);
}

Test(rpc, a_peer_that_takes_and_drops_is_not_hammered)
{
    struct tn_bed bed = {0};
    tn_bed_begin(&bed, plain);
    int64_t before = tn_now_ms();
    while (bed.downs < 4) {
        tn_bed_turn(&bed);
        tn_bed_hang_up(&bed);
        cr_assert_lt(tn_now_ms() - before, 60000);
    }
    cr_assert_geq(tn_now_ms() - before, 50 + 100 + 200);
    tn_bed_end(&bed);
}

Test(rpc, pauses_have_a_longest)
{
    struct tn_bed bed = {0};
    tn_bed_begin(&bed, (struct tn_rpc_options){.backoff_ms = 2});
    tn_bed_stop_listening(&bed);
    TN_BED_UNTIL(&bed, bed.downs == 1000);
    tn_bed_end(&bed);
}

Test(rpc, remotes_are_tried_in_turn_without_pause)
{
    struct tn_bed bed = {.remotes = "unix:/nonexistent/a, unix:/nonexistent/b"};
    tn_bed_begin(&bed, (struct tn_rpc_options){.backoff_ms = 1000000});
    TN_BED_UNTIL(&bed, bed.downs == 2);
    int64_t before = tn_now_ms();
    TN_BED_UNTIL(&bed, bed.downs == 4);
    cr_assert_geq(tn_now_ms() - before, 50);
    tn_bed_end(&bed);
}

static void
drop_first(struct tn_bed *bed, const char *event)
{
    if (strcmp(event, "up") == 0 && bed->ups == 1) {
        snprintf(bed->why, sizeof bed->why, "%s", bed->up_remote);
        tn_rpc_drop(bed->rpc, true, "not the leader");
        cr_assert_not(tn_rpc_is_up(bed->rpc));
        cr_assert_eq(tn_bed_call(bed, "x", json_array()), TN_EUNAVAILABLE);
    }
}

Test(rpc, a_dropped_connection_leads_to_the_next_remote)
{
    struct tn_bed bed = {.then = drop_first, .twice = true};
    tn_bed_begin(&bed, plain);
    TN_BED_UNTIL(&bed, bed.ups == 1);
    char first[sizeof bed.up_remote];
    memcpy(first, bed.up_remote, sizeof first);
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert(strstr(bed.why, ": not the leader"), "%s", bed.why);
    tn_bed_hang_up(&bed);
    TN_BED_UNTIL(&bed, bed.ups == 2);
    cr_assert_str_neq(bed.up_remote, first);
    tn_bed_end(&bed);
}

static void
nest(struct tn_bed *bed, const char *event)
{
    if (strcmp(event, "answer") == 0 && bed->answers < 4) {
        cr_assert_eq(tn_bed_call(bed, "next", json_array()),
                     bed->lost ? TN_EUNAVAILABLE : TN_OK);
    }
    if (strcmp(event, "notified") == 0) {
        tn_rpc_drop(bed->rpc, false, "enough");
    }
}

Test(rpc, callbacks_may_call_and_drop)
{
    struct tn_bed bed = {.then = nest};
    tn_bed_begin_up(&bed, plain);
    cr_assert_eq(tn_bed_call(&bed, "first", json_array()), TN_OK);
    tn_bed_say(&bed, "{\"id\":1,\"result\":1}{\"id\":2,\"result\":2}"
                     "{\"method\":\"n\",\"params\":[]}"
                     "{\"method\":\"n\",\"params\":[]}"
                     "{\"id\":3,\"result\":3}");
    TN_BED_UNTIL(&bed, bed.downs == 1);
    cr_assert_str_eq(bed.said.s, "1\n2\nlost\n");
    cr_assert_str_eq(bed.told.s, "n []\n", "nothing comes behind the drop");
    cr_assert(strstr(bed.why, ": enough"), "%s", bed.why);
    tn_bed_end(&bed);
}

/* Both have something to say: whoever is heard first closes the other. */
static struct tn_bed *others[2];

static void
close_other(struct tn_bed *bed, const char *event)
{
    struct tn_bed *other = others[bed == others[0]];
    if (strcmp(event, "notified") == 0 && other->rpc) {
        tn_rpc_close(other->rpc);
        other->rpc = NULL;
    }
}

Test(rpc, a_callback_may_close_another_session)
{
    static const char note[] = "{\"method\":\"n\",\"params\":[]}";
    struct tn_bed a = {.then = close_other}, b = {.then = close_other};
    struct tn_error err = {0};
    tn_bed_begin_up(&a, plain);
    b.loop = a.loop;
    tn_bed_begin_up(&b, plain);
    others[0] = &a;
    others[1] = &b;
    cr_assert_eq(send(a.peer, note, sizeof note - 1, 0),
                 (ssize_t) sizeof note - 1);
    cr_assert_eq(send(b.peer, note, sizeof note - 1, 0),
                 (ssize_t) sizeof note - 1);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(tn_ovsdb_loop_turn(a.loop, 10, &err), TN_OK);
    }
    cr_assert_eq(a.told.n + b.told.n, 5u, "one of them was heard");
    cr_assert_neq(a.rpc == NULL, b.rpc == NULL);
    tn_bed_end(&b);
    tn_bed_end(&a);
}

Test(rpc, the_loops_descriptor_says_when)
{
    struct tn_bed bed = {0};
    struct tn_error err = {0};
    tn_bed_begin_up(&bed, plain);
    struct pollfd p = {.fd = tn_ovsdb_loop_fd(bed.loop), .events = POLLIN};
    while (poll(&p, 1, 0) == 1) {
        cr_assert_eq(tn_ovsdb_loop_turn(bed.loop, 0, &err), TN_OK);
    }
    static const char note[] = "{\"method\":\"n\",\"params\":[]}";
    cr_assert_eq(send(bed.peer, note, sizeof note - 1, 0),
                 (ssize_t) sizeof note - 1);
    cr_assert_eq(poll(&p, 1, 60000), 1);
    cr_assert_eq(tn_ovsdb_loop_turn(bed.loop, 0, &err), TN_OK);
    cr_assert_str_eq(bed.told.s, "n []\n");
    cr_assert_eq(poll(&p, 1, 0), 0);
    /* A deadline, too: that of the next try. */
    tn_bed_hang_up(&bed);
    tn_bed_stop_listening(&bed);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(poll(&p, 1, 60000), 1);
        cr_assert_eq(tn_ovsdb_loop_turn(bed.loop, 0, &err), TN_OK);
    }
    TN_BED_UNTIL(&bed, bed.downs >= 2);
    tn_bed_end(&bed);
}

struct bad_options {
    struct tn_rpc_options options;
    enum tn_code code;
    const char *why;
};

static const struct bad_options bad_options[] = {
    {{.remotes = ""}, TN_EINTENT, "no remote"},
    {{.remotes = "tcp:example.org:6640"}, TN_EINTENT, "no IP address"},
    {{.remotes = "ssl:127.0.0.1"}, TN_EDENIED, "CA certificate is needed"},
    {{.remotes = "ssl:127.0.0.1", .tls = {.ca = "/nonexistent"}},
     TN_EDENIED,
     "/nonexistent: No such file"},
    {{.remotes = "ssl:127.0.0.1", .tls = {.ca = "/dev/null"}},
     TN_EDENIED,
     "/dev/null cannot be used"},
    {{.remotes = "ssl:127.0.0.1", .tls = {"/dev/null", "/dev/null", NULL}},
     TN_EDENIED,
     "go together"},
};

Test(rpc, options_are_checked_at_once)
{
    struct tn_ovsdb_loop *loop;
    static const struct tn_rpc_events events = {0};
    cr_assert_eq(tn_ovsdb_loop_new(&loop, NULL), TN_OK);
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad_options); i++) {
        const struct bad_options *row = &bad_options[i];
        struct tn_rpc *rpc = NULL;
        struct tn_error err = {0};
        char text[TN_ERROR_TEXT];
        cr_assert_eq(
            tn_rpc_open(loop, &row->options, &events, NULL, &rpc, &err),
            row->code);
        tn_error_text(&err, text, sizeof text);
        cr_assert(strstr(text, row->why), "%s: %s", row->why, text);
        cr_assert_null(rpc);
    }
    tn_ovsdb_loop_free(loop);
}
