/* watch_rules.c - a message about packet rules: are they ours? */
#include "drivers/kernel/watch.h"

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* Of tables of others only that they come and go. */
void
tn_k_watch_rules_message(struct tn_watch *w, struct tn_k_watched *space,
                         const struct nlmsghdr *msg)
{
    const struct nfgenmsg *head = NLMSG_DATA(msg);
    const int type = msg->nlmsg_type & 0xff;
    const char *table = "";
    const struct nlattr *a;
    int left;
    if (!space->scope || msg->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
        type == NFT_MSG_NEWGEN || tn_k_events_full(w, space->scope)) {
        return;
    }
    TN_K_EACH_ATTR_OF(a, msg, sizeof *head, left)
    {
        if (tn_k_attr_type(a) == NFTA_TABLE_NAME) {
            table = tn_k_attr_str(a); /* The first of all such messages. */
            break;
        }
    }
    bool ours =
        strcmp(table, "tenet") == 0 && (head->nfgen_family == NFPROTO_INET ||
                                        head->nfgen_family == NFPROTO_BRIDGE);
    bool gone = type == NFT_MSG_DELTABLE;
    if (!ours && !gone && type != NFT_MSG_NEWTABLE) {
        return;
    }
    struct tn_event e = {
        .type = ours   ? TN_EVENT_CHANGED
                : gone ? TN_EVENT_GONE
                       : TN_EVENT_APPEARED,
        .scope = space->scope,
        .key =
            ours ? tn_arena_printf(w->scratch, "%s/nft", space->scope) : NULL,
        .what = ours ? "packet rules changed"
                     : tn_arena_printf(w->scratch, "table %s of others %s",
                                       table, gone ? "deleted" : "appeared"),
        .writer = msg->nlmsg_pid};
    tn_k_events_add(w, &e);
}
