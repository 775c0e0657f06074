/* document_pack.c - decoded documents packed by the tables of their kinds.
 *
 * The same format as pack.c's, driven by the rows that also drive the decoder,
 * so that a new field needs no second description: an image of the kind's
 * struct (metadata is its first member), then what its pointers lead to. */
#include "model/kinds/pack.h"

#include <string.h>

#include "model/base/digest.h"
#include "model/kinds/field.h"

static void object_pack(struct tn_text *out, const struct tn_object *object,
                        size_t at, const char *base);

/* A value of the field's type whose image is at 'at'. */
static void
value_pack(struct tn_text *out, const struct tn_field *f, size_t at,
           const char *value)
{
    if (f->type == TN_FIELD_OBJECT) {
        object_pack(out, f->object, at, value);
        return;
    }
    tn_pack_member(out, at, value, tn_field_size(f));
    if (f->type == TN_FIELD_TEXT) {
        static const char *const none;
        struct tn_vtext text;
        memcpy(&text, value, sizeof text);
        tn_pack_member(out, at + offsetof(struct tn_vtext, v), &none,
                       sizeof none);
        tn_pack_text(out, at + offsetof(struct tn_vtext, v), text.v);
    }
}

static void
label_pack(struct tn_text *out, size_t at, const char *value)
{
    static const struct tn_field text = {.type = TN_FIELD_TEXT};
    size_t key = offsetof(struct tn_meta_label, key);
    size_t val = offsetof(struct tn_meta_label, value);
    value_pack(out, &text, at + key, value + key);
    value_pack(out, &text, at + val, value + val);
}

static void
list_pack(struct tn_text *out, const struct tn_field *f, size_t at,
          const char *member)
{
    struct tn_any_list list, image;
    size_t size = tn_field_size(f);
    memcpy(&list, member, sizeof list);
    image = (struct tn_any_list){.n = list.n, .at = list.at};
    tn_pack_member(out, at, &image, sizeof image);
    size_t images = tn_pack_image(out, list.n * size);
    for (size_t i = 0; i < list.n; i++) {
        const char *item = (const char *) list.items + i * size;
        if (f->type == TN_FIELD_LABELS) {
            label_pack(out, images + i * size, item);
        } else {
            value_pack(out, f, images + i * size, item);
        }
    }
}

static bool
is_list(const struct tn_field *f)
{
    return (f->flags & TN_MANY) || f->type == TN_FIELD_LABELS;
}

static void
object_pack(struct tn_text *out, const struct tn_object *object, size_t at,
            const char *base)
{
    if (object->at) {
        tn_pack_member(out, at + object->at, base + object->at,
                       sizeof(struct tn_pos));
    }
    for (uint32_t i = 0; i < object->n_fields; i++) {
        const struct tn_field *f = &object->fields[i];
        if (is_list(f)) {
            list_pack(out, f, at + f->offset, base + f->offset);
        } else {
            value_pack(out, f, at + f->offset, base + f->offset);
        }
    }
}

void
tn_document_pack(struct tn_text *out, const struct tn_document *document)
{
    const struct tn_object *spec = &tn_kind_table(document->kind)->spec;
    const uint32_t kind = document->kind;
    tn_text_addn(out, (const char *) &kind, sizeof kind);
    size_t at = tn_pack_image(out, spec->size);
    tn_pack_member(out, at + offsetof(struct tn_meta, at), &document->meta->at,
                   sizeof document->meta->at);
    object_pack(out, &tn_metadata, at, document->as.any);
    object_pack(out, spec, at, document->as.any);
}

static bool object_unpack(struct tn_unpacker *u, const struct tn_object *object,
                          char *base);

/* Text that has a place and no value, or the reverse, was never written. */
static bool
text_unpack(struct tn_unpacker *u, struct tn_vtext *text)
{
    return tn_unpack_text(u, &text->v) && !text->v == !text->at.line;
}

static bool
uint_ok(const struct tn_field *f, const struct tn_vuint *v)
{
    return v->at.line ? v->v >= f->min && v->v <= f->max : v->v == 0;
}

static bool
addr_ok(const struct tn_vaddr *v)
{
    return tn_pack_addr_ok(&v->v) && !tn_addr_present(&v->v) == !v->at.line;
}

static bool
cidr_ok(const struct tn_vcidr *v)
{
    return tn_pack_cidr_ok(&v->v) &&
           !tn_addr_present(&v->v.addr) == !v->at.line;
}

static bool
value_unpack(struct tn_unpacker *u, const struct tn_field *f, void *value)
{
    switch (f->type) {
    case TN_FIELD_TEXT:
        return text_unpack(u, value);
    case TN_FIELD_UINT:
        return uint_ok(f, value);
    case TN_FIELD_BOOL:
        return tn_pack_bool_ok(&((struct tn_vbool *) value)->v);
    case TN_FIELD_ADDR:
        return addr_ok(value);
    case TN_FIELD_CIDR:
        return cidr_ok(value);
    case TN_FIELD_WORD:
        return ((struct tn_venum *) value)->v < f->n_words;
    case TN_FIELD_OBJECT:
        return object_unpack(u, f->object, value);
    case TN_FIELD_LABELS: {
        struct tn_meta_label *label = value;
        return text_unpack(u, &label->key) && text_unpack(u, &label->value);
    }
    case TN_FIELD_MAC:
    case TN_FIELD_RANGE:
        return true;
    }
    return false;
}

/* Whether a required field of the struct at 'base' has a value. */
static bool
is_given(const struct tn_field *f, const char *base)
{
    const void *member = base + f->offset;
    if (f->flags & TN_MANY) {
        struct tn_any_list list;
        memcpy(&list, member, sizeof list);
        return list.n >= f->min_items;
    }
    if (f->type == TN_FIELD_TEXT) {
        return ((const struct tn_vtext *) member)->v != NULL;
    }
    if (f->type == TN_FIELD_ADDR) {
        return tn_addr_present(&((const struct tn_vaddr *) member)->v);
    }
    if (f->type == TN_FIELD_CIDR) {
        return tn_addr_present(&((const struct tn_vcidr *) member)->v.addr);
    }
    return true;
}

static bool
list_unpack(struct tn_unpacker *u, const struct tn_field *f, char *member)
{
    struct tn_any_list list;
    size_t size = tn_field_size(f);
    memcpy(&list, member, sizeof list);
    if (list.n == 0) {
        list.items = NULL;
        memcpy(member, &list, sizeof list);
        return true;
    }
    char *items = tn_unpack_images(u, list.n, size);
    if (!items) {
        return false;
    }
    list.items = items;
    memcpy(member, &list, sizeof list);
    for (size_t i = 0; i < list.n; i++) {
        if (!value_unpack(u, f, items + i * size)) {
            return false;
        }
    }
    return true;
}

static bool
object_unpack(struct tn_unpacker *u, const struct tn_object *object, char *base)
{
    for (uint32_t i = 0; i < object->n_fields; i++) {
        const struct tn_field *f = &object->fields[i];
        if (is_list(f) ? !list_unpack(u, f, base + f->offset)
                       : !value_unpack(u, f, base + f->offset)) {
            return false;
        }
        if ((f->flags & TN_REQUIRED) && !is_given(f, base)) {
            return false;
        }
    }
    return true;
}

bool
tn_document_unpack(struct tn_arena *arena, const void *bytes, size_t n,
                   const char *path, struct tn_document *out)
{
    struct tn_unpacker u = {.arena = arena, .next = bytes};
    uint32_t kind = TN_N_KINDS;
    u.end = u.next + n;
    if (!tn_unpack_image(&u, &kind, sizeof kind) || kind >= TN_N_KINDS) {
        return false;
    }
    const struct tn_object *spec = &tn_kind_table((enum tn_kind) kind)->spec;
    char *body = tn_unpack_images(&u, 1, spec->size);
    if (!body || !object_unpack(&u, &tn_metadata, body) ||
        !object_unpack(&u, spec, body) || u.next != u.end) {
        return false;
    }
    struct tn_meta *meta = (void *) body;
    meta->path = path;
    *out = (struct tn_document){
        .kind = (enum tn_kind) kind, .meta = meta, .as = {.any = body}};
    return true;
}

static uint64_t
object_id(const struct tn_object *object)
{
    uint64_t id = tn_hash64(&object->size, sizeof object->size);
    for (uint32_t i = 0; i < object->n_fields; i++) {
        const struct tn_field *f = &object->fields[i];
        const uint64_t parts[] = {
            id,
            tn_hash64(f->name, strlen(f->name)),
            (uint64_t) f->type,
            f->flags,
            f->offset,
            f->n_words,
            object->at,
            f->object ? object_id(f->object) : 0,
        };
        id = tn_hash64(parts, sizeof parts);
    }
    return id;
}

uint64_t
tn_document_layout_id(void)
{
    uint64_t id = object_id(&tn_metadata);
    for (unsigned k = 0; k < TN_N_KINDS; k++) {
        const uint64_t parts[] = {
            id, object_id(&tn_kind_table((enum tn_kind) k)->spec)};
        id = tn_hash64(parts, sizeof parts);
    }
    return id;
}
