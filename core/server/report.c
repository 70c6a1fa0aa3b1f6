/* What the data thread tells control of this node's load: all of it twice a second, slots in five parts, so that it
 * takes some microseconds at a time. */
#include "server/node.h"

#define PARTS      5
#define PART_SLOTS ((CLUSTER_SLOTS + PARTS - 1) / PARTS)

static void report_slots(struct node *n, unsigned part)
{
    struct keyspace_held held[PART_SLOTS];
    struct control_slot_load slots[PART_SLOTS];
    unsigned first = part * PART_SLOTS;
    size_t count = first + PART_SLOTS < CLUSTER_SLOTS ? PART_SLOTS : CLUSTER_SLOTS - first;
    const uint32_t *commands = command_engine_slot_commands(n->engine);
    keyspace_slots_held(n->keyspace, first, count, held);
    for (size_t i = 0; i < count; i++)
        slots[i] = (struct control_slot_load){
            .keys = held[i].keys, .bytes = held[i].bytes, .commands = commands[first + i]};
    control_report_slots(n->control, first, count, slots);
}

static void report_node(struct node *n)
{
    struct store_statistics s;
    size_t resident = 0;
    store_statistics(n->store, &s);
    uv_resident_set_memory(&resident);
    control_report_load(n->control, &(struct control_load){.disk_bytes = s.bytes_on_disk,
                                                           .memory_bytes = resident,
                                                           .memory_limit_bytes = n->memory_limit});
}

void node_report_load(struct node *n)
{
    if (n->report_part == 0) report_node(n);
    report_slots(n, n->report_part);
    n->report_part = (n->report_part + 1) % PARTS;
}
