/* The thread that makes turns durable: whatever was handed over since its last transaction becomes the next one, so
 * that while one sync runs the next turns gather.
 *
 * Shared with the owner, under one mutex: the queue of turns, the list of those done, the error. What is read more
 * often is atomic and only ever rises: how far, and how many bytes, are durable; whether writing has failed. The first
 * failure is final: the thread ends, its turns and all that follow stay in the queue. */
#ifndef AIKV_STORE_WRITER_H
#define AIKV_STORE_WRITER_H

#include "store/disk.h"

struct writer;

/* Begins where the disk is. `on_durable` is called on the thread. NULL and `e`: no thread to be had. */
struct writer *writer_start(struct disk *disk, uint64_t sequence, void (*on_durable)(void *user), void *user,
                            struct error *e);
/* Waits until everything is durable or writing has failed, then frees all turns. */
void writer_stop(struct writer *w);

/* The owner: gives a turn away; it may only read it from now on. */
void writer_hand_over(struct writer *w, struct turn *t);
/* The owner: turns that became durable since it last asked, oldest first; it frees them. */
struct turn *writer_take_done(struct writer *w);

/* Any thread. */
uint64_t writer_durable_sequence(const struct writer *w);
uint64_t writer_durable_bytes(const struct writer *w);
uint64_t writer_syncs(const struct writer *w);
bool writer_failed(struct writer *w, struct error *e);

#endif
