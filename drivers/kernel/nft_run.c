/* nft_run.c - libnftables, and the way into a namespace and back.
 *
 * setns(2) and unshare(2) of a network namespace concern the calling thread
 * only.  A libnftables context opens its sockets where it is made and some
 * later, so the whole run happens inside.  It is loaded when a device is opened
 * (lazy.h): what only compiles needs none of it. */
#include "drivers/kernel/nft_kernel.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <nftables/libnftables.h>

#include "model/base/cleanup.h"
#include "model/base/lazy.h"

#define NFTABLES_CALLS(X)                                                      \
    X(nft_ctx_buffer_error)                                                    \
    X(nft_ctx_buffer_output)                                                   \
    X(nft_ctx_free)                                                            \
    X(nft_ctx_get_error_buffer)                                                \
    X(nft_ctx_get_output_buffer)                                               \
    X(nft_ctx_new)                                                             \
    X(nft_run_cmd_from_buffer)
TN_LAZY(libnftables, NFTABLES_CALLS, TN_SONAME_NFTABLES, TN_PACKAGE_NFTABLES);

/* libnftables keeps tables of its own in globals and does not promise to be
 * thread-safe.  The one mutable object at file scope, for that reason. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

static void
close_context(void *ctx)
{
    pthread_mutex_lock(&library);
    sym_nft_ctx_free(ctx);
    pthread_mutex_unlock(&library);
}

static enum tn_code
leave_home(struct tn_nft_visit *visit, struct tn_error *err)
{
    visit->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (visit->home < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno,
                           "cannot open the own network namespace");
    }
    return TN_OK;
}

enum tn_code
tn_nft_enter(struct tn_nft_visit *visit, int netns, struct tn_error *err)
{
    enum tn_code code = leave_home(visit, err);
    if (code) {
        return code;
    }
    if (setns(netns, CLONE_NEWNET)) {
        code = tn_fail_sys(err, errno == EPERM ? TN_EDENIED : TN_EINTERNAL,
                           errno, "cannot enter the network namespace");
        close(visit->home);
        visit->home = -1;
    }
    return code;
}

void
tn_nft_leave(struct tn_nft_visit *visit)
{
    if (visit->home < 0) {
        return;
    }
    if (setns(visit->home, CLONE_NEWNET)) {
        perror("tenet: cannot return to the own network namespace");
        abort();
    }
    close(visit->home);
    visit->home = -1;
}

enum tn_code
tn_nft_scratch(int *out, struct tn_error *err)
{
    struct tn_nft_visit visit = {-1};
    enum tn_code code = leave_home(&visit, err);
    if (code) {
        return code;
    }
    if (unshare(CLONE_NEWNET)) {
        code = tn_fail_sys(err, errno == EPERM ? TN_EDENIED : TN_EINTERNAL,
                           errno, "cannot make a network namespace");
        close(visit.home);
        return code;
    }
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int sys = errno;
    tn_nft_leave(&visit);
    if (fd < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, sys,
                           "cannot open the new network namespace");
    }
    *out = fd;
    return TN_OK;
}

/* The class of a refusal, by the words that libnftables has for errno. */
static enum tn_code
refusal(const char *words)
{
    static const struct {
        const char *says;
        enum tn_code code;
    } table[] = {
        {"Operation not permitted", TN_EDENIED},
        {"Permission denied", TN_EDENIED},
        {"Operation not supported", TN_EUNSUPPORTED},
        {"Protocol not supported", TN_EUNSUPPORTED},
        {"Device or resource busy", TN_EUNAVAILABLE},
        {"No buffer space available", TN_EUNAVAILABLE},
        {"Interrupted system call", TN_EUNAVAILABLE},
        {"Resource temporarily unavailable", TN_EUNAVAILABLE},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(table); i++) {
        if (strstr(words, table[i].says)) {
            return table[i].code;
        }
    }
    return TN_EINTERNAL;
}

static enum tn_code
run_here(struct nft_ctx *ctx, const char *commands, struct tn_text *out,
         struct tn_error *err)
{
    if (!ctx || sym_nft_ctx_buffer_output(ctx) ||
        sym_nft_ctx_buffer_error(ctx)) {
        return tn_fail(err, TN_EINTERNAL, 0, "cannot start libnftables");
    }
    if (sym_nft_run_cmd_from_buffer(ctx, commands)) {
        const char *words = sym_nft_ctx_get_error_buffer(ctx);
        /* The first two lines: a message, and the command it is about. */
        size_t first = strcspn(words, "\n");
        const char *second = words + first + (words[first] == '\n');
        return tn_fail(err, refusal(words), 0, "nft: %.*s (%.*s)",
                       (int) (first < 400 ? first : 400), words,
                       (int) strcspn(second, "\n"), second);
    }
    if (out) {
        tn_text_add(out, sym_nft_ctx_get_output_buffer(ctx));
    }
    return TN_OK;
}

enum tn_code
tn_nft_run(struct tn_nft_aside *aside, int netns, const char *commands,
           struct tn_text *out, struct tn_error *err)
{
    struct tn_nft_visit visit = {-1};
    enum tn_code code = tn_lazy_load(&libnftables, err);
    if (!code) {
        code = tn_nft_enter(&visit, netns, err);
    }
    if (code) {
        return code;
    }
    pthread_mutex_lock(&library);
    struct nft_ctx *ctx = sym_nft_ctx_new(NFT_CTX_DEFAULT);
    code = run_here(ctx, commands, out, err);
    pthread_mutex_unlock(&library);
    tn_nft_leave(&visit);
    tn_nft_aside_put(aside, ctx, close_context);
    return code;
}

/* By the file itself, which it must be loaded for. */
static void
name_library(struct tn_digester *d)
{
    Dl_info info;
    struct stat st;
    if (!tn_lazy_load(&libnftables, NULL) &&
        dladdr((const void *) (uintptr_t) sym_nft_ctx_new, &info) &&
        info.dli_fname && stat(info.dli_fname, &st) == 0) {
        tn_digester_add_str(d, info.dli_fname);
        tn_digester_add(d, &st.st_size, sizeof st.st_size);
        tn_digester_add(d, &st.st_mtim, sizeof st.st_mtim);
    }
}

struct tn_digest
tn_nft_environment(void)
{
    struct tn_digester d;
    tn_digester_init(&d);
    struct utsname kernel;
    if (uname(&kernel) == 0) {
        tn_digester_add_str(&d, kernel.release);
        tn_digester_add_str(&d, kernel.version);
    }
    /* libnftables does not tell its version.  ldconfig(8) runs whenever a
     * library comes or goes: loading this one, which takes milliseconds, can
     * wait until there is something to do. */
    struct stat st;
    if (getenv("LD_LIBRARY_PATH") || stat("/etc/ld.so.cache", &st)) {
        name_library(&d);
    } else {
        tn_digester_add(&d, &st.st_size, sizeof st.st_size);
        tn_digester_add(&d, &st.st_mtim, sizeof st.st_mtim);
    }
    return tn_digester_end(&d);
}
