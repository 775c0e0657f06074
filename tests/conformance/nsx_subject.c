/* nsx_subject.c - the NSX driver under conformance.
 *
 * Each test has a simulated manager of its own, tied to it, whose delays are
 * short: of purges, of realisation.  Hands that are not tenet's go through its
 * REST interface (nsx_hands.py). */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "drivers/nsx/nsx.h"
#include "drivers/nsx/object.h"
#include "tests/conformance/conformance.h"
#include "tests/support/ovsdb_server.h"

enum { READY_MS = 60000 };

struct world {
    char *dir, *ready;
    struct tn_peer simulator;
    json_t *lab;
};

static json_t *
ready_wait(const struct world *w)
{
    int64_t end = tn_peer_now_ms() + READY_MS;
    json_t *lab = NULL;
    while (!lab && tn_peer_now_ms() < end) {
        usleep(20000);
        lab = json_load_file(w->ready, 0, NULL);
    }
    cr_assert_not_null(lab, "the simulator does not start");
    return lab;
}

static void *
setup(void)
{
    struct world *w = calloc(1, sizeof *w);
    cr_assert_not_null(w);
    w->dir = tn_peer_dir();
    w->ready = tn_format("%s/ready", w->dir);
    char *command = tn_format(
        "exec python3 tests/nsx/nsx_simulator.py --tied --ca %s --ready %s "
        "--set purge_delay=0.2 --set realise_delay=0.05 "
        "--set entities_delay=0.01 --set client_rate=0 >%s/log 2>&1",
        w->dir, w->ready, w->dir);
    const char *const argv[] = {"sh", "-c", command, NULL};
    w->simulator = tn_peer_start(argv, 0);
    free(command);
    w->lab = ready_wait(w);
    return w;
}

static void
teardown(void *world)
{
    struct world *w = world;
    tn_peer_stop(&w->simulator, SIGKILL);
    tn_peer_remove(w->dir);
    json_decref(w->lab);
    free(w->ready);
    free(w);
}

static const char *
lab(const struct world *w, const char *name)
{
    return json_string_value(json_object_get(w->lab, name));
}

static void
host_vars(void *world, const char *host, struct tn_text *out)
{
    (void) world;
    (void) host;
    tn_text_add(out, "tenet_nsx: manager\n");
}

static void
hosts(void *world, struct tn_text *out)
{
    const struct world *w = world;
    tn_text_addf(
        out,
        "    manager:\n"
        "      tenet_driver: nsx\n"
        "      tenet_nsx_url: %s\n"
        "      tenet_nsx_user: %s\n"
        "      tenet_nsx_password_file: %s\n"
        "      tenet_nsx_ca: %s\n"
        "      tenet_nsx_edge_cluster: "
        "/infra/sites/default/enforcement-points/default/"
        "edge-clusters/95196903-6b8a-4276-a7c4-387263e834fd\n"
        "      tenet_nsx_rate: 1000\n"
        "      tenet_nsx_poll: 1\n"
        "      tenet_nsx_wait: 30\n",
        json_string_value(json_array_get(json_object_get(w->lab, "urls"), 0)),
        lab(w, "user"), lab(w, "password_file"), lab(w, "ca"));
}

/* What a hand prints; malloc'ed. */
static char *
hand(const struct world *w, const char *what, const char *a, const char *b,
     const char *c)
{
    return TN_RUN("python3", "tests/conformance/nsx_hands.py", w->ready, what,
                  a, b, c);
}

static const char *
path_of(const struct tn_state *state, const char *key)
{
    const struct tn_resource *r = tn_state_get(state, key);
    cr_assert_not_null(r, "there is no %s", key);
    return ((const struct tn_nsx_object *) r->native)->path;
}

/* A network of somebody else's; then things in ours. */
static void
foreign_make(void *world, const struct tn_device *device,
             const struct tn_state *applied)
{
    (void) device;
    free(applied ? hand(world, "foreign",
                        path_of(applied, "acme/web/segment/front"),
                        path_of(applied, "acme/web/router"),
                        path_of(applied, "acme/web/policy/web"))
                 : hand(world, "foreign", NULL, NULL, NULL));
}

static void
foreign_dump(void *world, const struct tn_device *device, struct tn_text *out)
{
    char *text = hand(world, "dump", device->instance, NULL, NULL);
    tn_text_add(out, text);
    free(text);
}

static bool
tamper(void *world, const struct tn_device *device, const struct tn_resource *r)
{
    const struct tn_nsx_object *native = r->native;
    (void) device;
    free(hand(world, "tamper", r->kind, native->path, NULL));
    return true;
}

const struct tn_subject *
tn_conformance_subject(void)
{
    static const struct tn_subject subject = {
        .driver = &tn_driver_nsx,
        .setup = setup,
        .teardown = teardown,
        .host_vars = host_vars,
        .hosts = hosts,
        .device = "manager",
        .foreign_make = foreign_make,
        .foreign_dump = foreign_dump,
        .tamper = tamper,
        .nothing_in_place = true,
        .nothing_replaced = true,
        .stride = 11,
        .at_once_ms = 10000,
    };
    return &subject;
}
