/* programs.c - the jq programs of a judgement, several at a time.
 *
 * Each place of the crew is a process; it compiles a program, runs the examples
 * of its policy, is given what the commit touches, and then takes the next
 * program.  Which process says what first is no matter: findings are sorted
 * when the verdict is made. */
#include <string.h>
#include <unistd.h>

#include "reconciler/plan/print.h"
#include "reconciler/policy/jq_program.h"
#include "reconciler/policy/work.h"

struct program {
    struct tn_judgement *j;
    const struct tn_policy_rule *rule;
};

/* What was made of a VPC for one program, for the next: they are at about the
 * same place. */
struct shared {
    const struct tn_judgement *j; /* Null: nothing. */
    size_t at;                    /* In its 'touched'. */
    bool whole;
    struct tn_text json;
};

enum { SHARED = 128, SHARED_BYTES = 32 * 1024 };

/* Documents for a program, and what each is about. */
struct inputs {
    struct program p;
    struct shared *shared; /* SHARED of them; null: there is one program. */
    size_t at;             /* The next touched VPC, or tenant. */
    /* Gives the next document and what it is about; false: there is none. */
    bool (*make)(struct inputs *in, struct tn_text *json,
                 struct tn_objection *about);
    TN_VEC(struct tn_objection) made;
    size_t n_heard;
};

static bool
inputs_next(void *user, struct tn_text *json)
{
    struct inputs *in = user;
    struct tn_objection about = {0};
    if (!in->make(in, json, &about)) {
        return false;
    }
    *tn_vec_push(in->p.j->arena, &in->made) = about;
    return true;
}

static void
inputs_found(void *user, const struct tn_jq_finding *found, size_t n)
{
    struct inputs *in = user;
    const struct tn_objection *about = &in->made.items[in->n_heard++];
    for (size_t i = 0; i < n; i++) {
        struct tn_objection o = *about;
        o.message = found[i].message;
        o.hint = found[i].hint;
        if (found[i].path) {
            o.at = (struct tn_origin){found[i].path, found[i].line, 0};
        }
        /* It may name a part of what it was given, and nothing else: waivers
         * go by it. */
        if (found[i].subject &&
            (!about->subject ||
             tn_subject_is_below(found[i].subject, about->subject))) {
            o.subject = found[i].subject;
        }
        tn_judge_object(in->p.j, in->p.rule, &o);
    }
}

static void
vpc_input(struct inputs *in, size_t at, const struct tn_touch *t,
          struct tn_text *json)
{
    struct tn_judgement *j = in->p.j;
    struct shared *s = in->shared ? &in->shared[at % SHARED] : NULL;
    if (s && s->j == j && s->at == at && s->whole == t->whole) {
        tn_text_addn(json, s->json.s, s->json.n);
        return;
    }
    size_t before = json->n;
    tn_input_vpc(json, j, t);
    if (s && json->n - before <= SHARED_BYTES) {
        s->j = j;
        s->at = at;
        s->whole = t->whole;
        tn_text_clear(&s->json);
        tn_text_addn(&s->json, json->s + before, json->n - before);
    }
}

static bool
vpc_make(struct inputs *in, struct tn_text *json, struct tn_objection *about)
{
    struct tn_judgement *j = in->p.j;
    while (in->at < j->touched.n) {
        struct tn_touch t;
        if (tn_policy_rule_looks(j, in->p.rule, &j->touched.items[in->at++],
                                 &t)) {
            vpc_input(in, in->at - 1, &t, json);
            about->at = t.after ? t.after->origin : t.before->origin;
            about->tenant = t.tenant;
            about->subject = t.scope;
            return true;
        }
    }
    return false;
}

static bool
tenant_make(struct inputs *in, struct tn_text *json, struct tn_objection *about)
{
    struct tn_judgement *j = in->p.j;
    while (in->at < j->n_tenants) {
        const struct tn_tenant_result *t =
            tn_network_tenant(j->in->network, j->tenants[in->at++]);
        if (!t || t->failed || !tn_policy_rule_covers(j, in->p.rule, t->name)) {
            continue;
        }
        tn_input_tenant(json, j, t);
        about->tenant = about->subject = t->name;
        if (t->tenant) {
            about->at = tn_at(t->tenant->meta.path, t->tenant->meta.at);
        }
        return true;
    }
    return false;
}

static bool
plan_make(struct inputs *in, struct tn_text *json, struct tn_objection *about)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text plan = {0};
    struct tn_print_options o = {0};
    (void) about; /* Of everything. */
    if (!in->p.j->in->plan || in->at++) {
        return false;
    }
    tn_plan_print_json(&plan, in->p.j->in->plan, &o);
    tn_text_reserve(json, plan.n);
    for (size_t i = 0; i < plan.n; i++) { /* It breaks lines for people. */
        if (plan.s[i] != '\n') {
            tn_text_addc(json, plan.s[i]);
        }
    }
    return true;
}

/* ---- the crew ----------------------------------------------------------- */

struct tn_programs {
    struct tn_judgement *j;
    TN_VEC(struct program) list;
    size_t next; /* The first that nobody has begun. */
    size_t n_crew;
    struct tn_jq_task crew[TN_JQ_CREW];
    struct inputs inputs[TN_JQ_CREW]; /* What each is at. */
    bool begun[TN_JQ_CREW];           /* It compiles. */
    struct shared *shared;
    bool (*work)(void *user);
    void *user;
};

struct tn_programs *
tn_programs_new(struct tn_judgement *j)
{
    struct tn_programs *p = tn_new(j->arena, struct tn_programs);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    p->j = j;
    p->n_crew = n < 1 ? 1 : n < TN_JQ_CREW ? (size_t) n : TN_JQ_CREW;
    return p;
}

static void
inputs_begin(struct tn_programs *p, size_t place)
{
    static bool (*const makers[])(struct inputs *, struct tn_text *,
                                  struct tn_objection *) = {
        [TN_OVER_VPC] = vpc_make,
        [TN_OVER_TENANT] = tenant_make,
        [TN_OVER_PLAN] = plan_make,
    };
    struct inputs *in = &p->inputs[place];
    const struct program *program = &p->list.items[p->next++];
    *in = (struct inputs){.p = *program, .shared = p->shared};
    in->make = makers[program->rule->doc->over.v];
    p->crew[place].feed = (struct tn_jq_feed){inputs_next, inputs_found, in};
}

static void
broken(const struct program *p, const char *subject, const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    tn_judge_broken(p->j, p->rule,
                    tn_arena_printf(p->j->arena, "the jq program%s%s: %s",
                                    subject ? " " : "", subject ? subject : "",
                                    tn_error_text(err, text, sizeof text)));
}

/* A process begins with the next program; those of examples have it. */
static void
program_begin(struct tn_programs *p, size_t place)
{
    struct tn_jq_options o = {p->j->in->helper, p->j->in->timeout_ms};
    struct tn_jq_task *task = &p->crew[place];
    inputs_begin(p, place);
    p->begun[place] = true;
    task->code = TN_OK;
    if (p->j->in->program) {
        task->jq = p->j->in->program;
        return;
    }
    task->jq = task->jq ? task->jq : tn_jq_new(p->j->arena, &o);
    task->err = (struct tn_error){0};
    task->code = tn_jq_compile_begin(
        task->jq, p->inputs[place].p.rule->doc->jq.v, &task->err);
}

/* Compiles, and does it what its examples say? */
static bool
program_ready(struct tn_programs *p, size_t place)
{
    const struct program *program = &p->inputs[place].p;
    struct tn_jq_task *task = &p->crew[place];
    p->begun[place] = false;
    if (!p->j->in->program && !task->code) {
        task->code = tn_jq_compile_end(task->jq, &task->err);
    }
    if (task->code) {
        broken(program, NULL, &task->err);
        return false;
    }
    return p->j->in->no_examples ||
           tn_policy_examples_hold(program->j, program->rule, task->jq);
}

/* The next program that is in order, if there is one. */
static bool
place_next(struct tn_programs *p, size_t place)
{
    bool ready = p->begun[place] && program_ready(p, place);
    while (!ready && p->next < p->list.n) {
        program_begin(p, place);
        ready = program_ready(p, place);
    }
    return ready;
}

void
tn_programs_add(struct tn_programs *p, struct tn_judgement *j,
                const struct tn_policy_rule *rule)
{
    *tn_vec_push(p->j->arena, &p->list) = (struct program){j, rule};
    if (p->list.n <= p->n_crew) {
        program_begin(p, p->list.n - 1);
    }
}

static bool
task_next(void *user, struct tn_jq_task *task)
{
    struct tn_programs *p = user;
    size_t place = (size_t) (task - p->crew);
    const struct inputs *in = &p->inputs[place];
    if (task->code) {
        size_t n = task->n_done;
        broken(&in->p, n < in->made.n ? in->made.items[n].subject : NULL,
               &task->err);
    }
    return place_next(p, place);
}

static bool
crew_idle(void *user)
{
    struct tn_programs *p = user;
    return p->work(p->user);
}

void
tn_programs_judge(struct tn_programs *p, bool (*work)(void *user), void *user)
{
    struct tn_jq_crew crew = {task_next, crew_idle, p};
    struct tn_jq *started[TN_JQ_CREW] = {NULL};
    if (p->list.n > 1) {
        p->shared = tn_new_n(p->j->arena, struct shared, SHARED);
    }
    p->work = work;
    p->user = user;
    for (size_t i = 0; i < p->n_crew; i++) {
        p->inputs[i].shared = p->shared;
        bool ready = place_next(p, i);
        started[i] = p->j->in->program ? NULL : p->crew[i].jq;
        p->crew[i].jq = ready ? p->crew[i].jq : NULL;
    }
    tn_jq_work(p->crew, p->n_crew, &crew);
    for (size_t i = 0; p->shared && i < SHARED; i++) {
        tn_text_done(&p->shared[i].json);
    }
    for (size_t i = 0; i < p->n_crew; i++) {
        tn_jq_close(started[i]);
    }
}
