/* nft_kernel.h - the I/O under nft.c: namespaces, libnftables, raw dumps; for
 * nft_*.c and probe.c only. */
#ifndef TN_KERNEL_NFT_KERNEL_H
#define TN_KERNEL_NFT_KERNEL_H

#include <pthread.h>

#include "drivers/kernel/nft.h"
#include "drivers/kernel/nft_raw.h"
#include "model/base/error.h"
#include "model/base/text.h"

/* A visit of the calling thread to a namespace. */
struct tn_nft_visit {
    int home; /* -1: not away. */
};

enum tn_code tn_nft_enter(struct tn_nft_visit *visit, int netns,
                          struct tn_error *err) TN_MUST_USE;
/* Ends the process if the way home is barred. */
void tn_nft_leave(struct tn_nft_visit *visit);

/* A new network namespace that nobody else knows: '*out' is to be closed, and
 * with it the namespace goes. */
enum tn_code tn_nft_scratch(int *out, struct tn_error *err) TN_MUST_USE;

/* What holds a socket of nftables open and is closed later: closing may have to
 * wait for what was deleted in the namespace.  For several threads. */
enum { TN_NFT_ASIDE = 32 };

typedef void tn_nft_close_fn(void *what);

struct tn_nft_later {
    void *what;
    tn_nft_close_fn *close;
    int64_t since_ns;
};

struct tn_nft_aside {
    pthread_mutex_t lock;
    struct tn_nft_later items[TN_NFT_ASIDE];
    size_t n;
};

/* Takes 'what' (may be null) and closes it later; now, if 'aside' is null or
 * full. */
void tn_nft_aside_put(struct tn_nft_aside *aside, void *what,
                      tn_nft_close_fn *close);
/* Closes what need not wait any more; true if nothing is left. */
bool tn_nft_aside_calm(struct tn_nft_aside *aside);
/* Closes all. */
void tn_nft_aside_close(struct tn_nft_aside *aside);

/* Runs commands of nft(8) in one transaction; what they print is appended to
 * 'out' (may be null).  What it needed is put 'aside' (may be null). */
enum tn_code tn_nft_run(struct tn_nft_aside *aside, int netns,
                        const char *commands, struct tn_text *out,
                        struct tn_error *err) TN_MUST_USE;

/* Names this kernel and this libnftables: what a text becomes depends on
 * both. */
struct tn_digest tn_nft_environment(void);

/* Reads the rules of one namespace, over one socket. */
struct tn_nft_reader;

enum tn_nft_extent {
    TN_NFT_TABLES, /* Which tables there are. */
    TN_NFT_ALL,    /* And all that is in ours. */
};

struct tn_nft_snapshot {
    struct tn_nft_raw *raw;
    uint32_t generation;    /* Raised by each transaction in a namespace. */
    struct tn_digest place; /* Names this generation of this namespace: never
                               of another one, nor after another boot. */
};

enum tn_code tn_nft_reader_new(int netns, struct tn_nft_reader **out,
                               struct tn_error *err) TN_MUST_USE;
/* Accepts null. */
void tn_nft_reader_free(struct tn_nft_reader *reader);

/* All of the snapshot is of one generation; reading is repeated when somebody
 * wrote meanwhile, TN_EUNAVAILABLE if that does not end.  In 'arena'. */
enum tn_code tn_nft_read(struct tn_nft_reader *reader,
                         enum tn_nft_extent extent, struct tn_arena *arena,
                         struct tn_nft_snapshot *out,
                         struct tn_error *err) TN_MUST_USE;

/* Our two tables are looked at and written one by one. */
enum { TN_NFT_INET, TN_NFT_BRIDGE, TN_NFT_FAMILIES };

struct tn_nft_family {
    const char *name; /* "inet" */
    uint8_t number;   /* NFPROTO_INET */
};

extern const struct tn_nft_family tn_nft_families[TN_NFT_FAMILIES];

/* The part of 'text' that declares the table of a family, or "": to be freed.
 */
char *tn_nft_table_of(const char *text, const struct tn_nft_family *family);

/* A listing of our tables, and of which generation it is. */
struct tn_nft_listing {
    struct tn_digest place;
    char *text; /* Null: none. */
    /* Of the text that a table is known to have been made of, as listed; zero:
     * not known. */
    struct tn_digest made_of[TN_NFT_FAMILIES];
};

/* Rules to be put into a namespace. */
struct tn_nft_change {
    int netns;
    const struct tn_nft_ruleset *rules;  /* Null: none. */
    const struct tn_nft_listing *listed; /* Of some generation; null: none. */
    struct tn_nft_snapshot after;        /* What they became, */
    bool sure;                           /* if by nobody else's hand. */
};

/* Makes 'c->rules' of what is 'present'; without them the tables go. A table
 * that is known to be as wanted is left alone. 'c->after' and 'c->sure' are not
 * touched. */
enum tn_code tn_nft_replace(struct tn_nft_aside *aside,
                            const struct tn_nft_change *c,
                            const struct tn_nft_snapshot *present,
                            struct tn_error *err) TN_MUST_USE;

#endif
