/* Segments: files named by their number, 20 digits and ".log". One that is ready for use has its number in its name
 * already, but not yet in its header: to begin it takes no more than to write the header. */
#ifndef AIKV_STORE_WAL_SEGMENT_H
#define AIKV_STORE_WAL_SEGMENT_H

#include "store/wal.h"
#include "store/wal_record.h"

/* A segment in the making; the name is given to it once it is zero-written and synced. */
#define WAL_MAKING "making"

struct wal_segment {
    struct wal_segment *next;
    uint64_t number; /* of its name */
    int fd;
    size_t size;
    bool begun; /* the rest is for begun ones */
    struct wal_segment_header header;
    size_t extent; /* when scanned: up to where there are remains to be cut off */
};

/* "dir/name", to be freed. */
char *wal_segment_path(const char *dir, uint64_t number);
char *wal_segment_making_path(const char *dir);
char *wal_segment_path_in(const char *dir, const char *name);

/* The numbers of all segments in `dir`, in order. *numbers is to be freed, in any case. */
int wal_segment_numbers(const char *dir, uint64_t **numbers, size_t *count, struct error *e);
/* Opens all segments in `dir`, in order of their numbers, and reads their headers. FORMAT: damaged, or another format.
 * After an error `out` has those before the one that has it. */
int wal_segment_list(const char *dir, const struct wal_calls *calls, int flags, struct wal_segment **out,
                     struct error *e);
struct wal_segment *wal_segment_new(uint64_t number, int fd, size_t size);
/* Closes and frees one, or a list. */
void wal_segment_free(struct wal_segment *s, const struct wal_calls *calls);
void wal_segment_free_all(struct wal_segment *first, const struct wal_calls *calls);

#endif
