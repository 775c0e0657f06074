/* gate_test.c - first come, first served; who goes leaves no gap. */
#include "drivers/ovsdb/gate.h"

#include <stddef.h>

#include <criterion/criterion.h>

enum { MANY = 30 };

struct guest {
    struct tn_gate_pass pass; /* First. */
    unsigned admitted;
};

static void
on_admitted(struct tn_gate_pass *pass)
{
    struct guest *guest = (void *) pass;
    guest->admitted++;
    cr_assert(pass->inside);
}

static void
arrive(struct tn_gate *gate, struct guest *guests, size_t n, const char *server)
{
    for (size_t i = 0; i < n; i++) {
        guests[i] = (struct guest){.pass.admitted = on_admitted};
        bool inside = tn_gate_enter(gate, &guests[i].pass, server);
        cr_assert_eq(inside, i < TN_GATE_AT_ONCE);
        /* Asking again changes nothing. */
        cr_assert_eq(tn_gate_enter(gate, &guests[i].pass, server), inside);
    }
}

Test(gate, first_come_first_served)
{
    static struct tn_gate gate;
    struct guest guests[MANY];
    arrive(&gate, guests, MANY, "tcp:192.0.2.1:6641");
    for (size_t i = 0; i < MANY; i++) {
        cr_assert(guests[i].pass.inside, "%zu", i);
        tn_gate_leave(&gate, &guests[i].pass);
        tn_gate_leave(&gate, &guests[i].pass);
        size_t next = i + TN_GATE_AT_ONCE;
        cr_assert(next >= MANY || guests[next].admitted == 1, "%zu", i);
        cr_assert(next + 1 >= MANY || guests[next + 1].admitted == 0);
    }
    arrive(&gate, guests, MANY, "tcp:192.0.2.1:6641");
    tn_gate_done(&gate);
}

Test(gate, who_waits_may_go)
{
    static struct tn_gate gate;
    struct guest guests[MANY];
    arrive(&gate, guests, MANY, "unix:/x");
    /* The first and the last in the queue, and some between. */
    for (size_t i = TN_GATE_AT_ONCE; i < MANY; i += 3) {
        tn_gate_leave(&gate, &guests[i].pass);
    }
    tn_gate_leave(&gate, &guests[MANY - 1].pass);
    for (size_t i = 0; i < MANY; i++) {
        bool gone = i >= TN_GATE_AT_ONCE &&
                    ((i - TN_GATE_AT_ONCE) % 3 == 0 || i == MANY - 1);
        cr_assert_eq(guests[i].pass.inside, !gone, "%zu", i);
        tn_gate_leave(&gate, &guests[i].pass);
    }
    arrive(&gate, guests, MANY, "unix:/x");
    tn_gate_done(&gate);
}

Test(gate, other_servers_have_other_doors)
{
    static struct tn_gate gate;
    struct guest guests[MANY], others[TN_GATE_AT_ONCE];
    arrive(&gate, guests, MANY, "ssl:192.0.2.1:6642");
    arrive(&gate, others, TN_GATE_AT_ONCE, "ssl:192.0.2.2:6642");
    tn_gate_done(&gate);
}

Test(gate, a_stranger_may_leave)
{
    static struct tn_gate gate;
    struct guest guest = {.pass.admitted = on_admitted};
    tn_gate_leave(&gate, &guest.pass);
    cr_assert_null(gate.walls[0]);
}
