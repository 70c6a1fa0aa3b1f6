/* A small cluster to try policies on. */
#include <inttypes.h>
#include <stdio.h>

#include "script/saved_view.h"
#include "tool/offline.h"

#define MEMBERS 6
#define SHARDS  3

/* Aliases 1 to 6 are members: the first three primaries and voters, the others their replicas, in the next zone. 7 is a
 * candidate. */
static void write_node(struct buffer *out, int alias)
{
    bool primary = alias <= SHARDS, candidate = alias > MEMBERS;
    int shard = (alias - 1) % SHARDS + 1, zone = (alias - 1 + (alias > SHARDS)) % 3;
    buffer_printf(
        out, "%s{\"id\":\"%040x\",\"alias\":\"%d\",\"name\":\"node%d\",\"zone\":\"%c\",\"state\":\"%s\",\"voter\":%s",
        alias > 1 ? "," : "", alias, alias, alias, 'a' + zone, candidate ? "candidate" : "member",
        primary ? "true" : "false");
    if (!candidate)
        buffer_printf(out, ",\"shard\":\"s%d\",\"primary\":%s,\"keys\":1000", shard, primary ? "true" : "false");
    buffer_append_text(out, "}");
}

static void write_shard(struct buffer *out, int number)
{
    int from = 16384 * (number - 1) / SHARDS, to = 16384 * number / SHARDS - 1;
    buffer_printf(out, "%s{\"id\":\"s%d\",\"primary\":\"%040x\",\"slots\":[[%d,%d]]}", number > 1 ? "," : "", number,
                  number, from, to);
}

int offline_sample(struct cluster_state **state, struct cluster_live *live, struct error *e)
{
    struct buffer view;
    buffer_init(&view, 1 << 20);
    buffer_printf(&view, "{\"leader\":\"%040x\",\"nodes\":[", 1);
    for (int alias = 1; alias <= MEMBERS + 1; alias++) write_node(&view, alias);
    buffer_append_text(&view, "],\"shards\":[");
    for (int number = 1; number <= SHARDS; number++) write_shard(&view, number);
    buffer_append_text(&view, "]}");
    int code = script_saved_view_read(buffer_bytes(&view), state, live, e);
    buffer_release(&view);
    return code;
}
