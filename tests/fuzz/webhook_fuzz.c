/* webhook_fuzz.c - hostile notifications: no crash, no leak, no belief.
 *
 * Input: lines "Name: value" up to an empty line, then the body.  It is judged
 * three times: as it is, when nothing may be authentic; with the right
 * signature added, so that what stands behind it is reached; and that again,
 * which must be a replay. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/http/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

enum { MAX_FIELDS = 16 };

static const char key[] = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/* Cuts the head, in place, into fields; returns the body. */
static char *
parse_head(char *text, char *end, struct tn_http_field *fields, size_t *n)
{
    *n = 0;
    while (text < end && *n < MAX_FIELDS) {
        char *line = text;
        char *nl = memchr(text, '\n', (size_t) (end - text));
        if (!nl) {
            return end;
        }
        *nl = '\0';
        text = nl + 1;
        char *colon = strchr(line, ':');
        if (!colon) {
            return text;
        }
        *colon = '\0';
        fields[(*n)++] =
            (struct tn_http_field){line, colon + 1 + strspn(colon + 1, " ")};
    }
    return text;
}

static struct tn_webhook_result
judge(struct tn_webhook *w, struct tn_http_request *request)
{
    struct tn_webhook_result r = tn_webhook_judge(w, request, 1);
    struct tn_http_response response = {0};
    CHECK(strspn(r.commit, "0123456789abcdef") == strlen(r.commit));
    CHECK(r.verdict == TN_WEBHOOK_WAKE || !r.commit[0]);
    tn_webhook_answer(&r, &response);
    CHECK(response.status >= 200 && response.body.n > 0);
    tn_text_done(&response.body);
    return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_http_field fields[MAX_FIELDS + 1];
    size_t n = 0;
    char *text = malloc(size + 1), signature[80] = "sha256=";
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *secret = NULL;
    struct tn_error err = {0};
    CHECK(text && !tn_secret_new(sizeof key - 1, &secret, &err));
    memcpy(tn_secret_bytes(secret), key, sizeof key - 1);
    memcpy(text, data, size);
    text[size] = '\0';
    char *body = parse_head(text, text + size, fields + 1, &n);
    struct tn_http_request request = {.peer = "192.0.2.1",
                                      .fields = fields + 1,
                                      .n_fields = n,
                                      .body = body,
                                      .n_body = (size_t) (text + size - body)};
    struct tn_webhook_options options = {
        .secret = secret,
        .branch = "main",
        .repository = size % 2 ? "acme/net" : "git@h:acme/net"};
    struct tn_webhook *w = tn_webhook_new(&options);
    CHECK(judge(w, &request).verdict == TN_WEBHOOK_BAD_SIGNATURE ||
          request.n_body > TN_WEBHOOK_BODY);
    uint8_t mac[TN_SHA256_SIZE];
    tn_hmac_sha256(key, sizeof key - 1, request.body, request.n_body, mac);
    for (size_t i = 0; i < sizeof mac; i++) {
        snprintf(signature + 7 + 2 * i, 3, "%02x", mac[i]);
    }
    bool gitlab = tn_http_field(&request, "X-Gitlab-Event") != NULL;
    fields[0] = gitlab
                    ? (struct tn_http_field){"X-Gitlab-Token", key}
                    : (struct tn_http_field){"X-Forgejo-Signature", signature};
    request.fields = fields;
    request.n_fields = n + 1;
    enum tn_webhook_verdict first = judge(w, &request).verdict;
    enum tn_webhook_verdict again = judge(w, &request).verdict;
    if (first != TN_WEBHOOK_BAD_SIGNATURE && first != TN_WEBHOOK_TOO_LARGE) {
        CHECK(first != TN_WEBHOOK_REPLAYED && first != TN_WEBHOOK_RATE_LIMITED);
        CHECK(again == TN_WEBHOOK_REPLAYED);
    }
    tn_webhook_free(w);
    free(text);
    return 0;
}
