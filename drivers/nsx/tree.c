/* tree.c - see tree.h.
 *
 * Paths are pairs of a collection and an id; "infra" below a project is the one
 * word that stands alone.  Nodes are put in by path, so that parents come
 * before what they hold. */
#include "drivers/nsx/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/nsx/part.h"
#include "model/base/text.h"

/* Collections and what they hold, for parents and for answers that do not say
 * paths; 'below' tells those apart that share a word. */
static const struct {
    const char *collection, *below, *type;
} types[] = {
    {"ports", "subnets", "VpcSubnetPort"},
    {"ports", "segments", "SegmentPort"},
    {"security-policies", NULL, "SecurityPolicy"},
    {"gateway-policies", NULL, "GatewayPolicy"},
    {"static-routes", NULL, "StaticRoutes"},
    {"nat-rules", NULL, "PolicyNatRule"},
    {"nat", NULL, "PolicyNat"},
    {"segments", NULL, "Segment"},
    {"rules", NULL, "Rule"},
    {"groups", NULL, "Group"},
    {"services", NULL, "Service"},
    {"service-entries", NULL, "ServiceEntry"},
    {"domains", NULL, "Domain"},
    {"locale-services", NULL, "LocaleServices"},
    {"tier-1s", NULL, "Tier1"},
    {"tier-0s", NULL, "Tier0"},
    {"subnets", NULL, "VpcSubnet"},
    {"vpcs", NULL, "Vpc"},
    {"projects", NULL, "Project"},
    {"orgs", NULL, "Org"},
    {"attachments", NULL, "VpcAttachment"},
    {"dhcp-server-configs", NULL, "DhcpServerConfig"},
    {"dhcp-relay-configs", NULL, "DhcpRelayConfig"},
    {"dhcp-static-binding-configs", NULL, "DhcpStaticBindingConfig"},
    {"segment-security-profile-binding-maps", NULL,
     "SegmentSecurityProfileBindingMap"},
    {"segment-discovery-profile-binding-maps", NULL,
     "SegmentDiscoveryProfileBindingMap"},
    {"segment-qos-profile-binding-maps", NULL, "SegmentQosProfileBindingMap"},
    {"port-security-profile-binding-maps", NULL,
     "PortSecurityProfileBindingMap"},
    {"port-discovery-profile-binding-maps", NULL,
     "PortDiscoveryProfileBindingMap"},
    {"port-qos-profile-binding-maps", NULL, "PortQosProfileBindingMap"},
    {"segment-security-profiles", NULL, "SegmentSecurityProfile"},
    {"ip-discovery-profiles", NULL, "IPDiscoveryProfile"},
    {"mac-discovery-profiles", NULL, "MacDiscoveryProfile"},
    {"interfaces", NULL, "Tier1Interface"},
    {"ip-pools", NULL, "IpAddressPool"},
    {"ip-blocks", NULL, "IpAddressBlock"},
    {"ip-subnets", NULL, "IpAddressPoolSubnet"},
};

/* What must be asked for so that an answer has a place for it. */
static const struct {
    const char *type, *above;
} places[] = {
    {"Group", "Domain"},
    {"SecurityPolicy", "Domain"},
    {"GatewayPolicy", "Domain"},
    {"Rule", "SecurityPolicy"},
    {"StaticRoutes", "Tier1"},
    {"LocaleServices", "Tier1"},
    {"Tier1Interface", "LocaleServices"},
    {"PolicyNat", "Tier1"},
    {"PolicyNatRule", "PolicyNat"},
    {"SegmentPort", "Segment"},
    {"DhcpStaticBindingConfig", "Segment"},
    {"SegmentSecurityProfileBindingMap", "Segment"},
    {"SegmentDiscoveryProfileBindingMap", "Segment"},
    {"SegmentQosProfileBindingMap", "Segment"},
    {"VpcSubnetPort", "VpcSubnet"},
    {"VpcSubnet", "Vpc"},
    {"VpcAttachment", "Vpc"},
    {"Vpc", "Project"},
    {"Project", "Org"},
};

/* ---- paths ---- */

/* Start of the word before 'end'; 'end' points at its slash or at the end. */
static const char *
word_before(const char *path, const char *end)
{
    while (end > path && end[-1] != '/') {
        end--;
    }
    return end;
}

static bool
word_is(const char *word, const char *end, const char *text)
{
    size_t n = strlen(text);
    return (size_t) (end - word) == n && memcmp(word, text, n) == 0;
}

/* Where the path of the parent ends: a slash in 'path', or its begin. */
static const char *
parent_end(const char *path)
{
    const char *end = path + strlen(path);
    const char *word = word_before(path, end);
    if (word == path) {
        return path;
    }
    if (!word_is(word, end, "infra")) {
        word = word_before(path, word - 1);
    }
    return word > path ? word - 1 : path;
}

const char *
tn_nsx_path_parent(struct tn_arena *arena, const char *path)
{
    return tn_arena_strndup(arena, path, (size_t) (parent_end(path) - path));
}

const char *
tn_nsx_path_type(const char *path)
{
    const char *end = path + strlen(path);
    const char *word = word_before(path, end);
    if (word_is(word, end, "infra")) {
        return "Infra";
    }
    if (word <= path + 1) {
        return NULL;
    }
    const char *collection = word_before(path, word - 1);
    const char *up = parent_end(path);
    const char *id = up > path ? word_before(path, up) : path;
    const char *above = id > path + 1 ? word_before(path, id - 1) : path;
    for (size_t i = 0; i < TN_ARRAY_SIZE(types); i++) {
        if (word_is(collection, word - 1, types[i].collection) &&
            (!types[i].below ||
             (id > above && word_is(above, id - 1, types[i].below)))) {
            return types[i].type;
        }
    }
    return NULL;
}

bool
tn_nsx_path_within(const char *path, const char *above)
{
    size_t n = strlen(above);
    return strncmp(path, above, n) == 0 && path[n] == '/';
}

int
tn_nsx_path_cmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    int x = *a == '/' ? 1 : (unsigned char) *a;
    int y = *b == '/' ? 1 : (unsigned char) *b;
    return x - y;
}

const char *
tn_nsx_type_above(const char *type)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(places); i++) {
        if (strcmp(places[i].type, type) == 0) {
            return places[i].above;
        }
    }
    return NULL;
}

const char *
tn_nsx_type_collection(const char *type)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(types); i++) {
        if (strcmp(types[i].type, type) == 0) {
            return types[i].collection;
        }
    }
    return NULL;
}

const char *
tn_nsx_root_url(struct tn_arena *arena, const char *root)
{
    return tn_arena_printf(arena, "/policy/api/v1%s",
                           *root ? root : "/org-root");
}

/* ---- to one body ---- */

struct building {
    struct tn_arena *arena;
    struct tn_map at; /* Path -> the object that has its children. */
    json_t *root;
    struct tn_error *err;
};

static json_t *
children_of(json_t *holder)
{
    json_t *children = json_object_get(holder, "children");
    if (!children) {
        children = json_array();
        json_object_set_new(holder, "children", children);
    }
    return children;
}

/* The object that has the children of 'path'; null: 'err' says why.
 * NOLINTNEXTLINE(misc-no-recursion): bounded by 'depth'. */
static json_t *
holder(struct building *b, const char *path, unsigned depth)
{
    json_t *known = tn_map_get(&b->at, path);
    const char *type = *path ? tn_nsx_path_type(path) : NULL;
    if (known) {
        return known;
    }
    if (!type || depth == 0) {
        (void) !tn_fail(b->err, TN_EINTERNAL, 0,
                        "'%s' is not a path that can be written", path);
        return NULL;
    }
    json_t *up = holder(b, tn_nsx_path_parent(b->arena, path), depth - 1);
    if (!up) {
        return NULL;
    }
    json_t *ref =
        json_pack("{s:s, s:s, s:s}", "resource_type", "ChildResourceReference",
                  "id", tn_nsx_path_id(path), "target_type", type);
    json_array_append_new(children_of(up), ref);
    (void) tn_map_put(&b->at, path, ref);
    return ref;
}

static enum tn_code
put(struct building *b, struct tn_nsx_node *node)
{
    json_t *up =
        holder(b, tn_nsx_path_parent(b->arena, node->path), TN_NSX_DEPTH);
    bool gone = !node->body;
    json_t *body = node->body;
    node->body = NULL;
    if (!up) {
        json_decref(body);
        return TN_EINTERNAL;
    }
    if (gone) {
        body = json_pack("{s:s, s:s}", "resource_type", node->type, "id",
                         tn_nsx_path_id(node->path));
        if (node->revision >= 0) {
            json_object_set_new(body, "_revision",
                                json_integer(node->revision));
        }
    }
    json_t *wrapper = json_pack("{s:o, s:b}", "resource_type",
                                json_sprintf("Child%s", node->type),
                                "marked_for_delete", (int) gone);
    json_object_set_new(wrapper, node->type, body);
    json_array_append_new(children_of(up), wrapper);
    (void) tn_map_put(&b->at, node->path, body);
    return TN_OK;
}

static int
node_cmp(const void *a, const void *b)
{
    const struct tn_nsx_node *x = a, *y = b;
    return tn_nsx_path_cmp(x->path, y->path);
}

enum tn_code
tn_nsx_tree(const char *root, struct tn_nsx_node *nodes, size_t n, json_t **out,
            struct tn_error *err)
{
    struct tn_arena *arena = tn_arena_new();
    struct building b = {.arena = arena, .err = err};
    enum tn_code code = TN_OK;
    const char *gone = NULL;
    b.root = json_pack("{s:s}", "resource_type", *root ? "Infra" : "OrgRoot");
    tn_map_init(&b.at, arena, n);
    (void) tn_map_put(&b.at, root, b.root);
    if (n) {
        qsort(nodes, n, sizeof *nodes, node_cmp);
    }
    for (size_t i = 0; i < n; i++) {
        bool with_parent = gone && tn_nsx_path_within(nodes[i].path, gone);
        if (code || with_parent) {
            json_decref(nodes[i].body);
            nodes[i].body = NULL;
            continue;
        }
        gone = nodes[i].body ? gone : nodes[i].path;
        code = put(&b, &nodes[i]);
    }
    tn_arena_free(arena);
    if (code) {
        json_decref(b.root);
        return code;
    }
    *out = b.root;
    return TN_OK;
}

/* ---- from an answer ---- */

void
tn_nsx_leaves_init(struct tn_nsx_leaves *leaves, struct tn_arena *arena)
{
    *leaves = (struct tn_nsx_leaves){.arena = arena};
    tn_map_init(&leaves->of, arena, 0);
}

void
tn_nsx_leaf_add(struct tn_nsx_leaves *l, const char *path, const char *type,
                const json_t *json)
{
    const char *said = json_string_value(json_object_get(json, "path"));
    const char *its = json_string_value(json_object_get(json, "resource_type"));
    path = said && *said == '/' ? said : path;
    if (!path || tn_map_get(&l->of, path) ||
        json_is_true(json_object_get(json, "marked_for_delete"))) {
        return;
    }
    *tn_vec_push(l->arena, &l->all) =
        (struct tn_nsx_leaf){path, its ? its : type, json};
    (void) tn_map_put(&l->of, path, (void *) (uintptr_t) json);
}

/* Where an object is that does not say so. */
static const char *
path_of(struct tn_nsx_leaves *l, const char *parent, const char *type,
        const json_t *json)
{
    const char *said = json_string_value(json_object_get(json, "path"));
    const char *id = json_string_value(json_object_get(json, "id"));
    const char *collection = type ? tn_nsx_type_collection(type) : NULL;
    if (said && *said == '/') {
        return said;
    }
    if (tn_streq(type, "Infra")) {
        return tn_arena_printf(l->arena, "%s/infra", parent);
    }
    return id && collection
               ? tn_arena_printf(l->arena, "%s/%s/%s", parent, collection, id)
               : NULL;
}

/* The object in a wrapper, and its type; null: it is a reference. */
static const json_t *
unwrapped(const json_t *child, const char **type)
{
    const char *name;
    json_t *value;
    const char *as = json_string_value(json_object_get(child, "resource_type"));
    if (tn_streq(as, "ChildResourceReference")) {
        *type = json_string_value(json_object_get(child, "target_type"));
        return NULL;
    }
    if (as && strncmp(as, "Child", 5) == 0 &&
        json_is_object(json_object_get(child, as + 5))) {
        *type = as + 5;
        return json_object_get(child, as + 5);
    }
    json_object_foreach((json_t *) (uintptr_t) child, name, value)
    {
        if (json_is_object(value)) {
            *type = name;
            return value;
        }
    }
    *type = as;
    return child; /* Not wrapped at all. */
}

/* Entries of services come as children, too. */
static void
add_entry(const json_t *service, json_t *entry)
{
    json_t *entries = json_object_get(service, "service_entries"), *have;
    const char *id = json_string_value(json_object_get(entry, "id"));
    size_t i;
    json_array_foreach(entries, i, have)
    {
        if (tn_streq(json_string_value(json_object_get(have, "id")), id)) {
            return;
        }
    }
    if (!entries) {
        entries = json_array();
        json_object_set_new((json_t *) (uintptr_t) service, "service_entries",
                            entries);
    }
    json_array_append(entries, entry);
}

static void
add_rules(struct tn_nsx_leaves *l, const char *policy, const json_t *json)
{
    const json_t *rules = json_object_get(json, "rules"), *rule;
    size_t i;
    json_array_foreach(rules, i, rule)
    {
        if (json_is_object(rule) && policy) {
            tn_nsx_leaf_add(l, path_of(l, policy, "Rule", rule), "Rule", rule);
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by 'depth'. */
static enum tn_code
add_children(struct tn_nsx_leaves *l, const char *path, const json_t *holder,
             unsigned depth, struct tn_error *err)
{
    const json_t *children = json_object_get(holder, "children"), *child;
    size_t i;
    if (depth == 0 && json_array_size(children)) {
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "an answer of NSX is nested too deeply");
    }
    json_array_foreach(children, i, child)
    {
        const char *type = NULL;
        const json_t *object = unwrapped(child, &type);
        const json_t *one = object ? object : child;
        const char *at = path_of(l, path, type, one);
        if (json_is_true(json_object_get(child, "marked_for_delete")) ||
            !json_is_object(one)) {
            continue;
        }
        if (object && tn_streq(type, "ServiceEntry")) {
            add_entry(holder, (json_t *) (uintptr_t) object);
        } else if (object) {
            tn_nsx_leaf_add(l, at, type, object);
            add_rules(l, at, object);
        }
        enum tn_code code =
            add_children(l, at ? at : path, one, depth - 1, err);
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

enum tn_code
tn_nsx_leaves_add(struct tn_nsx_leaves *leaves, const char *root,
                  const json_t *answer, struct tn_error *err)
{
    return add_children(leaves, root, answer, TN_NSX_DEPTH, err);
}
