/* lazy.c - dlopen(3) and dlsym(3) behind one lock a library.
 *
 * The library is bound at once, so that a damaged one is found here and not in
 * the middle of a request; locally, so that its names do not meet those of
 * others; and never unloaded, since libraries leave threads and handlers
 * behind. dlsym() searches what the library itself is linked with, too: libssl
 * gives the functions of libcrypto. */
#include "model/base/lazy.h"

#include <dlfcn.h>
#include <string.h>

static enum tn_code
missing(const struct tn_lazy *library, struct tn_error *err)
{
    /* glibc's text begins with the library and ends with the function. */
    const char *why = dlerror();
    const char *deb = library->package;
    return tn_fail(err, TN_EUNSUPPORTED, 0, "%s%s%s%s",
                   why ? why : library->soname, *deb ? " (Debian package " : "",
                   deb, *deb ? ")" : "");
}

static enum tn_code
load(const struct tn_lazy *library, struct tn_error *err)
{
    void *handle =
        dlopen(library->soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        return missing(library, err);
    }
    for (size_t i = 0; i < library->n_symbols; i++) {
        const struct tn_lazy_symbol *s = &library->symbols[i];
        void *address = dlsym(handle, s->name);
        if (!address) {
            return missing(library, err);
        }
        /* A pointer to a function has the size of any other, but not its
         * type. */
        memcpy(s->pointer, &address, sizeof address);
    }
    __atomic_store_n(&library->state->loaded, true, __ATOMIC_RELEASE);
    return TN_OK;
}

enum tn_code
tn_lazy_load(const struct tn_lazy *library, struct tn_error *err)
{
    if (__atomic_load_n(&library->state->loaded, __ATOMIC_ACQUIRE)) {
        return TN_OK;
    }
    enum tn_code code = TN_OK;
    pthread_mutex_lock(&library->state->lock);
    if (!library->state->loaded) {
        code = load(library, err);
    }
    pthread_mutex_unlock(&library->state->lock);
    return code;
}
