/* commit_delete.c - links go many at a time, but not too many.
 *
 * Deleting a link makes the kernel wait for all processors, some 20 ms, and a
 * group of links waits once for all of them; but it holds the lock of all
 * network configuration of the machine meanwhile.  So links are moved to a
 * group of this run and deleted by group, in chunks whose size follows the time
 * that the last one took.  Each kind of link starts anew: bridges and veths
 * cost next to nothing in a group, tunnels wait each for itself even there. */
#include "drivers/kernel/commit.h"

#include <linux/if_link.h>
#include <time.h>

#include "model/base/time.h"

/* Nobody should wait longer than half a second for that lock. */
enum {
    CHUNK_FIRST = 12,
    CHUNK_LEAST = 4,
    CHUNK_MOST = 256,
    CHUNK_SLOW_MS = 200,
    CHUNK_FAST_MS = 80,
};

enum tn_code
tn_k_doom_link(const struct tn_k_emit *e, const char *ns, const char *link,
               struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = tn_k_commit_space(e->c, ns, &space, err);
    if (code == TN_ENOENT) {
        return TN_OK;
    }
    if (code != TN_OK) {
        return code;
    }
    uint32_t index = tn_k_space_index(space, link);
    if (index) {
        tn_k_lane(e->c, space, 0);
        *tn_vec_push(e->c->arena, &space->doomed) =
            (struct tn_k_doomed){index, (uint32_t) e->step};
    }
    return TN_OK;
}

static void
begin(struct tn_k_batch *b, uint16_t type, uint32_t index, size_t step)
{
    struct ifinfomsg ifi = {.ifi_index = (int) index};
    tn_k_msg_begin(b, &(struct tn_k_msg){
                          .type = type,
                          .header = &ifi,
                          .header_size = sizeof ifi,
                          .step = step,
                          .tolerance = TN_K_GONE_IS_FINE,
                      });
}

static enum tn_code
delete_chunk(struct tn_k_commit *c, struct tn_k_space *space, size_t first,
             size_t n, struct tn_error *err)
{
    struct tn_k_batch *b = &space->lanes[0];
    const struct tn_k_doomed *d = space->doomed.items + first;
    if (n == 1) {
        begin(b, RTM_DELLINK, d->index, d->step);
        tn_k_msg_end(b);
    } else {
        for (size_t i = 0; i < n; i++) {
            begin(b, RTM_SETLINK, d[i].index, d[i].step);
            tn_k_put_u32(b, IFLA_GROUP, c->leaving);
            tn_k_msg_end(b);
        }
        begin(b, RTM_DELLINK, 0, d->step);
        tn_k_put_u32(b, IFLA_GROUP, c->leaving);
        tn_k_msg_end(b);
    }
    return tn_k_batch_send(b, &space->sock, tn_k_commit_refused, c, err);
}

static void
adapt(struct tn_k_commit *c, size_t n, long took)
{
    if (took > CHUNK_SLOW_MS) {
        c->chunk /= 2;
    } else if (took < CHUNK_FAST_MS && n == c->chunk) {
        c->chunk += c->chunk / 2;
    }
    c->chunk = c->chunk < CHUNK_LEAST ? CHUNK_LEAST : c->chunk;
    c->chunk = c->chunk > CHUNK_MOST ? CHUNK_MOST : c->chunk;
}

enum tn_code
tn_k_delete_doomed(struct tn_k_commit *c, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    c->chunk = CHUNK_FIRST;
    for (size_t s = 0; s < c->waiting.n; s++) {
        struct tn_k_space *space = c->waiting.items[s];
        for (size_t i = 0; code == TN_OK && i < space->doomed.n;) {
            size_t n = space->doomed.n - i;
            n = n < c->chunk ? n : c->chunk;
            long start = tn_now_ms();
            code = delete_chunk(c, space, i, n, err);
            adapt(c, n, tn_now_ms() - start);
            i += n;
        }
        space->doomed.n = space->doomed.cap = 0;
        space->doomed.items = NULL;
    }
    return code;
}
