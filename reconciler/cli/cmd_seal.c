/* cmd_seal.c - 'tenet seal': secrets that may stand in the repository.
 *
 * Sealing needs the public key only, so whoever knows a secret can commit it;
 * opening needs the other one, which stays on the machines that run tenet.
 * Nothing secret is ever an argument. */
#include "reconciler/cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/base/seal.h"

/* A new file that only its owner reads; one that is there stays as it is. */
static enum tn_code
key_write(const char *path, const struct tn_secret *key, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t n = tn_secret_size(key);
    if (fd < 0) {
        return tn_fail_sys(err, TN_EDENIED, errno, "cannot make %s", path);
    }
    ssize_t wrote = write(fd, tn_secret_peek(key), n);
    if (wrote != (ssize_t) n || fsync(fd)) {
        enum tn_code code = tn_fail_sys(
            err, TN_EINTERNAL, wrote < 0 ? errno : ENOSPC, "writing %s", path);
        (void) unlink(path);
        return code;
    }
    return TN_OK;
}

static enum tn_code
pair_make(const struct tn_cli *cli, const char *path, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *key = NULL;
    TN_CLEANUP(tn_cleanup_text) struct tn_text open = {0};
    const char *beside = tn_arena_printf(cli->arena, "%s.pub", path);
    enum tn_code code = tn_seal_keys_new(&key, &open, err);
    if (!code) {
        code = key_write(path, key, err);
    }
    if (!code) {
        code = tn_file_replace(beside, &open, 0644, err);
    }
    if (!code) {
        printf("%s opens what was sealed with %s. Keep it on the machines that "
               "run tenet,\nand name it there: %s=%s\n",
               path, beside, TN_SEAL_KEY_ENV, path);
    }
    return code;
}

/* Standard input to its end; from a terminal one line that is not shown. */
static enum tn_code
secret_read(struct tn_secret **out, struct tn_error *err)
{
    struct termios shown, hidden;
    bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
    size_t n = 0;
    ssize_t got = 0;
    enum tn_code code = tn_secret_new(TN_SEAL_MAX + 1, out, err);
    if (code) {
        return code;
    }
    if (terminal) {
        fputs("Secret (it is not shown): ", stderr);
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t) ECHO;
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    uint8_t *at = tn_secret_bytes(*out);
    while (n <= TN_SEAL_MAX &&
           (got = read(STDIN_FILENO, at + n, TN_SEAL_MAX + 1 - n)) > 0) {
        n += (size_t) got;
        if (terminal && at[n - 1] == '\n') {
            break;
        }
    }
    if (terminal) {
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    if (got < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "reading the secret");
    }
    tn_secret_cut(*out, n);
    tn_secret_chomp(*out);
    return TN_OK;
}

static enum tn_code
public_read(const char *path, char text[TN_SEAL_KEY_FILE], struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    if (!f) {
        return tn_fail_sys(err, TN_ENOENT, errno, "cannot read %s", path);
    }
    text[fread(text, 1, TN_SEAL_KEY_FILE - 1, f)] = '\0';
    return TN_OK;
}

static enum tn_code
secret_seal(const char *path, const char *purpose, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *secret = NULL;
    TN_CLEANUP(tn_cleanup_text) struct tn_text sealed = {0};
    char open[TN_SEAL_KEY_FILE];
    enum tn_code code = public_read(path, open, err);
    if (!code) {
        code = secret_read(&secret, err);
    }
    if (!code && secret) {
        code = tn_seal(open, purpose, tn_secret_peek(secret),
                       tn_secret_size(secret), &sealed, err);
    }
    if (!code) {
        puts(tn_text_str(&sealed));
    }
    return code;
}

enum tn_exit
tn_cmd_seal(struct tn_cli *cli)
{
    struct tn_error err = {0};
    if (cli->n_args != 2) {
        fputs("tenet seal: it takes two arguments, 'new KEYFILE' or 'PUBLICKEY "
              "PURPOSE'\n",
              stderr);
        return TN_EXIT_ERROR;
    }
    enum tn_code code = strcmp(cli->args[0], "new") == 0
                            ? pair_make(cli, cli->args[1], &err)
                            : secret_seal(cli->args[0], cli->args[1], &err);
    if (code) {
        tn_report_error(cli, &err);
        return TN_EXIT_ERROR;
    }
    return TN_EXIT_OK;
}
