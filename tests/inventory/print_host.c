/* print_host.c - what ansible-inventory --host prints, by our own means.
 *
 *     print_host ROOT ENVIRONMENT           all hosts, as one JSON object
 *     print_host ROOT ENVIRONMENT HOST...   these hosts, one after the other
 *     print_host --variables                the page docs/host-variables.md
 *
 * ROOT holds inventories/ENVIRONMENT.  Findings go to standard error; with an
 * error among them the exit status is 8, but what is whole is printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/map.h"
#include "model/base/text.h"
#include "model/inventory/inventory.h"
#include "tests/support/memory_source.h"

static void
print_findings(const struct tn_diags *diags)
{
    for (size_t i = 0; i < diags->list.n; i++) {
        const struct tn_diag *d = &diags->list.items[i];

        fprintf(stderr, "%s:%u:%u: %s: %s%s%s\n", d->at.path, d->at.line,
                d->at.column, d->severity == TN_ERROR ? "error" : "warning",
                d->message, d->hint ? "; " : "", d->hint ? d->hint : "");
    }
}

static void
print_one(const struct tn_host *host)
{
    TN_CLEANUP(tn_cleanup_free)
    char *json = tn_inventory_host_json(&host->raw);

    fputs(json, stdout);
}

static void
print_all(const struct tn_inventory *inv)
{
    putchar('{');
    for (size_t i = 0; i < inv->n_hosts; i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text name = {0};

        tn_text_add_escaped(&name, inv->hosts[i].raw.name);
        printf("%s\"%s\": ", i ? "," : "", tn_text_str(&name));
        print_one(&inv->hosts[i]);
    }
    puts("}");
}

static int
print_named(const struct tn_inventory *inv, char **names)
{
    for (; *names; names++) {
        const struct tn_host *host = tn_inventory_host_get(inv, *names);

        if (!host) {
            fprintf(stderr, "no host '%s'\n", *names);
            return 1;
        }
        print_one(host);
    }
    return 0;
}

/* The last assignment of each name must be the one that merging kept. */
static bool
layers_agree(struct tn_arena *arena, struct tn_source *source,
             const struct tn_inventory *inv, const struct tn_host *host)
{
    struct tn_inventory_layers layers = {0};
    struct tn_error err = {0};
    struct tn_diags unheard;
    struct tn_map last;
    size_t n_names = 0;

    tn_diags_init(&unheard, arena);
    tn_map_init(&last, arena, 0);
    if (tn_inventory_layers(source, inv->environment, host->raw.name, arena,
                            &layers, &unheard, &err)) {
        return false;
    }
    for (size_t i = 0; i < layers.n; i++) {
        n_names += !tn_map_put(&last, layers.set[i].name,
                               (void *) (uintptr_t) &layers.set[i]);
    }
    for (size_t i = 0; i < host->raw.n_vars; i++) {
        const struct tn_var *won = &host->raw.vars[i];
        const struct tn_var *said = tn_map_get(&last, won->name);

        if (!said || strcmp(said->path, won->path) != 0 ||
            strcmp(said->layer, won->layer) != 0 ||
            said->value->at.line != won->value->at.line ||
            said->value->at.column != won->value->at.column) {
            return false;
        }
    }
    return n_names == host->raw.n_vars;
}

static bool
all_layers_agree(struct tn_arena *arena, struct tn_source *source,
                 const struct tn_inventory *inv)
{
    for (size_t i = 0; i < inv->n_hosts; i++) {
        if (!layers_agree(arena, source, inv, &inv->hosts[i])) {
            fprintf(stderr, "host '%s': its layers say something else\n",
                    inv->hosts[i].raw.name);
            return false;
        }
    }
    return true;
}

static int
run(struct tn_arena *arena, struct tn_source *source, char **argv)
{
    struct tn_error err = {0};
    const struct tn_inventory *inv;
    struct tn_diags diags;
    char text[1200];
    int status = 0;

    tn_diags_init(&diags, arena);
    if (tn_memory_source_add_tree(source, "", argv[1], &err) ||
        tn_inventory_load(source, argv[2], arena, &inv, &diags, &err)) {
        fprintf(stderr, "%s\n", tn_error_text(&err, text, sizeof text));
        return 1;
    }
    tn_diags_sort(&diags);
    print_findings(&diags);
    if (argv[3]) {
        status = print_named(inv, argv + 3);
    } else {
        print_all(inv);
    }
    if (!all_layers_agree(arena, source, inv)) {
        return 1;
    }
    return diags.n_errors ? 8 : status;
}

int
main(int argc, char **argv)
{
    struct tn_arena *arena;
    struct tn_source *source;
    int status;

    if (argc == 2 && strcmp(argv[1], "--variables") == 0) {
        TN_CLEANUP(tn_cleanup_free)
        char *page = tn_inventory_variables_markdown();

        fputs(page, stdout);
        return 0;
    }
    if (argc < 3) {
        fputs("usage: print_host ROOT ENVIRONMENT [HOST...]\n", stderr);
        return 1;
    }
    arena = tn_arena_new();
    source = tn_memory_source_new();
    status = run(arena, source, argv);
    source->ops->free(source);
    tn_arena_free(arena);
    return status;
}
