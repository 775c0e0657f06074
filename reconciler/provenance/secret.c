/* secret.c - see secret.h. */
#include "reconciler/provenance/secret.h"

#include <string.h>
#include <strings.h>

static bool
ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcasecmp(name + n - m, end) == 0;
}

bool
tn_is_secret_name(const char *name)
{
    static const char *const parts[] = {
        "password",   "passwd",      "passphrase", "secret",     "token",
        "credential", "private_key", "privatekey", "api_key",    "apikey",
        "access_key", "accesskey",   "community",  "vault_pass", "psk",
    };
    static const char *const ends[] = {"_pass", "_pw", "pass", "pwd"};
    static const char *const harmless[] = {"_file", "file", "_path", "path"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(harmless); i++) {
        if (ends_in(name, harmless[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(parts); i++) {
        if (strcasestr(name, parts[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(ends); i++) {
        if (ends_in(name, ends[i])) {
            return true;
        }
    }
    return false;
}

/* True if something below is a secret. */
static bool
holds_secret(const struct tn_node *value)
{
    bool found = false;
    if (value->type == TN_NODE_LIST) {
        for (size_t i = 0; i < value->list.n && !found; i++) {
            found = holds_secret(value->list.items[i]);
        }
    } else if (value->type == TN_NODE_MAP) {
        for (size_t i = 0; i < value->map.n && !found; i++) {
            found = tn_is_secret_name(value->map.pairs[i].key) ||
                    holds_secret(value->map.pairs[i].value);
        }
    }
    return found;
}

const struct tn_node *
tn_secrets_hide(struct tn_arena *arena, const char *name,
                const struct tn_node *value, const struct tn_node *hidden)
{
    if (tn_is_secret_name(name)) {
        return hidden;
    }
    if (!holds_secret(value)) {
        return value;
    }
    struct tn_node *copy = tn_new(arena, struct tn_node);
    *copy = *value;
    if (value->type == TN_NODE_LIST) {
        const struct tn_node **items =
            tn_new_n(arena, const struct tn_node *, value->list.n);
        for (size_t i = 0; i < value->list.n; i++) {
            items[i] = tn_secrets_hide(arena, "", value->list.items[i], hidden);
        }
        copy->list.items = items;
    } else {
        struct tn_pair *pairs = tn_new_n(arena, struct tn_pair, value->map.n);
        for (size_t i = 0; i < value->map.n; i++) {
            pairs[i] = value->map.pairs[i];
            pairs[i].value =
                tn_secrets_hide(arena, pairs[i].key, pairs[i].value, hidden);
        }
        copy->map.pairs = pairs;
    }
    return copy;
}
