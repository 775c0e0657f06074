/* replay.c - main() of a fuzz target without libFuzzer.
 *
 * Gives every file named on the command line, and every file of a directory
 * named there, to LLVMFuzzerTestOneInput().  A directory without files is a
 * failure: a corpus that is not found must not look like one that passes. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
cleanup_dir(DIR **dir)
{
    if (*dir) {
        closedir(*dir);
    }
}

static int
replay_file(const char *path)
{
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    struct stat st;
    if (fstat(fileno(f), &st) != 0) {
        return -1;
    }
    /* Exactly sized, so that AddressSanitizer sees a read past the end. */
    size_t n = (size_t) st.st_size;
    uint8_t *bytes = malloc(n ? n : 1);
    bool ok = bytes && fread(bytes, 1, n, f) == n;
    if (ok) {
        LLVMFuzzerTestOneInput(bytes, n);
    }
    free(bytes);
    return ok ? 1 : -1;
}

static int
replay(const char *path)
{
    TN_CLEANUP(cleanup_dir) DIR *dir = opendir(path);
    if (!dir) {
        return replay_file(path);
    }
    int n = 0;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char file[4096];
        if (e->d_name[0] == '.') {
            continue;
        }
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        int done = replay_file(file);
        if (done < 0) {
            return -1;
        }
        n += done;
    }
    return n;
}

int
main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int n = replay(argv[i]);
        if (n < 0) {
            return 1;
        }
        total += n;
    }
    printf("%d files replayed\n", total);
    return total > 0 ? 0 : 1;
}
