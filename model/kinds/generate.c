/* generate.c - writes what is generated from the tables: docs/kinds/KIND.md
 * and docs/schema/KIND.json.
 *
 *     generate DIR           writes below DIR
 *     generate --check DIR   compares; 1 if anything differs
 *
 * A program of the build, not of the product.  The test 'kinds_docs' runs the
 * check, so that a table cannot change without its page. */
#include "model/kinds/field.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/cleanup.h"

static bool
file_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    if (!f) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    bool ok = fputs(text, f) >= 0;
    ok = fclose(f) == 0 && ok;
    if (!ok) {
        fprintf(stderr, "%s: cannot write\n", path);
    }
    return ok;
}

static bool
file_equals(const char *path, const char *text)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    TN_CLEANUP(tn_cleanup_text) struct tn_text have = {0};
    char buf[4096];
    size_t n = 0;
    while (f && (n = fread(buf, 1, sizeof buf, f)) > 0) {
        tn_text_addn(&have, buf, n);
    }
    if (!f || strcmp(tn_text_str(&have), text) != 0) {
        fprintf(stderr, "%s is out of date: run the target tn_generate_docs\n",
                path);
        return false;
    }
    return true;
}

static bool
file_handle(bool check, const char *dir, const char *name, const char *text)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "%s/%s", dir, name);
    return check ? file_equals(tn_text_str(&path), text)
                 : file_write(tn_text_str(&path), text);
}

static bool
schema_handle(bool check, const char *dir, enum tn_kind kind, const char *slug)
{
    TN_CLEANUP(tn_cleanup_free) char *json = tn_kind_schema_json(kind);
    TN_CLEANUP(tn_cleanup_text) struct tn_text name = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_text_addf(&name, "schema/%s.json", slug);
    tn_text_addf(&text, "%s\n", json);
    return file_handle(check, dir, tn_text_str(&name), tn_text_str(&text));
}

static bool
page_handle(bool check, const char *dir, enum tn_kind kind)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text name = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text page = {0};
    tn_text_addf(&name, "kinds/%s.md", tn_kind_slug(kind));
    tn_kind_reference_print(kind, &page);
    return file_handle(check, dir, tn_text_str(&name), tn_text_str(&page));
}

static void
directory_make(const char *dir, const char *name)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&path, "%s/%s", dir, name);
    (void) mkdir(tn_text_str(&path), 0777);
}

int
main(int argc, char **argv)
{
    bool check = argc == 3 && strcmp(argv[1], "--check") == 0;
    if (argc != 2 && !check) {
        fprintf(stderr, "usage: %s [--check] DIR\n", argv[0]);
        return 2;
    }
    const char *dir = argv[argc - 1];
    if (!check) {
        directory_make(dir, "kinds");
        directory_make(dir, "schema");
    }
    bool ok = schema_handle(check, dir, TN_N_KINDS, "document");
    for (unsigned k = 0; k < TN_N_KINDS; k++) {
        enum tn_kind kind = (enum tn_kind) k;
        ok = schema_handle(check, dir, kind, tn_kind_slug(kind)) && ok;
        ok = page_handle(check, dir, kind) && ok;
    }
    return ok ? 0 : 1;
}
