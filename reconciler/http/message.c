/* message.c - looking things up in a request. */
#include "reconciler/http/message.h"

#include <string.h>
#include <strings.h>

const char *
tn_http_field(const struct tn_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_fields; i++) {
        if (strcasecmp(request->fields[i].name, name) == 0) {
            return request->fields[i].value;
        }
    }
    return NULL;
}

const char *
tn_http_arg(const struct tn_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_args; i++) {
        if (strcmp(request->args[i].name, name) == 0) {
            return request->args[i].value ? request->args[i].value : "";
        }
    }
    return NULL;
}
