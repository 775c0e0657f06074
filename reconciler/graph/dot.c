/* dot.c - a graph as DOT.
 *
 * Names come from documents and must not become markup: identifiers are
 * numbers, and every text passes escape_add().  Colours are those of Okabe and
 * Ito, which the colour-blind can tell apart, and never alone: what changes has
 * a sign and a dashed frame too.  Cards are opaque and what stands between them
 * is grey, so that a picture can be read on white and on black. */
#include <string.h>

#include "model/base/map.h"
#include "reconciler/graph/graph.h"

enum {
    DETAIL_PORTS = 16, /* Up to here: edges to hosts. */
    DETAIL_VPCS = 4,
    CARD_VPCS = 80,  /* Up to here: a card is a VPC. */
    ROW_PORTS = 150, /* Up to here: most ports are rows of their own. */
    CARD_PORTS = 6,  /* So many, of a subnet, that nothing happens to. */
    CARD_MARKED = 40,
    TENANT_ROWS = 24, /* VPCs of a tenant's card, */
    ROWS = 240,       /* and of all cards, if nothing happens to them. */
    HOSTS_SHOWN = 3,  /* In the counts of a row. */
};

enum mode { MODE_DETAIL, MODE_VPCS, MODE_TENANTS };

struct draw {
    struct tn_text *out;
    const struct tn_graph *graph;
    const char *links;
    enum mode mode;
    size_t n_tenants;
};

#define INK "#1b1f24"
#define FAINT "#57606a"
#define BETWEEN "#7d8590"

static const struct {
    const char *sign, *line, *fill, *word;
} styles[] = {
    [TN_GRAPH_SAME] = {"", FAINT, NULL, ""},
    [TN_GRAPH_NEW] = {"+ ", "#0072B2", "#cfe6f7", "will be created"},
    [TN_GRAPH_CHANGED] = {"~ ", "#B06F00", "#ffe7b0", "will change"},
    [TN_GRAPH_GONE] = {"- ", "#D55E00", "#fbd5c2", "will be removed"},
};

/* ------------------------------------------------------------- texts ---- */

/* For text and attributes of HTML-like labels.  A backslash would start an
 * escape of graphviz's own, entity or not; what no XML may hold becomes a
 * question mark. */
static void
escape_add(struct tn_text *out, const char *s)
{
    for (; s && *s; s++) {
        unsigned char c = (unsigned char) *s;
        if (c < 0x20 || c == 0x7f) {
            tn_text_addc(out, '?');
        } else if (strchr("&<>\"'\\", c)) {
            tn_text_addf(out, c == '\\' ? "&#92;&#92;" : "&#%u;", c);
        } else {
            tn_text_addc(out, (char) c);
        }
    }
}

/* The same where graphviz refuses to have nothing. */
static void
words_add(struct tn_text *out, const char *s)
{
    escape_add(out, s);
    tn_text_add(out, s && *s ? "" : "&#160;");
}

/* What a browser would take apart in a path. */
static void
url_add(struct tn_text *out, const char *path)
{
    for (const char *p = path; *p; p++) {
        unsigned char c = (unsigned char) *p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || strchr("/._-~", c);
        tn_text_addf(out, plain ? "%c" : "%%%02X", c);
    }
}

/* HREF and TOOLTIP of what stands at 'head->at'. */
static void
place_add(const struct draw *d, const struct tn_graph_head *head,
          const char *what)
{
    const struct tn_origin *at = &head->at;
    if (at->path && head->state != TN_GRAPH_GONE) {
        tn_text_add(d->out, " HREF=\"");
        escape_add(d->out, d->links);
        url_add(d->out, at->path);
        tn_text_addf(d->out, "#L%u\"", at->line);
    } else {
        tn_text_add(d->out, " HREF=\"#\"");
    }
    tn_text_add(d->out, " TOOLTIP=\"");
    escape_add(d->out, what);
    tn_text_addc(d->out, ' ');
    escape_add(d->out, head->name);
    if (at->path) {
        tn_text_add(d->out, " (");
        escape_add(d->out, at->path);
        tn_text_addf(d->out, ":%u)", at->line);
    }
    if (head->state != TN_GRAPH_SAME) {
        tn_text_addf(d->out, " %s", styles[head->state].word);
    }
    tn_text_add(d->out, head->drift ? ", changed outside Git\"" : "\"");
}

/* The frame and ground of a cell. */
static void
ground_add(const struct draw *d, const struct tn_graph_head *head,
           const char *fill)
{
    const char *own = styles[head->state].fill;
    own = own ? own : head->drift ? "#ead9f3" : fill;
    if (own) {
        tn_text_addf(d->out, " BGCOLOR=\"%s\"", own);
    }
    if (head->state == TN_GRAPH_NEW || head->state == TN_GRAPH_GONE) {
        tn_text_addf(d->out, " BORDER=\"1\" STYLE=\"DASHED\" COLOR=\"%s\"",
                     styles[head->state].line);
    }
}

/* Sign, name, and that it drifted. */
static void
name_add(const struct draw *d, const struct tn_graph_head *head,
         const char *tag)
{
    bool gone = head->state == TN_GRAPH_GONE;
    tn_text_addf(d->out, "<%s>%s", tag, styles[head->state].sign);
    tn_text_add(d->out, gone ? "<S>" : "");
    words_add(d->out, head->name);
    tn_text_add(d->out, gone ? "</S>" : "");
    tn_text_addf(d->out, "</%s>", tag);
    if (head->drift) {
        tn_text_add(d->out, " <FONT COLOR=\"#7b3294\"><B>&#8800; drift</B>"
                            "</FONT>");
    }
}

static void
faint_add(const struct draw *d, const char *s)
{
    tn_text_addf(d->out, "<FONT COLOR=\"%s\">", FAINT);
    words_add(d->out, s);
    tn_text_add(d->out, "</FONT>");
}

/* "3 ports" */
static void
count_add(const struct draw *d, const char *before, size_t n, const char *noun)
{
    tn_text_addf(d->out, "%s%zu %s%s", before, n, noun, n == 1 ? "" : "s");
}

/* ------------------------------------------------------------- cards ---- */

static void
card_begin(const struct draw *d, const struct tn_graph_head *head)
{
    bool ghost = head->state == TN_GRAPH_NEW || head->state == TN_GRAPH_GONE;
    tn_text_addf(d->out,
                 "<TABLE BORDER=\"%d\" CELLBORDER=\"0\" CELLSPACING=\"0\" "
                 "CELLPADDING=\"4\" BGCOLOR=\"#ffffff\" COLOR=\"%s\"%s>",
                 ghost ? 2 : 1, styles[head->state].line,
                 ghost ? " STYLE=\"DASHED\"" : "");
}

static bool
is_marked(const struct tn_graph_head *head)
{
    return head->state != TN_GRAPH_SAME || head->drift;
}

/* True if something happens to the port that is not said of its VPC already. */
static bool
stands_out(const struct draw *d, const struct tn_graph_vpc *vpc,
           const struct tn_graph_port *p)
{
    bool same = d->graph->n_ports > ROW_PORTS &&
                p->head.state == vpc->head.state && !p->head.drift;
    return is_marked(&p->head) && !same;
}

static void
port_row(const struct draw *d, const struct tn_graph_port *p, size_t index)
{
    tn_text_add(d->out, "<TR><TD ALIGN=\"LEFT\"");
    ground_add(d, &p->head, NULL);
    place_add(d, &p->head, "port");
    tn_text_add(d->out, ">");
    name_add(d, &p->head, "FONT");
    tn_text_add(d->out, "</TD><TD ALIGN=\"LEFT\">");
    if (p->address[0]) {
        faint_add(d, p->address);
    }
    tn_text_addf(d->out, "</TD><TD ALIGN=\"RIGHT\" PORT=\"p%zu\">", index);
    faint_add(d, p->host);
    tn_text_add(d->out, "</TD></TR>");
}

/* "hv1 12, hv2 9, 3 more": where ports are that are not shown by themselves. */
static void
counts_row(const struct draw *d, const struct tn_graph_vpc *vpc,
           const struct tn_graph_subnet *s, size_t n)
{
    struct tn_map counts;
    const char **names = tn_new_n(d->graph->arena, const char *, n + 1);
    size_t n_names = 0;
    tn_map_init(&counts, d->graph->arena, 0);
    for (size_t i = 0; i < s->ports.n; i++) {
        const struct tn_graph_port *p = &s->ports.items[i];
        uintptr_t c = (uintptr_t) tn_map_get(&counts, p->host);
        if (stands_out(d, vpc, p)) {
            continue;
        }
        if (!c) {
            names[n_names++] = p->host;
        }
        tn_map_put(&counts, p->host, (void *) (c + 1));
    }
    tn_texts_sort(names, n_names);
    tn_text_addf(d->out,
                 "<TR><TD ALIGN=\"LEFT\">%zu ports</TD><TD COLSPAN=\"2\" "
                 "ALIGN=\"RIGHT\"><FONT COLOR=\"%s\">",
                 n, FAINT);
    for (size_t i = 0; i < n_names && n_names <= HOSTS_SHOWN; i++) {
        tn_text_add(d->out, i ? ", " : "");
        words_add(d->out, names[i]);
        tn_text_addf(d->out, " &#215;%zu",
                     (size_t) (uintptr_t) tn_map_get(&counts, names[i]));
    }
    if (n_names > HOSTS_SHOWN) {
        count_add(d, "on ", n_names, "host");
    }
    tn_text_add(d->out, "</FONT></TD></TR>");
}

static void
subnet_rows(const struct draw *d, const struct tn_graph_vpc *vpc,
            const struct tn_graph_subnet *s, size_t *index)
{
    size_t n_same = 0, n_shown = 0;
    tn_text_add(d->out, "<TR><TD ALIGN=\"LEFT\"");
    ground_add(d, &s->head, "#eef0f2");
    place_add(d, &s->head, "subnet");
    tn_text_add(d->out, ">");
    name_add(d, &s->head, "I");
    tn_text_add(d->out, "</TD><TD ALIGN=\"LEFT\" BGCOLOR=\"#eef0f2\">");
    faint_add(d, s->cidr[0] ? s->cidr : " ");
    tn_text_addf(d->out,
                 "</TD><TD ALIGN=\"RIGHT\" BGCOLOR=\"#eef0f2\"><FONT "
                 "COLOR=\"%s\">vni %u</FONT></TD></TR>",
                 FAINT, s->vni);
    for (size_t i = 0; i < s->ports.n; i++) {
        n_same += !stands_out(d, vpc, &s->ports.items[i]);
    }
    bool fold = d->mode != MODE_DETAIL &&
                n_same > (d->graph->n_ports > ROW_PORTS ? 1 : CARD_PORTS);
    for (size_t i = 0; i < s->ports.n; i++) {
        bool marked = stands_out(d, vpc, &s->ports.items[i]);
        if (!fold || (marked && n_shown < CARD_MARKED)) {
            port_row(d, &s->ports.items[i], (*index)++);
            n_shown += marked;
        }
    }
    if (fold) {
        counts_row(d, vpc, s, n_same);
    }
    if (fold && s->ports.n - n_same > n_shown) {
        tn_text_addf(d->out,
                     "<TR><TD COLSPAN=\"3\" ALIGN=\"LEFT\">... and %zu more "
                     "that change</TD></TR>",
                     s->ports.n - n_same - n_shown);
    }
}

/* Peerings as rows: where there are many cards, edges would hide them. */
static void
peering_rows(const struct draw *d, const struct tn_graph_vpc *vpc)
{
    for (size_t i = 0; i < d->graph->peerings.n; i++) {
        const struct tn_graph_peering *p = &d->graph->peerings.items[i];
        bool first = strcmp(p->a, vpc->scope) == 0;
        if (!first && strcmp(p->b, vpc->scope) != 0) {
            continue;
        }
        struct tn_graph_head head = p->head;
        head.name = first ? p->b : p->a;
        tn_text_add(d->out, "<TR><TD COLSPAN=\"3\" ALIGN=\"LEFT\"");
        ground_add(d, &head, NULL);
        place_add(d, &head, "peering with");
        tn_text_add(d->out, ">&#8644; ");
        name_add(d, &head, "FONT");
        tn_text_add(d->out, "</TD></TR>");
    }
}

static void
vpc_card(const struct draw *d, const struct tn_graph_vpc *vpc, size_t index)
{
    size_t row = 0;
    tn_text_addf(d->out, "      v%zu [label=<", index);
    card_begin(d, &vpc->head);
    tn_text_add(d->out, "<TR><TD COLSPAN=\"3\" ALIGN=\"LEFT\" PORT=\"h\"");
    ground_add(d, &vpc->head, "#d5e3f0");
    place_add(d, &vpc->head, "VPC");
    tn_text_add(d->out, ">");
    name_add(d, &vpc->head, "B");
    tn_text_add(d->out, "</TD></TR>");
    for (size_t i = 0; i < vpc->subnets.n; i++) {
        subnet_rows(d, vpc, &vpc->subnets.items[i], &row);
    }
    if (d->mode != MODE_DETAIL) {
        peering_rows(d, vpc);
    }
    tn_text_add(d->out, "</TABLE>>];\n");
}

static void
vpc_row(const struct draw *d, const struct tn_graph_vpc *vpc)
{
    tn_text_add(d->out, "<TR><TD ALIGN=\"LEFT\"");
    ground_add(d, &vpc->head, NULL);
    place_add(d, &vpc->head, "VPC");
    tn_text_add(d->out, ">");
    name_add(d, &vpc->head, "FONT");
    tn_text_addf(d->out, "</TD><TD ALIGN=\"RIGHT\"><FONT COLOR=\"%s\">", FAINT);
    count_add(d, "", vpc->subnets.n, "subnet");
    count_add(d, ", ", vpc->n_ports, "port");
    tn_text_addf(d->out, "</FONT></TD><TD ALIGN=\"RIGHT\"%s>",
                 vpc->n_marked ? " BGCOLOR=\"#ffe7b0\"" : "");
    if (vpc->n_marked) {
        tn_text_addf(d->out, "~ %zu", vpc->n_marked);
    }
    tn_text_add(d->out, "</TD></TR>");
}

/* VPCs 'from' to 'to' of one tenant: those to which something happens first. */
static void
tenant_card(const struct draw *d, size_t from, size_t to)
{
    const struct tn_graph_vpc *vpcs = d->graph->vpcs.items;
    static const struct tn_graph_head plain = {.name = ""};
    size_t n_ports = 0, shown = 0, rows = TENANT_ROWS;
    for (size_t i = from; i < to; i++) {
        n_ports += vpcs[i].n_ports;
    }
    tn_text_addf(d->out, "    v%zu [label=<", from);
    card_begin(d, &plain);
    tn_text_add(d->out, "<TR><TD ALIGN=\"LEFT\" BGCOLOR=\"#d5e3f0\"><B>");
    words_add(d->out, vpcs[from].tenant);
    tn_text_addf(d->out,
                 "</B></TD><TD COLSPAN=\"2\" ALIGN=\"RIGHT\" "
                 "BGCOLOR=\"#d5e3f0\">%zu VPCs, %zu ports</TD></TR>",
                 to - from, n_ports);
    if (d->n_tenants * rows > ROWS) {
        rows = ROWS / d->n_tenants;
    }
    for (int marked = 1; marked >= 0; marked--) {
        for (size_t i = from; i < to && shown < TENANT_ROWS; i++) {
            bool is = is_marked(&vpcs[i].head) || vpcs[i].n_marked;
            if (is == (marked != 0) && (is || shown < rows)) {
                vpc_row(d, &vpcs[i]);
                shown++;
            }
        }
    }
    if (to - from > shown) {
        tn_text_addf(d->out,
                     "<TR><TD COLSPAN=\"3\" ALIGN=\"LEFT\"><FONT "
                     "COLOR=\"%s\">... and %zu more VPCs</FONT></TD></TR>",
                     FAINT, to - from - shown);
    }
    tn_text_add(d->out, "</TABLE>>];\n");
}

static void
host_card(const struct draw *d, const struct tn_graph_host *h, size_t index)
{
    tn_text_addf(d->out, "    h%zu [label=<", index);
    card_begin(d, &(struct tn_graph_head){0});
    tn_text_add(d->out, "<TR><TD ALIGN=\"LEFT\"");
    ground_add(d, &(struct tn_graph_head){.drift = h->head.drift}, "#dcebd9");
    struct tn_graph_head head = h->head;
    head.state = TN_GRAPH_SAME;
    place_add(d, &head, "host");
    tn_text_add(d->out, ">");
    name_add(d, &head, "B");
    tn_text_add(d->out, "</TD></TR><TR><TD ALIGN=\"LEFT\">");
    faint_add(d,
              tn_arena_printf(d->graph->arena, "%s%s%s%s%s%s%s", h->driver,
                              h->cloud ? " of " : "", h->cloud ? h->cloud : "",
                              h->site[0] ? ", " : "", h->site,
                              h->underlay[0] ? ", " : "", h->underlay));
    tn_text_add(d->out, "</TD></TR><TR><TD ALIGN=\"LEFT\">");
    count_add(d, "", h->n_ports, "port");
    count_add(d, " of ", h->n_vpcs, "VPC");
    tn_text_add(d->out, "</TD></TR>");
    if (h->error) {
        tn_text_addf(d->out,
                     "<TR><TD ALIGN=\"LEFT\" BGCOLOR=\"%s\" "
                     "HREF=\"#\" TOOLTIP=\"",
                     styles[TN_GRAPH_GONE].fill);
        escape_add(d->out, h->error);
        tn_text_add(d->out, "\">? not known</TD></TR>");
    } else if (h->n_changes) {
        tn_text_addf(d->out, "<TR><TD ALIGN=\"LEFT\" BGCOLOR=\"%s\">",
                     styles[TN_GRAPH_CHANGED].fill);
        count_add(d, "~ ", h->n_changes, "change");
        tn_text_add(d->out, "</TD></TR>");
    }
    tn_text_add(d->out, "</TABLE>>];\n");
}

/* ------------------------------------------------------------- edges ---- */

static void
edge_style(const struct draw *d, const struct tn_graph_head *head)
{
    bool ghost = head->state == TN_GRAPH_NEW || head->state == TN_GRAPH_GONE;
    tn_text_addf(d->out, "color=\"%s\", style=%s",
                 head->state == TN_GRAPH_SAME ? BETWEEN
                                              : styles[head->state].line,
                 ghost ? "dashed" : "solid");
}

static size_t
host_index(const struct tn_graph *g, const char *name)
{
    size_t i = 0;
    while (i < g->hosts.n && strcmp(g->hosts.items[i].head.name, name) != 0) {
        i++;
    }
    return i;
}

static void
port_edges(const struct draw *d, const struct tn_graph_vpc *vpc, size_t index)
{
    size_t row = 0;
    for (size_t i = 0; i < vpc->subnets.n; i++) {
        for (size_t k = 0; k < vpc->subnets.items[i].ports.n; k++, row++) {
            const struct tn_graph_port *p =
                &vpc->subnets.items[i].ports.items[k];
            size_t host = host_index(d->graph, p->host);
            if (host < d->graph->hosts.n) {
                tn_text_addf(d->out, "  v%zu:p%zu:e -> h%zu:w [", index, row,
                             host);
                edge_style(d, &p->head);
                tn_text_add(d->out, "];\n");
            }
        }
    }
}

/* Hypervisors to their cloud.  What has no edge would stand in the way of the
 * first column: it is put among the other hosts. */
static void
host_edges(const struct draw *d)
{
    const struct tn_graph *g = d->graph;
    for (size_t i = 0; i < g->hosts.n; i++) {
        const struct tn_graph_host *h = &g->hosts.items[i];
        size_t cloud = h->cloud ? host_index(g, h->cloud) : g->hosts.n;
        if (cloud < g->hosts.n) {
            tn_text_addf(d->out, "  h%zu:e -> h%zu:w [style=dotted];\n", i,
                         cloud);
        }
        if (!h->n_ports && g->vpcs.n) {
            tn_text_addf(d->out, "  v0 -> h%zu [style=invis];\n", i);
        }
    }
}

static size_t
vpc_index(const struct tn_graph *g, const char *scope)
{
    size_t i = 0;
    while (i < g->vpcs.n && strcmp(g->vpcs.items[i].scope, scope) != 0) {
        i++;
    }
    return i;
}

static void
edges_add(const struct draw *d)
{
    const struct tn_graph *g = d->graph;
    for (size_t i = 0; i < g->vpcs.n; i++) {
        port_edges(d, &g->vpcs.items[i], i);
    }
    host_edges(d);
    for (size_t i = 0; i < g->peerings.n; i++) {
        const struct tn_graph_peering *p = &g->peerings.items[i];
        size_t a = vpc_index(g, p->a), b = vpc_index(g, p->b);
        if (a < g->vpcs.n && b < g->vpcs.n) {
            tn_text_addf(d->out,
                         "  v%zu:h:w -> v%zu:h:w [constraint=false, "
                         "penwidth=1.6, ",
                         a, b);
            edge_style(d, &p->head);
            tn_text_add(d->out, "];\n");
        }
    }
}

/* ------------------------------------------------------------- whole ---- */

static enum mode
mode_of(const struct tn_graph *g)
{
    if (g->n_ports <= DETAIL_PORTS && g->vpcs.n <= DETAIL_VPCS) {
        return MODE_DETAIL;
    }
    return g->vpcs.n <= CARD_VPCS ? MODE_VPCS : MODE_TENANTS;
}

static void
key_add(const struct draw *d)
{
    for (int s = TN_GRAPH_NEW; s <= TN_GRAPH_GONE; s++) {
        tn_text_addf(d->out,
                     "<TD BORDER=\"1\" STYLE=\"%s\" COLOR=\"%s\" "
                     "BGCOLOR=\"%s\"><FONT COLOR=\"%s\">%s%s</FONT></TD>",
                     s == TN_GRAPH_CHANGED ? "SOLID" : "DASHED", styles[s].line,
                     styles[s].fill, INK, styles[s].sign, styles[s].word);
    }
    tn_text_addf(d->out,
                 "<TD BORDER=\"1\" COLOR=\"#7b3294\" BGCOLOR=\"#ead9f3\">"
                 "<FONT COLOR=\"%s\">&#8800; changed outside Git</FONT></TD>",
                 INK);
}

static void
header_add(const struct draw *d)
{
    const struct tn_graph *g = d->graph;
    tn_text_addf(d->out,
                 "digraph tenet {\n"
                 "  graph [layout=%s, rankdir=LR, bgcolor=\"transparent\", "
                 "compound=true, pack=14, packmode=array_itl, sep=\"+10\", "
                 "nodesep=0.25, ranksep=1.6, pad=0.2, "
                 "fontname=\"Helvetica\", fontsize=12, fontcolor=\"%s\", "
                 "color=\"%s\", labelloc=t, labeljust=l, tooltip=\" \"];\n",
                 d->mode == MODE_DETAIL ? "dot" : "osage", BETWEEN, BETWEEN);
    tn_text_addf(d->out,
                 "  node [shape=plain, fontname=\"Helvetica\", fontsize=11, "
                 "fontcolor=\"%s\", tooltip=\" \"];\n"
                 "  edge [arrowhead=none, color=\"%s\", tooltip=\" \"];\n",
                 INK, BETWEEN);
    tn_text_add(d->out, "  label=<<TABLE BORDER=\"0\"><TR><TD "
                        "ALIGN=\"LEFT\">");
    words_add(d->out, g->title);
    count_add(d, ": ", g->vpcs.n, "VPC");
    count_add(d, ", ", g->n_subnets, "subnet");
    count_add(d, ", ", g->n_ports, "port");
    count_add(d, ", ", g->hosts.n, "host");
    tn_text_add(d->out, "</TD>");
    if (g->planned) {
        tn_text_add(d->out, "</TR><TR><TD ALIGN=\"LEFT\"><TABLE "
                            "BORDER=\"0\" CELLPADDING=\"4\" "
                            "CELLSPACING=\"4\"><TR>");
        key_add(d);
        tn_text_add(d->out, "</TR></TABLE></TD>");
    }
    tn_text_add(d->out, "</TR></TABLE>>;\n");
}

static void
vpcs_add(const struct draw *d)
{
    const struct tn_graph *g = d->graph;
    for (size_t i = 0, end = 0; i < g->vpcs.n; i = end) {
        const char *tenant = g->vpcs.items[i].tenant;
        for (end = i; end < g->vpcs.n &&
                      strcmp(g->vpcs.items[end].tenant, tenant) == 0;) {
            end++;
        }
        if (d->mode == MODE_TENANTS) {
            tenant_card(d, i, end);
            continue;
        }
        tn_text_addf(d->out, "  subgraph cluster_t%zu {\n    label=<<B>", i);
        words_add(d->out, tenant);
        tn_text_add(d->out, "</B>>; style=rounded;\n");
        for (size_t k = i; k < end; k++) {
            vpc_card(d, &g->vpcs.items[k], k);
        }
        tn_text_add(d->out, "  }\n");
    }
}

void
tn_graph_dot(struct tn_text *out, const struct tn_graph *graph,
             const char *links)
{
    struct draw d = {.out = out,
                     .graph = graph,
                     .links = links ? links : "",
                     .mode = mode_of(graph)};
    for (size_t i = 0; i < graph->vpcs.n; i++) {
        const struct tn_graph_vpc *v = &graph->vpcs.items[i];
        d.n_tenants += i == 0 || strcmp(v->tenant, v[-1].tenant) != 0;
    }
    header_add(&d);
    vpcs_add(&d);
    if (d.mode != MODE_DETAIL) {
        tn_text_add(out, "  subgraph cluster_hosts {\n    label=<<B>hosts"
                         "</B>>; style=rounded;\n");
    }
    for (size_t i = 0; i < graph->hosts.n; i++) {
        host_card(&d, &graph->hosts.items[i], i);
    }
    tn_text_add(out, d.mode == MODE_DETAIL ? "" : "  }\n");
    if (d.mode == MODE_DETAIL) {
        edges_add(&d);
    }
    tn_text_add(out, "}\n");
}
