/* tree_test.c - hierarchical bodies, written and read; chunks and blame. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/nsx/chunk.h"
#include "drivers/nsx/tree.h"
#include "model/base/text.h"

/* ---- writing ---- */

struct written {
    const char *what, *root;
    struct {
        const char *path, *type;
        bool gone;
    } nodes[4];
    const char *body; /* Null: an error. */
};

#define REF(id, type, children)                                                \
    "{\"resource_type\":\"ChildResourceReference\",\"id\":\"" id               \
    "\",\"target_type\":\"" type "\",\"children\":[" children "]}"
#define PUT(type, id, more)                                                    \
    "{\"resource_type\":\"Child" type "\",\"marked_for_delete\":false,\"" type \
    "\":{\"id\":\"" id "\"" more "}}"
#define GONE(type, id)                                                         \
    "{\"resource_type\":\"Child" type "\",\"marked_for_delete\":true,\"" type  \
    "\":{\"resource_type\":\"" type "\",\"id\":\"" id "\",\"_revision\":3}}"
#define INFRA(children)                                                        \
    "{\"resource_type\":\"Infra\",\"children\":[" children "]}"

static const struct written writings[] = {
    {"an object at the top",
     "/infra",
     {{"/infra/tier-1s/a", "Tier1", false}},
     INFRA(PUT("Tier1", "a", ""))},
    {"through parents that are not touched",
     "/infra",
     {{"/infra/domains/default/security-policies/p/rules/r", "Rule", false},
      {"/infra/domains/default/groups/g", "Group", false}},
     INFRA(REF("default", "Domain",
               PUT("Group", "g", "") "," REF("p", "SecurityPolicy",
                                             PUT("Rule", "r", ""))))},
    {"a child in its parent, whatever the order",
     "/infra",
     {{"/infra/segments/s/ports/p", "SegmentPort", false},
      {"/infra/segments/s", "Segment", false},
      {"/infra/segments/s-2", "Segment", false}},
     INFRA(PUT("Segment", "s",
               ",\"children\":[" PUT("SegmentPort", "p",
                                     "") "]") "," PUT("Segment", "s-2", ""))},
    {"what goes with its parent is left out",
     "/infra",
     {{"/infra/segments/s/ports/p", "SegmentPort", true},
      {"/infra/segments/s", "Segment", true},
      {"/infra/segments/s-2", "Segment", true}},
     INFRA(GONE("Segment", "s") "," GONE("Segment", "s-2"))},
    {"of a project",
     "/orgs/default/projects/p/infra",
     {{"/orgs/default/projects/p/infra/tier-1s/a", "Tier1", false}},
     INFRA(PUT("Tier1", "a", ""))},
    {"below orgs",
     "",
     {{"/orgs/default/projects/p/vpcs/v/subnets/s/ports/q", "VpcSubnetPort",
       false}},
     "{\"resource_type\":\"OrgRoot\",\"children\":[" REF(
         "default", "Org",
         REF("p", "Project",
             REF("v", "Vpc",
                 REF("s", "VpcSubnet", PUT("VpcSubnetPort", "q", ""))))) "]}"},
    {"a parent of no known type",
     "/infra",
     {{"/infra/wonders/w/segments/s", "Segment", false}},
     NULL},
    {"outside of the root",
     "/infra",
     {{"/orgs/default/projects/p", "Project", false}},
     NULL},
    {"no path at all", "/infra", {{"infra", "Segment", false}}, NULL},
};

Test(nsx_tree, is_written)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(writings); i++) {
        const struct written *w = &writings[i];
        struct tn_nsx_node nodes[4];
        struct tn_error err = {0};
        json_t *out = NULL;
        size_t n = 0;
        for (; n < 4 && w->nodes[n].path; n++) {
            const char *id = strrchr(w->nodes[n].path, '/');
            nodes[n] = (struct tn_nsx_node){
                w->nodes[n].path, w->nodes[n].type,
                w->nodes[n].gone ? NULL
                                 : json_pack("{s:s}", "id", id ? id + 1 : "x"),
                3};
        }
        enum tn_code code = tn_nsx_tree(w->root, nodes, n, &out, &err);
        cr_assert_eq(code == TN_OK, w->body != NULL, "%s", w->what);
        json_t *right = w->body ? json_loads(w->body, 0, NULL) : NULL;
        char *text = out ? json_dumps(out, 0) : NULL;
        cr_assert(!w->body || json_equal(out, right), "%s: %s", w->what, text);
        free(text);
        json_decref(right);
        json_decref(out);
    }
}

/* ---- reading ---- */

struct answer {
    const char *what, *body;
    const char *paths[5];
};

static const struct answer answers[] = {
    {"parents in full",
     INFRA(PUT("Domain", "default",
               ",\"children\":[" PUT(
                   "SecurityPolicy", "p",
                   ",\"children\":[" PUT("Rule", "r", "") "]") "]")),
     {"/infra/domains/default", "/infra/domains/default/security-policies/p",
      "/infra/domains/default/security-policies/p/rules/r"}},
    {"as references",
     INFRA(REF("default", "Domain", PUT("Group", "g", ""))),
     {"/infra/domains/default/groups/g"}},
    {"flat, with paths",
     INFRA(PUT("Rule", "r",
               ",\"path\":\"/infra/domains/default/security-policies/p/rules/"
               "r\"")),
     {"/infra/domains/default/security-policies/p/rules/r"}},
    {"rules inside, and once more as children",
     INFRA(REF(
         "default", "Domain",
         PUT("SecurityPolicy", "p",
             ",\"rules\":[{\"id\":\"r\"},{\"id\":\"s\"}],\"children\":[" PUT(
                 "Rule", "r", "") "]"))),
     {"/infra/domains/default/security-policies/p",
      "/infra/domains/default/security-policies/p/rules/r",
      "/infra/domains/default/security-policies/p/rules/s"}},
    {"what waits to be purged is not there",
     INFRA(GONE("Segment", "s") "," PUT("Segment", "t",
                                        ",\"marked_for_delete\":true")),
     {NULL}},
    {"a project's infra",
     INFRA(REF(
         "default", "Org",
         REF("p", "Project", REF("infra", "Infra", PUT("Tier1", "a", ""))))),
     {"/infra/orgs/default/projects/p/infra/tier-1s/a"}},
    {"entries of a service are no objects of their own",
     INFRA(PUT("Service", "s",
               ",\"children\":[" PUT("ServiceEntry", "e", "") "]")),
     {"/infra/services/s"}},
    {"nonsense", "{\"children\":[1,null,[],{},{\"children\":{}}]}", {NULL}},
};

Test(nsx_tree, is_read)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(answers); i++) {
        const struct answer *a = &answers[i];
        struct tn_arena *arena = tn_arena_new();
        struct tn_nsx_leaves leaves;
        struct tn_error err = {0};
        json_t *json = json_loads(a->body, 0, NULL);
        size_t n = 0;
        cr_assert_not_null(json, "%s", a->what);
        tn_nsx_leaves_init(&leaves, arena);
        cr_assert_eq(tn_nsx_leaves_add(&leaves, "/infra", json, &err), TN_OK);
        for (; n < 5 && a->paths[n]; n++) {
            cr_assert_not_null(tn_map_get(&leaves.of, a->paths[n]), "%s: no %s",
                               a->what, a->paths[n]);
        }
        cr_assert_eq(leaves.all.n, n, "%s: %zu", a->what, leaves.all.n);
        json_decref(json);
        tn_arena_free(arena);
    }
}

Test(nsx_tree, depth_is_bounded)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_nsx_leaves leaves;
    struct tn_error err = {0};
    json_t *json = json_object();
    for (int i = 0; i < 100; i++) {
        json = json_pack("{s:[o]}", "children", json);
    }
    tn_nsx_leaves_init(&leaves, arena);
    cr_assert_eq(tn_nsx_leaves_add(&leaves, "/infra", json, &err),
                 TN_EUNAVAILABLE);
    json_decref(json);
    tn_arena_free(arena);
}

Test(nsx_tree, what_is_within_sorts_behind)
{
    cr_assert_lt(tn_nsx_path_cmp("/a/b", "/a/b/c"), 0);
    cr_assert_lt(tn_nsx_path_cmp("/a/b/c", "/a/b-c"), 0);
    cr_assert_gt(tn_nsx_path_cmp("/a/c", "/a/b/c"), 0);
    cr_assert_eq(tn_nsx_path_cmp("/a", "/a"), 0);
    cr_assert(tn_nsx_path_within("/a/b", "/a"));
    cr_assert_not(tn_nsx_path_within("/ab", "/a"));
    cr_assert_not(tn_nsx_path_within("/a", "/a"));
    cr_assert_str_eq(tn_nsx_path_type("/infra/segments/s/ports/p"),
                     "SegmentPort");
    cr_assert_str_eq(tn_nsx_path_type("/x/vpcs/v/subnets/s/ports/p"),
                     "VpcSubnetPort");
    cr_assert_null(tn_nsx_path_type(""));
    cr_assert_null(tn_nsx_path_type("/"));
    cr_assert_null(tn_nsx_path_type("x"));
}

/* ---- steps ---- */

static const struct tn_nsx_field fields[] = {
    {.name = "groups", .attr = "groups", .type = TN_NSX_SET}};
static const struct tn_nsx_kind kind = {.name = "x",
                                        .type = "Segment",
                                        .collection = "segments",
                                        .fields = fields,
                                        .n_fields = 1};

static const struct tn_resource *
thing(struct tn_arena *arena, const char *path, const char *refers)
{
    struct tn_nsx_draft d;
    tn_nsx_draft_begin(&d, arena, &kind, "", path, path);
    if (refers) {
        tn_nsx_draft_add(&d, "groups", refers);
    }
    struct tn_resource *r = tn_new(arena, struct tn_resource);
    *r = tn_nsx_draft_end(&d);
    return r;
}

Test(nsx_chunk, runs_of_one_direction)
{
    struct tn_arena *arena = tn_arena_new();
    const struct tn_resource *a = thing(arena, "/infra/segments/a", NULL);
    const struct tn_resource *b =
        thing(arena, "/infra/segments/a/ports/b", NULL);
    const struct tn_resource *c = thing(arena, "/infra/segments/c", NULL);
    const struct tn_step steps[] = {{TN_OP_DELETE, c, NULL},
                                    {TN_OP_REPLACE, a, a},
                                    {TN_OP_REPLACE, b, b},
                                    {TN_OP_UPDATE, c, c},
                                    {TN_OP_CREATE, NULL, c}};
    static const char *const order[] = {"-c", "-b", "-a", "+a",
                                        "+b", "+c", "+c"};
    size_t n = 0;
    const struct tn_nsx_intent *all =
        tn_nsx_intents(arena, steps, TN_ARRAY_SIZE(steps), &n);
    cr_assert_eq(n, TN_ARRAY_SIZE(order));
    for (size_t i = 0; i < n; i++) {
        const char *path = tn_nsx_intent_path(&all[i]);
        cr_assert(all[i].gone == (order[i][0] == '-') &&
                      path[strlen(path) - 1] == order[i][1],
                  "%zu: %s", i, path);
    }
    cr_assert_eq(tn_nsx_chunk_end(all, n, 0, 500), 3);
    cr_assert_eq(tn_nsx_chunk_end(all, n, 0, 2), 2);
    cr_assert_eq(tn_nsx_chunk_end(all, n, 3, 500), 7);
    cr_assert_eq(tn_nsx_chunk_end(all, n, 7, 500), 7);
    cr_assert_eq(tn_nsx_flat(all, 3), 2, "a holds b");
    tn_arena_free(arena);
}

Test(nsx_chunk, who_is_to_blame)
{
    static const struct {
        const char *text;
        size_t which; /* 3: nobody. */
    } cases[] = {
        {"The object path=[/infra/segments/web] cannot be deleted", 0},
        {"/infra/segments/web-2 and /infra/segments/web", 1},
        {"path=[/infra/segments/web/ports/p]", 2},
        {"path=[/infra/segments/webber] is invalid", 3},
        {"The requested object : web-2 could not be found.", 1},
        {"required property X is missing", 3},
        {"", 3},
    };
    struct tn_arena *arena = tn_arena_new();
    const struct tn_step steps[] = {
        {TN_OP_CREATE, NULL, thing(arena, "/infra/segments/web", NULL)},
        {TN_OP_CREATE, NULL, thing(arena, "/infra/segments/web-2", NULL)},
        {TN_OP_CREATE, NULL,
         thing(arena, "/infra/segments/web/ports/p", "/infra/segments/web-2")}};
    size_t n = 0;
    struct tn_nsx_intent *all = tn_nsx_intents(arena, steps, 3, &n);
    for (size_t i = 0; i < TN_ARRAY_SIZE(cases); i++) {
        cr_assert_eq(tn_nsx_blame(all, n, cases[i].text), cases[i].which, "%s",
                     cases[i].text);
    }
    cr_assert(tn_nsx_needs(&all[2], &all[0]), "what stands in it");
    cr_assert(tn_nsx_needs(&all[2], &all[1]), "what refers to it");
    cr_assert_not(tn_nsx_needs(&all[0], &all[1]));
    all[0].fate = TN_NSX_SETTLED;
    cr_assert_eq(tn_nsx_blame(all, n, cases[0].text), 3, "it is done");
    tn_arena_free(arena);
}
