/* session.c - see device.h: what the host's variables say, and a client that
 * does as they say.
 *
 * A session owns copies of all it was told, so that a watch can have one that
 * outlives the intent it was opened for. */
#include <stdlib.h>
#include <string.h>

#include "drivers/nsx/device.h"
#include "drivers/nsx/render.h"
#include "model/base/cleanup.h"
#include "model/base/seal.h"

enum { PASSWORD_MOST = 1024 };

/* A variable of the host; null: it is not set. */
static const char *
option(struct tn_arena *arena, const struct tn_device *device, const char *name)
{
    const char *text = tn_host_option(&device->host->config, name);
    return text ? tn_arena_strdup(arena, text) : NULL;
}

static unsigned
number(const struct tn_device *device, const char *name)
{
    return (unsigned) strtoul(tn_host_setting(&device->host->config, name),
                              NULL, 10);
}

static void
managers(struct tn_session *s, const char *urls)
{
    struct tn_nsx_options *o = &s->settings.client;
    const char **list = tn_new_n(s->arena, const char *, strlen(urls) + 1);
    while (*urls) {
        size_t n = strcspn(urls, ", ");
        if (n) {
            list[o->n_managers++] = tn_arena_strndup(s->arena, urls, n);
        }
        urls += n + (urls[n] != '\0');
    }
    o->managers = list;
}

static enum tn_nsx_login
login_of(const char *text)
{
    return tn_streq(text, "basic")         ? TN_NSX_BASIC
           : tn_streq(text, "certificate") ? TN_NSX_CERTIFICATE
                                           : TN_NSX_SESSION;
}

static void
settings_read(struct tn_session *s, const struct tn_device *device)
{
    struct tn_arena *a = s->arena;
    struct tn_nsx_settings *out = &s->settings;
    const char *urls = option(a, device, "tenet_nsx_url");
    const char *project = device->host->config.nsx_project;
    managers(s, urls ? urls : "");
    out->client.login = login_of(option(a, device, "tenet_nsx_auth"));
    out->client.user = option(a, device, "tenet_nsx_user");
    out->client.ca = option(a, device, "tenet_nsx_ca");
    out->client.certificate = option(a, device, "tenet_nsx_certificate");
    out->client.key = option(a, device, "tenet_nsx_key");
    out->client.rate = number(device, "tenet_nsx_rate");
    out->password = option(a, device, "tenet_nsx_password");
    out->password_file = option(a, device, "tenet_nsx_password_file");
    out->urls = urls ? urls : "";
    out->chunk = number(device, "tenet_nsx_chunk");
    out->wait_s = number(device, "tenet_nsx_wait");
    out->poll_s = number(device, "tenet_nsx_poll");
    out->root = tn_nsx_in_vpcs(device) ? "" : tn_nsx_base(a, device);
    if (project) {
        out->project = tn_arena_printf(a, "/orgs/default/projects/%s", project);
    }
}

/* The password that stands sealed in the inventory, for these managers. */
static enum tn_code
unseal(struct tn_session *s, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *key = NULL;
    const char *file = getenv(TN_SEAL_KEY_ENV);
    if (!file) {
        return tn_fail(err, TN_EDENIED, 0,
                       "tenet_nsx_password is sealed, and %s names no file "
                       "with the key",
                       TN_SEAL_KEY_ENV);
    }
    enum tn_code code = tn_secret_read(file, TN_SEAL_KEY_FILE, &key, err);
    return code ? code
                : tn_seal_open(s->settings.password, key, s->settings.urls,
                               &s->secret, err);
}

static enum tn_code
client_new(struct tn_session *s, struct tn_error *err)
{
    struct tn_nsx_settings *o = &s->settings;
    enum tn_code code = TN_OK;
    if (o->client.n_managers == 0) {
        return tn_fail(err, TN_EINTENT, 0, "tenet_nsx_url is not set");
    }
    if (o->client.login != TN_NSX_CERTIFICATE) {
        code = o->password ? unseal(s, err)
               : o->password_file
                   ? tn_secret_read(o->password_file, PASSWORD_MOST, &s->secret,
                                    err)
                   : TN_OK;
    }
    if (!code && s->secret) {
        tn_secret_chomp(s->secret);
        o->client.secret = s->secret;
    }
    return code ? code : tn_nsx_new(&o->client, &s->nsx, err);
}

enum tn_code
tn_nsx_open(const struct tn_device *device, const struct tn_driver_env *env,
            unsigned patience_s, struct tn_session **out, struct tn_error *err)
{
    struct tn_session *s = calloc(1, sizeof *s);
    if (!s) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    s->arena = tn_arena_new();
    s->name = tn_arena_strdup(s->arena, device->name);
    s->instance = tn_arena_strdup(s->arena, device->instance);
    settings_read(s, device);
    s->settings.client.patience_s = patience_s;
    s->settings.client.memory = env ? env->cache_dir : NULL;
    enum tn_code code = client_new(s, err);
    if (code) {
        code = tn_while(err, code, "device %s", s->name);
        tn_nsx_close(s);
        return code;
    }
    *out = s;
    return TN_OK;
}

void
tn_nsx_close(struct tn_session *s)
{
    if (!s) {
        return;
    }
    tn_nsx_view_free(s->view);
    json_decref(s->known);
    tn_nsx_free(s->nsx);
    tn_secret_free(s->secret);
    tn_arena_free(s->arena);
    free(s);
}
