/* policies.c - reads policies/: see policies.h.
 *
 * The rules that the table of the kind cannot say are here: which parameters a
 * built-in rule takes and needs, and that a program has an example that it
 * objects to.  What a policy takes from a shipped one is settled before. */
#include "reconciler/policy/policies.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/text.h"
#include "model/base/time.h"
#include "model/kinds/field.h"
#include "reconciler/policy/content.h"
#include "reconciler/policy/parameters.h"

enum { FILE_BYTES = 1 << 20 };

struct loader {
    struct tn_arena *arena;
    struct tn_findings *findings; /* Null: nobody listens. */
    const struct tn_policies *shipped;
    TN_VEC(struct tn_policy_rule) list;
    size_t n_broken;
};

static void
broken(struct loader *l, struct tn_origin at, const char *rule,
       const char *message, const char *hint)
{
    l->n_broken++;
    if (l->findings) {
        tn_finding_add(l->findings, &(struct tn_finding){
                                        .severity = TN_SEVERITY_DENY,
                                        .rule = TN_RULE_BROKEN,
                                        .message = message,
                                        .hint = hint,
                                        .at = at,
                                        .law = at,
                                        .subject = rule,
                                    });
    }
}

static void
broken_all(struct loader *l, const struct tn_diags *diags)
{
    for (size_t i = 0; i < diags->list.n; i++) {
        const struct tn_diag *d = &diags->list.items[i];
        if (d->severity == TN_ERROR) {
            broken(l, d->at, NULL, d->message, d->hint);
        }
    }
    l->n_broken += diags->list.n == 0;
}

static bool
parameters_given(const struct tn_policy *p)
{
    return p->ports.at.line || p->widest.at.line || p->widest6.at.line ||
           p->prefixes.at.line || p->kinds.at.line || p->pattern.at.line ||
           p->keys.at.line || p->objects.at.line || p->max_vpcs.at.line ||
           p->max_subnets.at.line || p->max_tenant_ports.at.line ||
           p->max_ports.at.line || p->max_rules.at.line ||
           p->max_deletes.at.line || p->max_delete_percent.at.line ||
           p->max_deletes_per_tenant.at.line || p->from.at.line ||
           p->to.at.line || p->protocol.at.line || p->reach.at.line;
}

/* Takes what is not given from the shipped policy. */
static struct tn_policy *
completed(struct tn_arena *arena, const struct tn_policy *own,
          const struct tn_policy *base)
{
    struct tn_policy *p = tn_new(arena, struct tn_policy);
    *p = *own;
    p->use = (struct tn_vtext){0};
    p->builtin = base->builtin;
    p->jq = base->jq;
    p->over = base->over;
    if (!parameters_given(own)) { /* They are about those of the base. */
        p->examples = base->examples;
    }
#define TAKE(member, given)                                                    \
    if (!(given)) {                                                            \
        p->member = base->member;                                              \
    }
    TAKE(description, p->description.at.line)
    TAKE(severity, p->severity.at.line)
    TAKE(message, p->message.at.line)
    TAKE(ports, p->ports.at.line)
    TAKE(widest, p->widest.at.line)
    TAKE(widest6, p->widest6.at.line)
    TAKE(prefixes, p->prefixes.at.line)
    TAKE(kinds, p->kinds.at.line)
    TAKE(pattern, p->pattern.at.line)
    TAKE(keys, p->keys.at.line)
    TAKE(objects, p->objects.at.line)
    TAKE(max_vpcs, p->max_vpcs.at.line)
    TAKE(max_subnets, p->max_subnets.at.line)
    TAKE(max_tenant_ports, p->max_tenant_ports.at.line)
    TAKE(max_ports, p->max_ports.at.line)
    TAKE(max_rules, p->max_rules.at.line)
    TAKE(max_deletes, p->max_deletes.at.line)
    TAKE(max_delete_percent, p->max_delete_percent.at.line)
    TAKE(max_deletes_per_tenant, p->max_deletes_per_tenant.at.line)
    TAKE(from, p->from.at.line)
    TAKE(to, p->to.at.line)
    TAKE(protocol, p->protocol.at.line)
    TAKE(reach, p->reach.at.line)
#undef TAKE
    return p;
}

/* Settles 'use'; null after a finding. */
static const struct tn_policy *
effective(struct loader *l, const struct tn_policy *own,
          const struct tn_policy_rule **base)
{
    const char *path = own->meta.path;
    if (!own->use.v) {
        return own;
    }
    *base = l->shipped ? tn_policies_get(l->shipped, own->use.v) : NULL;
    if (!*base) {
        broken(
            l, tn_at(path, own->use.at), own->meta.name.v,
            tn_arena_printf(l->arena, "tenet ships no policy '%s'", own->use.v),
            "'tenet policy list' names those that it ships");
        return NULL;
    }
    if (own->over.at.line || own->examples.n ||
        ((*base)->doc->jq.v && parameters_given(own))) {
        broken(l, tn_at(path, own->use.at), own->meta.name.v,
               "'over' and 'examples' are those of the policy that is used, "
               "and a jq program has no parameters",
               NULL);
        return NULL;
    }
    return completed(l->arena, own, (*base)->doc);
}

static void
document_take(struct loader *l, const struct tn_document *doc,
              const struct tn_digest *content)
{
    const struct tn_policy_rule *base = NULL;
    struct tn_origin law = tn_at(doc->meta->path, doc->meta->at);
    struct tn_diags diags;
    if (doc->kind != TN_KIND_POLICY) {
        broken(l, law, NULL,
               tn_arena_printf(l->arena, "kind %s has no place in policies/",
                               tn_kind_name(doc->kind)),
               NULL);
        return;
    }
    const struct tn_policy *own = doc->as.policy;
    const struct tn_policy *p = effective(l, own, &base);
    if (!p) {
        return;
    }
    tn_diags_init(&diags, l->arena);
    tn_policy_parameters_check(&(struct tn_check){&diags, doc->meta->path}, p);
    if (diags.n_errors) {
        broken_all(l, &diags);
        return;
    }
    struct tn_digest both[] = {*content, base ? base->content : *content};
    *tn_vec_push(l->arena, &l->list) = (struct tn_policy_rule){
        .name = own->meta.name.v,
        .doc = p,
        .used = base ? base->name : NULL,
        .law = law,
        .program = base ? base->program : tn_at(doc->meta->path, own->jq.at),
        .content = tn_digest_of(both, sizeof both),
    };
}

static void
file_take(struct loader *l, const char *path, const char *bytes, size_t n)
{
    const struct tn_node **docs = NULL;
    size_t n_docs = 0;
    struct tn_diags diags;
    tn_diags_init(&diags, l->arena);
    bool fine = tn_yaml_parse(l->arena, path, bytes, n, TN_YAML_STRICT,
                              &tn_yaml_limits_default, &docs, &n_docs, &diags);
    for (size_t i = 0; i < n_docs; i++) {
        struct tn_document doc;
        bool decoded =
            tn_document_decode(l->arena, path, docs[i], &doc, &diags);
        if (decoded) {
            struct tn_digest content = tn_content_digest(docs[i]);
            document_take(l, &doc, &content);
        }
        fine = fine && decoded;
    }
    if (!fine) {
        broken_all(l, &diags);
    } else if (n_docs == 0) {
        broken(l, (struct tn_origin){path, 1, 1}, NULL,
               "the file holds no document", NULL);
    }
}

static int
rule_cmp(const void *a, const void *b)
{
    const struct tn_policy_rule *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    c = c ? c : tn_strcmp0(x->law.path, y->law.path);
    return c ? c : (x->law.line > y->law.line) - (x->law.line < y->law.line);
}

/* Sorts; of two with one name both are broken, and the first stays. */
static void
finish(struct loader *l, struct tn_policies *out)
{
    struct tn_policy_rule *items = l->list.items;
    size_t n = 0;
    if (l->list.n) {
        qsort(items, l->list.n, sizeof *items, rule_cmp);
    }
    for (size_t i = 0; i < l->list.n; i++) {
        if (n && strcmp(items[n - 1].name, items[i].name) == 0) {
            broken(l, items[i].law, items[i].name,
                   tn_arena_printf(l->arena,
                                   "there are two policies '%s': the other is "
                                   "%s:%u",
                                   items[i].name, items[n - 1].law.path,
                                   items[n - 1].law.line),
                   NULL);
            continue;
        }
        items[n++] = items[i];
    }
    *out = (struct tn_policies){items, n, l->n_broken};
}

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* What stands beside policies and is none. */
static bool
is_bystander(const char *name)
{
    return name[0] == '.' || strncmp(name, "README", 6) == 0 ||
           ends_with(name, ".md");
}

static enum tn_code
entry_take(struct loader *l, struct tn_source *source,
           const struct tn_entry *entry, struct tn_error *err)
{
    const char *path = tn_arena_printf(l->arena, "policies/%s", entry->name);
    struct tn_origin at = {path, 0, 0};
    const char *bytes = NULL;
    size_t n = 0;
    struct tn_error own = {0};
    if (entry->type == TN_ENTRY_OTHER) {
        broken(l, at, NULL, "neither a plain file nor a directory (a link?)",
               NULL);
        return TN_OK;
    }
    if (entry->type == TN_ENTRY_DIR) {
        broken(l, at, NULL, "policies are not read from folders below",
               "move its files to policies/");
        return TN_OK;
    }
    if (!ends_with(entry->name, ".yml") && !ends_with(entry->name, ".yaml")) {
        if (!is_bystander(entry->name)) {
            broken(l, at, NULL,
                   "not read: its name ends neither in .yml nor "
                   "in .yaml",
                   "rename or remove it");
        }
        return TN_OK;
    }
    enum tn_code code = source->ops->read(source, path, &entry->id, FILE_BYTES,
                                          l->arena, &bytes, &n, &own);
    if (code == TN_EINTENT) {
        char text[TN_ERROR_TEXT];
        broken(
            l, at, NULL,
            tn_arena_strdup(l->arena, tn_error_text(&own, text, sizeof text)),
            NULL);
        return TN_OK;
    }
    if (code) {
        *err = own;
        return code;
    }
    file_take(l, path, bytes, n);
    return TN_OK;
}

/* 'policies' at the root, if there is one. */
static enum tn_code
folder_list(struct loader *l, struct tn_source *source,
            struct tn_entry **entries, size_t *n, struct tn_error *err)
{
    struct tn_entry *root = NULL;
    size_t n_root = 0;
    struct tn_origin at = {"policies", 0, 0};
    enum tn_code code =
        source->ops->list(source, "", l->arena, &root, &n_root, err);
    for (size_t i = 0; !code && i < n_root; i++) {
        if (strcmp(root[i].name, "policies") != 0) {
            continue;
        }
        if (root[i].type != TN_ENTRY_DIR) {
            broken(l, at, NULL, "it is no directory", NULL);
            return TN_OK;
        }
        struct tn_error own = {0};
        code =
            source->ops->list(source, "policies", l->arena, entries, n, &own);
        if (code == TN_EINTENT) {
            char text[TN_ERROR_TEXT];
            broken(l, at, NULL,
                   tn_arena_strdup(l->arena,
                                   tn_error_text(&own, text, sizeof text)),
                   NULL);
            return TN_OK;
        }
        if (code) {
            *err = own;
        }
    }
    return code;
}

enum tn_code
tn_policies_load(struct tn_source *source, struct tn_arena *arena,
                 struct tn_policies *out, struct tn_findings *findings,
                 struct tn_error *err)
{
    struct tn_policies shipped = {0};
    struct loader l = {.arena = arena, .findings = findings};
    struct tn_entry *entries = NULL;
    size_t n = 0;
    enum tn_code code = folder_list(&l, source, &entries, &n, err);
    if (!code && n > 0) {
        tn_policies_shipped(arena, &shipped, findings);
        l.shipped = &shipped;
    }
    if (n > TN_POLICIES_FILES) {
        broken(&l, (struct tn_origin){"policies", 0, 0}, NULL,
               "there are too many files", NULL);
        n = TN_POLICIES_FILES;
    }
    for (size_t i = 0; i < n && !code; i++) {
        code = entry_take(&l, source, &entries[i], err);
    }
    if (code) {
        return tn_while(err, code, "policies");
    }
    if (l.list.n > TN_POLICIES_MAX) {
        broken(&l, (struct tn_origin){"policies", 0, 0}, NULL,
               "there are too many policies", NULL);
        l.list.n = TN_POLICIES_MAX;
    }
    finish(&l, out);
    return TN_OK;
}

void
tn_policies_parse(struct tn_arena *arena, const char *path, const char *bytes,
                  size_t n, struct tn_policies *out,
                  struct tn_findings *findings)
{
    struct tn_policies shipped = {0};
    struct loader l = {.arena = arena, .findings = findings};
    tn_policies_shipped(arena, &shipped, findings);
    l.shipped = &shipped;
    file_take(&l, path, bytes, n);
    finish(&l, out);
}

void
tn_policies_shipped(struct tn_arena *arena, struct tn_policies *out,
                    struct tn_findings *findings)
{
    struct loader l = {.arena = arena, .findings = findings};
    for (size_t i = 0; i < tn_n_shipped_files; i++) {
        const struct tn_shipped_file *f = &tn_shipped_files[i];
        file_take(&l, f->path, f->text, f->n);
    }
    finish(&l, out);
}

const struct tn_policy_rule *
tn_policies_get(const struct tn_policies *policies, const char *name)
{
    for (size_t i = 0; i < policies->n; i++) {
        if (strcmp(policies->items[i].name, name) == 0) {
            return &policies->items[i];
        }
    }
    return NULL;
}

const char *
tn_policy_rule_word(const struct tn_policy_rule *rule)
{
    if (rule->doc->jq.v) {
        return "jq";
    }
    return tn_builtin_word((enum tn_builtin) rule->doc->builtin.v);
}

enum tn_severity
tn_policy_rule_severity(const struct tn_policy_rule *rule)
{
    static const enum tn_severity of[] = {
        [TN_POLICY_DENY] = TN_SEVERITY_DENY,
        [TN_POLICY_WARN] = TN_SEVERITY_WARN,
        [TN_POLICY_INFO] = TN_SEVERITY_INFO,
    };
    return of[rule->doc->severity.v];
}
