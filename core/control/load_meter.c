#include "control/load_meter.h"

#include <assert.h>

void load_meter_put(struct load_meter *m, unsigned first, size_t count, const struct control_slot_load *slots)
{
    assert(first <= CLUSTER_SLOTS && count <= CLUSTER_SLOTS - first);
    for (size_t i = 0; i < count; i++) {
        atomic_store_explicit(&m->put[first + i].keys, slots[i].keys, memory_order_relaxed);
        atomic_store_explicit(&m->put[first + i].bytes, slots[i].bytes, memory_order_relaxed);
        atomic_store_explicit(&m->put[first + i].commands, slots[i].commands, memory_order_relaxed);
    }
}

static uint64_t bounded(uint64_t value)
{
    return value < CLUSTER_LOAD_MAX ? value : CLUSTER_LOAD_MAX;
}

static struct message_load_slot now_of(const struct load_meter *m, unsigned slot)
{
    return (struct message_load_slot){.slot = slot,
                                      .keys = bounded(atomic_load_explicit(&m->put[slot].keys, memory_order_relaxed)),
                                      .bytes = bounded(atomic_load_explicit(&m->put[slot].bytes, memory_order_relaxed)),
                                      .milliops = (uint64_t)(m->slot[slot].ops * 1000 + 0.5f)};
}

void load_meter_sample(struct load_meter *m, uint64_t now_ms)
{
    if (now_ms <= m->sampled_ms) return;
    float elapsed_ms = (float)(now_ms - m->sampled_ms), weight = elapsed_ms / (elapsed_ms + LOAD_MEAN_MS);
    m->sampled_ms = now_ms;
    m->keys = m->milliops = 0;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        uint32_t commands = atomic_load_explicit(&m->put[slot].commands, memory_order_relaxed);
        float rate = (float)(commands - m->slot[slot].commands) * 1000 / elapsed_ms; /* the counter may have wrapped */
        m->slot[slot].commands = commands;
        m->slot[slot].ops += weight * (rate - m->slot[slot].ops);
        struct message_load_slot now = now_of(m, slot);
        m->keys += now.keys;
        m->milliops += now.milliops;
    }
}

void load_meter_forget_sent(struct load_meter *m)
{
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) m->slot[slot].due = true;
    m->next = 0;
}

static bool is_news(const struct load_meter *m, const struct message_load_slot *now)
{
    const struct message_load_slot *sent = &m->slot[now->slot].sent;
    return m->slot[now->slot].due || now->keys != sent->keys || now->bytes != sent->bytes ||
           now->milliops != sent->milliops;
}

uint32_t load_meter_report(struct load_meter *m, const bool owned[CLUSTER_SLOTS], struct buffer *slots)
{
    uint32_t count = 0;
    unsigned after = 0, slot = m->next;
    for (; slot < CLUSTER_SLOTS && slots->len + MESSAGE_LOAD_SLOT_MAX <= MESSAGE_LOAD_SLOTS_MAX; slot++) {
        struct message_load_slot now = now_of(m, slot);
        if (!owned[slot]) m->slot[slot].due = true; /* when it is this node's again, the leader has forgotten */
        if (!owned[slot] || !is_news(m, &now)) continue;
        message_load_slot_write(slots, &after, &now);
        m->slot[slot].sent = now;
        m->slot[slot].due = false;
        count++;
    }
    m->next = slot < CLUSTER_SLOTS ? slot : 0;
    return count;
}
