/* value.c - see value.h. */
#include "drivers/ovsdb/value.h"

#include <string.h>

/* json_pack() would do, but reads its format each time. */
static json_t *
pair_new(json_t *first, json_t *second)
{
    json_t *pair = json_array();
    json_array_append_new(pair, first);
    json_array_append_new(pair, second);
    return pair;
}

json_t *
tn_ovsdb_uuid(const char *uuid)
{
    return pair_new(json_string("uuid"), json_string(uuid));
}

json_t *
tn_ovsdb_named_uuid(const char *name)
{
    return pair_new(json_string("named-uuid"), json_string(name));
}

json_t *
tn_ovsdb_set(void)
{
    return pair_new(json_string("set"), json_array());
}

void
tn_ovsdb_set_add(json_t *set, json_t *atom)
{
    json_array_append_new(json_array_get(set, 1), atom);
}

json_t *
tn_ovsdb_map(void)
{
    return pair_new(json_string("map"), json_array());
}

void
tn_ovsdb_map_add(json_t *map, json_t *key, json_t *value)
{
    json_array_append_new(json_array_get(map, 1), pair_new(key, value));
}

const char *
tn_ovsdb_uuid_of(const json_t *atom)
{
    const char *tag = json_string_value(json_array_get(atom, 0));
    return json_array_size(atom) == 2 && tag && strcmp(tag, "uuid") == 0
               ? json_string_value(json_array_get(atom, 1))
               : NULL;
}

bool
tn_ovsdb_is_uuid(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        char c = text[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-'
                 : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return text[36] == '\0';
}
