/* pack.c - images of structs with their pointers taken out, see pack.h.
 *
 * A pointer's slot in the image holds the length of its text plus one (0:
 * null); for TN_PACK_PATH also SAME, the text read before.  An array's number
 * is in the image already and its slot stays zero.  The reader runs through
 * the input once from left to right: there are no offsets that could point
 * backwards, to the same bytes twice, or outside. */
#include "model/kinds/pack.h"

#include <string.h>

#include "model/base/digest.h"

static const uintptr_t SAME = UINTPTR_MAX;
static const char magic[8] = "tnpack1";

struct seal {
    char magic[8];
    uint64_t id, length, checksum;
};
_Static_assert(sizeof(struct seal) == TN_PACK_SEAL_SIZE, "no padding");

static const struct tn_pack_row text_rows[] = {{.type = TN_PACK_TEXT}};
static const struct tn_pack_row addr_rows[] = {{.type = TN_PACK_ADDR}};
static const struct tn_pack_row cidr_rows[] = {{.type = TN_PACK_CIDR}};
static const struct tn_pack_row range_rows[] = {
    TN_PACK_PLAIN_ROW(struct tn_vrange, first),
    TN_PACK_PLAIN_ROW(struct tn_vrange, last),
    TN_PACK_PLAIN_ROW(struct tn_vrange, at),
};
static const struct tn_pack_row origin_rows[] = {
    TN_PACK_PATH_ROW(struct tn_origin, path),
    TN_PACK_PLAIN_ROW(struct tn_origin, line),
    TN_PACK_PLAIN_ROW(struct tn_origin, column),
};
const struct tn_pack_layout tn_pack_origin_layout =
    TN_PACK_LAYOUT(struct tn_origin, origin_rows);
const struct tn_pack_layout tn_pack_text_layout =
    TN_PACK_LAYOUT(const char *, text_rows);
const struct tn_pack_layout tn_pack_addr_layout =
    TN_PACK_LAYOUT(struct tn_addr, addr_rows);
const struct tn_pack_layout tn_pack_cidr_layout =
    TN_PACK_LAYOUT(struct tn_cidr, cidr_rows);
const struct tn_pack_layout tn_pack_range_layout =
    TN_PACK_LAYOUT(struct tn_vrange, range_rows);

size_t
tn_pack_image(struct tn_text *out, size_t size)
{
    static const char zeroes[512];
    size_t at = out->n;
    while (size > 0) {
        size_t n = size < sizeof zeroes ? size : sizeof zeroes;
        tn_text_addn(out, zeroes, n);
        size -= n;
    }
    return at;
}

void
tn_pack_member(struct tn_text *out, size_t at, const void *bytes, size_t n)
{
    memcpy(out->s + at, bytes, n);
}

void
tn_pack_text(struct tn_text *out, size_t at, const char *s)
{
    if (s) {
        size_t n = strlen(s) + 1;
        uintptr_t slot = n;
        tn_pack_member(out, at, &slot, sizeof slot);
        tn_text_addn(out, s, n);
    }
}

static void
path_pack(struct tn_packer *p, size_t at, const char *s)
{
    if (s && p->path && (s == p->path || strcmp(s, p->path) == 0)) {
        tn_pack_member(p->out, at, &SAME, sizeof SAME);
    } else if (s) {
        tn_pack_text(p->out, at, s);
        p->path = s;
    }
}

static size_t
plain_size(const struct tn_pack_row *row)
{
    switch (row->type) {
    case TN_PACK_PLAIN:
        return row->size;
    case TN_PACK_BOOL:
        return sizeof(bool);
    case TN_PACK_WORD:
        return sizeof(unsigned);
    case TN_PACK_ADDR:
        return sizeof(struct tn_addr);
    case TN_PACK_CIDR:
        return sizeof(struct tn_cidr);
    case TN_PACK_TEXT:
    case TN_PACK_PATH:
    case TN_PACK_STRUCT:
    case TN_PACK_ARRAY:
        break;
    }
    return 0;
}

static void struct_pack(struct tn_packer *p, const struct tn_pack_layout *l,
                        size_t at, const char *object);

static void
array_pack(struct tn_packer *p, const struct tn_pack_row *row, size_t at,
           const char *object)
{
    const struct tn_pack_layout *l = row->layout;
    const char *items = NULL;
    size_t n = 0;
    memcpy(&items, object + row->offset, sizeof items);
    memcpy(&n, object + row->count, sizeof n);
    tn_pack_member(p->out, at + row->count, &n, sizeof n);
    size_t images = tn_pack_image(p->out, n * l->size);
    for (size_t i = 0; i < n; i++) {
        struct_pack(p, l, images + i * l->size, items + i * l->size);
    }
}

static void
row_pack(struct tn_packer *p, const struct tn_pack_row *row, size_t at,
         const char *object)
{
    const char *text = NULL;
    switch (row->type) {
    case TN_PACK_PLAIN:
    case TN_PACK_BOOL:
    case TN_PACK_WORD:
    case TN_PACK_ADDR:
    case TN_PACK_CIDR:
        tn_pack_member(p->out, at + row->offset, object + row->offset,
                       plain_size(row));
        break;
    case TN_PACK_TEXT:
        memcpy(&text, object + row->offset, sizeof text);
        tn_pack_text(p->out, at + row->offset, text);
        break;
    case TN_PACK_PATH:
        memcpy(&text, object + row->offset, sizeof text);
        path_pack(p, at + row->offset, text);
        break;
    case TN_PACK_STRUCT:
        struct_pack(p, row->layout, at + row->offset, object + row->offset);
        break;
    case TN_PACK_ARRAY:
        array_pack(p, row, at, object);
        break;
    }
}

static void
struct_pack(struct tn_packer *p, const struct tn_pack_layout *l, size_t at,
            const char *object)
{
    for (uint32_t i = 0; i < l->n_rows; i++) {
        row_pack(p, &l->rows[i], at, object);
    }
}

void
tn_pack(struct tn_packer *packer, const struct tn_pack_layout *layout,
        const void *object)
{
    size_t at = tn_pack_image(packer->out, layout->size);
    struct_pack(packer, layout, at, object);
}

bool
tn_pack_addr_ok(const struct tn_addr *a)
{
    return a->family == TN_AF_NONE || a->family == TN_AF_IPV4 ||
           a->family == TN_AF_IPV6;
}

bool
tn_pack_cidr_ok(const struct tn_cidr *c)
{
    return tn_pack_addr_ok(&c->addr) && c->len <= tn_addr_bits(&c->addr);
}

bool
tn_pack_bool_ok(const void *b)
{
    return *(const unsigned char *) b <= 1;
}

bool
tn_unpack_text(struct tn_unpacker *u, const char **slot)
{
    uintptr_t n = 0;
    memcpy(&n, slot, sizeof n);
    if (n == 0) {
        return true;
    }
    if (n > (size_t) (u->end - u->next) || u->next[n - 1] != '\0') {
        return false;
    }
    *slot = (const char *) u->next;
    u->next += n;
    return true;
}

static bool
path_unpack(struct tn_unpacker *u, const char **slot)
{
    if (memcmp(slot, &SAME, sizeof SAME) == 0) {
        *slot = u->path;
        return u->path != NULL;
    }
    if (!tn_unpack_text(u, slot)) {
        return false;
    }
    if (*slot) {
        u->path = *slot;
    }
    return true;
}

bool
tn_unpack_image(struct tn_unpacker *u, void *out, size_t size)
{
    if (size > (size_t) (u->end - u->next)) {
        return false;
    }
    memcpy(out, u->next, size);
    u->next += size;
    return true;
}

void *
tn_unpack_images(struct tn_unpacker *u, size_t n, size_t size)
{
    if (n > (size_t) (u->end - u->next) / size) {
        return NULL;
    }
    void *items = tn_arena_alloc(u->arena, n * size);
    memcpy(items, u->next, n * size);
    u->next += n * size;
    return items;
}

static bool struct_unpack(struct tn_unpacker *u, const struct tn_pack_layout *l,
                          void *object);

static bool
array_unpack(struct tn_unpacker *u, const struct tn_pack_row *row, char *object)
{
    const struct tn_pack_layout *l = row->layout;
    char *items = NULL;
    size_t n = 0;
    memcpy(&n, object + row->count, sizeof n);
    if (n > 0) {
        items = tn_unpack_images(u, n, l->size);
        if (!items) {
            return false;
        }
    }
    memcpy(object + row->offset, &items, sizeof items);
    for (size_t i = 0; i < n; i++) {
        if (!struct_unpack(u, l, items + i * l->size)) {
            return false;
        }
    }
    return true;
}

static bool
row_unpack(struct tn_unpacker *u, const struct tn_pack_row *row, char *object)
{
    void *member = object + row->offset;
    switch (row->type) {
    case TN_PACK_PLAIN:
        return true;
    case TN_PACK_BOOL:
        return tn_pack_bool_ok(member);
    case TN_PACK_WORD:
        return *(const unsigned *) member < row->max;
    case TN_PACK_ADDR:
        return tn_pack_addr_ok(member);
    case TN_PACK_CIDR:
        return tn_pack_cidr_ok(member);
    case TN_PACK_TEXT:
        return tn_unpack_text(u, member);
    case TN_PACK_PATH:
        return path_unpack(u, member);
    case TN_PACK_STRUCT:
        return struct_unpack(u, row->layout, member);
    case TN_PACK_ARRAY:
        return array_unpack(u, row, object);
    }
    return false;
}

static bool
struct_unpack(struct tn_unpacker *u, const struct tn_pack_layout *l,
              void *object)
{
    for (uint32_t i = 0; i < l->n_rows; i++) {
        if (!row_unpack(u, &l->rows[i], object)) {
            return false;
        }
    }
    return true;
}

bool
tn_unpack(struct tn_unpacker *unpacker, const struct tn_pack_layout *layout,
          void *object)
{
    return tn_unpack_image(unpacker, object, layout->size) &&
           struct_unpack(unpacker, layout, object);
}

uint64_t
tn_pack_layout_id(const struct tn_pack_layout *layout)
{
    uint64_t id = tn_hash64(&layout->size, sizeof layout->size);
    for (uint32_t i = 0; i < layout->n_rows; i++) {
        const struct tn_pack_row *r = &layout->rows[i];
        const uint64_t parts[] = {id,
                                  (uint64_t) r->type,
                                  r->offset,
                                  r->size,
                                  r->count,
                                  r->max,
                                  r->layout ? tn_pack_layout_id(r->layout) : 0};
        id = tn_hash64(parts, sizeof parts);
    }
    return id;
}

size_t
tn_pack_seal_begin(struct tn_text *out, uint64_t id)
{
    struct seal seal = {.id = id};
    size_t start = tn_pack_image(out, sizeof seal);
    memcpy(seal.magic, magic, sizeof magic);
    tn_pack_member(out, start, &seal, sizeof seal);
    return start;
}

void
tn_pack_seal_end(struct tn_text *out, size_t start)
{
    struct seal seal;
    memcpy(&seal, out->s + start, sizeof seal);
    seal.length = out->n - start - sizeof seal;
    seal.checksum = tn_hash64(out->s + start + sizeof seal, seal.length);
    tn_pack_member(out, start, &seal, sizeof seal);
}

void
tn_pack_seal_of(char out[TN_PACK_SEAL_SIZE], uint64_t id,
                const struct tn_bytes *runs, size_t n)
{
    struct seal seal = {.id = id, .checksum = tn_hash64_of(runs, n)};
    memcpy(seal.magic, magic, sizeof magic);
    for (size_t i = 0; i < n; i++) {
        seal.length += runs[i].n;
    }
    memcpy(out, &seal, sizeof seal);
}

bool
tn_pack_seal_check(const void *bytes, size_t n, uint64_t id, const void **body,
                   size_t *n_body)
{
    struct seal seal;
    if (n < sizeof seal) {
        return false;
    }
    memcpy(&seal, bytes, sizeof seal);
    const char *content = (const char *) bytes + sizeof seal;
    if (memcmp(seal.magic, magic, sizeof magic) != 0 || seal.id != id ||
        seal.length > n - sizeof seal ||
        tn_hash64(content, seal.length) != seal.checksum) {
        return false;
    }
    *body = content;
    *n_body = seal.length;
    return true;
}
