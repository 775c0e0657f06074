/* gate.c - queues before doors: see gate.h. */
#include "drivers/ovsdb/gate.h"

#include <stdio.h>
#include <stdlib.h>

/* FNV-1a: a door need not withstand anybody. */
static uint16_t
door_of(const char *server)
{
    uint32_t hash = 2166136261u;
    for (const char *s = server; *s; s++) {
        hash = (hash ^ (uint8_t) *s) * 16777619u;
    }
    return (uint16_t) ((hash ^ hash >> 16) % (TN_GATE_WALLS * TN_GATE_DOORS));
}

static struct tn_gate_door *
door_at(struct tn_gate *gate, uint16_t number)
{
    struct tn_gate_door **wall = &gate->walls[number / TN_GATE_DOORS];
    if (!*wall) {
        *wall = calloc(TN_GATE_DOORS, sizeof **wall);
    }
    if (!*wall) {
        fputs("tenet: out of memory\n", stderr);
        abort();
    }
    return &(*wall)[number % TN_GATE_DOORS];
}

void
tn_gate_done(struct tn_gate *gate)
{
    for (size_t i = 0; i < TN_GATE_WALLS; i++) {
        free(gate->walls[i]);
        gate->walls[i] = NULL;
    }
}

bool
tn_gate_enter(struct tn_gate *gate, struct tn_gate_pass *pass,
              const char *server)
{
    if (pass->inside || pass->waiting) {
        return pass->inside;
    }
    pass->door = door_of(server);
    struct tn_gate_door *door = door_at(gate, pass->door);
    if (door->inside < TN_GATE_AT_ONCE) {
        door->inside++;
        pass->inside = true;
        return true;
    }
    pass->waiting = true;
    pass->next = NULL;
    if (door->last) {
        door->last->next = pass;
    } else {
        door->first = pass;
    }
    door->last = pass;
    return false;
}

static void
leave_queue(struct tn_gate_door *door, struct tn_gate_pass *pass)
{
    struct tn_gate_pass *before = NULL, *at = door->first;
    while (at && at != pass) {
        before = at;
        at = at->next;
    }
    if (before) {
        before->next = pass->next;
    } else {
        door->first = pass->next;
    }
    if (door->last == pass) {
        door->last = before;
    }
    pass->waiting = false;
}

void
tn_gate_leave(struct tn_gate *gate, struct tn_gate_pass *pass)
{
    if (!pass->waiting && !pass->inside) {
        return;
    }
    struct tn_gate_door *door = door_at(gate, pass->door);
    if (pass->waiting) {
        leave_queue(door, pass);
        return;
    }
    pass->inside = false;
    struct tn_gate_pass *next = door->first;
    if (!next) {
        door->inside--;
        return;
    }
    leave_queue(door, next);
    next->inside = true;
    next->admitted(next);
}
