/* Reading a log that is being written. A reader holds the segment it is in, and so all that come after it, against recycling. */
#ifndef AIKV_STORE_WAL_READER_H
#define AIKV_STORE_WAL_READER_H

#include "store/reader.h"
#include "store/wal.h"

struct wal_reader;

/* As store_reader_open, but for the epoch of `from`, which is looked at when its record is read. The owner. */
int wal_reader_open(struct wal *w, struct store_position from, struct wal_reader **out, struct error *e);
/* The next record, unless it ends behind batch `limit`: then *out stays as it is. Errors as store_reader_next. */
int wal_reader_next(struct wal_reader *r, uint64_t limit, struct store_record *out, struct error *e);
void wal_reader_close(struct wal_reader *r);

/* For wal_reserve.c. Locked: whether a reader holds the log's first segment; from now on none does. */
bool wal_reader_holds_first(const struct wal *w);
void wal_reader_give_up_first(struct wal *w);

#endif
