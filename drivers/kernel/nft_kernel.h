/* nft_kernel.h - the I/O under nft.c: namespaces, libnftables, raw dumps; for
 * nft_*.c only. */
#ifndef TN_KERNEL_NFT_KERNEL_H
#define TN_KERNEL_NFT_KERNEL_H

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

/* Runs commands of nft(8) in one transaction; what they print is appended to
 * 'out' (may be null). */
enum tn_code tn_nft_run(int netns, const char *commands, struct tn_text *out,
                        struct tn_error *err) TN_MUST_USE;

/* Names this kernel and this libnftables: what a text becomes depends on
 * both. */
struct tn_digest tn_nft_environment(void);

/* The generation of the rules in a namespace: raised by each transaction. */
enum tn_code tn_nft_generation(int netns, uint32_t *out,
                               struct tn_error *err) TN_MUST_USE;

/* Dumps all tables, and what is in ours; '*generation' (may be null) has the
 * low 16 bits of the generation that all of it is of.  Repeats when somebody
 * wrote meanwhile; TN_EUNAVAILABLE if that does not end. */
enum tn_code tn_nft_dump(int netns, struct tn_arena *arena,
                         struct tn_nft_raw **out, uint16_t *generation,
                         struct tn_error *err) TN_MUST_USE;

#endif
