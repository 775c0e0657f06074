/* scaffold.h - a new intent repository.
 *
 * The files are those of reconciler/scaffold/files, the policies that tenet
 * ships and the pipelines of docs/ci: built into the program, each kept in one
 * place only. */
#ifndef TN_SCAFFOLD_SCAFFOLD_H
#define TN_SCAFFOLD_SCAFFOLD_H

#include "model/base/error.h"
#include "model/base/text.h"

struct tn_scaffold {
    const char *dir;   /* Made if it is not there; else it must be empty, but
                          for '.git'. */
    const char *forge; /* "gitlab", "github", "gitea"; null or "none": no
                          pipeline. */
    const char *name;  /* Of the instance; null: after the directory. */
};

/* Writes all files.  TN_EDENIED if the directory is not empty, TN_EINTENT if
 * there is no such forge.  What was written is left there when a later file
 * fails.  'written' gets one path a line, 'name' the
 * name of the instance. */
enum tn_code tn_scaffold_write(const struct tn_scaffold *scaffold,
                               struct tn_text *written, struct tn_text *name,
                               struct tn_error *err) TN_MUST_USE;

/* One file as it is built in; the list ends with a null 'path'. */
struct tn_scaffold_file {
    const char *path;  /* Where it goes. */
    const char *forge; /* Only for this one; null: for all. */
    const unsigned char *bytes;
    size_t n;
};
extern const struct tn_scaffold_file tn_scaffold_files[];

#endif
