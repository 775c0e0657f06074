/* value_lab.c - see value_lab.h. */
#include "drivers/ovsdb/value_lab.h"

#include <string.h>

#include "drivers/ovsdb/value.h"

/* Would the text be read as something else, between others? */
static bool
needs_quotes(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char) s[i];
        if (c < ' ' || c >= 0x7f || strchr(",=\"\\", c)) {
            return true;
        }
    }
    return n == 0 || s[0] == ' ' || s[n - 1] == ' ';
}

static void
print_text(struct tn_text *out, const char *s)
{
    if (needs_quotes(s)) {
        tn_text_addc(out, '"');
        tn_text_add_escaped(out, s);
        tn_text_addc(out, '"');
    } else {
        tn_text_add(out, s);
    }
}

static void
print_atom(struct tn_text *out, const json_t *atom)
{
    if (json_is_string(atom)) {
        print_text(out, json_string_value(atom));
    } else if (json_is_integer(atom)) {
        tn_text_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(atom));
    } else if (json_is_real(atom)) {
        tn_text_addf(out, "%.15g", json_real_value(atom));
    } else if (json_is_boolean(atom)) {
        tn_text_add(out, json_is_true(atom) ? "true" : "false");
    } else {
        tn_text_add(out, tn_ovsdb_uuid_of(atom));
    }
}

/* The elements of a set or map; null: it is an atom. */
static const json_t *
elements_of(const json_t *value)
{
    return json_is_array(value) && !tn_ovsdb_uuid_of(value)
               ? json_array_get(value, 1)
               : NULL;
}

void
tn_value_print(struct tn_text *out, const json_t *value)
{
    const json_t *elements = elements_of(value), *e;
    const char *tag = json_string_value(json_array_get(value, 0));
    size_t i;
    if (!elements) {
        print_atom(out, value);
        return;
    }
    json_array_foreach(elements, i, e)
    {
        bool map = strcmp(tag, "map") == 0;
        tn_text_add(out, i ? ", " : "");
        print_atom(out, map ? json_array_get(e, 0) : e);
        if (map) {
            tn_text_addc(out, '=');
            print_atom(out, json_array_get(e, 1));
        }
    }
}

size_t
tn_value_elements(const json_t *value)
{
    const json_t *elements = elements_of(value);
    return elements ? json_array_size(elements) : 1;
}
