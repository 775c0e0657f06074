/* inventory_test.c - whole environments from memory: what hosts get, what is
 * refused and where.
 *
 * Expected JSON is what ansible-inventory 2.14 printed for the same files;
 * tests/inventory/differential.py compares with it live. */
#include "model/inventory/inventory.h"

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "tests/support/memory_source.h"

enum { FILES_MAX = 8 };

struct file {
    const char *path, *text; /* Below inventories/lab/. */
};

struct world {
    struct tn_source *source;
    struct tn_arena *arena;
    struct tn_diags diags;
    const struct tn_inventory *inv;
};

static void
load(struct world *w, const struct file *files)
{
    struct tn_error err = {0};
    char text[1200];

    w->source = tn_memory_source_new();
    w->arena = tn_arena_new();
    tn_diags_init(&w->diags, w->arena);
    for (size_t i = 0; i < FILES_MAX && files[i].path; i++) {
        char *path =
            tn_arena_printf(w->arena, "inventories/lab/%s", files[i].path);

        if (files[i].text) {
            tn_memory_source_add(w->source, path, files[i].text);
        } else {
            tn_memory_source_add_other(w->source, path);
        }
    }
    cr_assert_eq(
        tn_inventory_load(w->source, "lab", w->arena, &w->inv, &w->diags, &err),
        TN_OK, "%s", tn_error_text(&err, text, sizeof text));
    tn_diags_sort(&w->diags);
}

static void
done(struct world *w)
{
    w->source->ops->free(w->source);
    tn_arena_free(w->arena);
}

/* "hosts.yml:3:5: message; hint", one line each, warnings left out. */
static void
errors_of(const struct world *w, struct tn_text *out)
{
    static const char dir[] = "inventories/lab/";

    for (size_t i = 0; i < w->diags.list.n; i++) {
        const struct tn_diag *d = &w->diags.list.items[i];
        const char *path = d->at.path;

        if (d->severity != TN_ERROR) {
            continue;
        }
        if (strncmp(path, dir, sizeof dir - 1) == 0) {
            path += sizeof dir - 1;
        }
        tn_text_addf(out, "%s%s:%u:%u: %s%s%s", out->n ? "\n" : "", path,
                     d->at.line, d->at.column, d->message, d->hint ? "; " : "",
                     d->hint ? d->hint : "");
    }
}

static const struct vars_row {
    const char *name;
    struct file files[FILES_MAX];
    const char *host, *json;
} vars_rows[] = {
    {"no variables", {{"hosts.yml", "all: {hosts: {h: }}\n"}}, "h", "{}\n"},
    {"a child wins over its parent, the host over both",
     {{"hosts.yml",
       "all:\n  vars: {a: all, b: all, c: all, d: all}\n"
       "  children:\n    p:\n      vars: {b: p, c: p, d: p}\n"
       "      children:\n        k:\n          vars: {c: k, d: k}\n"
       "          hosts: {h: {d: h}}\n"}},
     "h",
     "{\n    \"a\": \"all\",\n    \"b\": \"p\",\n    \"c\": \"k\",\n"
     "    \"d\": \"h\"\n}\n"},
    {"group_vars of a parent win over the hosts file's child",
     {{"hosts.yml", "p:\n  children:\n    k:\n      vars: {a: k, b: k}\n"
                    "      hosts: {h: {c: h, d: h}}\n"},
      {"group_vars/all.yml", "a: all\nb: all\nc: all\n"},
      {"group_vars/p.yml", "a: p\n"},
      {"host_vars/h.yml", "d: file\n"}},
     "h",
     "{\n    \"a\": \"p\",\n    \"b\": \"all\",\n    \"c\": \"h\",\n"
     "    \"d\": \"file\"\n}\n"},
    {"priority beats the name, depth beats priority",
     {{"hosts.yml",
       "a: {hosts: {h: }, vars: {ansible_group_priority: 10, x: a, y: a}}\n"
       "b: {hosts: {h: }, vars: {x: b, y: b}}\n"
       "c: {children: {d: {hosts: {h: }, vars: {y: d}}}}\n"}},
     "h",
     "{\n    \"x\": \"a\",\n    \"y\": \"d\"\n}\n"},
    {"a priority in group_vars is only a variable",
     {{"hosts.yml", "a: {hosts: {h: }, vars: {x: a}}\n"
                    "b: {hosts: {h: }, vars: {x: b}}\n"},
      {"group_vars/a.yml", "ansible_group_priority: 10\n"}},
     "h",
     "{\n    \"ansible_group_priority\": 10,\n    \"x\": \"b\"\n}\n"},
    {"values replace each other entirely",
     {{"hosts.yml", "all: {hosts: {h: {m: {a: 1}}}, vars: {m: {b: 2}}}\n"}},
     "h",
     "{\n    \"m\": {\n        \"a\": 1\n    }\n}\n"},
    {"a host in two groups keeps all inline variables, the last ones win",
     {{"hosts.yml", "a: {hosts: {h: {x: 1, y: 1}}}\n"
                    "b: {hosts: {h: {y: 2, z: 2}}}\n"}},
     "h",
     "{\n    \"x\": 1,\n    \"y\": 2,\n    \"z\": 2\n}\n"},
    {"the directory comes before the file, in the order of names",
     {{"hosts.yml", "all: {hosts: {h: }}\n"},
      {"group_vars/all/10.yml", "a: 10\nb: 10\n"},
      {"group_vars/all/9.yaml", "a: 9\n"},
      {"group_vars/all/sub/x.json", "{\"b\": 1e5}"},
      {"group_vars/all/.hidden.yml", "c: 1\n"},
      {"group_vars/all/old.yml~", "c: 1\n"},
      {"group_vars/all.yml", "a: file\nc: 1\n"}},
     "h",
     "{\n    \"a\": 9,\n    \"b\": 100000.0\n}\n"},
    {"no extension, yml, yaml, json: the first counts",
     {{"hosts.yml", "all: {hosts: {h: , i: }}\n"},
      {"host_vars/h.yaml", "a: yaml\n"},
      {"host_vars/h.json", "{\"a\": \"json\"}"},
      {"host_vars/h", "a: plain\n"}},
     "h",
     "{\n    \"a\": \"plain\"\n}\n"},
    {"an inventory directory",
     {{"01.yml", "web: {hosts: {h: {a: 1, b: 1}}}\n"},
      {"02.yaml", "web: {hosts: {h: {b: 2}}}\n"},
      {"notes.md", "# no inventory\n"},
      {"group_vars/web.yml", "c: 3\n"}},
     "h",
     "{\n    \"a\": 1,\n    \"b\": 2,\n    \"c\": 3\n}\n"},
    {"what Ansible keeps to itself is not printed",
     {{"hosts.yml", "all: {hosts: {h: {inventory_hostname: x, groups: {}, "
                    "omit: 1, a: 1}}}\n"}},
     "h",
     "{\n    \"a\": 1\n}\n"},
    {"a port becomes a variable",
     {{"hosts.yml", "all: {hosts: {'h[1:2]:022': {a: x}}}\n"}},
     "h2",
     "{\n    \"a\": \"x\",\n    \"ansible_port\": 22\n}\n"},
    {"numbers sort as numbers, and equal keys are one",
     {{"hosts.yml", "all: {hosts: {h: {m: {10: a, 9: b, 0x9: c, yes: d, "
                    "1: e}}}}\n"}},
     "h",
     "{\n    \"m\": {\n        \"true\": \"e\",\n        \"9\": \"c\",\n"
     "        \"10\": \"a\"\n    }\n}\n"},
    {"keys that do not compare leave all unsorted",
     {{"hosts.yml", "all:\n  vars: {z: 1, a: 2}\n"
                    "  hosts: {h: {m: {x: 1, 2: 2}, z: 3}}\n"}},
     "h",
     "{\n    \"z\": 3,\n    \"a\": 2,\n    \"m\": {\n        \"x\": 1,\n"
     "        \"2\": 2\n    }\n}\n"},
    {"texts keep their bytes, unsafe ones are marked",
     {{"hosts.yml", "all: {hosts: {h: {a: \"\\x7f\\e\\t\\\"\", b: !unsafe x, "
                    "c: '{{ jinja }}', d: [], e: {}}}}\n"}},
     "h",
     "{\n    \"a\": \"\x7f\\u001b\\t\\\"\",\n    \"b\": {\n"
     "        \"__ansible_unsafe\": \"x\"\n    },\n"
     "    \"c\": \"{{ jinja }}\",\n    \"d\": [],\n    \"e\": {}\n}\n"},
    {"encrypted values stay encrypted",
     {{"hosts.yml", "all:\n  hosts:\n    h:\n      p: !vault |\n"
                    "        $ANSIBLE_VAULT;1.1;AES256\n        3663\n"}},
     "h",
     "{\n    \"p\": {\n        \"__ansible_vault\": "
     "\"$ANSIBLE_VAULT;1.1;AES256\\n3663\\n\"\n    }\n}\n"},
    {"sections may be empty, or one name",
     {{"hosts.yml", "all: {hosts: , vars: , children: web}\n"
                    "web: {hosts: h, vars: flag}\nnone:\n"}},
     "h",
     "{\n    \"flag\": null\n}\n"},
    {"an ungrouped host gets the variables of 'ungrouped'",
     {{"hosts.yml", "all: {hosts: {h: }}\nungrouped: {vars: {a: 1}}\n"}},
     "h",
     "{\n    \"a\": 1\n}\n"},
    {"... but a grouped one does not",
     {{"hosts.yml", "ungrouped: {hosts: {h: }, vars: {a: 1}}\n"
                    "web: {hosts: {h: }}\n"}},
     "h",
     "{}\n"},
    {"a group of the host's name takes its variables",
     {{"hosts.yml", "h: {vars: {a: 1}}\nweb: {hosts: {h: {a: 2}}}\n"}},
     "h",
     "{}\n"},
    {"anchors and merge keys",
     {{"hosts.yml", "all: {hosts: {h: {a: &x {p: 1, q: 1}, b: {<<: *x, q: 2}, "
                    "c: *x}}}\n"}},
     "h",
     "{\n    \"a\": {\n        \"p\": 1,\n        \"q\": 1\n    },\n"
     "    \"b\": {\n        \"p\": 1,\n        \"q\": 2\n    },\n"
     "    \"c\": {\n        \"p\": 1,\n        \"q\": 1\n    }\n}\n"},
};

Test(inventory, variables)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(vars_rows); i++) {
        const struct vars_row *r = &vars_rows[i];
        TN_CLEANUP(tn_cleanup_text) struct tn_text errors = {0};
        const struct tn_host *host;
        struct world w;

        load(&w, r->files);
        errors_of(&w, &errors);
        cr_expect_eq(errors.n, 0, "%s: %s", r->name, tn_text_str(&errors));
        host = tn_inventory_host_get(w.inv, r->host);
        cr_expect_not_null(host, "%s", r->name);
        if (host) {
            TN_CLEANUP(tn_cleanup_free)
            char *json = tn_inventory_host_json(&host->raw);

            cr_expect_str_eq(json, r->json, "%s: %s", r->name, json);
        }
        done(&w);
    }
}

#define HOSTS(text)                                                            \
    {                                                                          \
        {                                                                      \
            "hosts.yml", text                                                  \
        }                                                                      \
    }
#define SEALED                                                                 \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "AAAA"
#define NSX                                                                    \
    "tenet_driver: nsx, tenet_nsx_url: 'https://a', tenet_nsx_user: u, "       \
    "tenet_nsx_password_file: /p"
#define KERNEL "tenet_driver: kernel, tenet_underlay_address: 192.0.2.1"
#define OVS "tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.1"

static const struct error_row {
    struct file files[FILES_MAX];
    const char *errors;
    const char *refused; /* The host "h": 'y', 'n', or no host at all: '-'. */
} error_rows[] = {
    {HOSTS("all: [h]\n"), "", "-"},
    {HOSTS("[web]\nh\n"),
     "hosts.yml:2:1: not valid YAML: did not find expected <document start>",
     "-"},
    {HOSTS("- h\n"), "hosts.yml:1:1: expected a map, found a list", "-"},
    {HOSTS("all: {hosts: [h]}\n"),
     "hosts.yml:1:14: 'hosts' must be a map, found a list", "-"},
    {HOSTS("all: {hosts: {h: [1]}}\n"),
     "hosts.yml:1:18: the variables of host 'h' must be a map, found a list",
     "-"},
    {HOSTS("all: {hosts: {12: }}\n"),
     "hosts.yml:1:15: the name of a host must be text: quote '12'", "-"},
    {HOSTS("yes: {hosts: {h: }}\n"),
     "hosts.yml:1:1: the name of a group must be text: quote 'yes'", "-"},
    {HOSTS("all: {hosts: {h: {1: x}}}\n"),
     "hosts.yml:1:19: the name of a variable must be text: quote '1'", "-"},
    {HOSTS("all: {hosts: {'h[1:': }}\n"),
     "hosts.yml:1:15: host 'h[1:': brackets must hold a range: [begin:end] or "
     "[begin:end:step]",
     "-"},
    {HOSTS("all: {hosts: {'h[0:999999999]': }}\n"),
     "hosts.yml:1:15: host 'h[0:999999999]': the inventory has too many hosts",
     "-"},
    {HOSTS("all: {children: {web: x}}\n"),
     "hosts.yml:1:23: group 'web' must be a map, found text", "-"},
    {HOSTS("a:\n  children:\n    b:\nb:\n  children:\n    a:\n"
           "all:\n  hosts: {h: }\n"),
     "hosts.yml:6:5: group 'a' as a child of 'b' makes it its own ancestor",
     "y"},
    {HOSTS("a: {children: {a: }}\n"),
     "hosts.yml:1:16: group 'a' as a child of 'a' makes it its own ancestor",
     "-"},
    {HOSTS("a: {children: {all: }}\n"),
     "hosts.yml:1:16: group 'all' as a child of 'a' makes it its own ancestor",
     "-"},
    {HOSTS("plugin: aws_ec2\n"),
     "hosts.yml:1:9: an inventory plugin cannot be used", "-"},
    {HOSTS("#!/bin/sh\nall:\n"),
     "hosts.yml:1:1: a program cannot serve as a file of the inventory", "-"},
    {HOSTS("a: 1\n---\nb: 2\n"),
     "hosts.yml:3:1: a file of the inventory holds one document only", "-"},
    {HOSTS("all: {hosts: {h: {p: !vault [x]}}}\n"),
     "hosts.yml:1:22: !vault is for texts", "-"},
    {HOSTS("all: {hosts: {h: {p: 2021-13-45}}}\n"),
     "hosts.yml:1:22: this looks like a date to YAML 1.1 but has no "
     "value: quote it",
     "-"},
    {HOSTS("all: {vars: {ansible_group_priority: high}}\n"),
     "hosts.yml:1:38: ansible_group_priority must be a whole number", "-"},
    {{{"hosts.yml", "all: {hosts: {h: }}\n"}, {"hosts.yaml", "all:\n"}},
     "inventories/lab:0:0: there are both hosts.yml and hosts.yaml: keep one",
     "-"},
    {{{"hosts.yml", NULL}}, "hosts.yml:0:0: this is not a plain file", "-"},
    {{{"hosts.yml", "all: {hosts: {h: }}\n"}, {"host_vars", NULL}},
     "host_vars:0:0: this is not a directory, and is not read",
     "y"},
    {{{"hosts.ini.yml", "all: {hosts: {h: }}\n"}, {"x.toml", "[all]\n"}},
     "x.toml:0:0: this is no YAML inventory, and no other can be read",
     "y"},
    {{{"hosts.yml", "all: {hosts: {h: , i: }}\n"},
      {"host_vars/h.yml", "- 1\n"}},
     "host_vars/h.yml:1:1: expected a map, found a list",
     "y"},
    {{{"hosts.yml", "all: {hosts: {h: }}\n"},
      {"group_vars/all.yml", "$ANSIBLE_VAULT;1.1;AES256\n61\n"}},
     "group_vars/all.yml:1:1: an encrypted file (Ansible Vault) cannot be read",
     "y"},
    {{{"hosts.yml", "all: {hosts: {h: }}\nweb:\n"},
      {"group_vars/web.yml", "- not read: no host is in it\n"}},
     "",
     "n"},
    {{{"hosts.yml", "all: {hosts: {h: }}\n"}, {"host_vars/h.yml", NULL}},
     "host_vars/h.yml:0:0: this is not a plain file",
     "y"},
    {{{"hosts.yml", "all: {hosts: {h: }}\n"},
      {"group_vars/all/a.yml", "tenet_sit: a\n"}},
     "group_vars/all/a.yml:1:12: there is no variable 'tenet_sit'; did you "
     "mean 'tenet_site'?",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_driver: kernel}}}\n"),
     "hosts.yml:1:15: host 'h' has tenet_driver kernel and needs a "
     "tenet_underlay_address",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_driver: kernal}}}\n"),
     "hosts.yml:1:33: tenet_driver must be kernel, memory, nsx, openvswitch or "
     "ovn",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_site: '{{ x }}'}}}\n"),
     "hosts.yml:1:31: tenet_site: templates are not evaluated here: write the "
     "value",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_site: no}}}\n"),
     "hosts.yml:1:31: tenet_site must be a name of lower-case letters, digits "
     "and '-', at most 63; YAML reads this as another type: quote it",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_underlay_mtu: 575}}}\n"),
     "hosts.yml:1:39: tenet_underlay_mtu must be a whole number from 576 to "
     "65535",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_underlay_mtu: '1500'}}}\n"),
     "hosts.yml:1:39: tenet_underlay_mtu must be a whole number from 576 to "
     "65535; write it without quotes",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_underlay_address: 224.0.0.1}}}\n"),
     "hosts.yml:1:43: tenet_underlay_address must be a unicast IPv4 or IPv6 "
     "address",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_underlay_address: [1]}}}\n"),
     "hosts.yml:1:43: tenet_underlay_address must be a unicast IPv4 or IPv6 "
     "address",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_kernel_netns: ../x}}}\n"),
     "hosts.yml:1:39: tenet_kernel_netns must be a name of letters, digits, "
     "'.', '_' and '-', at most 64",
     "y"},
    {HOSTS("all:\n  hosts:\n    a: {" KERNEL "}\n    h: {" KERNEL "}\n"),
     "hosts.yml:4:55: tenet_underlay_address 192.0.2.1 of host 'h' is that of "
     "host 'a' already",
     "y"},
    {HOSTS("all:\n  vars: {tenet_site: null}\n  hosts:\n    h: {" KERNEL
           "}\n    z: {tenet_underlay_address: 192.0.2.1}\n"),
     "", "n"},
    {HOSTS("all: {hosts: {h: {tenet_driver: openvswitch}}}\n"),
     "hosts.yml:1:15: host 'h' has tenet_driver openvswitch and needs a "
     "tenet_underlay_address",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_driver: ovn}}}\n"), "", "n"},
    {HOSTS("all: {hosts: {h: {tenet_ovsdb_remote: 'tcp:central:6641'}}}\n"),
     "hosts.yml:1:39: tenet_ovsdb_remote must be unix:PATH, tcp:IP:PORT or "
     "ssl:IP:PORT (an IPv6 address in brackets), or several with commas "
     "between",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_ovs_bridge_mappings: 'a:b,a:c'}}}\n"),
     "hosts.yml:1:46: tenet_ovs_bridge_mappings must be NETWORK:BRIDGE, or "
     "several with commas between",
     "y"},
    {HOSTS("all: {hosts: {h: {tenet_ovs_bridge_mappings: 'a:b,c:b'}}}\n"), "",
     "n"},
    {HOSTS("all: {hosts: {h: {tenet_ovs_bridge: a-name-too-long1}}}\n"),
     "hosts.yml:1:37: tenet_ovs_bridge must be the name of a bridge: letters, "
     "digits, '.', '_' and '-', at most 15",
     "y"},
    {HOSTS("all:\n  hosts:\n    central: {tenet_driver: ovn}\n"
           "    h: {" OVS ", tenet_ovn: centra}\n"),
     "hosts.yml:4:82: tenet_ovn of host 'h' must name a host with tenet_driver "
     "ovn: there is no host 'centra'; did you mean 'central'?",
     "y"},
    {HOSTS("all:\n  hosts:\n    h: {" OVS ", tenet_ovn: h}\n"),
     "hosts.yml:3:82: tenet_ovn of host 'h' must name a host with tenet_driver "
     "ovn: 'h' has not",
     "y"},
    {HOSTS("all:\n  vars: {tenet_ovn: nowhere}\n  hosts:\n"
           "    c: {tenet_driver: ovn}\n    h: {" KERNEL "}\n"),
     "", "n"}, /* Only a hypervisor of Open vSwitch asks for a cloud. */
    {HOSTS("all:\n  hosts:\n    a: {tenet_driver: ovn}\n"
           "    h: {tenet_driver: ovn}\n"),
     "hosts.yml:4:5: tenet_ovsdb_remote unix:/var/run/ovn/ovnnb_db.sock of "
     "host 'h' is that of host 'a' already",
     "y"},
    {HOSTS("all:\n  hosts:\n    a: {tenet_driver: ovn, tenet_ovsdb_remote: "
           "'ssl:[2001:db8::1]:6641,ssl:[2001:db8::2]:6641'}\n"
           "    h: {tenet_driver: ovn, tenet_ovsdb_remote: "
           "'ssl:[2001:DB8::0:2]:6641'}\n"),
     "hosts.yml:4:48: tenet_ovsdb_remote ssl:[2001:db8::2]:6641 of host 'h' is "
     "that of host 'a' already",
     "y"},
    {HOSTS("all:\n  vars: {tenet_ovn_southbound: 'tcp:192.0.2.9:6642'}\n"
           "  hosts:\n    a: {tenet_driver: ovn, tenet_ovsdb_remote: "
           "'tcp:192.0.2.1:6641'}\n    h: {tenet_driver: ovn}\n"),
     "hosts.yml:2:32: tenet_ovn_southbound tcp:192.0.2.9:6642 of host 'h' is "
     "that of host 'a' already",
     "y"},
    {HOSTS("all:\n  hosts:\n    a: {tenet_driver: openvswitch, "
           "tenet_underlay_address: 192.0.2.2}\n    h: {" OVS "}\n"),
     "", "n"}, /* Each machine has a socket of its own. */
    {HOSTS("all:\n  hosts:\n    a: {tenet_driver: openvswitch, "
           "tenet_underlay_address: 192.0.2.2, tenet_ovn: c}\n"
           "    c: {tenet_driver: ovn}\n"
           "    h: {" OVS ", tenet_ovn: c, tenet_ovs_system_id: a}\n"),
     "hosts.yml:5:106: tenet_ovs_system_id a of host 'h' is that of host 'a' "
     "already",
     "y"},
    {HOSTS("all:\n  hosts:\n    h: {tenet_driver: nsx, tenet_nsx_user: u}\n"),
     "hosts.yml:3:5: host 'h' has tenet_driver nsx with tenet_nsx_auth session "
     "and needs one of tenet_nsx_password and tenet_nsx_password_file\n"
     "hosts.yml:3:5: host 'h' has tenet_driver nsx with tenet_nsx_auth session "
     "and needs tenet_nsx_url",
     "y"},
    {HOSTS("all:\n  hosts:\n    h: {tenet_driver: nsx, tenet_nsx_url: "
           "'https://nsx', tenet_nsx_auth: certificate,\n"
           "       tenet_nsx_certificate: /c, tenet_nsx_vpc: true}\n"),
     "hosts.yml:3:5: host 'h' has tenet_driver nsx with tenet_nsx_auth "
     "certificate and needs tenet_nsx_key\n"
     "hosts.yml:3:5: host 'h' has tenet_nsx_vpc and needs a tenet_nsx_project",
     "y"},
    {HOSTS("all:\n  hosts:\n    h: {tenet_nsx_password: 'hunter2'}\n"),
     "hosts.yml:3:29: tenet_nsx_password must be what 'tenet seal' prints; "
     "secrets never stand in an inventory as they are",
     "y"},
    {HOSTS("all:\n  hosts:\n    h: {" NSX ", tenet_nsx_password: "
           "'tenet-sealed:" SEALED "'}\n"),
     "hosts.yml:3:5: host 'h' has tenet_driver nsx with tenet_nsx_auth session "
     "and needs one of tenet_nsx_password and tenet_nsx_password_file",
     "y"},
    {HOSTS("all:\n  hosts:\n    h: {tenet_nsx_url: 'http://nsx'}\n"),
     "hosts.yml:3:24: tenet_nsx_url must be https://HOST or https://HOST:PORT, "
     "or several with commas between",
     "y"},
    {HOSTS("all:\n  hosts:\n    h: {tenet_nsx_edge_cluster: '/infra/../e'}\n"),
     "hosts.yml:3:33: tenet_nsx_edge_cluster must be the path of an object of "
     "NSX, as "
     "/infra/tier-0s/t0",
     "y"},
    {HOSTS("all:\n  vars: {" NSX "}\n  hosts:\n"
           "    a:\n    h: {tenet_nsx_url: 'https://b,https://a'}\n"),
     "hosts.yml:5:24: tenet_nsx_url https://a of host 'h' is that of host 'a' "
     "already",
     "y"},
    {HOSTS("all:\n  vars: {" NSX "}\n  hosts:\n"
           "    a:\n    h: {tenet_nsx_project: p}\n"),
     "", "n"}, /* Each has its own part of it. */
    {HOSTS("all:\n  hosts:\n    a: {" NSX "}\n    h: {tenet_nsx: b}\n"),
     "hosts.yml:4:20: tenet_nsx of host 'h' must name a host with tenet_driver "
     "nsx: there is no host 'b'",
     "y"},
};

Test(inventory, errors)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(error_rows); i++) {
        const struct error_row *r = &error_rows[i];
        TN_CLEANUP(tn_cleanup_text) struct tn_text errors = {0};
        bool refused = false;
        struct world w;

        load(&w, r->files);
        errors_of(&w, &errors);
        cr_expect_str_eq(tn_text_str(&errors), r->errors, "%zu: %s", i,
                         tn_text_str(&errors));
        for (size_t k = 0; k < w.inv->n_refused; k++) {
            refused |= strcmp(w.inv->refused[k], "h") == 0;
        }
        cr_expect_eq(refused, r->refused[0] == 'y', "%zu: %s", i, r->errors);
        cr_expect_eq(tn_inventory_host_get(w.inv, "h") != NULL,
                     r->refused[0] == 'n', "%zu: %s", i, r->errors);
        done(&w);
    }
}

Test(inventory, clouds)
{
    static const struct file files[FILES_MAX] = {
        {"hosts.yml",
         "all:\n"
         "  hosts:\n"
         "    alone: {tenet_driver: openvswitch, tenet_underlay_address: "
         "192.0.2.9, tenet_ovsdb_remote: 'tcp:127.0.0.1:6640', "
         "tenet_ovs_datapath: netdev}\n"
         "    central: {tenet_driver: ovn, tenet_ovsdb_remote: "
         "'tcp:192.0.2.1:6641, tcp:192.0.2.2:6641', tenet_ovn_southbound: "
         "'tcp:192.0.2.1:6642', tenet_ovn_encapsulation: vxlan}\n"
         "    h: {" OVS ", tenet_ovn: central, tenet_ovs_bridge: br0, "
         "tenet_ovs_bridge_mappings: 'physnet1:br-ex'}\n"}};
    struct world w;
    load(&w, files);
    cr_assert_eq(w.diags.n_errors, 0);
    const struct tn_host *alone = tn_inventory_host_get(w.inv, "alone");
    const struct tn_host *central = tn_inventory_host_get(w.inv, "central");
    const struct tn_host *h = tn_inventory_host_get(w.inv, "h");

    cr_expect_null(alone->cloud);
    cr_expect_str_eq(alone->config.ovsdb_remote, "tcp:127.0.0.1:6640");
    cr_expect_str_eq(alone->config.ovs_datapath, "netdev");
    cr_expect_str_eq(alone->config.ovs_system_id, "alone");
    cr_expect_str_eq(alone->config.ovs_bridge, "br-int");
    cr_expect_null(alone->config.ovs_bridge_mappings);
    cr_expect_null(central->cloud);
    cr_expect_str_eq(central->config.ovsdb_remote,
                     "tcp:192.0.2.1:6641,tcp:192.0.2.2:6641");
    cr_expect_str_eq(central->config.ovn_southbound, "tcp:192.0.2.1:6642");
    cr_expect_str_eq(central->config.ovn_encapsulation, "vxlan");
    cr_expect_null(central->config.ovs_system_id);
    cr_expect_eq(h->cloud, central);
    cr_expect_str_eq(h->config.ovsdb_remote,
                     "unix:/var/run/openvswitch/db.sock");
    cr_expect_str_eq(h->config.ovs_bridge, "br0");
    cr_expect_str_eq(h->config.ovs_bridge_mappings, "physnet1:br-ex");
    cr_expect_str_eq(h->config.ovs_datapath, "system");
    done(&w);
}

Test(inventory, members_of_nsx)
{
    static const struct file files[FILES_MAX] = {
        {"hosts.yml", "all:\n"
                      "  hosts:\n"
                      "    m1: {" NSX "}\n"
                      "    m2: {" NSX ", tenet_nsx_project: p}\n"
                      "    n1: {tenet_nsx: m1}\n"
                      "    n2: {tenet_nsx: m1}\n"
                      "    n3: {tenet_nsx: m2}\n"
                      "    other:\n"}};
    struct world w;
    load(&w, files);
    cr_assert_eq(w.diags.n_errors, 0);
    const struct tn_host *m1 = tn_inventory_host_get(w.inv, "m1");
    const struct tn_host *m2 = tn_inventory_host_get(w.inv, "m2");
    const struct tn_host *n1 = tn_inventory_host_get(w.inv, "n1");
    const struct tn_host *n2 = tn_inventory_host_get(w.inv, "n2");
    const struct tn_host *n3 = tn_inventory_host_get(w.inv, "n3");

    cr_expect_eq(n1->cloud, m1);
    cr_expect_eq(n3->cloud, m2);
    cr_expect_null(m1->cloud);
    cr_expect_str_eq(tn_host_engine(n1), "nsx");
    cr_expect(tn_hosts_join(n1, n2));
    cr_expect(tn_hosts_join(n1, m1) && tn_hosts_join(m1, n1));
    cr_expect(!tn_hosts_join(n1, n3) && !tn_hosts_join(n1, m2));
    cr_expect(!tn_hosts_join(m1, m2));
    done(&w);
}

Test(inventory, config)
{
    static const struct file files[FILES_MAX] = {
        {"hosts.yml", "all:\n"
                      "  vars: {tenet_driver: kernel, tenet_site: ber}\n"
                      "  hosts:\n"
                      "    hv1: {tenet_underlay_address: '2001:DB8::0:1', "
                      "tenet_underlay_mtu: 0x2328}\n"
                      "    hv2: {tenet_driver: memory, tenet_site: ~, "
                      "tenet_memory_atomic: yes, x: 1}\n"
                      "    web: {tenet_driver: ~}\n"}};
    const struct tn_host *hv1, *hv2, *web;
    char text[TN_ADDR_TEXT];
    struct world w;

    load(&w, files);
    cr_expect_eq(w.diags.n_errors, 0);
    cr_assert_eq(w.inv->n_hosts, 3);
    hv1 = &w.inv->hosts[0];
    hv2 = &w.inv->hosts[1];
    web = &w.inv->hosts[2];
    cr_expect_str_eq(hv1->config.driver, "kernel");
    cr_expect_str_eq(hv1->config.site, "ber");
    cr_expect_str_eq(tn_addr_format(&hv1->config.underlay, text),
                     "2001:db8::1");
    cr_expect_eq(hv1->config.underlay_mtu, 9000);
    cr_expect_eq(hv1->config.n_options, 4);
    cr_expect_str_eq(hv1->config.options[3].value->scalar.text, "9000");
    cr_expect_str_eq(hv2->config.driver, "memory");
    cr_expect_null(hv2->config.site);
    cr_expect_eq(hv2->config.underlay_mtu, 1500);
    cr_expect_not(tn_addr_present(&hv2->config.underlay));
    cr_assert_eq(hv2->config.n_options, 2);
    cr_expect_str_eq(hv2->config.options[1].value->scalar.text, "true");
    cr_expect_null(web->config.driver);
    done(&w);
}

Test(inventory, where_variables_come_from)
{
    static const struct file files[FILES_MAX] = {
        {"hosts.yml", "all:\n  vars:\n    a: 1\n    b: 1\n"
                      "web:\n  hosts:\n    h:\n      c: 1\n"},
        {"group_vars/web.yml", "# b\nb: 2\n"}};
    const struct tn_var *var;
    const struct tn_host *h;
    struct world w;

    load(&w, files);
    h = tn_inventory_host_get(w.inv, "h");
    cr_assert_not_null(h);
    cr_expect_eq(h->raw.at.line, 7);
    cr_assert_eq(h->raw.n_groups, 2);
    cr_expect_str_eq(h->raw.groups[0], "all");
    cr_expect_str_eq(h->raw.groups[1], "web");
    var = tn_inventory_var(&h->raw, "a");
    cr_expect_str_eq(var->layer, "group all");
    cr_expect_eq(var->value->at.line, 3);
    var = tn_inventory_var(&h->raw, "b");
    cr_expect_str_eq(var->layer, "group web");
    cr_expect_str_eq(var->path, "inventories/lab/group_vars/web.yml");
    cr_expect_eq(var->value->at.line, 2);
    cr_expect_str_eq(tn_inventory_var(&h->raw, "c")->layer, "host h");
    cr_expect_null(tn_inventory_var(&h->raw, "d"));
    cr_expect_null(tn_inventory_host_get(w.inv, "web"));
    done(&w);
}

Test(inventory, environments)
{
    static const char *const names[] = {"lap", "",      ".",
                                        "..",  "lab/x", "production"};
    struct world w;
    static const struct file files[FILES_MAX] = {{"hosts.yml", "all:\n"}};

    load(&w, files);
    cr_expect_eq(w.inv->n_hosts, 0);
    cr_expect_str_eq(w.inv->environment, "lab");
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        const struct tn_inventory *inv = NULL;

        /* The first one is near enough to be a slip. */
        w.diags.list.n = w.diags.n_errors = 0;
        cr_assert_eq(tn_inventory_load(w.source, names[i], w.arena, &inv,
                                       &w.diags, NULL),
                     TN_OK);
        cr_expect_eq(w.diags.n_errors, 1);
        cr_expect_eq(inv->n_hosts, 0);
        cr_expect(i > 0 || w.diags.list.items[0].hint);
    }
    done(&w);
}

Test(inventory, io_failures)
{
    static const char *const paths[] = {
        "inventories", "inventories/lab", "inventories/lab/hosts.yml",
        "inventories/lab/group_vars", "inventories/lab/host_vars/h.yml"};
    static const struct file files[FILES_MAX] = {
        {"hosts.yml", "all: {hosts: {h: }}\n"},
        {"group_vars/all.yml", "a: 1\n"},
        {"host_vars/h.yml", "a: 1\n"}};
    struct world w;

    load(&w, files);
    for (size_t i = 0; i < TN_ARRAY_SIZE(paths); i++) {
        const struct tn_inventory *inv = NULL;
        struct tn_error err = {0};

        tn_memory_source_fail(w.source, paths[i]);
        cr_expect_eq(
            tn_inventory_load(w.source, "lab", w.arena, &inv, &w.diags, &err),
            TN_EUNAVAILABLE, "%s", paths[i]);
        cr_expect_eq(err.code, TN_EUNAVAILABLE);
        cr_expect_null(inv);
    }
    done(&w);
}

Test(inventory, digest_is_of_what_was_read)
{
    static const struct file files[FILES_MAX] = {
        {"hosts.yml", "all: {hosts: {h: }}\n"}, {"notes.txt", "a\n"}};
    const struct tn_inventory *again;
    struct world w;

    load(&w, files);
    tn_memory_source_add(w.source, "inventories/lab/notes.txt", "b\n");
    cr_assert_eq(
        tn_inventory_load(w.source, "lab", w.arena, &again, &w.diags, NULL),
        TN_OK);
    cr_expect(tn_digest_eq(&again->digest, &w.inv->digest));
    tn_memory_source_add(w.source, "inventories/lab/host_vars/h.yml", "a: 1\n");
    cr_assert_eq(
        tn_inventory_load(w.source, "lab", w.arena, &again, &w.diags, NULL),
        TN_OK);
    cr_expect_not(tn_digest_eq(&again->digest, &w.inv->digest));
    done(&w);
}

/* Run from the root of the project. */
Test(inventory, page_of_variables)
{
    TN_CLEANUP(tn_cleanup_free) char *page = tn_inventory_variables_markdown();
    TN_CLEANUP(tn_cleanup_file)
    FILE *f = fopen("docs/host-variables.md", "re");
    static char text[32768];

    cr_expect_not_null(strstr(page, "\n## `tenet_underlay_mtu`\n"));
    cr_expect_not_null(strstr(page, "from 576 to 65535\n- Default: 1500\n"));
    cr_assert_not_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    cr_expect_str_eq(text, page, "docs/host-variables.md is out of date");
}
