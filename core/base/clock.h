/* Time. Monotonic time never jumps and is for durations; wall time is for expiry and log lines. */
#ifndef AIKV_BASE_CLOCK_H
#define AIKV_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_us(void);
uint64_t clock_monotonic_ms(void);
/* Processor time that the calling thread has used. A system call, unlike the others. */
uint64_t clock_thread_us(void);
/* Since 1970-01-01 UTC. */
int64_t clock_wall_us(void);
int64_t clock_wall_ms(void);

#endif
