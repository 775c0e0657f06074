/* trace.h - from a line of intent to the people who wrote it. */
#ifndef TN_PROVENANCE_TRACE_H
#define TN_PROVENANCE_TRACE_H

#include "reconciler/provenance/find.h"
#include "reconciler/source/blame.h"

/* One object of the intent, or what it has become. */
struct tn_trace {
    const struct tn_match_line *line;
    uint32_t last_line;           /* Of the object; see tn_extent(). */
    struct tn_blame_line written; /* Its first line. */
    struct tn_blame_line changed; /* The line of it that came last. */
    const char *changed_text;     /* That line, without what surrounds it. */
    bool several;                 /* 'changed' is not of 'written'. */
    bool cut;                     /* See tn_blame. */
    const char *oldest;           /* Where the search ended, if cut. */
    const struct tn_commit *rev;  /* The intent it is from; null: the one that
                                     was asked for. */
    const struct tn_commit *removed; /* Took it away since; null. */
    const char *problem;             /* Why it cannot be told; null. */
};

/* Where to look. */
struct tn_trace_from {
    const char *repo, *rev;   /* See tn_blame_ask. */
    struct tn_source *source; /* The tree that the lines are of. */
    bool worktree;            /* It is one: its files may not be committed. */
    struct tn_arena *arena;
};

/* Traces 'line'; what cannot be told is said in 'problem'. */
void tn_trace(const struct tn_trace_from *from,
              const struct tn_match_line *line, struct tn_trace *out);

/* What is printed.  Traces beyond 'max' are counted only, and so are the
 * matches of a line beyond 'max_matches'. */
struct tn_trace_print {
    const char *query;
    const char *source; /* "commit 1a2b3c4 (...)" */
    const struct tn_trace *traces;
    size_t n, n_all; /* n_all: of those found, 'n' were traced. */
    size_t max_matches;
    bool color;
};
void tn_trace_print_text(struct tn_text *out, const struct tn_trace_print *p);
void tn_trace_print_json(struct tn_text *out, const struct tn_trace_print *p);

#endif
