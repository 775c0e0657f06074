/* loop.h - the inside of the loop, for daemon.c, fleet.c, serve.c and
 * command.c. */
#ifndef TN_DAEMON_LOOP_H
#define TN_DAEMON_LOOP_H

#include <pthread.h>

#include "model/base/map.h"
#include "reconciler/daemon/backoff.h"
#include "reconciler/daemon/control.h"
#include "reconciler/daemon/daemon.h"
#include "reconciler/daemon/probation.h"
#include "reconciler/daemon/shots.h"
#include "reconciler/daemon/tell.h"
#include "reconciler/http/server.h"
#include "reconciler/http/webhook.h"

/* What threads send to the loop, in order of arrival. */
struct tn_mail {
    struct tn_mail *next;
    struct tn_unit_report *report; /* One of the three. */
    struct tn_upstream_event *event;
    struct tn_probe_round *round;
};

struct tn_mailbox {
    pthread_mutex_t mutex;
    struct tn_mail *first, **end;
    int fd; /* eventfd */
};

/* mailbox.c.  To be done also after a failure. */
enum tn_code tn_mailbox_init(struct tn_mailbox *box,
                             struct tn_error *err) TN_MUST_USE;
void tn_mailbox_done(struct tn_mailbox *box);
/* By any thread; copies '*what', and takes over what it points to. */
void tn_mailbox_post(struct tn_mailbox *box, const struct tn_mail *what);
/* All that has come, in its order; each is to be freed. */
struct tn_mail *tn_mailbox_take(struct tn_mailbox *box);

/* A device, its worker, and what is known of it. */
struct tn_slot {
    char *name;
    struct tn_unit *unit; /* Null: it could not be started: */
    char *no_worker;      /* why. */
    struct tn_backoff start;
    int64_t start_ms;              /* When it is tried again. */
    int64_t begin_ms;              /* The first look: not before. */
    struct tn_unit_report *report; /* The last one; null: none yet. */
    struct tn_shots shots;
    struct tn_arena *since; /* What was touched since the last publication that
                               arrived: */
    TN_VEC(const char *) changed;
    struct tn_counts counts;
    /* What of it is on its way to Git. */
    size_t sent_changed;
    struct tn_counts sent_counts;
    struct tn_slot *next;
};

struct tn_loop {
    const struct tn_daemon_options *options;
    struct tn_arena *arena; /* As long as the loop. */
    const struct tn_daemon *config;
    struct tn_log *log;
    struct tn_metrics *metrics;
    struct tn_tell *tell;
    struct tn_apply_gate *gate;
    struct tn_upstream *upstream;
    struct tn_probation *probation;
    struct tn_mailbox mailbox;

    struct tn_intent *intent;
    struct tn_spent spent;   /* On it. */
    struct tn_slot *slots;   /* By name. */
    struct tn_slot *leaving; /* Their workers end. */
    struct tn_modes *modes;
    struct tn_arena *rules_arena;
    TN_VEC(struct tn_mode_rule) rules; /* By command. */

    bool dirty;       /* Something is to be told on the status ref. */
    bool publishing;  /* The Git thread has a job. */
    int64_t dirty_ms; /* Since when. */
    int64_t quiet_ms; /* After a failure: not before. */
    bool good;        /* It was said that all hold the intent. */
    char tip[65];     /* What the branch stands at. */
    char *refused;    /* Why it is not followed; null. */
    char *stale;      /* Why Git cannot be read; null. */
    int64_t trim_ms;  /* When freed memory is given back; 0: there is none. */
    int64_t tick_ms;
    bool stopping;

    struct tn_http_server *http;
    struct tn_webhook *webhook;
    int64_t webhook_said_ms; /* When one that was turned away was logged. */
    struct tn_secret *webhook_secret;
    struct tn_control *control;
};

/* slots.c: the devices of the intent, each with a worker. */
struct tn_slot *tn_slot_get(const struct tn_loop *loop, const char *name);
void tn_slot_free(struct tn_slot *slot);
/* The list of slots becomes that of the intent's devices. */
void tn_slots_match(struct tn_loop *loop);
/* Joins workers that have ended, starts those that could not be. */
void tn_slots_tick(struct tn_loop *loop);

/* fleet.c: devices and what is told of them. */
void tn_fleet_follow(struct tn_loop *loop, struct tn_intent *intent);
void tn_fleet_report(struct tn_loop *loop, struct tn_unit_report *report);
void tn_fleet_modes(struct tn_loop *loop);
/* Follows 'former' again, whose successor failed its probes, and looks at all
 * of every device. */
void tn_fleet_back(struct tn_loop *loop, struct tn_intent *former);
/* If all devices have settled: says so, and has the commit judged. */
void tn_fleet_settled(struct tn_loop *loop);
/* Sends what is due to the status ref. */
void tn_fleet_tick(struct tn_loop *loop);
/* Ends all workers; false: some hang. */
bool tn_fleet_stop(struct tn_loop *loop, int64_t deadline_ms);
void tn_fleet_publish(struct tn_loop *loop);
/* What was published last arrived, or is to be told once more. */
void tn_fleet_published(struct tn_loop *loop, bool arrived);
void tn_loop_post_report(void *loop, struct tn_unit_report *report);

/* serve.c: HTTP. */
enum tn_code tn_serve_open(struct tn_loop *loop,
                           struct tn_error *err) TN_MUST_USE;
void tn_serve_close(struct tn_loop *loop);
/* Could that be opened with these settings?  What 'loop' itself listens on is
 * no obstacle. */
enum tn_code tn_serve_check(const struct tn_loop *loop,
                            const struct tn_daemon *next,
                            struct tn_error *err) TN_MUST_USE;

/* command.c: the control socket. */
void tn_command_answer(void *loop, const char *request, struct tn_text *answer);
/* Rules by command survive a restart: <state>/modes.json. */
void tn_command_rules_load(struct tn_loop *loop);

#endif
