/* fixture.h - a small intent repository for the tests of compile.
 *
 * Two tenants, 'acme' and 'beta', with the same addresses; three hosts in
 * environment 'lab' and one in 'other'. */
#ifndef TN_COMPILE_FIXTURE_H
#define TN_COMPILE_FIXTURE_H

#include "model/base/text.h"
#include "model/compile/compile.h"

/* Heads of documents, to be joined with what is in them. */
#define V "apiVersion: tenet/v1\n"
#define VPC(name) V "kind: Vpc\nmetadata: {name: " name "}\nspec:\n"
#define PORT(name) "---\n" V "kind: Port\nmetadata: {name: " name "}\nspec: "
#define PEERING(name) "---\n" V "kind: Peering\nmetadata: {name: " name "}\n"

/* One compile and all it left. */
struct tn_fixture {
    struct tn_source *source;
    struct tn_compile_options options;
    struct tn_arena *arena;
    struct tn_diags diags;
    const struct tn_network *network; /* Null if the compile failed. */
    struct tn_compile_stats stats;
    enum tn_code code;
    struct tn_error err;
    struct tn_text text;     /* The network, printed. */
    struct tn_text findings; /* "path:line:col: message (hint)" a line. */
};

/* The repository, not yet compiled. */
void tn_fixture_init(struct tn_fixture *f);
void tn_fixture_done(struct tn_fixture *f);
/* Adds or replaces a file. */
void tn_fixture_add(struct tn_fixture *f, const char *path, const char *text);
/* Compiles, dropping what an earlier compile left. */
void tn_fixture_compile(struct tn_fixture *f);
/* Null if there is no such VPC, tenant, port of the network. */
const struct tn_net_vpc *tn_fixture_vpc(const struct tn_fixture *f,
                                        const char *scope);
const struct tn_tenant_result *tn_fixture_tenant(const struct tn_fixture *f,
                                                 const char *name);
const struct tn_net_port *tn_fixture_port(const struct tn_fixture *f,
                                          const char *scope, const char *port);
/* The number of a subnet; 0 if there is none. */
uint32_t tn_fixture_vni(const struct tn_fixture *f, const char *scope,
                        const char *subnet);
/* True if the scope of a VPC is held back. */
bool tn_fixture_holds(const struct tn_fixture *f, const char *scope);
/* Fails the test unless these were all findings. */
void tn_fixture_expect(const struct tn_fixture *f, const char *findings);
/* Prints the VPCs of one tenant; the caller frees. */
char *tn_fixture_print_tenant(const struct tn_fixture *f, const char *tenant);

#endif
