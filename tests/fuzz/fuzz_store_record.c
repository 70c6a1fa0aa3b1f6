/* What a record of the log holds, as damage that a checksum did not find would leave it: refused, or read within its
 * bounds; and what is read is what the writer would have written. */
#include <stdio.h>
#include <stdlib.h>

#include "store/reader.h"
#include "store/record.h"

#define ROWS_MAX 4096

struct copy {
    struct bytes input;
    struct record record; /* made anew of what was read */
    uint64_t sequence;    /* of its open batch */
    struct row *rows[ROWS_MAX];
    size_t row_count;
    bool whole; /* all that was read is in it */
};

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static bool is_within(struct bytes part, struct bytes whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void begin_batch(struct copy *c, uint64_t sequence)
{
    if (c->record.first && c->sequence == sequence) return;
    if (c->record.first) record_end(&c->record);
    record_begin(&c->record, sequence);
    c->sequence = sequence;
}

static void add_row(struct copy *c, const struct store_operation *o)
{
    struct row *r = c->rows[c->row_count++] = row_new(o->key, o->value.len, o->sequence);
    if (o->value.len) memcpy(r->bytes + r->key_len, o->value.data, o->value.len);
    r->deleted = o->code == STORE_OPERATION_DELETE;
    record_row(&c->record, r);
}

static int visit(void *user, const struct store_operation *o, struct error *e)
{
    struct copy *c = user;
    (void)e;
    must(is_within(o->key, c->input) && is_within(o->value, c->input), "what is read lies within the record");
    bool drops = o->code == STORE_OPERATION_DROP_SLOTS || o->code == STORE_OPERATION_DROP_DATABASE;
    must(drops ? o->range.first_slot <= o->range.last_slot : o->key.len > 0 && o->key.len <= STORE_KEY_MAX,
         "a key has a length that a key can have, a range an end behind its beginning");
    c->whole = c->whole && o->sequence > 0 && c->row_count < ROWS_MAX;
    if (!c->whole) return 0;
    begin_batch(c, o->sequence);
    if (drops)
        record_drop(&c->record, &o->range);
    else if (o->code == STORE_OPERATION_SPLICE)
        record_splice(&c->record, o->key, o->offset, o->removed, o->value);
    else
        add_row(c, o);
    return 0;
}

/* Empty batches, and two of one sequence, are read and never written: then what is written is shorter. */
static void compare(struct copy *c)
{
    const struct iovec *parts;
    record_end(&c->record);
    size_t at = 0, count = record_parts(&c->record, &parts);
    must(record_size(&c->record) <= c->input.len, "what is read is not written in more bytes");
    for (size_t i = 0; record_size(&c->record) == c->input.len && i < count; at += parts[i++].iov_len)
        must(memcmp(c->input.data + at, parts[i].iov_base, parts[i].iov_len) == 0, "what is read is written alike");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct copy c;
    uint8_t *input = malloc(size ? size : 1); /* of its exact size, so that a sanitizer sees one byte more */
    if (size) memcpy(input, data, size);
    struct error e = {0};
    c = (struct copy){.input = bytes_of(input, size), .whole = true};
    int rc = store_read_record(c.input, visit, &c, &e);
    must((rc == 0) == (e.text[0] == 0), "a record is refused with a text, and only then");
    if (rc == 0 && c.whole && c.record.first) compare(&c);
    record_release(&c.record);
    while (c.row_count) free(c.rows[--c.row_count]);
    free(input);
    return 0;
}
