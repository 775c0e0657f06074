/* escape.h - other people's words inside Markdown, HTML, XML, URIs and workflow
 * commands.
 *
 * Private to reconciler/review.  All of these first make the text harmless for
 * terminals and readers (tn_show_text of reconciler/plan/show.h): no control
 * character, no line end, no mark of direction, valid UTF-8. */
#ifndef TN_REVIEW_ESCAPE_H
#define TN_REVIEW_ESCAPE_H

#include "model/base/text.h"

/* A Markdown code span.  Inside one there are no mentions, references, quick
 * actions, links or HTML, whatever the text is. */
void tn_esc_code(struct tn_text *out, const char *s);
/* A sentence in Markdown: words that could mean anything to a forge become code
 * spans, the others stay prose.  Not for the start of a line. */
void tn_esc_prose(struct tn_text *out, const char *s);
/* Inside an element of HTML; the caller puts it into <code>. */
void tn_esc_html(struct tn_text *out, const char *s);
/* Content or attribute of XML 1.0. */
void tn_esc_xml(struct tn_text *out, const char *s);
/* A path as a relative URI reference; it does not become absolute. */
void tn_esc_uri(struct tn_text *out, const char *s);
/* The message of a workflow command, or (true) a property of it. */
void tn_esc_command(struct tn_text *out, const char *s, bool property);

#endif
