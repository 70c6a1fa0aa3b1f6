/* Who this node is, from one start to the next: the data directory's lock and node.json. */
#ifndef AIKV_SERVER_IDENTITY_H
#define AIKV_SERVER_IDENTITY_H

#include "cluster/state.h"

struct identity {
    char dir[1024];
    int lock_fd;
    char node_id[CLUSTER_ID_LEN + 1];
    uint64_t incarnation; /* this start's; the first is 1 */
    char cluster_id[CLUSTER_ID_LEN + 1];
    uint64_t raft_id;
    bool took_part; /* raft/ was made: as has_data */
    bool left_raft; /* it has no part in MetaRaft any more: raft/ is not opened */
    bool has_data;  /* the store was made: from now on one that is missing is damage */
};

/* Makes the directory if it is missing, locks it, reads node.json or makes it, and counts this start.
 * Errors: LOCKED (another process), FORMAT (unknown format or damage, with the file), IO (system error with the path). */
int identity_open(struct identity *i, const char *dir, struct error *e);
/* Locks the directory and reads node.json, and changes nothing: for tools that look at it, several at a time, or, `alone`, mend it. A copy without the
 * file LOCK is not locked. Errors: LOCKED; FORMAT; IO; CONFIG: there is no such directory, or no node has kept data there. */
int identity_look(struct identity *i, const char *dir, bool alone, struct error *e);
/* Writes node.json durably: all or nothing. */
int identity_save(const struct identity *i, struct error *e);
void identity_close(struct identity *i);

#endif
