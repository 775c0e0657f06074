/* json.c - a graph as JSON, whole: nothing is folded (docs/graph.md). */
#include <jansson.h>

#include "model/base/cleanup.h"
#include "reconciler/graph/graph.h"

static json_t *
text_json(const char *s)
{
    json_t *json = s ? json_string(s) : NULL;
    return json ? json : json_null();
}

static json_t *
head_json(const struct tn_graph_head *head)
{
    return json_pack(
        "{s:o, s:o, s:i, s:s, s:b}", "name", text_json(head->name), "path",
        text_json(head->at.path), "line", (int) head->at.line, "state",
        tn_graph_state_name(head->state), "drift", (int) head->drift);
}

static json_t *
subnet_json(const struct tn_graph_subnet *s)
{
    json_t *json = head_json(&s->head), *ports = json_array();
    for (size_t i = 0; i < s->ports.n; i++) {
        const struct tn_graph_port *p = &s->ports.items[i];
        json_t *port = head_json(&p->head);
        json_object_set_new(port, "address", text_json(p->address));
        json_object_set_new(port, "mac", text_json(p->mac));
        json_object_set_new(port, "host", text_json(p->host));
        json_array_append_new(ports, port);
    }
    json_object_set_new(json, "cidr", text_json(s->cidr));
    json_object_set_new(json, "vni", json_integer(s->vni));
    json_object_set_new(json, "ports", ports);
    return json;
}

static json_t *
vpcs_json(const struct tn_graph *g)
{
    json_t *vpcs = json_array();
    for (size_t i = 0; i < g->vpcs.n; i++) {
        const struct tn_graph_vpc *v = &g->vpcs.items[i];
        json_t *json = head_json(&v->head), *subnets = json_array();
        for (size_t k = 0; k < v->subnets.n; k++) {
            json_array_append_new(subnets, subnet_json(&v->subnets.items[k]));
        }
        json_object_set_new(json, "scope", text_json(v->scope));
        json_object_set_new(json, "tenant", text_json(v->tenant));
        json_object_set_new(json, "subnets", subnets);
        json_array_append_new(vpcs, json);
    }
    return vpcs;
}

static json_t *
hosts_json(const struct tn_graph *g)
{
    json_t *hosts = json_array();
    for (size_t i = 0; i < g->hosts.n; i++) {
        const struct tn_graph_host *h = &g->hosts.items[i];
        json_t *json = head_json(&h->head);
        json_object_set_new(json, "driver", text_json(h->driver));
        json_object_set_new(json, "site", text_json(h->site));
        json_object_set_new(json, "underlay", text_json(h->underlay));
        json_object_set_new(json, "cloud", text_json(h->cloud));
        json_object_set_new(json, "n_ports",
                            json_integer((json_int_t) h->n_ports));
        json_object_set_new(json, "n_changes",
                            json_integer((json_int_t) h->n_changes));
        json_object_set_new(json, "error", text_json(h->error));
        json_array_append_new(hosts, json);
    }
    return hosts;
}

void
tn_graph_json(struct tn_text *out, const struct tn_graph *graph)
{
    json_t *peerings = json_array();
    for (size_t i = 0; i < graph->peerings.n; i++) {
        const struct tn_graph_peering *p = &graph->peerings.items[i];
        json_t *json = head_json(&p->head);
        json_object_set_new(json, "a", text_json(p->a));
        json_object_set_new(json, "b", text_json(p->b));
        json_array_append_new(peerings, json);
    }
    json_t *root = json_pack("{s:s, s:o, s:b, s:o, s:o, s:o}", "format_version",
                             "1.0", "title", text_json(graph->title), "planned",
                             (int) graph->planned, "vpcs", vpcs_json(graph),
                             "hosts", hosts_json(graph), "peerings", peerings);
    TN_CLEANUP(tn_cleanup_free)
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
    tn_text_add(out, text ? text : "{}");
    tn_text_addc(out, '\n');
    json_decref(root);
}
