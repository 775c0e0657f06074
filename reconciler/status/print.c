/* print.c - the status as tables for people and as JSON for programs.
 *
 * Columns are as wide as their widest cell; what is well is quiet and what is
 * not is coloured.  Text comes from files that anybody with write access to
 * the ref can make, so it is cleaned before a terminal sees it. */
#include "reconciler/status/print.h"

#include <stdio.h>
#include <string.h>

#include "reconciler/source/name.h"
#include "reconciler/status/entry.h"

enum { COLUMNS = 6, CELL = 256, SHORT_ID = 7 };

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM };

struct row {
    char cell[COLUMNS][CELL];
    enum tone tone; /* Of the condition. */
};

struct table {
    const struct tn_status_view *view;
    const char *heads[COLUMNS];
    struct tn_arena *arena;
    TN_VEC(struct row) rows;
};

static void
set_cell(struct row *row, size_t column, const char *text)
{
    tn_clean(row->cell[column], CELL, text, strlen(text));
}

/* The one condition that a person wants to know. */
static const struct tn_condition *
judge(const struct tn_status_head *head, const char **word, enum tone *tone)
{
    const struct tn_condition *c = head->conditions;
    if (c[TN_COND_DEGRADED].status == TN_COND_TRUE) {
        *word = "Degraded";
        *tone = TONE_BAD;
        return &c[TN_COND_DEGRADED];
    }
    if (c[TN_COND_DRIFTED].status == TN_COND_TRUE) {
        *word = "Drifted";
        *tone = TONE_WARN;
        return &c[TN_COND_DRIFTED];
    }
    *word = c[TN_COND_READY].status == TN_COND_TRUE    ? "Ready"
            : c[TN_COND_READY].status == TN_COND_FALSE ? "NotReady"
                                                       : "Unknown";
    *tone = c[TN_COND_READY].status == TN_COND_TRUE    ? TONE_GOOD
            : c[TN_COND_READY].status == TN_COND_FALSE ? TONE_BAD
                                                       : TONE_DIM;
    return &c[TN_COND_READY];
}

static void
age(char out[CELL], int64_t now, int64_t then)
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    int64_t d = now > then ? now - then : 0;
    snprintf(out, CELL, "%s", then ? "0s" : "-");
    for (size_t i = 0; then && i < TN_ARRAY_SIZE(units); i++) {
        if (d >= units[i].seconds) {
            snprintf(out, CELL, "%lld%s", (long long) (d / units[i].seconds),
                     units[i].unit);
            return;
        }
    }
}

/* Columns 1 to 5 of every table: condition, since, commit, applied, why. */
static void
fill_head(struct row *row, const struct tn_status_head *head,
          const struct tn_status_view *view)
{
    const char *word;
    const struct tn_condition *c = judge(head, &word, &row->tone);
    char commit[CELL];
    bool other =
        view->head && head->commit && strcmp(view->head, head->commit) != 0;
    snprintf(commit, sizeof commit, "%.*s%s", SHORT_ID,
             head->commit ? head->commit : "-", other ? "*" : "");
    set_cell(row, 1, word);
    age(row->cell[2], view->now, c->since);
    set_cell(row, 3, commit);
    age(row->cell[4], view->now, head->applied);
    char why[CELL];
    snprintf(why, sizeof why, "%s%s%s", c->reason ? c->reason : "",
             c->reason && c->message ? ": " : "", c->message ? c->message : "");
    set_cell(row, 5, why);
}

static void
add_row(struct table *t, const char *name, const struct tn_status_head *head)
{
    struct row *row = tn_vec_push(t->arena, &t->rows);
    *row = (struct row){0};
    set_cell(row, 0, name);
    fill_head(row, head, t->view);
}

/* Columns on a terminal: one for each code point. */
static size_t
width(const char *s)
{
    size_t n = 0;
    for (; *s; s++) {
        n += (*s & 0xc0) != 0x80;
    }
    return n;
}

static const char *
paint(const struct table *t, enum tone tone)
{
    static const char *const codes[] = {
        [TONE_PLAIN] = "",        [TONE_GOOD] = "\033[32m",
        [TONE_WARN] = "\033[33m", [TONE_BAD] = "\033[31m",
        [TONE_DIM] = "\033[2m",
    };
    return t->view->color ? codes[tone] : "";
}

static void
print_row(struct tn_text *out, const struct table *t,
          const char *const cells[COLUMNS], const size_t widths[COLUMNS],
          const enum tone tones[COLUMNS])
{
    size_t last = COLUMNS - 1;
    while (last > 0 && !cells[last][0]) {
        last--;
    }
    for (size_t i = 0; i <= last; i++) {
        bool painted = t->view->color && tones[i] != TONE_PLAIN;
        tn_text_addf(out, "%s%s%s%s", i ? "  " : "", paint(t, tones[i]),
                     cells[i], painted ? "\033[0m" : "");
        for (size_t n = width(cells[i]); i < last && n < widths[i]; n++) {
            tn_text_addc(out, ' ');
        }
    }
    tn_text_addc(out, '\n');
}

static void
print_table(struct tn_text *out, const struct table *t)
{
    size_t widths[COLUMNS];
    if (t->rows.n == 0) {
        return;
    }
    for (size_t c = 0; c < COLUMNS; c++) {
        widths[c] = width(t->heads[c]);
        for (size_t i = 0; i < t->rows.n; i++) {
            size_t n = width(t->rows.items[i].cell[c]);
            widths[c] = n > widths[c] ? n : widths[c];
        }
    }
    static const enum tone head_tones[COLUMNS] = {TONE_DIM, TONE_DIM, TONE_DIM,
                                                  TONE_DIM, TONE_DIM, TONE_DIM};
    tn_text_add(out, out->n ? "\n" : "");
    print_row(out, t, t->heads, widths, head_tones);
    for (size_t i = 0; i < t->rows.n; i++) {
        const struct row *row = &t->rows.items[i];
        const char *cells[COLUMNS];
        enum tone tones[COLUMNS] = {TONE_PLAIN};
        for (size_t c = 0; c < COLUMNS; c++) {
            cells[c] = row->cell[c];
        }
        tones[1] = row->tone;
        print_row(out, t, cells, widths, tones);
    }
}

static bool
shows(const struct tn_status_view *view, const char *tenant)
{
    return !view->tenant || strcmp(view->tenant, tenant) == 0;
}

static void
print_tables(struct tn_text *out, struct tn_arena *arena,
             const struct tn_status *s, const struct tn_status_view *view)
{
    struct table devices = {
        .view = view,
        .arena = arena,
        .heads = {"DEVICE", "CONDITION", "SINCE", "COMMIT", "APPLIED", "WHY"}};
    struct table tenants = devices, vpcs = devices;
    tenants.heads[0] = "TENANT";
    vpcs.heads[0] = "VPC";
    for (size_t i = 0; !view->tenant && i < s->n_devices; i++) {
        add_row(&devices, s->devices[i].name, &s->devices[i].head);
    }
    for (size_t i = 0; i < s->n_tenants; i++) {
        if (shows(view, s->tenants[i].name)) {
            add_row(&tenants, s->tenants[i].name, &s->tenants[i].head);
        }
    }
    for (size_t i = 0; i < s->n_vpcs; i++) {
        if (shows(view, s->vpcs[i].tenant)) {
            add_row(&vpcs,
                    tn_arena_printf(arena, "%s/%s", s->vpcs[i].tenant,
                                    s->vpcs[i].name),
                    &s->vpcs[i].head);
        }
    }
    print_table(out, &devices);
    print_table(out, &tenants);
    print_table(out, &vpcs);
}

void
tn_status_print(struct tn_text *out, const struct tn_status *s,
                const struct tn_status_view *view)
{
    struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text body = {0};
    print_tables(&body, arena, s, view);
    tn_arena_free(arena);
    if (!s->id) {
        tn_text_add(&body, "Nothing was applied yet: there is no status.\n");
    } else if (body.n == 0) {
        tn_text_add(&body, "The status holds nothing to show.\n");
    }
    for (size_t i = 0; i < s->n_damaged; i++) {
        char path[CELL], message[2 * CELL];
        const struct tn_status_damage *d = &s->damaged[i];
        tn_text_addf(
            &body, "%sdamaged, taken as absent: %s: %s\n", i ? "" : "\n",
            tn_clean(path, sizeof path, d->path, strlen(d->path)),
            tn_clean(message, sizeof message, d->message, strlen(d->message)));
    }
    tn_text_addn(out, tn_text_str(&body), body.n);
}

static void
json_text(struct tn_text *out, const char *name, const char *value)
{
    tn_text_addf(out, "\"%s\": ", name);
    if (!value) {
        tn_text_add(out, "null");
        return;
    }
    tn_text_addc(out, '"');
    tn_text_add_escaped(out, value);
    tn_text_addc(out, '"');
}

static void
json_time(struct tn_text *out, const char *name, int64_t t)
{
    char text[TN_TIME_TEXT];
    json_text(out, name, t ? tn_time_format(t, text) : NULL);
}

static void
json_conditions(struct tn_text *out, const struct tn_status_head *head)
{
    tn_text_add(out, "\"conditions\": [");
    for (unsigned i = 0; i < TN_N_CONDITIONS; i++) {
        const struct tn_condition *c = &head->conditions[i];
        tn_text_add(out, i ? ", {" : "{");
        json_text(out, "type", tn_condition_name(i));
        tn_text_add(out, ", ");
        json_text(out, "status", tn_condition_status_name(c->status));
        tn_text_add(out, ", ");
        json_text(out, "reason", c->reason);
        tn_text_add(out, ", ");
        json_text(out, "message", c->message);
        tn_text_add(out, ", ");
        json_time(out, "since", c->since);
        tn_text_addc(out, '}');
    }
    tn_text_addc(out, ']');
}

static void
json_entry(struct tn_text *out, const struct tn_entry_form *form,
           const void *entry)
{
    const struct tn_status_head *head = tn_entry_head(form, entry);
    tn_text_add(out, "{");
    for (const struct tn_entry_member *m = form->names; m->name; m++) {
        json_text(out, m->name, tn_entry_text(entry, m->offset));
        tn_text_add(out, ", ");
    }
    for (const struct tn_entry_member *m = form->texts; m->name; m++) {
        json_text(out, m->name, tn_entry_text(entry, m->offset));
        tn_text_add(out, ", ");
    }
    json_text(out, "commit", head->commit);
    tn_text_add(out, ", ");
    json_time(out, "applied", head->applied);
    tn_text_add(out, ", ");
    json_conditions(out, head);
    tn_text_add(out, ", \"counts\": {");
    for (const struct tn_entry_member *m = form->counts; m->name; m++) {
        tn_text_addf(out, "%s\"%s\": %llu", m == form->counts ? "" : ", ",
                     m->name,
                     (unsigned long long) tn_entry_count(entry, m->offset));
    }
    tn_text_addc(out, '}');
    if (form->has_devices) {
        const struct tn_status_vpc *vpc = entry;
        tn_text_add(out, ", \"devices\": [");
        for (size_t i = 0; i < vpc->n_devices; i++) {
            tn_text_add(out, i ? ", \"" : "\"");
            tn_text_add_escaped(out, vpc->devices[i]);
            tn_text_addc(out, '"');
        }
        tn_text_addc(out, ']');
    }
    tn_text_addc(out, '}');
}

struct json_list {
    const struct tn_entry_form *form;
    const void *items;
    size_t n;
    bool hidden; /* From who asks for one tenant. */
};

static void
json_list(struct tn_text *out, const struct json_list *list,
          const struct tn_status_view *view)
{
    const char *comma = "\n    ";
    tn_text_addf(out, "  \"%s\": [", list->form->list);
    for (size_t i = 0; i < list->n && !(list->hidden && view->tenant); i++) {
        const void *entry = (const char *) list->items + i * list->form->size;
        if (list->hidden ||
            shows(view, tn_entry_text(entry, list->form->names[0].offset))) {
            tn_text_add(out, comma);
            json_entry(out, list->form, entry);
            comma = ",\n    ";
        }
    }
    tn_text_add(out, comma[0] == ',' ? "\n  ],\n" : "],\n");
}

void
tn_status_print_json(struct tn_text *out, const struct tn_status *s,
                     const struct tn_status_view *view)
{
    const struct json_list lists[] = {
        {&tn_entry_forms[TN_STATUS_DEVICE], s->devices, s->n_devices, true},
        {&tn_entry_forms[TN_STATUS_TENANT], s->tenants, s->n_tenants, false},
        {&tn_entry_forms[TN_STATUS_VPC], s->vpcs, s->n_vpcs, false},
    };
    tn_text_add(out, "{\n  \"apiVersion\": \"tenet/v1\",\n  \"kind\": "
                     "\"Status\",\n  ");
    json_text(out, "statusCommit", s->id);
    tn_text_add(out, ",\n");
    for (size_t i = 0; i < TN_ARRAY_SIZE(lists); i++) {
        json_list(out, &lists[i], view);
    }
    tn_text_add(out, "  \"damaged\": [");
    for (size_t i = 0; i < s->n_damaged; i++) {
        tn_text_add(out, i ? ", {" : "{");
        json_text(out, "path", s->damaged[i].path);
        tn_text_add(out, ", ");
        json_text(out, "message", s->damaged[i].message);
        tn_text_addc(out, '}');
    }
    tn_text_add(out, "]\n}\n");
}
