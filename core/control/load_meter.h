/* A node's load by slot: from the data thread's counts to what its reports to the leader say. Pure but for the numbers that the data thread puts
 * in, which are relaxed atomics: each is right, and together they are of moments that lie half a second apart at most. */
#ifndef AIKV_CONTROL_LOAD_METER_H
#define AIKV_CONTROL_LOAD_METER_H

#include <stdatomic.h>

#include "control/control.h"
#include "control/message.h"

#define LOAD_MEAN_MS 10000 /* the mean of commands a second is over about so long; what was before counts ever less */

struct load_meter {
    struct {
        atomic_uint_least64_t keys, bytes;
        atomic_uint_least32_t commands;
    } put[CLUSTER_SLOTS];
    struct {
        struct message_load_slot sent; /* what the leader was told last */
        bool due;                      /* it must be told, even if it is the same */
        uint32_t commands;             /* at the last sample */
        float ops;                     /* the mean */
    } slot[CLUSTER_SLOTS];
    uint64_t sampled_ms, keys, milliops; /* the sums over all slots, at the last sample */
    unsigned next;                  /* where the next report begins: the last one was full */
};

/* From the data thread. */
void load_meter_put(struct load_meter *m, unsigned first, size_t count, const struct control_slot_load *slots);
/* Brings means and sums forward. */
void load_meter_sample(struct load_meter *m, uint64_t now_ms);
/* The leader knows nothing, or it is not known what it knows. */
void load_meter_forget_sent(struct load_meter *m);
/* Writes those of the `owned` slots that the leader was told something else of, as far as they fit; the others come next time. Returns how
 * many. */
uint32_t load_meter_report(struct load_meter *m, const bool owned[CLUSTER_SLOTS], struct buffer *slots);

#endif
