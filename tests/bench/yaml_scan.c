/* yaml_scan.c - the yardstick of the compile bench: read the files of a folder
 * and scan them by bare libyaml events, on one thread, doing nothing else.
 *
 *     yaml_scan DIR      prints "FILES BYTES EVENTS SECONDS" */
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <yaml.h>

struct tally {
    size_t files, bytes, events;
};

static void
scan(const unsigned char *bytes, size_t n, struct tally *tally)
{
    yaml_parser_t parser;
    yaml_event_t event;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, bytes, n);
    for (bool end = false; !end;) {
        if (!yaml_parser_parse(&parser, &event)) {
            fprintf(stderr, "yaml_scan: %s\n", parser.problem);
            exit(1);
        }
        end = event.type == YAML_STREAM_END_EVENT;
        tally->events++;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

static void
file_scan(const char *path, size_t size, struct tally *tally)
{
    FILE *f = fopen(path, "rbe");
    unsigned char *bytes = malloc(size + 1);
    if (!f || !bytes) {
        perror(path);
        exit(1);
    }
    size_t n = fread(bytes, 1, size, f);
    fclose(f);
    scan(bytes, n, tally);
    tally->files++;
    tally->bytes += n;
    free(bytes);
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: yaml_scan DIR\n");
        return 1;
    }
    struct tally tally = {0};
    struct timespec a, b;
    char *roots[] = {argv[1], NULL};
    clock_gettime(CLOCK_MONOTONIC, &a);
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; fts && (e = fts_read(fts));) {
        size_t n = strlen(e->fts_name);
        if (e->fts_info == FTS_F && n > 4 &&
            strcmp(e->fts_name + n - 4, ".yml") == 0) {
            file_scan(e->fts_path, (size_t) e->fts_statp->st_size, &tally);
        }
    }
    if (fts) {
        fts_close(fts);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%zu %zu %zu %.4f\n", tally.files, tally.bytes, tally.events,
           (double) (b.tv_sec - a.tv_sec) +
               (double) (b.tv_nsec - a.tv_nsec) / 1e9);
    return 0;
}
