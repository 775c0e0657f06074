/* cmd_lock.c - 'tenet lock': pin identifiers beside the documents.
 *
 * Reads the working tree, because that is where it writes: the lock belongs
 * into the same commit as the documents. */
#include "reconciler/cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOCK_BYTES = 16 * 1024 * 1024 };

struct tally {
    size_t written, same, stale;
};

static bool
file_is(const char *path, const struct tn_text *want)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    TN_CLEANUP(tn_cleanup_free) char *have = malloc(want->n + 1);
    if (!f || !have) {
        return false;
    }
    size_t n = fread(have, 1, want->n + 1, f);
    return n == want->n && memcmp(have, tn_text_str(want), n) == 0;
}

/* Beside, fsync, rename: a reader sees the old or the new file. */
static enum tn_code
file_write(struct tn_arena *arena, const char *path, const struct tn_text *text,
           struct tn_error *err)
{
    const char *beside = tn_arena_printf(arena, "%s.new", path);
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                  0644);
    if (fd < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "%s", beside);
    }
    for (size_t done = 0; done < text->n;) {
        ssize_t n = write(fd, text->s + done, text->n - done);
        if (n < 0) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "%s", beside);
        }
        done += (size_t) n;
    }
    if (fsync(fd) || rename(beside, path)) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "%s", path);
    }
    return TN_OK;
}

static enum tn_code
tenant_lock(const struct tn_cli *cli, const char *tenant,
            const struct tn_pin *pins, size_t n, struct tally *tally)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    const char *path = tn_arena_printf(cli->arena, "%s/tenants/%s/tenet.lock",
                                       cli->repo, tenant);
    tn_lock_print(&text, pins, n);
    if (file_is(path, &text)) {
        tally->same++;
        return TN_OK;
    }
    tally->stale++;
    printf("%s tenants/%s/tenet.lock: %zu identifiers\n",
           cli->check ? "stale" : "wrote", tenant, n);
    if (cli->check) {
        return TN_OK;
    }
    enum tn_code code = file_write(cli->arena, path, &text, &err);
    if (code) {
        tn_report_error(cli, &err);
        return code;
    }
    tally->written++;
    return TN_OK;
}

/* The pins are sorted by tenant: each run of them is one file. */
static enum tn_code
tenants_lock(const struct tn_cli *cli, const struct tn_network *net,
             struct tally *tally)
{
    for (size_t i = 0, end = 0; i < net->n_pins; i = end) {
        const char *tenant = net->pins[i].tenant;
        end = i;
        while (end < net->n_pins &&
               strcmp(net->pins[end].tenant, tenant) == 0) {
            end++;
        }
        if (cli->tenant && strcmp(cli->tenant, tenant) != 0) {
            continue;
        }
        enum tn_code code =
            tenant_lock(cli, tenant, net->pins + i, end - i, tally);
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

enum tn_exit
tn_cmd_lock(struct tn_cli *cli)
{
    TN_CLEANUP(tn_cleanup_reconcile) struct tn_reconcile *run = NULL;
    struct tally tally = {0};
    cli->worktree = true;
    enum tn_exit exit = tn_command_open(cli, TN_RUN_NORMAL, &run);
    if (exit != TN_EXIT_OK) {
        return exit;
    }
    tn_report_findings(cli, &run->diags);
    enum tn_code code = tenants_lock(cli, run->network, &tally);
    if (code) {
        return tn_report_exit(code);
    }
    if (tn_command_failed_tenants(run)) {
        return TN_EXIT_INVALID;
    }
    if (tally.stale == 0) {
        printf("All %zu locks are up to date.\n", tally.same);
    }
    return cli->check && tally.stale ? TN_EXIT_DENIED : TN_EXIT_OK;
}
