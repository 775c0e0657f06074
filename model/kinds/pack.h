/* pack.h - structs to bytes and back, for the cache.
 *
 * What is packed is described by a table (struct tn_pack_layout): where the
 * pointers of a struct are, and which members may hold only some values.  The
 * bytes are an image of the struct, written member by member into zeroes so
 * that equal values give equal bytes, followed by what its pointers lead to,
 * depth first.  They hold no addresses and need no alignment.  They do depend
 * on the machine's ABI: a reader compares tn_pack_layout_id first, which the
 * seal does.
 *
 * Reading is one copy per struct or array plus a visit to each pointer.  TEXT
 * IS NOT COPIED: it points into the input bytes, which must outlive the
 * result.  Reading tolerates any input: damaged bytes give false, or, without
 * a seal, values that are wrong but safe to look at (texts end, words and
 * families are known, booleans are 0 or 1).  Each byte of input is used at
 * most once, so that no input makes it allocate more than its own size, but
 * for the arena's rounding. */
#ifndef TN_KINDS_PACK_H
#define TN_KINDS_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/digest.h"
#include "model/base/text.h"
#include "model/kinds/kinds.h"

enum tn_pack_type {
    TN_PACK_PLAIN,  /* 'size' bytes: numbers, tn_pos, tn_mac, tn_digest */
    TN_PACK_BOOL,   /* bool */
    TN_PACK_WORD,   /* An enum or unsigned, less than 'max' */
    TN_PACK_ADDR,   /* struct tn_addr */
    TN_PACK_CIDR,   /* struct tn_cidr */
    TN_PACK_TEXT,   /* const char *; null stays null */
    TN_PACK_PATH,   /* The same, for text that many objects have in common,
                       such as the path of an origin: a run of equal ones is
                       written once and shared. */
    TN_PACK_STRUCT, /* A struct inside, described by 'layout' */
    TN_PACK_ARRAY,  /* Pointer to structs of 'layout', their number a size_t
                       at 'count'; a null pointer if there are none. */
};

struct tn_pack_layout;

struct tn_pack_row {
    enum tn_pack_type type;
    uint32_t offset;
    uint32_t size;  /* Of TN_PACK_PLAIN. */
    uint32_t count; /* Offset of the number of TN_PACK_ARRAY. */
    uint32_t max;   /* Of TN_PACK_WORD. */
    const struct tn_pack_layout *layout;
};

/* Members without a row are zero after reading.  Layouts may not contain
 * themselves. */
struct tn_pack_layout {
    uint32_t size; /* Of the struct; not 0. */
    uint32_t n_rows;
    const struct tn_pack_row *rows;
};

/*     static const struct tn_pack_row route_rows[] = {
 *         TN_PACK_CIDR_ROW(struct tn_net_route, to),
 *         TN_PACK_ADDR_ROW(struct tn_net_route, via),
 *         TN_PACK_TEXT_ROW(struct tn_net_route, subnet_name),
 *         TN_PACK_ORIGIN_ROW(struct tn_net_route, origin),
 *     };
 *     static const struct tn_pack_layout route_layout =
 *         TN_PACK_LAYOUT(struct tn_net_route, route_rows); */
#define TN_PACK_LAYOUT(type_, rows_)                                           \
    {                                                                          \
        .size = sizeof(type_), .n_rows = TN_ARRAY_SIZE(rows_), .rows = (rows_) \
    }
#define TN_PACK_ROW_(kind_, type_, member_)                                    \
    .type = (kind_), .offset = offsetof(type_, member_)
#define TN_PACK_PLAIN_ROW(type_, member_)                                      \
    {                                                                          \
        TN_PACK_ROW_(TN_PACK_PLAIN, type_, member_),                           \
            .size = sizeof(((type_ *) 0)->member_)                             \
    }
#define TN_PACK_BOOL_ROW(type_, member_)                                       \
    {                                                                          \
        TN_PACK_ROW_(TN_PACK_BOOL, type_, member_)                             \
    }
#define TN_PACK_WORD_ROW(type_, member_, max_)                                 \
    {                                                                          \
        TN_PACK_ROW_(TN_PACK_WORD, type_, member_), .max = (max_)              \
    }
#define TN_PACK_ADDR_ROW(type_, member_)                                       \
    {                                                                          \
        TN_PACK_ROW_(TN_PACK_ADDR, type_, member_)                             \
    }
#define TN_PACK_CIDR_ROW(type_, member_)                                       \
    {                                                                          \
        TN_PACK_ROW_(TN_PACK_CIDR, type_, member_)                             \
    }
#define TN_PACK_TEXT_ROW(type_, member_)                                       \
    {                                                                          \
        TN_PACK_ROW_(TN_PACK_TEXT, type_, member_)                             \
    }
#define TN_PACK_PATH_ROW(type_, member_)                                       \
    {                                                                          \
        TN_PACK_ROW_(TN_PACK_PATH, type_, member_)                             \
    }
#define TN_PACK_STRUCT_ROW(type_, member_, layout_)                            \
    {                                                                          \
        TN_PACK_ROW_(TN_PACK_STRUCT, type_, member_), .layout = (layout_)      \
    }
#define TN_PACK_ARRAY_ROW(type_, member_, count_, layout_)                     \
    {                                                                          \
        TN_PACK_ROW_(TN_PACK_ARRAY, type_, member_),                           \
            .count = offsetof(type_, count_), .layout = (layout_)              \
    }
#define TN_PACK_ORIGIN_ROW(type_, member_)                                     \
    TN_PACK_STRUCT_ROW(type_, member_, &tn_pack_origin_layout)

/* A struct tn_origin: its path is a TN_PACK_PATH. */
extern const struct tn_pack_layout tn_pack_origin_layout;
/* Layouts of arrays of plain things. */
extern const struct tn_pack_layout tn_pack_text_layout;  /* const char * */
extern const struct tn_pack_layout tn_pack_addr_layout;  /* struct tn_addr */
extern const struct tn_pack_layout tn_pack_cidr_layout;  /* struct tn_cidr */
extern const struct tn_pack_layout tn_pack_range_layout; /* struct tn_vrange */

/* A number that changes whenever bytes written by 'layout' would be read
 * differently; equal for equal tables in every run. */
uint64_t tn_pack_layout_id(const struct tn_pack_layout *layout);

/* Writing.  Several values may follow each other in one buffer. */
struct tn_packer {
    struct tn_text *out; /* Borrowed; appended to. */
    const char *path;    /* The TN_PACK_PATH written last; start with null. */
};
void tn_pack(struct tn_packer *packer, const struct tn_pack_layout *layout,
             const void *object);

/* Reading, in the order of writing. */
struct tn_unpacker {
    struct tn_arena *arena; /* Borrowed: arrays come from here. */
    const unsigned char *next, *end;
    const char *path; /* The TN_PACK_PATH read last; start with null. */
};
/* Fills '*object', a struct of the caller.  After false it is worthless. */
bool tn_unpack(struct tn_unpacker *unpacker,
               const struct tn_pack_layout *layout, void *object) TN_MUST_USE;

/* A seal around packed values: 'id' (of the layouts and whatever else must be
 * equal), length and a checksum (XXH3: against accidents, not adversaries).
 *     size_t start = tn_pack_seal_begin(&text, id);
 *     tn_pack(...); tn_document_pack(...);
 *     tn_pack_seal_end(&text, start); */
enum { TN_PACK_SEAL_SIZE = 32 };
size_t tn_pack_seal_begin(struct tn_text *out, uint64_t id);
void tn_pack_seal_end(struct tn_text *out, size_t start);
/* The seal alone, of what 'runs' are together. */
void tn_pack_seal_of(char seal[TN_PACK_SEAL_SIZE], uint64_t id,
                     const struct tn_bytes *runs, size_t n);
/* True if 'bytes' begin with an unbroken seal of 'id': '*body' and '*n_body'
 * are what is in it. */
bool tn_pack_seal_check(const void *bytes, size_t n, uint64_t id,
                        const void **body, size_t *n_body) TN_MUST_USE;

/* Decoded documents, by the tables of the kinds.  The path is not packed:
 * equal files in two places have equal bytes. */
uint64_t tn_document_layout_id(void);
void tn_document_pack(struct tn_text *out, const struct tn_document *document);
/* Reads exactly 'n' bytes.  '*out' is new in 'arena' and its texts point into
 * 'bytes'; 'path' is borrowed. */
bool tn_document_unpack(struct tn_arena *arena, const void *bytes, size_t n,
                        const char *path, struct tn_document *out) TN_MUST_USE;

/* The steps that both are made of; for pack.c and document_pack.c. */
size_t tn_pack_image(struct tn_text *out, size_t size); /* Zeroed; its offset */
void tn_pack_member(struct tn_text *out, size_t at, const void *bytes,
                    size_t n);
/* Writes the slot at 'at' and appends the text. */
void tn_pack_text(struct tn_text *out, size_t at, const char *s);
/* Turns the slot into a pointer into the input. */
bool tn_unpack_text(struct tn_unpacker *unpacker,
                    const char **slot) TN_MUST_USE;
/* Copies 'n' structs of 'size' bytes; null if the input is shorter. */
void *tn_unpack_images(struct tn_unpacker *unpacker, size_t n, size_t size);
bool tn_unpack_image(struct tn_unpacker *unpacker, void *out,
                     size_t size) TN_MUST_USE;
bool tn_pack_addr_ok(const struct tn_addr *a);
bool tn_pack_cidr_ok(const struct tn_cidr *c);
bool tn_pack_bool_ok(const void *b);

#endif
