/* ops.h - the operations of a transaction as the text that is sent: tens of
 * thousands of them, of which none is looked at again.  Files of this folder
 * only. */
#ifndef TN_OVSDB_OPS_H
#define TN_OVSDB_OPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "drivers/ovsdb/row.h"
#include "model/base/text.h"

/* Start with '= {0}'. */
struct tn_ovs_ops {
    struct tn_text text; /* Each operation after a comma. */
    size_t n;
};

void tn_ovs_ops_done(struct tn_ovs_ops *ops);
/* Takes 'op'; false: it cannot be encoded. */
bool tn_ovs_ops_add(struct tn_ovs_ops *ops, json_t *op);

/* A reference: to a row that is there, or by name to one of the same
 * transaction. */
struct tn_ovs_ref {
    const char *text; /* Null: to none. */
    bool named;
};

/* An insert, written from left to right: begin, columns with their values, end.
 * A value is a string, a reference, plain JSON, or opened with its tag ("set",
 * "map"), filled and closed.  Commas come by themselves. */
void tn_ovs_insert_begin(struct tn_ovs_ops *ops, const char *table);
void tn_ovs_insert_column(struct tn_ovs_ops *ops, const char *column);
void tn_ovs_insert_open(struct tn_ovs_ops *ops, const char *tag);
void tn_ovs_insert_close(struct tn_ovs_ops *ops);
void tn_ovs_insert_end(struct tn_ovs_ops *ops, const char *name);

void tn_ovs_put_string(struct tn_ovs_ops *ops, const char *s);
void tn_ovs_put_plain(struct tn_ovs_ops *ops, const char *json);
void tn_ovs_put_ref(struct tn_ovs_ops *ops, const struct tn_ovs_ref *ref);
/* Of a map. */
void tn_ovs_put_pair(struct tn_ovs_ops *ops, const char *key,
                     const char *value);

#endif
