/* secret_test.c - names that hold secrets, and values that are hidden. */
#include "reconciler/provenance/secret.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const secrets[] = {
    "ansible_password",
    "ansible_become_pass",
    "ansible_ssh_pass",
    "apiToken",
    "TOKEN",
    "snmp_community",
    "tls_private_key",
    "vault_pass",
    "db_passwd",
    "bgp_md5_secret",
    "ansible_become_pw",
    "aws_access_key",
    "wifi_psk",
    "rootPwd",
    "key_passphrase",
    "github_token_for_all",
};
static const char *const harmless[] = {
    "mtu",         "ansible_host", "ansible_ssh_private_key_file",
    "token_file",  "keys",         "passive",
    "secret_path", "bypass_list",  "",
};

Test(secret, names)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(secrets); i++) {
        cr_expect(tn_is_secret_name(secrets[i]), "%s", secrets[i]);
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(harmless); i++) {
        cr_expect_not(tn_is_secret_name(harmless[i]), "%s", harmless[i]);
    }
}

Test(secret, below)
{
    static const char text[] =
        "{mtu: 1500, bmc: [{user: root, password: x}, 7], token: [a, b]}";
    struct tn_arena *arena = tn_arena_new();
    static const struct tn_node hidden = {.type = TN_NODE_SCALAR,
                                          .scalar = {"-", 1}};
    const struct tn_node **docs = NULL;
    struct tn_diags diags;
    size_t n = 0;
    tn_diags_init(&diags, arena);
    cr_assert(tn_yaml_parse(arena, "x", text, strlen(text), TN_YAML_STRICT,
                            &tn_yaml_limits_default, &docs, &n, &diags));
    const struct tn_node *all = tn_secrets_hide(arena, "x", docs[0], &hidden);
    const struct tn_node *bmc = tn_node_get(all, "bmc");
    const struct tn_node *first = bmc->list.items[0];
    cr_expect_eq(tn_node_get(all, "token"), &hidden);
    cr_expect_eq(tn_node_get(first, "password"), &hidden);
    cr_expect_str_eq(tn_node_get(first, "user")->scalar.text, "root");
    cr_expect_str_eq(bmc->list.items[1]->scalar.text, "7");
    cr_expect_eq(tn_node_get(all, "mtu"), tn_node_get(docs[0], "mtu"));
    cr_expect_eq(tn_secrets_hide(arena, "password", docs[0], &hidden), &hidden);
    cr_expect_eq(
        tn_secrets_hide(arena, "mtu", tn_node_get(docs[0], "mtu"), &hidden),
        tn_node_get(docs[0], "mtu"));
    tn_arena_free(arena);
}
