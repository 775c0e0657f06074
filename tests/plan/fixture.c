/* fixture.c - see fixture.h. */
#include "tests/plan/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"

static void
wrong(const char *what, const char *line)
{
    fprintf(stderr, "fixture: %s: %s\n", what, line);
    abort();
}

static int
attr_cmp(const void *pa, const void *pb)
{
    const struct tn_attr *a = pa, *b = pb;
    return strcmp(a->name, b->name);
}

static void
parse_attrs(struct tn_arena *arena, char *text, struct tn_resource *r)
{
    TN_VEC(struct tn_attr) attrs = {0};
    while (*text) {
        char *end = strstr(text, "; "), *eq = strchr(text, '=');
        if (!eq) {
            wrong("no '='", text);
        }
        if (end) {
            *end = '\0';
        }
        struct tn_attr a = {.name = text, .value = eq + 1};
        *eq = '\0';
        a.change = eq[-1] == '!' ? TN_ATTR_REPLACE : TN_ATTR_UPDATE;
        a.secret = eq[-1] == '*';
        eq[-1] = a.secret || a.change ? '\0' : eq[-1];
        *tn_vec_push(arena, &attrs) = a;
        text = end ? end + 2 : eq + 1 + strlen(eq + 1);
    }
    if (attrs.n > 1) {
        qsort(attrs.items, attrs.n, sizeof *attrs.items, attr_cmp);
    }
    r->attrs = attrs.items;
    r->n_attrs = attrs.n;
}

static void
parse_option(struct tn_arena *arena, const char *word, struct tn_resource *r)
{
    if (*word == '@') {
        r->origin.line = (uint32_t) strtoul(word + 1, NULL, 10);
        r->origin.column = 5;
        r->origin.path = tn_arena_printf(arena, "tenants/%s.yml", r->scope);
    } else if (strncmp(word, "claim=", 6) == 0) {
        char *claim = tn_arena_strdup(arena, word + 6);
        for (char *s = claim; (s = strchr(s, '_'));) {
            *s = ' ';
        }
        r->claim = claim;
    } else if (strncmp(word, "parent=", 7) == 0) {
        r->parent = tn_arena_printf(arena, "%s/%s", r->scope, word + 7);
    } else if (strcmp(word, "foreign") == 0) {
        r->owner = TN_FOREIGN;
    } else {
        wrong("unknown option", word);
    }
}

static struct tn_resource
parse_line(struct tn_arena *arena, char *line)
{
    struct tn_resource r = {0};
    char *save, *bar = strstr(line, " |");
    if (bar) {
        *bar = '\0';
        parse_attrs(arena, bar + 2 + strspn(bar + 2, " "), &r);
    }
    const char *scope = strtok_r(line, " ", &save);
    r.kind = strtok_r(NULL, " ", &save);
    r.name = strtok_r(NULL, " ", &save);
    const char *rank = strtok_r(NULL, " ", &save);
    if (!scope || !rank) {
        wrong("too few words", line);
    }
    r.scope = strcmp(scope, "-") == 0 ? "" : scope;
    r.rank = (uint16_t) strtoul(rank, NULL, 10);
    r.key = tn_arena_printf(arena, "%s/%s/%s", r.scope, r.kind, r.name);
    char *word;
    while ((word = strtok_r(NULL, " ", &save))) {
        parse_option(arena, word, &r);
    }
    return r;
}

const struct tn_state *
fixture_state(struct tn_arena *arena, const char *text)
{
    TN_VEC(struct tn_resource) v = {0};
    char *copy = tn_arena_strdup(arena, text), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        line += strspn(line, " ");
        if (*line) {
            *tn_vec_push(arena, &v) = parse_line(arena, line);
        }
    }
    struct tn_state *state = tn_new(arena, struct tn_state);
    struct tn_error err = {0};
    if (tn_state_sort(v.items, v.n, &err)) {
        wrong(err.text, text);
    }
    state->items = v.items;
    state->n = v.n;
    return state;
}

const struct tn_device_plan *
fixture_plan(struct tn_arena *arena, const char *device, const char *last,
             const char *want, const char *have, const char *held)
{
    const char **names = tn_new_n(arena, const char *, 1);
    names[0] = held;
    struct tn_plan_input in = {
        .device = device,
        .driver = "memory",
        .caps = TN_CAP_OWNER,
        .last = last ? fixture_state(arena, last) : NULL,
        .want = fixture_state(arena, want),
        .have = fixture_state(arena, have),
        .held = names,
        .n_held = held != NULL,
    };
    struct tn_plan_input *kept = tn_new(arena, struct tn_plan_input);
    *kept = in;
    const struct tn_device_plan *plan = NULL;
    struct tn_error err = {0};
    if (tn_plan_device(arena, kept, &plan, &err)) {
        wrong(err.text, want);
    }
    return plan;
}

char *
fixture_read(const char *path)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    char buf[4096];
    size_t n;
    if (!f) {
        return NULL;
    }
    while ((n = fread(buf, 1, sizeof buf, f)) > 0) {
        tn_text_addn(&text, buf, n);
    }
    return tn_text_take(&text);
}

static void
write_file(const char *path, const char *text)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "we");
    if (!f || fputs(text, f) < 0) {
        wrong("cannot write", path);
    }
}

bool
fixture_golden(const char *name, const char *text)
{
    char path[512], fresh[520];
    snprintf(path, sizeof path, "tests/plan/golden/%s", name);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    if (getenv("TN_REGEN")) {
        write_file(path, text);
        return true;
    }
    TN_CLEANUP(tn_cleanup_free) char *golden = fixture_read(path);
    if (golden && strcmp(golden, text) == 0) {
        return true;
    }
    write_file(fresh, text);
    return false;
}
