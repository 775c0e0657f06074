/* docs_test.c - labels are found however a document is written: only what
 * cannot have any is left unread. */
#include <criterion/criterion.h>
#include <string.h>

#include "reconciler/policy/work.h"
#include "tests/support/memory_source.h"

#define HEAD "apiVersion: tenet/v1\n"
#define PLAIN HEAD "kind: Vpc\nmetadata: {name: b}\nspec: {cidrs: []}\n"

struct row {
    const char *text;
    const char *value; /* Of label 'a' of VPC 'web'; null: none. */
};

static const struct row rows[] = {
    {HEAD "kind: Vpc\nmetadata: {name: web, labels: {a: x}}\nspec: {}\n", "x"},
    {HEAD "kind: Vpc\nmetadata:\n  name: web\n  labels:\n    a: x\nspec:\n"
          "  b: c\n",
     "x"},
    {PLAIN "---\n" HEAD
           "kind: Vpc\nmetadata: {name: web, labels: {a: x}}\nspec: {}\n"
           "---\n" PLAIN,
     "x"},
    {PLAIN "--- # labels\n" HEAD
           "kind: Vpc\nmetadata: {name: web, labels: {a: x}}\nspec: {}\n",
     "x"},
    /* Behind what it wants. */
    {HEAD "spec: {}\nmetadata: {name: web, labels: {a: x}}\nkind: Vpc\n", "x"},
    {HEAD "kind: Vpc\nspec: {}\nmetadata: {name: web, labels: {a: x}}\n", "x"},
    {"metadata: {name: web, labels: {a: x}}\nspec: {}\n" HEAD "kind: Vpc\n",
     "x"},
    {"kind: Vpc\nmetadata: {name: web, labels: {a: x}}\n" HEAD, "x"},
    /* In one. */
    {"{kind: Vpc,\nmetadata: {name: web, labels: {a: x}},\nspec: {},\n" HEAD
     "}\n",
     "x"},
    {"{kind: Vpc,\nmetadata: {name: web, labels: {a: x}},\nspec: {}}\n", "x"},
    /* Words in disguise. */
    {HEAD "kind: Vpc\nmetadata: {name: web, \"l\\u0061bels\": {a: x}}\n"
          "spec: {}\n",
     "x"},
    {HEAD "kind: Vpc\n\"metadata\": {name: web, labels: {a: x}}\nspec: {}\n",
     "x"},
    {HEAD "\"k\\u0069nd\": Vpc\nmetadata: {name: web, labels: {a: x}}\n"
          "spec: {}\n",
     "x"},
    {HEAD "kind: Vpc\nmetadata: {name: web, labels: {b: \"kind:\nspec: c\", "
          "a: x}}\nspec: {}\n",
     "x"},
    {HEAD "kind: Vpc\nmetadata: {name: web, labels: {b: 'c\nmetadata: d', "
          "a: x}}\nspec: {}\n",
     "x"},
    {HEAD "kind: Vpc\nmetadata: {name: web, labels: {b:\n---c, a: x}}\n"
          "spec: {}\n",
     "x"},
    {PLAIN "...\n---\n" HEAD
           "kind: Vpc\nmetadata: {name: web, labels: {a: x}}\nspec: {}\n...\n",
     "x"},
    {"\xef\xbb\xbf" HEAD
     "kind: Vpc\nmetadata: {name: web, labels: {a: x}}\nspec: {}\n",
     NULL /* refused */},
    {HEAD "kind: Vpc\r\nmetadata: {name: web, labels: {a: x}}\r\nspec: {}\r\n"
          "---\r\n" PLAIN,
     "x"},
    /* Not labels. */
    {PLAIN, NULL},
    {"", NULL},
    {HEAD "kind: Vpc\nmetadata: {name: web}\nspec: {labels: {a: x}}\n", NULL},
    {HEAD "kind: Port\nmetadata: {name: web, labels: {a: x}}\nspec: {}\n",
     NULL},
    {HEAD "kind: Vpc\nmetadata: {name: web}\nspec:\n  description: |\n"
          "    metadata: {name: web, labels: {a: x}}\n",
     NULL},
};

static void
check(const struct row *r, const char *when, const struct tn_meta *meta)
{
    const char *value = tn_label_get(meta, "a");
    cr_expect(tn_streq(value, r->value), "%s: %s: %s", when, r->text,
              value ? value : "none");
}

Test(docs, labels)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        struct tn_arena *arena = tn_arena_new();
        struct tn_source *s = tn_memory_source_new();
        struct tn_docs docs;
        tn_memory_source_add(s, "tenants/acme/a.yml", r->text);
        tn_docs_init(&docs, arena, s);
        check(r, "labels only",
              tn_docs_meta(&docs, "tenants/acme/a.yml", TN_KIND_VPC, "web"));
        /* And when the whole file was asked for. */
        (void) tn_docs_content(&docs, "tenants/acme/a.yml", TN_KIND_VPC, "web");
        check(r, "whole",
              tn_docs_meta(&docs, "tenants/acme/a.yml", TN_KIND_VPC, "web"));
        s->ops->free(s);
        tn_arena_free(arena);
    }
}
