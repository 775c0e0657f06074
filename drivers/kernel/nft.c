/* nft.c - sessions: apply, observe, and what is remembered between them.
 *
 * What is remembered are pairs of a key and the hash of a dump.  A key is a
 * text (with this kernel and this libnftables): it became that hash; or it is a
 * generation of a namespace: it had that hash, and will have for as long as
 * nobody writes.  So an unchanged namespace is recognised without a dump.
 *
 * The file "nft-rules" in the cache directory has one pair a line; lines are
 * only ever appended, in one write, so that several processes may share it.  A
 * line that does not parse is skipped, and a file that has grown too large is
 * begun anew.
 *
 * A wanted text of which no pair is known is loaded into the scratch namespace
 * of the session and dumped there.  That costs as much as applying it, once. */
#include "drivers/kernel/nft.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

#include <netinet/in.h> /* Before linux/netfilter.h. */

#include <linux/netfilter.h>

#include "drivers/kernel/nft_kernel.h"
#include "model/base/cleanup.h"
#include "model/base/map.h"

enum {
    LINE = 2 * TN_DIGEST_HEX,
    CACHE_MAX = 8 << 20,
    LISTING_MAX = 256 << 10, /* Of a listing that is kept. */
};

struct tn_nft {
    pthread_mutex_t lock; /* Of all that follows. */
    struct tn_arena *arena;
    struct tn_map known; /* "key" to its last hash, and "key hash". */
    struct tn_digest environment;
    struct tn_text learned;       /* Lines to append. */
    char *cache;                  /* Path; null: none. */
    int scratch;                  /* Namespace, -1 until needed. */
    struct tn_nft_listing listed; /* The last one. */
    struct tn_nft_aside aside;    /* Has a lock of its own. */
};

/* One look at the rules of a namespace. */
struct look {
    struct tn_nft *nft;
    int netns;
    struct tn_nft_reader *reader;
    const struct tn_nft_ruleset *want; /* Null: none. */
    struct tn_arena *arena;
    struct tn_nft_snapshot tables;
    struct tn_digest hash; /* Of what is there; also by table, if 'parts'. */
    struct tn_digest part[TN_NFT_FAMILIES];
    bool parts;
};

static void
key_of(const struct tn_nft *nft, const struct tn_digest *text,
       char key[TN_DIGEST_HEX])
{
    struct tn_digest both[2] = {nft->environment, *text};
    struct tn_digest d = tn_digest_of(both, sizeof both);
    tn_digest_hex(&d, key);
}

static bool
becomes(const struct tn_nft *nft, const char *key, const struct tn_digest *hash)
{
    char line[LINE], hex[TN_DIGEST_HEX];
    snprintf(line, sizeof line, "%s %s", key, tn_digest_hex(hash, hex));
    return tn_map_get(&nft->known, line) != NULL;
}

static void
remember(struct tn_nft *nft, const char *key, const char *hash)
{
    char *line = tn_arena_printf(nft->arena, "%s %s", key, hash);
    tn_map_put(&nft->known, line, nft);
    tn_map_put(&nft->known, tn_arena_strdup(nft->arena, key),
               line + TN_DIGEST_HEX);
}

static void
learn(struct tn_nft *nft, const char *key, const struct tn_digest *hash)
{
    if (!becomes(nft, key, hash)) {
        char hex[TN_DIGEST_HEX];
        remember(nft, key, tn_digest_hex(hash, hex));
        tn_text_addf(&nft->learned, "%s %s\n", key, hex);
    }
}

/* What 'rules' became, as a whole and table by table. */
static void
learn_rules(struct tn_nft *nft, const struct tn_nft_ruleset *rules,
            struct tn_nft_raw *raw)
{
    char key[TN_DIGEST_HEX];
    struct tn_digest hash = tn_nft_raw_digest(raw);
    key_of(nft, &rules->digest, key);
    learn(nft, key, &hash);
    for (size_t i = 0; i < TN_NFT_FAMILIES; i++) {
        TN_CLEANUP(tn_cleanup_free)
        char *part = tn_nft_table_of(rules->text, &tn_nft_families[i]);
        struct tn_digest text = tn_digest_of(part, strlen(part));
        hash = tn_nft_raw_part(raw, tn_nft_families[i].number);
        key_of(nft, &text, key);
        if (part[0]) {
            learn(nft, key, &hash);
        }
    }
}

static void
load_line(struct tn_nft *nft, char *line)
{
    struct tn_digest d;
    if (strlen(line) == LINE - 1 && line[TN_DIGEST_HEX - 1] == ' ') {
        line[TN_DIGEST_HEX - 1] = '\0';
        if (tn_digest_parse(line, &d) &&
            tn_digest_parse(line + TN_DIGEST_HEX, &d)) {
            remember(nft, line, line + TN_DIGEST_HEX);
        }
    }
}

/* A cache that cannot be read is no cache. */
static void
load_cache(struct tn_nft *nft)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(nft->cache, "re");
    size_t total = 0;
    char line[LINE + 2];
    while (f && total < CACHE_MAX && fgets(line, sizeof line, f)) {
        total += strlen(line);
        line[strcspn(line, "\n")] = '\0';
        load_line(nft, line);
    }
    if (total >= CACHE_MAX) {
        unlink(nft->cache);
    }
}

static void
save_cache(struct tn_nft *nft)
{
    if (!nft->cache || nft->learned.n == 0) {
        return;
    }
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(nft->cache, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, nft->learned.s, nft->learned.n) < 0) {
        return; /* What was learned can be learned again. */
    }
    tn_text_clear(&nft->learned);
}

static void
close_reader(void *reader)
{
    tn_nft_reader_free(reader);
}

/* Replaces the tables, and looks what they became. */
static enum tn_code
replace_and_read(struct tn_nft *nft, struct tn_nft_change *c,
                 struct tn_arena *arena, struct tn_error *err)
{
    struct tn_nft_reader *reader = NULL;
    struct tn_nft_snapshot before;
    enum tn_code code = tn_nft_reader_new(c->netns, &reader, err);
    if (!code) {
        code = tn_nft_read(reader, TN_NFT_TABLES, arena, &before, err);
    }
    if (!code) {
        code = tn_nft_replace(&nft->aside, c, &before, err);
    }
    if (!code) {
        c->sure =
            tn_nft_read(reader, TN_NFT_ALL, arena, &c->after, NULL) == TN_OK &&
            c->after.generation == before.generation + 1;
    }
    tn_nft_aside_put(&nft->aside, reader, close_reader);
    return code;
}

/* The part of 'l->want' that this table is known to be, or null; to be freed.
 */
static char *
wanted_part(const struct look *l, size_t family, struct tn_digest *made_of)
{
    char key[TN_DIGEST_HEX];
    if (!l->want || !l->parts) {
        return NULL;
    }
    char *part = tn_nft_table_of(l->want->text, &tn_nft_families[family]);
    struct tn_digest text = tn_digest_of(part, strlen(part));
    key_of(l->nft, &text, key);
    if (!part[0] || !becomes(l->nft, key, &l->part[family])) {
        free(part);
        return NULL;
    }
    *made_of = text;
    return part;
}

/* One run a table: nft 1.0.6 reads but one when asked for two. */
static enum tn_code
list(const struct look *l, struct tn_text *out, struct tn_digest *made_of,
     struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (size_t i = 0; !code && i < TN_NFT_FAMILIES; i++) {
        const struct tn_nft_family *family = &tn_nft_families[i];
        if (tn_nft_raw_has(l->tables.raw, family->number)) {
            TN_CLEANUP(tn_cleanup_free)
            char *part = wanted_part(l, i, &made_of[i]);
            char request[64];
            snprintf(request, sizeof request, "list table %s tenet",
                     family->name);
            tn_text_add(out, part ? part : "");
            code =
                part ? TN_OK
                     : tn_nft_run(&l->nft->aside, l->netns, request, out, err);
        }
    }
    if (code == TN_EINTERNAL) { /* It was there a moment ago. */
        code = TN_EUNAVAILABLE;
        if (err) {
            err->code = code;
        }
    }
    return code;
}

/* Loads 'rules' into the scratch namespace; '*out' is what they became. */
static enum tn_code
try_out(struct tn_nft *nft, const struct tn_nft_ruleset *rules,
        struct tn_arena *arena, struct tn_nft_snapshot *out,
        struct tn_error *err)
{
    struct tn_nft_change c = {.rules = rules};
    enum tn_code code = TN_OK;
    if (nft->scratch < 0) {
        code = tn_nft_scratch(&nft->scratch, err);
    }
    if (!code) {
        c.netns = nft->scratch;
        code = replace_and_read(nft, &c, arena, err);
    }
    if (!code && !c.sure) {
        code = tn_fail(err, TN_EUNAVAILABLE, 0, "cannot read them back");
    }
    if (code) {
        return tn_while(err, code, "trying the rules out");
    }
    *out = c.after;
    return TN_OK;
}

static enum tn_code
learn_from_scratch(struct tn_nft *nft, const struct tn_nft_ruleset *rules,
                   struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_nft_snapshot tried;
    enum tn_code code = try_out(nft, rules, arena, &tried, err);
    if (!code) {
        learn_rules(nft, rules, tried.raw);
    }
    return code;
}

static const struct tn_attr *
find(const struct tn_nft_ruleset *rules, const char *name)
{
    size_t low = 0, high = rules->n_attrs;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(rules->attrs[mid].name, name);
        if (c == 0) {
            return &rules->attrs[mid];
        }
        *(c < 0 ? &low : &high) = c < 0 ? mid + 1 : mid;
    }
    return NULL;
}

static bool
same_view(const struct tn_nft_ruleset *a, const struct tn_nft_ruleset *b)
{
    bool same = a->n_attrs == b->n_attrs;
    for (size_t i = 0; same && i < a->n_attrs; i++) {
        same = strcmp(a->attrs[i].name, b->attrs[i].name) == 0 &&
               strcmp(a->attrs[i].value, b->attrs[i].value) == 0;
    }
    return same;
}

/* Where this libnftables lists in another form than render() writes: an
 * attribute that is listed just as the wanted one would be gets its text. */
static void
translate(const struct tn_nft_ruleset *want,
          const struct tn_nft_ruleset *listed, struct tn_arena *arena,
          struct tn_nft_ruleset *have)
{
    struct tn_attr *attrs =
        tn_new_n(arena, struct tn_attr, have->n_attrs ? have->n_attrs : 1);
    for (size_t i = 0; i < have->n_attrs; i++) {
        attrs[i] = have->attrs[i];
        const struct tn_attr *l = find(listed, attrs[i].name);
        const struct tn_attr *w = find(want, attrs[i].name);
        if (l && w && strcmp(l->value, attrs[i].value) == 0) {
            attrs[i].value = tn_arena_strdup(arena, w->value);
        }
    }
    have->attrs = attrs;
}

/* That this libnftables lists in the form of render(). */
static struct tn_digest
plainness(void)
{
    return tn_digest_of("plain", 5);
}

static bool
is_plain(const struct tn_nft *nft)
{
    char key[TN_DIGEST_HEX];
    struct tn_digest plain = plainness();
    key_of(nft, &plain, key);
    return becomes(nft, key, &plain);
}

static void
learn_plain(struct tn_nft *nft)
{
    char key[TN_DIGEST_HEX];
    struct tn_digest plain = plainness();
    key_of(nft, &plain, key);
    learn(nft, key, &plain);
}

static enum tn_code
compare_forms(const struct look *l, struct tn_nft_ruleset *have,
              struct tn_error *err)
{
    struct tn_nft *nft = l->nft;
    struct look tried = {.nft = nft, .arena = l->arena};
    struct tn_digest made_of[TN_NFT_FAMILIES];
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    enum tn_code code = try_out(nft, l->want, l->arena, &tried.tables, err);
    if (!code) {
        tried.netns = nft->scratch;
        code = list(&tried, &t, made_of, err);
    }
    if (code) {
        return code;
    }
    const struct tn_nft_ruleset *listed =
        tn_nft_view(l->arena, tn_text_str(&t));
    if (same_view(l->want, listed)) {
        learn_plain(nft);
    } else {
        translate(l->want, listed, l->arena, have);
    }
    return TN_OK;
}

enum tn_code
tn_nft_new(const struct tn_driver_env *env, struct tn_nft **out,
           struct tn_error *err)
{
    struct tn_nft *nft = calloc(1, sizeof *nft);
    if (!nft) {
        return tn_fail(err, TN_EINTERNAL, ENOMEM, "out of memory");
    }
    pthread_mutex_init(&nft->lock, NULL);
    pthread_mutex_init(&nft->aside.lock, NULL);
    nft->arena = tn_arena_new();
    nft->scratch = -1;
    nft->environment = tn_nft_environment();
    tn_map_init(&nft->known, nft->arena, 256);
    if (env && env->cache_dir) {
        struct tn_text path = {0};
        tn_text_addf(&path, "%s/nft-rules", env->cache_dir);
        nft->cache = tn_text_take(&path);
        load_cache(nft);
    }
    *out = nft;
    return TN_OK;
}

void
tn_nft_free(struct tn_nft *nft)
{
    if (!nft) {
        return;
    }
    save_cache(nft);
    tn_nft_aside_close(&nft->aside);
    tn_cleanup_fd(&nft->scratch);
    tn_text_done(&nft->learned);
    free(nft->listed.text);
    tn_arena_free(nft->arena);
    free(nft->cache);
    pthread_mutex_destroy(&nft->aside.lock);
    pthread_mutex_destroy(&nft->lock);
    free(nft);
}

void
tn_nft_settle(struct tn_nft *nft)
{
    tn_nft_aside_close(&nft->aside);
}

static void
learn_place(struct tn_nft *nft, const struct tn_nft_snapshot *snapshot,
            const struct tn_digest *hash)
{
    char key[TN_DIGEST_HEX];
    learn(nft, tn_digest_hex(&snapshot->place, key), hash);
}

static struct tn_nft_listing
listing_take(struct tn_nft *nft)
{
    pthread_mutex_lock(&nft->lock);
    struct tn_nft_listing listed = nft->listed;
    nft->listed.text = NULL;
    pthread_mutex_unlock(&nft->lock);
    return listed;
}

enum tn_code
tn_nft_apply(struct tn_nft *nft, int netns, const struct tn_nft_ruleset *rules,
             struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_nft_listing listed = listing_take(nft);
    struct tn_nft_change c = {
        .netns = netns, .rules = rules, .listed = &listed};
    enum tn_code code = replace_and_read(nft, &c, arena, err);
    if (!code && c.sure && rules && rules->text[0]) {
        struct tn_digest hash = tn_nft_raw_digest(c.after.raw);
        pthread_mutex_lock(&nft->lock);
        learn_rules(nft, rules, c.after.raw);
        learn_place(nft, &c.after, &hash);
        pthread_mutex_unlock(&nft->lock);
    }
    free(listed.text);
    return code;
}

/* The hash of our tables, by a dump only if this generation is not known. */
static enum tn_code
hash_of(struct look *l, struct tn_error *err)
{
    char key[TN_DIGEST_HEX];
    const char *hex =
        tn_map_get(&l->nft->known, tn_digest_hex(&l->tables.place, key));
    if (hex && tn_digest_parse(hex, &l->hash)) {
        return TN_OK;
    }
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_nft_snapshot all;
    enum tn_code code = tn_nft_read(l->reader, TN_NFT_ALL, arena, &all, err);
    if (!code) {
        l->hash = tn_nft_raw_digest(all.raw);
        l->parts = tn_digest_eq(&all.place, &l->tables.place);
        for (size_t i = 0; i < TN_NFT_FAMILIES; i++) {
            l->part[i] = tn_nft_raw_part(all.raw, tn_nft_families[i].number);
        }
        learn_place(l->nft, &all, &l->hash);
    }
    return code;
}

static enum tn_code
is_wanted(const struct look *l, bool *same, struct tn_error *err)
{
    char key[TN_DIGEST_HEX];
    key_of(l->nft, &l->want->digest, key);
    enum tn_code code = TN_OK;
    if (!tn_map_get(&l->nft->known, key)) {
        code = learn_from_scratch(l->nft, l->want, err);
    }
    *same = !code && becomes(l->nft, key, &l->hash);
    return code;
}

/* What was listed after 'place' was read is of that generation, if it still is
 * the present one when the listing is used. */
static void
listing_keep(struct tn_nft *nft, struct tn_nft_listing *listed,
             struct tn_text *text)
{
    if (text->n <= LISTING_MAX) {
        listed->text = tn_text_take(text);
        free(nft->listed.text);
        nft->listed = *listed;
    }
}

/* What the tables are when they are not what is wanted. */
static enum tn_code
look_closer(const struct look *l, const struct tn_nft_ruleset **out,
            struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    struct tn_nft_ruleset *have = tn_new(l->arena, struct tn_nft_ruleset);
    struct tn_nft_listing listed = {.place = l->tables.place};
    enum tn_code code = list(l, &t, listed.made_of, err);
    if (code) {
        return code;
    }
    *have = *tn_nft_view(l->arena, tn_text_str(&t));
    listing_keep(l->nft, &listed, &t);
    if (l->want && !is_plain(l->nft)) {
        code = compare_forms(l, have, err);
    }
    *out = have;
    return code;
}

/* Without one of its tables it cannot be what is wanted. */
static bool
has_tables(const struct look *l)
{
    for (size_t i = 0; i < TN_NFT_FAMILIES; i++) {
        char head[64];
        snprintf(head, sizeof head, "table %s tenet {\n",
                 tn_nft_families[i].name);
        if (!tn_nft_raw_has(l->tables.raw, tn_nft_families[i].number) &&
            strstr(l->want->text, head)) {
            return false;
        }
    }
    return true;
}

/* Our tables, which are there, against what is wanted. */
static enum tn_code
compare(struct look *l, struct tn_nft_observed *found, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    if (l->want) {
        code = hash_of(l, err);
        if (!code && has_tables(l)) {
            code = is_wanted(l, &found->same, err);
        }
        found->rules = l->want;
    }
    if (!code && !found->same) {
        code = look_closer(l, &found->rules, err);
    }
    return code;
}

static enum tn_code
observe(struct look *l, struct tn_nft_observed *found, struct tn_error *err)
{
    enum tn_code code =
        tn_nft_read(l->reader, TN_NFT_TABLES, l->arena, &l->tables, err);
    if (code) {
        return code;
    }
    const struct tn_nft_raw *raw = l->tables.raw;
    found->foreign = tn_nft_raw_foreign(l->tables.raw, &found->n_foreign);
    found->present = tn_nft_raw_has(raw, NFPROTO_INET) ||
                     tn_nft_raw_has(raw, NFPROTO_BRIDGE);
    if (found->present) {
        pthread_mutex_lock(&l->nft->lock);
        code = compare(l, found, err);
        pthread_mutex_unlock(&l->nft->lock);
    }
    return code;
}

enum tn_code
tn_nft_observe(struct tn_nft *nft, int netns, const struct tn_nft_ruleset *want,
               struct tn_arena *arena, struct tn_nft_observed *out,
               struct tn_error *err)
{
    struct tn_nft_observed found = {0};
    struct look l = {.nft = nft, .netns = netns, .want = want, .arena = arena};
    enum tn_code code = tn_nft_reader_new(netns, &l.reader, err);
    if (!code) {
        code = observe(&l, &found, err);
    }
    bool calm = found.same && tn_nft_aside_calm(&nft->aside);
    tn_nft_aside_put(calm ? NULL : &nft->aside, l.reader, close_reader);
    if (!code) {
        *out = found;
    }
    return code;
}
