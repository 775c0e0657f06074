/* validate_ref.c - references by name, and the rules on security groups.
 *
 * A name that is not there is judged only if everything of the tenant could be
 * read; else the true error is the one in the document that could not. */
#include "model/compile/intent.h"

#include "model/base/text.h"

static const char *
nearest_name(struct tn_intent *in, enum tn_kind kind, const char *word)
{
    size_t n = kind == TN_KIND_VPC ? in->n_vpcs : in->n_groups;
    const char **names = tn_new_n(in->arena, const char *, n);
    for (size_t i = 0; i < n; i++) {
        names[i] = kind == TN_KIND_VPC ? in->vpcs[i].doc->meta.name.v
                                       : in->groups[i].doc->meta.name.v;
    }
    return tn_nearest(word, names, n);
}

void *
tn_validate_ref(struct tn_intent *in, const struct tn_intent_file *file,
                const struct tn_vtext *ref, enum tn_kind kind,
                const struct tn_map *map)
{
    void *found = tn_map_get(map, ref->v);
    if (found || in->holes) {
        return found;
    }
    const char *key =
        tn_arena_printf(in->arena, "%s/%s", tn_kind_slug(kind), ref->v);
    if (tn_map_get(&in->broken, key)) {
        return NULL;
    }
    struct tn_diag *d =
        tn_diag(in->diags, TN_ERROR, tn_intent_at(file, ref->at),
                "there is no %s '%s'", tn_kind_name(kind), ref->v);
    const char *near = nearest_name(in, kind, ref->v);
    if (near) {
        d->hint = tn_arena_printf(in->diags->arena, "did you mean '%s'?", near);
    } else if (in->diags->list.n < TN_DIAGS_MAX) {
        *tn_vec_push(in->arena, &in->missing) = (struct tn_part_missing){
            .finding = in->diags->list.n - 1,
            .name = ref->v,
            .group = kind == TN_KIND_SECURITY_GROUP,
        };
    }
    return NULL;
}

void
tn_validate_groups(struct tn_intent *in)
{
    for (size_t i = 0; i < in->n_groups; i++) {
        const struct tn_intent_group *g = &in->groups[i];
        for (size_t k = 0; k < g->doc->rules.n; k++) {
            const struct tn_rule *r = &g->doc->rules.items[k];
            if (r->remote_group.v) {
                tn_validate_ref(in, g->file, &r->remote_group,
                                TN_KIND_SECURITY_GROUP, &in->group_map);
            }
        }
    }
}
