/* escape_lines.c - reads lines, writes each as the comment of a merge request
 * would show it: for escape_check.py. */
#include <stdio.h>
#include <string.h>

#include "reconciler/review/escape.h"

int
main(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        struct tn_text t = {0};
        tn_text_add(&t, "- **deny** ");
        tn_esc_code(&t, line);
        tn_text_add(&t, ": ");
        tn_esc_prose(&t, line);
        tn_text_add(&t, "\n  hint: ");
        tn_esc_prose(&t, line);
        puts(tn_text_str(&t));
        tn_text_done(&t);
    }
    return 0;
}
