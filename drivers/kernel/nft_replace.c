/* nft_replace.c - our tables from what they are to what is wanted, in one
 * transaction.
 *
 * A base chain that goes or comes drops packets for a moment.  So tables that
 * are there are emptied and filled, as far as what they have may stay; only if
 * somebody has changed their base chains all goes and comes anew.  What is not
 * there is not deleted: the kernel takes its time to bury; and a table that is
 * as wanted already stays as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h> /* Before linux/netfilter.h. */

#include <linux/netfilter.h>

#include "drivers/kernel/nft_kernel.h"
#include "model/base/cleanup.h"

/* The name in a line "<tab>KIND NAME {" of a listing, or null. */
static const char *
declared(char *line, const char *kind)
{
    size_t n = strlen(kind);
    char *end = strstr(line, " {");
    if (line[0] != '\t' || strncmp(line + 1, kind, n) != 0 ||
        line[1 + n] != ' ' || !end) {
        return NULL;
    }
    *end = '\0';
    return line + 1 + n + 1;
}

static bool
is_base(const char *next)
{
    const char *hook = "type filter hook";
    return next && strncmp(next + strspn(next, "\t"), hook, strlen(hook)) == 0;
}

/* Where the object whose listing begins at 'line' is declared in 'text' with
 * the same head: all but elements and rules.  'line' ends with its newline. */
static bool
stays(const char *text, const char *line)
{
    const char *head = strchr(line, '\n');
    const char *end = head ? strstr(head, "\n\t}") : NULL;
    const char *elements = head ? strstr(head, "\n\t\telements = ") : NULL;
    if (!end) {
        return false;
    }
    end = elements && elements < end ? elements : end;
    TN_CLEANUP(tn_cleanup_text) struct tn_text wanted = {0};
    tn_text_addf(&wanted, "\n%.*s\n", (int) (end - line), line);
    const char *at = strstr(text, tn_text_str(&wanted));
    const char *rest = at ? at + wanted.n : "";
    return strncmp(rest, "\t\telements", 10) == 0 ||
           strncmp(rest, "\t}", 2) == 0;
}

/* A regular chain that is still wanted; its rules do not matter. */
static bool
chain_stays(const char *text, const char *chain)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text wanted = {0};
    tn_text_addf(&wanted, "\n\tchain %s {\n", chain);
    const char *at = strstr(text, tn_text_str(&wanted));
    return at && !is_base(at + wanted.n);
}

/* Requests that empty a table but leave what is still wanted: a base chain
 * that goes or comes drops packets for a moment, by its policy, while no rule
 * is in it yet or any more; an interval set that comes is empty until after
 * the rules have begun to ask it; a map that goes is empty while the old rules
 * still ask it.  Chains and sets that stay change from the old to the new
 * content at once.  'listing' is consumed.  The order matters: rules use maps,
 * maps use chains.  False if there is a base chain that is none of 'text', the
 * wanted table, or something else that we never make. */
static bool
empty_table(struct tn_text *out, const char *family, char *listing,
            const char *text)
{
    static const char *const kinds[] = {"map", "set"};
    TN_CLEANUP(tn_cleanup_text) struct tn_text chains = {0};
    char *next = listing;
    bool known = true;
    tn_text_addf(out, "flush table %s tenet\n", family);
    while (next) {
        bool keep = next[0] == '\t' && next[1] != '\t' && stays(text, next);
        char *line = strsep(&next, "\n");
        char wanted[256];
        snprintf(wanted, sizeof wanted, "%s\n\t\ttype filter hook ", line);
        const char *chain = declared(line, "chain");
        if (chain && is_base(next)) {
            known = known && strstr(text, wanted);
        } else if (chain && !chain_stays(text, chain)) {
            tn_text_addf(&chains, "delete chain %s tenet %s\n", family, chain);
        }
        bool other = !chain && line[0] == '\t' && strstr(line, " {");
        for (size_t i = 0; other && i < TN_ARRAY_SIZE(kinds); i++) {
            const char *name = declared(line, kinds[i]);
            if (name) {
                other = false;
                tn_text_addf(out, "%s %s %s tenet %s\n",
                             keep ? "flush" : "delete", kinds[i], family, name);
            }
        }
        known = known && !(other && line[1] != '\t');
    }
    tn_text_add(out, tn_text_str(&chains));
    return known;
}

/* The text of a table as it is, from 'listed' (may be null) or else anew. */
static enum tn_code
present_table(struct tn_nft_aside *aside, int netns, const char *listed,
              const struct tn_nft_family *family, char **out,
              struct tn_error *err)
{
    if (listed) {
        *out = tn_nft_table_of(listed, family);
        return TN_OK;
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text listing = {0};
    char request[64];
    snprintf(request, sizeof request, "list table %s tenet", family->name);
    enum tn_code code = tn_nft_run(aside, netns, request, &listing, err);
    if (!code) {
        *out = tn_text_take(&listing);
    }
    return code;
}

/* What is known of the tables that are there; 'text' is null: nothing. */
static struct tn_nft_listing
known(const struct tn_nft_change *c, const struct tn_nft_snapshot *present)
{
    bool fresh = c->listed && tn_digest_eq(&c->listed->place, &present->place);
    return fresh ? *c->listed : (struct tn_nft_listing){0};
}

static bool
is_made_of(const struct tn_nft_listing *listed, size_t family, const char *text)
{
    struct tn_digest d = tn_digest_of(text, strlen(text));
    return listed->text && tn_digest_eq(&listed->made_of[family], &d);
}

/* Appends what makes one table as wanted, in place. */
static enum tn_code
renew_table(struct tn_nft_aside *aside, const struct tn_nft_change *c,
            const struct tn_nft_snapshot *present, size_t i,
            struct tn_text *out, struct tn_error *err)
{
    const struct tn_nft_family *family = &tn_nft_families[i];
    const struct tn_nft_listing listed = known(c, present);
    TN_CLEANUP(tn_cleanup_free)
    char *wanted = tn_nft_table_of(c->rules->text, family);
    if (!tn_nft_raw_has(present->raw, family->number)) {
        tn_text_add(out, wanted);
        return TN_OK;
    }
    if (!wanted[0]) {
        tn_text_addf(out, "delete table %s tenet\n", family->name);
        return TN_OK;
    }
    if (is_made_of(&listed, i, wanted)) {
        return TN_OK;
    }
    TN_CLEANUP(tn_cleanup_free) char *text = NULL;
    enum tn_code code =
        present_table(aside, c->netns, listed.text, family, &text, err);
    if (!code && !empty_table(out, family->name, text, wanted)) {
        code = tn_fail(err, TN_ESTALE, 0, "a base chain too many");
    }
    tn_text_add(out, wanted);
    return code;
}

/* Emptied and filled, or left alone, in one transaction. */
static enum tn_code
renew(struct tn_nft_aside *aside, const struct tn_nft_change *c,
      const struct tn_nft_snapshot *present, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    enum tn_code code = TN_OK;
    for (size_t i = 0; !code && i < TN_NFT_FAMILIES; i++) {
        code = renew_table(aside, c, present, i, &t, err);
    }
    return code || !t.n
               ? code
               : tn_nft_run(aside, c->netns, tn_text_str(&t), NULL, err);
}

const struct tn_nft_family tn_nft_families[TN_NFT_FAMILIES] = {
    [TN_NFT_INET] = {"inet", NFPROTO_INET},
    [TN_NFT_BRIDGE] = {"bridge", NFPROTO_BRIDGE},
};

char *
tn_nft_table_of(const char *text, const struct tn_nft_family *family)
{
    struct tn_text t = {0};
    char head[64];
    snprintf(head, sizeof head, "table %s tenet {\n", family->name);
    const char *begin = strstr(text, head);
    const char *end = begin ? strstr(begin, "\n}\n") : NULL;
    tn_text_addf(&t, "%.*s", end ? (int) (end + 3 - begin) : 0,
                 begin ? begin : "");
    return tn_text_take(&t);
}

/* The next line begins the table of a family: where it ends, or null. */
static const char *
skip_table(const char *at)
{
    for (size_t i = 0; i < TN_NFT_FAMILIES; i++) {
        char head[64];
        snprintf(head, sizeof head, "table %s tenet {\n",
                 tn_nft_families[i].name);
        const char *end = strstr(at, "\n}\n");
        if (strncmp(at, head, strlen(head)) == 0 && end) {
            return end + 3;
        }
    }
    return NULL;
}

/* Nothing but our tables and comments, as render() and a listing write them. */
static bool
is_plain(const struct tn_nft_ruleset *rules)
{
    const char *at = rules->text;
    while (*at) {
        const char *end = skip_table(at);
        if (end) {
            at = end;
        } else if (*at == '#' || *at == '\n') {
            at += strcspn(at, "\n");
            at += *at == '\n';
        } else {
            return false;
        }
    }
    return true;
}

enum tn_code
tn_nft_replace(struct tn_nft_aside *aside, const struct tn_nft_change *c,
               const struct tn_nft_snapshot *present, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    struct tn_error ignored = {0};
    /* Somebody may have changed the base chains themselves: then all goes. */
    if (c->rules && is_plain(c->rules) &&
        renew(aside, c, present, &ignored) == TN_OK) {
        return TN_OK;
    }
    for (size_t i = 0; i < TN_NFT_FAMILIES; i++) {
        if (tn_nft_raw_has(present->raw, tn_nft_families[i].number)) {
            tn_text_addf(&t, "delete table %s tenet\n",
                         tn_nft_families[i].name);
        }
    }
    tn_text_add(&t, c->rules ? c->rules->text : "");
    return t.n ? tn_nft_run(aside, c->netns, tn_text_str(&t), NULL, err)
               : TN_OK;
}
