/* How much memory the control group of this process may use (Linux; version 1 and 2). */
#ifndef AIKV_BASE_CGROUP_H
#define AIKV_BASE_CGROUP_H

#include <stdint.h>

/* The lowest limit, in bytes, from the process's group up to the root; 0: none. `groups` is /proc/self/cgroup, `mount` /sys/fs/cgroup, or what a
 * test puts in their place. In a container the group's own directory may be the mount itself: what is not there is passed over. */
uint64_t cgroup_memory_limit(const char *groups, const char *mount);

#endif
