/* settings.c - kind: Settings, the one document of tenet.yml: what belongs to
 * the operator of an instance and to no tenant. */
#include "model/kinds/field.h"

#include <string.h>

enum { VNI_MAX = 16777215, VNI_POOL_FROM = 4096 };

static const struct tn_field vni_fields[] = {
    {
        TN_ROW("from", struct tn_settings, vni.from),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = VNI_MAX,
        .fallback = "4096",
        .description = "First VNI of the pool.",
        .example = "4096",
    },
    {
        TN_ROW("to", struct tn_settings, vni.to),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = VNI_MAX,
        .fallback = "16777215",
        .description = "Last VNI of the pool.",
        .example = "1048575",
    },
};

static const struct tn_object vni_pool = {
    .title = "VniPool",
    .description = "VXLAN network identifiers that tenet may give to subnets.",
    TN_FIELDS(vni_fields),
};

static const struct tn_field pools_fields[] = {
    {
        TN_INLINE("vni"),
        .type = TN_FIELD_OBJECT,
        .object = &vni_pool,
        .description = "The range from which subnets without a 'vni' of their "
                       "own get one.",
    },
    {
        TN_ROW("macPrefix", struct tn_settings, mac_prefix),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_mac_prefix,
        .fallback = "\"02:74:6e\"",
        .description = "First three octets of the MAC addresses that tenet "
                       "derives.",
        .example = "\"02:74:6e\"",
    },
};

static const struct tn_object pools = {
    .title = "Pools",
    .description = "What identifiers are taken from.",
    TN_FIELDS(pools_fields),
};

static const struct tn_field budgets_fields[] = {
    {
        TN_ROW("maxDeletes", struct tn_settings, max_deletes),
        .type = TN_FIELD_UINT,
        .max = 10000000,
        .fallback = "100",
        .description = "Objects that one apply may delete on one device.",
        .example = "200",
    },
    {
        TN_ROW("maxDeletePercent", struct tn_settings, max_delete_percent),
        .type = TN_FIELD_UINT,
        .max = 100,
        .fallback = "30",
        .description = "Share of a device's objects that one apply may delete; "
                       "a device with fewer than 10 objects is exempt.",
        .example = "20",
    },
    {
        TN_ROW("maxDeletesPerTenant", struct tn_settings,
               max_deletes_per_tenant),
        .type = TN_FIELD_UINT,
        .max = 10000000,
        .fallback = "100",
        .description = "Objects of one tenant that one apply may delete.",
        .example = "50",
    },
};

static const struct tn_object budgets = {
    .title = "Budgets",
    .description = "Limits that stop accidents: a plan beyond them is denied.",
    TN_FIELDS(budgets_fields),
};

static const char *const mode_words[] = {"observe", "heal", "hold"};

static const struct tn_field target_fields[] = {
    {
        TN_ROW("device", struct tn_mode_entry, device),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_host,
        .description = "The device that is meant.",
        .example = "hv1",
    },
    {
        TN_ROW("tenant", struct tn_mode_entry, tenant),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .description = "The tenant that is meant, on all devices.",
        .example = "acme",
    },
    {
        TN_ROW("vpc", struct tn_mode_entry, vpc),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label_value,
        .description = "The VPC that is meant, as tenant/vpc.",
        .example = "acme/web",
    },
};

static const struct tn_object target = {
    .title = "ModeTarget",
    .description = "One of the three.",
    TN_FIELDS(target_fields),
    .least = 1,
    .exclusive = true,
};

static const struct tn_field mode_fields[] = {
    {
        TN_INLINE("target"),
        .type = TN_FIELD_OBJECT,
        .flags = TN_REQUIRED,
        .object = &target,
        .description = "What the mode is for.",
    },
    {
        TN_ROW("mode", struct tn_mode_entry, mode),
        .type = TN_FIELD_WORD,
        .flags = TN_REQUIRED,
        TN_WORDS(mode_words),
        .description = "'observe' looks and tells, 'heal' applies and undoes "
                       "drift, 'hold' leaves everything as it is and keeps an "
                       "alert up.",
        .example = "hold",
    },
    {
        TN_ROW("reason", struct tn_mode_entry, reason),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .flags = TN_REQUIRED,
        .description = "Why; shown wherever the mode shows.",
        .example = "Debugging ticket 4711",
    },
    {
        TN_ROW("until", struct tn_mode_entry, until),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_time,
        .fallback = "(until the entry is removed)",
        .description = "When the mode ends by itself, in UTC.",
        .example = "2027-01-01T00:00:00Z",
    },
};

static void
mode_check(const struct tn_check *check, const void *object)
{
    const struct tn_mode_entry *m = object;
    if (m->vpc.v && !strchr(m->vpc.v, '/')) {
        tn_check_error(check, m->vpc.at, "'%s' is not of the form tenant/vpc",
                       m->vpc.v);
    }
}

static const struct tn_object mode = {
    .title = "Mode",
    .description = "What the daemon may do with something on its own. Of "
                   "several that match, hold goes before observe and observe "
                   "before heal.",
    TN_FIELDS(mode_fields),
    .size = sizeof(struct tn_mode_entry),
    .at = offsetof(struct tn_mode_entry, at),
    .check = mode_check,
};

static const struct tn_field freeze_fields[] = {
    {
        TN_ROW("from", struct tn_freeze, from),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_time,
        .flags = TN_REQUIRED,
        .description = "First moment, in UTC.",
        .example = "2026-12-24T00:00:00Z",
    },
    {
        TN_ROW("until", struct tn_freeze, until),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_time,
        .flags = TN_REQUIRED,
        .description = "End, in UTC.",
        .example = "2026-12-27T00:00:00Z",
    },
    {
        TN_ROW("reason", struct tn_freeze, reason),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .flags = TN_REQUIRED,
        .description = "Why; shown wherever the freeze shows.",
        .example = "Holidays",
    },
};

static const struct tn_object freeze = {
    .title = "Freeze",
    .description = "A time in which drift is healed and new intent waits.",
    TN_FIELDS(freeze_fields),
    .size = sizeof(struct tn_freeze),
    .at = offsetof(struct tn_freeze, at),
};

static const struct tn_field probe_target_fields[] = {
    {
        TN_ROW("port", struct tn_probe_entry, to_port),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_pair,
        .description = "The port that should answer, as tenant/port: at its "
                       "address of the family that 'from' has too.",
        .example = "acme/db-1",
    },
    {
        TN_ROW("address", struct tn_probe_entry, to_address),
        .type = TN_FIELD_ADDR,
        .flags = TN_UNICAST,
        .description = "The address that should answer.",
        .example = "10.0.2.1",
    },
};

static const struct tn_object probe_target = {
    .title = "ProbeTarget",
    .description = "One of the two.",
    TN_FIELDS(probe_target_fields),
    .least = 1,
    .exclusive = true,
};

static const struct tn_field probe_fields[] = {
    {
        TN_ROW("name", struct tn_probe_entry, name),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .flags = TN_REQUIRED,
        .description = "What it is called in reports.",
        .example = "web-to-db",
    },
    {
        TN_ROW("from", struct tn_probe_entry, from),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_pair,
        .flags = TN_REQUIRED,
        .description = "The port that asks, as tenant/port. Where it leads to "
                       "a machine's interface, the gateway of its subnet asks "
                       "in its place.",
        .example = "acme/web-1",
    },
    {
        TN_INLINE("to"),
        .type = TN_FIELD_OBJECT,
        .flags = TN_REQUIRED,
        .object = &probe_target,
        .description = "Who should answer.",
    },
    {
        TN_ROW("tcp", struct tn_probe_entry, tcp),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = 65535,
        .fallback = "(an ICMP echo)",
        .description = "A TCP port on which a connection must be accepted.",
        .example = "5432",
    },
};

static const struct tn_object probe = {
    .title = "Probe",
    .description = "Something that must be reached after a change if it was "
                   "reached before; else 'tenet apply --confirm' and the "
                   "daemon put the devices back.",
    TN_FIELDS(probe_fields),
    .size = sizeof(struct tn_probe_entry),
    .at = offsetof(struct tn_probe_entry, at),
};

static const struct tn_field spec_fields[] = {
    {
        TN_INLINE("pools"),
        .type = TN_FIELD_OBJECT,
        .object = &pools,
        .description = "What derived identifiers are taken from.",
    },
    {
        TN_ROW("statusRef", struct tn_settings, status_ref),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_branch,
        .fallback = "refs/heads/tenet/status",
        .description = "The branch to which outcomes are committed; never the "
                       "branch that is watched.",
        .example = "refs/heads/tenet/status",
    },
    {
        TN_INLINE("budgets"),
        .type = TN_FIELD_OBJECT,
        .object = &budgets,
        .description = "How much one apply may delete.",
    },
    {
        TN_ROW("vxlanPort", struct tn_settings, vxlan_port),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = 65535,
        .fallback = "4789",
        .description = "UDP port of VXLAN (RFC 7348).",
        .example = "4789",
    },
    {
        TN_ROW("defaultEnvironment", struct tn_settings, default_environment),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_host,
        .fallback = "(the only one there is)",
        .description = "The folder below inventories/ that is meant when none "
                       "is named.",
        .example = "production",
    },
    {
        TN_ROW("modes", struct tn_settings, modes),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 1000,
        .object = &mode,
        .description = "What the daemon leaves alone, or only looks at.",
    },
    {
        TN_ROW("freezes", struct tn_settings, freezes),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 100,
        .object = &freeze,
        .description = "Times in which the daemon heals drift and applies no "
                       "new commit.",
    },
    {
        TN_ROW("probes", struct tn_settings, probes),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 1000,
        .object = &probe,
        .description = "What must be reached after a change if it was reached "
                       "before.",
    },
    {
        TN_ROW("externalNetworks", struct tn_settings, external_networks),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 100,
        .object = &tn_external_object,
        .description = "Networks outside, and which VPCs are in them.",
    },
    {
        TN_INLINE("signers"),
        .type = TN_FIELD_OBJECT,
        .object = &tn_signers_object,
        .fallback = "(commits need no signature)",
        .description = "Whose commits are followed.",
    },
};

static void
settings_check(const struct tn_check *check, const void *object)
{
    const struct tn_settings *s = object;
    const struct tn_range32 *vni = &s->vni;
    uint64_t from = vni->from.v ? vni->from.v : VNI_POOL_FROM;
    uint64_t to = vni->to.v ? vni->to.v : VNI_MAX;
    if (from > to) {
        struct tn_pos at = vni->to.v ? vni->to.at : vni->from.at;
        tn_check_error(check, at,
                       "the VNI pool ends at %llu, before its start "
                       "%llu",
                       (unsigned long long) to, (unsigned long long) from);
    }
    tn_externals_check(check, s);
}

const struct tn_kind_table tn_settings_table = {
    .kind = TN_KIND_SETTINGS,
    .name = "Settings",
    .slug = "settings",
    .where = "tenet.yml",
    .sample = "demo",
    .description =
        "The settings of a tenet instance. There is exactly one such document, "
        "`tenet.yml` at the top of the repository; `metadata.name` names the "
        "instance and is part of the ownership mark on every object that tenet "
        "creates, so it must not change while objects exist.",
    .spec =
        {
            .title = "SettingsSpec",
            TN_FIELDS(spec_fields),
            .size = sizeof(struct tn_settings),
            .check = settings_check,
        },
};
