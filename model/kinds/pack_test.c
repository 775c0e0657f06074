/* pack_test.c - structs to bytes and back, and bytes that were damaged. */
#include "model/kinds/pack.h"

#include <criterion/criterion.h>
#include <string.h>

#include "model/kinds/field.h"
#include "tests/kinds/cases.h"

static bool
decode(struct tn_arena *arena, const char *yaml, struct tn_document *doc)
{
    const struct tn_node **docs = NULL;
    struct tn_diags diags;
    size_t n = 0;
    tn_diags_init(&diags, arena);
    return tn_yaml_parse(arena, "t.yml", yaml, strlen(yaml), TN_YAML_STRICT,
                         &tn_yaml_limits_default, &docs, &n, &diags) &&
           n == 1 && tn_document_decode(arena, "t.yml", docs[0], doc, &diags);
}

/* Equal bytes mean equal values: every member but the path is in them. */
static void
check_round_trip(const char *yaml)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text first = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text second = {0};
    struct tn_document doc, back;
    cr_assert(decode(arena, yaml, &doc), "%s", yaml);
    tn_document_pack(&first, &doc);
    cr_assert(tn_document_unpack(arena, first.s, first.n, "u.yml", &back), "%s",
              yaml);
    cr_expect_eq(back.kind, doc.kind);
    cr_expect_str_eq(back.meta->path, "u.yml");
    cr_expect_str_eq(back.meta->name.v, doc.meta->name.v);
    cr_expect(back.meta->name.v > first.s &&
              back.meta->name.v < first.s + first.n);
    tn_document_pack(&second, &back);
    cr_assert_eq(first.n, second.n);
    cr_expect(memcmp(first.s, second.s, first.n) == 0, "%s", yaml);
}

Test(pack, documents_come_back_equal)
{
    for (unsigned k = 0; k < TN_N_KINDS; k++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text seed = {0};
        tn_kind_seed_print((enum tn_kind) k, &seed);
        check_round_trip(tn_text_str(&seed));
    }
    for (size_t i = 0; i < tn_n_good_cases; i++) {
        check_round_trip(tn_good_cases[i].yaml);
    }
}

Test(pack, values_come_back)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text seed = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text bytes = {0};
    struct tn_document doc, back;
    tn_kind_seed_print(TN_KIND_VPC, &seed);
    cr_assert(decode(arena, tn_text_str(&seed), &doc));
    tn_document_pack(&bytes, &doc);
    cr_assert(tn_document_unpack(arena, bytes.s, bytes.n, "t.yml", &back));
    const struct tn_vpc *v = back.as.vpc, *w = doc.as.vpc;
    cr_assert_eq(v->subnets.n, 1);
    const struct tn_subnet *s = v->subnets.items, *t = w->subnets.items;
    cr_expect_str_eq(s->name.v, "front");
    cr_expect(s->at.line == t->at.line && s->at.column == t->at.column);
    cr_expect_eq(tn_cidr_cmp(&s->cidr6.v, &t->cidr6.v), 0);
    cr_expect_eq(tn_addr_cmp(&s->gateway.v, &t->gateway.v), 0);
    cr_expect_eq(s->mtu.v, 1450);
    cr_expect_eq(s->vni.at.line, t->vni.at.line);
    cr_expect_str_eq(v->sites.items[1].v, "dc2");
    cr_expect_eq(v->routes.at.line, w->routes.at.line);
    cr_expect_str_eq(v->meta.labels.items[1].value.v, "team-web");
    cr_expect_str_eq(v->description.v, w->description.v);
}

/* Looks at everything, as a consumer would. */
static void
visit(const struct tn_document *doc)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text again = {0};
    tn_document_pack(&again, doc);
    cr_assert_gt(again.n, 0);
}

static void
unpack_damaged(const char *bytes, size_t n)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_document doc;
    if (tn_document_unpack(arena, bytes, n, "t.yml", &doc)) {
        visit(&doc);
    }
}

static void
seed_pack(enum tn_kind kind, struct tn_text *bytes)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text seed = {0};
    struct tn_document doc;
    tn_kind_seed_print(kind, &seed);
    cr_assert(decode(arena, tn_text_str(&seed), &doc));
    tn_document_pack(bytes, &doc);
}

Test(pack, damaged_documents_do_no_harm)
{
    for (unsigned k = 0; k < TN_N_KINDS; k++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        TN_CLEANUP(tn_cleanup_text) struct tn_text bytes = {0};
        struct tn_document doc;
        seed_pack((enum tn_kind) k, &bytes);
        for (size_t n = 0; n < bytes.n; n++) {
            /* Exactly sized, so that a read past the end is seen. */
            char *cut = malloc(n + 1);
            memcpy(cut, bytes.s, n);
            cr_expect(!tn_document_unpack(arena, cut, n, "t.yml", &doc));
            free(cut);
        }
        for (size_t i = 0; i < bytes.n; i++) {
            for (unsigned v = 0; v < 256; v += 17) {
                char old = bytes.s[i];
                bytes.s[i] = (char) v;
                unpack_damaged(bytes.s, bytes.n);
                bytes.s[i] = old;
            }
        }
    }
}

Test(pack, equal_documents_have_equal_bytes)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text a = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text b = {0};
    seed_pack(TN_KIND_PORT, &a);
    seed_pack(TN_KIND_PORT, &b);
    cr_assert_eq(a.n, b.n);
    cr_expect(memcmp(a.s, b.s, a.n) == 0);
}

enum color { RED, GREEN, N_COLORS };
struct leaf {
    const char *name;
    enum color color;
    struct tn_origin origin;
};
struct tree {
    const char *title;
    bool tall;
    struct tn_addr addr;
    struct tn_cidr cidr;
    uint64_t number;
    struct leaf best;
    const struct leaf *leaves;
    size_t n_leaves;
    const char *const *words;
    size_t n_words;
    const struct tn_cidr *cidrs;
    size_t n_cidrs;
};

static const struct tn_pack_row leaf_rows[] = {
    TN_PACK_TEXT_ROW(struct leaf, name),
    TN_PACK_WORD_ROW(struct leaf, color, N_COLORS),
    TN_PACK_ORIGIN_ROW(struct leaf, origin),
};
static const struct tn_pack_layout leaf_layout =
    TN_PACK_LAYOUT(struct leaf, leaf_rows);
static const struct tn_pack_row tree_rows[] = {
    TN_PACK_TEXT_ROW(struct tree, title),
    TN_PACK_BOOL_ROW(struct tree, tall),
    TN_PACK_ADDR_ROW(struct tree, addr),
    TN_PACK_CIDR_ROW(struct tree, cidr),
    TN_PACK_PLAIN_ROW(struct tree, number),
    TN_PACK_STRUCT_ROW(struct tree, best, &leaf_layout),
    TN_PACK_ARRAY_ROW(struct tree, leaves, n_leaves, &leaf_layout),
    TN_PACK_ARRAY_ROW(struct tree, words, n_words, &tn_pack_text_layout),
    TN_PACK_ARRAY_ROW(struct tree, cidrs, n_cidrs, &tn_pack_cidr_layout),
};
static const struct tn_pack_layout tree_layout =
    TN_PACK_LAYOUT(struct tree, tree_rows);

static const char *const words[] = {"one", "", "three"};
static const struct leaf leaves[] = {
    {"a", GREEN, {"x.yml", 1, 2}}, {NULL, RED, {"x.yml", 3, 4}},
    {"c", RED, {"y.yml", 5, 6}},   {"d", RED, {NULL, 0, 0}},
    {"e", RED, {"y.yml", 7, 8}},
};
static const struct tree oak = {
    .title = "oak",
    .tall = true,
    .addr = {TN_AF_IPV4, {10, 0, 0, 1}},
    .number = UINT64_MAX,
    .best = {"best", GREEN, {"x.yml", 9, 1}},
    .leaves = leaves,
    .n_leaves = TN_ARRAY_SIZE(leaves),
    .words = words,
    .n_words = TN_ARRAY_SIZE(words),
};

Test(pack, structs_by_layout)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text bytes = {0};
    struct tn_packer p = {.out = &bytes};
    tn_pack(&p, &tree_layout, &oak);
    tn_pack(&p, &leaf_layout, &leaves[0]);
    struct tn_unpacker u = {.arena = arena,
                            .next = (const unsigned char *) bytes.s};
    u.end = u.next + bytes.n;
    struct tree t;
    struct leaf l;
    cr_assert(tn_unpack(&u, &tree_layout, &t));
    cr_assert(tn_unpack(&u, &leaf_layout, &l));
    cr_assert_eq(u.next, u.end);
    cr_expect_str_eq(t.title, "oak");
    cr_expect(t.tall && t.number == UINT64_MAX);
    cr_expect_eq(tn_addr_cmp(&t.addr, &oak.addr), 0);
    cr_expect_eq(t.cidr.addr.family, TN_AF_NONE);
    cr_expect_str_eq(t.best.name, "best");
    cr_assert_eq(t.n_leaves, 5);
    cr_expect_null(t.leaves[1].name);
    cr_expect_eq(t.leaves[0].color, GREEN);
    cr_expect_str_eq(t.leaves[0].origin.path, "x.yml");
    cr_expect_eq(t.leaves[0].origin.path, t.leaves[1].origin.path);
    cr_expect_eq(t.leaves[0].origin.path, t.best.origin.path);
    cr_expect_str_eq(t.leaves[2].origin.path, "y.yml");
    cr_expect_null(t.leaves[3].origin.path);
    cr_expect_eq(t.leaves[4].origin.path, t.leaves[2].origin.path);
    cr_expect_eq(t.leaves[4].origin.line, 7);
    cr_assert_eq(t.n_words, 3);
    cr_expect_str_eq(t.words[1], "");
    cr_expect_str_eq(t.words[2], "three");
    cr_expect(t.n_cidrs == 0 && !t.cidrs);
    cr_expect_str_eq(l.name, "a");
}

Test(pack, damaged_structs_do_no_harm)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text bytes = {0};
    struct tn_packer p = {.out = &bytes};
    tn_pack(&p, &tree_layout, &oak);
    for (size_t i = 0; i < bytes.n * 256; i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        TN_CLEANUP(tn_cleanup_text) struct tn_text again = {0};
        char *byte = &bytes.s[i / 256], old = *byte;
        *byte = (char) (i % 256);
        struct tn_unpacker u = {.arena = arena,
                                .next = (const unsigned char *) bytes.s};
        u.end = u.next + bytes.n;
        struct tn_packer q = {.out = &again};
        struct tree t;
        if (tn_unpack(&u, &tree_layout, &t)) {
            tn_pack(&q, &tree_layout, &t);
        }
        *byte = old;
    }
}

/* A number that promises more than there is must not be believed. */
Test(pack, huge_counts_are_refused)
{
    static const size_t counts[] = {6, 1000, SIZE_MAX / 2, SIZE_MAX};
    for (size_t i = 0; i < TN_ARRAY_SIZE(counts); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        TN_CLEANUP(tn_cleanup_text) struct tn_text bytes = {0};
        struct tn_packer p = {.out = &bytes};
        tn_pack(&p, &tree_layout, &oak);
        memcpy(bytes.s + offsetof(struct tree, n_leaves), &counts[i],
               sizeof counts[i]);
        struct tn_unpacker u = {.arena = arena,
                                .next = (const unsigned char *) bytes.s};
        u.end = u.next + bytes.n;
        struct tree t;
        cr_expect(!tn_unpack(&u, &tree_layout, &t));
        cr_expect_lt(tn_arena_size(arena), 4 * bytes.n + 65536);
    }
}

Test(pack, seal)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text bytes = {0};
    const void *body = NULL;
    size_t n_body = 0;
    tn_text_add(&bytes, "before");
    size_t start = tn_pack_seal_begin(&bytes, 42);
    tn_text_add(&bytes, "content");
    tn_pack_seal_end(&bytes, start);
    size_t n = bytes.n - start;
    tn_text_add(&bytes, "after");
    char *sealed = bytes.s + start;
    cr_assert(tn_pack_seal_check(sealed, n, 42, &body, &n_body));
    cr_expect(n_body == 7 && memcmp(body, "content", 7) == 0);
    cr_expect(tn_pack_seal_check(sealed, n + 5, 42, &body, &n_body));
    cr_expect(!tn_pack_seal_check(sealed, n, 43, &body, &n_body));
    for (size_t cut = 0; cut < n; cut++) {
        cr_expect(!tn_pack_seal_check(sealed, cut, 42, &body, &n_body));
    }
    for (size_t i = 0; i < n * 8; i++) {
        sealed[i / 8] = (char) (sealed[i / 8] ^ 1 << i % 8);
        cr_expect(!tn_pack_seal_check(sealed, n, 42, &body, &n_body), "bit %zu",
                  i);
        sealed[i / 8] = (char) (sealed[i / 8] ^ 1 << i % 8);
    }
}

Test(pack, seal_of_runs_is_that_of_the_whole)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text bytes = {0};
    const struct tn_bytes runs[] = {{"con", 3}, {"tent", 4}};
    char seal[TN_PACK_SEAL_SIZE];
    size_t start = tn_pack_seal_begin(&bytes, 42);
    tn_text_add(&bytes, "content");
    tn_pack_seal_end(&bytes, start);
    tn_pack_seal_of(seal, 42, runs, TN_ARRAY_SIZE(runs));
    cr_expect_eq(memcmp(bytes.s, seal, sizeof seal), 0);
}

Test(pack, layouts_have_ids)
{
    struct tn_pack_row rows[TN_ARRAY_SIZE(leaf_rows)];
    struct tn_pack_layout other = TN_PACK_LAYOUT(struct leaf, rows);
    memcpy(rows, leaf_rows, sizeof rows);
    uint64_t id = tn_pack_layout_id(&leaf_layout);
    cr_expect_eq(tn_pack_layout_id(&other), id);
    rows[1].max++;
    cr_expect_neq(tn_pack_layout_id(&other), id);
    cr_expect_neq(tn_pack_layout_id(&tree_layout), id);
    cr_expect_eq(tn_document_layout_id(), tn_document_layout_id());
    cr_expect_neq(tn_document_layout_id(), 0);
}
