/* nft_replace.c - our tables from what they are to what is wanted, in one
 * transaction.
 *
 * A base chain that goes or comes drops packets for a moment.  So tables that
 * are there are emptied and filled, as far as what they have may stay; only if
 * somebody has changed their base chains all goes and comes anew.  What is not
 * there is not deleted: the kernel takes its time to bury. */
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

/* The part of 'text' that declares the table of a family. */
static char *
table_of(const char *text, const char *family)
{
    struct tn_text t = {0};
    char head[64];
    snprintf(head, sizeof head, "table %s tenet {\n", family);
    const char *begin = strstr(text, head);
    const char *end = begin ? strstr(begin, "\n}\n") : NULL;
    tn_text_addf(&t, "%.*s", end ? (int) (end + 3 - begin) : 0,
                 begin ? begin : "");
    return tn_text_take(&t);
}

/* The text of a table as it is, from 'listed' (may be null) or else anew. */
static enum tn_code
present_table(struct tn_nft_aside *aside, int netns, const char *listed,
              const char *family, char **out, struct tn_error *err)
{
    if (listed) {
        *out = table_of(listed, family);
        return TN_OK;
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text listing = {0};
    char request[64];
    snprintf(request, sizeof request, "list table %s tenet", family);
    enum tn_code code = tn_nft_run(aside, netns, request, &listing, err);
    if (!code) {
        *out = tn_text_take(&listing);
    }
    return code;
}

/* Emptied and filled in one transaction. */
static enum tn_code
refill(struct tn_nft_aside *aside, int netns, const char *listed,
       const struct tn_nft_ruleset *rules, struct tn_error *err)
{
    static const char *const families[] = {"inet", "bridge"};
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    enum tn_code code = TN_OK;
    for (size_t i = 0; !code && i < TN_ARRAY_SIZE(families); i++) {
        TN_CLEANUP(tn_cleanup_free) char *text = NULL;
        code = present_table(aside, netns, listed, families[i], &text, err);
        if (!code) {
            TN_CLEANUP(tn_cleanup_free)
            char *wanted = table_of(rules->text, families[i]);
            if (!empty_table(&t, families[i], text, wanted)) {
                code = tn_fail(err, TN_ESTALE, 0, "a base chain too many");
            }
        }
    }
    tn_text_add(&t, rules->text);
    return code ? code : tn_nft_run(aside, netns, tn_text_str(&t), NULL, err);
}

enum tn_code
tn_nft_replace(struct tn_nft_aside *aside, const struct tn_nft_change *c,
               const struct tn_nft_snapshot *present, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    bool inet = tn_nft_raw_has(present->raw, NFPROTO_INET);
    bool bridge = tn_nft_raw_has(present->raw, NFPROTO_BRIDGE);
    bool same = c->listed && tn_digest_eq(&c->listed->place, &present->place);
    const char *listed = same ? c->listed->text : NULL;
    struct tn_error ignored = {0};
    /* Somebody may have changed the base chains themselves: then all goes. */
    if (c->rules && inet && bridge &&
        refill(aside, c->netns, listed, c->rules, &ignored) == TN_OK) {
        return TN_OK;
    }
    if (inet) {
        tn_text_add(&t, "delete table inet tenet\n");
    }
    if (bridge) {
        tn_text_add(&t, "delete table bridge tenet\n");
    }
    tn_text_add(&t, c->rules ? c->rules->text : "");
    return t.n ? tn_nft_run(aside, c->netns, tn_text_str(&t), NULL, err)
               : TN_OK;
}
