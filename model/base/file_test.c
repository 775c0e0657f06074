/* file_test.c - replaced whole, or left as it was. */
#include "model/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"

static void
path_in(char *buf, size_t size, const char *dir, const char *name)
{
    snprintf(buf, size, "%s/%s", dir, name);
}

static void
content_is(const char *path, const char *want)
{
    char have[64] = "";
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "r");
    cr_assert_not_null(f);
    size_t n = fread(have, 1, sizeof have - 1, f);
    have[n] = '\0';
    cr_expect_str_eq(have, want);
}

Test(file, directories_are_made_with_what_is_above)
{
    char dir[] = "/tmp/tenet-file.XXXXXX", deep[128];
    struct tn_error err = {0};
    cr_assert_not_null(mkdtemp(dir));
    path_in(deep, sizeof deep, dir, "a/b/c");
    cr_expect_eq(tn_dirs_make(deep, 0700, &err), TN_OK);
    cr_expect_eq(tn_dirs_make(deep, 0700, &err), TN_OK);
    cr_expect_eq(access(deep, F_OK), 0);
    cr_expect_eq(tn_dirs_make("", 0700, &err), TN_ENOENT);
    cr_expect_eq(tn_dirs_make("/dev/null/x", 0700, &err), TN_EINTERNAL);
    cr_expect_eq(tn_dirs_make("/dev/null", 0700, &err), TN_EINTERNAL);
}

Test(file, replaced_whole_with_the_mode_asked_for)
{
    char dir[] = "/tmp/tenet-file.XXXXXX", path[128];
    struct tn_error err = {0};
    struct stat st;
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    cr_assert_not_null(mkdtemp(dir));
    path_in(path, sizeof path, dir, "file");
    tn_text_add(&text, "one");
    cr_assert_eq(tn_file_replace(path, &text, 0600, &err), TN_OK);
    content_is(path, "one");
    cr_expect_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    tn_text_add(&text, "two");
    cr_assert_eq(tn_file_replace(path, &text, 0644, &err), TN_OK);
    content_is(path, "onetwo");
}

Test(file, a_failure_leaves_the_old_file)
{
    char dir[] = "/tmp/tenet-file.XXXXXX", path[128];
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    cr_assert_not_null(mkdtemp(dir));
    path_in(path, sizeof path, dir, "sub");
    cr_assert_eq(mkdir(path, 0700), 0);
    tn_text_add(&text, "x");
    cr_expect_neq(tn_file_replace(path, &text, 0600, &err), TN_OK);
    cr_expect_eq(rmdir(path), 0, "the directory in the way is still empty");
    path_in(path, sizeof path, dir, "no/such/place");
    cr_expect_neq(tn_file_replace(path, &text, 0600, &err), TN_OK);
    cr_expect_eq(rmdir(dir), 0, "nothing was left beside");
}

Test(file, sweeps_what_a_crash_left)
{
    static const struct {
        const char *name;
        bool stays;
    } rows[] = {
        {"accepted", true},           {"accepted.a1B2c3", false},
        {"accepted.mej9q5", false},   {"modes.json", true},
        {"modes.json.abcdef", false}, {"other.abcdef", true},
        {"accepted.abc-ef", true},    {"accepted.abcdefg", true},
    };
    char dir[] = "/tmp/tenet-file.XXXXXX", path[128];
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    cr_assert_not_null(mkdtemp(dir));
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        path_in(path, sizeof path, dir, rows[i].name);
        cr_assert_eq(tn_file_replace(path, &text, 0600, &err), TN_OK);
    }
    path_in(path, sizeof path, dir, "accepted.living");
    TN_CLEANUP(tn_cleanup_fd) int fd = open(path, O_RDWR | O_CREAT, 0600);
    cr_assert_eq(flock(fd, LOCK_SH | LOCK_NB), 0);
    tn_files_sweep(dir);
    tn_files_sweep("/no/such/place");
    cr_expect_eq(unlink(path), 0, "its writer lives");
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        path_in(path, sizeof path, dir, rows[i].name);
        cr_expect_eq(access(path, F_OK) == 0, rows[i].stays, "%s",
                     rows[i].name);
        unlink(path);
    }
    cr_expect_eq(rmdir(dir), 0);
}
