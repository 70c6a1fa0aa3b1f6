/* Parts of the encoded form that the state and the commands share. */
#ifndef AIKV_CLUSTER_RECORD_H
#define AIKV_CLUSTER_RECORD_H

#include "cluster/state.h"

#define CLUSTER_PARAM_VALUE_MAX 1024
#define CLUSTER_VERSION_DIGITS  16
#define CLUSTER_STEP_MIN_SIZE   9 /* wait: op, ms, an empty why */
#define CLUSTER_PARAM_MIN_SIZE  9 /* a name of one character, an empty value */

/* A byte that must be 0 or 1. */
bool cluster_record_flag(struct reader *in);
/* A byte below `count`. */
uint8_t cluster_record_enum(struct reader *in, unsigned count);
/* Bytes of up to `max`, copied with a NUL behind them; NULL for none. */
char *cluster_record_blob(struct reader *in, size_t max, size_t *len);
/* A NUL-terminated copy; as read_text, without a fixed size. */
char *cluster_record_string(struct reader *in, size_t max);

void cluster_params_write(struct buffer *b, const struct cluster_param *params, uint32_t count);
/* What was read so far is in `*out` and `*count` even when the reader failed. */
void cluster_params_read(struct reader *in, struct cluster_param **out, uint32_t *count);
void cluster_params_release(struct cluster_param *params, uint32_t count);

/* NAN has one form, so that equal states have equal bytes. */
void cluster_record_write_score(struct buffer *b, double score);
double cluster_record_score(struct reader *in);

/* The length of what was written to `b`, which is empty then. Aborts if it could not be written. */
size_t cluster_record_take_size(struct buffer *b);

/* ---- parts of a state (state.c, encode.c) ---- */
/* Errors: FORMAT naming what is wrong with it. */
int cluster_trigger_check(const struct cluster_trigger *t, struct error *e);
void cluster_trigger_release(struct cluster_trigger *t);
void cluster_trigger_write(struct buffer *b, const struct cluster_trigger *t);
void cluster_trigger_read(struct reader *in, struct cluster_trigger *out);
size_t cluster_trigger_size(const struct cluster_trigger *t);
void cluster_run_release(struct cluster_run *r);
void cluster_run_drop_steps(struct cluster_run *r);
void cluster_run_write(struct buffer *b, const struct cluster_run *r);
/* Bytes of the encoded form, without making it. */
size_t cluster_run_size(const struct cluster_run *r);
size_t cluster_state_size(const struct cluster_state *s);

#endif
