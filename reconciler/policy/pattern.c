/* pattern.c - see pattern.h.
 *
 * regcomp(3) writes what is repeated as often as it is repeated, 'x+' as 'xx*',
 * and walks through that again for each way to match nothing: intervals that
 * multiply take all memory, and repeated groups in repeated groups all time,
 * also if each is a '+'.  References to what matched make matching itself a
 * search.  So the size that a pattern comes to is counted here; whether it is
 * one at all, regcomp says. */
#include "reconciler/policy/pattern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 32, SIZE = 1000 };

/* A group, or one character. */
struct part {
    unsigned long size;
    bool group, repeats; /* A group in it is repeated. */
};

struct reading {
    struct part open[DEPTH]; /* Groups that have begun; the first is all. */
    size_t depth;
    struct part last;
};

static void
part_add(struct reading *r, const struct part *part)
{
    r->last = *part;
    r->open[r->depth].size += part->size;
    r->open[r->depth].repeats |= part->repeats;
}

/* Behind a bracket expression. */
static const char *
bracket_end(const char *p)
{
    p += p[1] == '^' ? 2 : 1;
    p += *p == ']';
    while (*p && *p != ']') {
        if (*p == '[' && p[1] && strchr(".:=", p[1])) {
            const char end[] = {p[1], ']', '\0'};
            const char *close = strstr(p + 2, end);
            p = close ? close + 1 : p;
        }
        p++;
    }
    return *p ? p : p - 1;
}

/* How often what stands in front of '*p' is written. */
static unsigned long
factor_of(const char *p)
{
    char *end = NULL;
    if (*p != '{') {
        return *p == '+' ? 2 : 1;
    }
    unsigned long least = strtoul(p + 1, &end, 10), most = least;
    if (*end == ',') {
        most = strtoul(end + 1, NULL, 10);
        most = most ? most : least + 1;
    }
    most = most > least ? most : least;
    return most > SIZE ? SIZE + 1 : most ? most : 1;
}

/* To the brace that ends it. */
static size_t
interval_rest(const char *p)
{
    size_t n = 1 + strspn(p + 1, "0123456789,");
    return p[n] == '}' ? n : 0;
}

static const char *
repeat(struct reading *r, const char *p)
{
    unsigned long factor = factor_of(p);
    struct part *all = &r->open[r->depth];
    if (factor > 1 && r->last.group && r->last.repeats) {
        return "a group that is repeated is in one that is: it would take too "
               "long";
    }
    all->size += r->last.size * (factor - 1);
    r->last.size *= factor;
    r->last.repeats = r->last.repeats || (r->last.group && *p != '?');
    all->repeats |= r->last.repeats;
    return all->size > SIZE ? "its repetitions come to over 1000" : NULL;
}

const char *
tn_pattern_excess(const char *pattern)
{
    static const struct part one = {.size = 1};
    struct reading r = {.depth = 0};
    const char *excess = NULL;
    for (const char *p = pattern; *p && !excess; p++) {
        if (*p == '(') {
            if (++r.depth == DEPTH) {
                return "it is nested too deeply";
            }
            r.open[r.depth] = (struct part){.group = true};
        } else if (*p == ')' && r.depth > 0) {
            struct part group = r.open[r.depth--];
            part_add(&r, &group);
        } else if (strchr("*+?{", *p)) {
            excess = repeat(&r, p);
            p += *p == '{' ? interval_rest(p) : 0;
        } else if (*p == '[') {
            p = bracket_end(p);
            part_add(&r, &one);
        } else if (*p == '\\' && p[1]) {
            p++;
            excess = *p >= '1' && *p <= '9' ? "it refers back to what matched"
                                            : NULL;
            part_add(&r, &one);
        } else {
            part_add(&r, &one);
        }
    }
    return excess;
}
